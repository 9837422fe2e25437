//! What a gate logged of an envelope, read by an owner and checked.

use std::fs;
use std::path::Path;

use super::notices::why;
use super::{Gates, Owner};
use crate::crypto::CryptoRng;
use crate::envelope::{GateLock, Ticket};
use crate::gate::client::{
    AuditLine, NoReply, Question, Receipt, Refused, Reply, Wanted, audit, is_withheld, state,
};
use crate::gate::log;
use crate::gate::protocol::{Entry, EntryOp, LogLine, SignedStatement};
use crate::gate::rules::TicketState;
use crate::keystore::{GateContact, KeystoreError};

/// Entries of one ticket that are read of one gate.
const LINES_MAX: usize = 65_536;
/// Files that are looked at for receipts, and bytes of each: an entry, a proof and a checkpoint.
const RECEIPTS_MAX: usize = 16_384;
const RECEIPT_BYTES_MAX: u64 = 160 << 10;

/// What a gate logged of an envelope.
pub struct GateLog {
    /// The gate.
    pub gate: GateContact,
    /// The entries, in their order: each is in the gate's log, and none is left out between them.
    pub lines: Vec<AuditLine>,
    /// What the statements of owners among them say together.
    pub state: TicketState,
    /// The entries as the gate gave them.
    pub raw: Vec<LogLine>,
}

impl GateLog {
    /// Whether a statement is in it.
    #[must_use]
    pub fn shows(&self, statement: &SignedStatement) -> bool {
        let hash = statement.hash();
        self.raw.iter().any(|line| match line {
            LogLine::Kept { entry, .. } => Entry::parse(&entry.line)
                .is_ok_and(|entry| entry.op == EntryOp::Statement && entry.statement == Some(hash)),
            // Statements are not erased.
            LogLine::Erased { .. } => false,
        })
    }
}

/// Why a gate's log was not read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The gate refused.
    #[error("it refused: {}", .0.reason.word())]
    Refused(Refused),
    /// The gate lied.
    #[error("it lied: {0}")]
    Lied(crate::gate::client::LieKind),
    /// It was not reached.
    #[error("{0}")]
    Unreachable(String),
    /// There are more entries than are read.
    #[error("it has more than {LINES_MAX} entries of this envelope")]
    TooMany,
    /// The keystore refused.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
}

/// A gate, and what it logged.
pub type ReadLog = (GateContact, Result<GateLog, LogError>);

impl Gates<'_> {
    /// Reads what each gate of a lock logged of it.
    pub(super) fn read_logs(
        &self,
        lock: &GateLock,
        owner: Owner<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Vec<ReadLog> {
        let gates: Vec<GateContact> = self.of(lock).cloned().collect();
        let mut logs = Vec::with_capacity(gates.len());
        for gate in gates {
            let log = self.read_log(lock, &gate, owner, rng);
            logs.push((gate, log));
        }
        logs
    }

    fn read_log(
        &self,
        lock: &GateLock,
        gate: &GateContact,
        owner: Owner<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<GateLog, LogError> {
        let mut raw: Vec<LogLine> = Vec::new();
        loop {
            let question = Question {
                lock,
                wanted: Wanted::Log {
                    by: owner.key,
                    blind: owner.blind,
                    from: raw.len() as u64 + 1,
                },
                need: 1,
            };
            let outcome = self.ask_some(&[question], &[gate], Some(owner.key), rng)?;
            let answer = outcome.answers.into_iter().flatten().next();
            let page = match answer {
                Some((_, Ok(Reply::Log(page)))) => page,
                Some((_, Err(NoReply::Refused(refused)))) => {
                    return Err(LogError::Refused(refused));
                }
                Some((_, Err(NoReply::Lied(lie)))) => return Err(LogError::Lied(lie.kind)),
                Some((_, Err(failure))) => return Err(LogError::Unreachable(why(&failure))),
                Some((_, Ok(_))) | None => {
                    return Err(LogError::Unreachable("it did not answer".to_owned()));
                }
            };
            let goes_on = page.more && !page.lines.is_empty();
            raw.extend(page.lines);
            if raw.len() > LINES_MAX {
                return Err(LogError::TooMany);
            }
            if !goes_on {
                break;
            }
        }
        let lines = audit(&raw, lock, gate.card.id());
        Ok(GateLog {
            gate: gate.clone(),
            state: state(&lines),
            lines,
            raw,
        })
    }
}

/// A receipt that proves an entry which a gate left out.
#[derive(Debug)]
pub struct WithheldReceipt {
    /// The file that it is in.
    pub file: std::path::PathBuf,
    /// The number of the entry among those of the ticket.
    pub number: u64,
}

/// Looks through a folder for receipts about a ticket that the gate signed and did not show.
///
/// # Errors
/// What the system refuses.
pub fn receipts_in(
    folder: &Path,
    ticket: Ticket,
    log: &GateLog,
) -> std::io::Result<Vec<WithheldReceipt>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.take(RECEIPTS_MAX) {
        let path = entry?.path();
        let is_short = |path: &Path| {
            fs::metadata(path).is_ok_and(|one| one.is_file() && one.len() <= RECEIPT_BYTES_MAX)
        };
        if !is_short(&path) {
            continue;
        }
        let Some(receipt) = fs::read(&path)
            .ok()
            .and_then(|text| Receipt::from_text(&text))
        else {
            continue;
        };
        let key = log.gate.card.log_key();
        let Ok(entry) = Entry::parse(&receipt.entry) else {
            continue;
        };
        let is_its = entry.ticket == Some(ticket) && receipt.place.index == entry.seq;
        if !is_its || receipt.place.verify(&receipt.entry, key).is_err() {
            continue;
        }
        let hash = log::leaf_hash(&receipt.entry);
        if let (Some(number), true) = (entry.n, is_withheld(&entry, hash, &log.raw)) {
            found.push(WithheldReceipt { file: path, number });
        }
    }
    Ok(found)
}
