//! `encl key renew`: the key that is there ends later.

use crate::cli::display::names::DisplayName;
use clap::Args;

use crate::cli::args::help::closing;
use crate::cli::args::identity::CardOutput;
use crate::cli::args::identity::expiry;
use crate::cli::context::Context;
use crate::cli::display::time;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore::identity;
use crate::cli::operations::identity::Ask;
use crate::cli::operations::identity::card_out::CardOut;
use crate::cli::operations::identity::find::find_active;

/// Change the expiry date of the newest key of an identity; the new card goes to a file or to standard output
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl key renew --expires 730d -o me.card
  $ encl key renew alice@example.org --never -o me.card"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// When the key expires: RFC 3339, a date, or a span such as 730d
    #[arg(long, value_name = "WHEN", required_unless_present = "never")]
    expires: Option<String>,
    /// The key never expires
    #[arg(long, conflicts_with = "expires")]
    never: bool,
    #[command(flatten)]
    output: CardOutput,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let card = find_active(arguments.who.as_deref(), context)?.card;
    // A card that cannot be written is found out before anything is made.
    let out = CardOut::begin(&arguments.output, &card.addresses()[0], context)?;
    let who = card.display_name();
    let what = format!("cannot renew the key of {who}");
    let expires = expiry(arguments.expires.as_deref(), &what, context.now)?;
    let (mut ask, mut rng) = (Ask::new(context), context.rng());
    let renewed = ask.identities(&mut rng).renew(card, expires);
    let card = renewed.map_err(|error| identity::failure(&what, error))?;
    let end = expires.map_or("never expires".to_owned(), |end| {
        format!("expires at {}", time::local(end))
    });
    context.terminal.status(&format!(
        "{who}: the newest key {end}; give the new card to others"
    ));
    out.finish(&card, "the change was made", context)
}
