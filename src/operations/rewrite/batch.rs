//! Many envelopes: all are planned and shown; then, after a yes, all are changed.

use super::Mode;
use super::wish::PlannedUpdate;
use crate::crypto::passphrase::Passphrase;
use crate::envelope::{Action, EnvelopeId, Workers};

/// What to do about an envelope whose author's signature would be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignaturePolicy {
    /// It is left as it is, and that is an error.
    Preserve,
    /// It is sealed again without that signature.
    Drop,
}

/// How many envelopes were, or would be, changed in which way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Need no change.
    pub unchanged: usize,
    /// Get slots.
    pub added: usize,
    /// Lose slots.
    pub dropped: usize,
    /// Are sealed again.
    pub resealed: usize,
    /// Of those that are sealed again: nobody had signed them, and now somebody does.
    pub newly_signed: usize,
    /// Of those that are sealed again: nobody had signed them, and nobody does.
    pub unsigned: usize,
    /// Of those that are sealed again: readers stay whom not the author let in.
    pub with_let_in: usize,
    /// Of those that are sealed again: people lose access of whom a person has to say that they are meant.
    pub with_unmeant: usize,
    /// Are left for the author's signature.
    pub skipped: usize,
    /// Could not be planned or changed.
    pub failed: usize,
}

impl Counts {
    fn add(&mut self, update: &PlannedUpdate) {
        match update.action {
            Action::Nothing => {}
            Action::Add => self.added += 1,
            Action::Drop => self.dropped += 1,
            Action::Reseal => {
                self.resealed += 1;
                match (update.was_signed, update.signer) {
                    (true, _) => {}
                    (false, Some(_)) => self.newly_signed += 1,
                    (false, None) => self.unsigned += 1,
                }
                self.with_let_in += usize::from(!update.changes.stays.is_empty());
                self.with_unmeant += usize::from(!update.unmeant.is_empty());
            }
        }
    }

    fn of<I>(planned: &[(I, PlannedUpdate)]) -> Self {
        let mut counts = Self::default();
        for (_, update) in planned {
            counts.add(update);
        }
        counts
    }
}

/// Follows a batch: a program shows it as text or as objects. `I` is an envelope's place, `E` the program's error.
pub trait Observer<I, E> {
    /// An envelope was planned; nothing is changed yet.
    ///
    /// # Errors
    /// It counts as failed then.
    fn planned(&mut self, item: &I, planned: &PlannedUpdate) -> Result<(), E>;

    /// An envelope is left for its author's signature.
    fn skipped(&mut self, item: &I, planned: &PlannedUpdate);

    /// An envelope was changed, and has this id now.
    ///
    /// # Errors
    /// It counts as failed then.
    fn done(&mut self, item: &I, planned: &PlannedUpdate, id: EnvelopeId) -> Result<(), E>;

    /// An envelope could not be planned or changed.
    fn failed(&mut self, item: &I, error: E);

    /// Asks whether all that was planned is to be done, and says whom that removes perhaps without being meant.
    ///
    /// # Errors
    /// It is not: nothing is done.
    fn confirm(&mut self, counts: Counts, planned: &[(I, PlannedUpdate)]) -> Result<(), E>;

    /// A new passphrase for all envelopes that have one: somebody whose access is removed may know the old one.
    ///
    /// # Errors
    /// There is none: nothing is done.
    fn passphrase(&mut self) -> Result<Passphrase, E>;

    /// All is done.
    fn finished(&mut self, counts: Counts);
}

/// Runs work on many envelopes, several at once where that is good, and hands on the results in their order.
pub trait Executor<I> {
    /// Does `work` for each item.
    fn each<J: AsRef<I> + Sync, T: Send>(
        &self,
        items: &[J],
        work: impl Fn(&J, Workers) -> T + Sync,
        result: impl FnMut(&J, T) + Send,
    );
}

/// How many envelopes are changed.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// Whether anything is changed.
    pub mode: Mode,
    /// What is done about signatures of others.
    pub signatures: SignaturePolicy,
}

impl Batch {
    /// Plans all `items`, and applies what was planned. `is_copied` says which envelopes are written somewhere else, and so also
    /// if nothing changes.
    ///
    /// # Errors
    /// Those of [`Observer::confirm`] and [`Observer::passphrase`]; nothing was changed then.
    pub fn run<I: AsRef<I> + Clone + Sync + Send, E: Send>(
        self,
        items: &[I],
        executor: &impl Executor<I>,
        plan: impl Fn(&I, Workers) -> Result<PlannedUpdate, E> + Sync,
        apply: impl Fn(&I, &PlannedUpdate, Option<&Passphrase>, Workers) -> Result<EnvelopeId, E> + Sync,
        is_copied: impl Fn(&I) -> bool,
        observer: &mut (impl Observer<I, E> + Send),
    ) -> Result<(), E> {
        let mut counts = Counts::default();
        let mut planned = Vec::new();
        executor.each(items, plan, |item: &I, result| {
            let shown = result.and_then(|update| {
                observer.planned(item, &update)?;
                Ok(update)
            });
            match shown {
                Ok(update) => planned.push((item.clone(), update)),
                Err(error) => {
                    counts.failed += 1;
                    observer.failed(item, error);
                }
            }
        });
        let to_do = self.choose(planned, &is_copied, &mut counts, observer);
        let planned = Counts::of(&to_do);
        if self.mode == Mode::DryRun {
            counts.added = planned.added;
            counts.dropped = planned.dropped;
            counts.resealed = planned.resealed;
            counts.with_unmeant = planned.with_unmeant;
        } else if !to_do.is_empty() {
            if planned.added + planned.dropped + planned.resealed > 0 {
                observer.confirm(planned, &to_do)?;
            }
            let needs_passphrase = to_do.iter().any(|(_, update)| update.needs_passphrase);
            let passphrase = needs_passphrase
                .then(|| observer.passphrase())
                .transpose()?;
            let work =
                |one: &Planned<I>, workers| apply(&one.0.0, &one.0.1, passphrase.as_ref(), workers);
            let to_do: Vec<Planned<I>> = to_do.into_iter().map(Planned).collect();
            executor.each(&to_do, work, |Planned((item, update)), result| {
                let shown = result.and_then(|id| {
                    counts.add(update);
                    observer.done(item, update, id)
                });
                if let Err(error) = shown {
                    counts.failed += 1;
                    observer.failed(item, error);
                }
            });
        }
        observer.finished(counts);
        Ok(())
    }

    /// Counts what needs no change and what is skipped, and hands back the rest.
    fn choose<I, E>(
        self,
        planned: Vec<(I, PlannedUpdate)>,
        is_copied: &impl Fn(&I) -> bool,
        counts: &mut Counts,
        observer: &mut impl Observer<I, E>,
    ) -> Vec<(I, PlannedUpdate)> {
        let mut to_do = Vec::new();
        for (item, update) in planned {
            if update.action == Action::Nothing {
                counts.unchanged += 1;
            }
            if self.signatures == SignaturePolicy::Preserve && update.signature_lost.is_some() {
                counts.skipped += 1;
                observer.skipped(&item, &update);
            } else if update.action != Action::Nothing || is_copied(&item) {
                to_do.push((item, update));
            }
        }
        to_do
    }
}

struct Planned<I>((I, PlannedUpdate));

impl<I> AsRef<I> for Planned<I> {
    fn as_ref(&self) -> &I {
        &self.0.0
    }
}
