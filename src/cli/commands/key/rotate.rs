//! `encl key rotate`: a new key to seal to, under the same fingerprint.

use crate::cli::display::names::DisplayName;
use clap::Args;

use crate::cli::args::identity::{expiry, kem};
use crate::cli::commands::key::card::print_later;
use crate::cli::commands::key::find_active;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, identity};
use crate::cli::operations::identity::Ask;
use crate::cli::terminal::stdout::Stdout;

/// Give one of my identities a new encryption key; its new card goes to standard output
///
/// The fingerprint stays, and so do the old keys, to open old envelopes. Whoever adds the new card seals to the new key; `encl
/// rewrap` brings old envelopes up to date.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient], "\
  $ encl key rotate > me.card
  $ encl key rotate alice@example.org --expires 730d > me.card"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// When the new key ends: RFC 3339, a date, or a span such as 730d [default: never]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// X25519 instead of X-Wing: smaller, and no shield against quantum computers
    #[arg(long)]
    classic: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    // Standard output first: a card that cannot be printed is found out before anything is made.
    let mut out = Stdout::open()?;
    let card = find_active(arguments.who.as_deref(), context)?.card;
    let who = card.display_name();
    let what = format!("cannot rotate the key of {who}");
    let expires = expiry(arguments.expires.as_deref(), &what, context.now)?;
    let (mut ask, mut rng) = (Ask::new(context), context.rng());
    let mut identities = ask.identities(&mut rng);
    let rotated = identities.rotate(card, kem(arguments.classic), expires);
    let card = rotated.map_err(|error| identity::failure(&what, error))?;
    context.terminal.status(&format!(
        "{who}: a new key; give the new card to others. The old ones stay, to open old envelopes"
    ));
    print_later(&card, &mut out, context)
}
