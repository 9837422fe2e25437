//! `encl key card`: the card of one of my identities, to be given to others.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use encl::atomic_file::{AtomicFile, AtomicFileError, Existing, FileMode};
use encl::identity::{Card, InvitationToken};
use serde::Serialize;

use crate::cli::commands::key::find;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::is_dash;
use crate::cli::terminal;
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{safe, shown};

/// Print the card of one of my identities: the public key that others encrypt for
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl key card > me.card
  $ encl key card --invitation encl-invitation1:BwcHBwcHBwcHBwcHBwcHBwO6"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// Answer an invitation: print TOKEN before the card; mail both back
    #[arg(long, value_name = "TOKEN")]
    invitation: Option<String>,
    /// Write to OUT
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let token = arguments.invitation.as_deref().map(token).transpose()?;
    let card = find(arguments.who.as_deref(), context)?.card;
    let path = arguments.output.as_deref().filter(|path| !is_dash(path));
    match (path, token) {
        (None, token) => print(&card, token.as_ref(), &mut Stdout::open()?, context),
        (Some(path), token) => {
            let text = text(&card, token.as_ref());
            write(path, FileMode::Umask, arguments.force, text.as_bytes())
        }
    }
}

fn token(text: &str) -> Result<InvitationToken, Failure> {
    InvitationToken::from_text(text).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("cannot answer the invitation `{}`", safe(text)),
        )
        .reason(error.to_string())
        .hint("copy the complete word that begins with `encl-invitation1:` from the invitation")
    })
}

/// A card in one line; beside a token in lines that no mail program wraps.
fn text(card: &Card, token: Option<&InvitationToken>) -> String {
    match token {
        None => format!("{}\n", card.to_text()),
        Some(token) => format!("{}\n{}\n", token.to_answer(), card.to_wrapped_text()),
    }
}

/// Writes the file that -o names.
pub(crate) fn write(path: &Path, mode: FileMode, force: bool, bytes: &[u8]) -> Result<(), Failure> {
    begin(path, mode, force)?.finish(bytes)
}

/// A file that -o names, of which nothing can be seen yet.
pub(crate) struct OutFile {
    file: AtomicFile,
    path: PathBuf,
}

/// Begins the file that -o names; one that exists is refused at once.
pub(crate) fn begin(path: &Path, mode: FileMode, force: bool) -> Result<OutFile, Failure> {
    let existing = if force {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let file = AtomicFile::create(path, mode, existing);
    let file = file.map_err(|error| not_written(path, &error))?;
    let path = path.to_owned();
    Ok(OutFile { file, path })
}

impl OutFile {
    /// Writes all of it, and gives it its name.
    pub(crate) fn finish(self, bytes: &[u8]) -> Result<(), Failure> {
        let Self { mut file, path } = self;
        let what = || format!("cannot write {}", shown(&path));
        file.write_all(bytes)
            .map_err(|error| Failure::io(what(), &error).file(&path))?;
        file.commit().map_err(|error| not_written(&path, &error))
    }
}

fn not_written(path: &Path, error: &AtomicFileError) -> Failure {
    let exit = if matches!(error, AtomicFileError::Exists(_)) {
        Exit::Exists
    } else {
        Exit::Failed
    };
    let what = format!("cannot write {}", shown(path));
    Failure::new(exit, what).caused_by(error).file(path)
}

pub(crate) fn print_card(card: &Card, out: &mut Stdout, context: &Context) -> Result<(), Failure> {
    print(card, None, out, context)
}

fn print(
    card: &Card,
    token: Option<&InvitationToken>,
    out: &mut Stdout,
    context: &Context,
) -> Result<(), Failure> {
    if context.json {
        let object = CardObject {
            schema: "encl.card/1",
            id: card.id().to_string(),
            card: card.to_text(),
            answer: token.map(InvitationToken::to_answer),
        };
        return out.put(format!("{}\n", terminal::object(&object)).as_bytes());
    }
    out.put(text(card, token).as_bytes())
}

/// Prints the card of an identity that is on disk already.
pub(crate) fn print_later(card: &Card, out: &mut Stdout, context: &Context) -> Result<(), Failure> {
    print_card(card, out, context).map_err(|failure| {
        failure.hint(format!(
            "the change was made; `encl key card {}` prints the card",
            safe(&card.addresses()[0])
        ))
    })
}

#[derive(Serialize)]
struct CardObject<'a> {
    schema: &'static str,
    id: String,
    card: &'a str,
    /// The token of an invitation, as it goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}
