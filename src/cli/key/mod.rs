//! `encl key`: my identities, one command a file.

mod card;
mod default;
mod facts;
mod list;
mod new;
mod remove;
mod show;

use clap::Subcommand;
use encl::identity::Card;
use encl::keystore::StoredIdentity;

pub(super) use facts::{CardFacts, described};

use super::context::Context;
use super::report::{Exit, Failure, Outcome};
use super::{people, store, who};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::Arguments),
    List(list::Arguments),
    Show(show::Arguments),
    Card(card::Arguments),
    Default(default::Arguments),
    Remove(remove::Arguments),
}

pub(crate) fn run(command: Command, context: &mut Context) -> Outcome {
    match command {
        Command::New(arguments) => new::run(arguments, context),
        Command::List(list::Arguments {}) => list::run(context),
        Command::Show(arguments) => show::run(arguments.who.as_deref(), context),
        Command::Card(arguments) => card::run(&arguments, context),
        Command::Default(arguments) => default::run(&arguments, context),
        Command::Remove(arguments) => remove::run(&arguments, context),
    }?;
    Ok(())
}

fn identities(context: &Context) -> Result<Vec<StoredIdentity>, Failure> {
    let identities = store::keystore(context).identities();
    identities.map_err(|error| store::failure("cannot read your identities", &error))
}

/// One of my identities by address, name or fingerprint; without one the default.
fn find(who: Option<&str>, context: &Context) -> Result<StoredIdentity, Failure> {
    let identities = identities(context)?;
    let people = store::people(context)?;
    let name = context.identity_name(who);
    let id = match (&name, people.mine.first()) {
        (Some(name), _) => who::mine(name, &people)?.card.id(),
        (None, Some(first)) => first.card.id(),
        (None, None) => {
            let failure =
                Failure::new(Exit::Recipient, "cannot find your identity").because("you have none");
            return Err(failure.hint("`encl key new ADDRESS` makes one"));
        }
    };
    let mut identities = identities.into_iter();
    Ok(identities
        .find(|identity| identity.card.id() == id)
        .expect("both lists were read from one keystore"))
}

/// `Bob <bob@example.org>`
pub(super) fn person(card: &Card) -> String {
    people::words(card.name(), card.addresses().first().map(String::as_str))
}
