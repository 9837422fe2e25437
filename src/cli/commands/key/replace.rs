//! `encl key replace`: a new root key takes the place of an old one, which signs that.

use crate::cli::display::names::DisplayName;
use clap::Args;
use encl::identity::fingerprint;

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

/// Replace one of my identities with a new one; its card goes to a file or to standard output
///
/// Name, addresses and passphrase stay; the fingerprint changes. The old identity signs the statement that the new one replaces
/// it, so people who have the old card can add the new one. They should compare the safety number again. The old identity
/// stays, to decrypt what was encrypted for it.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl key replace -o me.card"))]
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
    let what = format!("cannot replace your identity {who}");
    let expires = expiry(arguments.expires.as_deref(), &what, context.now)?;
    let (mut ask, mut rng) = (Ask::new(context), context.rng());
    let mut identities = ask.identities(&mut rng);
    let replaced = identities.replace(card, kem(arguments.classic), expires);
    let card = replaced.map_err(|error| identity::failure(&what, error))?;
    context.terminal.status(&format!(
        "{who}: a new identity, fingerprint {}; give the new card to others. The old one stays, to open old envelopes",
        fingerprint(&card.id())
    ));
    out.finish(&card, "the change was made", context)
}
