//! `encl mail grep`: looks for words in sealed mail, without ever putting it down in clear.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::{Args, ValueHint};
use encl::envelope::Workers;
use encl::mail::archive::{
    Archive, Decision, Direction, Event, MessageOutcome as Became, Mode, Report, Run, Skip,
    Transform,
};
use encl::mail::{Display, Reopen};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use regex::{Regex, RegexBuilder};
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::FIELDS;
use crate::cli::errors::{CommandError, CommandResult, Exit, Failure, Tally};
use crate::cli::files::spool::SpoolWriter;
use crate::cli::operations::mail::mailbox::{failure, jobs_to_read, name, not_gone_through};
use crate::cli::operations::mail::unseal::{Look, Unsealing, not_opened};
use crate::cli::terminal::{Stream, safe, shown};

/// Bounds what a pattern may cost, in bytes of its compiled form.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Lines that are shown of one message.
const LINES_MAX: usize = 1_000;

/// Search encrypted mail for a pattern
///
/// Decrypts each message in memory, if I am a recipient, and prints the matching lines of its fields and texts. Plain messages
/// are not searched: use grep. Exit code 1 if nothing matches.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::NotForYou, Exit::Locked], "\
  $ encl mail grep code sealed.eml
  $ encl mail grep -i 'subject: your' sealed.eml"))]
pub(crate) struct Arguments {
    /// A regular expression
    #[arg(value_name = "PATTERN")]
    pattern: String,

    /// Maildirs, mboxes, folders of .eml files, or such files
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    /// Ignore the difference between capital and small letters
    #[arg(long, short)]
    ignore_case: bool,

    /// PATTERN is plain text, not a regular expression
    #[arg(long, short = 'F')]
    fixed_strings: bool,

    /// Print only the names of matching messages
    #[arg(long, short = 'l')]
    files_with_matches: bool,

    /// Decrypt with this one of my identities [default: $ENCL_IDENTITY, else all]
    #[arg(long = "as", value_name = "WHO")]
    identity: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let pattern = pattern(arguments)?;
    let people = context.people()?;
    let identity = arguments.identity.as_deref();
    let searching = Searching {
        unsealing: Unsealing::with_my_keys("search", identity, &people, context)?,
        pattern,
        found: AtomicU64::new(0),
    };
    let run = Run {
        transform: &searching,
        jobs: jobs_to_read(),
        originals: None,
        mode: Mode::DryRun,
    };
    let mut tally = Tally::default();
    for path in &arguments.paths {
        let mut told = Ok(());
        let searched = Archive::find(path).and_then(|archive| {
            run.run_on(&archive, &mut |event| {
                if let Event::Message(report) = event {
                    let told_now = tell(report, arguments, context, &mut tally);
                    told = std::mem::replace(&mut told, Ok(())).and(told_now);
                }
            })
        });
        told?;
        let searched = searched.map_err(|error| not_gone_through("search", path, &error));
        tally.add(context.terminal, searched.map(drop));
    }
    tally.end()?;
    match searching.found.into_inner() {
        0 => Err(CommandError::Reported(Exit::Failed)),
        _ => Ok(()),
    }
}

fn pattern(arguments: &Arguments) -> Result<Regex, Failure> {
    let text = if arguments.fixed_strings {
        regex::escape(&arguments.pattern)
    } else {
        arguments.pattern.clone()
    };
    let built = RegexBuilder::new(&text)
        .case_insensitive(arguments.ignore_case)
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    built.map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("cannot look for `{}`", safe(&arguments.pattern)),
        )
        .reason(safe(last_line(&error.to_string())))
    })
}

/// Regex errors draw a picture above the line that says what is wrong.
fn last_line(text: &str) -> &str {
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

/// Opens each message and looks through it; nothing is ever changed.
struct Searching {
    unsealing: Unsealing,
    pattern: Regex,
    found: AtomicU64,
}

impl Searching {
    fn lines(&self, display: &Display) -> Vec<String> {
        let field = |name: &str| display.field(name).map(|value| format!("{name}: {value}"));
        let fields = FIELDS.into_iter().filter_map(field);
        let texts = display.texts.iter().flat_map(|text| text.text.lines());
        let lines = fields.chain(texts.map(|line| line.trim_end_matches('\r').to_owned()));
        lines
            .filter(|line| self.pattern.is_match(line))
            .take(LINES_MAX)
            .collect()
    }
}

impl Transform for Searching {
    type Receipt = ();
    type Error = Failure;

    fn direction(&self) -> Direction {
        Direction::Unseal
    }

    /// What is found comes back as the reason why nothing is done with the message.
    fn decide(&self, message: &dyn Reopen) -> Result<Decision, Failure> {
        let Look::Mine(content) = self.unsealing.look(message)? else {
            return Ok(Decision::Already);
        };
        let failed = |error: std::io::Error| Failure::io("cannot search the message", &error);
        let mut spool = SpoolWriter::new(&mut UnwrapErr(SysRng)).map_err(failed)?;
        content
            .copy_to(&mut spool, Workers::ONE)
            .map_err(not_opened)?;
        let opened = spool.finish().map_err(failed)?;
        let lines = self.lines(&Display::of(&opened).map_err(failed)?);
        if lines.is_empty() {
            return Ok(Decision::Already);
        }
        self.found.fetch_add(1, Ordering::Relaxed);
        Ok(Decision::Skip(lines.join("\n")))
    }

    fn write(&self, _: &dyn Reopen, _: &mut (dyn std::io::Write + Send)) -> Result<(), Failure> {
        unreachable!("a search never wants a change")
    }

    fn verify(&self, (): (), _: &dyn Reopen, _: &dyn Reopen) -> Result<(), Failure> {
        unreachable!("a search never wants a change")
    }

    fn is_form_of(&self, _: &dyn Reopen, _: &dyn Reopen) -> Result<bool, Failure> {
        Ok(false)
    }
}

/// `encl.mail-grep/1`
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<u64>,
    lines: Vec<&'a str>,
}

fn tell(
    report: Report<Failure>,
    arguments: &Arguments,
    context: &Context,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let name = name(&report);
    match report.outcome {
        Became::Skipped(Skip::Unwanted(lines)) => {
            if context.json {
                let object = Object {
                    schema: "encl.mail-grep/1",
                    file: report.path.to_string_lossy().into_owned(),
                    message: report.number,
                    lines: lines.lines().collect(),
                };
                return Ok(context.terminal.print_object(&object, Stream::Stdout)?);
            }
            if arguments.files_with_matches {
                return Ok(context.terminal.print(&name)?);
            }
            let lines = lines
                .lines()
                .map(|line| format!("{name}: {}", line.replace('\t', " ")));
            let text = lines.collect::<Vec<_>>().join("\n");
            Ok(context.terminal.print(&text)?)
        }
        Became::Failed(error) => {
            tally.add(
                context.terminal,
                Err(failure("search", &name, &report.path, error)),
            );
            Ok(())
        }
        Became::Skipped(skip) => {
            context
                .terminal
                .warning(&format!("{} was not searched: {skip}", shown(&report.path)));
            Ok(())
        }
        Became::Converted | Became::SourceGone(_) | Became::Already => Ok(()),
    }
}
