//! `encl key card`: the card of one of my identities, to be given to others.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use encl::atomic_file::{AtomicFile, AtomicFileError, Existing, Readers};
use encl::identity::Card;
use serde::Serialize;

use super::super::context::Context;
use super::super::files::is_dash;
use super::super::help::closing;
use super::super::report::{Exit, Failure};
use super::super::stdout::Stdout;
use super::super::terminal::{self, safe, shown};
use super::find;

/// Print the card of one of my identities, to be given to others
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Exists], "  $ encl key card > me.card"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// Write to OUT
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let card = find(arguments.who.as_deref(), context)?.card;
    let Some(path) = arguments.output.as_deref().filter(|path| !is_dash(path)) else {
        return print_card(&card, &mut Stdout::open()?, context);
    };
    let line = format!("{}\n", card.to_text());
    write(path, Readers::Umask, arguments.force, line.as_bytes())
}

/// Writes the file that -o names.
pub(super) fn write(
    path: &Path,
    readers: Readers,
    force: bool,
    bytes: &[u8],
) -> Result<(), Failure> {
    let what = format!("cannot write {}", shown(path));
    let existing = if force {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let failed = |error: AtomicFileError| {
        let exit = if matches!(error, AtomicFileError::Exists(_)) {
            Exit::Exists
        } else {
            Exit::Failed
        };
        Failure::new(exit, &*what).caused_by(&error).file(path)
    };
    let mut file = AtomicFile::create(path, readers, existing).map_err(failed)?;
    file.write_all(bytes)
        .map_err(|error| Failure::io(&*what, &error).file(path))?;
    file.commit().map_err(failed)
}

pub(super) fn print_card(card: &Card, out: &mut Stdout, context: &Context) -> Result<(), Failure> {
    if context.json {
        let object = CardObject {
            schema: "encl.card/1",
            id: card.id().to_string(),
            card: card.to_text(),
        };
        return out.put(format!("{}\n", terminal::object(&object)).as_bytes());
    }
    out.put(format!("{}\n", card.to_text()).as_bytes())
}

/// Prints the card of an identity that is on disk already.
pub(super) fn print_later(card: &Card, out: &mut Stdout, context: &Context) -> Result<(), Failure> {
    print_card(card, out, context).map_err(|failure| {
        failure.hint(format!(
            "it is done; `encl key card {}` prints the card",
            safe(&card.addresses()[0])
        ))
    })
}

#[derive(Serialize)]
struct CardObject<'a> {
    schema: &'static str,
    id: String,
    card: &'a str,
}
