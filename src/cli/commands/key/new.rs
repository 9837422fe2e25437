//! `encl key new`: an identity is made, and its card printed.

use crate::cli::display::names::DisplayName;
use clap::Args;
use encl::crypto::passphrase::Cost;
use encl::identity::fingerprint;
use encl::operations::identity::NewIdentity;

use crate::cli::args::help::closing;
use crate::cli::args::identity::CardOutput;
use crate::cli::args::identity::cost;
use crate::cli::args::identity::expiry;
use crate::cli::args::identity::kem;
use crate::cli::context::Context;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore::identity;
use crate::cli::operations::identity::Ask;
use crate::cli::operations::identity::card_out::CardOut;
use crate::cli::terminal::safe;

/// Create an identity: keys to decrypt and to sign; its card goes to a file or to standard output
///
/// The card is the public half: give it to the people who encrypt for you. The private keys stay in the keystore, protected by
/// a passphrase.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Exists], "\
  $ encl key new bob@example.org -o me.card
  $ encl key new robot@example.org --name \"Build robot\" --no-passphrase -o robot.card"))]
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
    #[command(flatten)]
    output: CardOutput,
}

pub(crate) fn run(wish: Arguments, context: &Context) -> Result<(), Failure> {
    let cost = match wish.no_passphrase {
        true => None,
        false => Some(wish.cost.unwrap_or_default()),
    };
    let what = format!("cannot create an identity for {}", safe(&wish.address));
    // A card that cannot be written is found out before anything is made.
    let out = CardOut::begin(&wish.output, &wish.address, context)?;
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
        "created identity {}, fingerprint {}",
        card.display_name(),
        fingerprint(&card.id())
    ));
    out.finish(&card, "the identity exists", context)
}
