//! `encl key rotate`: a new key to seal to, under the same fingerprint.

use crate::cli::display::names::DisplayName;
use clap::Args;

use crate::cli::args::help::closing;
use crate::cli::args::identity::CardOutput;
use crate::cli::args::identity::expiry;
use crate::cli::args::identity::kem;
use crate::cli::context::Context;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore::identity;
use crate::cli::operations::identity::Ask;
use crate::cli::operations::identity::card_out::CardOut;
use crate::cli::operations::identity::find::find_active;

/// Give one of my identities a new encryption key; the new card goes to a file or to standard output
///
/// The fingerprint stays the same. The old keys stay, to decrypt old envelopes. People who add the new card encrypt for the new
/// key; `encl rewrap` updates old envelopes.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl key rotate -o me.card
  $ encl key rotate alice@example.org --expires 730d -o me.card"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// When the new key expires: RFC 3339, a date, or a span such as 730d [default: never]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Use X25519 instead of X-Wing: smaller, but no protection against quantum computers
    #[arg(long)]
    classic: bool,
    #[command(flatten)]
    output: CardOutput,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let card = find_active(arguments.who.as_deref(), context)?.card;
    // A card that cannot be written is found out before anything is made.
    let out = CardOut::begin(&arguments.output, &card.addresses()[0], context)?;
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
    out.finish(&card, "the change was made", context)
}
