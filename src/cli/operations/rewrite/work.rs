//! One envelope of a batch: opened, planned, and written as planned.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use encl::atomic_file::Lock;
use encl::crypto::passphrase::Passphrase;
use encl::envelope::{Action, EnvelopeId, ResealError, Rewriting, SealError};
use encl::operations::keys::TypedPassphrase;
use encl::operations::rewrite::{AccessUpdate, PlannedUpdate, ResealForm, SlotUpdate, UpdateError};
use encl::operations::seal::Encoding;

use crate::cli::errors::rewrite::not_updated;
use crate::cli::errors::{Exit, Failure, envelope};
use crate::cli::files::input::Input;
use crate::cli::files::parallel::Parallelism;
use crate::cli::operations::gate::rewriting::{self, GateStates, Replacement};
use crate::cli::operations::rewrite::envelope_file::EnvelopeFile;
use crate::cli::operations::rewrite::session::{OpenedEnvelope, RewriteSession};

/// What is done to every envelope.
pub(super) enum Update<'a> {
    /// It is compared with a wish; slots are added, or it is sealed again.
    Access(AccessUpdate<'a>),
    /// Slots are added or removed.
    Slots(SlotUpdate<'a>),
}

/// Opens, plans and rewrites one envelope.
pub(super) struct Work<'a> {
    verb: &'static str,
    session: &'a RewriteSession<'a>,
    update: &'a Update<'a>,
    states: &'a GateStates<'a>,
    /// The passphrases that were typed when the envelopes were planned.
    typed: Mutex<HashMap<Input, TypedPassphrase>>,
    /// What failed after an envelope was written.
    late: Mutex<Vec<Failure>>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        verb: &'static str,
        session: &'a RewriteSession<'a>,
        update: &'a Update<'a>,
        states: &'a GateStates<'a>,
    ) -> Self {
        Self {
            verb,
            session,
            update,
            states,
            typed: Mutex::default(),
            late: Mutex::default(),
        }
    }

    /// What failed after envelopes were written: about the old ones, whose place they have taken.
    pub(super) fn into_late(self) -> Vec<Failure> {
        self.late
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Where slots are to be added, the content is verified to its end, so that nothing is added to what was tampered with; what is
    /// sealed again is verified while that is done. A grant does not look at the content.
    pub(super) fn plan(
        &self,
        input: &Input,
        parallelism: Parallelism,
    ) -> Result<PlannedUpdate, Failure> {
        let file = self.session.subject(input, Lock::Leave)?;
        let mut typed = TypedPassphrase::default();
        let planned = match self.update {
            Update::Slots(update) => {
                let mut rewriting = self.session.rewriting(&file, &mut typed)?;
                let (keys, mut rng) = (self.session.keys(), self.session.context.rng());
                update.plan(&mut rewriting, keys, &mut rng)
            }
            Update::Access(update) => {
                let opened = self.session.opened(&file, &mut typed, parallelism)?;
                let content = opened.content;
                let planned = update.plan(content.metadata());
                if let Ok(planned) = &planned
                    && planned.action == Action::Add
                {
                    content
                        .copy_to(&mut io::sink(), parallelism.workers())
                        .map_err(|error| envelope::failure(file.cannot(Exit::Failed), error))?;
                }
                planned
            }
        };
        let planned = planned.map_err(|error| self.not_updated(&file, error))?;
        let mut cache = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(input.clone(), typed);
        Ok(planned)
    }

    /// Applies the plan, unless the envelope has changed since. Returns its id, which is a new one if it was sealed again.
    pub(super) fn apply(
        &self,
        input: &Input,
        planned: &PlannedUpdate,
        passphrase: Option<&Passphrase>,
        parallelism: Parallelism,
    ) -> Result<EnvelopeId, Failure> {
        let file = self.session.subject(input, Lock::Take)?;
        let mut typed = self.typed(input);
        match self.update {
            Update::Access(update) if planned.action == Action::Reseal => {
                let opened = self.session.opened(&file, &mut typed, parallelism)?;
                self.reseal(update, planned, &file, opened, passphrase, parallelism)
            }
            update => self.change_slots(update, planned, &file, &mut typed),
        }
    }

    fn typed(&self, input: &Input) -> TypedPassphrase {
        let mut cache = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        cache.remove(input).unwrap_or_default()
    }

    fn change_slots(
        &self,
        update: &Update<'_>,
        planned: &PlannedUpdate,
        file: &EnvelopeFile<'_>,
        typed: &mut TypedPassphrase,
    ) -> Result<EnvelopeId, Failure> {
        let mut rewriting = self.session.rewriting(file, typed)?;
        let keys = self.session.keys();
        let mut rng = self.session.context.rng();
        let changed = match update {
            Update::Access(update) => update.add(planned, &mut rewriting, keys, &mut rng),
            Update::Slots(update) => update.apply(planned, &mut rewriting, keys, &mut rng),
        };
        changed.map_err(|error| self.not_updated(file, error))?;
        self.allow(planned, &rewriting, file)?;
        file.write(rewriting)?;
        Ok(planned.id)
    }

    /// Lets those who get a slot in at the gates, before the slot is written.
    fn allow<R: Read>(
        &self,
        planned: &PlannedUpdate,
        rewriting: &Rewriting<R>,
        file: &EnvelopeFile<'_>,
    ) -> Result<(), Failure> {
        let lock = rewriting.manifest().gate.as_ref();
        let Some(lock) = lock.filter(|_| rewriting.needs_allowance()) else {
            return Ok(());
        };
        let newcomers = planned.changes.added.iter().filter_map(|holder| holder.id);
        let me = (self.session.people, self.session.keys());
        let cannot = file.cannot(Exit::Refused);
        rewriting::allow(lock, newcomers, me, &cannot, self.session.context)
    }

    fn reseal(
        &self,
        update: &AccessUpdate<'_>,
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
        let old_gate = opened.content.metadata().manifest.gate.clone();
        let mut sink = file.sink()?;
        let resealed = update.reseal(
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
        let resealed = resealed.map_err(|error| match error {
            UpdateError::Reseal(ResealError::Seal(SealError::Write(error))) => {
                file.not_written(&error)
            }
            error => self.not_updated(file, error),
        })?;
        file.commit(sink)?;
        if let (Some(old), Some(new)) = (&old_gate, &resealed.gate) {
            self.follow_up(&Replacement {
                old,
                new,
                name: &file.input.name(),
                revokes_old: self.session.options.output.is_none(),
            });
        }
        Ok(resealed.id)
    }

    /// The new one is on the disk: now the old one may end, unless it was to stay as it is. What was said of it until then is said of
    /// the new one.
    fn follow_up(&self, replacement: &Replacement<'_>) {
        let (session, name) = (self.session, replacement.name);
        let me = (session.people, session.keys());
        let revoked = match replacement.revokes_old {
            true => rewriting::revoke_old(replacement.old, me, name, session.context),
            false => Ok(()),
        };
        let carried = self.states.carry_over(replacement);
        let failures = revoked.err().into_iter().chain(carried.err());
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.extend(failures);
    }

    fn not_updated(&self, file: &EnvelopeFile<'_>, error: UpdateError) -> Failure {
        debug_assert_eq!(self.verb, file.verb);
        not_updated(file.cannot(Exit::Failed), error)
    }
}
