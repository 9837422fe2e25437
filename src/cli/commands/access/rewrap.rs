//! `encl rewrap`: old envelopes are brought in line with who is who now.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::crypto::KeyId;
use encl::directory::{
    DirectoryError, People, Recipients, Who, WhoForm, WhoUse, known_person, resolve,
};
use encl::envelope::Removals;
use encl::operations::rewrite::{ListedGroupCard, RequestedAccess};

use crate::cli::args::InputFiles;
use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::rewrite::{ResealOptions, RewriteOptions};
use crate::cli::context::Context;
use crate::cli::display::envelope::policy::RESEALING_LIMITS;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally, keystore};
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::rewrite::batch::{self, BatchRequest, Consent, RequestedChange};
use crate::cli::operations::rewrite::inputs::{Depth, envelopes};
use crate::cli::operations::rewrite::printers::Own;
use crate::cli::operations::rewrite::session::RewriteSession;
use crate::cli::terminal::safe;

/// Update who can open envelopes: newest keys, or with --to exactly these people
///
/// Without --to, everybody who has access gets a slot for the newest key on their card. With --to, the complete list, people
/// are added and removed until the envelope fits the list. The changes are shown first, and you confirm them. Adding people
/// adds slots and keeps the author's signature. Removing people encrypts the content again, as `encl revoke` does; an envelope
/// that another author signed is then skipped, unless --resign allows its signature to be lost. What nobody signed stays unsigned,
/// also unless --resign. A reader whom nobody here knows, and who is not on the list, was let in by somebody who may know more:
/// encl asks about them, also with --yes. An older envelope with a passphrase that its policy does not record is encrypted again
/// too, if you signed it or nobody did; you type the passphrase again. After an interruption, run the same command again.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl rewrap letter.pdf.encl --to bob@example.org --resign --yes
  $ encl rewrap -r sealed --to @finance --dry-run
  $ encl rewrap -r sealed --yes"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// The complete list of people with access: @GROUP, a card file, a pasted card, an address or a name
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    to: Vec<String>,

    /// Do not add me to --to
    #[arg(long, requires = "to")]
    no_self: bool,

    /// Remove this reader although nobody here knows who it is: a fingerprint, or a key id as `inspect --json` shows it
    #[arg(long, value_name = "FINGERPRINT", requires = "to")]
    drop_unknown: Vec<String>,

    #[command(flatten)]
    rewrite: RewriteOptions,

    #[command(flatten)]
    reseal: ResealOptions,

    /// Refuse contacts that are not verified
    #[arg(long, requires = "to")]
    require_verified: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let options = &arguments.rewrite;
    let depth = Depth::from(options.recursive);
    options.gates.apply(depth.asks(), context);
    let meant = meant(&arguments.drop_unknown)?;
    let mut tally = Tally::default();
    let (inputs, roots) = envelopes("rewrap", &arguments.inputs, depth, context, &mut tally)?;
    options.remove_leftovers(&inputs, &roots)?;
    let people = context.people()?;
    let requested = requested_access(arguments, &people, context)?;
    let session = RewriteSession::new("rewrap", &inputs, options, &people, context)?.below(roots);
    let request = BatchRequest {
        verb: "rewrap",
        schema: "encl.rewrap/1",
        change: RequestedChange::Access(requested),
        reseal: &arguments.reseal,
        consent: Consent::Asked,
        meant,
        unchanged: "already up to date".to_owned(),
        caveat: RESEALING_LIMITS,
        own: Own::None,
    };
    batch::run(request, &session, &inputs, tally)
}

/// The unknown readers who are named. Names that an envelope gives them are nobody's word, so only keys count.
fn meant(words: &[String]) -> Result<Removals, Failure> {
    let mut meant = Removals::default();
    for word in words {
        let who = Who::parse(word, WhoUse::Removal)?;
        let WhoForm::Fingerprint(id) = who.form() else {
            let what = format!("cannot remove `{}` as unknown", safe(word));
            return Err(Failure::new(Exit::Usage, what)
                .reason("it is no fingerprint")
                .hint("--dry-run --json shows the id and key of each"));
        };
        meant.people.insert(*id);
        meant.keys.insert(KeyId(id.0));
    }
    Ok(meant)
}

fn requested_access(
    arguments: &Arguments,
    people: &People,
    context: &Context,
) -> Result<RequestedAccess, Failure> {
    if arguments.to.is_empty() {
        return Ok(RequestedAccess::CurrentKeys);
    }
    let found = resolve(&arguments.to, WhoUse::Recipient, people)?;
    let persons = found.iter().map(|found| known_person(found, context.now));
    let persons = persons.collect::<Result<_, DirectoryError>>()?;
    let newcomers = Recipients::new(found, None, context.now)?;
    if arguments.require_verified {
        newcomers.require_verified()?;
    }
    if !arguments.rewrite.dry_run {
        store_cards(&newcomers, people, context)?;
    }
    Ok(RequestedAccess::Exactly {
        people: persons,
        no_self: arguments.no_self,
        groups: ListedGroupCard::of_words(&arguments.to, people)
            .map_err(|error| keystore::unreadable(&error))?,
    })
}
