//! `encl contact`: other people's cards.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use encl::crypto::signing::RootId;
use encl::identity::{CARRIER_BYTES_MAX, Card, CardError, fingerprint};
use encl::json;
use encl::keystore::{Accepted, Contact, How, KeystoreError};
use serde::Serialize;

use super::context::Context;
use super::files::is_dash;
use super::help::closing;
use super::people::Trust;
use super::report::{Exit, Failure, Outcome};
use super::terminal::{Stream, safe, shown};
use super::{key, store, when, who};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add or update a contact from a card
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Recipient, Exit::Newer], "\
  $ encl contact add bob.card --yes"))]
    Add {
        /// A card file, or `-` for standard input (the default)
        file: Option<PathBuf>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List contacts
    #[command(after_help = closing(&[Exit::Failed], "  $ encl contact list"))]
    List,
    /// Show a contact: addresses, fingerprint, trust, keys
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl contact show bob@example.org"))]
    Show {
        /// Address, name or fingerprint
        who: String,
    },
    /// Remove a contact
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl contact remove bob@example.org --yes"))]
    Remove {
        /// Address, name or fingerprint
        who: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) fn run(command: Command, context: &mut Context) -> Outcome {
    match command {
        Command::Add { file, yes } => add(file.as_deref(), yes, context)?,
        Command::List => list(context)?,
        Command::Show { who } => show(&who, context)?,
        Command::Remove { who, yes } => remove(&who, yes, context)?,
    }
    Ok(())
}

fn add(file: Option<&Path>, yes: bool, context: &Context) -> Result<(), Failure> {
    let card = read(file.filter(|path| !is_dash(path)), context)?;
    let known = contact(&card.id(), context)?.is_some_and(|known| known.card == card);
    let what = format!("cannot add {}", key::person(&card));
    if !known && !yes {
        context.terminal.text(&key::described(&card));
        context.confirm(&format!("Add {}?", key::person(&card)), &what)?;
    }
    let (accepted, words) = match store::accept(context, &card, How::Added)? {
        Accepted::New => ("added", "added, not verified yet"),
        Accepted::Updated => ("updated", "brought up to date"),
        Accepted::Known => ("known", "was here already"),
    };
    if context.json {
        return print_object("encl.contact/1", &card, Some(accepted), context);
    }
    let id = fingerprint(&card.id());
    context.terminal.status(&format!(
        "{}: {words}, fingerprint {id}",
        key::person(&card)
    ));
    Ok(())
}

fn read(file: Option<&Path>, context: &Context) -> Result<Card, Failure> {
    let name = file.map_or("standard input".to_owned(), shown);
    let what = format!("cannot add the card in {name}");
    let failed = |error: &std::io::Error| {
        let failure = Failure::io(&*what, error);
        file.map_or(failure.clone(), |path| failure.file(path))
    };
    let mut text = Vec::new();
    let limit = CARRIER_BYTES_MAX as u64 + 1;
    let read = if let Some(path) = file {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut text))
    } else {
        context.passphrases.stdin_is_data();
        std::io::stdin().lock().take(limit).read_to_end(&mut text)
    };
    read.map_err(|error| failed(&error))?;
    Card::from_text(&text).map_err(|error| {
        let exit = match error {
            CardError::Line(json::Error::Newer(_)) => Exit::Newer,
            _ => Exit::Damaged,
        };
        let failure = Failure::new(exit, &*what).because(safe(&error.to_string()));
        file.map_or(failure.clone(), |path| failure.file(path))
    })
}

fn list(context: &Context) -> Result<(), Failure> {
    let people = store::people(context)?;
    let names = people
        .contact_names()
        .map_err(|error| store::unreadable(&error))?;
    if names.is_empty() {
        context
            .terminal
            .status("you have no contacts: `encl contact add FILE` adds one");
    }
    for names in names {
        if context.json {
            print_object(
                "encl.contact/1",
                &who::person(&people, names.id)?.card,
                None,
                context,
            )?;
        } else {
            let id = fingerprint(&names.id);
            context
                .terminal
                .print(&format!("{}  not verified  {id}", names.words()))?;
        }
    }
    Ok(())
}

fn show(who: &str, context: &Context) -> Result<(), Failure> {
    let card = find(who, context)?;
    if context.json {
        return print_object("encl.contact/1", &card, None, context);
    }
    let contact = contact(&card.id(), context)?;
    let since = contact.map_or(String::new(), |contact| {
        format!("\nhere since: {}", when::local(contact.added))
    });
    context.terminal.print(&format!(
        "{}\ntrust: not verified yet{since}",
        key::described(&card)
    ))
}

fn remove(who: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let card = find(who, context)?;
    let what = format!("cannot remove {}", key::person(&card));
    if !yes {
        context.confirm(&format!("Remove {}?", key::person(&card)), &what)?;
    }
    let keystore = store::keystore(context);
    let failed = |error: KeystoreError| store::failure(&what, &error);
    keystore.remove_contact(&card.id()).map_err(failed)?;
    context
        .terminal
        .status(&format!("removed {}", key::person(&card)));
    for name in keystore.groups().map_err(failed)? {
        if keystore
            .group(&name)
            .map_err(failed)?
            .is_some_and(|group| group.members.contains(&card.id()))
        {
            let hint = format!("encl group remove {name} {}", safe(&card.id().to_string()));
            context.terminal.warning(&format!(
                "@{name} still counts on this card; `{hint}` takes it out"
            ));
        }
    }
    Ok(())
}

fn contact(id: &RootId, context: &Context) -> Result<Option<Contact>, Failure> {
    let contact = store::keystore(context).contact(id);
    contact.map_err(|error| store::failure("cannot read the contact", &error))
}

fn find(who: &str, context: &Context) -> Result<Card, Failure> {
    let people = store::people(context)?;
    let names = people
        .contact_names()
        .map_err(|error| store::unreadable(&error))?;
    Ok(who::person(&people, who::named(who, names)?)?.card)
}

fn print_object(
    schema: &'static str,
    card: &Card,
    accepted: Option<&'static str>,
    context: &Context,
) -> Result<(), Failure> {
    let object = ContactObject {
        schema,
        card: key::CardFacts::of(card),
        trust: Trust::Unverified,
        accepted,
    };
    context.terminal.print_object(&object, Stream::Stdout)
}

#[derive(Serialize)]
struct ContactObject<'a> {
    schema: &'static str,
    #[serde(flatten)]
    card: key::CardFacts<'a>,
    trust: Trust,
    /// What became of a card that was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'static str>,
}
