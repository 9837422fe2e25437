//! Why an envelope stays shut where several have to come together: who has given, who could, and which approval is wrong.

use crate::cli::display::names::DisplayName;
use crate::cli::display::names::list;
use crate::cli::display::names::with_address;
use encl::crypto::KeyId;
use encl::directory::{People, Person, Trust};
use encl::envelope::{Holder, Manifest, OpenError, Quorum, ReaderKey, Source, WrongShare};
use encl::policy::{Policy, Recipient};

use crate::cli::errors::Failure;
use crate::cli::files::input::Input;
use crate::cli::operations::open;
use crate::cli::operations::open::approvals::Approvals;
use crate::cli::terminal::{quoted, typed};

/// What has to be known of an envelope before it is opened, to say afterwards why it did not open.
pub(crate) struct UnlockContext<'a> {
    people: &'a People,
    /// Those of my keys that are used, which may be one identity's only.
    keys: Vec<ReaderKey>,
    approvals: &'a Approvals,
    /// How many locks it has.
    locks: usize,
    /// What colleagues call me, as it is typed; nothing where nobody has to be asked.
    me: Option<String>,
    is_in_mail: bool,
}

impl<'a> UnlockContext<'a> {
    /// `keys` are those of mine that it will be opened with.
    pub(crate) fn of(
        manifest: &Manifest,
        keys: Vec<ReaderKey>,
        people: &'a People,
        approvals: &'a Approvals,
    ) -> Self {
        let Policy { locks, .. } = &manifest.policy;
        let is_for_several = locks.len() > 1 || locks.iter().any(|lock| lock.need > 1);
        Self {
            people,
            approvals,
            locks: locks.len(),
            me: is_for_several.then(|| me(&manifest.policy, &keys, people)),
            keys,
            is_in_mail: false,
        }
    }

    /// The same for an envelope that may be in a message, which those who are asked cannot name as a file.
    pub(crate) fn in_mail(self, is_in_mail: bool) -> Self {
        Self { is_in_mail, ..self }
    }

    /// The failure that tells `error`: "cannot VERB INPUT".
    pub(crate) fn failure(&self, input: &Input, verb: &str, error: OpenError) -> Failure {
        let plain = |error| Failure {
            reasons: Vec::new(),
            ..open::failure(input, verb, error)
        };
        match error {
            OpenError::Quorum(quorum) => {
                let reasons = self.reasons(&quorum);
                let hint = self.hint(input, verb, &quorum);
                let failure = Failure {
                    reasons: reasons,
                    ..plain(OpenError::Quorum(quorum))
                };
                failure.hint(hint)
            }
            OpenError::Share(wrong) => {
                let reason = self.wrong(&wrong);
                let hint = match wrong.source {
                    Source::Slot(_) => "ask the sender for another copy of the envelope",
                    Source::Approval(_) => "leave it out, or ask for a new one",
                };
                plain(OpenError::Share(wrong)).reason(reason).hint(hint)
            }
            OpenError::Approval { approval, lock } => {
                let name = self.approvals.name(approval);
                plain(error)
                    .reason(format!(
                        "{name}, for lock {lock}, was forged or changed, or its maker holds no share of that lock"
                    ))
                    .hint("leave it out, or ask for a new one")
            }
            other => open::failure(input, verb, other),
        }
    }

    fn reasons(&self, quorum: &Quorum) -> Vec<String> {
        let Quorum {
            lock,
            need,
            of,
            given,
            could,
        } = quorum;
        let says = "the policy, not verified, says that";
        let more = match quorum.missing() {
            1 => "1 more is needed".to_owned(),
            number => format!("{number} more are needed"),
        };
        let rule = match (need, of) {
            (1, 0) => format!("lock {lock} must be opened too"),
            (1, 1) => format!("lock {lock} must be opened too, by one person"),
            (1, of) => format!("lock {lock} must be opened too, by any one of {of}"),
            _ if self.locks > 1 => {
                format!("any {need} of {of} are needed together to open lock {lock}")
            }
            _ => format!("any {need} of {of} are needed together to open it"),
        };
        let mut reasons = vec![format!("{more}: {says} {rule}")];
        if *need > 1 {
            reasons.push(format!("shares given by: {}", self.listed(given, "nobody")));
        }
        let could = self.listed(could, "the others, who are named only to each other");
        reasons.push(format!("who could still give one: {could}"));
        reasons
    }

    fn listed(&self, holders: &[Holder], nobody: &str) -> String {
        let words: Vec<_> = holders.iter().map(|one| self.words(one)).collect();
        if words.is_empty() {
            nobody.to_owned()
        } else {
            list(&words)
        }
    }

    /// How the others are asked. They find me under my address.
    fn hint(&self, input: &Input, verb: &str, quorum: &Quorum) -> String {
        let others = quorum.could.iter().find_map(|holder| match holder {
            Holder::Named(one) if !self.people.is_my_key(one.key) => Some(self.name(one)),
            _ => None,
        });
        let others = others.unwrap_or_else(|| "the others".to_owned());
        let (first, file, verb) = match self.is_in_mail {
            true => ("save the envelope as FILE, then ", quoted(None), "unwrap"),
            false => ("", quoted(input.path()), verb),
        };
        let me = self.me.as_deref().unwrap_or("YOU");
        let lock = match self.locks {
            1 => String::new(),
            _ => format!(" --lock {}", quorum.lock),
        };
        format!(
            "{first}ask {others} for: encl approve {file} --to {me}{lock}; then: encl {verb} {file} --with APPROVAL"
        )
    }

    fn wrong(&self, wrong: &WrongShare) -> String {
        let WrongShare { source, lock, says } = wrong;
        let source = match source {
            Source::Slot(slot) => format!("slot {slot}"),
            Source::Approval(approval) => self.approvals.name(*approval).to_owned(),
        };
        let says = match says {
            Some(holder) => format!(
                "it claims to be the share of {}, and the policy, not verified, says that it is not",
                self.words(holder)
            ),
            None => "the policy, not verified, has no share with its number".to_owned(),
        };
        format!("the share in {source}, for lock {lock}, was forged or changed: {says}")
    }

    fn words(&self, holder: &Holder) -> String {
        match holder {
            Holder::Share(_) => holder.to_string(),
            Holder::Named(one) if has(&self.keys, one.key) => "you".to_owned(),
            Holder::Named(one) => match self.known(one) {
                Some(person) if person.trust == Trust::Me => {
                    format!("you as {}", person.display_name())
                }
                Some(person) => person.display_name(),
                None => one.display_name(),
            },
        }
    }

    /// The name alone.
    fn name(&self, one: &Recipient) -> String {
        match self.known(one) {
            Some(person) => with_address(person.card.name(), None),
            None => with_address(&one.name, None),
        }
    }

    /// Somebody of the keystore, whose card certifies the key. A policy can put any name to any key.
    fn known(&self, one: &Recipient) -> Option<Person> {
        let person = self.people.with_id(one.id).ok().flatten()?;
        has_key(&person, one.key).then_some(person)
    }
}

fn has_key(person: &Person, key: KeyId) -> bool {
    let mut keys = person.card.keys().iter();
    keys.any(|known| known.public.key_id() == key)
}

fn has(keys: &[ReaderKey], key: KeyId) -> bool {
    keys.iter().any(|mine| mine.id == key)
}

/// What the policy's people call me: by the identity that it names, else by the first that is used.
fn me(policy: &Policy, keys: &[ReaderKey], people: &People) -> String {
    let mut named = policy.recipients().map(|one| one.key);
    let named = named.find(|key| has(keys, *key));
    let key = named.or(keys.first().map(|key| key.id));
    let mut mine = people.readers();
    let person = key.and_then(|key| mine.find(|person| has_key(person, key)));
    let address = person.and_then(|person| person.card.addresses().first());
    address.map_or_else(|| "YOU".to_owned(), |address| typed(address, "YOU"))
}
