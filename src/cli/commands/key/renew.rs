//! `encl key renew`: the key that is there ends later.

use crate::cli::display::names::DisplayName;
use clap::Args;

use crate::cli::commands::key::card::print_later;
use crate::cli::commands::key::find_active;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::display::time;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::update::{IdentityUpdate, expiry};
use crate::cli::terminal::stdout::Stdout;

/// Change the expiry date of the newest key of an identity; the new card goes to standard output
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient], "\
  $ encl key renew --expires 730d > me.card
  $ encl key renew alice@example.org --never > me.card"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// When the key expires: RFC 3339, a date, or a span such as 730d
    #[arg(long, value_name = "WHEN", required_unless_present = "never")]
    expires: Option<String>,
    /// The key never expires
    #[arg(long, conflicts_with = "expires")]
    never: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    // Standard output first: a card that cannot be printed is found out before anything is made.
    let mut out = Stdout::open()?;
    let card = find_active(arguments.who.as_deref(), context)?.card;
    let who = card.display_name();
    let what = format!("cannot renew the key of {who}");
    let expires = expiry(arguments.expires.as_deref(), &what, context)?;
    let mut changing = IdentityUpdate::begin(card, &what, context)?;
    changing.identity.renew(expires);
    let card = changing.next_card(&what, context)?;
    changing.end(Some(&card), &what, context)?;
    let end = expires.map_or("never expires".to_owned(), |end| {
        format!("expires at {}", time::local(end))
    });
    context.terminal.status(&format!(
        "{who}: the newest key {end}; give the new card to others"
    ));
    print_later(&card, &mut out, context)
}
