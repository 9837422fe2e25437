//! One path for every card that comes in: it is compared with the keystore, accepted, and the invitation that it answers is
//! recorded.

use super::card_source::FoundCard;
use super::invitation_reply::InvitationReply;
use crate::crypto::signing::RootId;
use crate::directory::{Names, People, Trust, find_lookalike};
use crate::identity::Card;
use crate::keystore::{self, AcceptOutcome, AddedBy, Contact, Keystore, KeystoreError};
use crate::time::Time;

/// A card that was compared with the keystore. Nothing was changed yet.
pub struct OfferedCard {
    card: Card,
    known: Option<Contact>,
    lookalikes: Vec<Lookalike>,
    reply: Option<InvitationReply>,
}

/// An address on a new card that looks like the address of somebody known, and is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookalike {
    /// The address on the card.
    pub address: String,
    /// The known address.
    pub known: String,
    /// The name of its owner.
    pub name: String,
}

/// The result of accepting a card.
pub struct AcceptedCard {
    /// The outcome.
    pub outcome: AcceptOutcome,
    /// How far the contact is trusted now.
    pub trust: keystore::Trust,
    /// The token beside it, with the answer recorded.
    pub reply: Option<InvitationReply>,
}

/// Why a card was not accepted, or not with all that follows.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The contact could not be read.
    #[error("the contact cannot be read")]
    Contact(#[source] KeystoreError),
    /// The keystore could not be read.
    #[error("the keystore cannot be read")]
    Keystore(#[from] KeystoreError),
    /// The keystore refused the card.
    #[error("the card is refused")]
    Refused {
        /// The name on the card.
        name: String,
        /// The reason.
        source: KeystoreError,
    },
    /// The card contradicts a contact.
    #[error(transparent)]
    Conflict(Box<CardConflict>),
    /// The card was accepted, and the answer to the invitation could not be recorded.
    #[error("the answer to the invitation cannot be recorded")]
    NotRecorded(#[source] KeystoreError),
}

/// A card that contradicts a contact: [`KeystoreError::KeyChanged`] or [`KeystoreError::OtherCard`].
#[derive(Debug, thiserror::Error)]
#[error("the card contradicts a known one")]
pub struct CardConflict {
    /// The name on the card.
    pub name: String,
    /// The key that is known.
    pub known: RootId,
    /// The key of the card.
    pub offered: RootId,
    /// The contact, if it is marked as changed now.
    pub changed: Option<Names>,
    /// The contradiction.
    pub source: KeystoreError,
}

impl OfferedCard {
    /// Compares a card with what is known.
    ///
    /// # Errors
    /// [`AcceptError::Contact`], [`AcceptError::Keystore`].
    pub fn compare(found: FoundCard, keystore: &Keystore, now: Time) -> Result<Self, AcceptError> {
        let known = keystore.contact(&found.card.id());
        let known = known.map_err(AcceptError::Contact)?;
        let lookalikes = match known {
            Some(_) => Vec::new(),
            None => lookalikes(&found.card, People::read(keystore.clone())?.names()?),
        };
        let reply = InvitationReply::find(&found, keystore, now)?;
        Ok(Self {
            card: found.card,
            known,
            lookalikes,
            reply,
        })
    }

    /// The card.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Whether this very card is here already.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let known = self.known.as_ref();
        known.is_some_and(|known| known.card == self.card)
    }

    /// Addresses on it that somebody could take for another person's.
    #[must_use]
    pub fn lookalikes(&self) -> &[Lookalike] {
        &self.lookalikes
    }

    /// The token beside it.
    #[must_use]
    pub fn reply(&self) -> Option<&InvitationReply> {
        self.reply.as_ref()
    }

    /// Accepts the card, and then records the answer to the invitation: after a kill in between the invitation is still open, and
    /// everything can be done again.
    ///
    /// # Errors
    /// [`AcceptError`].
    pub fn accept(self, keystore: &Keystore, now: Time) -> Result<AcceptedCard, AcceptError> {
        let Self { card, reply, .. } = self;
        let accepted = keystore.accept(&card, AddedBy::Added, now);
        let outcome = accepted.map_err(|source| refused(&card, source, keystore))?;
        let reply = reply.map(|reply| reply.record(&card, keystore, now));
        let reply = reply.transpose().map_err(AcceptError::NotRecorded)?;
        let contact = keystore.contact(&card.id())?;
        Ok(AcceptedCard {
            outcome,
            trust: contact.map_or(keystore::Trust::Unverified, |contact| contact.trust),
            reply,
        })
    }
}

fn lookalikes(card: &Card, known: &[Names]) -> Vec<Lookalike> {
    let lookalike = |address: &String| {
        let (names, known) = find_lookalike(address, known)?;
        Some(Lookalike {
            address: address.clone(),
            known: known.to_owned(),
            name: names.name.clone(),
        })
    };
    card.addresses().iter().filter_map(lookalike).collect()
}

/// Says what a refused card means for the contact that it contradicts.
fn refused(card: &Card, source: KeystoreError, keystore: &Keystore) -> AcceptError {
    let name = card.name().to_owned();
    let known = match &source {
        KeystoreError::KeyChanged { known, .. } => *known,
        KeystoreError::OtherCard { .. } => card.id(),
        _ => return AcceptError::Refused { name, source },
    };
    let contact = keystore.contact(&known).ok().flatten();
    let changed = contact.filter(|contact| Trust::from(contact.trust) == Trust::Changed);
    AcceptError::Conflict(Box::new(CardConflict {
        name,
        known,
        offered: card.id(),
        changed: changed.map(|contact| Names::of_card(&contact.card)),
        source,
    }))
}
