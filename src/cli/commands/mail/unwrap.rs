//! `encl mail unwrap`: the message that was sealed, every byte of it.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::atomic_file::FileMode;
use encl::directory::People;
use encl::mail::Reopen as _;
use encl::operations::mail::incoming::open::{CheckedMessage, SealedMessage};
use encl::operations::mail::incoming::received::ReceivedMessage;
use encl::operations::mail::spool::SpoolWriter;

use crate::cli::args::gate::AskOptions;
use crate::cli::args::help::closing;
use crate::cli::args::mail::message::FromOption;
use crate::cli::args::mail::message::MailOutput;
use crate::cli::args::mail::message::OneMessage;
use crate::cli::args::open::RequirementArgs;
use crate::cli::context::Context;
use crate::cli::context::asking::AskPolicy;
use crate::cli::display::mail::{InnerTrace, show_checked};
use crate::cli::errors::{CommandResult, Exit};
use crate::cli::files::input::Input;
use crate::cli::files::output::Output;
use crate::cli::files::spool::not_spooled;
use crate::cli::files::target::Destination;
use crate::cli::operations::mail::attachments::SealedAttachments;
use crate::cli::operations::mail::open::{choose, open, receive};
use crate::cli::operations::open::Opening;
use crate::cli::operations::open::approvals::LoadedApprovals;

/// Decrypt a message
///
/// Finds the envelope in the message, even if mail servers changed the text around it, and writes the original message, byte
/// for byte. Everything is checked before the first byte of output.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl mail unwrap sealed.eml > letter.eml
  $ encl mail unwrap sealed.eml -o opened.eml --signed-by bob@example.org
  $ encl mail unwrap < sealed.eml | wc -c"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    message: OneMessage,

    #[command(flatten)]
    output: MailOutput,

    #[command(flatten)]
    requirements: RequirementArgs,

    /// Write the decrypted attachments to files below DIR, under their stored names without unsafe characters
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["output", "part"])]
    extract: Option<PathBuf>,

    /// Which envelope to open, counted from 1, if there are several
    #[arg(long, value_name = "N")]
    part: Option<usize>,

    #[command(flatten)]
    from: FromOption,

    #[command(flatten)]
    gates: AskOptions,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    arguments.gates.apply(AskPolicy::Always, context);
    let input = arguments.message.input("unwrap", context)?;
    let destination = Destination::One(arguments.output.target());
    destination.clear_leftovers(std::slice::from_ref(&input));
    let people = context.people()?;
    let none = LoadedApprovals::default();
    let opening = Opening::new("unwrap", &arguments.requirements, none, &people, context)?;
    let mut opening = opening.in_mail();
    let (source, contents) = receive(&input, "unwrap", context)?;
    if arguments.part.is_none()
        && contents.holds_envelopes()
        && let Some(sealed) = SealedAttachments::read(&input, &source, &mut opening)?
    {
        return restore(&input, &sealed, arguments, &mut opening, &people, context);
    }
    if arguments.extract.is_some() {
        return Err(input
            .cannot("unwrap", Exit::Usage)
            .reason("it has no sealed attachments to extract")
            .hint("without --extract the message that is sealed whole is given")
            .into());
    }
    let target = arguments.output.target();
    let output = Output {
        verb: "unwrap",
        input: &input,
        target: &target,
    };
    let sink = output.open(
        source.input(),
        FileMode::OwnerOnly,
        arguments.output.existing(),
    )?;
    let received = ReceivedMessage::new(&source, &contents);
    let message = SealedMessage {
        received: &received,
        place: choose(&received, arguments.part, &input, "unwrap")?,
        rule: arguments.from.rule(),
        people: &people,
    };
    let not_written = |error: &io::Error| output.not_written(error);
    let (sink, opened, bytes) = if sink.is_stream() {
        // What goes into a pipe cannot be taken back, and the input may be written to: checked and given is the same.
        let not_spooled = |error: &io::Error| not_spooled(&input, "unwrap", error);
        let spool = SpoolWriter::new(&mut context.rng()).map_err(|error| not_spooled(&error))?;
        let checked = open(&message, &input, &mut opening, spool, not_spooled)?;
        show(&checked, &received, context);
        let spool = checked.sink.finish().map_err(|error| not_spooled(&error))?;
        let mut content = spool.open().map_err(|error| not_spooled(&error))?;
        let mut sink = sink;
        io::copy(&mut content, &mut sink).map_err(|error| not_written(&error))?;
        (sink, checked.opened, checked.bytes)
    } else {
        let checked = open(&message, &input, &mut opening, sink, not_written)?;
        show(&checked, &received, context);
        (checked.sink, checked.opened, checked.bytes)
    };
    output.commit(sink)?;
    Ok(opening.report(&input, Some(&target), &opened, bytes)?)
}

/// Says what should be known about the message.
fn show<W>(checked: &CheckedMessage<W>, received: &ReceivedMessage<'_>, context: &Context) {
    show_checked(checked, received, context.terminal);
    if let Some(remark) = InnerTrace::of(checked, received).remark() {
        context.terminal.notice(&remark);
    }
}

/// A message whose attachments were sealed in their places.
fn restore(
    input: &Input,
    sealed: &SealedAttachments<'_>,
    arguments: &Arguments,
    opening: &mut Opening<'_>,
    people: &People,
    context: &Context,
) -> CommandResult {
    sealed.check_from(arguments.from.rule(), opening, people)?;
    let existing = arguments.output.existing();
    if let Some(folder) = &arguments.extract {
        return sealed.extract(folder, existing, opening, context).end();
    }
    let target = arguments.output.target();
    let output = Output {
        verb: "unwrap",
        input,
        target: &target,
    };
    let mut sink = output.open(sealed.source.input(), FileMode::OwnerOnly, existing)?;
    let restoration = sealed.restoration(opening)?;
    let bytes = sealed.restore(&restoration, &output, &mut sink, opening, context)?;
    sealed.show_restored(&restoration, context);
    output.commit(sink)?;
    Ok(opening.report(input, Some(&target), sealed.first(), bytes)?)
}
