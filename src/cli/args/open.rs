//! What a reader requires of an envelope, and what colleagues approved: options as they are typed.

use std::ffi::OsString;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::directory::{People, WhoUse, resolve};
use encl::operations::open::Requirements;

use crate::cli::args::help::completion::who as who_completer;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::Failure;
use crate::cli::errors::directory::blocked;

/// What a reader demands of an envelope, beyond that it opens.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RequirementArgs {
    /// Refuse an envelope that WHO did not sign
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    pub(crate) signed_by: Option<String>,

    /// Refuse an envelope that is not signed by me or by a contact; one that is changed, revoked or blocked does not count
    #[arg(long)]
    pub(crate) require_signed: bool,

    /// Refuse an envelope to which I was given access without a record
    #[arg(long)]
    pub(crate) strict: bool,

    /// Decrypt with this one of my identities [default: $ENCL_IDENTITY, else all]
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) identity: Option<String>,
}

impl RequirementArgs {
    /// The requirements, with the people whom --signed-by names.
    pub(crate) fn resolve<'a>(&self, people: &'a People) -> Result<Requirements<'a>, Failure> {
        let signers = |name: &String| {
            let found = resolve(&[name], WhoUse::Signer, people)?;
            if let Some(one) = found.iter().find(|one| one.trust.blocks_use()) {
                let what = format!(
                    "cannot accept a signature of {} (--signed-by)",
                    one.names.display_name()
                );
                return Err(blocked(what, one.trust, &one.names));
            }
            Ok(found.iter().map(|found| found.names.id).collect())
        };
        Ok(Requirements {
            signers: self.signed_by.as_ref().map(signers).transpose()?,
            signed_within: self.require_signed.then_some(people),
            is_recorded: self.strict,
        })
    }
}

/// Approvals to open with.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct With {
    /// Also use a colleague's approval: a file, `-` for standard input, or the pasted text
    #[arg(long = "with", value_name = "APPROVAL", value_hint = ValueHint::FilePath)]
    pub(crate) with: Vec<OsString>,
}
