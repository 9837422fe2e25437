//! A gate's log as its operator exported it, checked without asking anybody: by the checkpoints of the gate that are kept here, or lie
//! beside it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::super::regular_file::{open_regular, read_short};
use super::LogError;
use super::folder::Folder;
use super::receipts::{RECEIPT_BYTES_MAX, receipt_in};
use crate::envelope::GateLock;
use crate::gate::client::{GrowingTree, KeptCheckpoint};
use crate::gate::log::{Hash, leaf_hash};
use crate::gate::protocol::{
    ENTRY_BYTES_MAX, Entry, EntryOp, LogLine, LoggedEntry, SignedStatement,
};
use crate::json::{Error, Text};
use crate::keystore::{GateContact, Keystore, SealedWithGate};

/// An exported log that fits all checkpoints of its gate that are known here.
pub(super) struct Export {
    file: PathBuf,
    /// So many of its entries are in the latest of these checkpoints. What comes behind them is shown by nothing.
    pub(super) covered: u64,
}

/// What an export shows.
pub(super) enum Shown<'a> {
    /// An entry about the lock.
    Entry(&'a LogLine),
    /// The hash of an entry that was erased, whatever it was about.
    Erased(&'a Hash),
}

/// A line of an export.
enum Line {
    Entry(Vec<u8>),
    /// Only the hash of the leaf is left.
    Erased(Hash),
}

/// The roots that a gate signed, by the sizes of its log.
type Roots = BTreeMap<u64, Hash>;

/// The export of a gate in a folder. A file belongs to a gate if one of the gate's checkpoints fits, and then all of them have to.
pub(super) fn find(
    folder: &Folder,
    gate: &GateContact,
    keystore: &Keystore,
) -> Result<Option<Export>, LogError> {
    if folder.exports.is_empty() {
        return Ok(None);
    }
    let signed = signed_roots(&folder.short, gate, keystore)?;
    let mut best: Option<Export> = None;
    for file in &folder.exports {
        let export = compare(file, &signed)?;
        let is_better = |one: &Export| best.as_ref().is_none_or(|best| best.covered < one.covered);
        if let Some(export) = export.filter(is_better) {
            best = Some(export);
        }
    }
    Ok(best)
}

/// The checkpoint that this machine keeps, and those in the folder: alone, or in receipts.
fn signed_roots(
    files: &[PathBuf],
    gate: &GateContact,
    keystore: &Keystore,
) -> Result<Roots, LogError> {
    let log = gate.card.log_key();
    let kept = keystore.gate_checkpoint(&gate.card.id())?;
    let kept = kept.filter(|kept| kept.log.name == log.name);
    let mut roots: Roots = kept.iter().map(|kept| (kept.size, kept.root)).collect();
    for file in files {
        let note = match receipt_in(file) {
            Some(receipt) => receipt.place.checkpoint.into_bytes(),
            None => match read_short(file, RECEIPT_BYTES_MAX) {
                Ok(Some(note)) => note,
                // It is too long for a checkpoint, or has gone meanwhile.
                Ok(None) | Err(_) => continue,
            },
        };
        if let Ok(signed) = KeptCheckpoint::read(&note, log) {
            let before = roots.insert(signed.size, signed.root);
            if before.is_some_and(|before| before != signed.root) {
                return Err(LogError::Export {
                    file: file.clone(),
                    what: format!(
                        "the gate signed two logs of {} entries that differ",
                        signed.size
                    ),
                });
            }
        }
    }
    Ok(roots)
}

/// Compares the root at each size that the gate signed.
fn compare(file: &Path, signed: &Roots) -> Result<Option<Export>, LogError> {
    let mut tree = GrowingTree::default();
    let (mut covered, mut differs) = (None, None);
    let mut look = |tree: &GrowingTree| {
        let size = tree.size();
        match signed.get(&size) {
            Some(root) if *root == tree.root() => covered = Some(size),
            Some(_) => differs = differs.or(Some(size)),
            None => {}
        }
    };
    each_line(file, &mut |line| {
        tree.push(match line {
            Line::Entry(bytes) => leaf_hash(&bytes),
            Line::Erased(leaf) => leaf,
        });
        look(&tree);
        Ok(())
    })?;
    match (covered, differs) {
        (Some(covered), None) => Ok(Some(Export {
            file: file.to_owned(),
            covered,
        })),
        // The log of another gate.
        (None, _) => Ok(None),
        (Some(_), Some(size)) => Err(LogError::Export {
            file: file.to_owned(),
            what: format!("it is not the log that the gate signed when that had {size} entries"),
        }),
    }
}

impl Export {
    /// Gives the entries about a lock, and those that were erased. A statement is that of an owner if this machine keeps it.
    pub(super) fn read(
        &self,
        lock: &GateLock,
        kept: Option<&SealedWithGate>,
        take: &mut dyn FnMut(Shown<'_>) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let (mut seq, mut due) = (0, 1);
        // Entries that were erased may have been about this ticket.
        let mut erased = 0;
        each_line(&self.file, &mut |line| {
            let number = seq;
            seq += 1;
            if number >= self.covered {
                return Ok(());
            }
            let bytes = match line {
                Line::Entry(bytes) => bytes,
                Line::Erased(leaf) => {
                    erased += 1;
                    return take(Shown::Erased(&leaf));
                }
            };
            let parsed = Entry::parse(&bytes);
            let entry = parsed.map_err(|error| self.wrong(number, &error.to_string()))?;
            if entry.seq != number {
                return Err(self.wrong(number, "it has another number"));
            }
            if entry.ticket != Some(lock.ticket()) {
                return Ok(());
            }
            let found = entry.n.unwrap_or(0);
            if found < due || found - due > erased {
                let what =
                    format!("of the envelope's entries number {due} is due, and {found} comes");
                return Err(self.wrong(number, &what));
            }
            (due, erased) = (found + 1, 0);
            take(Shown::Entry(&LogLine::Kept {
                statement: statement_of(&entry, kept),
                entry: LoggedEntry {
                    line: bytes,
                    proof: Vec::new(),
                },
                head: None,
                who: None,
                proof: None,
            }))
        })
    }

    fn wrong(&self, number: u64, what: &str) -> LogError {
        LogError::Export {
            file: self.file.clone(),
            what: format!("entry {number}: {what}"),
        }
    }
}

/// The statement of an entry, which an export does not have: it is the one with this hash that this machine keeps.
fn statement_of(entry: &Entry, kept: Option<&SealedWithGate>) -> Option<Vec<u8>> {
    if entry.op != EntryOp::Statement {
        return None;
    }
    let mut kept = kept?.statements.iter();
    let is_it = |bytes: &[u8]| {
        let signed = SignedStatement::parse(bytes);
        signed.is_ok_and(|signed| Some(signed.hash()) == entry.statement)
    };
    kept.find(|kept| is_it(&kept.statement))
        .map(|kept| kept.statement.clone())
}

fn each_line(
    file: &Path,
    take: &mut dyn FnMut(Line) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let mut reader = BufReader::new(open_regular(file)?);
    let wrong = |what: &str| LogError::Export {
        file: file.to_owned(),
        what: what.to_owned(),
    };
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reader).take(ENTRY_BYTES_MAX as u64 + 1);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.pop() != Some(b'\n') {
            return Err(wrong("a line has no end, or is too long for an entry"));
        }
        match line.starts_with(b"{\"erased\":") {
            true => {
                let leaf = erased(&line).map_err(|error| wrong(&error.to_string()))?;
                take(Line::Erased(leaf))?;
            }
            false => take(Line::Entry(line))?,
        }
    }
}

/// `{"erased":b64(32),"seq":number}`
fn erased(line: &[u8]) -> Result<Hash, Error> {
    let mut leaf = None;
    Text::check(line)?.object(|name, value| {
        match name {
            "erased" => leaf = Some(value.base64()?),
            "seq" => {
                value.number()?;
            }
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    leaf.ok_or_else(|| Error::missing("erased"))
}
