//! Which of my identities owns an envelope's gate lock, and what shows it.

use super::super::MyKeys;
use crate::crypto::signing::{RootId, SigningKey};
use crate::directory::People;
use crate::envelope::{GateLock, KeyringError, PUBLIC_BLIND};

/// An owner of a gate lock.
#[derive(Clone, Copy)]
pub struct Owner<'a> {
    /// The key that signs statements.
    pub key: &'a SigningKey,
    /// What shows that it is an owner's.
    pub blind: [u8; 32],
}

/// The first of my identities that is an owner. Of a private envelope only an unlocked identity can tell.
///
/// # Errors
/// What keeps an identity locked.
pub fn find_owner<'k>(
    lock: &GateLock,
    people: &People,
    keys: &'k MyKeys<'_>,
) -> Result<Option<Owner<'k>>, KeyringError> {
    let mine: Vec<RootId> = people.active.iter().map(|one| one.card.id()).collect();
    if let Some(id) = mine.iter().find(|id| lock.is_owner(**id, &PUBLIC_BLIND)) {
        let key = keys.signing_key(*id)?;
        let blind = PUBLIC_BLIND;
        return Ok(Some(Owner { key, blind }));
    }
    if lock.terms().owners.is_empty() {
        return Ok(None);
    }
    for id in mine {
        let key = keys.signing_key(id)?;
        if let Some(blind) = lock.blind_of(key) {
            return Ok(Some(Owner { key, blind }));
        }
    }
    Ok(None)
}
