//! `encl revoke`: access is taken away, as far as that can be done: new secrets and a new payload for those who remain.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::directory::ResolvedRemovals;
use encl::envelope::Removals;
use encl::operations::rewrite::RequestedAccess;

use crate::cli::args::InputFiles;
use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::rewrite::{ResealOptions, RewriteOptions};
use crate::cli::context::Context;
use crate::cli::display::envelope::policy::RESEALING_LIMITS;
use crate::cli::display::names::list_of;
use crate::cli::errors::{CommandResult, Exit, Tally};
use crate::cli::operations::rewrite::batch::{self, BatchRequest, Consent, RequestedChange};
use crate::cli::operations::rewrite::inputs::{Depth, envelopes};
use crate::cli::operations::rewrite::printers::Own;
use crate::cli::operations::rewrite::session::RewriteSession;

/// Remove a person's access: encrypt the content again, with new keys, for those who remain
///
/// The removed person cannot open the new file. Copies already sent, and keys already stored elsewhere, still open the old
/// one; so does the old file if somebody puts it back. The changes are shown first, and you confirm them. You sign the new
/// envelope if you had signed the old one; an envelope that another author signed is skipped, unless --resign allows its signature
/// to be lost. Readers whom not the author but another reader let in are listed before you confirm. If a passphrase opens the
/// envelope, you are asked for a new one. After an interruption, run the same command again.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl revoke letter.pdf.encl --from bob@example.org --resign --yes
  $ encl revoke -r sealed --from bob@example.org --yes
  $ encl revoke letter.pdf.encl --from @finance --dry-run"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// Who loses access: @GROUP, an address, a name, a fingerprint, or a key id as `inspect --json` shows it
    #[arg(long, value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    from: Vec<String>,

    #[command(flatten)]
    rewrite: RewriteOptions,

    #[command(flatten)]
    reseal: ResealOptions,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let options = &arguments.rewrite;
    let depth = Depth::from(options.recursive);
    options.gates.apply(depth.asks(), context);
    let mut tally = Tally::default();
    let (inputs, roots) = envelopes("revoke", &arguments.inputs, depth, context, &mut tally)?;
    options.remove_leftovers(&inputs, &roots)?;
    let people = context.people()?;
    let leaving = ResolvedRemovals::resolve(&arguments.from, options.lock, &people)?;
    let session = RewriteSession::new("revoke", &inputs, options, &people, context)?.below(roots);
    let unchanged = format!("{} has no access to it", list_of(&leaving.holders));
    let request = BatchRequest {
        verb: "revoke",
        schema: "encl.revoke/1",
        change: RequestedChange::Access(RequestedAccess::Without(leaving.removals)),
        reseal: &arguments.reseal,
        consent: Consent::Asked,
        meant: Removals::default(),
        unchanged,
        caveat: RESEALING_LIMITS,
        own: Own::None,
    };
    batch::run(request, &session, &inputs, tally)
}
