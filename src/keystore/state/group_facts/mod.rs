//! `groups/NAME`: a group as each keystore of the user has it, by this machine's or the user's decision.
//!
//! Whoever writes to a keystore's folder can put somebody into a group. So a group that is none of those that this machine wrote or
//! the user adopted reaches nobody until it is adopted.

mod cards;

use std::collections::BTreeSet;

use serde::Serialize;

pub use cards::LatestGroupCard;

use super::super::folder::WriteLock;
use super::super::{Group, Keystore, KeystoreError};
use super::facts::Facts;
use super::{MachineState, has_version};
use crate::crypto::signing::RootId;
use crate::identity::ADDRESS_BYTES_MAX;
use crate::json::{Error, Text, Value};

/// Keystores of which a group is remembered; that of the oldest is let go.
const PLACES_MAX: usize = 16;
/// An envelope has no more recipients.
const MEMBERS_MAX: usize = 16_384;

pub(super) const GROUPS: Facts<Vec<KnownGroup>> = Facts {
    folder: "groups",
    // Each member is 47 bytes.
    bytes_max: 16 << 20,
    parse,
};

/// A group in one keystore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownGroup {
    place: RootId,
    address: Option<String>,
    members: BTreeSet<RootId>,
    /// The card that it came with, or that was given of it.
    card: Option<KnownCard>,
}

/// Who signed a group's card, and its serial: no two cards of a group have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct KnownCard {
    keeper: RootId,
    serial: u64,
}

impl KnownGroup {
    fn new(place: RootId, group: &Group) -> Self {
        let card = group.card.as_ref().map(|card| KnownCard {
            keeper: card.keeper(),
            serial: card.serial(),
        });
        Self {
            place,
            address: group.address.clone(),
            members: group.members.clone(),
            card,
        }
    }

    fn is(&self, group: &Group) -> bool {
        *self == Self::new(self.place, group)
    }

    /// Its members and its address.
    fn into_group(self) -> Group {
        Group {
            address: self.address,
            members: self.members,
            card: None,
        }
    }
}

/// Whether a group is as this machine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupStanding {
    /// It is, or nothing can be remembered.
    Known,
    /// Somebody changed or made it without this machine; what this machine knows of it, if anything.
    Unknown(Option<Group>),
    /// It is, but a later card of it was taken or given on this machine.
    Older(LatestGroupCard),
}

impl Keystore {
    /// Whether this group is as this machine knows the one of that name.
    ///
    /// # Errors
    /// [`KeystoreError`], when the state cannot be read.
    pub fn group_standing(
        &self,
        name: &str,
        group: &Group,
    ) -> Result<GroupStanding, KeystoreError> {
        let machine = self.machine_state()?;
        let (Some(state), Some(_)) = (&machine.folder, &machine.own) else {
            return Ok(GroupStanding::Known);
        };
        let mut known = GROUPS.read(state, &name)?.unwrap_or_default();
        if known.iter().any(|one| one.is(group)) {
            let later = self.later_group_card(group)?;
            return Ok(later.map_or(GroupStanding::Known, GroupStanding::Older));
        }
        let place = self.place();
        let here = known.iter().position(|one| Some(one.place) == place);
        let shown = here.map(|at| known.swap_remove(at)).or_else(|| known.pop());
        Ok(GroupStanding::Unknown(shown.map(KnownGroup::into_group)))
    }

    /// A group, and whether it is as this machine knows it. The state is written before the file and cleared after it, so a group that
    /// another process changes meanwhile is read again.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn known_group(&self, name: &str) -> Result<Option<(Group, GroupStanding)>, KeystoreError> {
        let mut read = self.group(name)?;
        while let Some(group) = read {
            let standing = self.group_standing(name, &group)?;
            let again = match standing {
                GroupStanding::Known | GroupStanding::Older(_) => None,
                GroupStanding::Unknown(_) => self.group(name)?.filter(|again| *again != group),
            };
            if again.is_none() {
                return Ok(Some((group, standing)));
            }
            read = again;
        }
        Ok(None)
    }

    /// Takes a group as it stands as the user's own.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn adopt_group(&self, name: &str) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let group = self.group(name)?.ok_or(KeystoreError::Unknown("group"))?;
        if let Some(card) = &group.card {
            self.set_latest_group_card(&lock, card)?;
        }
        self.remember_group(&lock, name, &group)?;
        self.forget_other_groups(&lock, name, Some(&group))
    }

    /// Remembers a group before its file is written; what was known stays known until [`Keystore::forget_other_groups`].
    pub(in super::super) fn remember_group(
        &self,
        lock: &WriteLock,
        name: &str,
        group: &Group,
    ) -> Result<(), KeystoreError> {
        self.change_known_groups(lock, name, |place, known| {
            remember(known, place, group);
        })
    }

    /// Forgets what this keystore had under this name, but `kept`.
    pub(in super::super) fn forget_other_groups(
        &self,
        lock: &WriteLock,
        name: &str,
        kept: Option<&Group>,
    ) -> Result<(), KeystoreError> {
        self.change_known_groups(lock, name, |place, known| {
            known.retain(|one| one.place != place || kept.is_some_and(|kept| one.is(kept)));
        })
    }

    fn change_known_groups(
        &self,
        lock: &WriteLock,
        name: &str,
        change: impl FnOnce(RootId, &mut Vec<KnownGroup>),
    ) -> Result<(), KeystoreError> {
        let machine = self.machine_state()?;
        let (Some(state), Some(_), Some(place)) = (&machine.folder, &machine.own, self.place())
        else {
            return Ok(());
        };
        if lock.state.is_none() && !has_version(state)? {
            return Ok(()); // there is no memory, and none can be made
        }
        let before = GROUPS.read(state, &name)?.unwrap_or_default();
        let mut known = before.clone();
        change(place, &mut known);
        match known.is_empty() {
            _ if known == before => Ok(()),
            true => GROUPS.remove(state, &name),
            false => GROUPS.write(state, &name, &Line::of(&known)),
        }
    }

    /// Takes the groups of a keystore that is met for the first time as they stand. The caller holds the lock.
    pub(super) fn meet_groups(&self, machine: &MachineState) -> Result<(), KeystoreError> {
        let (Some(state), Some(place)) = (&machine.folder, self.place()) else {
            return Ok(());
        };
        for name in self.groups()? {
            // A file with a fault is reported where the group is used.
            let Ok(Some(group)) = self.group(&name) else {
                continue;
            };
            let mut known = GROUPS.read(state, &name)?.unwrap_or_default();
            remember(&mut known, place, &group);
            GROUPS.write(state, &name, &Line::of(&known))?;
        }
        Ok(())
    }
}

fn remember(known: &mut Vec<KnownGroup>, place: RootId, group: &Group) {
    let one = KnownGroup::new(place, group);
    if !known.contains(&one) {
        known.push(one);
    }
    let surplus = known.len().saturating_sub(PLACES_MAX);
    known.drain(..surplus);
}

/// The line, as it is written.
#[derive(Serialize)]
struct Line<'a> {
    known: Vec<LineOfOne<'a>>,
}

#[derive(Serialize)]
struct LineOfOne<'a> {
    place: RootId,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    members: Vec<&'a RootId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<KnownCard>,
}

impl<'a> Line<'a> {
    fn of(known: &'a [KnownGroup]) -> Self {
        let one = |one: &'a KnownGroup| LineOfOne {
            place: one.place,
            address: one.address.as_deref(),
            members: one.members.iter().collect(),
            card: one.card,
        };
        Self {
            known: known.iter().map(one).collect(),
        }
    }
}

fn parse(line: &[u8]) -> Result<Vec<KnownGroup>, Error> {
    let mut known = None;
    Text::check(line)?.object(|name, value| match name {
        "known" => {
            known = Some(value.array(PLACES_MAX, parse_one)?);
            Ok(())
        }
        other => Err(Error::unknown(other)),
    })?;
    known.ok_or_else(|| Error::missing("known"))
}

fn parse_one(value: Value<'_>) -> Result<KnownGroup, Error> {
    let (mut place, mut members, mut address, mut card) = (None, None, None, None);
    value.object(|name, value| {
        match name {
            "place" => place = Some(RootId(value.base64()?)),
            "address" => address = Some(value.text(ADDRESS_BYTES_MAX)?.into_owned()),
            "members" => {
                members = Some(value.array(MEMBERS_MAX, |one| Ok(RootId(one.base64()?)))?);
            }
            "card" => card = Some(parse_card(value)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    let members = members.ok_or_else(|| Error::missing("members"))?;
    Ok(KnownGroup {
        place: place.ok_or_else(|| Error::missing("place"))?,
        address,
        members: members.into_iter().collect(),
        card,
    })
}

fn parse_card(value: Value<'_>) -> Result<KnownCard, Error> {
    let (mut keeper, mut serial) = (None, None);
    value.object(|name, value| {
        match name {
            "keeper" => keeper = Some(RootId(value.base64()?)),
            "serial" => serial = Some(value.number()?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(KnownCard {
        keeper: keeper.ok_or_else(|| Error::missing("keeper"))?,
        serial: serial.ok_or_else(|| Error::missing("serial"))?,
    })
}
