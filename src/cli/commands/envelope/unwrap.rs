//! `encl unwrap`: open envelopes that name me.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::atomic_file::FileMode;
use encl::envelope::{Content, OpenError, Opened};

use crate::cli::args::gate::AskOptions;
use crate::cli::args::help::closing;
use crate::cli::args::open::RequirementArgs;
use crate::cli::args::open::With;
use crate::cli::args::{InputFiles, OutputFile};
use crate::cli::context::Context;
use crate::cli::errors::envelope;
use crate::cli::errors::files::of_several;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally, io_message};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::output::{Output, Sink};
use crate::cli::files::parallel;
use crate::cli::files::parallel::Parallelism;
use crate::cli::files::placement::{Naming, Placement, open_into};
use crate::cli::files::target;
use crate::cli::files::target::Target;
use crate::cli::files::twice::{FirstPass, SecondPass, Seen};
use crate::cli::operations::gate::receipts;
use crate::cli::operations::open::Opening;
use crate::cli::operations::open::approvals::LoadedApprovals;
use crate::cli::operations::rewrite::inputs::{Depth, envelopes};

/// Decrypt envelopes of which I am a recipient
///
/// `encl unwrap report.pdf.encl` writes report.pdf beside the envelope. The file is readable by you alone, and appears only
/// after everything was checked. stderr says who signed it, and whether that person's key is verified. With -r, every envelope
/// below a folder is decrypted beside itself, or below -C DIR at the same place of the tree.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl unwrap letter.pdf.encl
  $ encl unwrap letter.pdf.encl -o - --signed-by bob@example.org > letter.pdf
  $ encl unwrap letter*.encl -C opened
  $ encl unwrap -r sealed -C opened
  $ encl unwrap plan.txt.encl --with bob.approval
  $ encl unwrap - --verify-first < letter.pdf.encl | wc -c"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    #[command(flatten)]
    output: OutputFile,

    #[command(flatten)]
    requirements: RequirementArgs,

    #[command(flatten)]
    with: With,

    #[command(flatten)]
    gates: AskOptions,

    /// Keep what proves that a gate logged this opening, in files below DIR
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    receipts: Option<PathBuf>,

    /// If FILE is a folder, decrypt all envelopes below it
    #[arg(long, short, conflicts_with_all = ["use_name", "output"])]
    recursive: bool,

    /// Use the file name stored inside the envelope, without unsafe characters
    #[arg(long, conflicts_with = "output")]
    use_name: bool,

    /// Check everything before the first byte of output, also when the input is a pipe
    #[arg(long)]
    verify_first: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let depth = Depth::from(arguments.recursive);
    arguments.gates.apply(depth.asks(), context);
    let mut tally = Tally::default();
    let (mut inputs, roots) = envelopes("unwrap", &arguments.inputs, depth, context, &mut tally)?;
    let destination = arguments.output.destination();
    target::check_destination(&inputs, &destination)?;
    let into = arguments.output.directory.as_deref();
    let into = into.filter(|_| depth == Depth::Recursive);
    let placement = Placement {
        verb: "unwrap",
        naming: Naming::Opened,
        mode: FileMode::OwnerOnly,
        destination,
        existing: arguments.output.existing(),
        roots,
        into: into.map(open_into).transpose()?,
    };
    match depth {
        Depth::Files => placement.destination.clear_leftovers(&inputs),
        Depth::Recursive => placement.clear_leftovers(&inputs),
    }
    let people = context.people()?;
    let approvals = LoadedApprovals::load(&arguments.with, &inputs, context)?;
    let opening = Opening::new(
        "unwrap",
        &arguments.requirements,
        approvals,
        &people,
        context,
    )?;
    if !arguments.use_name && inputs.len() > 1 {
        let kept = HashSet::new();
        placement.refuse_shared_targets(&mut inputs, &kept, context.terminal, &mut tally);
    }
    let is_one = inputs.len() == 1;
    if !is_one && arguments.with.with.is_empty() && !arguments.use_name {
        // What is not opened is not asked for: a gate would log it.
        let is_wanted = |input: &&Input| placement.is_free(input);
        let wanted = inputs.iter().filter(is_wanted);
        opening.ask_ahead(wanted, |input| placement.open(input));
    }
    let mut opened = 0_usize;
    let mut tell = |input: &Input, unwrapped: Result<Unwrapped, Failure>| {
        let unwrapped = match is_one {
            true => unwrapped,
            false => unwrapped.map_err(of_several),
        };
        let told = unwrapped.and_then(
            |Unwrapped {
                 target,
                 about,
                 bytes,
             }| { opening.report(input, Some(&target), &about, bytes) },
        );
        opened += usize::from(told.is_ok());
        tally.add(context.terminal, told);
    };
    if arguments.use_name {
        // What they will be called is known too late to see whether two would be called the same.
        for input in &inputs {
            tell(
                input,
                under_stored_name(input, arguments, &mut opening.for_thread()),
            );
        }
    } else {
        let target = |input: &Input| {
            let target = placement.target(input);
            target.ok().and_then(Target::into_path)
        };
        let unwrap = |input: &Input, parallelism| {
            let opening = &mut opening.for_thread();
            under_given_name(input, arguments, &placement, opening, parallelism)
        };
        parallel::each(&inputs, target, unwrap, tell);
    }
    opening.warn_of_unused_approvals();
    receipts::keep(arguments.receipts.as_deref(), context)?;
    if depth == Depth::Recursive {
        context.terminal.status(&format!(
            "{opened} decrypted, {} not decrypted",
            tally.failures()
        ));
    }
    tally.end()
}

/// What was opened, and where it is.
struct Unwrapped {
    target: Target,
    about: Opened,
    bytes: u64,
}

fn under_given_name(
    input: &Input,
    arguments: &Arguments,
    placement: &Placement,
    opening: &mut Opening<'_>,
    parallelism: Parallelism,
) -> Result<Unwrapped, Failure> {
    let mut source = placement.open(input)?;
    let target = placement.target(input)?;
    let output = output(input, &target);
    // The target is opened first: nobody types a passphrase to hear that it exists.
    let sink = placement.sink(&output, &source)?;
    if sink.is_stream() {
        if arguments.verify_first && !source.is_seekable() {
            source = source.spooled(input, "unwrap")?;
        }
        if let Some(seen) = check_first(input, &mut source, opening)? {
            let bytes = source.length();
            let again = SecondPass::new(&mut source, seen);
            let content = opening.open_sized(input, again, bytes, parallelism)?;
            let (about, bytes) = copied(content, sink, &output, parallelism)?;
            return Ok(Unwrapped {
                target,
                about,
                bytes,
            });
        }
    }
    let content = opening.open(input, &mut source, parallelism)?;
    let (about, bytes) = copied(content, sink, &output, parallelism)?;
    Ok(Unwrapped {
        target,
        about,
        bytes,
    })
}

fn under_stored_name(
    input: &Input,
    arguments: &Arguments,
    opening: &mut Opening<'_>,
) -> Result<Unwrapped, Failure> {
    let mut source = input.open("unwrap")?;
    // The target is made from the same file that is read on: a second descriptor, for comparing only.
    let same = source.twin(input, "unwrap")?;
    let content = opening.open(input, &mut source, Parallelism::Exclusive)?;
    let stored = content.metadata().private.info.name.as_deref();
    let target = Target::of_stored(input, &arguments.output.destination(), stored)?;
    let output = output(input, &target);
    let sink = output.open(&same, FileMode::OwnerOnly, arguments.output.existing())?;
    let (about, bytes) = copied(content, sink, &output, Parallelism::Exclusive)?;
    Ok(Unwrapped {
        target,
        about,
        bytes,
    })
}

fn output<'a>(input: &'a Input, target: &'a Target) -> Output<'a> {
    Output {
        verb: "unwrap",
        input,
        target,
    }
}

/// What goes into a pipe cannot be taken back, so what can be read twice is checked first. Somebody else may write to it in
/// between: what was seen is handed back, to be compared.
fn check_first(
    input: &Input,
    source: &mut Source,
    opening: &mut Opening<'_>,
) -> Result<Option<Seen>, Failure> {
    if !source.is_seekable() {
        return Ok(None);
    }
    let unreadable = |error| {
        input
            .cannot("unwrap", Exit::Failed)
            .reason(io_message(&error))
    };
    let place = source.place().map_err(unreadable)?;
    let bytes = source.length();
    let mut first = FirstPass::new(&mut *source);
    let content = opening.open_sized(input, &mut first, bytes, Parallelism::Exclusive)?;
    let checked = content.copy_to(&mut io::sink(), Parallelism::Exclusive.workers());
    checked.map_err(|error| opening.cannot(input, error))?;
    let seen = first.finish().map_err(unreadable)?;
    source.rewind(place).map_err(unreadable)?;
    Ok(Some(seen))
}

fn copied<R: std::io::Read + Send>(
    content: Content<R>,
    mut sink: Sink,
    output: &Output<'_>,
    parallelism: Parallelism,
) -> Result<(Opened, u64), Failure> {
    let is_stream = sink.is_stream();
    let copied = content
        .copy_to(&mut sink, parallelism.workers())
        .map_err(|error| not_copied(output, is_stream, error))?;
    output.commit(sink)?;
    Ok(copied)
}

fn not_copied(output: &Output<'_>, is_stream: bool, error: OpenError) -> Failure {
    match error {
        OpenError::Write(error) => output.not_written(&error),
        error => {
            let failure = envelope::failure(output.input.cannot("unwrap", Exit::Failed), error);
            if is_stream {
                failure.hint(
                    "discard what was written: it is incomplete, damaged or not signed as required",
                )
            } else {
                failure
            }
        }
    }
}
