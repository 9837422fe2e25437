//! People who must come together to open a lock.

use std::collections::HashSet;

use super::error::DirectoryError;
use super::people::People;
use super::recipients::take_addressees;
use super::resolve::{ResolvedRecipient, resolve};
use crate::envelope::{Addressee, LockRequest};
use crate::policy::SHARES_MAX;
use crate::time::Time;

/// People of whom some must come together, each once.
pub struct ResolvedQuorum {
    /// How many must come together.
    pub need: u8,
    /// All of them.
    pub members: Vec<ResolvedRecipient>,
    /// The same people with the key that is encrypted to.
    pub addressees: Vec<Addressee>,
}

impl ResolvedQuorum {
    /// `need` of the people whom these words mean.
    ///
    /// # Errors
    /// [`DirectoryError`]; a person may be named once only, and there are enough and not too many.
    pub fn resolve(
        need: u8,
        words: &[String],
        people: &People,
        now: Time,
    ) -> Result<Self, DirectoryError> {
        let mut members = resolve(words, people)?;
        let mut seen = HashSet::new();
        if let Some(twice) = members.iter().find(|one| !seen.insert(one.names.id)) {
            return Err(DirectoryError::TwiceInQuorum(twice.names.clone()));
        }
        let of = members.len();
        if usize::from(need) > of {
            return Err(DirectoryError::QuorumTooSmall { need, of });
        }
        if need > 1 && of > SHARES_MAX {
            return Err(DirectoryError::QuorumTooLarge { of });
        }
        let addressees = take_addressees(&mut members, now)?;
        Ok(Self {
            need,
            members,
            addressees,
        })
    }

    /// The lock that they open.
    #[must_use]
    pub fn request<'p>(&self) -> LockRequest<'p> {
        LockRequest {
            need: self.need,
            recipients: self.addressees.clone(),
            passphrase: None,
        }
    }
}
