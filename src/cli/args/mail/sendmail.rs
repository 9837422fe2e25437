//! Options of a sendmail in front of `--`: mutt and neomutt put their own there when `$sendmail` holds a `--`.

use std::ffi::OsString;

use clap::Args;

/// What is handed on to the sendmail, in front of its other options.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Passed on to sendmail, as if they stood after `--`")]
pub(crate) struct SendmailArgs {
    /// The address that bounces go to
    #[arg(short = 'f', value_name = "ADDRESS")]
    from: Option<OsString>,

    /// The address that bounces go to, in the older form of -f
    #[arg(short = 'r', value_name = "ADDRESS")]
    return_to: Option<OsString>,

    /// The sender's full name
    #[arg(short = 'F', value_name = "NAME")]
    full_name: Option<OsString>,

    /// When to send a delivery notification
    #[arg(short = 'N', value_name = "WHEN")]
    notify: Option<OsString>,

    /// How much of the message a bounce returns
    #[arg(short = 'R', value_name = "WHAT")]
    returned: Option<OsString>,

    /// The type of the message body
    #[arg(short = 'B', value_name = "TYPE")]
    body_type: Option<OsString>,

    /// A line with a single dot does not end the message
    #[arg(short = 'i')]
    ignore_dots: bool,
}

impl SendmailArgs {
    /// The call with these options behind the program's name.
    pub(crate) fn before(&self, call: &[OsString]) -> Vec<OsString> {
        let Some((program, rest)) = call.split_first() else {
            return Vec::new();
        };
        let with_value = [
            ("-f", &self.from),
            ("-r", &self.return_to),
            ("-F", &self.full_name),
            ("-N", &self.notify),
            ("-R", &self.returned),
            ("-B", &self.body_type),
        ];
        let mut words = vec![program.clone()];
        for (option, value) in with_value {
            if let Some(value) = value {
                words.extend([OsString::from(option), value.clone()]);
            }
        }
        words.extend(self.ignore_dots.then(|| OsString::from("-i")));
        words.extend_from_slice(rest);
        words
    }
}
