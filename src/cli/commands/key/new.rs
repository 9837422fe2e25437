//! `encl key new`: an identity is made, and its card printed.

use crate::cli::display::names::DisplayName;
use clap::Args;
use encl::crypto::Kem;
use encl::crypto::passphrase::Cost;
use encl::identity::{Card, CardRequest, Identity, Revocation, fingerprint};
use encl::keystore::Protection;

use crate::cli::commands::key::card::print_card;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::update::{cost, expiry};
use crate::cli::secrets::passphrase::PassphraseFor;
use crate::cli::terminal::safe;
use crate::cli::terminal::stdout::Stdout;

/// Create an identity: keys to decrypt and to sign; its card goes to standard output
///
/// The card is the public half: give it to the people who encrypt for you. The private keys stay in the keystore, protected by
/// a passphrase.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Exists], "\
  $ encl key new bob@example.org > bob.card
  $ encl key new robot@example.org --name \"Build robot\" --no-passphrase > robot.card"))]
pub(crate) struct Arguments {
    /// Your mail address
    address: String,
    /// Your name, as recipients will see it [default: the address]
    #[arg(long)]
    name: Option<String>,
    /// Another mail address of yours, also on the card; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    also_address: Vec<String>,
    /// Use X25519 instead of X-Wing: smaller, but no protection against quantum computers
    #[arg(long)]
    classic: bool,
    /// When the encryption key expires: RFC 3339, a date, or a span such as 730d
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Store the private key unencrypted (file mode 0600)
    #[arg(long)]
    no_passphrase: bool,
    /// Memory that one guess at the passphrase costs: 2^COST KiB, 16 to 20
    #[arg(long, value_name = "COST", conflicts_with = "no_passphrase", value_parser = cost)]
    cost: Option<Cost>,
}

pub(crate) fn run(wish: Arguments, context: &Context) -> Result<(), Failure> {
    let cost = if wish.no_passphrase {
        None
    } else {
        Some(wish.cost.unwrap_or_default())
    };
    let what = format!("cannot create an identity for {}", safe(&wish.address));
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
        card.map_err(|error| Failure::new(Exit::Usage, &*what).reason(safe(&error.to_string())))?;
    refuse_taken(&card, &what, context)?;
    let revocation = Revocation::new(identity.root(), context.now);
    let whose = format!("the new identity {}", safe(&card.addresses()[0]));
    let passphrase = match cost {
        Some(_) => Some(
            context
                .passphrases
                .new_one(PassphraseFor::Identity, &whose)?,
        ),
        None => None,
    };
    let protection = match (&passphrase, cost) {
        (Some(passphrase), Some(cost)) => Protection::Passphrase(passphrase, cost),
        _ => Protection::Plain,
    };
    let stored = context
        .keystore
        .add_identity(&identity, &card, &revocation, protection, &mut rng);
    stored.map_err(|error| keystore::failure(&what, &error))?;
    context.terminal.status(&format!(
        "created identity {}, fingerprint {}",
        card.display_name(),
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
pub(crate) fn refuse_taken(card: &Card, what: &str, context: &Context) -> Result<(), Failure> {
    context
        .keystore
        .refuse_taken_addresses(card)
        .map_err(|error| keystore::failure(what, &error))
}
