//! `encl key passphrase`: changes the passphrase of private keys.

use crate::cli::display::names::DisplayName;
use clap::Args;
use encl::crypto::passphrase::Cost;
use encl::operations::identity::IdentityLock;

use crate::cli::args::help::closing;
use crate::cli::args::identity::cost;
use crate::cli::context::Context;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore::identity;
use crate::cli::operations::identity::Ask;
use crate::cli::operations::identity::find::find;
use crate::cli::operations::identity::report;

/// Change the passphrase of one of my identities
///
/// The new file is written, read back and decrypted with the new passphrase before it replaces the old one. Older copies of the
/// keystore still open with the old passphrase.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient], "\
  $ encl key passphrase --new-passphrase-file passphrase
  $ encl key passphrase alice@example.org --no-passphrase --yes"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// Remove the passphrase: store the private keys unencrypted (file mode 0600)
    #[arg(long, conflicts_with_all = ["new_passphrase_file", "new_passphrase_fd", "new_passphrase_command", "cost"])]
    no_passphrase: bool,
    /// Memory that one guess at the passphrase costs: 2^COST KiB, 16 to 20 [default: as before]
    #[arg(long, value_name = "COST", value_parser = cost)]
    cost: Option<Cost>,
    /// Do not ask before the passphrase is removed
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let card = find(arguments.who.as_deref(), context)?.card;
    let who = card.display_name();
    let what = format!("cannot change the passphrase of {who}");
    if arguments.no_passphrase && !arguments.yes {
        let question = format!("Store the private keys of {who} unencrypted from now on?");
        context.confirm(&question, &what)?;
    }
    let id = card.id();
    let failed = |error| identity::failure(&what, error);
    let (mut ask, mut rng) = (Ask::new(context), context.rng());
    let mut identities = ask.identities(&mut rng);
    let update = identities.begin(card).map_err(failed)?;
    let lock = if arguments.no_passphrase {
        None
    } else {
        let before = update.lock.as_ref().map(|lock| lock.cost);
        let cost = arguments.cost.or(before).unwrap_or_default();
        let about = format!("your identity {who}");
        let passphrase = context.passphrases.replacing(&about)?;
        Some(IdentityLock { passphrase, cost })
    };
    let changed = identities.change_lock(&update, lock.as_ref());
    changed.map_err(failed)?;
    context.terminal.status(&match (&update.lock, &lock) {
        (_, None) => format!("{who}: the private keys are stored unencrypted from now on"),
        (None, Some(_)) => format!("{who}: the private keys are protected by a passphrase from now on"),
        (Some(_), Some(_)) => {
            format!("{who}: the passphrase is changed; copies of the keystore made before open with the old one")
        }
    });
    report::changed(id, context)
}
