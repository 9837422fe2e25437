//! A backup is merged into a keystore: as a dry run first, and then for real.
//!
//! Newer local data is never replaced by older data. How the parts of a backup are restored is `keystore::Restore`; here it is
//! decided whose backup it is, and which identities come in.

use std::collections::HashSet;
use std::io::{self, Read};
use std::thread;

use serde::Serialize;

use super::identity::{Identities, UpdateError, dry_run_import};
use crate::crypto::signing::RootId;
use crate::envelope::{Content, OpenError, Opened, Slot, Workers};
use crate::identity::Card;
use crate::keystore::{
    BACKUP_TYPE, BackupError, IdentityExport, ImportOutcome, Keystore, KeystoreError, Part,
    Restore, RestoreMode, RestoreOutcome, Verifications, read_parts,
};
use crate::time::Time;

/// Whether identities are restored from a backup that is not certain to be mine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignIdentities {
    /// They stay away: their maker can read what is sealed to them.
    Refuse,
    /// They are restored.
    Accept,
}

/// Hears what becomes of each item of a backup.
pub trait RestoreObserver {
    /// An item was restored, or would be.
    fn item(&mut self, item: &RestoredItem<'_>);
}

/// One item of a backup with its outcome, planned or done.
pub enum RestoredItem<'a> {
    /// One of the identities.
    Identity(&'a Card, ImportOutcome),
    /// An identity in a backup that is not certain to be mine.
    ForeignIdentity(&'a Card),
    /// A contact.
    Contact(&'a Card, &'a RestoreOutcome),
    /// A group with the number of its members.
    Group(&'a str, usize, &'a RestoreOutcome),
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
    fn add(&mut self, outcome: &RestoreOutcome) {
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
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// When the backup was made.
    pub made: Option<Time>,
    /// Whether it is certain that I made it.
    pub is_mine: bool,
    /// My identities.
    pub identities: RestoreCounts,
    /// Contacts.
    pub contacts: RestoreCounts,
    /// Groups.
    pub groups: RestoreCounts,
    /// Invitations.
    pub invitations: RestoreCounts,
    /// Keys that are blocked, changed or revoked only in the backup, and here from now on.
    pub stricter: usize,
}

impl RestoreReport {
    /// Whether anything is or would be other than before.
    #[must_use]
    pub fn changes_anything(&self) -> bool {
        let kinds = [
            &self.identities,
            &self.contacts,
            &self.groups,
            &self.invitations,
        ];
        self.stricter > 0 || kinds.iter().any(|counts| counts.changes() > 0)
    }
}

/// The result of a merge. That of a dry run is the plan of the real one.
pub struct MergeOutcome {
    /// The outcomes of all items.
    pub report: RestoreReport,
    /// Identities that could not be merged while the rest was.
    pub failures: Vec<FailedIdentity>,
    own: HashSet<RootId>,
    foreign: ForeignIdentities,
    verified: Verifications,
}

/// An identity that was not merged.
pub struct FailedIdentity {
    /// Its card in the backup.
    pub card: Card,
    /// The reason.
    pub error: UpdateError,
}

/// Why a backup was not merged to its end.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// The envelope is not that of a backup.
    #[error("it is not a backup of a keystore")]
    NotABackup,
    /// The system has no pipe.
    #[error("there is no pipe to read it through")]
    Pipe(#[source] io::Error),
    /// The envelope could not be read to its end.
    #[error("the envelope cannot be read")]
    Open(#[source] OpenError),
    /// Its content is not what a backup contains.
    #[error(transparent)]
    Content(#[from] BackupError),
    /// The keystore refused.
    #[error("the keystore refused")]
    Keystore(#[from] KeystoreError),
}

/// A backup while it is merged into a keystore, or looked at only.
pub struct Merge<'a> {
    keystore: &'a Keystore,
    /// My identities before.
    own: HashSet<RootId>,
    foreign: ForeignIdentities,
    /// What identities are merged with; `None` in a dry run.
    identities: Option<Identities<'a>>,
    /// The verifications that the dry run found.
    verified: Verifications,
    origin: Origin,
    /// Identities that were read before it was known whose backup it is.
    waiting: Vec<IdentityExport>,
    restore: Option<Restore<'a>>,
    observer: &'a mut (dyn RestoreObserver + Send),
    report: RestoreReport,
    failures: Vec<FailedIdentity>,
}

/// What shows whose backup it is.
#[derive(Default)]
struct Origin {
    /// Only a passphrase opens it.
    by_passphrase: bool,
    /// The key that signed it, which is proven when all of it was read.
    signer: Option<RootId>,
    /// One of mine is in it, with its revocation: only the owner of the keystore has that.
    has_own: bool,
}

impl<'a> Merge<'a> {
    /// Looks at a backup and changes nothing.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn dry_run(
        keystore: &'a Keystore,
        foreign: ForeignIdentities,
        observer: &'a mut (dyn RestoreObserver + Send),
    ) -> Result<Self, KeystoreError> {
        let own = keystore.identities()?;
        Ok(Self {
            keystore,
            own: own.iter().map(|identity| identity.card.id()).collect(),
            foreign,
            identities: None,
            verified: Verifications::default(),
            origin: Origin::default(),
            waiting: Vec::new(),
            restore: None,
            observer,
            report: RestoreReport::default(),
            failures: Vec::new(),
        })
    }

    /// Merges the backup that `plan` is the dry run of.
    #[must_use]
    pub fn apply(
        plan: MergeOutcome,
        identities: Identities<'a>,
        observer: &'a mut (dyn RestoreObserver + Send),
    ) -> Self {
        Self {
            keystore: identities.keystore,
            own: plan.own,
            foreign: plan.foreign,
            identities: Some(identities),
            verified: plan.verified,
            origin: Origin::default(),
            waiting: Vec::new(),
            restore: None,
            observer,
            report: RestoreReport::default(),
            failures: Vec::new(),
        }
    }

    /// Reads all of a backup. What is decrypted passes through a pipe, never through a file.
    ///
    /// # Errors
    /// [`MergeError`]. A damaged envelope is reported as that, whatever its content is.
    pub fn read<R: Read + Send>(
        &mut self,
        content: Content<R>,
        workers: Workers,
    ) -> Result<Opened, MergeError> {
        let opened = content.metadata();
        if opened.private.info.media_type.as_deref() != Some(BACKUP_TYPE) {
            return Err(MergeError::NotABackup);
        }
        self.begin(opened);
        let (mut reader, mut writer) = io::pipe().map_err(MergeError::Pipe)?;
        let (copied, parsed) = thread::scope(|scope| {
            let parsing = scope.spawn(move || {
                let parsed = read_parts(&mut reader, |part| self.part(part));
                // The envelope is read to its end even if the content is wrong.
                let _ = io::copy(&mut reader, &mut io::sink());
                parsed
            });
            let copied = content.copy_to(&mut writer, workers);
            drop(writer);
            (copied, parsing.join())
        });
        let (opened, _) = copied.map_err(MergeError::Open)?;
        match parsed {
            Ok(parsed) => parsed.map(|()| opened),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Notes who made the backup.
    fn begin(&mut self, opened: &Opened) {
        // A reader who was let in later has a slot too, and need not know the passphrase.
        let slots = &opened.manifest.access.slots;
        self.origin = Origin {
            by_passphrase: slots.iter().all(|slot| matches!(slot, Slot::Passphrase(_))),
            signer: opened.signer(),
            has_own: false,
        };
    }

    /// Whether I made it: it is signed by one of my identities, or opens by a passphrase alone and holds one of them. Where there
    /// is no identity yet, a backup that opens by a passphrase counts as mine.
    fn is_mine(&self) -> bool {
        let Origin {
            by_passphrase,
            signer,
            has_own,
        } = self.origin;
        if self.own.is_empty() {
            return by_passphrase;
        }
        signer.is_some_and(|signer| self.own.contains(&signer)) || (by_passphrase && has_own)
    }

    /// Takes the next part.
    fn part(&mut self, part: Part) -> Result<(), MergeError> {
        match part {
            Part::Head(time) => self.report.made = Some(time),
            Part::Identity(export) => {
                self.origin.has_own |= self.own.contains(&export.card().id());
                self.waiting.push(*export);
            }
            Part::Decisions(decisions) => {
                self.report.stricter = self.restore()?.decisions(decisions)?.len();
            }
            Part::Contact(contact) => {
                let outcome = self.restore()?.contact(&contact)?;
                self.report.contacts.add(&outcome);
                let item = RestoredItem::Contact(contact.card(), &outcome);
                self.observer.item(&item);
            }
            Part::Group(name, group) => {
                let outcome = self.restore()?.group(&name, &group)?;
                self.report.groups.add(&outcome);
                let item = RestoredItem::Group(&name, group.members.len(), &outcome);
                self.observer.item(&item);
            }
            Part::Invitation(hash, invitation) => {
                let outcome = self.restore()?.invitation(hash, &invitation)?;
                self.report.invitations.add(&outcome);
            }
            Part::Default(id) => self.set_default(&id)?,
        }
        Ok(())
    }

    fn restore(&mut self) -> Result<&mut Restore<'a>, KeystoreError> {
        if self.restore.is_none() {
            self.merge_waiting();
            let is_mine = self.is_mine();
            self.report.is_mine = is_mine;
            let mode = match &self.identities {
                None => RestoreMode::DryRun,
                Some(_) => RestoreMode::Apply(std::mem::take(&mut self.verified)),
            };
            self.restore = Some(self.keystore.restore(mode, is_mine)?);
        }
        Ok(self.restore.as_mut().expect("it was just made"))
    }

    /// Merges the identities that are waiting.
    fn merge_waiting(&mut self) {
        let accepts_all = self.is_mine() || self.foreign == ForeignIdentities::Accept;
        for export in std::mem::take(&mut self.waiting) {
            let card = export.card();
            if accepts_all || self.own.contains(&card.id()) {
                self.merge_identity(&export);
                continue;
            }
            self.report.identities.kept += 1;
            self.observer.item(&RestoredItem::ForeignIdentity(card));
        }
    }

    /// Merges one of my identities. A failure leaves the others alone.
    fn merge_identity(&mut self, export: &IdentityExport) {
        let imported = match &mut self.identities {
            None => dry_run_import(export, self.keystore).map_err(UpdateError::from),
            Some(identities) => identities.import(export),
        };
        let counts = &mut self.report.identities;
        match imported {
            Ok(outcome) => {
                match outcome {
                    ImportOutcome::New => counts.new += 1,
                    ImportOutcome::Known => counts.known += 1,
                    ImportOutcome::Updated | ImportOutcome::KeysDiffer => counts.updated += 1,
                }
                let item = RestoredItem::Identity(export.card(), outcome);
                self.observer.item(&item);
            }
            Err(error) => {
                counts.refused += 1;
                let card = export.card().clone();
                self.failures.push(FailedIdentity { card, error });
            }
        }
    }

    /// Takes the backup's default identity where there was none.
    fn set_default(&mut self, id: &RootId) -> Result<(), KeystoreError> {
        let is_dry_run = self.identities.is_none();
        if is_dry_run || !self.own.is_empty() || self.keystore.own_card(id)?.is_none() {
            return Ok(());
        }
        self.restore = None; // it holds the lock
        self.keystore.set_default(id)
    }

    /// Ends the merge.
    #[must_use]
    pub fn finish(mut self) -> MergeOutcome {
        self.merge_waiting();
        MergeOutcome {
            report: self.report,
            failures: self.failures,
            own: self.own,
            foreign: self.foreign,
            verified: self.restore.map(Restore::into_verified).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
