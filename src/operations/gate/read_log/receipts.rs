//! Receipts in a folder, held against what a gate shows: one for an entry that it does not show proves that it left it out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::regular_file::read_short;
use super::folder::Folder;
use crate::envelope::Ticket;
use crate::gate::client::Receipt;
use crate::gate::log::{Hash, leaf_hash};
use crate::gate::protocol::{Entry, LogLine};
use crate::keystore::GateContact;

/// Bytes of a receipt: an entry, a proof and a checkpoint.
pub(super) const RECEIPT_BYTES_MAX: u64 = 160 << 10;

/// A receipt that proves an entry which a gate left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithheldReceipt {
    /// The file that it is in.
    pub file: PathBuf,
    /// The number of the entry among those of the ticket.
    pub number: u64,
}

/// The receipts about a ticket that a gate signed, and whose entries it has not shown yet, with their numbers in its log.
#[derive(Default)]
pub(super) struct Receipts(HashMap<Hash, (u64, WithheldReceipt)>);

impl Receipts {
    /// Looks through a folder.
    pub(super) fn read(folder: &Folder, ticket: Ticket, gate: &GateContact) -> Self {
        let mut found = HashMap::new();
        for file in &folder.short {
            let Some(receipt) = receipt_in(file) else {
                continue;
            };
            let Ok(entry) = Entry::parse(&receipt.entry) else {
                continue;
            };
            let is_its = entry.ticket == Some(ticket) && receipt.place.index == entry.seq;
            let verified = receipt.place.verify(&receipt.entry, gate.card.log_key());
            if let (Some(number), true) = (entry.n, is_its && verified.is_ok()) {
                let file = file.clone();
                let withheld = WithheldReceipt { file, number };
                found.insert(leaf_hash(&receipt.entry), (entry.seq, withheld));
            }
        }
        Self(found)
    }

    /// The gate shows an entry.
    pub(super) fn show(&mut self, line: &LogLine) {
        if self.0.is_empty() {
            return;
        }
        match line {
            LogLine::Kept { entry, .. } => self.show_leaf(&leaf_hash(&entry.line)),
            LogLine::Erased { leaf, .. } => self.show_leaf(leaf),
        }
    }

    /// The gate shows the hash of an entry: what it was about may have been erased, and is not left out.
    pub(super) fn show_leaf(&mut self, leaf: &Hash) {
        self.0.remove(leaf);
    }

    /// What was not shown, in the order of the entries. What an operator exported shows nothing of the entries behind it.
    pub(super) fn withheld(self, exported: Option<u64>) -> Vec<WithheldReceipt> {
        let is_due = |seq: u64| exported.is_none_or(|covered| seq < covered);
        let all = self.0.into_values().filter(|(seq, _)| is_due(*seq));
        let mut all: Vec<WithheldReceipt> = all.map(|(_, one)| one).collect();
        all.sort_by_key(|one| one.number);
        all
    }
}

/// The receipt in a file, if there is one.
pub(super) fn receipt_in(file: &Path) -> Option<Receipt> {
    Receipt::from_text(&read_short(file, RECEIPT_BYTES_MAX).ok()??)
}
