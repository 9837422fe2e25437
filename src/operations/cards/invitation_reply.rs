//! The token beside a card: whether it answers an invitation of mine, or invites me.
//!
//! It never makes anybody verified: everybody who could read the mail has the token.

use super::card_source::FoundCard;
use crate::address::is_same_address;
use crate::crypto::signing::RootId;
use crate::identity::{Card, InvitationToken};
use crate::keystore::{Answered, Invitation, InvitationState, Keystore, KeystoreError};
use crate::time::Time;

/// A token, and what it matches.
pub struct InvitationReply {
    token: InvitationToken,
    matched: InvitationMatch,
}

/// What a token matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitationMatch {
    /// An open invitation of mine, for an address on the card.
    Answers(Invitation),
    /// An invitation that this key answered before.
    AnsweredBefore(Invitation, Answered),
    /// An invitation that another key answered.
    Spent(Invitation, Answered),
    /// An invitation that has ended.
    Old(Invitation),
    /// An invitation for an address that is not on the card.
    OtherAddress(Invitation),
    /// An answer to no invitation of mine.
    Unknown,
    /// I am invited.
    Received,
}

impl InvitationReply {
    /// The most telling of the tokens beside a card, if there are any.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn find(
        found: &FoundCard,
        keystore: &Keystore,
        now: Time,
    ) -> Result<Option<Self>, KeystoreError> {
        let mut replies = Vec::new();
        // An answer may contain only the quoted invitation.
        for token in found.answers.iter().chain(&found.invitations) {
            if let Some(invitation) = keystore.invitation(token)? {
                let state = invitation.state(now);
                replies.push(Self {
                    token: token.clone(),
                    matched: InvitationMatch::of(invitation, state, &found.card),
                });
            }
        }
        let first = |tokens: &[InvitationToken], matched| {
            let token = tokens.first()?.clone();
            Some(Self { token, matched })
        };
        let reply = replies.into_iter().min_by_key(|reply| reply.matched.rank());
        Ok(reply
            .or_else(|| first(&found.answers, InvitationMatch::Unknown))
            .or_else(|| first(&found.invitations, InvitationMatch::Received)))
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &InvitationToken {
        &self.token
    }

    /// What it matches.
    #[must_use]
    pub fn matched(&self) -> &InvitationMatch {
        &self.matched
    }

    /// Records the answer, if this answers an invitation. Another key may have answered meanwhile: then the reply says so.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn record(
        self,
        card: &Card,
        keystore: &Keystore,
        now: Time,
    ) -> Result<Self, KeystoreError> {
        let InvitationMatch::Answers(invitation) = self.matched else {
            return Ok(self);
        };
        let before = keystore.answer_invitation(&self.token, card.id(), now)?;
        Ok(Self {
            matched: InvitationMatch::of(invitation, before, card),
            ..self
        })
    }
}

impl InvitationMatch {
    fn of(invitation: Invitation, state: InvitationState, card: &Card) -> Self {
        let mut addresses = card.addresses().iter();
        let is_invited = addresses.any(|address| is_same_address(address, &invitation.address));
        match state {
            InvitationState::Answered(answered) if answered.by == card.id() => {
                Self::AnsweredBefore(invitation, answered)
            }
            InvitationState::Answered(answered) => Self::Spent(invitation, answered),
            InvitationState::Old => Self::Old(invitation),
            InvitationState::Open if is_invited => Self::Answers(invitation),
            InvitationState::Open => Self::OtherAddress(invitation),
        }
    }

    /// The sort key of several tokens, the most telling first.
    fn rank(&self) -> u8 {
        match self {
            Self::Answers(_) => 0,
            Self::AnsweredBefore(..) => 1,
            Self::OtherAddress(_) => 2,
            Self::Spent(..) => 3,
            Self::Old(_) => 4,
            Self::Unknown | Self::Received => 5,
        }
    }

    /// The invitation of mine that it is about.
    #[must_use]
    pub fn invitation(&self) -> Option<&Invitation> {
        match self {
            Self::Answers(invitation)
            | Self::AnsweredBefore(invitation, _)
            | Self::Spent(invitation, _)
            | Self::Old(invitation)
            | Self::OtherAddress(invitation) => Some(invitation),
            Self::Unknown | Self::Received => None,
        }
    }

    /// The answer that was recorded earlier.
    #[must_use]
    pub fn answered(&self) -> Option<&Answered> {
        match self {
            Self::AnsweredBefore(_, answered) | Self::Spent(_, answered) => Some(answered),
            _ => None,
        }
    }

    /// The key of somebody else who answered earlier.
    #[must_use]
    pub fn spent_by(&self) -> Option<RootId> {
        match self {
            Self::Spent(_, answered) => Some(answered.by),
            _ => None,
        }
    }
}
