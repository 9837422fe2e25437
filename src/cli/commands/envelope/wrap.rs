//! `encl wrap`: seal files for the people named.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::atomic_file::FileMode;
use encl::directory::{DirectoryError, People, Person, Recipients, WhoUse, known_person, resolve};
use encl::envelope::Removals;
use encl::operations::MyKeys;
use encl::operations::rewrite::{ListedGroupCard, RequestedAccess};
use encl::operations::seal::{Encoding, FileForm};

use crate::cli::args::help::closing;
use crate::cli::args::help::completion::{quorum as quorum_completer, who as who_completer};
use crate::cli::args::quorum::QuorumArg;
use crate::cli::args::rewrite::{ResealOptions, RewriteOptions};
use crate::cli::args::seal::SealOptions;
use crate::cli::args::{InputFiles, OutputFile};
use crate::cli::context::Context;
use crate::cli::display::envelope::policy::RESEALING_LIMITS;
use crate::cli::errors::files::of_several;
use crate::cli::errors::{CommandError, CommandResult, Exit, Failure, Tally, keystore};
use crate::cli::files::input::Input;
use crate::cli::files::output::Output;
use crate::cli::files::parallel;
use crate::cli::files::placement::{Naming, Placement, open_into};
use crate::cli::files::target;
use crate::cli::files::target::{Target, check_destination};
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::rewrite::batch::{self, BatchRequest, Consent, RequestedChange};
use crate::cli::operations::rewrite::inputs::Depth;
use crate::cli::operations::rewrite::printers::Own;
use crate::cli::operations::rewrite::session::RewriteSession;
use crate::cli::operations::seal::Sealing;
use crate::cli::operations::wrap::file::Wrapping;
use crate::cli::operations::wrap::folder::FilesToWrap;
use crate::cli::operations::wrap::plan::show_plan;
use crate::cli::terminal::safe;

/// Encrypt files, or standard input, for named recipients
///
/// `encl wrap report.pdf --to bob@example.org` writes report.pdf.encl beside the file. The input is never removed. If you have
/// an identity, you sign what you encrypt, and you can decrypt it yourself.
///
/// With -r, every file below a folder gets an envelope of its own beside it, or below -C DIR at the same place of the tree. Files
/// that are envelopes already are left as they are, or with --resign brought in line with --to. Links, devices and what cannot be
/// read are named, and the command fails, since they stay unencrypted. After an interruption, run the same command again: what is
/// done already exists.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl wrap report.pdf --to bob@example.org
  $ encl wrap report.pdf notes.txt --to @finance --expires 30d -C sealed
  $ encl wrap -r photos --to bob@example.org
  $ encl wrap report.pdf --to bob.card --private --pad
  $ encl wrap report.pdf --passphrase --anonymous -o for-anybody.encl
  $ encl wrap report.pdf --passphrase --html
  $ encl wrap report.pdf --quorum 2:bob@example.org,carol@example.org,dan@example.org
  $ encl wrap report.pdf --to bob@example.org --quorum 1:@legal
  $ tar c photos | encl wrap - --name photos.tar --to bob@example.org > photos.tar.encl"))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// If FILE is a folder, encrypt every file below it
    #[arg(long, short, conflicts_with_all = ["name", "output"])]
    recursive: bool,

    /// Encrypt again for --to under my signature what is an envelope already, as `encl rewrap --resign` does
    #[arg(long, requires = "to", conflicts_with_all = ["quorum", "passphrase", "output"])]
    resign: bool,

    /// Dry run: show what would be encrypted, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask about the envelopes that --resign encrypts again
    #[arg(long, requires = "resign")]
    yes: bool,

    #[command(flatten)]
    output: OutputFile,

    /// A recipient: @GROUP, a card file, a pasted card, an address, a name or a fingerprint. Each of them can open it alone
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    to: Vec<String>,

    /// Require N of these people together. May be repeated; all quorums, and --to if given, must be satisfied
    #[arg(long, value_name = "N:WHO,WHO,...", add = ArgValueCompleter::new(quorum_completer))]
    quorum: Vec<String>,

    #[command(flatten)]
    seal: SealOptions,

    /// Write the envelope as ASCII text, for places that accept only text
    #[arg(long)]
    armor: bool,

    /// Write a page that opens itself in a browser, for recipients who have nothing installed. Needs --passphrase. Many mail
    /// servers stop pages, since attackers send them: use it for USB sticks, clouds and chats. Whoever changes the page on its
    /// way gets the passphrase: `encl help recipients`
    #[arg(long, requires = "passphrase", conflicts_with_all = ["armor", "quorum", "resign", "gate", "gates"])]
    html: bool,

    /// The file name to store for standard input
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let depth = Depth::from(arguments.recursive);
    depth.check("wrap", &arguments.inputs)?;
    let named = arguments.inputs.all("wrap", context)?;
    let mut tally = Tally::default();
    let mut files = match depth {
        Depth::Files => FilesToWrap::named(named),
        Depth::Recursive => FilesToWrap::find(named, context, &mut tally)?,
    };
    if arguments.resign {
        files.set_envelopes_aside();
    }
    let is_one = files.plain.len() == 1;
    check(arguments, &files.plain)?;
    let others = usize::from(!is_quorum_alone(arguments));
    let quorums = QuorumArg::all(&arguments.quorum, others)?;
    let terms = arguments.seal.terms(context)?;
    context.do_without_closed_keystore();
    let people = context.people()?;
    let author = arguments.seal.author(&people, context)?;
    let me = arguments.seal.reader(author);
    let me = me.filter(|_| !is_quorum_alone(arguments));
    let readers = Recipients::resolve(&arguments.to, me, &people, context.now)?;
    let readers = readers.with_quorums(QuorumArg::resolve_all(&quorums, &people, context.now)?);
    if arguments.seal.require_verified {
        readers.require_verified()?;
    }
    let placement = placement(arguments, &files)?;
    if let ([input], Depth::Files) = (&files.plain[..], depth) {
        refuse_existing(input, &placement)?;
    } else {
        let (plain, kept) = (&mut files.plain, &files.only_named);
        placement.refuse_shared_targets(plain, kept, context.terminal, &mut tally);
    }
    let keys = MyKeys::new(context, people.readers());
    let seals = !files.plain.is_empty() && !arguments.dry_run;
    let sealing = || Sealing::prepare(&arguments.seal, terms, author, &keys, context);
    let sealing = seals.then(sealing).transpose()?;
    if !arguments.dry_run {
        store_cards(&readers, &people, context)?;
    }
    let resealed = match arguments.resign {
        true if !files.envelopes.is_empty() => reseal(arguments, &mut files, &people, context),
        _ => {
            files.tell_envelopes(context.terminal);
            Ok(())
        }
    };
    if let Err(CommandError::Failure(_)) = resealed {
        return resealed;
    }
    let mut wrapped = 0_usize;
    match sealing {
        None => show_plan(&files.plain, &placement, context, &mut tally),
        Some(sealing) => {
            placement.clear_leftovers(&files.plain);
            tell_author(arguments, author, context);
            let wrapping = Wrapping {
                placement,
                form: form(arguments),
                sealing,
                readers,
            };
            let wrap = |input: &Input, parallelism| wrapping.wrap(input, parallelism);
            let tell = |input: &Input, done: Result<_, Failure>| {
                wrapped += usize::from(done.is_ok());
                let done = match is_one {
                    true => done,
                    false => done.map_err(of_several),
                };
                let told = done.and_then(|done| wrapping.tell(input, done));
                tally.add(context.terminal, told);
            };
            let target = |input: &Input| {
                let target = wrapping.placement.target(input);
                target.ok().and_then(Target::into_path)
            };
            parallel::each(&files.plain, target, wrap, tell);
        }
    }
    if depth == Depth::Recursive && !arguments.dry_run {
        context.terminal.status(&format!(
            "{wrapped} encrypted, {} already envelopes, {} not encrypted",
            files.envelopes.len(),
            tally.failures()
        ));
    }
    both(resealed, tally.end())
}

/// How the envelopes are written.
fn form(arguments: &Arguments) -> FileForm {
    match (arguments.html, arguments.armor) {
        (true, _) => FileForm::Page,
        (false, true) => FileForm::Envelope(Encoding::Armor),
        (false, false) => FileForm::Envelope(Encoding::Binary),
    }
}

/// Where the envelopes go. The folder of `-C` is opened once where trees are to be kept in it.
fn placement(arguments: &Arguments, files: &FilesToWrap) -> Result<Placement, Failure> {
    let into = arguments.output.directory.as_deref();
    let into = into.filter(|_| arguments.recursive);
    Ok(Placement {
        verb: "wrap",
        naming: Naming::Sealed(arguments.name.clone(), form(arguments)),
        mode: FileMode::Umask,
        destination: arguments.output.destination(),
        existing: arguments.output.existing(),
        roots: files.roots.clone(),
        into: into.map(open_into).transpose()?,
    })
}

fn tell_author(arguments: &Arguments, author: Option<&Person>, context: &Context) {
    if author.is_none() {
        context
            .terminal
            .notice("not signed, and you cannot open it yourself: you have no identity");
    } else if is_quorum_alone(arguments) && !arguments.seal.no_self {
        context
            .terminal
            .notice("you cannot open it alone: without --to only the quorum opens it");
    }
}

/// Brings envelopes in line with `--to`, as `encl rewrap --to … --resign` does.
fn reseal(
    arguments: &Arguments,
    files: &mut FilesToWrap,
    people: &People,
    context: &Context,
) -> CommandResult {
    let options = RewriteOptions {
        resign: true,
        dry_run: arguments.dry_run,
        identity: arguments.seal.identity.clone(),
        ..RewriteOptions::default()
    };
    let reseal = ResealOptions {
        anonymous: arguments.seal.anonymous,
        yes: arguments.yes,
        ..ResealOptions::default()
    };
    options.remove_leftovers(&files.envelopes, &files.roots)?;
    let found = resolve(&arguments.to, WhoUse::Recipient, people)?;
    let persons = found.iter().map(|found| known_person(found, context.now));
    let persons = persons.collect::<Result<_, DirectoryError>>()?;
    let envelopes = &files.envelopes;
    let session = RewriteSession::new("wrap", envelopes, &options, people, context)?;
    let session = session.below(files.roots.clone());
    let request = BatchRequest {
        verb: "wrap",
        schema: "encl.rewrap/1",
        change: RequestedChange::Access(RequestedAccess::Exactly {
            people: persons,
            no_self: arguments.seal.no_self,
            groups: ListedGroupCard::of_words(&arguments.to, people)
                .map_err(|error| keystore::unreadable(&error))?,
        }),
        reseal: &reseal,
        consent: Consent::Asked,
        meant: Removals::default(),
        unchanged: "already up to date".to_owned(),
        caveat: RESEALING_LIMITS,
        own: Own::None,
    };
    batch::run(request, &session, envelopes, Tally::default())
}

/// The exit code of two parts of one command.
fn both(one: CommandResult, other: CommandResult) -> CommandResult {
    match (one, other) {
        (Ok(()), end) | (end, Ok(())) => end,
        (Err(CommandError::Reported(one)), Err(CommandError::Reported(other))) if one == other => {
            Err(CommandError::Reported(one))
        }
        _ => Err(CommandError::Reported(Exit::Failed)),
    }
}

/// Nobody types a passphrase to hear that the target exists. (Several inputs stand alone, each in its turn.)
fn refuse_existing(input: &Input, placement: &Placement) -> Result<(), Failure> {
    let target = placement.target(input)?;
    let output = Output {
        verb: "wrap",
        input,
        target: &target,
    };
    output.refuse_existing(placement.existing)
}

/// Nobody but quorums: there is no lock that any one of the people opens.
fn is_quorum_alone(arguments: &Arguments) -> bool {
    arguments.to.is_empty() && !arguments.quorum.is_empty()
}

fn check(arguments: &Arguments, inputs: &[Input]) -> Result<(), Failure> {
    check_destination(inputs, &arguments.output.destination())?;
    if is_quorum_alone(arguments) && arguments.seal.passphrase {
        return Err(
            Failure::new(Exit::Usage, "cannot use --passphrase with --quorum alone")
                .reason("the passphrase belongs to the lock of --to, and there is none")
                .hint("--to WHO creates that lock"),
        );
    }
    if arguments.to.is_empty() && arguments.quorum.is_empty() && !arguments.seal.passphrase {
        return Err(
            Failure::new(Exit::Usage, "no recipient given").hint("--to WHO names a recipient")
        );
    }
    match &arguments.name {
        Some(_) if inputs.len() > 1 => Err(Failure::new(
            Exit::Usage,
            "cannot store one --name in several envelopes",
        )),
        Some(name) if target::clean(name).as_ref() != Some(name) => Err(Failure::new(
            Exit::Usage,
            format!("cannot store the name `{}`", safe(name)),
        )
        .reason("it is not a plain file name")),
        _ => Ok(()),
    }
}
