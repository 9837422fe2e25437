//! `encl key`: my identities, one command a file.

pub(crate) mod card;
pub(crate) mod default;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod paper;
pub(crate) mod passphrase;
pub(crate) mod remove;
pub(crate) mod renew;
pub(crate) mod replace;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;

use clap::Subcommand;
use encl::directory::{Names, match_one};
use encl::keystore::{Standing, StoredIdentity};

pub(crate) use crate::cli::display::card::{CardFacts, described};
use crate::cli::display::names::DisplayName;
use crate::cli::errors::directory::retired;

use crate::cli::context::Context;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandResult, Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::Arguments),
    List(list::Arguments),
    Show(show::Arguments),
    Card(card::Arguments),
    Default(default::Arguments),
    Passphrase(passphrase::Arguments),
    Rotate(rotate::Arguments),
    Renew(renew::Arguments),
    Replace(replace::Arguments),
    Revoke(revoke::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    Paper(paper::Arguments),
    Remove(remove::Arguments),
}

pub(crate) fn run(command: Command, context: &mut Context) -> CommandResult {
    match command {
        Command::New(arguments) => new::run(arguments, context),
        Command::List(list::Arguments {}) => list::run(context),
        Command::Show(arguments) => show::run(arguments.who.as_deref(), context),
        Command::Card(arguments) => card::run(&arguments, context),
        Command::Default(arguments) => default::run(&arguments, context),
        Command::Passphrase(arguments) => passphrase::run(arguments, context),
        Command::Rotate(arguments) => rotate::run(&arguments, context),
        Command::Renew(arguments) => renew::run(&arguments, context),
        Command::Replace(arguments) => replace::run(&arguments, context),
        Command::Revoke(arguments) => revoke::run(&arguments, context),
        Command::Export(arguments) => export::run(&arguments, context),
        Command::Import(arguments) => import::run(&arguments, context),
        Command::Paper(arguments) => paper::run(&arguments, context),
        Command::Remove(arguments) => remove::run(&arguments, context),
    }?;
    Ok(())
}

fn identities(context: &Context) -> Result<Vec<StoredIdentity>, Failure> {
    let identities = context.keystore.identities();
    identities.map_err(|error| keystore::failure("cannot read your identities", &error))
}

/// The same, if it still signs and is sealed to.
pub(crate) fn find_active(who: Option<&str>, context: &Context) -> Result<StoredIdentity, Failure> {
    let identity = find(who, context)?;
    if identity.standing == Standing::Active {
        return Ok(identity);
    }
    let what = format!("cannot use your identity {}", identity.card.display_name());
    Err(retired(what))
}

/// One of my identities by address, name or fingerprint, of two with the same the one that is used; without one the default.
fn find(who: Option<&str>, context: &Context) -> Result<StoredIdentity, Failure> {
    let mut identities = identities(context)?;
    let place = match context.identity_name(who) {
        Some(name) => place_of(&name, &identities, context)?,
        None if identities.is_empty() => {
            let failure =
                Failure::new(Exit::Recipient, "cannot find your identity").reason("you have none");
            return Err(failure.hint("`encl key new ADDRESS` creates one"));
        }
        None => 0,
    };
    Ok(identities.swap_remove(place))
}

fn place_of(
    name: &str,
    identities: &[StoredIdentity],
    context: &Context,
) -> Result<usize, Failure> {
    let former = identities
        .iter()
        .filter(|identity| identity.standing != Standing::Active)
        .map(|identity| Names::of_card(&identity.card))
        .collect::<Vec<_>>();
    let people = context.people()?;
    let id = match people.my_identity(name) {
        Ok(person) => person.card.id(),
        Err(error) => match_one(name, &former).map_err(|_| error)?,
    };
    let place = identities
        .iter()
        .position(|identity| identity.card.id() == id);
    Ok(place.expect("both lists were read from one keystore"))
}
