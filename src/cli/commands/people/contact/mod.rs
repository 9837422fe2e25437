//! `encl contact`: other people's cards.

pub(crate) mod add;
pub(crate) mod verify;

use std::path::PathBuf;

use crate::cli::display::names::DisplayName;
use clap::Subcommand;
use encl::crypto::signing::RootId;
use encl::directory::{Names, Trust};
use encl::identity::{Card, fingerprint};
use encl::keystore::{self as library, Contact, Keystore, KeystoreError};
use encl::pipeline::parallel_map;
use encl::time::Time;
use serde::Serialize;

use crate::cli::commands::key;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::display::time;
use crate::cli::display::trust;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::operations::cards::invitation_reply::InvitationObject;
use crate::cli::terminal::{Stream, safe};

/// Cards that are read together for a list; of thousands only these are kept.
const TOGETHER: usize = 256;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add or update a contact from a card; or record a revocation
    #[command(
        long_about = "Add or update a contact from a card; or record a revocation\n\n\
A card is a person's public keys; with it you can encrypt for them and recognise their signatures. The input is a card, a \
text with a card in it, such as an invitation, or a message (.eml) with a card as text or attachment. It must contain exactly \
one card that is not yours. In a message, the card must list the From address. Signatures of the message are not checked. \
Neither From nor the answer to an invitation makes a contact verified.",
        after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Recipient, Exit::Newer], "\
  $ encl contact add bob.card --yes
  $ encl contact add answer.eml --yes")
    )]
    Add {
        /// A card, a text or message with a card in it, or a revocation; `-` is standard input (the default)
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
    /// Compare the safety number with a contact, and record that it matches
    #[command(
        long_about = "Compare the safety number with a contact, and record that it matches\n\n\
Both of you see the same safety number, made of both fingerprints. Compare it in person or by telephone. If the numbers \
differ, exit 7, and nothing is recorded. There is no `--yes` here: a person has to compare.",
        after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl contact verify bob@example.org --code \"$(cat number-from-bob)\"")
    )]
    Verify(verify::Arguments),
    /// Block a contact: encrypt nothing for it and accept no signature of it, until it is unblocked
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl contact block carol@example.org"))]
    Block {
        /// Address, name or fingerprint
        who: String,
    },
    /// Unblock a contact; it is unverified afterwards
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "\
  $ encl contact block carol@example.org && encl contact unblock carol@example.org"))]
    Unblock {
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

pub(crate) fn run(command: Command, context: &mut Context) -> CommandResult {
    match command {
        Command::Add { file, yes } => add::run(file.as_deref(), yes, context)?,
        Command::List => list(context)?,
        Command::Show { who } => show(&who, context)?,
        Command::Verify(arguments) => verify::run(&arguments, context)?,
        Command::Block { who } => decide(&who, Decision::Block, context)?,
        Command::Unblock { who } => decide(&who, Decision::Unblock, context)?,
        Command::Remove { who, yes } => remove(&who, yes, context)?,
    }
    Ok(())
}

/// What a user decides at once.
#[derive(Clone, Copy)]
enum Decision {
    Block,
    Unblock,
}

fn decide(who: &str, decision: Decision, context: &Context) -> Result<(), Failure> {
    let card = find(who, context)?;
    let (id, keystore) = (card.id(), &context.keystore);
    let (verb, decided, words) = match decision {
        Decision::Block => (
            "block",
            keystore.block_contact(&id, context.now),
            "blocked, nothing is encrypted for them until `encl contact unblock`",
        ),
        Decision::Unblock => (
            "unblock",
            keystore.unblock_contact(&id),
            "unblocked, not verified yet",
        ),
    };
    let what = format!("cannot {verb} {}", card.display_name());
    decided.map_err(|error| keystore::failure(&what, &error))?;
    if context.json {
        return print(&card, Added::default(), context);
    }
    context
        .terminal
        .status(&format!("{}: {words}", card.display_name()));
    Ok(())
}

fn list(context: &Context) -> Result<(), Failure> {
    let people = context.people()?;
    let keystore = &context.keystore;
    let names = people
        .contact_names()
        .map_err(|error| keystore::unreadable(&error))?;
    if names.is_empty() {
        context
            .terminal
            .status("you have no contacts: `encl contact add FILE` adds one");
    }
    for names in names.chunks(TOGETHER) {
        // Whether a card expired, only the card says; and a card is verified when it is read.
        let read = parallel_map(names.iter().collect(), 1, |names: &Names| {
            let contact = keystore.contact(&names.id);
            Ok(contact?.map(|contact| (names, contact)))
        });
        for contact in read {
            let contact = contact.map_err(|error: KeystoreError| keystore::unreadable(&error))?;
            if let Some((names, contact)) = contact {
                list_one(names, &contact, context)?;
            }
        }
    }
    Ok(())
}

fn list_one(
    names: &Names,
    Contact { card, trust, .. }: &Contact,
    context: &Context,
) -> Result<(), Failure> {
    if context.json {
        return print_object(card, *trust, Added::default(), context);
    }
    let state = match Trust::of_card(*trust, card, context.now) {
        Trust::Unverified => "not verified",
        other => trust::label(other),
    };
    let id = fingerprint(&names.id);
    let line = format!("{}  {state}  {id}", names.display_name());
    context.terminal.print(&line)
}

fn show(who: &str, context: &Context) -> Result<(), Failure> {
    let card = find(who, context)?;
    if context.json {
        return print(&card, Added::default(), context);
    }
    let contact = contact(&card.id(), context)?;
    let contact = contact
        .ok_or_else(|| Failure::new(Exit::Failed, "cannot read a contact that was just there"))?;
    context.terminal.print(&format!(
        "{}\ntrust: {}\nadded: {}",
        key::described(&card),
        trust::describe(
            contact.trust,
            Trust::of_card(contact.trust, &card, context.now)
        ),
        time::local(contact.added)
    ))
}

fn remove(who: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let card = find(who, context)?;
    let what = format!("cannot remove {}", card.display_name());
    if !yes {
        context.confirm(&format!("Remove {}?", card.display_name()), &what)?;
    }
    let keystore = &context.keystore;
    let failed = |error: KeystoreError| keystore::failure(&what, &error);
    keystore.remove_contact(&card.id()).map_err(failed)?;
    context
        .terminal
        .status(&format!("removed {}", card.display_name()));
    for name in keystore.groups().map_err(failed)? {
        if keystore
            .group(&name)
            .map_err(failed)?
            .is_some_and(|group| group.members.contains(&card.id()))
        {
            let hint = format!("encl group remove {name} {}", safe(&card.id().to_string()));
            context.terminal.warning(&format!(
                "@{name} still contains this card; `{hint}` removes it"
            ));
        }
    }
    Ok(())
}

pub(crate) fn contact(id: &RootId, context: &Context) -> Result<Option<Contact>, Failure> {
    let contact = context.keystore.contact(id);
    contact.map_err(|error| keystore::failure("cannot read the contact", &error))
}

pub(crate) fn find(who: &str, context: &Context) -> Result<Card, Failure> {
    let people = context.people()?;
    Ok(people.find_contact(who)?.card)
}

/// The object of a contact as the keystore has it now.
pub(crate) fn print(card: &Card, added: Added, context: &Context) -> Result<(), Failure> {
    let trust = trust_in(&context.keystore, card)?;
    print_object(card, trust, added, context)
}

pub(crate) fn trust_in(keystore: &Keystore, card: &Card) -> Result<library::Trust, Failure> {
    let contact = keystore.contact(&card.id());
    let contact = contact.map_err(|error| keystore::unreadable(&error))?;
    Ok(contact.map_or(library::Trust::Unverified, |contact| contact.trust))
}

pub(crate) fn print_object(
    card: &Card,
    trust: library::Trust,
    added: Added,
    context: &Context,
) -> Result<(), Failure> {
    let object = ContactObject {
        schema: "encl.contact/1",
        card: key::CardFacts::of(card),
        trust: Trust::of_card(trust, card, context.now),
        verified: VerifiedObject::of(trust),
        added,
    };
    context.terminal.print_object(&object, Stream::Stdout)
}

#[derive(Serialize)]
struct ContactObject<'a> {
    schema: &'static str,
    #[serde(flatten)]
    card: key::CardFacts<'a>,
    trust: Trust,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<VerifiedObject>,
    #[serde(flatten)]
    added: Added,
}

/// What became of a card that was offered.
#[derive(Default, Serialize)]
pub(crate) struct Added {
    /// `added`, `updated`, `successor` or `known`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accepted: Option<&'static str>,
    /// What the token beside it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invitation: Option<InvitationObject>,
}

/// By which of my identities, when and how.
#[derive(Serialize)]
struct VerifiedObject {
    by: String,
    at: Time,
    how: &'static str,
}

impl VerifiedObject {
    fn of(trust: library::Trust) -> Option<Self> {
        let library::Trust::Verified(verified) = trust else {
            return None;
        };
        Some(Self {
            by: verified.by.to_string(),
            at: verified.at,
            how: verified.how.word(),
        })
    }
}
