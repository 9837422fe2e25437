//! The first use of a keystore on a machine that remembers nothing: it is taken as it stands.
//!
//! Where nothing can be written (a container, a service without a state folder), every run is the first one.

use std::path::Path;

use super::super::folder::StateLock;
use super::super::identities::line;
use super::super::{Keystore, KeystoreError, folder};
use super::own::{OWN, Own};
use super::{MachineState, make_version};
use crate::atomic_file::Existing;

/// Keystores that an earlier version knew, and that were not used since, one hash of a path a line.
const PLACES: &str = "places";
const PLACES_BYTES_MAX: u64 = 1 << 20;

/// How the keystore was met by this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquaintance {
    /// As this machine remembers it, or there is nothing in it yet.
    Known,
    /// For the first time: it was taken as it stands, and is remembered from now on.
    First,
    /// It was taken as it stands, and cannot be remembered.
    Unremembered,
}

impl Keystore {
    /// Finds out which identities are the user's own, and takes the keystore as it stands if this machine meets it first.
    pub(super) fn make_acquaintance(
        &self,
        machine: &mut MachineState,
    ) -> Result<(), KeystoreError> {
        let Some(state) = machine.folder.clone() else {
            machine.acquaintance = Acquaintance::Unremembered;
            return Ok(());
        };
        // Of an empty one the first write begins the memory.
        if self.is_met(&state)? || self.is_empty()? {
            machine.own = Some(OWN.read_all(&state)?);
            return Ok(());
        }
        match self.meet(machine, &state) {
            Ok(()) => {
                machine.own = Some(OWN.read_all(&state)?);
                machine.acquaintance = Acquaintance::First;
            }
            Err(error) if error.is_read_only() => {
                // A memory that exists is used, even if it cannot be written to.
                match super::has_version(&state)? {
                    true => machine.own = Some(OWN.read_all(&state)?),
                    false => machine.acquaintance = Acquaintance::Unremembered,
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn is_met(&self, state: &Path) -> Result<bool, KeystoreError> {
        Ok(super::has_version(state)? && !self.is_expected(state)?)
    }

    /// Whether an earlier version knew this keystore, and this one has not met it.
    fn is_expected(&self, state: &Path) -> Result<bool, KeystoreError> {
        let Some(place) = self.place() else {
            return Ok(false);
        };
        let place = place.to_string();
        Ok(expected(state)?.lines().any(|line| line == place))
    }

    fn is_empty(&self) -> Result<bool, KeystoreError> {
        Ok(self.identity_ids()?.is_empty()
            && self.contact_ids()?.is_empty()
            && self.groups()?.is_empty()
            && self.gate_ids()?.is_empty())
    }

    /// Takes identities, groups and gates as they stand. The version comes last: after a kill before, this is done again.
    fn meet(&self, machine: &mut MachineState, state: &Path) -> Result<(), KeystoreError> {
        let _lock = StateLock::take(state)?;
        if self.is_met(state)? {
            return Ok(()); // by another process, in this moment
        }
        let remembered = OWN.read_all(state)?;
        let chosen = self.chosen_default()?;
        for id in self.identity_ids()? {
            if remembered.contains_key(&id) {
                continue;
            }
            // A card that is damaged is reported where it is used.
            let card = self.identity_card(&id).ok().flatten();
            let taken = Own {
                chosen: chosen == Some(id),
                serial: card.map_or(0, |card| card.serial()),
                places: self.place().into_iter().collect(),
                ..Own::default()
            };
            OWN.write(state, &id, &taken)?;
        }
        self.meet_groups(machine)?;
        self.meet_gates(machine)?;
        machine.contested = self.take_verified_names(state)?;
        if let (Some(place), true) = (self.place(), self.is_expected(state)?) {
            let place = place.to_string();
            let others = expected(state)?;
            let others = others.lines().filter(|line| *line != place);
            write_expected(state, others)?;
        }
        make_version(state)
    }
}

fn expected(state: &Path) -> Result<String, KeystoreError> {
    let path = state.join(PLACES);
    let bytes = folder::read_up_to(&path, PLACES_BYTES_MAX)?.unwrap_or_default();
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|error| KeystoreError::state_damaged(&path, &error))?;
    Ok(text.to_owned())
}

/// Writes the places of keystores that are still to be met. The caller holds the lock.
pub(super) fn write_expected<'a>(
    state: &Path,
    places: impl Iterator<Item = &'a str>,
) -> Result<(), KeystoreError> {
    let text: Vec<u8> = places.flat_map(line).collect();
    folder::write(&state.join(PLACES), &text, Existing::Replace)
}
