//! `encl invite`: a text to be mailed to somebody whose card is not here.

use std::path::PathBuf;

use crate::cli::display::names::DisplayName;
use clap::{Args, ValueHint};
use encl::atomic_file::FileMode;
use encl::directory::People;
use encl::identity::{Card, InvitationToken};
use encl::keystore::INVITATION_SECONDS_MAX;
use encl::time::Time;
use serde::Serialize;

use crate::cli::commands::key;
use crate::cli::commands::key::card::{OutFile, begin};
use crate::cli::commands::people::group::one_address;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::display::invitation;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::files::input::is_dash;
use crate::cli::terminal;
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{safe, shown};

/// Print an invitation, to be mailed to somebody whose card is not here
///
/// It says who asks, what to do, and has my card and a one-time token. The token comes back beside their card, so that `encl contact add` can say which invitation is answered. It can be used once,
/// within 90 days, and proves nothing: whoever reads the mail has it.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl invite frank@example.org > invitation.txt
  $ encl invite frank@example.org --from alice@example.org -o to-frank.txt"))]
pub(crate) struct Arguments {
    /// Whom to invite
    address: String,
    /// The identity of mine whose card is sent [default: $ENCL_IDENTITY, else the default one]
    #[arg(long, value_name = "WHO")]
    from: Option<String>,
    /// Write to OUT (`-`: standard output)
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

/// Where the text goes. It is opened before the invitation is recorded, so that a failure leaves none behind.
enum Output {
    Stdout(Stdout),
    File(OutFile),
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> CommandResult {
    let address = one_address(&arguments.address)?;
    let what = format!("cannot invite {}", safe(&address));
    let me = key::find_active(arguments.from.as_deref(), context)?.card;
    let people = context.people()?;
    refuse_own_address(&address, &people, &what)?;
    let output = match arguments.output.as_deref().filter(|path| !is_dash(path)) {
        Some(path) => Output::File(begin(path, FileMode::Umask, arguments.force)?),
        None => Output::Stdout(Stdout::open()?),
    };
    note_known_contact(&address, &people, context)?;
    let token = context
        .keystore
        .invite(&address, me.id(), context.now, &mut context.rng());
    let token = token.map_err(|error| keystore::failure(&what, &error))?;
    let ends = context.now.unix().saturating_add(INVITATION_SECONDS_MAX);
    let ends = Time::from_unix(ends).unwrap_or(context.now);
    let text = invitation::text(&me, &address, &token, ends);
    match output {
        Output::File(file) => {
            file.finish(text.as_bytes())?;
            let path = arguments.output.as_deref().map(shown).unwrap_or_default();
            context.terminal.status(&format!(
                "{path} is to be mailed to {}, from {}",
                safe(&address),
                safe(&me.addresses()[0])
            ));
            if context.json {
                print_object(&mut Stdout::open()?, &me, &address, &token, ends, None)?;
            }
        }
        Output::Stdout(mut out) if context.json => {
            print_object(&mut out, &me, &address, &token, ends, Some(&text))?;
        }
        Output::Stdout(mut out) => out.put(text.as_bytes())?,
    }
    Ok(())
}

fn refuse_own_address(address: &str, people: &People, what: &str) -> Result<(), Failure> {
    match people.readers().any(|me| me.has_address(address)) {
        true => Err(Failure::new(Exit::Usage, what).reason("that is an address of your own")),
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

fn print_object(
    out: &mut Stdout,
    me: &Card,
    address: &str,
    token: &InvitationToken,
    ends: Time,
    text: Option<&str>,
) -> Result<(), Failure> {
    let object = InviteObject {
        schema: "encl.invite/1",
        address,
        from: me.id().to_string(),
        token: token.to_invitation(),
        ends,
        text,
    };
    out.put(format!("{}\n", terminal::object(&object)).as_bytes())
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
