//! One path for every card that comes in: it is compared with the keystore, accepted, and the invitation that it answers is
//! recorded.

use super::card_source::FoundCard;
use super::invitation_reply::InvitationReply;
use crate::crypto::signing::RootId;
use crate::directory::{Lookalike, Names, People, Trust, lookalikes};
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

/// The result of accepting a card.
pub struct AcceptedCard {
    /// The outcome.
    pub outcome: AcceptOutcome,
    /// How far the contact is trusted now.
    pub trust: keystore::Trust,
    /// The token beside it, with the answer recorded.
    pub reply: Option<InvitationReply>,
    /// Whether the card was known, and addresses on it count only from now on.
    pub is_counted_now: bool,
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
        /// What the card calls its owner.
        names: Box<Names>,
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
    /// What the card calls its owner.
    pub names: Names,
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
    /// [`AcceptError::Refused`] for a name or address that no card may have; [`AcceptError::Contact`], [`AcceptError::Keystore`].
    pub fn compare(found: FoundCard, keystore: &Keystore, now: Time) -> Result<Self, AcceptError> {
        let known = match keystore.contact(&found.card.id()) {
            // This card takes the place of what cannot be read.
            Err(KeystoreError::Damaged { .. }) => None,
            known => known.map_err(AcceptError::Contact)?,
        };
        // What no card may be called is refused before any question.
        if let Some(fault) = found.card.naming_fault() {
            return Err(refused(&found.card, fault.into(), keystore));
        }
        let earlier = known.as_ref().map(|known| &known.card);
        let lookalikes = if earlier == Some(&found.card) {
            Vec::new()
        } else {
            let people = People::read(keystore.clone())?;
            new_lookalikes(&found.card, earlier, people.names()?)
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

    /// Whether this very card is here already, and all its addresses count.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let known = self.known.as_ref().filter(|known| known.card == self.card);
        known.is_some_and(Contact::has_all_counting)
    }

    /// What somebody could take for another person's name or address.
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
        let Self {
            card, reply, known, ..
        } = self;
        let was_first_use = known
            .filter(|known| known.card == card)
            .is_some_and(|known| !known.has_all_counting());
        let accepted = keystore.accept(&card, AddedBy::Added, now);
        let outcome = accepted.map_err(|source| refused(&card, source, keystore))?;
        let reply = reply.map(|reply| reply.record(&card, keystore, now));
        let reply = reply.transpose().map_err(AcceptError::NotRecorded)?;
        let contact = keystore.contact(&card.id())?;
        Ok(AcceptedCard {
            outcome,
            trust: contact.map_or(keystore::Trust::Unverified, |contact| contact.trust),
            reply,
            is_counted_now: was_first_use,
        })
    }
}

/// What on a card looks like somebody else's, and does not stand on the card that is known already.
pub(super) fn new_lookalikes(
    card: &Card,
    earlier: Option<&Card>,
    known: &[Names],
) -> Vec<Lookalike> {
    let mut found = lookalikes(card, known);
    let was_there = |text: &String| {
        earlier.is_some_and(|earlier| earlier.name() == text || earlier.addresses().contains(text))
    };
    found.retain(|one| !was_there(&one.text));
    found
}

/// Says what a refused card means for the contact that it contradicts.
fn refused(card: &Card, source: KeystoreError, keystore: &Keystore) -> AcceptError {
    let names = Names::of_card(card);
    let known = match &source {
        KeystoreError::KeyChanged { known, .. } => *known,
        KeystoreError::OtherCard { .. } => card.id(),
        _ => {
            let names = Box::new(names);
            return AcceptError::Refused { names, source };
        }
    };
    let contact = keystore.contact(&known).ok().flatten();
    let changed = contact.filter(|contact| Trust::from(contact.trust) == Trust::Changed);
    AcceptError::Conflict(Box::new(CardConflict {
        names,
        known,
        offered: card.id(),
        changed: changed.map(|contact| Names::of_card(&contact.card)),
        source,
    }))
}
