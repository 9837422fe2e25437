//! The outcome of restoring a backup, planned or done: each item, and the numbers of all.

use serde::Serialize;

use super::origin::Origin;
use crate::directory::Lookalike;
use crate::identity::Card;
use crate::keystore::{GateContact, Group, ImportOutcome, RestoreOutcome};
use crate::time::Time;

/// Hears what becomes of each item of a backup.
pub trait RestoreObserver {
    /// An item was restored, or would be.
    fn item(&mut self, item: &RestoredItem<'_>);
}

/// One item of a backup with its outcome, planned or done.
pub enum RestoredItem<'a> {
    /// One of the identities.
    Identity(&'a Card, ImportOutcome),
    /// An identity of a backup that nothing shows to be mine: it stays away.
    ForeignIdentity(&'a Card),
    /// The same, and it was added to be adopted.
    WaitingIdentity(&'a Card),
    /// A contact.
    Contact(&'a Card, &'a RestoreOutcome),
    /// A contact that is new here, of a backup that nothing shows to be mine: its card comes in as from anybody.
    ForeignContact(&'a Card, Vec<Lookalike>),
    /// A group.
    Group(&'a str, &'a Group, &'a RestoreOutcome),
    /// A gate.
    Gate(&'a GateContact, &'a RestoreOutcome),
}

/// The outcomes of the items of one kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RestoreCounts {
    /// They were missing here.
    pub new: usize,
    /// They replaced older ones.
    pub updated: usize,
    /// They were here already.
    pub known: usize,
    /// The local ones were kept.
    pub kept: usize,
    /// They were not restored.
    pub refused: usize,
}

impl RestoreCounts {
    pub(super) fn add(&mut self, outcome: &RestoreOutcome) {
        let count = match outcome {
            RestoreOutcome::New => &mut self.new,
            RestoreOutcome::Updated => &mut self.updated,
            RestoreOutcome::Known => &mut self.known,
            RestoreOutcome::LocalKept => &mut self.kept,
            RestoreOutcome::Refused(_) => &mut self.refused,
        };
        *count += 1;
    }

    fn changes(&self) -> usize {
        self.new + self.updated
    }
}

/// The outcome of a backup, planned or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// When the backup was made.
    pub made: Option<Time>,
    /// Whose it is.
    pub origin: Origin,
    /// My identities.
    pub identities: RestoreCounts,
    /// Contacts.
    pub contacts: RestoreCounts,
    /// Groups.
    pub groups: RestoreCounts,
    /// Invitations.
    pub invitations: RestoreCounts,
    /// Gates.
    pub gates: RestoreCounts,
    /// Records of what was sealed with gates.
    pub sealed: RestoreCounts,
    /// Keys that are blocked, changed or revoked only in the backup, and here from now on.
    pub stricter: usize,
}

impl RestoreReport {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            made: None,
            origin,
            identities: RestoreCounts::default(),
            contacts: RestoreCounts::default(),
            groups: RestoreCounts::default(),
            invitations: RestoreCounts::default(),
            gates: RestoreCounts::default(),
            sealed: RestoreCounts::default(),
            stricter: 0,
        }
    }

    /// Whether anything is or would be other than before.
    #[must_use]
    pub fn changes_anything(&self) -> bool {
        let kinds = [
            &self.identities,
            &self.contacts,
            &self.groups,
            &self.invitations,
            &self.gates,
            &self.sealed,
        ];
        self.stricter > 0 || kinds.iter().any(|counts| counts.changes() > 0)
    }
}
