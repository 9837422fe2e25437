//! `encl contact`: other people's cards.

use std::path::PathBuf;

use clap::Subcommand;
use encl::crypto::signing::RootId;
use encl::identity::{Card, fingerprint};
use encl::keystore::{self, Contact, Keystore, KeystoreError};
use encl::pipeline::parallel_map;
use encl::time::Time;
use serde::Serialize;

use super::context::Context;
use super::help::closing;
use super::invited::InvitationObject;
use super::people::{Names, Trust};
use super::report::{Exit, Failure, Outcome};
use super::terminal::{Stream, safe};
use super::{adding, key, store, trust, verification, when, who};

/// Cards that are read together for a list; of thousands only these are kept.
const TOGETHER: usize = 256;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add or update a contact from a card; or take note of a revocation
    #[command(
        long_about = "Add or update a contact from a card; or take note of a revocation\n\n\
The card may stand in a text, such as an invitation, or in a message (.eml) as text or attachment: exactly one, beside cards \
of yours. That of a message has to carry the address in From. The message's own signatures are not looked at, and neither \
From nor the answer to an invitation makes a contact verified.",
        after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Recipient, Exit::Newer], "\
  $ encl contact add bob.card --yes
  $ encl contact add answer.eml --yes")
    )]
    Add {
        /// A card, a text or message with one, or a revocation; `-` is standard input (the default)
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
    /// Compare a number with a contact, and record that it is the same
    #[command(
        long_about = "Compare a number with a contact, and record that it is the same\n\n\
Both of you see one number, made of both fingerprints: compare it in person or by telephone. A number that is another one \
is refused with exit 7, and nothing is recorded. `--yes` is no answer here: somebody has to look.",
        after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl contact verify bob@example.org --code \"$(cat number-from-bob)\"")
    )]
    Verify(verification::Arguments),
    /// Seal nothing for a contact, and take nothing for signed by it, until it is unblocked
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl contact block carol@example.org"))]
    Block {
        /// Address, name or fingerprint
        who: String,
    },
    /// Unblock a contact, who is unverified then
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

pub(crate) fn run(command: Command, context: &mut Context) -> Outcome {
    match command {
        Command::Add { file, yes } => adding::run(file.as_deref(), yes, context)?,
        Command::List => list(context)?,
        Command::Show { who } => show(&who, context)?,
        Command::Verify(arguments) => verification::run(&arguments, context)?,
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
    let (id, keystore) = (card.id(), store::keystore(context));
    let (verb, decided, words) = match decision {
        Decision::Block => (
            "block",
            keystore.block_contact(&id, context.now),
            "blocked, nothing is sealed for them until `encl contact unblock`",
        ),
        Decision::Unblock => (
            "unblock",
            keystore.unblock_contact(&id),
            "unblocked, not verified yet",
        ),
    };
    let what = format!("cannot {verb} {}", key::person(&card));
    decided.map_err(|error| store::failure(&what, &error))?;
    if context.json {
        return print(&card, Added::default(), context);
    }
    context
        .terminal
        .status(&format!("{}: {words}", key::person(&card)));
    Ok(())
}

fn list(context: &Context) -> Result<(), Failure> {
    let people = store::people(context)?;
    let keystore = store::keystore(context);
    let names = people
        .contact_names()
        .map_err(|error| store::unreadable(&error))?;
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
            let contact = contact.map_err(|error: KeystoreError| store::unreadable(&error))?;
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
    let state = match Trust::of(*trust, card, context.now) {
        Trust::Unverified => "not verified",
        other => other.words(),
    };
    let id = fingerprint(&names.id);
    let line = format!("{}  {state}  {id}", names.words());
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
        "{}\ntrust: {}\nhere since: {}",
        key::described(&card),
        trust::described(contact.trust, Trust::of(contact.trust, &card, context.now)),
        when::local(contact.added)
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

pub(super) fn contact(id: &RootId, context: &Context) -> Result<Option<Contact>, Failure> {
    let contact = store::keystore(context).contact(id);
    contact.map_err(|error| store::failure("cannot read the contact", &error))
}

pub(super) fn find(who: &str, context: &Context) -> Result<Card, Failure> {
    let people = store::people(context)?;
    // Among thousands, by the index; whoever is not found by it is looked for in all files.
    let quick = people
        .called(who)
        .map_err(|error| store::unreadable(&error))?;
    if let Some(id) = quick {
        let person = who::person(&people, id)?;
        if person.trust != Trust::Me && person.is_called(who) {
            return Ok(person.card);
        }
    }
    let names = people
        .contact_names()
        .map_err(|error| store::unreadable(&error))?;
    Ok(who::person(&people, who::named(who, names)?)?.card)
}

/// The object of a contact as the keystore has it now.
pub(super) fn print(card: &Card, added: Added, context: &Context) -> Result<(), Failure> {
    let trust = trust_in(&store::keystore(context), card)?;
    print_object(card, trust, added, context)
}

pub(super) fn trust_in(keystore: &Keystore, card: &Card) -> Result<keystore::Trust, Failure> {
    let contact = keystore.contact(&card.id());
    let contact = contact.map_err(|error| store::unreadable(&error))?;
    Ok(contact.map_or(keystore::Trust::Unverified, |contact| contact.trust))
}

pub(super) fn print_object(
    card: &Card,
    trust: keystore::Trust,
    added: Added,
    context: &Context,
) -> Result<(), Failure> {
    let object = ContactObject {
        schema: "encl.contact/1",
        card: key::CardFacts::of(card),
        trust: Trust::of(trust, card, context.now),
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
pub(super) struct Added {
    /// `added`, `updated`, `successor` or `known`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accepted: Option<&'static str>,
    /// What the token beside it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) invitation: Option<InvitationObject>,
}

/// By which of my identities, when and how.
#[derive(Serialize)]
struct VerifiedObject {
    by: String,
    at: Time,
    how: &'static str,
}

impl VerifiedObject {
    fn of(trust: keystore::Trust) -> Option<Self> {
        let keystore::Trust::Verified(verified) = trust else {
            return None;
        };
        Some(Self {
            by: verified.by.to_string(),
            at: verified.at,
            how: verified.how.word(),
        })
    }
}
