//! `encl group card`: a group as it is given to others.

use std::path::PathBuf;

use clap::Args;
use encl::directory::DirectoryError;
use encl::operations::MyKeys;
use encl::operations::cards::{GiveError, GivenGroup};
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::Report;
use crate::cli::errors::directory::blocked;
use crate::cli::errors::envelope::unlock_failure;
use crate::cli::errors::{Exit, Failure, keystore};
use crate::cli::operations::contacts::group_report::CardFacts;
use crate::cli::operations::contacts::text_out;
use crate::cli::terminal::stdout::{Stdout, StdoutError};
use crate::cli::terminal::{Terminal, safe};

/// Print a group to give to others: its group card, signed by you, and its members' cards
///
/// Others take it with `encl contact add`. Run it again after each change: whoever has an earlier group card keeps to that until
/// they add the later one. A group that somebody else gave you is passed on as its keeper signed it.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl group card finance -o finance.group"))]
pub(crate) struct Arguments {
    /// The group
    name: String,
    /// Sign with this identity of mine [default: the one that signed last, else the default identity]
    #[arg(long = "as", value_name = "WHO")]
    signer: Option<String>,
    /// Write to OUT
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let name = arguments.name.trim_start_matches('@');
    let people = context.people()?;
    let signer = context.identity_name(arguments.signer.as_deref());
    let signer = signer.map(|who| people.my_identity(&who)).transpose()?;
    let keys = MyKeys::new(context, &people.active);
    let given = GivenGroup::make(name, signer, &people, &keys, context.now);
    let given = given.map_err(|error| not_given(error, name))?;
    if given.is_new {
        context.terminal.status(&format!(
            "@{}: new group card, for {} people with your own",
            safe(name),
            given.cards.len()
        ));
    }
    let report = GivenReport(&given);
    let output = (arguments.output.as_deref(), arguments.force);
    text_out::put(&report, &given.to_text(), output, context)
}

fn not_given(error: GiveError, name: &str) -> Failure {
    let cannot = |exit| Failure::new(exit, format!("cannot give the group @{}", safe(name)));
    let reason = error.to_string();
    match error {
        GiveError::Directory(DirectoryError::Blocked { names, trust }) => {
            let what = format!("cannot give {} to others in a group", names.display_name());
            blocked(what, trust, &names)
        }
        GiveError::Directory(error) => error.into(),
        GiveError::NoIdentity => cannot(Exit::Recipient)
            .reason(reason)
            .hint("`encl key new ADDRESS` creates one"),
        GiveError::OtherKeeper(_) | GiveError::Card(_) => cannot(Exit::Usage).reason(safe(&reason)),
        GiveError::Locked(error) => unlock_failure(error),
        GiveError::Keystore(error) => keystore::failure(&cannot(Exit::Failed).what, &error),
    }
}

struct GivenReport<'a>(&'a GivenGroup);

impl Report for GivenReport<'_> {
    type Object<'o>
        = GivenObject
    where
        Self: 'o;

    fn object(&self) -> GivenObject {
        GivenObject {
            schema: "encl.group-card/1",
            text: self.0.to_text(),
            card: CardFacts::of(&self.0.card),
        }
    }

    /// Every byte as it is: it is data.
    fn show_text(&self, _: Terminal) -> Result<(), StdoutError> {
        Stdout::open()?.put(self.0.to_text().as_bytes())
    }
}

/// `encl.group-card/1`, in the documented order.
#[derive(Serialize)]
struct GivenObject {
    schema: &'static str,
    text: String,
    card: CardFacts,
}
