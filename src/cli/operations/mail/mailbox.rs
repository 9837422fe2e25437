//! What `mail seal` and `mail unseal` share: going through mailboxes, and telling what became of each message.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use encl::mail::archive::{
    Archive, ArchiveError, Event, MessageError, MessageOutcome as Became, Mode, Report, Run,
    Transform,
};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally, io_message};
use crate::cli::terminal::progress::ItemProgress;
use crate::cli::terminal::{Stream, safe, shown};

/// How many messages are given their other form at once, whatever the processors: each waits for the disk most of the
/// time, since it must be durable before its old form goes, and syncs that are asked for together are done together.
const JOBS: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");

/// Which mailboxes, and how.
#[derive(Debug, Args)]
pub(crate) struct ArchiveOptions {
    /// Maildirs, mboxes, folders of .eml files, or such files
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    /// Dry run: show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// How many messages to process at the same time [default: 8]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Move the originals to a folder below DIR instead of removing them
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    keep_original: Option<PathBuf>,
}

/// The words of one of the two commands.
pub(crate) struct Words {
    /// "seal"
    pub(crate) verb: &'static str,
    /// "sealed"
    pub(crate) done: &'static str,
    /// `encl.mail-seal/1`
    pub(crate) schema: &'static str,
}

/// How many messages became what.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    done: u64,
    already: u64,
    skipped: u64,
    failed: u64,
}

/// Goes through all paths, one after the other; each stands alone.
pub(crate) fn run<T: Transform<Error = Failure>>(
    options: &ArchiveOptions,
    transform: &T,
    words: &Words,
    context: &Context,
) -> CommandResult {
    let run = Run {
        transform,
        jobs: options.jobs(),
        originals: options.keep_original.as_deref(),
        mode: if options.dry_run {
            Mode::DryRun
        } else {
            Mode::Apply
        },
    };
    let mut telling = MailboxReport {
        words,
        context,
        rehearsed: options.dry_run,
        counts: Counts::default(),
        tally: Tally::default(),
        steps: ItemProgress::new(context.terminal),
    };
    for path in &options.paths {
        let archive = Archive::find(path);
        let gone_through = archive.and_then(|archive| {
            run.run_on(&archive, &mut |event| telling.event(event))
                .map(drop)
        });
        let gone_through = gone_through.map_err(|error| not_gone_through(words.verb, path, &error));
        telling.tally.add(context.terminal, gone_through);
    }
    telling.end()
}

impl ArchiveOptions {
    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    pub(crate) fn is_rehearsal(&self) -> bool {
        self.dry_run
    }

    fn jobs(&self) -> NonZeroUsize {
        self.jobs.unwrap_or(JOBS)
    }
}

/// How many messages are searched at once, where nothing waits for the disk: one for each processor.
pub(crate) fn jobs_to_read() -> NonZeroUsize {
    std::thread::available_parallelism().map_or(NonZeroUsize::MIN, |number| number.min(JOBS))
}

struct MailboxReport<'a> {
    words: &'a Words,
    context: &'a Context,
    rehearsed: bool,
    counts: Counts,
    tally: Tally,
    steps: ItemProgress,
}

impl MailboxReport<'_> {
    fn event(&mut self, event: Event<Failure>) {
        match event {
            Event::Folder { path, messages } => self.steps.begin(&shown(&path), messages),
            Event::Message(report) => {
                self.steps.step();
                self.message(report);
            }
        }
    }

    fn message(&mut self, report: Report<Failure>) {
        let name = name(&report);
        let (word, reason) = match &report.outcome {
            Became::Converted => (self.done(), None),
            Became::SourceGone(path) => {
                let reason = format!(
                    "the original was deleted or moved in the meantime; the new file is kept as {}",
                    shown(path)
                );
                (self.done(), Some(reason))
            }
            Became::Already => {
                self.counts.already += 1;
                ("already", None)
            }
            Became::Skipped(skip) => {
                self.counts.skipped += 1;
                ("skipped", Some(safe(&skip.to_string())))
            }
            Became::Failed(_) => {
                self.counts.failed += 1;
                ("failed", None)
            }
        };
        if let (Some(reason), false) = (&reason, self.context.json) {
            let text = format!("{name} was {word}: {reason}");
            self.context.terminal.warning(&text);
        }
        if self.context.json {
            let object = Object {
                schema: self.words.schema,
                file: report.path.to_string_lossy().into_owned(),
                message: report.number,
                outcome: word,
                reason,
            };
            let told = self.context.terminal.print_object(&object, Stream::Stdout);
            self.tally.add(self.context.terminal, told);
        }
        if let Became::Failed(error) = report.outcome {
            let failure = failure(self.words.verb, &name, &report.path, error);
            self.tally.add(self.context.terminal, Err(failure));
        }
    }

    fn done(&mut self) -> &'static str {
        self.counts.done += 1;
        if self.rehearsed {
            "to be done"
        } else {
            self.words.done
        }
    }

    fn end(self) -> CommandResult {
        drop(self.steps);
        let Counts {
            done,
            already,
            skipped,
            failed,
        } = self.counts;
        let word = self.words.done;
        let messages = if done == 1 { "message" } else { "messages" };
        let did = if self.rehearsed {
            format!("{done} {messages} would be {word}")
        } else {
            format!("{done} {messages} {word}")
        };
        self.context.terminal.status(&format!(
            "{did}, {already} already done, {skipped} skipped, {failed} failed"
        ));
        self.tally.end()
    }
}

/// The message that a report is about, for people.
pub(crate) fn name(report: &Report<Failure>) -> String {
    match report.number {
        None => shown(&report.path),
        Some(number) => format!("message {number} of {}", shown(&report.path)),
    }
}

/// Why a message is as it was.
pub(crate) fn failure(
    verb: &str,
    name: &str,
    path: &Path,
    error: MessageError<Failure>,
) -> Failure {
    let what = format!("cannot {verb} {name}");
    match error {
        MessageError::Transform(inner) => {
            let mut failure = Failure { what, ..inner };
            failure.file = Some(path.to_owned());
            failure
        }
        other => {
            let exit = match other {
                MessageError::Occupied(_) | MessageError::OriginalDiffers(_) => Exit::Exists,
                _ => Exit::Failed,
            };
            let failure = Failure::new(exit, what).file(path);
            caused(failure, &other)
        }
    }
}

/// Why a mailbox was not gone through.
pub(crate) fn not_gone_through(verb: &str, path: &Path, error: &ArchiveError) -> Failure {
    let exit = match error {
        ArchiveError::NotMail(_) | ArchiveError::OriginalsInside(_) => Exit::Usage,
        ArchiveError::OriginalDiffers(_) => Exit::Exists,
        _ => Exit::Failed,
    };
    let failure = Failure::new(exit, format!("cannot {verb} {}", shown(path))).file(path);
    caused(failure, error)
}

fn caused(failure: Failure, error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut failure = failure.reason(safe(&error.to_string()));
    let mut next = error.source();
    while let Some(source) = next {
        failure = match source.downcast_ref::<std::io::Error>() {
            Some(error) => failure.reason(io_message(error)),
            None => failure.reason(safe(&source.to_string())),
        };
        next = source.source();
    }
    failure.reasons.dedup();
    failure
}

/// `encl.mail-seal/1` and `encl.mail-unseal/1`, one for each message.
#[derive(Serialize)]
struct Object {
    schema: &'static str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<u64>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Removes what Dovecot keeps of messages in clear, and says what is not reached by that.
pub(crate) fn purge_caches(path: &Path, context: &Context) -> Result<(), Failure> {
    let purged = Archive::find(path).and_then(|archive| archive.purge_caches());
    let purged = purged.map_err(|error| not_gone_through("purge the caches of", path, &error))?;
    for cache in purged {
        let what = format!("cannot remove {}", shown(&cache.path));
        cache.removed.map_err(|error| Failure::io(what, &error))?;
        context
            .terminal
            .status(&format!("{} was removed", shown(&cache.path)));
    }
    Ok(())
}
