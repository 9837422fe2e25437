//! `encl key new`: an identity is made, and its card printed.

use crate::cli::display::names::DisplayName;
use clap::Args;
use encl::crypto::passphrase::Cost;
use encl::identity::fingerprint;
use encl::operations::identity::NewIdentity;

use crate::cli::args::identity::{cost, expiry, kem};
use crate::cli::commands::key::card::print_card;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, identity};
use crate::cli::operations::identity::Ask;
use crate::cli::terminal::safe;
use crate::cli::terminal::stdout::Stdout;

/// Make an identity; its card goes to standard output
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Exists], "\
  $ encl key new bob@example.org > bob.card
  $ encl key new robot@example.org --name \"Build robot\" --no-passphrase > robot.card"))]
pub(crate) struct Arguments {
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
}

pub(crate) fn run(wish: Arguments, context: &Context) -> Result<(), Failure> {
    let cost = match wish.no_passphrase {
        true => None,
        false => Some(wish.cost.unwrap_or_default()),
    };
    let what = format!("cannot make an identity for {}", safe(&wish.address));
    // Standard output first: a card that cannot be printed is found out before anything is made.
    let mut out = Stdout::open()?;
    let expires = expiry(wish.expires.as_deref(), &what, context.now)?;
    let mut rng = context.rng();
    let name = wish.name.unwrap_or_else(|| wish.address.clone());
    let addresses = std::iter::once(wish.address).chain(wish.also_address);
    let key = (kem(wish.classic), expires);
    let failed = |error| identity::failure(&what, error);
    let new = NewIdentity::generate(name, addresses.collect(), key, context.now, &mut rng);
    let new = new.map_err(failed)?;
    let mut ask = Ask::for_new(context, "the new identity", cost);
    let card = ask.identities(&mut rng).create(new).map_err(failed)?;
    context.terminal.status(&format!(
        "made identity {}, fingerprint {}",
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
