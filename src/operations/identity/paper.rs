//! Restoring an identity from a page of paper: it is made again, or adds its keys to the one that is here.

use super::update::later_card;
use super::{Identities, UpdateError, protection};
use crate::identity::{Card, Identity, Paper, serial_ahead};
use crate::keystore::{
    Adoption, IdentityExport, ImportOutcome, KeystoreError, Standing, StoredSecret, self_test,
};
use crate::time::Time;

/// The result of restoring a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaperOutcome {
    /// Whether the identity was here before.
    pub was_here: bool,
    /// Whether its card was signed again, to come after all earlier ones.
    pub has_new_card: bool,
}

impl Identities<'_> {
    /// Restores the identity of a page. All of its keys are tested before anything is stored.
    ///
    /// # Errors
    /// [`UpdateError`]; [`UpdateError::Locked`] and [`UpdateError::Unreadable`] are about the identity that is here.
    pub fn restore_paper(&mut self, paper: Paper) -> Result<PaperOutcome, UpdateError> {
        let local = self.keystore.own_card(&paper.card().id())?;
        Ok(PaperOutcome {
            was_here: local.is_some(),
            has_new_card: match local {
                None => self.place(paper)?,
                Some(local) => self.add(paper, local)?,
            },
        })
    }

    /// Stores the identity once it was locked, unlocked again and tested. Says whether its card was signed again.
    fn place(&mut self, paper: Paper) -> Result<bool, UpdateError> {
        // A revoked identity gets no later card.
        let (standing, card) = if paper.is_revoked() {
            (Standing::Revoked, paper.card().clone())
        } else {
            let card = card_ahead(paper.identity(), paper.card(), None, self.now)?;
            (Standing::Active, card)
        };
        if standing == Standing::Active {
            // Check before asking for a new passphrase.
            self.keystore.refuse_taken_addresses(&card)?;
        }
        let lock = self.unlock.new_lock(&card);
        let lock = lock.map_err(UpdateError::NoPassphrase)?;
        let parts = (card, paper.revocation().clone());
        let protection = protection(lock.as_ref());
        let identity = paper.into_identity();
        let export = IdentityExport::new(&identity, parts, standing, protection, self.rng)?;
        let stored = match (export.secret()?, &lock) {
            (StoredSecret::Locked(locked), Some(lock)) => locked.unlock(&lock.passphrase)?,
            (StoredSecret::Plain(identity), _) => identity,
            (StoredSecret::Locked(_), None) => unreachable!("without a lock keys are not locked"),
        };
        self_test(&stored, export.card(), self.rng)?;
        match self.keystore.import_identity(&export, Adoption::Own)? {
            ImportOutcome::New => Ok(standing == Standing::Active),
            _ => Err(KeystoreError::Changed.into()),
        }
    }

    /// Gives the local identity what only the page has; it stays protected as it is. Says whether there was anything.
    fn add(&mut self, paper: Paper, local: Card) -> Result<bool, UpdateError> {
        let is_later = paper.card().serial() > local.serial();
        let (paper_card, is_revoked) = (paper.card().clone(), paper.is_revoked());
        let mut update = self.begin(local)?;
        // The later card decides what is said about a key, such as its expiry.
        let (mut identity, earlier) = match is_later {
            true => (paper.into_identity(), update.identity),
            false => (update.identity, paper.into_identity()),
        };
        let has_new_keys = identity.merge(earlier).map_err(UpdateError::Merge)?;
        update.identity = identity;
        let changed = is_later || has_new_keys;
        if changed {
            let (later, other) = match is_later {
                true => (&paper_card, &update.card),
                false => (&update.card, &paper_card),
            };
            let card = card_ahead(&update.identity, later, Some(other), self.now)?;
            self_test(&update.identity, &card, self.rng)?;
            self.save(&update, Some(&card))?;
        } else {
            self_test(&update.identity, &update.card, self.rng)?;
        }
        if is_revoked {
            self.keystore.mark_revoked(&paper_card.id())?;
        }
        Ok(changed)
    }
}

/// A card that comes after all that may have been given out, also after the page was printed.
fn card_ahead(
    identity: &Identity,
    later: &Card,
    other: Option<&Card>,
    now: Time,
) -> Result<Card, UpdateError> {
    let known = later.serial().max(other.map_or(0, Card::serial));
    later_card(identity, later, serial_ahead(known, now), now)
}
