//! `encl rewrap`: old envelopes are brought in line with who is who now.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::directory::{People, Recipients, WhoUse, resolve};

use crate::cli::args::InputFiles;
use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::rewrite::{ResealOptions, RewriteOptions};
use crate::cli::context::Context;
use crate::cli::display::envelope::policy::RESEALING_LIMITS;
use crate::cli::errors::files::not_made;
use crate::cli::errors::rewrite::not_walked;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::files::roots::Roots;
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::rewrite::batch::{self, BatchRequest};
use crate::cli::operations::rewrite::session::RewriteSession;
use encl::directory::{DirectoryError, known_person};
use encl::operations::rewrite::{
    FoundEnvelopes, RequestedAccess, SignaturePolicy, envelopes_below,
};

/// Update who can open envelopes: newest keys, or with --to exactly these people
///
/// Without --to, everybody who has access gets a slot for the newest key on their card. With --to, the complete list, people
/// are added and removed until the envelope fits the list. The changes are shown first, and you confirm them. Adding people
/// adds slots and keeps the author's signature. Removing people encrypts the content again, as `encl revoke` does; an envelope
/// that another author signed is then skipped, unless --resign allows its signature to be lost. What nobody signed stays unsigned,
/// also unless --resign. An older envelope with a
/// passphrase that its policy does not record is encrypted again too, if you signed it or nobody did; you type the passphrase
/// again. After an interruption, run the same command again.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl rewrap letter.pdf.encl --to bob@example.org --resign --yes
  $ encl rewrap -r sealed --to @finance --dry-run
  $ encl rewrap -r sealed --yes"))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// If FILE is a folder, update all envelopes below it
    #[arg(long, short)]
    recursive: bool,

    /// The complete list of people with access: @GROUP, a card file, a pasted card, an address or a name
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    to: Vec<String>,

    /// Do not add me to --to
    #[arg(long, requires = "to")]
    no_self: bool,

    #[command(flatten)]
    rewrite: RewriteOptions,

    /// Also encrypt again what another author signed, so that my signature replaces theirs, and sign what nobody had signed
    #[arg(long)]
    resign: bool,

    #[command(flatten)]
    reseal: ResealOptions,

    /// Refuse contacts that are not verified
    #[arg(long, requires = "to")]
    require_verified: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let mut tally = Tally::default();
    let (inputs, roots) = inputs(arguments, context, &mut tally)?;
    let options = &arguments.rewrite;
    options.remove_leftovers(&inputs, &roots)?;
    let people = context.people()?;
    let requested = requested_access(arguments, &people, context)?;
    let session = RewriteSession::new("rewrap", &inputs, options, &people, context)?.below(roots);
    let request = BatchRequest {
        verb: "rewrap",
        schema: "encl.rewrap/1",
        requested,
        signing: arguments.reseal.signing(arguments.resign),
        reseal: &arguments.reseal,
        signatures: match arguments.resign {
            true => SignaturePolicy::Drop,
            false => SignaturePolicy::Preserve,
        },
        unchanged: "already up to date".to_owned(),
        caveat: RESEALING_LIMITS,
    };
    batch::run(request, &session, &inputs, tally)
}

/// The files that were named, and in place of a folder the envelopes below it.
fn inputs(
    arguments: &Arguments,
    context: &Context,
    tally: &mut Tally,
) -> Result<(Vec<Input>, Roots), Failure> {
    if arguments.recursive
        && arguments.inputs.files.is_empty()
        && arguments.inputs.files_from.is_none()
    {
        return Err(Failure::new(Exit::Usage, "cannot rewrap without a folder")
            .hint("`encl rewrap -r .` updates the current folder"));
    }
    let named = arguments.inputs.all("rewrap", context)?;
    if !arguments.recursive {
        return Ok((named, Roots::default()));
    }
    let (mut inputs, mut roots) = (Vec::new(), Roots::default());
    for input in named {
        match input.path() {
            Some(path) if path.is_dir() => {
                let found = envelopes_below(path, |error| {
                    tally.add(context.terminal, Err(not_walked(&error)));
                });
                let FoundEnvelopes { root, paths } = found
                    .map_err(|error| not_made(input.cannot("rewrap", Exit::Failed), &error))?;
                let paths = paths.iter().map(|within| root.path().join(within));
                inputs.extend(paths.map(Input::File));
                roots.add(root);
            }
            _ => inputs.push(input),
        }
    }
    Ok((inputs, roots))
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
    })
}
