//! `encl wrap`: seal files for the people named.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::directory::Recipients;

use crate::cli::args::help::closing;
use crate::cli::args::help::completion::{quorum as quorum_completer, who as who_completer};
use crate::cli::args::quorum::QuorumArg;
use crate::cli::args::seal::SealOptions;
use crate::cli::args::{InputFiles, OutputFile};
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::files::output::Output;
use crate::cli::files::parallel;
use crate::cli::files::target;
use crate::cli::files::target::{Target, refuse_one_output_for_many};
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::seal::Sealing;
use crate::cli::operations::wrap_file::Wrapping;
use crate::cli::terminal::safe;
use encl::operations::MyKeys;

/// Encrypt files, or standard input, for named recipients
///
/// `encl wrap report.pdf --to bob@example.org` writes report.pdf.encl beside the file. The input is never removed. If you have
/// an identity, you sign what you encrypt, and you can decrypt it yourself.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl wrap report.pdf --to bob@example.org
  $ encl wrap report.pdf notes.txt --to @finance --expires 30d -C sealed
  $ encl wrap report.pdf --to bob.card --private --pad
  $ encl wrap report.pdf --passphrase --anonymous -o for-anybody.encl
  $ encl wrap report.pdf --quorum 2:bob@example.org,carol@example.org,dan@example.org
  $ encl wrap report.pdf --to bob@example.org --quorum 1:@legal
  $ tar c photos | encl wrap - --name photos.tar --to bob@example.org > photos.tar.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

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

    /// The file name to store for standard input
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let inputs = arguments.inputs.all("wrap", context)?;
    check(arguments, &inputs)?;
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
    if let [input] = &inputs[..] {
        refuse_existing(input, arguments)?;
    }
    let keys = MyKeys::new(context, people.readers());
    let sealing = Sealing::prepare(&arguments.seal, terms, author, &keys, context)?;
    store_cards(&readers, &people, context)?;
    if author.is_none() {
        context
            .terminal
            .notice("not signed, and you cannot open it yourself: you have no identity");
    } else if is_quorum_alone(arguments) && !arguments.seal.no_self {
        context
            .terminal
            .notice("you cannot open it alone: without --to only the quorum opens it");
    }
    let wrapping = Wrapping {
        destination: arguments.output.destination(),
        existing: arguments.output.existing(),
        name: arguments.name.as_deref(),
        armor: arguments.armor,
        sealing,
        readers,
    };
    let mut tally = Tally::default();
    let wrap = |input: &Input, parallelism| wrapping.wrap(input, parallelism);
    let tell = |input: &Input, wrapped: Result<_, Failure>| {
        let told = wrapped.and_then(|wrapped| wrapping.tell(input, wrapped));
        tally.add(context.terminal, told);
    };
    let target = |input: &Input| {
        let target = wrapping.target(input);
        target.ok().and_then(Target::into_path)
    };
    parallel::each(&inputs, target, wrap, tell);
    tally.end()
}

/// Nobody types a passphrase to hear that the target exists. (Several inputs stand alone, each in its turn.)
fn refuse_existing(input: &Input, arguments: &Arguments) -> Result<(), Failure> {
    let target = Target::of_wrap(
        input,
        &arguments.output.destination(),
        arguments.name.as_deref(),
    )?;
    let output = Output {
        verb: "wrap",
        input,
        target: &target,
    };
    output.refuse_existing(arguments.output.existing())
}

/// Nobody but quorums: there is no lock that any one of the people opens.
fn is_quorum_alone(arguments: &Arguments) -> bool {
    arguments.to.is_empty() && !arguments.quorum.is_empty()
}

fn check(arguments: &Arguments, inputs: &[Input]) -> Result<(), Failure> {
    refuse_one_output_for_many(inputs, &arguments.output.destination())?;
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
