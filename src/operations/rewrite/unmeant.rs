//! Whom a complete list of readers leaves out perhaps only because it is out of date.

use super::changes::{AccessHolder, HolderName};
use crate::directory::People;
use crate::keystore::KeystoreError;

/// Those of `removed` whom nobody here can be sure to mean, so that a person has to say so first: everybody whose card was never
/// here. Somebody else gave them access, and knew more.
///
/// Whoever is known here is left out on purpose, as far as this directory can tell.
///
/// # Errors
/// [`KeystoreError`].
pub fn perhaps_unmeant(
    removed: &[AccessHolder],
    people: &People,
) -> Result<Vec<AccessHolder>, KeystoreError> {
    let mut unmeant = Vec::new();
    for holder in removed {
        let is_known = match (&holder.name, holder.id) {
            (HolderName::Known { .. }, _) => true,
            (HolderName::Claimed(_) | HolderName::Unrecorded, Some(id)) => people.has_met(id)?,
            (HolderName::Claimed(_) | HolderName::Unrecorded, None) => false,
        };
        if !is_known {
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
        assert_eq!(perhaps_unmeant(&removed, &people).unwrap(), removed[1..]);
        assert_eq!(perhaps_unmeant(&removed[..1], &people).unwrap(), []);
    }
}
