//! `encl key paper --restore`: what is on a page becomes an identity again, or adds to the one that is here.

use std::path::Path;

use crate::cli::display::names::DisplayName;
use encl::crypto::passphrase::Cost;
use encl::file_kind::FileKind;
use encl::identity::{
    PAPER_BYTES_MAX, Paper, PaperError, PaperLines, fingerprint, is_code, is_utf16,
};

use crate::cli::context::Context;
use crate::cli::display::time;
use crate::cli::errors::files::kind::recognised;
use crate::cli::errors::keystore::identity::{self, not_a_page};
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::Ask;
use crate::cli::operations::identity::private_file::read_private;
use crate::cli::operations::identity::report;
use crate::cli::terminal;
use crate::cli::terminal::prompt::{Prompt, PromptError};
use crate::cli::terminal::{safe, shown, typed};

const WHAT: &str = "cannot restore an identity from paper";

/// `cost` is that of the new passphrase, `None` for keys in the clear.
pub(crate) fn run(
    file: Option<&Path>,
    cost: Option<Cost>,
    context: &Context,
) -> Result<(), Failure> {
    let paper = match file {
        Some(file) => read(file, context)?,
        None => ask(context)?,
    };
    let card = paper.card().clone();
    let who = card.display_name();
    let others = card.addresses().iter().skip(1);
    let others: Vec<_> = others
        .map(|address| format!(", {}", safe(address)))
        .collect();
    let others = others.concat();
    context.terminal.status(&format!(
        "the page is complete and correct: {who}{others}, fingerprint {}",
        fingerprint(&card.id())
    ));
    let mut ask = Ask::for_new(context, "the identity", cost);
    let restored = ask.identities(&mut context.rng()).restore_paper(paper);
    let outcome = restored
        .map_err(|error| identity::not_restored(&format!("cannot restore {who}"), error))?;
    let keys = match card.keys().len() {
        1 => "its key decrypts".to_owned(),
        keys => format!("its {keys} keys decrypt"),
    };
    let tried = format!("{keys} what is encrypted for it (tested)");
    context
        .terminal
        .status(&match (outcome.was_here, outcome.has_new_card) {
            (false, _) => format!("{who} is one of your identities again; {tried}"),
            (true, true) => {
                format!("{who} has everything that is on the page now; no key was lost")
            }
            (true, false) => format!("{who} is already here, with all its keys; {tried}"),
        });
    if outcome.has_new_card {
        context.terminal.notice(&format!(
            "a new card was signed, newer than all others; send it (`encl key card {}`) to everybody who has a card made after {}",
            typed(&card.addresses()[0], "WHO"),
            time::local(card.created())
        ));
    }
    report::changed(card.id(), context)
}

/// Words or a code from a file.
fn read(path: &Path, context: &Context) -> Result<Paper, Failure> {
    let what = format!("cannot restore an identity from {}", shown(path));
    let about = |failure: Failure| {
        let failure = Failure {
            what: what.clone(),
            ..failure.file(path)
        };
        recognised(failure, &[FileKind::Page])
    };
    let text = read_private(path, PAPER_BYTES_MAX, &what, context)?;
    if text.len() > PAPER_BYTES_MAX {
        return Err(about(
            Failure::new(Exit::Damaged, WHAT).reason("it is too long for a page"),
        ));
    }
    if is_utf16(&text) {
        return Err(about(
            Failure::new(Exit::Damaged, WHAT).reason("it is in UTF-16: save it as UTF-8"),
        ));
    }
    let text = std::str::from_utf8(&text);
    let text =
        text.map_err(|_| about(Failure::new(Exit::Damaged, WHAT).reason("it is not text")))?;
    Paper::from_text(text).map_err(|error| about(not_a_page(WHAT, &error)))
}

/// Words, a line at a time, or a code that a scanner types.
fn ask(context: &Context) -> Result<Paper, Failure> {
    let unasked = |error: &PromptError| {
        let exit = match error {
            PromptError::Cancelled => Exit::Locked,
            _ => Exit::Usage,
        };
        let failure = Failure::new(exit, WHAT).caused_by(error);
        failure.hint("--restore FILE reads the words or the code from a file")
    };
    if context.no_input {
        return Err(unasked(&PromptError::NoTerminal));
    }
    let _screen = terminal::screen();
    let paper = Prompt::open().and_then(|mut prompt| asked(&mut prompt));
    paper
        .map_err(|error| unasked(&error))?
        .map_err(|error| not_a_page(WHAT, &error))
}

fn asked(prompt: &mut Prompt) -> Result<Result<Paper, PaperError>, PromptError> {
    prompt.say(
        "Type the words of each line, or their first four letters; or let a scanner type the code.",
    )?;
    prompt.say("The words stay on the screen: clear it afterwards.")?;
    let mut lines = PaperLines::default();
    while !lines.are_complete() {
        let question = match lines.count() {
            Some(count) => format!("Line {} of {count}", lines.next_line()),
            None => format!("Line {}", lines.next_line()),
        };
        let line = prompt.seen(&question)?;
        let taken = match is_code(&line) {
            true => match Paper::from_text(&line) {
                Ok(paper) => return Ok(Ok(paper)),
                Err(error) => Err(error),
            },
            false => lines.push(&line),
        };
        match taken {
            Err(error @ PaperError::Newer(_)) => return Ok(Err(error)),
            Err(error) => prompt.say(&format!("Try again: {error}"))?,
            Ok(()) => {}
        }
    }
    Ok(lines.finish())
}
