//! `encl key list`: my identities.

use clap::Args;
use encl::identity::fingerprint;
use encl::keystore::{Readable, Standing, StoredIdentity};

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::keystore::{NO_IDENTITY, failure, unreadable};
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::report;

/// List my identities
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed], "  $ encl key list"))]
pub(crate) struct Arguments {}

pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    context.tell_of_identities()?;
    let readable = context.keystore.readable_identities();
    let Readable {
        found: mut identities,
        faults,
    } = readable.map_err(|error| unreadable(&error))?;
    let set_aside = context.keystore.set_aside();
    let set_aside = set_aside.map_err(|error| unreadable(&error))?;
    identities.extend(set_aside.into_iter().map(|card| StoredIdentity {
        card,
        is_default: false,
        standing: Standing::Active,
    }));
    if identities.is_empty() && faults.is_empty() {
        context
            .terminal
            .status(&format!("you have no identity; {NO_IDENTITY}"));
    }
    report::list(&identities, context)?;
    let missed = context.keystore.missed();
    for id in missed.map_err(|error| unreadable(&error))? {
        context.terminal.warning(&format!(
            "your identity {} is not in the keystore any more, and you did not remove it",
            fingerprint(&id)
        ));
    }
    // The others were shown.
    let fault = faults.first();
    fault.map_or(Ok(()), |fault| {
        Err(failure("cannot show all identities", fault))
    })
}
