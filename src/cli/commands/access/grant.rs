//! `encl grant`: let somebody in by one more slot. Policy, payload and the author's signature stay as they are.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::directory::{DirectoryError, Recipients, WhoUse, known_person, resolve};
use encl::envelope::Removals;
use encl::operations::rewrite::{RequestedAccess, SlotChange};

use crate::cli::args::InputFiles;
use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::rewrite::{ResealOptions, RewriteOptions};
use crate::cli::context::Context;
use crate::cli::display::envelope::policy::RESEALING_LIMITS;
use crate::cli::display::names::{DisplayName, list};
use crate::cli::errors::rewrite::no_identity;
use crate::cli::errors::{CommandResult, Exit, Tally};
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::rewrite::batch::{self, BatchRequest, Consent, RequestedChange};
use crate::cli::operations::rewrite::inputs::{Depth, envelopes};
use crate::cli::operations::rewrite::printers::Own;
use crate::cli::operations::rewrite::session::RewriteSession;

/// Give another person access. Content, policy and signature do not change
///
/// The new person gets a slot: the envelope's key, encrypted for that person. The slot holds a record of who gave access to
/// whom, and when; the new reader sees it on opening. So a grant cannot pass as the author's choice. A recipient can also pass
/// on access without a record; the reader then sees "unrecorded". A private envelope takes no slots. With --resign the content
/// is encrypted again and you sign a policy that names the new person, also in a private envelope. With -r or --resign, what
/// would change is shown first, and you confirm it.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl grant letter.pdf.encl --to bob@example.org
  $ encl grant letter.pdf.encl --to @finance --dry-run
  $ encl grant -r sealed --to bob@example.org --yes
  $ encl grant - --to carol@example.org < letter.pdf.encl > for-carol.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// Who gets access: @GROUP, a card file, a pasted card, an address, a name or a fingerprint
    #[arg(long, value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    to: Vec<String>,

    #[command(flatten)]
    rewrite: RewriteOptions,

    #[command(flatten)]
    reseal: ResealOptions,

    /// Refuse contacts that are not verified
    #[arg(long)]
    require_verified: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let (options, reseal) = (&arguments.rewrite, &arguments.reseal);
    reseal.refuse_without_resign(options.resign, "grant access")?;
    let depth = Depth::from(options.recursive);
    options.gates.apply(depth.asks(), context);
    let mut tally = Tally::default();
    let (inputs, roots) = envelopes("grant", &arguments.inputs, depth, context, &mut tally)?;
    options.remove_leftovers(&inputs, &roots)?;
    let people = context.people()?;
    people.check_me()?;
    if people.active.is_empty() {
        return Err(no_identity("cannot give anybody access").into());
    }
    let found = resolve(&arguments.to, WhoUse::Recipient, &people)?;
    let persons = found.iter().map(|found| known_person(found, context.now));
    let persons = persons.collect::<Result<Vec<_>, DirectoryError>>()?;
    let newcomers = Recipients::new(found, None, context.now)?;
    if arguments.require_verified {
        newcomers.require_verified()?;
    }
    if !options.dry_run {
        store_cards(&newcomers, &people, context)?;
    }
    let session = RewriteSession::new("grant", &inputs, options, &people, context)?.below(roots);
    let names = newcomers.addressees.iter().map(DisplayName::display_name);
    let request = BatchRequest {
        verb: "grant",
        schema: "encl.grant/1",
        change: match options.resign {
            true => RequestedChange::Access(RequestedAccess::With(persons)),
            false => RequestedChange::Slots(SlotChange::Grant(persons)),
        },
        reseal,
        consent: match options.recursive || options.resign {
            true => Consent::Asked,
            false => Consent::Given,
        },
        meant: Removals::default(),
        unchanged: format!("already had access: {}", list(&names.collect::<Vec<_>>())),
        caveat: RESEALING_LIMITS,
        own: Own::Grant(&newcomers.addressees),
    };
    batch::run(request, &session, &inputs, tally)
}
