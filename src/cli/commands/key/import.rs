//! `encl key import`: an identity comes from a file that `encl key export` wrote.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::file_kind::FileKind;
use encl::keystore::{Adoption, IdentityExport, ImportOutcome};

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::files::kind::recognised;
use crate::cli::errors::keystore::identity;
use crate::cli::operations::identity::Ask;
use crate::cli::operations::identity::private_file::read_private;
use crate::cli::operations::identity::report;
use crate::cli::terminal::{safe, shown};

/// Add an identity from a file that `encl key export` wrote
///
/// If the identity is already in the keystore, it keeps all its keys, and keys that only the file has are added. An older card
/// never replaces a newer one.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Locked, Exit::Exists], "\
  $ encl key export -o alice.identity && encl key import alice.identity --keystore elsewhere"))]
pub(crate) struct Arguments {
    /// The file (`-`: standard input)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let what = format!("cannot import {}", shown(&arguments.file));
    let text = read_private(&arguments.file, IdentityExport::BYTES_MAX, &what, context)?;
    let export = IdentityExport::from_text(&text).map_err(|error| {
        let failure = Failure::new(Exit::Damaged, &*what)
            .reason(safe(&error.to_string()))
            .file(&arguments.file);
        recognised(failure, &[FileKind::Identity])
    })?;
    let (mut ask, mut rng) = (Ask::new(context), context.rng());
    let imported = ask.identities(&mut rng).import(&export, Adoption::Own);
    let imported = imported.map_err(|error| identity::failure(&what, error))?;
    let who = export.card().display_name();
    context.terminal.status(&match imported {
        ImportOutcome::New => format!("{who} is one of your identities now"),
        ImportOutcome::Updated => format!("{who} is up to date now; no key was lost"),
        ImportOutcome::Known | ImportOutcome::KeysDiffer => {
            format!("{who} is already here, with all its keys")
        }
    });
    report::changed(export.card().id(), context)
}
