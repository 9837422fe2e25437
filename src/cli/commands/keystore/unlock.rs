//! `encl unlock` and `encl lock`: an identity stays open for a while, without a daemon.

use crate::cli::display::names::DisplayName;
use crate::cli::secrets::stored;
use clap::Args;
use encl::directory::{People, Person};
use encl::keystore::{LockedIdentity, StoredSecret};
use encl::time::Time;
use serde::Serialize;

use crate::cli::args::conditions;
use crate::cli::args::help::closing;
use crate::cli::args::time::DayEdge;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time;
use crate::cli::errors::keystore::NO_IDENTITY;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::operations::keyring;
use crate::cli::secrets::kernel_keyring;
use crate::cli::terminal::{Stream, safe};

/// The longest time for which a key is kept: a month.
const SECONDS_MAX: u64 = 31 * 86_400;

/// Ask for an identity's passphrase once, then not again for a while
///
/// The Linux kernel keeps the key of the identity's file, never the passphrase, and deletes it when the time is over. Until
/// then every program of this user can use it. `encl lock` ends it at once; so does changing the passphrase.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Locked, Exit::Recipient], "\
  $ encl unlock --for 15m
  $ encl lock"))]
pub(crate) struct Unlock {
    /// Which of my identities [default: $ENCL_IDENTITY, else the default identity]
    #[arg(value_name = "WHO")]
    who: Option<String>,

    /// How long: a span such as 15m, 2h, 1d
    #[arg(long = "for", value_name = "SPAN", default_value = "15m")]
    span: String,
}

/// Delete the keys that `encl unlock` stored in the kernel
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl lock
  $ encl lock alice@example.org"))]
pub(crate) struct Lock {
    /// Which of my identities [default: all]
    #[arg(value_name = "WHO")]
    who: Option<String>,
}

pub(crate) fn unlock(arguments: &Unlock, context: &mut Context) -> CommandResult {
    let until = end(&arguments.span, context.now)?;
    let people = context.people()?;
    let person = match context.identity_name(arguments.who.as_deref()) {
        Some(name) => people.my_identity(&name)?,
        None => people.active.first().ok_or_else(|| {
            Failure::new(Exit::Usage, "cannot unlock anything")
                .reason("you have no identity")
                .hint(NO_IDENTITY)
        })?,
    };
    let Some(locked) = locked(person, context)? else {
        let object = Unlocked {
            schema: "encl.unlock/1",
            id: person.card.id().to_string(),
            name: person.card.name(),
            until: None,
        };
        let words = person.display_name();
        let words = Words::Status(format!("{words}: has no passphrase, and is always open"));
        return Ok(context.report(&Outcome { object, words }, Stream::Stdout)?);
    };
    let (key, _) = keyring::key_of(&locked, &person.card, context)?;
    kernel_keyring::keep(&locked, &key, (context.now, until))?;
    let object = Unlocked {
        schema: "encl.unlock/1",
        id: person.card.id().to_string(),
        name: person.card.name(),
        until: Some(until),
    };
    let words = format!(
        "{}: unlocked until {}",
        person.display_name(),
        time::local(until)
    );
    let words = Words::Status(words);
    Ok(context.report(&Outcome { object, words }, Stream::Stdout)?)
}

pub(crate) fn lock(arguments: &Lock, context: &mut Context) -> CommandResult {
    let people = context.people()?;
    let named = arguments.who.as_deref();
    let named = named.map(|name| people.my_identity(name)).transpose()?;
    let mut forgotten = 0;
    for person in chosen(&people, named) {
        let locked = locked(person, context)?;
        let was_unlocked = locked.as_ref().map(kernel_keyring::forget).transpose()?;
        let object = Locked {
            schema: "encl.lock/1",
            id: person.card.id().to_string(),
            name: person.card.name(),
            was_unlocked: was_unlocked == Some(true),
        };
        let words = match object.was_unlocked {
            true => Words::Status(format!("{}: locked", person.display_name())),
            false => Words::Nothing,
        };
        forgotten += usize::from(object.was_unlocked);
        context.report(&Outcome { object, words }, Stream::Stdout)?;
    }
    if forgotten == 0 {
        context.terminal.status("nothing was unlocked");
    }
    Ok(())
}

fn chosen<'a>(people: &'a People, named: Option<&'a Person>) -> Vec<&'a Person> {
    named.map_or_else(|| people.active.iter().collect(), |person| vec![person])
}

fn locked(person: &Person, context: &Context) -> Result<Option<LockedIdentity>, Failure> {
    Ok(match stored::secret(&context.keystore, person.card.id())? {
        StoredSecret::Locked(locked) => Some(locked),
        StoredSecret::Plain(_) => None,
    })
}

/// A span from now, of a second to a month.
fn end(span: &str, now: Time) -> Result<Time, Failure> {
    let until = conditions::moment("--for", span, now, DayEdge::Start)?;
    match until.unix().checked_sub(now.unix()) {
        Some(1..=SECONDS_MAX) => Ok(until),
        _ => Err(
            Failure::new(Exit::Usage, "cannot use --for").reason(format!(
                "`{}` is not between a second and a month",
                safe(span)
            )),
        ),
    }
}

/// `encl.unlock/1`.
#[derive(Serialize)]
struct Unlocked<'a> {
    schema: &'static str,
    id: String,
    name: &'a str,
    /// `None`: no passphrase protects it.
    until: Option<Time>,
}

/// `encl.lock/1`.
#[derive(Serialize)]
struct Locked<'a> {
    schema: &'static str,
    id: String,
    name: &'a str,
    was_unlocked: bool,
}
