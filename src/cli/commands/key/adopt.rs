//! `encl key adopt`: an identity in the keystore's folder is taken as mine.

use clap::Args;
use encl::crypto::signing::RootId;
use encl::identity::{Card, fingerprint, parse_fingerprint};

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::cards::card::described;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::{Exit, Failure, keystore};
use crate::cli::operations::identity::report;
use crate::cli::terminal::prompt::{Prompt, PromptError};
use crate::cli::terminal::safe;

/// So many of the last digits of a fingerprint are typed.
const DIGITS: usize = 16;

/// Take identities that were put into the keystore as mine, such as one that another machine of mine made
///
/// Without a fingerprint, each of them is shown and asked about. Until then they only decrypt what was encrypted for them: they
/// do not sign, and nothing is encrypted for them (`encl help trust`).
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl key adopt"))]
pub(crate) struct Arguments {
    /// Which ones; a fingerprint is the answer, and nothing is asked
    #[arg(value_name = "FINGERPRINT")]
    fingerprints: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let waiting = context.keystore.set_aside();
    let waiting = waiting.map_err(|error| keystore::failure(WHAT, &error))?;
    let chosen = match arguments.fingerprints.is_empty() {
        true => ask(&waiting, context)?,
        false => named(&arguments.fingerprints, &waiting)?,
    };
    for card in chosen {
        adopt(card, context)?;
    }
    Ok(())
}

const WHAT: &str = "cannot adopt an identity";

fn adopt(card: &Card, context: &Context) -> Result<(), Failure> {
    let adopted = context.keystore.adopt_identity(&card.id());
    let what = format!("cannot adopt {}", card.display_name());
    adopted.map_err(|error| keystore::failure(&what, &error))?;
    context.terminal.status(&format!(
        "{} is yours from now on: it signs, and reads what you encrypt",
        card.display_name()
    ));
    report::changed(card.id(), context)
}

/// Those with these fingerprints, all of them or none.
fn named<'c>(fingerprints: &[String], waiting: &'c [Card]) -> Result<Vec<&'c Card>, Failure> {
    let find = |text: &String| {
        let id: Option<RootId> = parse_fingerprint(text);
        let card = waiting.iter().find(|card| Some(card.id()) == id);
        card.ok_or_else(|| {
            let what = format!("cannot adopt `{}`", safe(text));
            let failure = Failure::new(Exit::Recipient, what);
            match id {
                None => failure.reason("it is not a fingerprint: 64 hexadecimal digits"),
                Some(_) => failure.reason("no identity with that fingerprint waits for it"),
            }
            .hint("`encl key list` shows your identities, and those that are not adopted")
        })
    };
    fingerprints.iter().map(find).collect()
}

fn ask<'c>(waiting: &'c [Card], context: &Context) -> Result<Vec<&'c Card>, Failure> {
    let mut chosen = Vec::new();
    if waiting.is_empty() {
        context
            .terminal
            .status("there is nothing to adopt: you know all identities in the keystore");
        return Ok(chosen);
    }
    let failed = |error: &PromptError| {
        let hint = format!("encl key adopt {}", waiting[0].id());
        Failure::new(Exit::Recipient, WHAT)
            .caused_by(error)
            .hint(format!("`{hint}` is the answer, if that one is yours"))
    };
    if context.no_input {
        return Err(failed(&PromptError::NoTerminal));
    }
    let mut prompt = Prompt::open().map_err(|error| failed(&error))?;
    for card in waiting {
        let text = format!("{}\n", described(card));
        prompt.say(&text).map_err(|error| failed(&error))?;
        let question = format!(
            "The last {DIGITS} digits of its fingerprint, if you made this identity; nothing leaves it as it is: "
        );
        let answer = prompt.seen(&question).map_err(|error| failed(&error))?;
        let digits = |text: &str| -> String {
            let digits = text.chars().filter(char::is_ascii_hexdigit);
            digits.collect::<String>().to_lowercase()
        };
        let id = digits(&fingerprint(&card.id()));
        match digits(&answer) {
            typed if typed.is_empty() => {}
            typed if typed == id[id.len() - DIGITS..] => chosen.push(card),
            _ => {
                let failure = Failure::new(Exit::Locked, WHAT);
                return Err(failure.reason("these are not the last digits of its fingerprint"));
            }
        }
    }
    Ok(chosen)
}
