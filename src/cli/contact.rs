//! `encl contact`: other people's cards.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use encl::crypto::signing::RootId;
use encl::identity::{CARRIER_BYTES_MAX, Card, CardError, Revocation, fingerprint};
use encl::json;
use encl::keystore::{self, Accepted, Contact, How, Keystore, KeystoreError};
use encl::time::Time;
use encl::turns::spread;
use serde::Serialize;

use super::context::Context;
use super::files::is_dash;
use super::help::closing;
use super::people::{Names, Trust};
use super::report::{Exit, Failure, Outcome};
use super::terminal::{Stream, safe, shown};
use super::{key, store, trust, verification, when, who};

/// Cards that are read together for a list; of thousands only these are kept.
const TOGETHER: usize = 256;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add or update a contact from a card; or take note of a revocation
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Recipient, Exit::Newer], "\
  $ encl contact add bob.card --yes"))]
    Add {
        /// A card or revocation, or `-` for standard input (the default)
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
        Command::Add { file, yes } => add(file.as_deref(), yes, context)?,
        Command::List => list(context)?,
        Command::Show { who } => show(&who, context)?,
        Command::Verify(arguments) => verification::run(&arguments, context)?,
        Command::Block { who } => decide(&who, Decision::Block, context)?,
        Command::Unblock { who } => decide(&who, Decision::Unblock, context)?,
        Command::Remove { who, yes } => remove(&who, yes, context)?,
    }
    Ok(())
}

fn add(file: Option<&Path>, yes: bool, context: &Context) -> Result<(), Failure> {
    let card = match read(file.filter(|path| !is_dash(path)), context)? {
        Offered::Card(card) => card,
        Offered::Revocation(revocation) => return revoke(&revocation, yes, context),
    };
    let known = contact(&card.id(), context)?.is_some_and(|known| known.card == card);
    let what = format!("cannot add {}", key::person(&card));
    if !known && !yes {
        context.terminal.text(&key::described(&card));
        context.confirm(&format!("Add {}?", key::person(&card)), &what)?;
    }
    let (accepted, words) = match store::accept(context, &card, How::Added)? {
        Accepted::New => ("added", "added"),
        Accepted::Updated => ("updated", "brought up to date"),
        Accepted::Known => ("known", "was here already"),
    };
    if context.json {
        return print(&card, Some(accepted), context);
    }
    let id = fingerprint(&card.id());
    let trust = Trust::from(trust_in(&store::keystore(context), &card)?);
    let state = match (accepted, trust.stops()) {
        ("added", false) => format!(", {}", trust.words()),
        (_, true) => format!(" but {}, so nothing is sealed for them", trust.words()),
        _ => String::new(),
    };
    let name = key::person(&card);
    context
        .terminal
        .status(&format!("{name}: {words}{state}, fingerprint {id}"));
    Ok(())
}

/// Takes note of the end of somebody's identity.
fn revoke(revocation: &Revocation, yes: bool, context: &Context) -> Result<(), Failure> {
    let id = revocation.id();
    let known = contact(&id, context)?;
    let name = known.as_ref().map_or_else(
        || format!("the key {}", fingerprint(&id)),
        |known| key::person(&known.card),
    );
    let what = format!("cannot take note that {name} is revoked");
    if !yes {
        context.confirm(&format!("Revoke {name}, for good?"), &what)?;
    }
    let noted = store::keystore(context).accept_revocation(revocation, context.now);
    noted.map_err(|error| store::failure(&what, &error))?;
    if context.json {
        return match &known {
            Some(known) => print(&known.card, None, context),
            None => context.terminal.print_object(
                &RevokedObject {
                    schema: "encl.contact/1",
                    id: id.to_string(),
                    trust: Trust::Revoked,
                },
                Stream::Stdout,
            ),
        };
    }
    context.terminal.status(&format!(
        "{name} is revoked: nothing is sealed for this key any more"
    ));
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
        return print(&card, None, context);
    }
    context
        .terminal
        .status(&format!("{}: {words}", key::person(&card)));
    Ok(())
}

/// What `contact add` was given.
enum Offered {
    Card(Card),
    Revocation(Revocation),
}

fn read(file: Option<&Path>, context: &Context) -> Result<Offered, Failure> {
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
    let card = Card::from_text(&text).map(Offered::Card);
    let revocation = |error| Revocation::from_text(&text).map_err(|_| error);
    let offered = card.or_else(|error| revocation(error).map(Offered::Revocation));
    offered.map_err(|error| {
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
        let read = spread(names.iter().collect(), 1, |names: &Names| {
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
        return print_object(card, *trust, None, context);
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
        return print(&card, None, context);
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

fn contact(id: &RootId, context: &Context) -> Result<Option<Contact>, Failure> {
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
fn print(card: &Card, accepted: Option<&'static str>, context: &Context) -> Result<(), Failure> {
    let trust = trust_in(&store::keystore(context), card)?;
    print_object(card, trust, accepted, context)
}

fn trust_in(keystore: &Keystore, card: &Card) -> Result<keystore::Trust, Failure> {
    let contact = keystore.contact(&card.id());
    let contact = contact.map_err(|error| store::unreadable(&error))?;
    Ok(contact.map_or(keystore::Trust::Unverified, |contact| contact.trust))
}

pub(super) fn print_object(
    card: &Card,
    trust: keystore::Trust,
    accepted: Option<&'static str>,
    context: &Context,
) -> Result<(), Failure> {
    let object = ContactObject {
        schema: "encl.contact/1",
        card: key::CardFacts::of(card),
        trust: Trust::of(trust, card, context.now),
        verified: VerifiedObject::of(trust),
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
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<VerifiedObject>,
    /// What became of a card that was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'static str>,
}

/// A key whose card is not here.
#[derive(Serialize)]
struct RevokedObject {
    schema: &'static str,
    id: String,
    trust: Trust,
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
