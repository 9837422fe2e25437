//! Invitations that were sent: to whom and when, and who answered. Each is identified by the hash of its token.

use std::path::PathBuf;

use serde::Serialize;

use super::trust::word;
use super::{Keystore, KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;
use crate::identity::{ADDRESS_BYTES_MAX, InvitationToken};
use crate::json::{Error, Text};
use crate::time::Time;

pub(super) const INVITATIONS: &str = "invitations";
const VERSION: &str = "encl/1";
/// An address escaped in full, an id twice and two times fit in.
const FILE_BYTES_MAX: u64 = 4 << 10;

/// For how long an invitation can be answered, in seconds: 90 days. So an attacker who reads a mailbox later cannot use old ones.
pub const INVITATION_SECONDS_MAX: u64 = 90 * 86_400;

/// An invitation of mine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Who was invited.
    pub address: String,
    /// Which of my identities invited.
    pub from: RootId,
    /// When.
    pub made: Time,
    /// The answer, once there is one.
    pub answered: Option<Answered>,
}

/// The one answer to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Whose card came with the token.
    pub by: RootId,
    /// When the answer was recorded.
    pub at: Time,
}

/// Whether an invitation can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// It can be answered.
    Open,
    /// It was answered.
    Answered(Answered),
    /// It is older than [`INVITATION_SECONDS_MAX`].
    Old,
}

impl Invitation {
    /// Whether it can be answered at this time. A clock that was set back makes none old.
    #[must_use]
    pub fn state(&self, now: Time) -> InvitationState {
        match self.answered {
            Some(answered) => InvitationState::Answered(answered),
            None if now.unix().saturating_sub(self.made.unix()) > INVITATION_SECONDS_MAX => {
                InvitationState::Old
            }
            None => InvitationState::Open,
        }
    }
}

/// The only line of an invitation's file.
#[derive(Serialize)]
struct Line<'a> {
    invitation: &'static str,
    address: &'a str,
    from: RootId,
    made: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<RootId>,
}

impl Keystore {
    /// Records that one of the user's identities invites `address`, and returns the token. The token is not stored.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn invite(
        &self,
        address: &str,
        from: RootId,
        now: Time,
        rng: &mut dyn CryptoRng,
    ) -> Result<InvitationToken, KeystoreError> {
        let _lock = self.lock()?;
        folder::make_folder(&self.root.join(INVITATIONS))?;
        let token = InvitationToken::random(rng);
        let invitation = Invitation {
            address: address.to_owned(),
            from,
            made: now,
            answered: None,
        };
        self.write_invitation(&place(&token), &invitation, Existing::Keep)?;
        Ok(token)
    }

    /// The invitation that went out with this token, if it was one of mine.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn invitation(&self, token: &InvitationToken) -> Result<Option<Invitation>, KeystoreError> {
        if self.folder(INVITATIONS)?.is_none() {
            return Ok(None);
        }
        self.invitation_at(&place(token))
    }

    /// The invitation whose file has this name.
    pub(super) fn invitation_at(
        &self,
        place: &RootId,
    ) -> Result<Option<Invitation>, KeystoreError> {
        let path = self.invitation_path(place);
        let Some(text) = folder::read_up_to(&path, FILE_BYTES_MAX)? else {
            return Ok(None);
        };
        let invitation = from_bytes(&text);
        invitation
            .map(Some)
            .map_err(|error| KeystoreError::damaged(&path, &error))
    }

    /// Records that this key answered an invitation. Returns its state before; only one that was [`InvitationState::Open`] is
    /// changed.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`] for a token that is none of mine, and what the system refuses.
    pub fn answer_invitation(
        &self,
        token: &InvitationToken,
        by: RootId,
        now: Time,
    ) -> Result<InvitationState, KeystoreError> {
        let _lock = self.lock()?;
        let invitation = self.invitation(token)?;
        let invitation = invitation.ok_or(KeystoreError::Unknown("invitation"))?;
        let state = invitation.state(now);
        if state == InvitationState::Open {
            let answered = Some(Answered { by, at: now });
            let invitation = Invitation {
                answered,
                ..invitation
            };
            self.write_invitation(&place(token), &invitation, Existing::Replace)?;
        }
        Ok(state)
    }

    /// All invitations.
    ///
    /// # Errors
    /// [`KeystoreError`] of the first that cannot be read.
    pub fn invitations(&self) -> Result<Vec<Invitation>, KeystoreError> {
        let places = self.invitation_places()?;
        let all = places.iter().map(|place| self.invitation_at(place));
        all.filter_map(Result::transpose).collect()
    }

    /// The names of all of their files.
    pub(super) fn invitation_places(&self) -> Result<Vec<RootId>, KeystoreError> {
        let names = self.names_in(INVITATIONS)?;
        let places = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        Ok(places.collect())
    }

    /// Takes an invitation from elsewhere, or the answer to one that is open here. The caller holds the lock.
    pub(super) fn restore_invitation(
        &self,
        place: &RootId,
        invitation: &Invitation,
    ) -> Result<(), KeystoreError> {
        folder::make_folder(&self.root.join(INVITATIONS))?;
        self.write_invitation(place, invitation, Existing::Replace)
    }

    fn write_invitation(
        &self,
        place: &RootId,
        invitation: &Invitation,
        existing: Existing,
    ) -> Result<(), KeystoreError> {
        folder::write(
            &self.invitation_path(place),
            &to_bytes(invitation),
            existing,
        )
    }

    pub(super) fn invitation_path(&self, place: &RootId) -> PathBuf {
        self.root.join(INVITATIONS).join(place.to_string())
    }
}

/// The name of an invitation's file: it is no key, but has the form of one.
fn place(token: &InvitationToken) -> RootId {
    RootId(token.digest())
}

fn to_bytes(invitation: &Invitation) -> Vec<u8> {
    let line = Line {
        invitation: VERSION,
        address: &invitation.address,
        from: invitation.from,
        made: invitation.made,
        answered: invitation.answered.map(|answered| answered.at),
        by: invitation.answered.map(|answered| answered.by),
    };
    let line = serde_json::to_string(&line).expect("it has only texts") + "\n";
    line.into_bytes()
}

/// Reads the file of an invitation.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Invitation, Error> {
    parse(bytes.strip_suffix(b"\n").unwrap_or(bytes))
}

fn parse(line: &[u8]) -> Result<Invitation, Error> {
    let (mut version, mut address, mut from, mut made) = (None, None, None, None);
    let (mut answered, mut by) = (None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "invitation" => version = Some(word(value, &[(VERSION, ())])?),
            "address" => address = Some(value.text(ADDRESS_BYTES_MAX)?.into_owned()),
            "from" => from = Some(RootId(value.base64()?)),
            "made" => made = Some(value.time()?),
            "answered" => answered = Some(value.time()?),
            "by" => by = Some(RootId(value.base64()?)),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    version.ok_or_else(|| Error::missing("invitation"))?;
    let answered = match (answered, by) {
        (None, None) => None,
        (at, by) => Some(Answered {
            at: at.ok_or_else(|| Error::missing("answered"))?,
            by: by.ok_or_else(|| Error::missing("by"))?,
        }),
    };
    Ok(Invitation {
        address: address.ok_or_else(|| Error::missing("address"))?,
        from: from.ok_or_else(|| Error::missing("from"))?,
        made: made.ok_or_else(|| Error::missing("made"))?,
        answered,
    })
}

#[cfg(test)]
mod tests;
