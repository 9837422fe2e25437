//! `gates/ID` and `gate-logs/ID` in the state of this machine: gates that the user trusts here, and what was seen of their logs.
//!
//! Whoever writes to a keystore's folder can put a gate there, or an older card of one. So a gate is asked only if this machine
//! remembers it at this address with no later card. A gate's log is remembered for ever: a gate that forgot, or tells two stories,
//! is noticed also after it was removed and added again.

use serde::Serialize;

use super::super::folder::{StateLock, WriteLock};
use super::super::state::{Facts, MachineState, has_version};
use super::super::{Keystore, KeystoreError};
use super::GateContact;
use crate::crypto::signing::RootId;
use crate::gate::client::{KeptCheckpoint, contradict};
use crate::gate::log::NoteKey;
use crate::json::{self, Error, Text};
use crate::time::Time;

/// Bytes of an address.
const URL_BYTES_MAX: usize = 512;
/// Bytes of a checkpoint's note: as long as a note can be.
const NOTE_BYTES_MAX: usize = 128 << 10;

const GATES: Facts<KnownGate> = Facts {
    folder: "gates",
    bytes_max: 4 << 10,
    parse,
};

const LOGS: Facts<KeptCheckpoint> = Facts {
    folder: "gate-logs",
    bytes_max: 256 << 10,
    parse: parse_log,
};

/// What this machine remembers of a gate that the user trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in super::super) struct KnownGate {
    /// The highest serial that its cards had.
    pub(in super::super) serial: u64,
    /// The address that the user agreed to.
    pub(in super::super) url: String,
    /// When its fingerprint was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) verified: Option<Time>,
}

/// Whether a gate may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateStanding {
    /// It is as this machine knows it, or nothing can be remembered. With the time at which its fingerprint was compared.
    Known(Option<Time>),
    /// Somebody put it there without this machine.
    Unknown,
    /// This machine knows a later card, with this serial.
    Older(u64),
    /// This machine knows it at this other address.
    Moved(String),
}

/// What became of a checkpoint that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptOutcome {
    /// It is kept, or was already.
    Stored,
    /// Another process has kept a later one meanwhile.
    LaterStays,
    /// Another process was shown this one meanwhile: of the same log and size, and with other entries.
    Contradicts(KeptCheckpoint),
}

impl GateStanding {
    /// Whether it is asked.
    #[must_use]
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }
}

impl Keystore {
    /// Whether a gate is as this machine knows it.
    ///
    /// # Errors
    /// [`KeystoreError`], when the state cannot be read.
    pub fn gate_standing(&self, gate: &GateContact) -> Result<GateStanding, KeystoreError> {
        let machine = self.machine_state()?;
        if machine.memory().is_none() {
            return Ok(GateStanding::Known(None));
        }
        let url = gate.card.url().to_string();
        Ok(match self.remembered_gate(&gate.card.id())? {
            None => GateStanding::Unknown,
            Some(known) if known.serial > gate.card.serial() => GateStanding::Older(known.serial),
            Some(known) if known.url != url => GateStanding::Moved(known.url),
            Some(known) => GateStanding::Known(known.verified),
        })
    }

    /// What this machine remembers of a gate.
    pub(super) fn remembered_gate(&self, id: &RootId) -> Result<Option<KnownGate>, KeystoreError> {
        match self.machine_state()?.memory() {
            Some(state) => GATES.read(state, id),
            None => Ok(None),
        }
    }

    /// Remembers a gate as it is. That its fingerprint was compared stays so: it is that of the root key.
    pub(super) fn remember_gate(
        &self,
        lock: &WriteLock,
        gate: &GateContact,
    ) -> Result<(), KeystoreError> {
        let id = gate.card.id();
        let before = self.remembered_gate(&id)?;
        let known = KnownGate {
            serial: gate.card.serial(),
            url: gate.card.url().to_string(),
            verified: before.and_then(|before| before.verified),
        };
        self.write_known_gate(lock, &id, Some(&known))
    }

    /// Records that the user compared the fingerprint of a gate.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`] for a gate that this machine does not know; [`KeystoreError::NoState`]; what the system refuses.
    pub fn verify_gate(&self, id: &RootId, now: Time) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        if self.machine_state()?.memory().is_none() {
            return Err(KeystoreError::NoState);
        }
        let known = self.remembered_gate(id)?;
        let known = known.ok_or(KeystoreError::Unknown("gate"))?;
        let verified = Some(known.verified.unwrap_or(now));
        self.write_known_gate(&lock, id, Some(&KnownGate { verified, ..known }))
    }

    /// Forgets that the user trusts a gate.
    pub(super) fn forget_gate(&self, lock: &WriteLock, id: &RootId) -> Result<(), KeystoreError> {
        self.write_known_gate(lock, id, None)
    }

    fn write_known_gate(
        &self,
        lock: &WriteLock,
        id: &RootId,
        known: Option<&KnownGate>,
    ) -> Result<(), KeystoreError> {
        let machine = self.machine_state()?;
        let Some(state) = machine.memory() else {
            return Ok(());
        };
        if lock.state.is_none() && !has_version(state)? {
            return Ok(()); // there is no memory, and none can be made
        }
        match known {
            Some(known) => GATES.write(state, id, known),
            None => GATES.remove(state, id),
        }
    }

    /// Takes the gates of a keystore that is met for the first time as they stand. The caller holds the lock.
    pub(in super::super) fn meet_gates(&self, machine: &MachineState) -> Result<(), KeystoreError> {
        let Some(state) = &machine.folder else {
            return Ok(());
        };
        // A file with a fault is reported where the gate is used.
        for gate in self.gates()?.found {
            let id = gate.card.id();
            if GATES.read(state, &id)?.is_none() {
                let known = KnownGate {
                    serial: gate.card.serial(),
                    url: gate.card.url().to_string(),
                    verified: None,
                };
                GATES.write(state, &id, &known)?;
            }
        }
        Ok(())
    }

    /// The latest checkpoint that was seen of the log of the gate with this root key.
    ///
    /// # Errors
    /// [`KeystoreError`], when the state cannot be read.
    pub fn gate_checkpoint(&self, id: &RootId) -> Result<Option<KeptCheckpoint>, KeystoreError> {
        match self.machine_state()?.memory() {
            Some(state) => LOGS.read(state, id),
            None => Ok(None),
        }
    }

    /// Keeps a checkpoint that continues `before`, the one that was kept when the gate was asked. Which one stays is decided while
    /// no other process can write: of one log the later one, and of two logs the one that was begun later, as far as that shows.
    /// Does nothing where nothing can be remembered.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn keep_gate_checkpoint(
        &self,
        id: &RootId,
        before: Option<&KeptCheckpoint>,
        checkpoint: &KeptCheckpoint,
    ) -> Result<KeptOutcome, KeystoreError> {
        let machine = self.machine_state()?;
        let Some(state) = machine.memory() else {
            return Ok(KeptOutcome::Stored);
        };
        let _lock = match StateLock::take(state) {
            Ok(lock) => lock,
            Err(error) if error.is_read_only() => return Ok(KeptOutcome::Stored),
            Err(error) => return Err(error),
        };
        let kept = LOGS.read(state, id)?;
        if kept.as_ref() == Some(checkpoint) {
            return Ok(KeptOutcome::Stored);
        }
        match kept {
            Some(kept) if contradict(&kept, checkpoint) => Ok(KeptOutcome::Contradicts(kept)),
            Some(kept) if !replaces(&kept, before, checkpoint) => Ok(KeptOutcome::LaterStays),
            _ => {
                LOGS.write(state, id, &LogLine::of(checkpoint))?;
                Ok(KeptOutcome::Stored)
            }
        }
    }
}

/// Whether a checkpoint takes the place of the one that is kept now. Another log counts as the later one only if `before`, with
/// which it was compared, is of the log that is kept: else another process has seen a later log meanwhile.
fn replaces(
    kept: &KeptCheckpoint,
    before: Option<&KeptCheckpoint>,
    checkpoint: &KeptCheckpoint,
) -> bool {
    match kept.log.name == checkpoint.log.name {
        true => checkpoint.size >= kept.size,
        false => before.is_some_and(|before| before.log.name == kept.log.name),
    }
}

fn parse(line: &[u8]) -> Result<KnownGate, Error> {
    let (mut serial, mut url, mut verified) = (None, None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "serial" => serial = Some(value.number()?),
            "url" => url = Some(value.text(URL_BYTES_MAX)?.into_owned()),
            "verified" => verified = Some(value.time()?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(KnownGate {
        serial: serial.ok_or_else(|| Error::missing("serial"))?,
        url: url.ok_or_else(|| Error::missing("url"))?,
        verified,
    })
}

/// The note says the rest.
#[derive(Serialize)]
struct LogLine<'a> {
    origin: &'a str,
    log: RootId,
    note: String,
}

impl<'a> LogLine<'a> {
    fn of(kept: &'a KeptCheckpoint) -> Self {
        Self {
            origin: &kept.log.name,
            log: kept.log.key,
            note: json::to_b64(kept.note.as_bytes()),
        }
    }
}

fn parse_log(line: &[u8]) -> Result<KeptCheckpoint, Error> {
    let (mut origin, mut log, mut note) = (None, None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "origin" => origin = Some(value.text(URL_BYTES_MAX)?.into_owned()),
            "log" => log = Some(RootId(value.base64()?)),
            "note" => note = Some(value.base64_up_to(NOTE_BYTES_MAX)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    let log = NoteKey {
        name: origin.ok_or_else(|| Error::missing("origin"))?,
        key: log.ok_or_else(|| Error::missing("log"))?,
    };
    let note: Vec<u8> = note.ok_or_else(|| Error::missing("note"))?;
    let kept = KeptCheckpoint::read(&note, &log);
    kept.map_err(|error| Error::malformed(&error.to_string()))
}
