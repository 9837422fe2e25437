//! One change for all envelopes of a command: planned, shown, agreed to, done.

use encl::crypto::passphrase::Passphrase;
use encl::envelope::{Action, EnvelopeId, GateLock, Removals, Workers};
use encl::operations::rewrite::{
    AccessUpdate, Batch, Counts, Executor, Mode, Observer, PlannedUpdate, RequestedAccess,
    SignaturePolicy, SlotChange, SlotUpdate, UpdateOptions,
};
use encl::policy::Gate;

use crate::cli::args::rewrite::ResealOptions;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::files::parallel::{self, Parallelism};
use crate::cli::operations::gate::rewriting::{GateKeyBook, GateStates};
use crate::cli::operations::gate::sealing;
use crate::cli::operations::rewrite::printers::{JsonPrinter, Own, Printer, TextPrinter};
use crate::cli::operations::rewrite::question::Question;
use crate::cli::operations::rewrite::session::RewriteSession;
use crate::cli::operations::rewrite::work::{Update, Work};
use crate::cli::secrets::passphrase::PassphraseFor;

pub(crate) use crate::cli::operations::rewrite::question::Consent;

/// What a command wants of its envelopes, and how it speaks of it.
pub(crate) struct BatchRequest<'a> {
    pub(crate) verb: &'static str,
    pub(crate) schema: &'static str,
    pub(crate) change: RequestedChange,
    /// What was answered on the command line.
    pub(crate) reseal: &'a ResealOptions,
    pub(crate) consent: Consent,
    /// Unknown people whom a complete list may leave out.
    pub(crate) meant: Removals,
    /// What is said of an envelope that needs no change.
    pub(crate) unchanged: String,
    /// The limits of what is done, in one line.
    pub(crate) caveat: &'a str,
    /// Members of its objects that those of other commands do not have.
    pub(crate) own: Own<'a>,
}

/// What is wanted.
pub(crate) enum RequestedChange {
    /// These readers.
    Access(RequestedAccess),
    /// These slots, and all else as it is.
    Slots(SlotChange),
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
        change,
        reseal,
        consent,
        meant,
        unchanged,
        caveat,
        own,
    } = request;
    let (options, context) = (session.options, session.context);
    let signatures = match options.resign {
        true => SignaturePolicy::Drop,
        false => SignaturePolicy::Preserve,
    };
    let book = GateKeyBook::read(session.people, context)?;
    let gate_key = |gate: &Gate| book.key_of(gate);
    let gate_keeper = sealing::keeper(context, None);
    let me = (session.people, session.keys());
    let states = GateStates::new(me, reseal.unasked, context);
    let gate_state = |lock: &GateLock| states.of(lock);
    let update_options = UpdateOptions {
        actor: session.named(),
        lock: options.lock,
        signing: reseal.signing(options.resign),
        let_in: reseal.let_in(),
        meant: Some(&meant),
        gate_key: Some(&gate_key),
        gate_keeper: Some(&gate_keeper),
        gate_state: Some(&gate_state),
    };
    let (people, now) = (session.people, context.now);
    let update = match change {
        RequestedChange::Access(requested) => {
            AccessUpdate::new(people, requested, update_options, now).map(Update::Access)
        }
        RequestedChange::Slots(change) => {
            SlotUpdate::new(people, change, update_options, now).map(Update::Slots)
        }
    };
    let update = update.map_err(Failure::from)?;
    let work = Work::new(verb, session, &update, &states);
    let printer: Box<dyn Printer + Send> = match context.json {
        true => Box::new(JsonPrinter {
            schema,
            options,
            signatures,
            own,
            people,
            terminal: context.terminal,
        }),
        false => Box::new(TextPrinter {
            options,
            people,
            unchanged,
            terminal: context.terminal,
        }),
    };
    let mut observer = CommandObserver {
        verb,
        session,
        printer,
        question: Question {
            verb,
            consent,
            reseal,
            caveat,
            context,
        },
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
    let ran = batch.run(
        inputs,
        &SideBySide,
        |input, workers| work.plan(input, workers.into()),
        |input, planned, passphrase, workers| {
            work.apply(input, planned, passphrase, workers.into())
        },
        |input| options.goes_elsewhere(input),
        &mut observer,
    );
    for failure in work.into_late() {
        observer.tally.add(context.terminal, Err(failure));
    }
    ran?;
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

/// Shows a batch, asks, and counts the failures.
struct CommandObserver<'a> {
    verb: &'static str,
    session: &'a RewriteSession<'a>,
    printer: Box<dyn Printer + Send + 'a>,
    question: Question<'a>,
    is_one: bool,
    failed_before: usize,
    tally: Tally,
}

impl Observer<Input, Failure> for CommandObserver<'_> {
    fn planned(&mut self, input: &Input, planned: &PlannedUpdate) -> Result<(), Failure> {
        if is_unrecorded(planned) {
            self.session.context.terminal.warning(&format!(
                "{}: no record leads from the author to you, so the people you add will be shown as unrecorded too",
                self.session.options.target(input).name()
            ));
        }
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

    fn confirm(
        &mut self,
        counts: Counts,
        planned: &[(Input, PlannedUpdate)],
    ) -> Result<(), Failure> {
        self.question.ask(counts, planned)
    }

    fn passphrase(&mut self) -> Result<Passphrase, Failure> {
        let passphrases = &self.session.context.passphrases;
        passphrases.new_one(PassphraseFor::Envelope, "the new envelopes")
    }

    fn finished(&mut self, counts: Counts) {
        let (options, terminal) = (self.session.options, self.session.context.terminal);
        if counts.resealed + counts.dropped > 0 && !options.dry_run {
            terminal.notice(self.question.caveat);
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

fn is_unrecorded(planned: &PlannedUpdate) -> bool {
    let is_added = planned.action == Action::Add;
    is_added && planned.granter.is_some_and(|by| !by.is_recorded)
}
