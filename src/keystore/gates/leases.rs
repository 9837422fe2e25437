//! `gate-leases/TICKET`: what gates gave out to be kept for a time, sealed to a key of the user's.

use std::path::PathBuf;

use serde::Serialize;

use super::super::{Keystore, KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::envelope::{Approval, Ticket};
use crate::json::{Error, Text};
use crate::policy::GATES_MAX;
use crate::time::Time;

const LEASES: &str = "gate-leases";
/// Bytes of a file: a lease of each gate of a lock.
const LEASES_BYTES_MAX: u64 = 64 << 10;

/// The part of a gate, kept until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The first moment at which it is not used any more.
    pub until: Time,
    /// The gate's position in the lock.
    pub gate: u8,
    /// The part, sealed to a key of the user's.
    pub part: Approval,
}

impl Keystore {
    /// Keeps the parts of an envelope's gates.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn keep_leases(&self, ticket: Ticket, leases: &[Lease]) -> Result<(), KeystoreError> {
        let _lock = self.lock()?;
        folder::make_folder(&self.root.join(LEASES))?;
        let lines: String = leases.iter().map(Lease::to_line).collect();
        folder::write(
            &self.leases_path(ticket),
            lines.as_bytes(),
            Existing::Replace,
        )
    }

    /// The parts that may still be used. A file that cannot be read, or was over before, is no lease: the gates are asked then.
    #[must_use]
    pub fn leases(&self, ticket: Ticket, now: Time) -> Vec<Lease> {
        let path = self.leases_path(ticket);
        let text = folder::read_up_to(&path, LEASES_BYTES_MAX).ok().flatten();
        let text = text.and_then(|text| String::from_utf8(text.to_vec()).ok());
        let text = text.unwrap_or_default();
        let leases = text.lines().filter_map(|line| parse(line).ok());
        let leases: Vec<Lease> = leases.filter(|lease| now < lease.until).collect();
        if leases.is_empty() && !text.is_empty() {
            // They are over. What cannot be removed now is the next time.
            let _ = folder::remove(&path);
        }
        leases
    }

    fn leases_path(&self, ticket: Ticket) -> PathBuf {
        self.root.join(LEASES).join(RootId(ticket.0).to_string())
    }
}

impl Lease {
    fn to_line(&self) -> String {
        let line = Line {
            until: self.until,
            gate: self.gate,
            part: self.part.to_text(),
        };
        serde_json::to_string(&line).expect("it has only texts and a number") + "\n"
    }
}

#[derive(Serialize)]
struct Line {
    until: Time,
    gate: u8,
    part: String,
}

fn parse(line: &str) -> Result<Lease, Error> {
    let (mut until, mut gate, mut part) = (None, None, None);
    Text::check(line.as_bytes())?.object(|name, value| {
        match name {
            "until" => until = Some(value.time()?),
            "gate" => {
                let number = u8::try_from(value.number()?).ok();
                gate = number.filter(|number| usize::from(*number) < GATES_MAX);
            }
            "part" => part = Approval::from_bytes(value.text(usize::MAX)?.as_bytes()).ok(),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(Lease {
        until: until.ok_or_else(|| Error::missing("until"))?,
        gate: gate.ok_or_else(|| Error::missing("gate"))?,
        part: part.ok_or_else(|| Error::missing("part"))?,
    })
}
