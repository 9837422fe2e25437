//! `encl contact`: other people's cards.

pub(crate) mod add;
mod add_group;
pub(crate) mod verify;

use std::path::PathBuf;

use crate::cli::display::names::{DisplayName, calls_itself};
use clap::{Subcommand, ValueHint};
use encl::crypto::signing::RootId;
use encl::directory::{Names, Trust};
use encl::identity::{fingerprint, parse_fingerprint};
use encl::keystore::{Contact, KeystoreError, VerifiedAs};
use encl::pipeline::parallel_map;
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::cards::card::described;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time;
use crate::cli::display::trust;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::operations::contacts::contact;
use crate::cli::operations::contacts::contact_report::Added;
use crate::cli::operations::contacts::contact_report::report;
use crate::cli::operations::contacts::contact_report::report_as;
use crate::cli::operations::contacts::find;
use crate::cli::terminal::{Stream, safe};

/// Cards that are read together for a list; of thousands only these are kept.
const TOGETHER: usize = 256;

/// Other people's cards, the public keys that I encrypt for: add, list, show, verify, block, unblock, remove
#[derive(Debug, Subcommand)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl contact add bob.card --yes
  $ encl contact list"))]
pub(crate) enum Command {
    /// Add or update a contact from a card, or a group; or record a revocation
    #[command(
        long_about = "Add or update a contact from a card, or a group; or record a revocation\n\n\
A card is a person's public keys; with it you can encrypt for them and recognise their signatures. The input is a card, a \
text with a card in it, such as an invitation, or a message (.eml) with a card as text or attachment. Each file must contain \
exactly one card that is not yours. In a message, the card must list the From address. Signatures of the message are not checked. \
Neither From nor the answer to an invitation makes a contact verified.\n\n\
A group that `encl group card` made comes with its members: they become contacts, and `--to @NAME` encrypts for all of them. \
A later group card of the same keeper changes the group; an earlier one is refused.",
        after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Recipient, Exit::Exists, Exit::Newer], "\
  $ encl contact add bob.card --yes
  $ encl contact add answer.eml --yes")
    )]
    Add {
        /// Each a card, a text or message with a card or a group in it, or a revocation; `-` is standard input (the default)
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
        /// Call the group so here, not as its keeper calls it
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
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
        Command::Add { files, group, yes } => {
            return add::run(&files, group.as_deref(), yes, context);
        }
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
    let person = find(who, context)?;
    let (name, card) = (person.display_name(), &person.card);
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
    let what = format!("cannot {verb} {name}");
    decided.map_err(|error| keystore::failure(&what, &error))?;
    let words = Words::Status(format!("{name}: {words}"));
    report(card, Added::default(), words, context)
}

fn list(context: &Context) -> Result<(), Failure> {
    let people = context.people()?;
    let keystore = &context.keystore;
    let names = people
        .contact_names()
        .map_err(|error| keystore::unreadable(&error))?;
    let unreadable = people.unreadable_contacts();
    let mut unreadable = unreadable.map_err(|error| keystore::unreadable(&error))?;
    if names.is_empty() && unreadable == 0 {
        context
            .terminal
            .status("you have no contacts: `encl contact add FILE` adds one");
    }
    for names in names.chunks(TOGETHER) {
        // Whether a card expired, only the card says; and a card is verified when it is read.
        let read = parallel_map(names.iter().collect(), 1, |names: &Names| {
            let contact = keystore.contact(&names.id)?;
            Ok::<_, KeystoreError>(contact.map(|contact| (names, contact)))
        });
        for contact in read {
            match contact {
                Ok(Some((names, contact))) => list_one(names, &contact, context)?,
                Ok(None) => {}
                Err(fault) if fault.is_of_one_file() => {
                    context.terminal.warning(&safe(&fault.to_string()));
                    unreadable += 1;
                }
                Err(error) => return Err(keystore::unreadable(&error)),
            }
        }
    }
    match unreadable {
        0 => Ok(()),
        _ => Err(Failure::new(Exit::Failed, "cannot show all contacts")
            .reason(format!("{unreadable} of them cannot be read"))
            .hint("`encl doctor` says what to do")),
    }
}

fn list_one(names: &Names, contact: &Contact, context: &Context) -> Result<(), Failure> {
    let Contact {
        card,
        trust,
        verified_as,
        ..
    } = contact;
    let state = match Trust::of_card(*trust, card, context.now) {
        Trust::Unverified => "not verified",
        other => trust::label(other),
    };
    let state = match &names.claimed_name {
        Some(name) => calls_itself(state, name),
        None => state.to_owned(),
    };
    let id = fingerprint(&names.id);
    let words = Words::Answer(format!("{}  {state}  {id}", names.display_name()));
    let trust = (*trust, verified_as.clone());
    report_as(card, trust, Added::default(), words, context)
}

fn show(who: &str, context: &Context) -> Result<(), Failure> {
    let card = find(who, context)?.card;
    let contact = contact(&card.id(), context)?;
    let contact = contact
        .ok_or_else(|| Failure::new(Exit::Failed, "cannot read a contact that was just there"))?;
    let shown = Trust::of_card(contact.trust, &card, context.now);
    let mut lines = vec![
        described(&card),
        format!("trust: {}", trust::describe(contact.trust, shown)),
    ];
    let verified_as = contact.verified_as.as_ref();
    lines.extend(verified_as.map(|known| format!("verified for: {}", describe(known))));
    lines.push(format!("added: {}", time::local(contact.added)));
    let words = lines.join("\n");
    let trust = (contact.trust, contact.verified_as);
    report_as(
        &card,
        trust,
        Added::default(),
        Words::Answer(words),
        context,
    )
}

/// `Alice, alice@example.org`
pub(super) fn describe(verified_as: &VerifiedAs) -> String {
    let words = std::iter::once(&verified_as.name).chain(&verified_as.addresses);
    words.map(|word| safe(word)).collect::<Vec<_>>().join(", ")
}

fn remove(who: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let (id, name) = match find(who, context) {
        Ok(person) => (person.card.id(), person.display_name()),
        Err(unknown) => match verified_and_gone(who, context)? {
            Some(id) => (id, format!("the key {}", fingerprint(&id))),
            None => return Err(unknown),
        },
    };
    let what = format!("cannot remove {name}");
    if !yes {
        context.confirm(&format!("Remove {name}?"), &what)?;
    }
    let keystore = &context.keystore;
    let failed = |error: KeystoreError| keystore::failure(&what, &error);
    keystore.remove_contact(&id).map_err(failed)?;
    let object = RemovedContact {
        schema: "encl.contact-remove/1",
        id: id.to_string(),
    };
    let words = Words::Status(format!("removed {name}"));
    context.report(&Outcome { object, words }, Stream::Stdout)?;
    for group in keystore.groups().map_err(failed)? {
        let members = keystore.group(&group).map_err(failed)?;
        if members.is_some_and(|group| group.members.contains(&id)) {
            let hint = format!("encl group remove {group} {}", safe(&id.to_string()));
            context.terminal.warning(&format!(
                "@{group} still contains this card; `{hint}` removes it"
            ));
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct RemovedContact {
    schema: &'static str,
    id: String,
}

/// The key with this fingerprint, if it was verified and its card is not here any more.
fn verified_and_gone(who: &str, context: &Context) -> Result<Option<RootId>, Failure> {
    let Some(id) = parse_fingerprint(who) else {
        return Ok(None);
    };
    let verified_as = context.keystore.verified_as(&id);
    let verified_as = verified_as.map_err(|error| keystore::unreadable(&error))?;
    Ok(verified_as.map(|_| id))
}
