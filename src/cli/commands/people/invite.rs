//! `encl invite`: a text to mail to a person whose card is not here.

use crate::cli::args::address::one_address;
use crate::cli::args::existing;
use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::cards::invitation;
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::{Outcome, Report, Words};
use crate::cli::display::time;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::files::out_file::OutFile;
use crate::cli::files::target::Target;
use crate::cli::operations::identity::find::find_active;
use crate::cli::terminal::stdout::{Stdout, StdoutError};
use crate::cli::terminal::{Stream, Terminal, safe, shown};
use clap::{Args, ValueHint};
use encl::atomic_file::FileMode;
use encl::directory::People;
use encl::identity::{Card, InvitationToken};
use encl::keystore::{INVITATION_SECONDS_MAX, InvitationState};
use encl::time::Time;
use serde::Serialize;
use std::path::PathBuf;

/// Print an invitation for a person who has no card yet; mail it to them
///
/// The invitation says who asks and what to do. It holds my card and a one-time token. The token comes back beside their card,
/// so `encl contact add` can say which invitation was answered. It works once, within 90 days, and proves no identity: anybody
/// who reads the mail has it.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl invite frank@example.org > invitation.txt
  $ encl invite frank@example.org --from alice@example.org -o to-frank.txt
  $ encl invite frank@example.org --page https://files.example.org/reader.html
  $ encl invite list"))]
pub(crate) struct Arguments {
    /// The mail address of the person to invite; or `list`, to see the invitations that you made
    #[arg(value_name = "ADDRESS|list")]
    address: String,
    /// Which of my identities sends its card [default: $ENCL_IDENTITY, else the default identity]
    #[arg(long, value_name = "WHO")]
    from: Option<String>,
    /// Where the reader in the browser is, for people who have nothing installed: `encl help recipients`
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = page_url)]
    page: Option<String>,
    /// Write to OUT (`-`: standard output)
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

/// An address that browsers give their encryption to, in one line.
fn page_url(text: &str) -> Result<String, String> {
    let is_plain = |letter: char| letter.is_ascii_graphic() && !matches!(letter, '<' | '>' | '"');
    let host = text.strip_prefix("https://").unwrap_or_default();
    match host.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '[')
        && text.chars().all(is_plain)
    {
        true => Ok(text.to_owned()),
        false => Err("it has to begin with https:// and be without blanks".to_owned()),
    }
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> CommandResult {
    // No address is called so.
    if arguments.address == "list" {
        return Ok(list(context)?);
    }
    let address = one_address(&arguments.address)?;
    let what = format!("cannot invite {}", safe(&address));
    let me = find_active(arguments.from.as_deref(), context)?.card;
    let people = context.people()?;
    refuse_own_address(&address, &people, &what)?;
    // It is opened before anything is noted, so that what cannot be written leaves no invitation.
    let target = arguments.output.as_deref();
    let file = match target.map_or(Target::Stdout, Target::parse) {
        Target::File(path) => {
            let file = OutFile::begin(&path, FileMode::Umask, existing(arguments.force))?;
            Some((path, file))
        }
        Target::Stdout => {
            Stdout::check()?;
            None
        }
    };
    note_known_contact(&address, &people, context)?;
    let token = context
        .keystore
        .invite(&address, me.id(), context.now, &mut context.rng());
    let token = token.map_err(|error| keystore::failure(&what, &error))?;
    let ends = context.now.unix().saturating_add(INVITATION_SECONDS_MAX);
    let ends = Time::from_unix(ends).unwrap_or(context.now);
    let text = invitation::text(&me, &address, &token, (ends, arguments.page.as_deref()));
    let written = match file {
        None => Written::ToStdout,
        Some((path, file)) => {
            file.finish(text.as_bytes())?;
            let (path, address) = (shown(&path), safe(&address));
            let from = safe(&me.addresses()[0]);
            Written::ToFile(format!("mail {path} to {address}, from {from}"))
        }
    };
    let invitation = Invitation {
        me: &me,
        address: &address,
        token: &token,
        ends,
        text: &text,
        written,
    };
    Ok(context.report(&invitation, Stream::Stdout)?)
}

/// The invitations that were made, the newest last.
fn list(context: &Context) -> Result<(), Failure> {
    let all = context.keystore.invitations();
    let mut all = all.map_err(|error| keystore::failure("cannot read the invitations", &error))?;
    all.sort_by(|a, b| (a.made, &a.address).cmp(&(b.made, &b.address)));
    if all.is_empty() {
        context
            .terminal
            .status("you invited nobody: `encl invite ADDRESS` prints an invitation");
    }
    for invitation in &all {
        let state = invitation.state(context.now);
        let (word, answered) = match state {
            InvitationState::Open => ("open", None),
            InvitationState::Answered(answered) => ("answered", Some(answered)),
            InvitationState::Old => ("old", None),
        };
        let address = safe(&invitation.address);
        let made = time::day(invitation.made);
        let says = match answered {
            Some(answered) => format!("answered {}", time::day(answered.at)),
            None if state == InvitationState::Old => "too old to be answered".to_owned(),
            None => "not answered yet".to_owned(),
        };
        let object = InvitationObject {
            schema: "encl.invitation/1",
            address: &invitation.address,
            from: invitation.from.to_string(),
            made: invitation.made,
            state: word,
            answered: answered.map(|answered| answered.at),
            by: answered.map(|answered| answered.by.to_string()),
        };
        let words = Words::Answer(format!("{address}  {made}  {says}"));
        context.report(&Outcome { object, words }, Stream::Stdout)?;
    }
    Ok(())
}

/// `encl.invitation/1`, one for each.
#[derive(Serialize)]
struct InvitationObject<'a> {
    schema: &'static str,
    address: &'a str,
    from: String,
    made: Time,
    state: &'static str,
    answered: Option<Time>,
    by: Option<String>,
}

/// Where the text went.
enum Written {
    ToStdout,
    /// Into a file; the text says so.
    ToFile(String),
}

/// An invitation that was made.
struct Invitation<'a> {
    me: &'a Card,
    address: &'a str,
    token: &'a InvitationToken,
    ends: Time,
    text: &'a str,
    written: Written,
}

impl Report for Invitation<'_> {
    type Object<'o>
        = InviteObject<'o>
    where
        Self: 'o;

    fn object(&self) -> InviteObject<'_> {
        InviteObject {
            schema: "encl.invite/1",
            address: self.address,
            from: self.me.id().to_string(),
            token: self.token.to_invitation(),
            ends: self.ends,
            text: match self.written {
                Written::ToStdout => Some(self.text),
                Written::ToFile(_) => None,
            },
        }
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        match &self.written {
            Written::ToStdout => Stdout::open()?.put(self.text.as_bytes())?,
            Written::ToFile(words) => terminal.status(words),
        }
        Ok(())
    }
}

fn refuse_own_address(address: &str, people: &People, what: &str) -> Result<(), Failure> {
    match people.readers().any(|me| me.has_address(address)) {
        true => Err(Failure::new(Exit::Usage, what).reason("that is your own address")),
        false => Ok(()),
    }
}

fn note_known_contact(address: &str, people: &People, context: &Context) -> Result<(), Failure> {
    let names = people.contact_names();
    let mut names = names.map_err(|error| keystore::unreadable(&error))?.iter();
    if let Some(known) = names.find(|names| names.has_address(address)) {
        context
            .terminal
            .notice(&format!("{} is a contact already", known.display_name()));
    }
    Ok(())
}

#[derive(Serialize)]
struct InviteObject<'a> {
    schema: &'static str,
    address: &'a str,
    from: String,
    token: String,
    ends: Time,
    /// The text, if it is not in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}
