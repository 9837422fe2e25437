//! A backup is merged into a keystore in three passes: whose it is, what would be done, and doing it.
//!
//! Newer local data is never replaced by older data. How the parts of a backup are restored is `keystore::Restore`; here it is
//! decided which identities come in.

mod origin;
mod read;
mod report;

use std::io::{self, Read};

use super::identity::{Identities, UpdateError, dry_run_import};
use crate::crypto::signing::RootId;
use crate::directory::{Lookalike, Names, People, lookalikes};
use crate::envelope::{Content, OpenError, Opened, Workers};
use crate::identity::Card;
use crate::keystore::{
    Adoption, BackedUpContact, BackupError, BackupOwner, IdentityExport, ImportOutcome, Keystore,
    KeystoreError, Part, Restore, RestoreMode, RestoreOutcome, Trust, Verifications,
};
use crate::time::Time;
use read::read_all;

pub use origin::{Origin, Proof, SeenBackup};
pub use report::{RestoreCounts, RestoreObserver, RestoreReport, RestoredItem};

/// New contacts of one backup that are compared with everybody here; each costs a look at all of them.
const COMPARED_MAX: usize = 64;

/// Whether identities are added from a backup that nothing shows to be mine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignIdentities {
    /// They stay away: their maker can read what is sealed to them.
    Refuse,
    /// They are added, and wait to be adopted.
    Accept,
}

/// The result of a merge. That of a dry run is the plan of the real one.
pub struct MergeOutcome {
    /// The outcomes of all items.
    pub report: RestoreReport,
    /// Identities that could not be merged while the rest was.
    pub failures: Vec<FailedIdentity>,
    seen: SeenBackup,
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
    seen: SeenBackup,
    now: Time,
    foreign: ForeignIdentities,
    /// What identities are merged with; `None` in a dry run.
    identities: Option<Identities<'a>>,
    /// The verifications that the dry run found.
    verified: Verifications,
    /// Identities that were read and not merged yet.
    waiting: Vec<IdentityExport>,
    restore: Option<Restore<'a>>,
    /// Everybody here, once a card comes in that anybody may have made; and how many of these were compared with them.
    known: Option<Vec<Names>>,
    compared: usize,
    observer: &'a mut (dyn RestoreObserver + Send),
    report: RestoreReport,
    failures: Vec<FailedIdentity>,
}

impl<'a> Merge<'a> {
    /// Looks at a backup and changes nothing.
    #[must_use]
    pub fn dry_run(
        keystore: &'a Keystore,
        seen: SeenBackup,
        foreign: ForeignIdentities,
        now: Time,
        observer: &'a mut (dyn RestoreObserver + Send),
    ) -> Self {
        let plan = MergeOutcome {
            report: RestoreReport::new(seen.origin),
            failures: Vec::new(),
            seen,
            foreign,
            verified: Verifications::default(),
        };
        Self::new(keystore, plan, now, observer)
    }

    /// Merges the backup that `plan` is the dry run of. One that is [`Origin::Unclaimed`] is taken as mine: the user has agreed.
    #[must_use]
    pub fn apply(
        plan: MergeOutcome,
        identities: Identities<'a>,
        observer: &'a mut (dyn RestoreObserver + Send),
    ) -> Self {
        let merge = Self::new(identities.keystore, plan, identities.now, observer);
        Self {
            identities: Some(identities),
            ..merge
        }
    }

    fn new(
        keystore: &'a Keystore,
        plan: MergeOutcome,
        now: Time,
        observer: &'a mut (dyn RestoreObserver + Send),
    ) -> Self {
        Self {
            keystore,
            report: RestoreReport::new(plan.seen.origin),
            seen: plan.seen,
            now,
            foreign: plan.foreign,
            identities: None,
            verified: plan.verified,
            waiting: Vec::new(),
            restore: None,
            known: None,
            compared: 0,
            observer,
            failures: Vec::new(),
        }
    }

    /// Reads all of the backup once more.
    ///
    /// # Errors
    /// [`MergeError`].
    pub fn read<R: Read + Send>(
        &mut self,
        content: Content<R>,
        workers: Workers,
    ) -> Result<Opened, MergeError> {
        if self.identities.is_some() && self.seen.origin == Origin::Unclaimed {
            self.keystore.take_backup(&self.seen.proof, self.now)?;
        }
        let (opened, proof) = read_all(content, workers, |part| self.part(part))?;
        debug_assert_eq!(proof, self.seen.proof, "all passes read one spool");
        Ok(opened)
    }

    fn is_mine(&self) -> bool {
        self.seen.origin.is_mine()
    }

    /// Takes the next part.
    fn part(&mut self, part: Part) -> Result<(), MergeError> {
        match part {
            Part::Head(time) => self.report.made = Some(time),
            Part::Identity(export) => self.waiting.push(*export),
            Part::Decisions(decisions) => {
                self.report.stricter += self.restore()?.decisions(decisions)?.len();
            }
            Part::Contact(contact) => self.contact(&contact)?,
            Part::Group(name, group) => {
                let outcome = self.restore()?.group(&name, &group)?;
                self.report.groups.add(&outcome);
                let item = RestoredItem::Group(&name, &group, &outcome);
                self.observer.item(&item);
            }
            // Whoever puts one in knows its token, and could seem to be invited.
            Part::Invitation(..) if !self.is_mine() => self.report.invitations.refused += 1,
            Part::Invitation(hash, invitation) => {
                let outcome = self.restore()?.invitation(hash, &invitation)?;
                self.report.invitations.add(&outcome);
            }
            Part::Gate(gate) => {
                let outcome = self.restore()?.gate(&gate)?;
                self.report.gates.add(&outcome);
                self.observer.item(&RestoredItem::Gate(&gate, &outcome));
            }
            Part::Sealed(record) => {
                let outcome = self.restore()?.sealed(&record)?;
                self.report.sealed.add(&outcome);
            }
            Part::Default(id) => self.set_default(&id)?,
        }
        Ok(())
    }

    fn contact(&mut self, contact: &BackedUpContact) -> Result<(), MergeError> {
        let card = contact.card();
        let found = match self.is_mine() {
            true => Vec::new(),
            false => self.lookalikes(card)?,
        };
        let outcome = self.restore()?.contact(contact)?;
        self.report.contacts.add(&outcome);
        let item = match (&outcome, self.is_mine()) {
            (RestoreOutcome::New, false) => RestoredItem::ForeignContact(card, found),
            _ => RestoredItem::Contact(card, &outcome),
        };
        self.observer.item(&item);
        Ok(())
    }

    /// Whom a card that comes in as from anybody looks like.
    fn lookalikes(&mut self, card: &Card) -> Result<Vec<Lookalike>, KeystoreError> {
        let keystore = self.keystore;
        if self.compared >= COMPARED_MAX || keystore.contact(&card.id())?.is_some() {
            return Ok(Vec::new());
        }
        self.compared += 1;
        if self.known.is_none() {
            let people = People::read(keystore.clone())?;
            self.known = Some(people.names()?.to_vec());
        }
        let known = self.known.as_deref().unwrap_or_default();
        Ok(lookalikes(card, known))
    }

    fn restore(&mut self) -> Result<&mut Restore<'a>, MergeError> {
        if self.restore.is_none() {
            self.merge_waiting()?;
            let owner = match self.is_mine() {
                true => BackupOwner::Me,
                false => BackupOwner::Unknown(self.now),
            };
            let mode = match &self.identities {
                None => RestoreMode::DryRun,
                Some(_) => RestoreMode::Apply(std::mem::take(&mut self.verified)),
            };
            self.restore = Some(self.keystore.restore(mode, owner)?);
        }
        Ok(self.restore.as_mut().expect("it was just made"))
    }

    /// Merges the identities that are waiting.
    fn merge_waiting(&mut self) -> Result<(), MergeError> {
        for export in std::mem::take(&mut self.waiting) {
            match self.is_mine() {
                true => self.merge_identity(&export),
                false => self.foreign_identity(&export)?,
            }
        }
        Ok(())
    }

    /// What becomes of an identity in a backup that nothing shows to be mine, whosever it is.
    fn foreign_identity(&mut self, export: &IdentityExport) -> Result<(), MergeError> {
        let card = export.card();
        let is_mine_here = self.keystore.own_card(&card.id())?.is_some();
        let is_known = || {
            let outcome = dry_run_import(export, self.keystore);
            matches!(outcome, Ok(ImportOutcome::Known))
        };
        if is_mine_here && (self.foreign == ForeignIdentities::Accept || is_known()) {
            self.merge_identity(export);
            return Ok(());
        }
        self.revoke_contact(export)?;
        match self.foreign {
            ForeignIdentities::Accept => self.add_foreign(export)?,
            ForeignIdentities::Refuse => {
                self.report.identities.refused += 1;
                self.observer.item(&RestoredItem::ForeignIdentity(card));
            }
        }
        Ok(())
    }

    /// The revocation of a contact is accepted from anybody.
    fn revoke_contact(&mut self, export: &IdentityExport) -> Result<(), KeystoreError> {
        let contact = self.keystore.contact(&export.card().id())?;
        let is_news =
            contact.is_some_and(|contact| !matches!(contact.trust, Trust::Revoked { .. }));
        if !is_news || !export.has_ended() {
            return Ok(());
        }
        self.report.stricter += 1;
        match self.identities {
            None => Ok(()),
            Some(_) => (self.keystore).accept_revocation(export.revocation(), self.now),
        }
    }

    /// Adds an identity, which waits to be adopted unless this machine knows it as mine. One that waits already stays as it is.
    fn add_foreign(&mut self, export: &IdentityExport) -> Result<(), KeystoreError> {
        let is_mine = self.keystore.own_ids()?.contains(&export.card().id());
        let added = match self.identities {
            None => self.keystore.dry_run_foreign_import(export),
            Some(_) => (self.keystore).import_identity(export, Adoption::Foreign),
        };
        let card = export.card();
        match added {
            Ok(ImportOutcome::New) => {
                self.report.identities.new += 1;
                self.observer.item(&match is_mine {
                    true => RestoredItem::Identity(card, ImportOutcome::New),
                    false => RestoredItem::WaitingIdentity(card),
                });
            }
            Ok(_) => {
                self.report.identities.known += 1;
                let item = RestoredItem::Identity(card, ImportOutcome::Known);
                self.observer.item(&item);
            }
            Err(error) => self.fail(card, error.into()),
        }
        Ok(())
    }

    /// Merges one of my identities. A failure leaves the others alone.
    fn merge_identity(&mut self, export: &IdentityExport) {
        let imported = match &mut self.identities {
            None => dry_run_import(export, self.keystore).map_err(UpdateError::from),
            Some(identities) => identities.import(export, Adoption::Restored),
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
            Err(error) => self.fail(export.card(), error),
        }
    }

    fn fail(&mut self, card: &Card, error: UpdateError) {
        self.report.identities.refused += 1;
        let card = card.clone();
        self.failures.push(FailedIdentity { card, error });
    }

    /// Takes the backup's default identity where none was chosen.
    fn set_default(&mut self, id: &RootId) -> Result<(), KeystoreError> {
        let is_wanted = self.identities.is_some()
            && self.is_mine()
            && !self.keystore.has_chosen_default()?
            && self.keystore.own_card(id)?.is_some();
        if !is_wanted {
            return Ok(());
        }
        self.restore = None; // it holds the lock
        self.keystore.set_default(id)
    }

    /// Ends the merge.
    ///
    /// # Errors
    /// [`MergeError`].
    pub fn finish(mut self) -> Result<MergeOutcome, MergeError> {
        self.merge_waiting()?;
        Ok(MergeOutcome {
            report: self.report,
            failures: self.failures,
            seen: self.seen,
            foreign: self.foreign,
            verified: self.restore.map(Restore::into_verified).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests;
