//! Whom a complete list of readers leaves out perhaps only because it is out of date.

use super::changes::{AccessHolder, HolderName};
use super::wish::ListedGroupCard;
use crate::crypto::signing::RootId;
use crate::directory::People;
use crate::envelope::{Opened, Reader};
use crate::keystore::KeystoreError;
use crate::time::Time;

/// Who reads an envelope, and who said so when.
pub struct EnvelopeReaders {
    /// Everybody with a slot.
    pub readers: Vec<Reader>,
    /// Who signed it, and so named its readers.
    pub signer: Option<RootId>,
    /// When.
    pub created: Option<Time>,
}

impl EnvelopeReaders {
    /// Of an envelope that was opened.
    #[must_use]
    pub fn of(opened: &Opened) -> Self {
        Self {
            readers: opened.readers(),
            signer: opened.signer(),
            created: opened.manifest.policy.created,
        }
    }

    /// Whether the keeper of the group let this person in after the card of the group was made.
    fn came_by(&self, holder: &AccessHolder, group: &ListedGroupCard) -> bool {
        let mut readers = self.readers.iter();
        let is_holder = |reader: &&Reader| (reader.lock, reader.key) == (holder.lock, holder.key);
        let Some(reader) = readers.find(is_holder) else {
            return false;
        };
        let (by, at) = match reader.is_named {
            true => (self.signer, self.created),
            false => (reader.granted_by, reader.granted_at),
        };
        by == Some(group.keeper) && at.is_some_and(|at| at > group.created)
    }
}

/// Those of `removed` whom nobody here can be sure to mean, so that a person has to say so first: everybody whose card was never
/// here, for somebody else gave them access and knew more; and everybody whom the keeper of a group in the list let in after its
/// card was made, for the group may have them by now.
///
/// Whoever else is known here is left out on purpose, as far as this directory can tell.
///
/// # Errors
/// [`KeystoreError`].
pub fn perhaps_unmeant(
    removed: &[AccessHolder],
    envelope: &EnvelopeReaders,
    groups: &[ListedGroupCard],
    people: &People,
) -> Result<Vec<AccessHolder>, KeystoreError> {
    let mut unmeant = Vec::new();
    for holder in removed {
        let is_known = match (&holder.name, holder.id) {
            (HolderName::Known { .. }, _) => true,
            (HolderName::Claimed(_) | HolderName::Unrecorded, Some(id)) => people.has_met(id)?,
            (HolderName::Claimed(_) | HolderName::Unrecorded, None) => false,
        };
        if !is_known || groups.iter().any(|group| envelope.came_by(holder, group)) {
            unmeant.push(holder.clone());
        }
    }
    Ok(unmeant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::KeyId;
    use crate::crypto::signing::RootId;
    use crate::keystore::Keystore;

    #[test]
    fn whoever_is_unknown_is_perhaps_not_meant() {
        let folder = tempfile::tempdir().unwrap();
        let people = People::read(Keystore::at(folder.path().join("none"))).unwrap();
        let holder = |name: HolderName, id: Option<u8>| AccessHolder {
            name,
            id: id.map(|byte| RootId([byte; 32])),
            key: KeyId([9; 32]),
            lock: 0,
        };
        let known = HolderName::Known {
            name: "Bob".to_owned(),
            address: None,
        };
        let claimed = || HolderName::Claimed("Fay".to_owned());
        let removed = [
            holder(known, Some(1)),
            holder(claimed(), Some(2)),
            holder(HolderName::Unrecorded, None),
        ];
        let nobody = EnvelopeReaders {
            readers: Vec::new(),
            signer: None,
            created: None,
        };
        assert_eq!(
            perhaps_unmeant(&removed, &nobody, &[], &people).unwrap(),
            removed[1..]
        );
        assert_eq!(
            perhaps_unmeant(&removed[..1], &nobody, &[], &people).unwrap(),
            []
        );
    }
}
