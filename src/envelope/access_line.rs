//! Line 3: the slots, read and checked against the policy.

use std::collections::HashSet;

use serde::Serialize;

use super::error::OpenError;
use super::gate::lock::MaskedPass;
use crate::crypto::signing::{RootId, Signature};
use crate::crypto::{Kem, KeyId};
use crate::identity::{ADDRESS_BYTES_MAX, NAME_BYTES_MAX};
use crate::json::{Error, Text, Value};
use crate::policy::{GATES_MAX, Lock, Policy};

/// Bytes of line 3, without its line feed.
pub(super) const ACCESS_BYTES_MAX: usize = 40 << 20;
/// Slots of one envelope.
pub(super) const SLOTS_MAX: usize = 16_384;

/// A lock's secret under HPKE; a share is one byte longer.
pub(super) const SECRET_CT_BYTES: usize = 48;
pub(super) const SHARE_CT_BYTES: usize = 49;
/// A lock's secret as a C2SP message: 24 of salt, 32 of commitment, 32 of secret, 16 of tag.
pub(super) const PASSPHRASE_CT_BYTES: usize = 104;
const CT_BYTES: [usize; 3] = [SECRET_CT_BYTES, SHARE_CT_BYTES, PASSPHRASE_CT_BYTES];
pub(super) const ENC_BYTES: [usize; 2] = [Kem::X25519.enc_bytes(), Kem::XWing.enc_bytes()];

/// The access line: who has a slot. Changes with every grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The slots, in the order of the file.
    pub slots: Vec<Slot>,
    /// The passes of a gate lock that has a list; present exactly there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<Vec<MaskedPass>>,
}

/// A lock's secret or share, sealed to one key or to a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Slot {
    /// Sealed to a key.
    Key(KeySlot),
    /// Sealed to a passphrase.
    Passphrase(PassphraseSlot),
    /// Sealed to a gate.
    Gate(GateSlot),
}

impl Slot {
    /// The lock this slot belongs to, from 0.
    #[must_use]
    pub fn lock(&self) -> u16 {
        match self {
            Self::Key(slot) => slot.lock,
            Self::Passphrase(slot) => slot.lock,
            Self::Gate(slot) => slot.lock,
        }
    }
}

/// A slot for the holder of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeySlot {
    /// The lock, from 0.
    pub lock: u16,
    /// The key; `None` when the envelope is private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// HPKE's encapsulated key: 32 bytes for X25519, 1,120 for X-Wing.
    #[serde(serialize_with = "crate::json::b64")]
    pub enc: Vec<u8>,
    /// HPKE's ciphertext: 48 bytes, 49 for a share.
    #[serde(serialize_with = "crate::json::b64")]
    pub ct: Vec<u8>,
    /// Who let this reader in, if it was not the author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Box<Grant>>, // most slots have none, and there may be thousands
}

/// A slot that is opened with a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassphraseSlot {
    /// The lock, from 0.
    pub lock: u16,
    /// Argon2's salt.
    #[serde(serialize_with = "crate::json::b64")]
    pub salt: [u8; 16],
    /// The lock's secret as a C2SP message.
    #[serde(serialize_with = "crate::json::b64")]
    pub ct: [u8; PASSPHRASE_CT_BYTES],
}

/// The slot of one gate of a gate lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateSlot {
    /// The lock, from 0.
    pub lock: u16,
    /// The gate's position in the lock.
    pub gate: u8,
    /// HPKE's encapsulated key: 1,120 bytes for a server; a person may have X25519.
    #[serde(serialize_with = "crate::json::b64")]
    pub enc: Vec<u8>,
    /// HPKE's ciphertext: 48 bytes, 49 for a share.
    #[serde(serialize_with = "crate::json::b64")]
    pub ct: Vec<u8>,
}

/// The record of a grant: who gave access to whom, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The newcomer's name.
    pub name: String,
    /// The newcomer's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The newcomer's root key.
    pub id: RootId,
    /// The root key of the reader who let the newcomer in.
    pub by: RootId,
    /// When: the text as it stands in the file, which is what is signed.
    pub at: crate::time::Time,
    /// By that reader, over all of this.
    pub sig: Signature,
}

/// Reads an access line and checks it against the policy.
pub(super) fn parse(line: &[u8], policy: &Policy) -> Result<Access, OpenError> {
    Text::check(line)
        .and_then(|text| access(&text, policy))
        .and_then(|access| check(&access, policy).map(|()| access))
        .map_err(|error| OpenError::in_line("the access line (line 3)", &error))
}

/// Writes an access line, without the line feed, after the checks that a reader makes.
pub(super) fn write(access: &Access, policy: &Policy) -> Result<Vec<u8>, Error> {
    check(access, policy)?;
    // Room for all from the start: with many slots a buffer that grows is there twice.
    let mut line = Vec::with_capacity(access.slots.iter().map(line_bytes).sum::<usize>() + 16);
    serde_json::to_writer(&mut line, access).expect("a Vec takes every write");
    if line.len() > ACCESS_BYTES_MAX {
        return Err(Error::over_limit("the line has more than 40 MiB"));
    }
    Text::check(&line)?;
    Ok(line)
}

/// About how many bytes a slot without a grant takes in the line.
fn line_bytes(slot: &Slot) -> usize {
    let (enc, ct) = match slot {
        Slot::Key(slot) => (&slot.enc, &slot.ct),
        Slot::Gate(slot) => (&slot.enc, &slot.ct),
        Slot::Passphrase(_) => return 256,
    };
    (enc.len() + ct.len()) / 3 * 4 + 112
}

fn access(text: &Text<'_>, policy: &Policy) -> Result<Access, Error> {
    let (mut slots, mut passes) = (None, None);
    text.object(|name, value| {
        match name {
            "passes" => {
                let pass = |value: Value<'_>| value.base64().map(MaskedPass);
                passes = Some(value.array(SLOTS_MAX, pass)?);
            }
            "slots" => slots = Some(value.array(SLOTS_MAX, |value| slot(value, policy))?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(Access {
        slots: slots.ok_or_else(|| Error::missing("slots"))?,
        passes,
    })
}

/// The members of all shapes; which shape it is shows when the object closes.
#[derive(Default)]
struct Members {
    lock: Option<u16>,
    key: Option<KeyId>,
    enc: Option<Vec<u8>>,
    ct: Option<Vec<u8>>,
    grant: Option<Grant>,
    salt: Option<[u8; 16]>,
    gate: Option<u8>,
}

fn slot(value: Value<'_>, policy: &Policy) -> Result<Slot, Error> {
    let mut members = Members::default();
    value.object(|name, value| {
        match name {
            "lock" => members.lock = Some(lock_number(value, policy)?),
            "key" => members.key = Some(KeyId(value.base64()?)),
            "enc" => {
                members.enc = Some(value.base64_of(&ENC_BYTES)?);
            }
            "ct" => {
                members.ct = Some(value.base64_of(&CT_BYTES)?);
            }
            "grant" => members.grant = Some(grant(value)?),
            "salt" => members.salt = Some(value.base64()?),
            "gate" => members.gate = Some(gate_number(value)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    members.slot()
}

impl Members {
    fn slot(self) -> Result<Slot, Error> {
        let lock = self.lock.ok_or_else(|| Error::missing("lock"))?;
        let ct = self.ct.ok_or_else(|| Error::missing("ct"))?;
        if let Some(gate) = self.gate {
            let has_others = self.key.is_some() || self.grant.is_some() || self.salt.is_some();
            if has_others {
                return Err(Error::malformed("a gate slot with members of another slot"));
            }
            let enc = self.enc.ok_or_else(|| Error::missing("enc"))?;
            return Ok(Slot::Gate(GateSlot {
                lock,
                gate,
                enc,
                ct,
            }));
        }
        let Some(salt) = self.salt else {
            let enc = self.enc.ok_or_else(|| Error::missing("enc"))?;
            return Ok(Slot::Key(KeySlot {
                lock,
                key: self.key,
                enc,
                ct,
                grant: self.grant.map(Box::new),
            }));
        };
        if self.key.is_some() || self.enc.is_some() || self.grant.is_some() {
            return Err(Error::malformed(
                "a passphrase slot with members of a key slot",
            ));
        }
        let ct = ct
            .try_into()
            .map_err(|_| Error::malformed("`ct` of a passphrase slot has not 104 bytes"))?;
        Ok(Slot::Passphrase(PassphraseSlot { lock, salt, ct }))
    }
}

fn lock_number(value: Value<'_>, policy: &Policy) -> Result<u16, Error> {
    let number = u16::try_from(value.number()?).ok();
    number
        .filter(|number| usize::from(*number) < policy.locks.len())
        .ok_or_else(|| Error::malformed("a slot for a lock that the policy has not"))
}

fn gate_number(value: Value<'_>) -> Result<u8, Error> {
    let number = u8::try_from(value.number()?).ok();
    number
        .filter(|number| usize::from(*number) < GATES_MAX)
        .ok_or_else(|| Error::malformed("a slot for a gate that no lock has"))
}

fn grant(value: Value<'_>) -> Result<Grant, Error> {
    let (mut person, mut address, mut id, mut by, mut at, mut sig) =
        (None, None, None, None, None, None);
    value.object(|name, value| {
        match name {
            "name" => person = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "address" => address = Some(value.text(ADDRESS_BYTES_MAX)?.into_owned()),
            "id" => id = Some(RootId(value.base64()?)),
            "by" => by = Some(RootId(value.base64()?)),
            "at" => at = Some(value.time()?),
            "sig" => sig = Some(Signature(value.base64()?)),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(Grant {
        name: person.ok_or_else(|| Error::missing("name"))?,
        address,
        id: id.ok_or_else(|| Error::missing("id"))?,
        by: by.ok_or_else(|| Error::missing("by"))?,
        at: at.ok_or_else(|| Error::missing("at"))?,
        sig: sig.ok_or_else(|| Error::missing("sig"))?,
    })
}

/// Whether every slot has the shape its lock asks for (FORMAT.md, "The access line").
fn check(access: &Access, policy: &Policy) -> Result<(), Error> {
    if access.slots.len() > SLOTS_MAX {
        return Err(Error::over_limit("slots"));
    }
    let mut seen = HashSet::new();
    for slot in &access.slots {
        let lock = policy.locks.get(usize::from(slot.lock()));
        let lock =
            lock.ok_or_else(|| Error::malformed("a slot for a lock that the policy has not"))?;
        match slot {
            Slot::Key(slot) => check_key_slot(slot, lock, policy.private)?,
            Slot::Passphrase(_) if lock.passphrase().is_none() => {
                return Err(Error::malformed(
                    "a passphrase slot in a lock without a passphrase",
                ));
            }
            Slot::Passphrase(_) => {}
            Slot::Gate(slot) => check_gate_slot(slot, lock)?,
        }
        let key = match slot {
            Slot::Key(KeySlot { key: None, .. }) => continue,
            Slot::Key(slot) => SlotOf::Key(slot.key),
            Slot::Passphrase(_) => SlotOf::Passphrase,
            Slot::Gate(slot) => SlotOf::Gate(slot.gate),
        };
        if !seen.insert((slot.lock(), key)) {
            return Err(Error::malformed(
                "two slots of one lock for one key, passphrase or gate",
            ));
        }
    }
    check_passphrase_slots(policy, &seen)?;
    check_gates(access, policy, &seen)
}

/// Whose slot it is.
#[derive(PartialEq, Eq, Hash)]
enum SlotOf {
    Key(Option<KeyId>),
    Passphrase,
    Gate(u8),
}

fn ct_bytes(lock: &Lock) -> usize {
    match lock.need {
        1 => SECRET_CT_BYTES,
        _ => SHARE_CT_BYTES,
    }
}

fn check_gate_slot(slot: &GateSlot, lock: &Lock) -> Result<(), Error> {
    let Some(terms) = lock.gate() else {
        return Err(Error::malformed("a gate slot in a lock without gates"));
    };
    if usize::from(slot.gate) >= terms.gates.len() {
        return Err(Error::malformed("a slot for a gate that the lock has not"));
    }
    if slot.ct.len() != ct_bytes(lock) {
        return Err(Error::malformed(
            "`ct` has not the length that the lock asks for",
        ));
    }
    Ok(())
}

/// Each gate has its slot, and there are passes exactly where the lock has a list.
fn check_gates(
    access: &Access,
    policy: &Policy,
    seen: &HashSet<(u16, SlotOf)>,
) -> Result<(), Error> {
    let gate = policy.gate();
    if let Some((number, terms)) = gate {
        let gates = (0..).take(terms.gates.len());
        for gate in gates {
            if !seen.contains(&(number, SlotOf::Gate(gate))) {
                return Err(Error::malformed("the slot of a gate is missing"));
            }
        }
    }
    let has_list = gate.is_some_and(|(_, terms)| terms.members.is_some());
    if access.passes.is_some() != has_list {
        return Err(Error::malformed(
            "`passes` stands exactly where a gate lock has `members`",
        ));
    }
    match &access.passes {
        Some(passes) if passes.len() > SLOTS_MAX => Err(Error::over_limit("passes")),
        _ => Ok(()),
    }
}

fn check_key_slot(slot: &KeySlot, lock: &Lock, private: bool) -> Result<(), Error> {
    if lock.gate().is_some() {
        return Err(Error::malformed("a slot for a key in a gate lock"));
    }
    if slot.ct.len() != ct_bytes(lock) {
        return Err(Error::malformed(
            "`ct` has not the length that the lock asks for",
        ));
    }
    if slot.key.is_none() != private {
        return Err(Error::malformed(
            "`key` stands in a slot exactly when not private",
        ));
    }
    match &slot.grant {
        Some(_) if private => Err(Error::malformed("a grant in a private envelope")),
        Some(grant) => check_grant(grant),
        None => Ok(()),
    }
}

fn check_grant(grant: &Grant) -> Result<(), Error> {
    let address = grant.address.as_ref().map_or(0, String::len);
    if grant.name.len() > NAME_BYTES_MAX || address > ADDRESS_BYTES_MAX {
        return Err(Error::over_limit("a name or address in a grant"));
    }
    Ok(())
}

/// A passphrase slot is there exactly when the lock has a passphrase.
fn check_passphrase_slots(policy: &Policy, seen: &HashSet<(u16, SlotOf)>) -> Result<(), Error> {
    for (number, lock) in (0..).zip(&policy.locks) {
        if lock.passphrase().is_some() && !seen.contains(&(number, SlotOf::Passphrase)) {
            return Err(Error::malformed("the passphrase's slot is missing"));
        }
    }
    Ok(())
}
