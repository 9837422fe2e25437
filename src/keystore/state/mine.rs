//! The user's own identities in a keystore, held against what this machine remembers.

use std::collections::BTreeSet;

use super::super::trust::Trust;
use super::super::{Keystore, KeystoreError, Readable, Standing, folder};
use super::Acquaintance;
use super::own::OwnFault;
use crate::crypto::signing::RootId;
use crate::identity::Card;

impl Keystore {
    /// Identities in the keystore's folder that are not the user's own, as far as this machine knows. They open what was sealed to
    /// them, and nothing else.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn set_aside(&self) -> Result<Vec<Card>, KeystoreError> {
        Ok(self.readable_set_aside()?.found)
    }

    /// Those of [`Keystore::set_aside`], and what is wrong with others whose cards cannot be read.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn readable_set_aside(&self) -> Result<Readable<Card>, KeystoreError> {
        let machine = self.machine_state()?;
        let cards = machine.set_aside.iter().map(|id| self.identity_card(id));
        Ok(Readable::of(cards))
    }

    /// The user's own identities, in this keystore and in all others that this machine remembers, ended ones too.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn own_ids(&self) -> Result<BTreeSet<RootId>, KeystoreError> {
        let machine = self.machine_state()?;
        let Some(own) = &machine.own else {
            return Ok(self.identity_ids()?.into_iter().collect());
        };
        let own = own.iter().filter(|(_, own)| !own.removed);
        Ok(own.map(|(id, _)| *id).collect())
    }

    /// Whether an identity was revoked, as far as this keystore and this machine know. What lies there is not looked at: a mark
    /// alone makes it less than it was.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn has_ended(&self, id: &RootId) -> Result<bool, KeystoreError> {
        let is_marked = folder::read(&self.ended_path(id))?.is_some();
        Ok(is_marked || matches!(self.remembered_trust(id)?, Trust::Revoked { .. }))
    }

    /// Finds out whether the user's own identities are here as this machine remembers them, before anything is signed or sealed
    /// in their names.
    ///
    /// # Errors
    /// [`KeystoreError::OwnMissing`], [`KeystoreError::OwnOlder`], [`KeystoreError::NotAdopted`].
    pub fn check_own(&self) -> Result<(), KeystoreError> {
        let machine = self.machine_state()?;
        match (machine.faults.first(), machine.set_aside.first()) {
            (Some(OwnFault::Missing(id)), _) => Err(KeystoreError::OwnMissing(*id)),
            (Some(OwnFault::Older { id, serial, known }), _) => Err(KeystoreError::OwnOlder {
                id: *id,
                serial: *serial,
                known: *known,
            }),
            (None, Some(id)) if self.identities()?.is_empty() => {
                Err(KeystoreError::NotAdopted(*id))
            }
            (None, _) => Ok(()),
        }
    }

    /// The default identity that the keystore names, if it is another one than the user chose.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn unchosen_default(&self) -> Result<Option<RootId>, KeystoreError> {
        match self.chosen_default()? {
            Some(id) if !self.is_chosen(&id)? && self.own_card(&id)?.is_some() => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    /// How this run met the keystore.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn acquaintance(&self) -> Result<Acquaintance, KeystoreError> {
        Ok(self.machine_state()?.acquaintance)
    }

    /// Addresses of contacts whom an earlier version verified, and that others here have as well: when this run met the keystore, they
    /// were taken as verified for nobody.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn contested_addresses(&self) -> Result<Vec<String>, KeystoreError> {
        Ok(self.machine_state()?.contested.clone())
    }

    /// Takes an identity in the keystore's folder as the user's own.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], [`KeystoreError::AddressTaken`], and what the system refuses.
    pub fn adopt_identity(&self, id: &RootId) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let card = self.identity_card(id)?;
        let card = card.ok_or(KeystoreError::Unknown("identity"))?;
        if self.standing(id)? == Standing::Active {
            self.refuse_taken_addresses(&card)?;
        }
        let is_first = !self.identities()?.iter().any(|known| known.is_default);
        self.remember_own(&lock, &card)?;
        self.remember_place(&lock, id)?;
        match is_first && self.standing(id)? == Standing::Active {
            true => self.choose_default(&lock, id),
            false => Ok(()),
        }
    }

    /// The default identity: the one that the keystore names if the user chose it, else one that is here and was chosen.
    pub(in super::super) fn default_here(
        &self,
        cards: &[Card],
    ) -> Result<Option<RootId>, KeystoreError> {
        let named = self.chosen_default()?;
        let is_chosen = |id: &RootId| self.is_chosen(id);
        if let Some(id) = &named
            && is_chosen(id)?
        {
            return Ok(named);
        }
        if !self.remembers()? {
            return Ok(named);
        }
        for card in cards {
            if is_chosen(&card.id())? {
                return Ok(Some(card.id()));
            }
        }
        Ok(None)
    }

    /// Whether the user chose one of the identities that are here as the default.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn has_chosen_default(&self) -> Result<bool, KeystoreError> {
        let cards: Vec<_> = self.identities()?.into_iter().map(|one| one.card).collect();
        Ok(self.default_here(&cards)?.is_some())
    }

    /// Whether one of the user's own identities was in this keystore and is gone.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn is_missed(&self, id: &RootId) -> Result<bool, KeystoreError> {
        Ok(self.missed()?.contains(id))
    }

    /// The user's own identities that were in this keystore and are gone.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn missed(&self) -> Result<Vec<RootId>, KeystoreError> {
        let machine = self.machine_state()?;
        let missed = machine.faults.iter().filter_map(|fault| match fault {
            OwnFault::Missing(id) => Some(*id),
            OwnFault::Older { .. } => None,
        });
        Ok(missed.collect())
    }
}
