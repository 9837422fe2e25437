//! `encl mail unwrap`: the message that was sealed, every byte of it.

use std::io;

use clap::Args;
use encl::atomic_file::Readers;

use super::super::context::Context;
use super::super::help::closing;
use super::super::opening::{Demands, Opening};
use super::super::report::{Exit, Outcome};
use super::super::sink::Output;
use super::super::store;
use super::letter::{Arrived, Letter};
use super::opened::{Passed, SealedMessage};
use super::output::{MailOutput, OneMessage};
use super::verdict::FromOption;

/// Open a sealed message
///
/// Finds the envelope in it, whatever transport did to what stands around, and gives the message that was sealed, byte for
/// byte. Everything is checked before the first byte leaves.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl mail unwrap sealed.eml > letter.eml
  $ encl mail unwrap sealed.eml -o letter.eml --signed-by bob@example.org
  $ encl mail unwrap < sealed.eml | wc -c"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    message: OneMessage,

    #[command(flatten)]
    output: MailOutput,

    #[command(flatten)]
    demands: Demands,

    /// Which envelope to open where there are several, counted from 1
    #[arg(long, value_name = "N")]
    part: Option<usize>,

    #[command(flatten)]
    from: FromOption,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> Outcome {
    let input = arguments.message.input("unwrap", context)?;
    let people = store::people(context)?;
    let mut opening = Opening::new("unwrap", &arguments.demands, &people, context)?;
    let arrived = Arrived::open(&input, "unwrap", context)?;
    let target = arguments.output.target();
    let output = Output {
        verb: "unwrap",
        input: &input,
        target: &target,
    };
    let sink = output.open(
        arrived.source.input(),
        Readers::OwnerOnly,
        arguments.output.existing(),
    )?;
    let letter = Letter::new("unwrap", &input, &arrived);
    let message = SealedMessage {
        letter: &letter,
        place: letter.one(arguments.part)?,
        rule: arguments.from.rule(),
        people: &people,
    };
    let not_written = |error: &io::Error| output.not_written(error);
    if output.is_stream() {
        message.pass(&mut opening, io::sink(), not_written)?;
    }
    let passed = message.pass(&mut opening, sink, not_written)?;
    passed.tell(&letter, context);
    let Passed {
        sink, about, bytes, ..
    } = passed;
    output.commit(sink)?;
    Ok(opening.report(&input, Some(&target), &about, bytes)?)
}
