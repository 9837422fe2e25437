//! `encl key`: my identities.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use encl::atomic_file::{AtomicFile, AtomicFileError, Existing, Readers};
use encl::crypto::Kem;
use encl::crypto::passphrase::Cost;
use encl::identity::{Card, CardKey, CardRequest, Identity, Revocation, fingerprint};
use encl::keystore::{Protection, StoredIdentity};
use encl::time::Time;
use serde::Serialize;

use super::context::Context;
use super::files::is_dash;
use super::help::closing;
use super::passphrase::Whose;
use super::report::{Exit, Failure, Outcome};
use super::stdout::Stdout;
use super::terminal::{self, Stream, safe, shown};
use super::when::{self, DayEdge};
use super::{people, store, who};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an identity; its card goes to standard output
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Exists], "\
  $ encl key new bob@example.org > bob.card
  $ encl key new robot@example.org --name \"Build robot\" --no-passphrase > robot.card"))]
    New {
        /// Where mail reaches you
        address: String,
        /// How people call you [default: the address]
        #[arg(long)]
        name: Option<String>,
        /// One more address on the card
        #[arg(long, value_name = "ADDRESS")]
        also_address: Vec<String>,
        /// X25519 instead of X-Wing: smaller, and no shield against quantum computers
        #[arg(long)]
        classic: bool,
        /// When its encryption key ends: RFC 3339, a date, or a span such as 730d
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// Keep the private key in the clear (0600)
        #[arg(long)]
        no_passphrase: bool,
        /// What a guess at the passphrase costs: 2^COST KiB of memory, 16 to 20
        #[arg(long, value_name = "COST", conflicts_with = "no_passphrase", value_parser = cost)]
        cost: Option<Cost>,
    },
    /// List my identities
    #[command(after_help = closing(&[Exit::Failed], "  $ encl key list"))]
    List,
    /// Show one of my identities
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl key show"))]
    Show {
        /// Address, name or fingerprint [default: the default identity]
        who: Option<String>,
    },
    /// Print the card of one of my identities, to be given to others
    #[command(after_help = closing(&[Exit::Failed, Exit::Exists], "  $ encl key card > me.card"))]
    Card {
        /// Address, name or fingerprint [default: the default identity]
        who: Option<String>,
        /// Write to OUT
        #[arg(long, short, value_name = "OUT")]
        output: Option<PathBuf>,
        /// Replace OUT if it exists
        #[arg(long)]
        force: bool,
    },
    /// Show or choose the identity that signs when nothing else is said
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl key default"))]
    Default {
        /// Address, name or fingerprint
        who: Option<String>,
    },
    /// Remove an identity and its private keys, for good
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl key remove alice@example.org --yes"))]
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
        Command::New {
            address,
            name,
            also_address,
            classic,
            expires,
            no_passphrase,
            cost,
        } => {
            let cost = if no_passphrase {
                None
            } else {
                Some(cost.unwrap_or_default())
            };
            let wish = Wish {
                address,
                name,
                also_address,
                classic,
                expires,
                cost,
            };
            new(wish, context)?;
        }
        Command::List => list(context)?,
        Command::Show { who } => show(who.as_deref(), context)?,
        Command::Card { who, output, force } => {
            card(who.as_deref(), output.as_deref(), force, context)?;
        }
        Command::Default { who: Some(who) } => choose(&who, context)?,
        Command::Default { who: None } => show(None, context)?,
        Command::Remove { who, yes } => remove(&who, yes, context)?,
    }
    Ok(())
}

/// A 2^n KiB cost from the command line.
fn cost(text: &str) -> Result<Cost, String> {
    let cost = text.parse().ok().and_then(Cost::new);
    cost.ok_or_else(|| "a cost is 16 (64 MiB), 17, 18, 19 or 20 (1 GiB)".to_owned())
}

/// What `key new` was asked for.
struct Wish {
    address: String,
    name: Option<String>,
    also_address: Vec<String>,
    classic: bool,
    expires: Option<String>,
    /// `None`: in the clear.
    cost: Option<Cost>,
}

fn new(wish: Wish, context: &Context) -> Result<(), Failure> {
    let what = format!("cannot make an identity for {}", safe(&wish.address));
    // Standard output first: a card that cannot be printed is found out before anything is made.
    let mut out = Stdout::open()?;
    let expires = expiry(wish.expires.as_deref(), &what, context)?;
    let kem = if wish.classic {
        Kem::X25519
    } else {
        Kem::XWing
    };
    let mut rng = context.rng();
    let identity = Identity::generate(kem, context.now, expires, &mut rng);
    let name = wish.name.unwrap_or_else(|| wish.address.clone());
    let addresses = std::iter::once(wish.address)
        .chain(wish.also_address)
        .collect();
    let card = Card::new(
        &identity,
        CardRequest {
            name,
            addresses,
            serial: 1,
            created: context.now,
        },
    );
    let card =
        card.map_err(|error| Failure::new(Exit::Usage, &*what).because(safe(&error.to_string())))?;
    refuse_taken(&card, &what, context)?;
    let revocation = Revocation::new(identity.root(), context.now);
    let whose = format!("the new identity {}", safe(&card.addresses()[0]));
    let passphrase = match wish.cost {
        Some(_) => Some(context.passphrases.new_one(Whose::Identity, &whose)?),
        None => None,
    };
    let protection = match (&passphrase, wish.cost) {
        (Some(passphrase), Some(cost)) => Protection::Passphrase(passphrase, cost),
        _ => Protection::Plain,
    };
    let stored =
        store::keystore(context).add_identity(&identity, &card, &revocation, protection, &mut rng);
    stored.map_err(|error| store::failure(&what, &error))?;
    context.terminal.status(&format!(
        "made identity {}, fingerprint {}",
        person(&card),
        fingerprint(&card.id())
    ));
    print_card(&card, &mut out, context).map_err(|failure| {
        failure.hint(format!(
            "the identity exists; `encl key card {}` prints its card",
            safe(&card.addresses()[0])
        ))
    })
}

/// Found out before a passphrase is thought up and typed twice.
fn refuse_taken(card: &Card, what: &str, context: &Context) -> Result<(), Failure> {
    store::keystore(context)
        .refuse_taken_addresses(card)
        .map_err(|error| store::failure(what, &error))
}

fn expiry(text: Option<&str>, what: &str, context: &Context) -> Result<Option<Time>, Failure> {
    let usage = |reason: String| Failure::new(Exit::Usage, what).because(reason);
    let Some(text) = text else { return Ok(None) };
    let expires = when::parse(text, context.now, DayEdge::End)
        .map_err(|error| usage(safe(&error.to_string())))?;
    if expires > context.now {
        Ok(Some(expires))
    } else {
        Err(usage("--expires is not in the future".into()))
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let identities = identities(context)?;
    if identities.is_empty() {
        context
            .terminal
            .status("you have no identity: `encl key new ADDRESS` makes one");
    }
    for identity in &identities {
        if context.json {
            print_object(identity, context)?;
        } else {
            let mark = if identity.is_default { "* " } else { "  " };
            let id = fingerprint(&identity.card.id());
            context
                .terminal
                .print(&format!("{mark}{}  {id}", person(&identity.card)))?;
        }
    }
    Ok(())
}

fn show(who: Option<&str>, context: &Context) -> Result<(), Failure> {
    let identity = find(who, context)?;
    if context.json {
        return print_object(&identity, context);
    }
    let protection = if store::is_locked(context, identity.card.id())? {
        "private keys: behind a passphrase"
    } else {
        "private keys: in the clear"
    };
    context
        .terminal
        .print(&format!("{}\n{protection}", described(&identity.card)))
}

/// What a card says, one fact a line.
pub(super) fn described(card: &Card) -> String {
    let mut lines = vec![format!("name: {}", safe(card.name()))];
    lines.extend(
        card.addresses()
            .iter()
            .map(|address| format!("address: {}", safe(address))),
    );
    lines.push(format!("fingerprint: {}", fingerprint(&card.id())));
    for key in card.keys() {
        let expires = key.expires.map_or(String::new(), |end| {
            format!(", expires {}", when::local(end))
        });
        lines.push(format!(
            "key: {}, made {}{expires}",
            key.public.kem().name(),
            when::local(key.created)
        ));
    }
    lines.join("\n")
}

fn card(
    who: Option<&str>,
    output: Option<&Path>,
    force: bool,
    context: &Context,
) -> Result<(), Failure> {
    let card = find(who, context)?.card;
    let Some(path) = output.filter(|path| !is_dash(path)) else {
        return print_card(&card, &mut Stdout::open()?, context);
    };
    let what = format!("cannot write {}", shown(path));
    let existing = if force {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let line = format!("{}\n", card.to_text());
    let failed = |error: AtomicFileError| {
        let exit = if matches!(error, AtomicFileError::Exists(_)) {
            Exit::Exists
        } else {
            Exit::Failed
        };
        Failure::new(exit, &*what).caused_by(&error).file(path)
    };
    let mut file = AtomicFile::create(path, Readers::Umask, existing).map_err(failed)?;
    file.write_all(line.as_bytes())
        .map_err(|error| Failure::io(&*what, &error).file(path))?;
    file.commit().map_err(failed)
}

fn print_card(card: &Card, out: &mut Stdout, context: &Context) -> Result<(), Failure> {
    if context.json {
        let object = CardObject {
            schema: "encl.card/1",
            id: card.id().to_string(),
            card: card.to_text(),
        };
        return out.put(format!("{}\n", terminal::object(&object)).as_bytes());
    }
    out.put(format!("{}\n", card.to_text()).as_bytes())
}

fn choose(who: &str, context: &Context) -> Result<(), Failure> {
    let identity = find(Some(who), context)?;
    let chosen = store::keystore(context).set_default(&identity.card.id());
    chosen.map_err(|error| store::failure("cannot choose the default identity", &error))?;
    context
        .terminal
        .status(&format!("{} signs from now on", person(&identity.card)));
    Ok(())
}

fn remove(who: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let card = find(Some(who), context)?.card;
    let what = format!("cannot remove your identity {}", safe(who));
    let question = format!(
        "Remove {} for good? What was sealed for it can then never be opened with it",
        person(&card)
    );
    if !yes {
        context.confirm(&question, &what)?;
    }
    let removed = store::keystore(context).remove_identity(&card.id());
    removed.map_err(|error| store::failure(&what, &error))?;
    context.terminal.status(&format!(
        "removed {}; what was sealed for it cannot be opened with it any more",
        person(&card)
    ));
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

fn print_object(identity: &StoredIdentity, context: &Context) -> Result<(), Failure> {
    let object = IdentityObject {
        schema: "encl.key/1",
        default: identity.is_default,
        passphrase: store::is_locked(context, identity.card.id())?,
        card: CardFacts::of(&identity.card),
    };
    context.terminal.print_object(&object, Stream::Stdout)
}

#[derive(Serialize)]
struct IdentityObject<'a> {
    schema: &'static str,
    #[serde(flatten)]
    card: CardFacts<'a>,
    default: bool,
    passphrase: bool,
}

#[derive(Serialize)]
struct CardObject<'a> {
    schema: &'static str,
    id: String,
    card: &'a str,
}

/// What a card says, for programs.
#[derive(Serialize)]
pub(super) struct CardFacts<'a> {
    id: String,
    name: &'a str,
    addresses: &'a [String],
    serial: u32,
    created: Time,
    keys: Vec<KeyFacts>,
}

#[derive(Serialize)]
struct KeyFacts {
    kem: &'static str,
    id: String,
    serial: u32,
    created: Time,
    expires: Option<Time>,
}

impl<'a> CardFacts<'a> {
    pub(super) fn of(card: &'a Card) -> Self {
        let key = |key: &CardKey| KeyFacts {
            kem: key.public.kem().name(),
            id: people::hex(&key.public.key_id().0),
            serial: key.serial,
            created: key.created,
            expires: key.expires,
        };
        Self {
            id: card.id().to_string(),
            name: card.name(),
            addresses: card.addresses(),
            serial: card.serial(),
            created: card.created(),
            keys: card.keys().iter().map(key).collect(),
        }
    }
}
