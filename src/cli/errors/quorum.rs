//! Why an envelope does not open where several people must come together: who has given, who could, and which approval is wrong.

use std::path::Path;

use encl::crypto::KeyId;
use encl::directory::{People, Person, Trust};
use encl::envelope::{Holder, OpenError, Quorum, ReaderKey, Source, WrongShare};
use encl::policy::{GateKind, Policy, Recipient};

use crate::cli::display::names::{DisplayName, list, with_address};
use crate::cli::errors::{Failure, envelope};
use crate::cli::terminal::{quoted, safe, typed};

/// Where an envelope lies, and so how colleagues can name it.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// In a file, or on standard input.
    File(Option<&'a Path>),
    /// In a message, out of which it has to be saved first.
    Message,
}

/// What is known of an envelope that did not open.
pub(crate) struct UnlockContext<'a> {
    /// What was attempted with it.
    pub(crate) verb: &'static str,
    pub(crate) place: Place<'a>,
    pub(crate) people: &'a People,
    /// What it says, not verified, about who may read it.
    pub(crate) policy: &'a Policy,
    /// The keys of mine that were tried, which may be one identity's only.
    pub(crate) keys: &'a [ReaderKey],
    pub(crate) approvals: &'a ApprovalNames,
}

/// Where the approvals came from, in the order in which they were given.
#[derive(Default)]
pub(crate) struct ApprovalNames(pub(crate) Vec<String>);

impl ApprovalNames {
    pub(crate) fn name(&self, approval: usize) -> &str {
        self.0.get(approval).map_or("an approval", |name| name)
    }
}

impl UnlockContext<'_> {
    /// The failure that explains `error`. `cannot` says what was attempted.
    pub(crate) fn failure(&self, cannot: Failure, error: OpenError) -> Failure {
        let plain = |error| Failure {
            reasons: Vec::new(),
            ..envelope::failure(cannot.clone(), error)
        };
        match error {
            OpenError::Quorum(quorum) => {
                let reasons = self.reasons(&quorum);
                let hint = self.hint(&quorum);
                let failure = Failure {
                    reasons,
                    ..plain(OpenError::Quorum(quorum))
                };
                failure.hint(hint)
            }
            OpenError::Share(wrong) => {
                let reason = self.wrong(&wrong);
                let hint = match wrong.source {
                    Source::Slot(_) => "ask the sender for another copy of the envelope",
                    Source::Approval(_) => "leave it out, or ask for a new one",
                    Source::Gate(_) => "tell whoever runs the gate",
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
            other => envelope::failure(cannot, other),
        }
    }

    fn reasons(&self, quorum: &Quorum) -> Vec<String> {
        let Quorum {
            lock,
            need,
            of,
            given,
            could,
            is_gate,
        } = quorum;
        if *is_gate {
            return self.gate_reasons(quorum);
        }
        let says = "the policy, not verified, says that";
        let more = match quorum.missing() {
            1 => "1 more is needed".to_owned(),
            number => format!("{number} more are needed"),
        };
        let rule = match (need, of) {
            (1, 0) => format!("lock {lock} must be opened too"),
            (1, 1) => format!("lock {lock} must be opened too, by one person"),
            (1, of) => format!("lock {lock} must be opened too, by any one of {of}"),
            _ if self.policy.locks.len() > 1 => {
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

    /// A lock whose gates cannot be asked, or not enough of them.
    fn gate_reasons(&self, quorum: &Quorum) -> Vec<String> {
        let gates = self.listed(&quorum.could, "none");
        let says = "the policy, not verified, says that";
        let mut reasons = vec![match quorum.of {
            0 | 1 => format!("{says} its gate must be asked too: {gates}"),
            of => format!(
                "{says} {} of its {of} gates must be asked too: {gates}",
                quorum.need
            ),
        }];
        if !quorum.given.is_empty() {
            let given = self.listed(&quorum.given, "nobody");
            reasons.push(format!("shares given by: {given}"));
        }
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
    fn hint(&self, quorum: &Quorum) -> String {
        if quorum.is_gate {
            let servers = quorum.could.iter().find_map(|holder| match holder {
                Holder::Gate(gate) if gate.kind == GateKind::Server => Some(gate),
                _ => None,
            });
            let url = servers.and_then(|gate| gate.url.clone());
            let url = url.map_or("URL".to_owned(), |url| safe(&url));
            return format!("ask the sender which gate that is, and add it: encl gate add {url}");
        }
        let others = quorum.could.iter().find_map(|holder| match holder {
            Holder::Named(one) if !self.people.is_my_key(one.key) => Some(self.name(one)),
            _ => None,
        });
        let others = others.unwrap_or_else(|| "the others".to_owned());
        let (first, file, verb) = match self.place {
            Place::Message => ("save the envelope as FILE, then ", quoted(None), "unwrap"),
            Place::File(path) => ("", quoted(path), self.verb),
        };
        let me = me(self.policy, self.keys, self.people);
        let lock = match self.policy.locks.len() {
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
            Source::Gate(_) => source.to_string(),
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
            Holder::Share(_) | Holder::Gate(_) => safe(&holder.to_string()),
            Holder::Named(one) if has(self.keys, one.key) => "you".to_owned(),
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

    /// The person in the keystore whose card certifies the key. A policy can claim any name for any key.
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
