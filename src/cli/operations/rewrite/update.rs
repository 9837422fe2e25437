//! Envelopes brought in line with a wish: each is looked at first, the differences are shown and asked about, then each is done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::display::names::list;
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::RootId;
use encl::directory::{Person, ResolvedRecipient};
use encl::directory::{key_directory, known_person};
use encl::envelope::{
    Action, ArmorWriter, Change, CurrentAccess, DesiredAccess, EnvelopeId, KeyDirectory,
    LockRequest, Opened, Person as KnownPerson, Plan, Reader, Removals, ResealError, ResealRequest,
    SealError, Sealed, chosen_lock,
};
use encl::policy::Policy;

use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::Input;
use crate::cli::files::parallel::Parallelism;
use crate::cli::operations::open;
use crate::cli::operations::rewrite::changes::{AccessHolder, Differences};
use crate::cli::operations::rewrite::envelope_file::EnvelopeFile;
use crate::cli::operations::rewrite::session::{OpenedEnvelope, RewriteSession, no_identity};
use crate::cli::secrets::keyring::Answers;
use crate::cli::terminal::safe;

/// Who shall have access, as the command line says it.
pub(crate) enum RequestedAccess {
    /// Whoever has it, with the keys that they have now.
    CurrentKeys,
    /// Everybody but these.
    Without(Removals),
    /// These and nobody else; and me, unless I do not want to be one.
    Exactly {
        people: Vec<KnownPerson>,
        no_self: bool,
    },
}

/// What one command does to its envelopes.
pub(crate) struct AccessUpdate<'a> {
    pub(crate) verb: &'static str,
    pub(crate) access: RewriteSession<'a>,
    /// What is sealed anew is not signed.
    pub(crate) anonymous: bool,
    pub(crate) wished: RequestedAccess,
    known: KeyDirectory,
    /// The wish for each set of my identities that is added to it.
    exactly: Mutex<HashMap<Vec<RootId>, Arc<KeyDirectory>>>,
}

/// An envelope that was looked at.
pub(crate) struct Look {
    pub(crate) input: Input,
    pub(crate) id: EnvelopeId,
    pub(crate) action: Action,
    pub(crate) differences: Differences,
    /// Whose signature is lost when it is sealed anew.
    pub(crate) signature_lost: Option<RootId>,
    /// Whether it needs a new passphrase.
    pub(crate) asks_passphrase: bool,
    answers: Mutex<Answers>,
}

impl AsRef<Input> for Look {
    fn as_ref(&self) -> &Input {
        &self.input
    }
}

impl<'a> AccessUpdate<'a> {
    pub(crate) fn new(
        verb: &'static str,
        access: RewriteSession<'a>,
        wished: RequestedAccess,
        anonymous: bool,
    ) -> Result<Self, Failure> {
        Ok(Self {
            verb,
            known: key_directory(access.people, access.context.now)?,
            access,
            anonymous,
            wished,
            exactly: Mutex::default(),
        })
    }

    /// Opens an envelope and compares it with the wish. Where slots are to be added, the content is verified to its end, so that
    /// nothing is done for what was tampered with; what is sealed anew is verified while that is done.
    pub(crate) fn look(&self, input: &Input, parallelism: Parallelism) -> Result<Look, Failure> {
        let subject = self.access.subject(input)?;
        let mut answers = Answers::default();
        let content = self.access.opened(&subject, &mut answers, parallelism)?;
        let content = content.content;
        let about = content.metadata();
        let plan = self.plan(&subject, about)?;
        let look = Look {
            input: input.clone(),
            id: about.manifest.id,
            action: plan.action,
            differences: self.differences(&plan, &about.manifest.policy),
            signature_lost: plan.signature_lost,
            asks_passphrase: plan.action == Action::Reseal
                && plan.remaining.iter().any(|lock| lock.passphrase.is_some()),
            answers: Mutex::new(answers),
        };
        match plan.action {
            Action::Nothing => {}
            Action::Add => {
                content
                    .copy_to(&mut std::io::sink(), parallelism.workers())
                    .map_err(|error| open::failure(input, self.verb, error))?;
            }
            Action::Reseal => refuse_unknown(&subject, &plan, &self.known)?,
        }
        Ok(look)
    }

    /// Does what was found, unless it has changed since. Returns the id, which is another one when it was sealed anew.
    pub(crate) fn act(
        &self,
        look: &Look,
        passphrase: Option<&Passphrase>,
        parallelism: Parallelism,
    ) -> Result<EnvelopeId, Failure> {
        let subject = self.access.subject(&look.input)?;
        let mut answers = look.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match look.action {
            Action::Nothing | Action::Add => self.add(look, &subject, &mut answers),
            Action::Reseal => {
                let opened = self.access.opened(&subject, &mut answers, parallelism)?;
                self.reseal(look, &subject, opened, passphrase, parallelism)
            }
        }
    }

    fn plan(&self, subject: &EnvelopeFile<'_>, about: &Opened) -> Result<Plan, Failure> {
        let (policy, readers) = (&about.manifest.policy, about.readers());
        self.plan_for(subject, policy, &readers, about.signer())
    }

    fn plan_for(
        &self,
        subject: &EnvelopeFile<'_>,
        policy: &Policy,
        readers: &[Reader],
        signer: Option<RootId>,
    ) -> Result<Plan, Failure> {
        let me = self.signer(signer).map(|person| person.card.id());
        let present = CurrentAccess {
            policy,
            readers,
            signer,
        };
        let plan = |wish| present.plan(wish, &self.known, me);
        Ok(match &self.wished {
            RequestedAccess::CurrentKeys => plan(DesiredAccess::CurrentKeys),
            RequestedAccess::Without(leavers) => {
                only_with_leavers(plan(DesiredAccess::Without(leavers)))
            }
            RequestedAccess::Exactly { people, no_self } => {
                let lock = chosen_lock(policy, self.access.options.lock)
                    .map_err(|error| subject.not_rewritten(&error))?;
                let is_mine = |person: &Person| {
                    let keys = || person.card.keys().iter().map(|key| key.public.key_id());
                    let mut here = readers.iter().filter(|reader| reader.lock == lock);
                    here.any(|reader| keys().any(|key| key == reader.key))
                };
                let adds_me = !no_self && policy.locks[usize::from(lock)].need == 1;
                let everybody = &self.access.people;
                let was_mine = everybody.retired.iter().any(is_mine);
                // Whoever reads by a former identity goes on reading by the default one.
                let reads = |(place, person): &(usize, &Person)| {
                    adds_me && (is_mine(person) || was_mine && *place == 0)
                };
                let mine = everybody.active.iter().enumerate().filter(reads);
                let mine = mine.map(|(_, person)| person);
                plan(DesiredAccess::Exactly(
                    lock,
                    &*self.exactly(people, mine.collect())?,
                ))
            }
        })
    }

    /// The wish with me in it, made once for all envelopes.
    fn exactly(
        &self,
        people: &[KnownPerson],
        mine: Vec<&Person>,
    ) -> Result<Arc<KeyDirectory>, Failure> {
        let ids: Vec<RootId> = mine.iter().map(|person| person.card.id()).collect();
        let mut made = self.exactly.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(&ids) {
            return Ok(Arc::clone(known));
        }
        let others = people
            .iter()
            .filter(|one| !ids.contains(&one.current.recipient.id));
        let mut all: Vec<KnownPerson> = others.cloned().collect();
        for me in mine {
            all.push(known_person(
                &ResolvedRecipient::stored(me.clone()),
                self.access.context.now,
            )?);
        }
        let known = Arc::new(KeyDirectory::new(all));
        made.insert(ids, Arc::clone(&known));
        Ok(known)
    }

    /// Whoever acts: the author, if that is me.
    fn actor(&self, author: Option<RootId>) -> Option<&'a Person> {
        let is_author = |person: &Person| author == Some(person.card.id());
        self.access.actor(is_author)
    }

    /// Whoever signs what is sealed anew, if anybody does.
    fn signer(&self, author: Option<RootId>) -> Option<&'a Person> {
        self.actor(author).filter(|_| !self.anonymous)
    }

    /// Whether what is sealed anew is signed.
    pub(crate) fn is_signed(&self) -> bool {
        self.signer(None).is_some()
    }

    fn differences(&self, plan: &Plan, policy: &Policy) -> Differences {
        Differences::of(&plan.changes, &self.known, policy.locks.len())
    }

    fn add(
        &self,
        look: &Look,
        subject: &EnvelopeFile<'_>,
        answers: &mut Answers,
    ) -> Result<EnvelopeId, Failure> {
        let mut rewriting = self.access.rewriting(subject, answers)?;
        let manifest = rewriting.manifest();
        let (policy, id) = (&manifest.policy, manifest.id);
        let plan = self.plan_for(subject, policy, &manifest.readers(), policy.signer)?;
        refuse_changed(look, subject, id, &self.differences(&plan, policy))?;
        let Some(by) = self.actor(policy.signer) else {
            return Err(no_identity(subject.cannot(Exit::Usage).what));
        };
        let key = self.access.signing_key(by.card.id())?;
        let (at, mut rng) = (self.access.context.now, self.access.context.rng());
        for change in &plan.changes {
            if let Change::Added(lock, one) | Change::NewKey(lock, one) = change {
                rewriting
                    .grant(one, Some(*lock), (key, at), &mut rng)
                    .map_err(|error| subject.not_rewritten(&error))?;
            }
        }
        subject.write(rewriting)?;
        Ok(id)
    }

    fn reseal(
        &self,
        look: &Look,
        subject: &EnvelopeFile<'_>,
        opened: OpenedEnvelope<'_>,
        passphrase: Option<&Passphrase>,
        parallelism: Parallelism,
    ) -> Result<EnvelopeId, Failure> {
        let OpenedEnvelope {
            is_armored,
            content,
        } = opened;
        let about = content.metadata();
        let plan = self.plan(subject, about)?;
        let differences = self.differences(&plan, &about.manifest.policy);
        refuse_changed(look, subject, about.manifest.id, &differences)?;
        let lock = |remaining: encl::envelope::Remaining| LockRequest {
            need: remaining.need,
            recipients: remaining.people,
            passphrase: (remaining.passphrase)
                .map(|cost: Cost| (passphrase.expect("asked for where one is needed"), cost)),
        };
        let signer = self.signer(about.signer());
        let signer = signer.map(|person| self.access.signing_key(person.card.id()));
        let request = ResealRequest {
            locks: plan.remaining.into_iter().map(lock).collect(),
            signer: signer.transpose()?,
            workers: parallelism.workers(),
        };
        let mut sink = subject.sink()?;
        let mut rng = self.access.context.rng();
        let sealed: Result<(Opened, Sealed), ResealError> = if is_armored {
            ArmorWriter::new(&mut sink)
                .map_err(|error| SealError::Write(error).into())
                .and_then(|mut armor| {
                    let sealed = content.reseal(&request, &mut armor, &mut rng)?;
                    armor.finish().map_err(SealError::Write)?;
                    Ok(sealed)
                })
        } else {
            content.reseal(&request, &mut sink, &mut rng)
        };
        let (_, sealed) = sealed.map_err(|error| not_resealed(subject, error))?;
        subject.commit(sink)?;
        Ok(sealed.id)
    }
}

/// Where nobody leaves, revoking does nothing, also about keys that are out of date.
fn only_with_leavers(mut plan: Plan) -> Plan {
    if !plan
        .changes
        .iter()
        .any(|change| matches!(change, Change::Removed(..)))
    {
        plan.action = Action::Nothing;
        plan.changes.clear();
        plan.signature_lost = None;
    }
    plan
}

/// What was shown and agreed to is what is done, or nothing is.
fn refuse_changed(
    look: &Look,
    subject: &EnvelopeFile<'_>,
    id: EnvelopeId,
    differences: &Differences,
) -> Result<(), Failure> {
    if id == look.id && *differences == look.differences {
        return Ok(());
    }
    Err(subject
        .cannot(Exit::Failed)
        .reason("it was changed after it was checked")
        .hint("run it again"))
}

/// Whoever remains needs a key to seal to.
fn refuse_unknown(
    subject: &EnvelopeFile<'_>,
    plan: &Plan,
    known: &KeyDirectory,
) -> Result<(), Failure> {
    let unknown = plan.remaining.iter().flat_map(|lock| &lock.unknown);
    let words: Vec<String> = unknown
        .map(|reader| AccessHolder::reading(reader, known).words().to_owned())
        .collect();
    if words.is_empty() {
        return Ok(());
    }
    Err(subject
        .cannot(Exit::Recipient)
        .reason(format!(
            "it must be encrypted again, and no key is known here for {}",
            list(&words)
        ))
        .hint("add their cards, remove them too (`encl revoke --from` accepts a key id), or name everybody who remains: `encl rewrap FILE --to …`"))
}

fn not_resealed(subject: &EnvelopeFile<'_>, error: ResealError) -> Failure {
    match error {
        ResealError::Open(error) => open::failure(subject.input, subject.verb, error),
        ResealError::Seal(SealError::Write(error)) => subject.not_written(&error),
        ResealError::Seal(SealError::Read(error)) => {
            subject.cannot(Exit::Failed).reason(io_message(&error))
        }
        ResealError::Seal(SealError::Passphrase(error)) => {
            subject.cannot(Exit::Locked).caused_by(&error)
        }
        ResealError::Seal(SealError::Request(reason)) => {
            subject.cannot(Exit::Refused).reason(safe(&reason))
        }
    }
}
