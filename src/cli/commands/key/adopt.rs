//! `encl key adopt`: an identity or a group in the keystore's folder is taken as mine.

use clap::Args;
use encl::crypto::signing::RootId;
use encl::directory::{DirectoryError, People};
use encl::identity::{Card, fingerprint, parse_fingerprint};
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::cards::card::described;
use crate::cli::display::cards::group::describe_change;
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time;
use crate::cli::errors::{Exit, Failure, keystore};
use crate::cli::operations::identity::report;
use crate::cli::terminal::prompt::{Prompt, PromptError};
use crate::cli::terminal::{Stream, safe};

/// So many of the last digits of a fingerprint are typed.
const DIGITS: usize = 16;

/// Take identities and groups that were put into the keystore as mine, such as those that another machine of mine made
///
/// Without a name, each of them is shown and asked about. Until then identities only decrypt what was encrypted for them: they do
/// not sign, and nothing is encrypted for them; and nothing is encrypted for groups (`encl help trust`).
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl key adopt"))]
pub(crate) struct Arguments {
    /// Which ones: fingerprints, or groups as they are now; a name is the answer, and nothing is asked
    #[arg(value_name = "FINGERPRINT|@GROUP")]
    names: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let waiting = context.keystore.set_aside();
    let waiting = waiting.map_err(|error| keystore::failure(WHAT, &error))?;
    let people = context.people()?;
    let groups = waiting_groups(&people)?;
    if !arguments.names.is_empty() {
        let (groups, identities) = named(&arguments.names, &waiting, &people)?;
        for card in identities {
            adopt(card, context)?;
        }
        return groups
            .iter()
            .try_for_each(|name| adopt_group(name, context));
    }
    if waiting.is_empty() && groups.is_empty() {
        context.terminal.status(
            "there is nothing to adopt: you know all identities and groups in the keystore",
        );
    }
    for card in ask(&waiting, context)? {
        adopt(card, context)?;
    }
    for group in &groups {
        let name = safe(&group.name);
        let lines = group.lines.join("\n");
        context.terminal.text(&format!("@{name}\n{lines}"));
        context
            .confirm(
                &format!("Is @{name} right as it is now?"),
                &format!("cannot adopt @{name}"),
            )
            .map_err(|failure| {
                failure.hint(format!("`encl key adopt @{name}` is the answer, if it is"))
            })?;
        adopt_group(&group.name, context)?;
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

/// A group that this machine does not know as it is, or knows a later card of.
struct WaitingGroup {
    name: String,
    /// What is known about it, in words.
    lines: Vec<String>,
}

fn waiting_groups(people: &People) -> Result<Vec<WaitingGroup>, Failure> {
    let names = people.keystore().groups();
    let names = names.map_err(|error| keystore::failure(WHAT, &error))?;
    let mut waiting = Vec::new();
    for name in names {
        let lines = match people.group(&name) {
            Err(DirectoryError::GroupNotAdopted(change)) => describe_change(&change),
            Err(DirectoryError::GroupOlder { latest, .. }) => {
                let latest = time::local(latest);
                vec![format!(
                    "this machine knows a later group card of it, of {latest}"
                )]
            }
            // A group that cannot be read is reported where it is used.
            _ => continue,
        };
        waiting.push(WaitingGroup { name, lines });
    }
    Ok(waiting)
}

fn adopt_group(name: &str, context: &Context) -> Result<(), Failure> {
    let adopted = context.keystore.adopt_group(name);
    let name = safe(name);
    adopted.map_err(|error| keystore::failure(&format!("cannot adopt @{name}"), &error))?;
    let object = AdoptedGroup {
        schema: "encl.group-adopt/1",
        name: &name,
    };
    let words = Words::Status(format!("@{name} is as you want it from now on"));
    context.report(&Outcome { object, words }, Stream::Stdout)
}

#[derive(Serialize)]
struct AdoptedGroup<'a> {
    schema: &'static str,
    name: &'a str,
}

/// The groups, without their `@`, and the identities that these words name: all of them or none.
fn named<'n, 'c>(
    names: &'n [String],
    waiting: &'c [Card],
    people: &People,
) -> Result<(Vec<&'n str>, Vec<&'c Card>), Failure> {
    let (groups, fingerprints): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| name.starts_with('@'));
    let groups: Vec<&str> = groups.iter().map(|name| &name[1..]).collect();
    for group in &groups {
        people.group_as_it_stands(group)?;
    }
    Ok((groups, identities(&fingerprints, waiting)?))
}

fn identities<'c>(fingerprints: &[&String], waiting: &'c [Card]) -> Result<Vec<&'c Card>, Failure> {
    let find = |text: &&String| {
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
