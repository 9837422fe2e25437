//! `group-cards/HASH`: the latest card of a group that was taken or given, whatever became of the group in a keystore; HASH is of
//! its keeper and of the name that the keeper gave it.
//!
//! Whoever is given an older card, or has an older keystore, would encrypt for people who are no members any more.

use serde::Serialize;

use super::super::super::folder::WriteLock;
use super::super::super::{Group, Keystore, KeystoreError};
use super::super::facts::Facts;
use super::super::has_version;
use crate::crypto::kdf;
use crate::crypto::signing::RootId;
use crate::identity::GroupCard;
use crate::json::{Error, Text};
use crate::time::Time;

const CARDS: Facts<LatestGroupCard> = Facts {
    folder: "group-cards",
    bytes_max: 1 << 10,
    parse,
};

/// What is known of the latest card of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LatestGroupCard {
    /// Its serial.
    pub serial: u64,
    /// When it was made.
    pub created: Time,
}

impl Keystore {
    /// The latest card of the group that this keeper calls so.
    ///
    /// # Errors
    /// [`KeystoreError`], when the state cannot be read.
    pub fn latest_group_card(
        &self,
        keeper: &RootId,
        name: &str,
    ) -> Result<Option<LatestGroupCard>, KeystoreError> {
        let machine = self.machine_state()?;
        let Some(state) = machine.folder.as_ref().filter(|_| machine.own.is_some()) else {
            return Ok(None);
        };
        CARDS.read(state, &hash(keeper, name))
    }

    /// A later card of this group than the one it came with, if one is known.
    pub(super) fn later_group_card(
        &self,
        group: &Group,
    ) -> Result<Option<LatestGroupCard>, KeystoreError> {
        let Some(card) = &group.card else {
            return Ok(None);
        };
        let latest = self.latest_group_card(&card.keeper(), card.name())?;
        Ok(latest.filter(|latest| latest.serial > card.serial()))
    }

    /// Remembers a card as the latest of its group, unless a later one is.
    pub(in super::super::super) fn remember_group_card(
        &self,
        lock: &WriteLock,
        card: &GroupCard,
    ) -> Result<(), KeystoreError> {
        let latest = self.latest_group_card(&card.keeper(), card.name())?;
        match latest {
            Some(latest) if latest.serial >= card.serial() => Ok(()),
            _ => self.set_latest_group_card(lock, card),
        }
    }

    /// Takes a card for the latest of its group, whatever was known.
    pub(super) fn set_latest_group_card(
        &self,
        lock: &WriteLock,
        card: &GroupCard,
    ) -> Result<(), KeystoreError> {
        let machine = self.machine_state()?;
        let (Some(state), Some(_)) = (&machine.folder, &machine.own) else {
            return Ok(());
        };
        if lock.state.is_none() && !has_version(state)? {
            return Ok(()); // there is no memory, and none can be made
        }
        let latest = LatestGroupCard {
            serial: card.serial(),
            created: card.created(),
        };
        CARDS.write(state, &hash(&card.keeper(), card.name()), &latest)
    }
}

fn hash(keeper: &RootId, name: &str) -> RootId {
    RootId(kdf::remembered_group(&keeper.0, name))
}

fn parse(line: &[u8]) -> Result<LatestGroupCard, Error> {
    let (mut serial, mut created) = (None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "serial" => serial = Some(value.number()?),
            "created" => created = Some(value.time()?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(LatestGroupCard {
        serial: serial.ok_or_else(|| Error::missing("serial"))?,
        created: created.ok_or_else(|| Error::missing("created"))?,
    })
}
