//! `encl drop`: slots are left out. It helps against people who never had the file or the key, and says so.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::directory::ResolvedRemovals;
use encl::envelope::Removals;
use encl::operations::rewrite::{RequestedAccess, SlotChange};

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

/// Remove a person's slot. Weak: whoever has opened or copied the file can still decrypt it; see revoke
///
/// Content, policy and signature do not change, and the policy still names the person. This stops only people who have never
/// had the file or its key. `encl revoke` encrypts the content again, with new keys, and so does --resign here. The changes are
/// shown first, and you confirm them.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl drop letter.pdf.encl --from bob@example.org --yes
  $ encl drop -r sealed --from bob@example.org --yes
  $ encl drop letter.pdf.encl --from @finance --dry-run"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// Whose slots to remove: @GROUP, an address, a name, a fingerprint, or a key id as `inspect --json` shows it
    #[arg(long, value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    from: Vec<String>,

    #[command(flatten)]
    rewrite: RewriteOptions,

    #[command(flatten)]
    reseal: ResealOptions,
}

/// What it does not do, in one line.
const CAVEAT: &str = "whoever has opened or copied the file can still decrypt it; `encl revoke` encrypts it again with new keys";

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let (options, reseal) = (&arguments.rewrite, &arguments.reseal);
    reseal.refuse_without_resign(options.resign, "drop slots")?;
    let depth = Depth::from(options.recursive);
    options.gates.apply(depth.asks(), context);
    let mut tally = Tally::default();
    let (inputs, roots) = envelopes("drop", &arguments.inputs, depth, context, &mut tally)?;
    options.remove_leftovers(&inputs, &roots)?;
    let people = context.people()?;
    let leaving = ResolvedRemovals::resolve(&arguments.from, options.lock, &people)?;
    let session = RewriteSession::new("drop", &inputs, options, &people, context)?.below(roots);
    let unchanged = format!("no slot in it belongs to {}", list_of(&leaving.holders));
    let (change, caveat) = if options.resign {
        let requested = RequestedAccess::Without(leaving.removals);
        (RequestedChange::Access(requested), RESEALING_LIMITS)
    } else {
        let slots = SlotChange::Drop(leaving.removals);
        (RequestedChange::Slots(slots), CAVEAT)
    };
    let request = BatchRequest {
        verb: "drop",
        schema: "encl.drop/1",
        change,
        reseal,
        consent: Consent::Asked,
        meant: Removals::default(),
        unchanged,
        caveat,
        own: Own::Drop,
    };
    batch::run(request, &session, &inputs, tally)
}
