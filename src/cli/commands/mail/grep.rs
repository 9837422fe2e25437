//! `encl mail grep`: looks for words in sealed mail, without ever putting it down in clear.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::operations::mail::mailbox::ask_ahead::AskAhead;
use encl::operations::mail::mailbox::search::{
    MailboxSearch, SearchOutcome, SearchReport, Searched,
};
use encl::operations::mail::mailbox::unseal::MailboxOpener;
use regex::{Regex, RegexBuilder};
use serde::Serialize;

use crate::cli::args::gate::AskOptions;
use crate::cli::args::help::closing;
use crate::cli::args::mail::mailbox::jobs_to_read;
use crate::cli::args::mail::message::FromOption;
use crate::cli::context::Context;
use crate::cli::context::asking::AskPolicy;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::CommandError;
use crate::cli::errors::CommandResult;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::Tally;
use crate::cli::errors::mail;
use crate::cli::operations::mail::mailbox::message_name;
use crate::cli::operations::mail::mailbox::new_rng;
use crate::cli::operations::mail::mailbox::unlocked_keys;
use crate::cli::terminal::{Stream, safe, shown};

/// Bounds what a pattern may cost, in bytes of its compiled form.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Search encrypted mail for a pattern
///
/// Decrypts each message in memory, if I am a recipient, and prints the matching lines of its fields and texts, also in attached
/// text, in messages within it, and in encrypted messages attached to others. What cannot be searched is reported. Plain messages
/// are not searched: use grep. Exit code 1 if nothing matches.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::NotForYou, Exit::Damaged, Exit::Locked], "\
  $ encl mail grep code sealed.eml
  $ encl mail grep -i 'subject: your' sealed.eml"))]
pub(crate) struct Arguments {
    /// A regular expression
    #[arg(value_name = "PATTERN")]
    pattern: String,

    /// Maildirs, mboxes, messages, or folders of them (also of Thunderbird, Apple Mail exports, MH)
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

    #[command(flatten)]
    from: FromOption,

    #[command(flatten)]
    gates: AskOptions,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    arguments.gates.apply(AskPolicy::KnownOwners, context);
    let pattern = pattern(arguments)?;
    let people = context.people()?;
    let identity = arguments.identity.as_deref();
    let keys = unlocked_keys("search", identity, &people, context)?;
    let opener = MailboxOpener {
        keys: &keys,
        people: &people,
        rule: arguments.from.rule(),
        now: context.now,
    };
    let search = MailboxSearch {
        opener: &opener,
        is_match: &|line| pattern.is_match(line),
        new_rng: &new_rng,
        jobs: jobs_to_read(),
    };
    let (mut found, mut tally) = (false, Tally::default());
    let (mut binaries, mut of_others) = (0, 0);
    for path in &arguments.paths {
        // A mailbox that cannot be read is told by the search.
        let _ = AskAhead::new(&opener).mailbox(path, jobs_to_read());
        let mut shown = Ok(());
        let searched = search.search(path, &mut |report| {
            if let SearchOutcome::Searched(searched) = &report.outcome {
                found |= !searched.lines.is_empty();
                binaries += searched.binaries;
                of_others += searched.of_others;
            }
            let shown_now = show(report, arguments, context, &mut tally);
            shown = std::mem::replace(&mut shown, Ok(())).and(shown_now);
        });
        shown?;
        let searched = searched.map_err(|error| mail::mailbox("search", path, &error));
        tally.add(context.terminal, searched);
    }
    if binaries > 0 {
        let text = counted(binaries, "part was", "parts were");
        context
            .terminal
            .notice(&format!("{text} not searched: no text"));
    }
    if of_others > 0 {
        let text = counted(of_others, "envelope was", "envelopes were");
        context
            .terminal
            .notice(&format!("{text} not opened: not for you"));
    }
    tally.end()?;
    match found {
        true => Ok(()),
        false => Err(CommandError::Reported(Exit::Failed)),
    }
}

fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
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

/// `encl.mail-grep/1`
#[derive(Serialize)]
struct Object {
    schema: &'static str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<u64>,
    lines: Vec<String>,
}

fn show(
    report: SearchReport,
    arguments: &Arguments,
    context: &Context,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let name = message_name(&report.path, report.number);
    match report.outcome {
        SearchOutcome::Searched(Searched { lines, unread, .. }) => {
            for why in unread {
                context.terminal.warning(&format!("{name}: {}", safe(&why)));
            }
            if lines.is_empty() {
                return Ok(());
            }
            let words = if arguments.files_with_matches {
                name
            } else {
                let spread = |line: &String| format!("{name}: {}", line.replace('\t', " "));
                lines.iter().map(spread).collect::<Vec<_>>().join("\n")
            };
            let object = Object {
                schema: "encl.mail-grep/1",
                file: report.path.to_string_lossy().into_owned(),
                message: report.number,
                lines,
            };
            let words = Words::Answer(words);
            context.report(&Outcome { object, words }, Stream::Stdout)
        }
        SearchOutcome::Failed(error) => {
            let failure = mail::not_converted("search", &name, &report.path, error);
            tally.add(context.terminal, Err(failure));
            Ok(())
        }
        SearchOutcome::Skipped(skip) => {
            context
                .terminal
                .warning(&format!("{} was not searched: {skip}", shown(&report.path)));
            Ok(())
        }
    }
}
