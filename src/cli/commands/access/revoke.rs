//! `encl revoke`: access is taken away, as far as that can be done: new secrets and a new payload for those who remain.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::directory::ResolvedRemovals;

use crate::cli::args::InputFiles;
use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::rewrite::{ResealOptions, RewriteOptions};
use crate::cli::context::Context;
use crate::cli::display::envelope::policy::RESEALING_LIMITS;
use crate::cli::display::names::list_of;
use crate::cli::errors::{CommandResult, Exit, Tally};
use crate::cli::files::roots::Roots;
use crate::cli::operations::rewrite::batch;
use crate::cli::operations::rewrite::batch::BatchRequest;
use crate::cli::operations::rewrite::session::RewriteSession;
use encl::operations::rewrite::{RequestedAccess, SignaturePolicy};

/// Remove a person's access: encrypt the content again, with new keys, for those who remain
///
/// The removed person cannot open the new file. Copies already sent, and keys already stored elsewhere, still open the old
/// one; so does the old file if somebody puts it back. You sign the new envelope if the old one was signed, and another author's
/// signature is lost. Readers whom not the author but another reader let in are listed before you confirm. If a passphrase opens
/// the envelope, you are asked for a new one.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl revoke letter.pdf.encl --from bob@example.org --yes
  $ encl revoke letter.pdf.encl --from @finance --dry-run"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// Who loses access: @GROUP, an address, a name, a fingerprint, or a key id as `inspect --json` shows it
    #[arg(long, value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    from: Vec<String>,

    #[command(flatten)]
    rewrite: RewriteOptions,

    /// Also sign envelopes that nobody had signed; without this they stay unsigned
    #[arg(long, conflicts_with = "anonymous")]
    resign: bool,

    #[command(flatten)]
    reseal: ResealOptions,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let inputs = arguments.inputs.all("revoke", context)?;
    let options = &arguments.rewrite;
    options.remove_leftovers(&inputs, &Roots::default())?;
    let people = context.people()?;
    let leaving = ResolvedRemovals::resolve(&arguments.from, options.lock, &people)?;
    let session = RewriteSession::new("revoke", &inputs, options, &people, context)?;
    let unchanged = format!("{} has no access to it", list_of(&leaving.holders));
    let request = BatchRequest {
        verb: "revoke",
        schema: "encl.revoke/1",
        requested: RequestedAccess::Without(leaving.removals),
        signing: arguments.reseal.signing(arguments.resign),
        reseal: &arguments.reseal,
        signatures: SignaturePolicy::Drop,
        unchanged,
        caveat: RESEALING_LIMITS,
    };
    batch::run(request, &session, &inputs, Tally::default())
}
