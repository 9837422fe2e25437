//! Reading the log for owners, as much as fits into one answer.

use super::items::Place;
use super::{Ledger, Row};
use crate::envelope::Ticket;
use crate::gate::log::{Hash, inclusion_proof};
use crate::gate::protocol::{Entry, Head, LogLine, LogPage, LoggedEntry};

/// Bytes of all logs in one answer, as they are written: the rest of an answer's bytes is for what is around them.
pub(super) const BYTES_MAX: usize = 1_150_000;
/// Entries of one page.
const ROWS_MAX: usize = 1_024;
/// Hashes of a proof in a tree of 2^33 entries, which is more than numbers of entries can be.
const PROOF_HASHES: usize = 34;

/// The entries of a ticket from a number on, as many as there is room for, and whether there are more.
pub(super) fn read<L: Ledger>(
    ledger: &L,
    ticket: Ticket,
    from: u64,
    room: &mut usize,
) -> Result<(Vec<Row>, bool), L::Error> {
    let mut rows = ledger.page(ticket, from, ROWS_MAX + 1)?;
    let found = rows.len();
    let mut fitting = 0;
    for row in rows.iter().take(ROWS_MAX) {
        let bytes = bytes_expected(row);
        if bytes > *room {
            // What is behind it would be read before it.
            *room = 0;
            break;
        }
        *room -= bytes;
        fitting += 1;
    }
    rows.truncate(fitting);
    Ok((rows, fitting < found))
}

fn bytes_expected(row: &Row) -> usize {
    line(row, vec![[0; 32]; PROOF_HASHES]).bytes_expected()
}

/// A page as it is answered.
pub(super) fn page<L: Ledger>(
    ledger: &L,
    rows: &[Row],
    more: bool,
    size: u64,
) -> Result<LogPage, L::Error> {
    let lines = rows
        .iter()
        .map(|row| Ok(line(row, inclusion_proof(ledger, row.seq, size)?)));
    Ok(LogPage {
        lines: lines.collect::<Result<_, _>>()?,
        more,
    })
}

fn line(row: &Row, proof: Vec<Hash>) -> LogLine {
    let Some(line) = &row.line else {
        return LogLine::Erased {
            seq: row.seq,
            n: row.n,
            leaf: row.leaf,
            proof,
        };
    };
    let entry = Entry::parse(line).ok();
    let (head, signatures) = row.request.clone().unzip();
    let parsed = head.as_deref().and_then(|head| Head::parse(head).ok());
    let signature = |at| Place::signature(signatures.as_deref()?, at);
    let (has_who, is_proved) = parsed.map_or((false, false), |head| {
        (head.who.is_some(), head.op.proofs(1) == 1)
    });
    let item = entry.and_then(|entry| entry.item).map(usize::from);
    let number = item.filter(|_| is_proved);
    LogLine::Kept {
        entry: LoggedEntry {
            line: line.clone(),
            proof,
        },
        head,
        who: has_who.then(|| signature(0)).flatten(),
        proof: number.and_then(|number| signature(usize::from(has_who) + number)),
        statement: row.statement.clone(),
    }
}
