//! `encl inspect`: what an envelope says about itself.

use clap::Args;
use encl::directory::People;
use encl::envelope::PageReader;
use encl::operations::open::page::version_of;

use crate::cli::args::InputFiles;
use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::CommandResult;
use crate::cli::errors::Exit;
use crate::cli::errors::{Failure, Tally, envelope};
use crate::cli::files::input::{Input, Source};
use crate::cli::operations::open::FOREIGN_PAGE;
use crate::cli::operations::open::inspect::inspect;

/// Show who can decrypt an envelope, who signed it, and its dates; needs no key
///
/// Nothing is decrypted, so nothing is verified: what is shown is a claim until the envelope is opened. Dates are advisory.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Newer], "\
  $ encl inspect letter.pdf.encl
  $ encl inspect --json letter.pdf.encl
  $ sed -n 2p letter.pdf.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    // Names are a help here, not a condition: inspect needs no key.
    let people = context
        .people()
        .unwrap_or_else(|_| People::nobody(context.keystore.clone()));
    let mut tally = Tally::default();
    for input in arguments.inputs.all("inspect", context)? {
        let inspected = input
            .open("inspect")
            .and_then(|source| inspect_file(&input, source, &people, context));
        tally.add(context.terminal, inspected);
    }
    tally.end()
}

/// A page in front of the envelope is set aside.
fn inspect_file(
    input: &Input,
    source: Source,
    people: &People,
    context: &Context,
) -> Result<(), Failure> {
    let failed = |error| envelope::failure(input.cannot("inspect", Exit::Failed), error);
    let (page, source) = PageReader::new(source).map_err(failed)?;
    if page.is_some_and(|page| version_of(&page).is_none()) {
        context
            .terminal
            .warning(&format!("{}: {FOREIGN_PAGE}", input.name()));
    }
    inspect((input, None), source, people, context)
}
