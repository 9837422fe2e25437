//! Options of commands that make or change an identity.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::crypto::passphrase::Cost;
use encl::time::Time;

use crate::cli::args::time::{self, DayEdge};
use crate::cli::errors::{Exit, Failure};
use crate::cli::terminal::safe;

/// Where the card of a new or changed identity goes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CardOutput {
    /// Write the card to OUT [default: standard output; on a terminal a new file in this folder]
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Replace OUT if it exists
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

/// Reads a cost of 2^n KiB.
pub(crate) fn cost(text: &str) -> Result<Cost, String> {
    let cost = text.parse().ok().and_then(Cost::new);
    cost.ok_or_else(|| "a cost is 16 (64 MiB), 17, 18, 19 or 20 (1 GiB)".to_owned())
}

/// When a key expires, as `--expires` says it. `what` is "cannot …".
pub(crate) fn expiry(text: Option<&str>, what: &str, now: Time) -> Result<Option<Time>, Failure> {
    let usage = |reason: String| Failure::new(Exit::Usage, what).reason(reason);
    let Some(text) = text else { return Ok(None) };
    let expires = time::parse(text, now, DayEdge::End);
    let expires = expires.map_err(|error| usage(safe(&error.to_string())))?;
    match expires > now {
        true => Ok(Some(expires)),
        false => Err(usage("--expires is not in the future".into())),
    }
}

/// The kind of a new key.
pub(crate) fn kem(classic: bool) -> encl::crypto::Kem {
    match classic {
        true => encl::crypto::Kem::X25519,
        false => encl::crypto::Kem::XWing,
    }
}
