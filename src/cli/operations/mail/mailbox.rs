//! Runs over mailboxes: each message reported as text for people or as JSON for programs.

use std::path::Path;

use encl::crypto::CryptoRng;
use encl::directory::People;
use encl::mail::archive::{
    Archive, ArchiveError, MessageOutcome, Mode, Report, Run, Skip, Tally as Counts, Transform,
};
use encl::operations::MyKeys;
use encl::operations::mail::mailbox::{ConversionError, MailboxObserver, convert, is_mail_left};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde::Serialize;

use crate::cli::args::mail::mailbox::ArchiveOptions;
use crate::cli::context::Context;
use crate::cli::errors::envelope::unlock_failure;
use crate::cli::errors::keystore::NO_IDENTITY;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally, mail};
use crate::cli::terminal::progress::ItemProgress;
use crate::cli::terminal::{Stream, Terminal, safe, shown};

/// The words of one of the two commands.
pub(crate) struct Words {
    /// "seal"
    pub(crate) verb: &'static str,
    /// "sealed"
    pub(crate) done: &'static str,
    /// `encl.mail-seal/1`
    pub(crate) schema: &'static str,
    /// Whether what is skipped stays in the clear.
    pub(crate) leaves_clear: bool,
}

/// Converts all mailboxes, one after the other; each stands alone.
pub(crate) fn run<T: Transform<Error = ConversionError>>(
    options: &ArchiveOptions,
    transform: &T,
    words: &'static Words,
    context: &Context,
) -> CommandResult {
    let run = Run {
        transform,
        jobs: options.jobs(),
        originals: options.originals(),
        mode: options.mode(),
    };
    let failures = Failures::new(words.verb, context.terminal);
    let mode = options.mode();
    if context.json {
        let mut report = JsonReport {
            words,
            mode,
            failures,
        };
        convert(&run, options.paths(), &mut report);
        return report.failures.tally.end();
    }
    let mut report = TextReport {
        words,
        mode,
        failures,
        progress: ItemProgress::new(context.terminal),
    };
    let counts = convert(&run, options.paths(), &mut report);
    report.end(counts)
}

/// My keys, or those of the identity that is named, unlocked now: nothing is asked for while a mailbox is worked on.
pub(crate) fn unlocked_keys<'a>(
    verb: &str,
    identity: Option<&str>,
    people: &People,
    context: &'a Context,
) -> Result<MyKeys<'a>, Failure> {
    if people.readers().next().is_none() {
        let what = format!("cannot {verb} anything");
        return Err(Failure::new(Exit::NotForYou, what)
            .reason("you have no identity")
            .hint(NO_IDENTITY));
    }
    let keys = match context.identity_name(identity) {
        Some(name) => MyKeys::new(context, [people.my_identity(&name)?]),
        None => MyKeys::new(context, people.readers()),
    };
    keys.unlock_all().map_err(unlock_failure)?;
    Ok(keys)
}

/// The operating system's randomness, for each thread that needs it.
pub(crate) fn new_rng() -> Box<dyn CryptoRng> {
    Box::new(UnwrapErr(SysRng))
}

/// The message that a report is about, for people.
pub(crate) fn message_name(path: &Path, number: Option<u64>) -> String {
    match number {
        None => shown(path),
        Some(number) => format!("message {number} of {}", shown(path)),
    }
}

/// Removes what Dovecot keeps of messages in clear, and says what was removed.
pub(crate) fn purge_caches(path: &Path, context: &Context) -> Result<(), Failure> {
    let purged = Archive::find(path).and_then(|archive| archive.purge_caches());
    let purged = purged.map_err(|error| mail::mailbox("purge the caches of", path, &error))?;
    for cache in purged {
        let what = format!("cannot remove {}", shown(&cache.path));
        cache.removed.map_err(|error| Failure::io(what, &error))?;
        context
            .terminal
            .status(&format!("{} was removed", shown(&cache.path)));
    }
    Ok(())
}

/// The failures of a run, each shown at once.
struct Failures {
    verb: &'static str,
    terminal: Terminal,
    tally: Tally,
}

impl Failures {
    fn new(verb: &'static str, terminal: Terminal) -> Self {
        Self {
            verb,
            terminal,
            tally: Tally::default(),
        }
    }

    fn add(&mut self, result: Result<(), Failure>) {
        self.tally.add(self.terminal, result);
    }

    fn message(&mut self, report: Report<ConversionError>, words: &Words) {
        let name = message_name(&report.path, report.number);
        match report.outcome {
            MessageOutcome::Failed(error) => {
                let failure = mail::not_converted(self.verb, &name, &report.path, error);
                self.add(Err(failure));
            }
            MessageOutcome::Skipped(skip) if words.is_left(&report.path, &skip) => {
                self.add(Err(mail::left_in_clear(&name, &report.path, &skip)));
            }
            _ => {}
        }
    }

    fn mailbox(&mut self, path: &Path, error: &ArchiveError) {
        self.add(Err(mail::mailbox(self.verb, path, error)));
    }
}

/// For people: what is not as expected, and the sum at the end.
struct TextReport {
    words: &'static Words,
    mode: Mode,
    failures: Failures,
    progress: ItemProgress,
}

impl MailboxObserver for TextReport {
    fn folder(&mut self, path: &Path, messages: u64) {
        self.progress.begin(&shown(path), messages);
    }

    fn message(&mut self, report: Report<ConversionError>) {
        self.progress.step();
        let (word, reason) = describe(&report.outcome, self.words, self.mode);
        let is_left = matches!(&report.outcome, MessageOutcome::Skipped(skip) if self.words.is_left(&report.path, skip));
        if let Some(reason) = reason.filter(|_| !is_left) {
            let name = message_name(&report.path, report.number);
            let text = format!("{name} was {word}: {reason}");
            self.failures.terminal.warning(&text);
        }
        self.failures.message(report, self.words);
    }

    fn failed(&mut self, path: &Path, error: ArchiveError) {
        self.failures.mailbox(path, &error);
    }
}

impl TextReport {
    fn end(self, counts: Counts) -> CommandResult {
        drop(self.progress);
        let Counts {
            done,
            already,
            skipped,
            failed,
            ..
        } = counts;
        let word = self.words.done;
        let messages = if done == 1 { "message" } else { "messages" };
        let did = match self.mode {
            Mode::DryRun => format!("{done} {messages} would be {word}"),
            Mode::Apply => format!("{done} {messages} {word}"),
        };
        self.failures.terminal.status(&format!(
            "{did}, {already} already done, {skipped} skipped, {failed} failed"
        ));
        self.failures.tally.end()
    }
}

/// For programs: one object for each message.
struct JsonReport {
    words: &'static Words,
    mode: Mode,
    failures: Failures,
}

impl MailboxObserver for JsonReport {
    fn folder(&mut self, _: &Path, _: u64) {}

    fn message(&mut self, report: Report<ConversionError>) {
        let (outcome, reason) = describe(&report.outcome, self.words, self.mode);
        let object = Object {
            schema: self.words.schema,
            file: report.path.to_string_lossy().into_owned(),
            message: report.number,
            outcome,
            reason,
        };
        let terminal = self.failures.terminal;
        self.failures.add(
            terminal
                .print_object(&object, Stream::Stdout)
                .map_err(Failure::from),
        );
        self.failures.message(report, self.words);
    }

    fn failed(&mut self, path: &Path, error: ArchiveError) {
        self.failures.mailbox(path, &error);
    }
}

impl Words {
    /// Whether something skipped is mail that stays in the clear, which is a failure.
    fn is_left(&self, path: &Path, skip: &Skip) -> bool {
        self.leaves_clear && is_mail_left(path, skip)
    }
}

/// The word for an outcome, and a reason where that is not enough. A failure is shown apart.
fn describe(
    outcome: &MessageOutcome<ConversionError>,
    words: &Words,
    mode: Mode,
) -> (&'static str, Option<String>) {
    let done = match mode {
        Mode::DryRun => "to be done",
        Mode::Apply => words.done,
    };
    match outcome {
        MessageOutcome::Converted => (done, None),
        MessageOutcome::SourceGone(path) => {
            let reason = format!(
                "the original was deleted or moved in the meantime; the new file is kept as {}",
                shown(path)
            );
            (done, Some(reason))
        }
        MessageOutcome::Already => ("already", None),
        MessageOutcome::Skipped(skip) => ("skipped", Some(safe(&skip.to_string()))),
        MessageOutcome::Failed(_) => ("failed", None),
    }
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
