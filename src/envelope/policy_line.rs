//! Line 2: the policy as JSON, read and checked. Writing is serde's, checked by the same rules.

use std::collections::{BTreeMap, HashSet};

use super::error::OpenError;
use super::gate::terms::{self, GateMembers, is_described};
use crate::crypto::KeyId;
use crate::crypto::passphrase::Cost;
use crate::crypto::signing::RootId;
use crate::identity::{ADDRESS_BYTES_MAX, NAME_BYTES_MAX};
use crate::json::{Error, Text, Value};
use crate::policy::{
    Conditions, Hash, LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX, LOCKS_MAX, Lock,
    Opens, Padding, Policy, RECIPIENTS_MAX, Recipient, SHARES_MAX,
};

/// Bytes of line 2, without its line feed.
pub(super) const POLICY_BYTES_MAX: usize = 8 << 20;

/// Reads and checks a policy.
pub(super) fn parse(line: &[u8]) -> Result<Policy, OpenError> {
    Text::check(line)
        .and_then(|text| policy(&text))
        .and_then(|policy| check(&policy).map(|()| policy))
        .map_err(|error| OpenError::in_line("the policy (line 2)", &error))
}

/// Writes a policy as its line, without the line feed, after the checks that a reader makes.
pub(super) fn write(policy: &Policy) -> Result<Vec<u8>, Error> {
    check(policy)?;
    let line = serde_json::to_vec(policy).expect("a policy has only text, numbers and lists");
    if line.len() > POLICY_BYTES_MAX {
        return Err(Error::over_limit("the line has more than 8 MiB"));
    }
    Text::check(&line)?;
    Ok(line)
}

fn policy(text: &Text<'_>) -> Result<Policy, Error> {
    let (mut locks, mut signed, mut private, mut padding) = (None, None, None, None);
    let (mut author, mut created, mut labels) = (None, None, None);
    let mut conditions = Conditions::default();
    text.object(|name, value| {
        match name {
            "locks" => locks = Some(value.array(LOCKS_MAX, lock)?),
            "signed" => signed = Some(value.boolean()?),
            "private" => private = Some(value.boolean()?),
            "padding" => padding = Some(padding_of(value)?),
            "signer" => author = Some(RootId(value.base64()?)),
            "created" => created = Some(value.time()?),
            "not_before" => conditions.not_before = Some(value.time()?),
            "expires" => conditions.expires = Some(value.time()?),
            "labels" => labels = Some(labels_of(value)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(Policy {
        locks: locks.ok_or_else(|| Error::missing("locks"))?,
        signed: signed.ok_or_else(|| Error::missing("signed"))?,
        private: private.ok_or_else(|| Error::missing("private"))?,
        padding: padding.ok_or_else(|| Error::missing("padding"))?,
        labels: labels.unwrap_or_default(),
        signer: author,
        created,
        conditions,
    })
}

fn padding_of(value: Value<'_>) -> Result<Padding, Error> {
    match &*value.text(usize::MAX)? {
        "none" => Ok(Padding::None),
        "padme" => Ok(Padding::Padme),
        other => Err(Error::newer(format!("padding {other:?}"))),
    }
}

fn labels_of(value: Value<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut labels = BTreeMap::new();
    value.object(|name, value| {
        if name.len() > LABEL_NAME_BYTES_MAX {
            return Err(Error::over_limit("a label's name"));
        }
        labels.insert(
            name.to_owned(),
            value.text(LABEL_VALUE_BYTES_MAX)?.into_owned(),
        );
        Ok(())
    })?;
    if labels.is_empty() {
        return Err(Error::malformed("`labels` is empty"));
    }
    Ok(labels)
}

/// The members of both kinds; what the kind asks for shows when the object closes.
#[derive(Default)]
struct LockMembers {
    kind: Option<LockKind>,
    need: Option<u8>,
    commit: Option<[u8; 32]>,
    shares: Option<Vec<Hash>>,
    passphrase: Option<Cost>,
    passphrase_commit: Option<[u8; 32]>,
    recipients: Option<Vec<Recipient>>,
    gate: GateMembers,
}

#[derive(Clone, Copy)]
enum LockKind {
    Recipients,
    Gate,
}

fn lock(value: Value<'_>) -> Result<Lock, Error> {
    let mut members = LockMembers::default();
    value.object(|name, value| members.take(name, value))?;
    members.lock(value.written().len())
}

impl LockMembers {
    fn take(&mut self, name: &str, value: Value<'_>) -> Result<(), Error> {
        match name {
            "kind" => self.kind = Some(known_kind(value)?),
            "need" => self.need = Some(byte(value, 1)?),
            "commit" => self.commit = Some(value.base64()?),
            "shares" => {
                self.shares = Some(value.array(SHARES_MAX, |share| share.base64().map(Hash))?);
            }
            "passphrase" => self.passphrase = Some(cost(value)?),
            "passphrase_commit" => self.passphrase_commit = Some(value.base64()?),
            "recipients" => self.recipients = Some(recipients(value)?),
            name => return self.gate.take(name, value),
        }
        Ok(())
    }

    /// `bytes`: the length of the object as it was written.
    fn lock(self, bytes: usize) -> Result<Lock, Error> {
        let kind = self.kind.ok_or_else(|| Error::missing("kind"))?;
        let need = self.need.ok_or_else(|| Error::missing("need"))?;
        let commit = self.commit.ok_or_else(|| Error::missing("commit"))?;
        let has_others = match kind {
            LockKind::Recipients => !self.gate.is_empty(),
            LockKind::Gate => {
                self.passphrase.is_some()
                    || self.passphrase_commit.is_some()
                    || self.recipients.is_some()
            }
        };
        require(!has_others, "a member of another kind of lock")?;
        if self.shares.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::malformed("`shares` is empty"));
        }
        let opens = match kind {
            LockKind::Recipients => Opens::Recipients {
                passphrase: self.passphrase,
                passphrase_commit: self.passphrase_commit,
                named: self.recipients,
            },
            LockKind::Gate => Opens::Gates(Box::new(self.gate.terms(bytes)?)),
        };
        Ok(Lock {
            need,
            commit,
            shares: self.shares.unwrap_or_default(),
            opens,
        })
    }
}

fn known_kind(value: Value<'_>) -> Result<LockKind, Error> {
    match &*value.text(usize::MAX)? {
        "recipients" => Ok(LockKind::Recipients),
        "gate" => Ok(LockKind::Gate),
        other => Err(Error::newer(format!("lock kind {other:?}"))),
    }
}

/// The bytes of the last lock, as they stand in a policy that was parsed.
pub(super) fn last_lock(line: &[u8]) -> Option<&[u8]> {
    let mut last = None;
    let text = Text::check(line).ok()?;
    let walked = text.object(|name, value| {
        if name == "locks" {
            value.array(LOCKS_MAX, |value| {
                last = Some(value.written().as_bytes());
                Ok(())
            })?;
        }
        Ok(())
    });
    walked.ok().and(last)
}

/// Reads a lock that stands alone, as a gate is given it, and checks what can be checked without the other locks.
pub(super) fn parse_lock(bytes: &[u8]) -> Result<Lock, Error> {
    let text = Text::check(bytes)?;
    // Blanks around the object are not of it, and would give another ticket.
    require(
        bytes.starts_with(b"{") && bytes.ends_with(b"}"),
        "a lock with blanks around it",
    )?;
    let mut members = LockMembers::default();
    text.object(|name, value| members.take(name, value))?;
    let lock = members.lock(bytes.len())?;
    check_lock(&lock)?;
    Ok(lock)
}

fn byte(value: Value<'_>, least: u8) -> Result<u8, Error> {
    let number = u8::try_from(value.number()?)
        .ok()
        .filter(|number| *number >= least);
    number.ok_or_else(|| Error::malformed("`need` is not 1 to 255"))
}

fn cost(value: Value<'_>) -> Result<Cost, Error> {
    Cost::new(value.number()?).ok_or_else(|| Error::malformed("`passphrase` is not 16 to 20"))
}

/// A list of recipients, in the policy or in the private line.
pub(super) fn recipients(value: Value<'_>) -> Result<Vec<Recipient>, Error> {
    value.array(RECIPIENTS_MAX, recipient)
}

fn recipient(value: Value<'_>) -> Result<Recipient, Error> {
    let (mut person, mut address, mut id, mut key) = (None, None, None, None);
    value.object(|name, value| {
        match name {
            "name" => person = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "address" => address = Some(value.text(ADDRESS_BYTES_MAX)?.into_owned()),
            "id" => id = Some(RootId(value.base64()?)),
            "key" => key = Some(KeyId(value.base64()?)),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(Recipient {
        name: person.ok_or_else(|| Error::missing("name"))?,
        address,
        id: id.ok_or_else(|| Error::missing("id"))?,
        key: key.ok_or_else(|| Error::missing("key"))?,
    })
}

/// What the members of a policy have to do with each other (FORMAT.md, "The policy").
fn check(policy: &Policy) -> Result<(), Error> {
    require(!policy.locks.is_empty(), "no lock")?;
    let signer_due = policy.signed && !policy.private;
    require(
        policy.signer.is_some() == signer_due,
        "`signer` stands exactly when signed and not private",
    )?;
    limit(policy.locks.len() <= LOCKS_MAX, "locks")?;
    limit(policy.labels.len() <= LABELS_MAX, "labels")?;
    for (name, value) in &policy.labels {
        limit(
            name.len() <= LABEL_NAME_BYTES_MAX && value.len() <= LABEL_VALUE_BYTES_MAX,
            "a label",
        )?;
    }
    let passphrases = policy.locks.iter();
    let passphrases = passphrases.filter(|lock| lock.passphrase().is_some());
    require(passphrases.count() <= 1, "more than one passphrase")?;
    for (number, lock) in (1..).zip(&policy.locks) {
        check_lock(lock)?;
        match &lock.opens {
            Opens::Recipients { named, .. } => {
                require(
                    named.is_none() == policy.private,
                    "`recipients` stands exactly when not private",
                )?;
                if let Some(recipients) = named {
                    check_recipients(lock, recipients)?;
                }
            }
            Opens::Gates(terms) => {
                require(
                    number == policy.locks.len() && number > 1,
                    "a gate lock is the last lock, and not the only one",
                )?;
                require(
                    !policy.private || !terms.gates.iter().any(is_described),
                    "a gate's name or address in a private envelope",
                )?;
            }
        }
    }
    limit(policy.recipients().count() <= RECIPIENTS_MAX, "recipients")
}

/// What can be checked of a lock without the rest of the policy.
fn check_lock(lock: &Lock) -> Result<(), Error> {
    limit(lock.shares.len() <= SHARES_MAX, "shares")?;
    require(
        lock.shares.is_empty() == (lock.need == 1),
        "`shares` stands exactly when `need` is over 1",
    )?;
    require(
        lock.need == 1 || usize::from(lock.need) <= lock.shares.len(),
        "`need` is over the number of shares",
    )?;
    match &lock.opens {
        Opens::Recipients {
            passphrase,
            passphrase_commit,
            ..
        } => {
            require(
                lock.need == 1 || passphrase.is_none(),
                "a passphrase where `need` is over 1",
            )?;
            require(
                passphrase.is_some() || passphrase_commit.is_none(),
                "`passphrase_commit` without `passphrase`",
            )
        }
        Opens::Gates(terms) => terms::check(lock, terms),
    }
}

/// The rules for one lock's list of recipients, whether it stands in the policy or in the private line.
pub(super) fn check_recipients(lock: &Lock, recipients: &[Recipient]) -> Result<(), Error> {
    limit(recipients.len() <= RECIPIENTS_MAX, "recipients")?;
    for recipient in recipients {
        limit(recipient.name.len() <= NAME_BYTES_MAX, "a name")?;
        limit(
            recipient
                .address
                .as_ref()
                .is_none_or(|text| text.len() <= ADDRESS_BYTES_MAX),
            "an address",
        )?;
    }
    let keys: HashSet<_> = recipients.iter().map(|recipient| recipient.key).collect();
    require(keys.len() == recipients.len(), "one key twice in a lock")?;
    require(
        !recipients.is_empty() || lock.passphrase().is_some(),
        "a lock that nobody can open",
    )?;
    if lock.need > 1 {
        let ids: HashSet<_> = recipients.iter().map(|recipient| recipient.id).collect();
        require(
            recipients.len() == lock.shares.len(),
            "not one recipient for each share",
        )?;
        require(
            ids.len() == recipients.len(),
            "one person twice in a quorum",
        )?;
    }
    Ok(())
}

pub(super) fn require(holds: bool, what: &'static str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::malformed(what))
    }
}

pub(super) fn limit(holds: bool, what: &'static str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::over_limit(what))
    }
}
