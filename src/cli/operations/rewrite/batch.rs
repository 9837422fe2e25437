//! One change for all envelopes of a command: planned, shown, agreed to, done.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use encl::atomic_file::Lock;
use encl::crypto::passphrase::Passphrase;
use encl::envelope::{Action, EnvelopeId, ResealError, SealError, Workers};
use encl::operations::keys::TypedPassphrase;
use encl::operations::rewrite::{
    AccessUpdate, Batch, Counts, Executor, Mode, Observer, PlannedUpdate, RequestedAccess,
    ResealForm, SignaturePolicy, SigningPolicy, UpdateError, UpdateOptions,
};
use encl::operations::seal::Encoding;

use crate::cli::args::rewrite::ResealOptions;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::rewrite::not_updated;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally, envelope};
use crate::cli::files::input::Input;
use crate::cli::files::parallel::{self, Parallelism};
use crate::cli::operations::rewrite::envelope_file::EnvelopeFile;
use crate::cli::operations::rewrite::printers::{JsonPrinter, Printer, TextPrinter};
use crate::cli::operations::rewrite::session::{OpenedEnvelope, RewriteSession};
use crate::cli::secrets::passphrase::PassphraseFor;

/// What a command wants of its envelopes, and how it speaks of it.
pub(crate) struct BatchRequest<'a> {
    pub(crate) verb: &'static str,
    pub(crate) schema: &'static str,
    pub(crate) requested: RequestedAccess,
    /// Which envelopes are signed when they are sealed again.
    pub(crate) signing: SigningPolicy,
    /// What was answered on the command line.
    pub(crate) reseal: &'a ResealOptions,
    pub(crate) signatures: SignaturePolicy,
    /// What is said of an envelope that needs no change.
    pub(crate) unchanged: String,
    /// The limits of sealing again, in one line.
    pub(crate) caveat: &'a str,
}

/// Changes all `inputs`; `tally` has the failures so far.
pub(crate) fn run(
    request: BatchRequest<'_>,
    session: &RewriteSession<'_>,
    inputs: &[Input],
    tally: Tally,
) -> CommandResult {
    let BatchRequest {
        verb,
        schema,
        requested,
        signing,
        reseal,
        signatures,
        unchanged,
        caveat,
    } = request;
    let (options, context) = (session.options, session.context);
    let update = AccessUpdate::new(
        session.people,
        requested,
        UpdateOptions {
            actor: session.named(),
            lock: options.lock,
            signing,
            let_in: reseal.let_in(),
        },
        context.now,
    )
    .map_err(Failure::from)?;
    let work = Work {
        verb,
        session,
        update: &update,
        typed: Mutex::default(),
    };
    let printer: Box<dyn Printer + Send> = match context.json {
        true => Box::new(JsonPrinter {
            schema,
            options,
            signatures,
            terminal: context.terminal,
        }),
        false => Box::new(TextPrinter {
            options,
            people: session.people,
            unchanged,
            terminal: context.terminal,
        }),
    };
    let mut observer = CommandObserver {
        verb,
        session,
        printer,
        reseal,
        caveat,
        is_one: inputs.len() == 1,
        failed_before: tally.failures(),
        tally,
    };
    let batch = Batch {
        mode: match options.dry_run {
            true => Mode::DryRun,
            false => Mode::Apply,
        },
        signatures,
    };
    batch.run(
        inputs,
        &SideBySide,
        |input, workers| work.plan(input, workers.into()),
        |input, planned, passphrase, workers| {
            work.apply(input, planned, passphrase, workers.into())
        },
        |input| options.goes_elsewhere(input),
        &mut observer,
    )?;
    observer.tally.end()
}

/// Inputs side by side, as all commands work on them.
struct SideBySide;

impl Executor<Input> for SideBySide {
    fn each<J: AsRef<Input> + Sync, T: Send>(
        &self,
        items: &[J],
        work: impl Fn(&J, Workers) -> T + Sync,
        result: impl FnMut(&J, T) + Send,
    ) {
        let work = |item: &J, parallelism: Parallelism| work(item, parallelism.workers());
        parallel::each(items, |_| None, work, result);
    }
}

/// Opens, plans and rewrites one envelope.
struct Work<'a> {
    verb: &'static str,
    session: &'a RewriteSession<'a>,
    update: &'a AccessUpdate<'a>,
    /// The passphrases that were typed when the envelopes were planned.
    typed: Mutex<HashMap<Input, TypedPassphrase>>,
}

impl Work<'_> {
    /// Where slots are to be added, the content is verified to its end, so that nothing is added to what was tampered with; what is
    /// sealed again is verified while that is done.
    fn plan(&self, input: &Input, parallelism: Parallelism) -> Result<PlannedUpdate, Failure> {
        let file = self.session.subject(input, Lock::Leave)?;
        let mut typed = TypedPassphrase::default();
        let opened = self.session.opened(&file, &mut typed, parallelism)?;
        let content = opened.content;
        let planned = self.update.plan(content.metadata());
        let planned = planned.map_err(|error| self.not_updated(&file, error))?;
        if planned.action == Action::Add {
            content
                .copy_to(&mut io::sink(), parallelism.workers())
                .map_err(|error| envelope::failure(file.cannot(Exit::Failed), error))?;
        }
        let mut cache = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(input.clone(), typed);
        Ok(planned)
    }

    /// Applies the plan, unless the envelope has changed since. Returns its id, which is a new one if it was sealed again.
    fn apply(
        &self,
        input: &Input,
        planned: &PlannedUpdate,
        passphrase: Option<&Passphrase>,
        parallelism: Parallelism,
    ) -> Result<EnvelopeId, Failure> {
        let file = self.session.subject(input, Lock::Take)?;
        let mut typed = self.typed(input);
        match planned.action {
            Action::Nothing | Action::Add => self.add(planned, &file, &mut typed),
            Action::Reseal => {
                let opened = self.session.opened(&file, &mut typed, parallelism)?;
                self.reseal(planned, &file, opened, passphrase, parallelism)
            }
        }
    }

    fn typed(&self, input: &Input) -> TypedPassphrase {
        let mut cache = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        cache.remove(input).unwrap_or_default()
    }

    fn add(
        &self,
        planned: &PlannedUpdate,
        file: &EnvelopeFile<'_>,
        typed: &mut TypedPassphrase,
    ) -> Result<EnvelopeId, Failure> {
        let mut rewriting = self.session.rewriting(file, typed)?;
        let keys = self.session.keys();
        let mut rng = self.session.context.rng();
        let added = self.update.add(planned, &mut rewriting, keys, &mut rng);
        added.map_err(|error| self.not_updated(file, error))?;
        file.write(rewriting)?;
        Ok(planned.id)
    }

    fn reseal(
        &self,
        planned: &PlannedUpdate,
        file: &EnvelopeFile<'_>,
        opened: OpenedEnvelope<'_>,
        passphrase: Option<&Passphrase>,
        parallelism: Parallelism,
    ) -> Result<EnvelopeId, Failure> {
        let encoding = match opened.is_armored {
            true => Encoding::Armor,
            false => Encoding::Binary,
        };
        let mut sink = file.sink()?;
        let resealed = self.update.reseal(
            planned,
            opened.content,
            self.session.keys(),
            &ResealForm {
                passphrase,
                encoding,
                workers: parallelism.workers(),
            },
            &mut sink,
            &mut self.session.context.rng(),
        );
        let id = resealed.map_err(|error| match error {
            UpdateError::Reseal(ResealError::Seal(SealError::Write(error))) => {
                file.not_written(&error)
            }
            error => self.not_updated(file, error),
        })?;
        file.commit(sink)?;
        Ok(id)
    }

    fn not_updated(&self, file: &EnvelopeFile<'_>, error: UpdateError) -> Failure {
        debug_assert_eq!(self.verb, file.verb);
        not_updated(file.cannot(Exit::Failed), error)
    }
}

/// Shows a batch, asks, and counts the failures.
struct CommandObserver<'a> {
    verb: &'static str,
    session: &'a RewriteSession<'a>,
    printer: Box<dyn Printer + Send + 'a>,
    reseal: &'a ResealOptions,
    caveat: &'a str,
    is_one: bool,
    failed_before: usize,
    tally: Tally,
}

impl Observer<Input, Failure> for CommandObserver<'_> {
    fn planned(&mut self, input: &Input, planned: &PlannedUpdate) -> Result<(), Failure> {
        self.printer.planned(input, planned)
    }

    fn skipped(&mut self, input: &Input, planned: &PlannedUpdate) {
        let options = self.session.options;
        if options.dry_run {
            return;
        }
        let author = planned
            .signature_lost
            .map(|id| self.session.people.signer(id));
        let author = author.map_or_else(String::new, |author| author.display_name());
        let failure = input
            .cannot(self.verb, Exit::Refused)
            .reason(format!(
                "it must be encrypted again, and the signature of {author} would be lost"
            ))
            .hint("--resign accepts that and signs as you; only adding people keeps the signature");
        self.failed(input, failure);
    }

    fn done(
        &mut self,
        input: &Input,
        planned: &PlannedUpdate,
        id: EnvelopeId,
    ) -> Result<(), Failure> {
        self.printer.done(input, planned, id)
    }

    fn failed(&mut self, _: &Input, error: Failure) {
        self.tally.add(self.session.context.terminal, Err(error));
    }

    fn confirm(&mut self, counts: Counts) -> Result<(), Failure> {
        if self.reseal.yes {
            return self.require_decision(counts);
        }
        let caveat = match counts.resealed {
            0 => String::new(),
            _ => format!("{} ({})", doubts(counts), self.caveat),
        };
        let question = format!(
            "Make these changes: {}{}?{caveat}",
            describe(counts),
            doubts(counts)
        );
        let context = self.session.context;
        context.confirm(&question, &format!("cannot {} anything", self.verb))
    }

    fn passphrase(&mut self) -> Result<Passphrase, Failure> {
        let passphrases = &self.session.context.passphrases;
        passphrases.new_one(PassphraseFor::Envelope, "the new envelopes")
    }

    fn finished(&mut self, counts: Counts) {
        let (options, terminal) = (self.session.options, self.session.context.terminal);
        if counts.resealed > 0 && !options.dry_run {
            terminal.notice(self.caveat);
        }
        self.session.warn_of_unused_approvals();
        if !self.is_one {
            let counts = Counts {
                failed: counts.failed + self.failed_before,
                ..counts
            };
            self.printer.finished(counts);
        }
    }
}

impl CommandObserver<'_> {
    /// Without a question nobody sees who stays, so the command line has to say what becomes of them.
    fn require_decision(&self, counts: Counts) -> Result<(), Failure> {
        let is_decided = self.reseal.keep_granted || self.reseal.drop_granted;
        if counts.with_let_in == 0 || is_decided {
            return Ok(());
        }
        let what = format!("cannot {} anything", self.verb);
        let envelopes = match counts.with_let_in {
            1 => "1 envelope keeps".to_owned(),
            number => format!("{number} envelopes keep"),
        };
        Err(Failure::new(Exit::Refused, what)
            .reason(format!(
                "{envelopes} readers whom not the author but another reader let in, and you would name them"
            ))
            .hint("--dry-run lists them; --keep-granted accepts that, --drop-granted removes them"))
    }
}

/// What should be known before a yes: "; ! 1 was not signed, and you sign that now"
fn doubts(counts: Counts) -> String {
    let were = |number: usize, doubt: &str| match number {
        0 => None,
        1 => Some(format!("; ! 1 was not signed, {doubt}")),
        _ => Some(format!("; ! {number} were not signed, {doubt}")),
    };
    let stay = match counts.with_let_in {
        0 => None,
        number => Some(format!(
            "; in {number} readers stay whom not the author let in"
        )),
    };
    let doubts = [
        were(counts.newly_signed, "and you sign that now"),
        were(counts.unsigned, "and you do not sign it either"),
        stay,
    ];
    doubts.into_iter().flatten().collect()
}

/// "give access to 3 envelopes, encrypt 1 envelope again"
fn describe(counts: Counts) -> String {
    let envelopes = |number: usize| match number {
        1 => "1 envelope".to_owned(),
        _ => format!("{number} envelopes"),
    };
    let added = format!("give access to {}", envelopes(counts.added));
    let resealed = format!("encrypt {} again", envelopes(counts.resealed));
    let parts = [(counts.added, added), (counts.resealed, resealed)];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    parts.map(|(_, part)| part).collect::<Vec<_>>().join(", ")
}
