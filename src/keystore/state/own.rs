//! `own/ID`: which identities are the user's own.
//!
//! Whoever writes to a keystore's folder can put an identity there, or take one away. So an identity that this machine has not
//! made, imported, restored or adopted opens what was sealed to it and nothing else, and one of the user's own that is gone
//! from a keystore is missed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::super::folder::{StateLock, WriteLock};
use super::super::{Keystore, KeystoreError};
use super::facts::Facts;
use super::{MachineState, has_version};
use crate::crypto::signing::RootId;
use crate::identity::Card;
use crate::json::{Error, Text};

/// What is remembered of identities. A file has at most 64 places of 67 bytes each, and some words.
pub(super) const OWN: Facts<Own> = Facts {
    folder: "own",
    bytes_max: 8 << 10,
    parse,
};
/// Keystores that an identity is remembered in; the places of older ones are let go.
const PLACES_MAX: usize = 64;

/// What is remembered of an identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in super::super) struct Own {
    /// `key remove` removed it: it is the user's own no more.
    pub(in super::super) removed: bool,
    /// Whether it was the default identity of a keystore by the user's choice.
    pub(in super::super) chosen: bool,
    /// The highest serial that a card of it had.
    pub(in super::super) serial: u32,
    /// The keystores in which it was seen.
    pub(in super::super) places: BTreeSet<RootId>,
}

impl Own {
    fn add_place(&mut self, place: RootId) {
        if self.places.len() >= PLACES_MAX {
            self.places.clear();
        }
        self.places.insert(place);
    }
}

/// What is wrong with the user's own identities in a keystore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnFault {
    /// It was there, and is gone.
    Missing(RootId),
    /// Its card is older than one that was there.
    Older { id: RootId, serial: u32, known: u32 },
}

impl Keystore {
    /// Whether this is an identity of the user. Where nothing can be remembered, all of them are.
    pub(in super::super) fn is_own(&self, id: &RootId) -> Result<bool, KeystoreError> {
        let machine = self.machine_state()?;
        Ok(machine.own.as_ref().is_none_or(|own| is_own(own, id)))
    }

    /// Whether this machine remembers which identities are the user's own.
    pub(in super::super) fn remembers(&self) -> Result<bool, KeystoreError> {
        Ok(self.machine_state()?.own.is_some())
    }

    /// Remembers an identity as the user's own, before it is placed in the keystore. Does nothing where nothing can be remembered.
    pub(in super::super) fn remember_own(
        &self,
        lock: &WriteLock,
        card: &Card,
    ) -> Result<(), KeystoreError> {
        self.change_own(lock, &card.id(), |own| {
            own.removed = false;
            own.serial = own.serial.max(card.serial());
        })
    }

    /// Remembers that an identity of the user is in this keystore, and is to be missed if it is gone.
    pub(in super::super) fn remember_place(
        &self,
        lock: &WriteLock,
        id: &RootId,
    ) -> Result<(), KeystoreError> {
        let Some(place) = self.place().filter(|_| self.is_own(id).unwrap_or(false)) else {
            return Ok(());
        };
        self.change_own(lock, id, |own| own.add_place(place))
    }

    /// Remembers that the user removed an identity.
    pub(in super::super) fn forget_own(
        &self,
        lock: &WriteLock,
        id: &RootId,
    ) -> Result<(), KeystoreError> {
        self.change_own(lock, id, |own| {
            *own = Own {
                removed: true,
                serial: own.serial,
                ..Own::default()
            }
        })
    }

    /// Remembers the default identity of this keystore.
    pub(in super::super) fn remember_default(
        &self,
        lock: &WriteLock,
        id: &RootId,
    ) -> Result<(), KeystoreError> {
        for other in self.identity_ids()? {
            if other != *id && self.is_chosen(&other)? {
                self.change_own(lock, &other, |own| own.chosen = false)?;
            }
        }
        self.change_own(lock, id, |own| own.chosen = true)
    }

    /// Whether the user chose this identity as a default. Where nothing can be remembered, what the keystore says is taken.
    pub(in super::super) fn is_chosen(&self, id: &RootId) -> Result<bool, KeystoreError> {
        let machine = self.machine_state()?;
        let chosen = |own: &BTreeMap<RootId, Own>| own.get(id).is_some_and(|own| own.chosen);
        Ok(machine.own.as_ref().is_none_or(chosen))
    }

    fn change_own(
        &self,
        lock: &WriteLock,
        id: &RootId,
        change: impl FnOnce(&mut Own),
    ) -> Result<(), KeystoreError> {
        let machine = self.machine_state()?;
        let (Some(state), Some(known)) = (&machine.folder, &machine.own) else {
            return Ok(());
        };
        if lock.state.is_none() && !has_version(state)? {
            return Ok(()); // there is no memory, and none can be made
        }
        let before = known.get(id);
        let mut own = before.cloned().unwrap_or_default();
        change(&mut own);
        if before != Some(&own) {
            OWN.write(state, id, &own)?;
            self.reload_state();
        }
        Ok(())
    }

    /// Looks for the user's own identities in this keystore. Notes those that are here, as far as that can be written.
    pub(super) fn note_own(&self, machine: &mut MachineState) -> Result<(), KeystoreError> {
        let (Some(place), Some(own)) = (self.place(), &mut machine.own) else {
            return Ok(());
        };
        let here: BTreeSet<RootId> = self.identity_ids()?.into_iter().collect();
        let mut changed = Vec::new();
        for (id, own) in own.iter_mut().filter(|(_, own)| !own.removed) {
            if !here.contains(id) {
                if own.places.contains(&place) {
                    machine.faults.push(OwnFault::Missing(*id));
                }
                continue;
            }
            // A card that is damaged is reported where it is used.
            let Ok(Some(card)) = self.identity_card(id) else {
                continue;
            };
            if card.serial() < own.serial {
                machine.faults.push(OwnFault::Older {
                    id: *id,
                    serial: card.serial(),
                    known: own.serial,
                });
            }
            let is_new = card.serial() > own.serial || !own.places.contains(&place);
            if is_new {
                own.serial = own.serial.max(card.serial());
                own.add_place(place);
                changed.push(*id);
            }
        }
        machine.set_aside = here.iter().filter(|id| !is_own(own, id)).copied().collect();
        if let (Some(state), false) = (&machine.folder, changed.is_empty()) {
            // What cannot be noted now is noted by a later run.
            let _ = note(state, &changed, own, place);
        }
        Ok(())
    }
}

/// Notes what was seen, unless another process is writing. It may have changed the same files since they were read.
fn note(
    state: &Path,
    changed: &[RootId],
    seen: &BTreeMap<RootId, Own>,
    place: RootId,
) -> Result<(), KeystoreError> {
    let Some(_lock) = StateLock::try_take(state)? else {
        return Ok(());
    };
    for id in changed {
        let (Some(mut own), Some(seen)) = (OWN.read(state, id)?, seen.get(id)) else {
            continue;
        };
        if !own.removed {
            own.serial = own.serial.max(seen.serial);
            own.add_place(place);
            OWN.write(state, id, &own)?;
        }
    }
    Ok(())
}

fn is_own(own: &BTreeMap<RootId, Own>, id: &RootId) -> bool {
    own.get(id).is_some_and(|own| !own.removed)
}

fn parse(line: &[u8]) -> Result<Own, Error> {
    let (mut removed, mut chosen, mut serial, mut places) = (None, None, None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "removed" => removed = Some(value.boolean()?),
            "chosen" => chosen = Some(value.boolean()?),
            "serial" => {
                let number = u32::try_from(value.number()?);
                serial = Some(number.map_err(|_| Error::over_limit("serial"))?);
            }
            "places" => places = Some(value.array(PLACES_MAX, |one| Ok(RootId(one.base64()?)))?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    let places = places.ok_or_else(|| Error::missing("places"))?;
    Ok(Own {
        removed: removed.ok_or_else(|| Error::missing("removed"))?,
        chosen: chosen.ok_or_else(|| Error::missing("chosen"))?,
        serial: serial.ok_or_else(|| Error::missing("serial"))?,
        places: places.into_iter().collect(),
    })
}
