//! `encl key export`: one identity as one file.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::cli::display::names::DisplayName;
use clap::{Args, ValueHint};
use encl::atomic_file::FileMode;
use encl::identity::Card;
use serde::Serialize;

use crate::cli::args::existing;
use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::is_dash;
use crate::cli::files::out_file::write;
use crate::cli::files::target::Target;
use crate::cli::operations::identity::find::find;
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{Stream, shown};

/// Write one of my identities to a file, as a copy or for another machine
///
/// The file holds the private keys, the card and the revocation statement as the keystore has them. Keys protected by a
/// passphrase stay protected; unencrypted keys are unencrypted in the file too. The file's mode is 0600.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl key export -o alice.identity
  $ encl key export alice@example.org -o - | wc -l"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// Write to OUT (`-`: standard output, if it is not a terminal)
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let card = find(arguments.who.as_deref(), context)?.card;
    let who = card.display_name();
    let what = format!("cannot export your identity {who}");
    let export = context.keystore.export_identity(&card.id());
    let export = export.map_err(|error| keystore::failure(&what, &error))?;
    let text = export.to_text();
    if is_dash(&arguments.output) {
        let mut out = Stdout::open()?;
        if out.file().is_terminal() {
            let failure = Failure::new(Exit::Usage, what).reason("it is a terminal");
            return Err(failure.hint("private keys are not shown; `-o FILE` writes them to a file"));
        }
        out.put(text.as_bytes())?;
        let object = Object::new(&card, &Target::Stdout);
        let words = Words::Nothing;
        return context.report(&Outcome { object, words }, Stream::Stderr);
    }
    write(
        &arguments.output,
        FileMode::OwnerOnly,
        existing(arguments.force),
        text.as_bytes(),
    )?;
    let object = Object::new(&card, &Target::parse(&arguments.output));
    let words = Words::Status(format!(
        "{who}: exported to {}; it holds your private keys, protected only by your passphrase, if there is one",
        shown(&arguments.output)
    ));
    context.report(&Outcome { object, words }, Stream::Stdout)
}

/// `encl.key-export/1`.
#[derive(Serialize)]
struct Object {
    schema: &'static str,
    id: String,
    output: String,
}

impl Object {
    fn new(card: &Card, target: &Target) -> Self {
        Self {
            schema: "encl.key-export/1",
            id: card.id().to_string(),
            output: target.typed(),
        }
    }
}
