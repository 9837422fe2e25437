//! Receipts in a folder, held against what a gate shows: one for an entry that it does not show proves that it left it out.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::envelope::Ticket;
use crate::gate::client::Receipt;
use crate::gate::log::{Hash, leaf_hash};
use crate::gate::protocol::{Entry, LogLine};
use crate::keystore::GateContact;

/// Files that are looked at, and bytes of a receipt: an entry, a proof and a checkpoint.
pub(super) const FILES_MAX: usize = 16_384;
pub(super) const RECEIPT_BYTES_MAX: u64 = 160 << 10;

/// A receipt that proves an entry which a gate left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithheldReceipt {
    /// The file that it is in.
    pub file: PathBuf,
    /// The number of the entry among those of the ticket.
    pub number: u64,
}

/// The receipts about a ticket that a gate signed, and whose entries it has not shown yet.
#[derive(Default)]
pub(super) struct Receipts(HashMap<Hash, WithheldReceipt>);

impl Receipts {
    /// Looks through a folder.
    pub(super) fn read(folder: &Path, ticket: Ticket, gate: &GateContact) -> io::Result<Self> {
        let mut found = HashMap::new();
        for file in files_in(folder)? {
            let Some(receipt) = receipt_in(&file) else {
                continue;
            };
            let Ok(entry) = Entry::parse(&receipt.entry) else {
                continue;
            };
            let is_its = entry.ticket == Some(ticket) && receipt.place.index == entry.seq;
            let verified = receipt.place.verify(&receipt.entry, gate.card.log_key());
            if let (Some(number), true) = (entry.n, is_its && verified.is_ok()) {
                let withheld = WithheldReceipt { file, number };
                found.insert(leaf_hash(&receipt.entry), withheld);
            }
        }
        Ok(Self(found))
    }

    /// The gate shows an entry.
    pub(super) fn show(&mut self, line: &LogLine) {
        if self.0.is_empty() {
            return;
        }
        match line {
            LogLine::Kept { entry, .. } => self.0.remove(&leaf_hash(&entry.line)),
            LogLine::Erased { leaf, .. } => self.0.remove(leaf),
        };
    }

    /// What was not shown, in the order of the entries.
    pub(super) fn withheld(self) -> Vec<WithheldReceipt> {
        let mut all: Vec<WithheldReceipt> = self.0.into_values().collect();
        all.sort_by_key(|one| one.number);
        all
    }
}

/// The receipt in a file, if there is one.
pub(super) fn receipt_in(file: &Path) -> Option<Receipt> {
    if fs::metadata(file).ok()?.len() > RECEIPT_BYTES_MAX {
        return None;
    }
    Receipt::from_text(&fs::read(file).ok()?)
}

/// The files in a folder, in the order of their names.
pub(super) fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)?.take(FILES_MAX) {
        let path = entry?.path();
        if fs::metadata(&path).is_ok_and(|one| one.is_file()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
