//! Named sets of contacts, resolved when something is wrapped.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::folder::WriteLock;
use super::identities::line;
use super::{GroupStanding, Keystore, KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::{NotAnId, RootId};
use crate::identity::{GroupCard, is_group_address, is_group_name};

const GROUPS: &str = "groups";
/// An envelope's 16,384 recipients, 65 bytes each, fit in.
const FILE_BYTES_MAX: u64 = 2 << 20;
/// What stands before the address, on a first line that a group without one does not have.
const ADDRESS: &str = "address ";
/// What stands before the group card, if there is one.
const CARD: &str = "card ";

/// A named set of contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// The address of the mailing list that reaches them, if there is one.
    pub address: Option<String>,
    /// The root keys of its members.
    pub members: BTreeSet<RootId>,
    /// The card that it came with, or the last one that was given of it: whoever signed that keeps the group.
    pub card: Option<GroupCard>,
}

impl From<&GroupCard> for Group {
    fn from(card: &GroupCard) -> Self {
        Self {
            address: card.address().map(str::to_owned),
            members: card.members().clone(),
            card: Some(card.clone()),
        }
    }
}

impl Group {
    /// Reads what stands in the file of a group.
    pub(super) fn from_text(text: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        let mut lines = text.lines().peekable();
        let address = lines.next_if(|line| line.starts_with(ADDRESS));
        let address = address.map(|line| line[ADDRESS.len()..].to_owned());
        if !address.as_deref().is_none_or(is_group_address) {
            return Err("its address is none".to_owned());
        }
        let card = lines.next_if(|line| line.starts_with(CARD));
        let card = card.map(|line| GroupCard::from_text(&line.as_bytes()[CARD.len()..]));
        let card = card.transpose().map_err(|error| error.to_string())?;
        let members = lines.map(str::parse).collect::<Result<_, NotAnId>>();
        let members = members.map_err(|error| error.to_string())?;
        Ok(Self {
            address,
            members,
            card,
        })
    }

    /// What stands in its file.
    pub(super) fn to_text(&self) -> Vec<u8> {
        let address = self.address.iter().map(|text| format!("{ADDRESS}{text}"));
        let members = self.members.iter().map(ToString::to_string);
        let card = self.card.iter();
        let card = card.map(|card| format!("{CARD}{}", card.to_text()));
        address
            .chain(card)
            .chain(members)
            .flat_map(|text| line(&text))
            .collect()
    }
}

impl Keystore {
    /// The names of all groups.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn groups(&self) -> Result<Vec<String>, KeystoreError> {
        let names = self.names_in(GROUPS)?;
        Ok(names
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .filter(|name| is_group_name(name))
            .collect())
    }

    /// The group of this name, if there is one.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn group(&self, name: &str) -> Result<Option<Group>, KeystoreError> {
        if !is_group_name(name) {
            return Ok(None);
        }
        let path = self.group_path(name);
        let Some(text) = folder::read_up_to(&path, FILE_BYTES_MAX)? else {
            return Ok(None);
        };
        let group = Group::from_text(&text);
        group
            .map(Some)
            .map_err(|reason| KeystoreError::damaged(&path, &reason))
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`KeystoreError::GroupName`], [`KeystoreError::GroupAddress`], [`KeystoreError::GroupExists`], and what the
    /// system refuses.
    pub fn new_group(&self, name: &str, group: &Group) -> Result<(), KeystoreError> {
        if !is_group_name(name) {
            return Err(KeystoreError::GroupName(name.to_owned()));
        }
        if let Some(address) = group
            .address
            .as_ref()
            .filter(|text| !is_group_address(text))
        {
            return Err(KeystoreError::GroupAddress(address.clone()));
        }
        let lock = self.lock()?;
        if self.group(name)?.is_some() {
            return Err(KeystoreError::GroupExists(name.to_owned()));
        }
        self.make_group(&lock, name, group)
    }

    /// The caller has checked the name.
    pub(super) fn make_group(
        &self,
        lock: &WriteLock,
        name: &str,
        group: &Group,
    ) -> Result<(), KeystoreError> {
        folder::make_folder(&self.root.join(GROUPS))?;
        self.write_group(lock, name, group)
    }

    /// Makes a group that somebody else put together: it reaches nobody until the user adopts it. The caller has checked the name.
    pub(super) fn make_unknown_group(
        &self,
        name: &str,
        group: &Group,
    ) -> Result<(), KeystoreError> {
        folder::make_folder(&self.root.join(GROUPS))?;
        self.write_file(name, group)
    }

    /// Changes the members of a group; its address stays.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`]; [`KeystoreError::GroupNotAdopted`], when somebody else changed it; and what the system refuses.
    pub fn change_group(
        &self,
        name: &str,
        change: impl FnOnce(&mut BTreeSet<RootId>),
    ) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let mut group = self.group(name)?.ok_or(KeystoreError::Unknown("group"))?;
        if self.group_standing(name, &group)? != GroupStanding::Known {
            return Err(KeystoreError::GroupNotAdopted(name.to_owned()));
        }
        if !self.keeps(&group)? {
            return Err(KeystoreError::GroupOfAnother(name.to_owned()));
        }
        change(&mut group.members);
        self.write_group(&lock, name, &group)
    }

    /// Whether the user keeps a group: it came with nobody's card, or with the card of one of the user's identities.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn keeps(&self, group: &Group) -> Result<bool, KeystoreError> {
        let Some(card) = &group.card else {
            return Ok(true);
        };
        let mut mine = self.identities()?.into_iter();
        Ok(mine.any(|mine| mine.card.id() == card.keeper()))
    }

    /// Makes the user the keeper of a group that somebody else gave.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`]; [`KeystoreError::GroupNotAdopted`], when somebody else changed it; and what the system refuses.
    pub fn keep_group(&self, name: &str) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let mut group = self.group(name)?.ok_or(KeystoreError::Unknown("group"))?;
        if self.group_standing(name, &group)? != GroupStanding::Known {
            return Err(KeystoreError::GroupNotAdopted(name.to_owned()));
        }
        group.card = None;
        self.write_group(&lock, name, &group)
    }

    /// Sets a group as its card has it, in place of `before`, and remembers the card as the latest of that group. After a kill in
    /// between it can be done again.
    ///
    /// # Errors
    /// [`KeystoreError::GroupName`]; [`KeystoreError::Changed`], when the group is not `before` any more; and what the system refuses.
    pub fn set_group(
        &self,
        name: &str,
        before: Option<&Group>,
        after: &Group,
    ) -> Result<(), KeystoreError> {
        if !is_group_name(name) {
            return Err(KeystoreError::GroupName(name.to_owned()));
        }
        let lock = self.lock()?;
        if self.group(name)?.as_ref() != before {
            return Err(KeystoreError::Changed);
        }
        if before != Some(after) {
            self.make_group(&lock, name, after)?;
        }
        // Last: a group that is older than its card reaches nobody.
        match &after.card {
            Some(card) => self.remember_group_card(&lock, card),
            None => Ok(()),
        }
    }

    /// Deletes a group; its members stay contacts.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn delete_group(&self, name: &str) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        // Forgotten first: one that is put back later is asked about.
        self.forget_other_groups(&lock, name, None)?;
        let removed = is_group_name(name) && folder::remove(&self.group_path(name))?;
        if removed {
            Ok(())
        } else {
            Err(KeystoreError::Unknown("group"))
        }
    }

    /// In every group one member takes another's place, and stays unknown if it was so.
    pub(super) fn replace_in_groups(
        &self,
        lock: &WriteLock,
        old: &RootId,
        new: &RootId,
    ) -> Result<(), KeystoreError> {
        for name in self.groups()? {
            let Some(mut group) = self.group(&name)? else {
                continue;
            };
            let standing = self.group_standing(&name, &group)?;
            if group.members.remove(old) {
                group.members.insert(*new);
                match standing {
                    GroupStanding::Known | GroupStanding::Older(_) => {
                        self.write_group(lock, &name, &group)?;
                    }
                    GroupStanding::Unknown(_) => self.write_file(&name, &group)?,
                }
            }
        }
        Ok(())
    }

    /// It is remembered first: after a kill in between, both this group and the one before are known.
    fn write_group(
        &self,
        lock: &WriteLock,
        name: &str,
        group: &Group,
    ) -> Result<(), KeystoreError> {
        self.remember_group(lock, name, group)?;
        self.write_file(name, group)?;
        self.forget_other_groups(lock, name, Some(group))
    }

    fn write_file(&self, name: &str, group: &Group) -> Result<(), KeystoreError> {
        folder::write(&self.group_path(name), &group.to_text(), Existing::Replace)
    }

    fn group_path(&self, name: &str) -> PathBuf {
        self.root.join(GROUPS).join(name)
    }
}
