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
