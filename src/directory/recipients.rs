//! Whom an envelope is encrypted for: nobody left out, everybody counted once.

use std::collections::HashSet;

use super::error::DirectoryError;
use super::lookalike::{Lookalike, lookalikes};
use super::names::Names;
use super::people::{People, Person};
use super::resolve::{CardState, ResolvedRecipient, resolve};
use super::trust::Trust;
use super::who::WhoUse;
use crate::address::Address;
use crate::crypto::Kem;
use crate::envelope::{Addressee, KeyDirectory, LockRequest, Person as KnownPerson};
use crate::identity::{Card, CardKey};
use crate::keystore::{AddedBy, KeystoreError};
use crate::policy::{Recipient, SHARES_MAX};
use crate::time::Time;

/// Everybody who is to read an envelope.
pub struct Recipients {
    /// People any one of whom is enough, each once, in the order in which they were named.
    pub any_of: Vec<ResolvedRecipient>,
    /// The same people with the key that is encrypted to.
    pub addressees: Vec<Addressee>,
    /// People who must come together, besides.
    pub quorums: Vec<ResolvedQuorum>,
}

/// New cards that could not be stored, since the keystore cannot be written. They were used as they were named.
#[derive(Debug)]
pub struct NotRemembered {
    /// Whose they are.
    pub names: Vec<Names>,
    /// The reason.
    pub reason: KeystoreError,
}

/// What should be known about recipients before anything is encrypted for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientNotice {
    /// A card was stored for the first time; nobody compared its key.
    NewContact(Names),
    /// A later card of a contact was stored, and it has these addresses that the earlier one did not have.
    LaterCard(Names, Vec<String>),
    /// A card that was stored has a name or an address that somebody could take for another person's.
    Lookalike(Lookalike),
    /// Contacts that were never verified.
    Unverified(Vec<Names>),
    /// Contacts that another machine's record calls verified.
    Unproven(Vec<Names>),
    /// Some, but not all, have a key that does not withstand quantum computers.
    Classic(Vec<Names>),
    /// An address is known without its `+detail` only.
    WithoutDetail {
        /// The address.
        address: String,
        /// What it was taken for.
        base: Address,
    },
}

impl Recipients {
    /// Resolves all of `words`, and adds `me`. One that cannot be used is an error for all.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn resolve(
        words: &[String],
        me: Option<&Person>,
        people: &People,
        now: Time,
    ) -> Result<Self, DirectoryError> {
        Self::new(resolve(words, WhoUse::Recipient, people)?, me, now)
    }

    /// These people, each once, and `me`.
    ///
    /// # Errors
    /// [`DirectoryError::Blocked`], [`DirectoryError::Expired`].
    pub fn new(
        mut any_of: Vec<ResolvedRecipient>,
        me: Option<&Person>,
        now: Time,
    ) -> Result<Self, DirectoryError> {
        any_of.extend(me.map(|me| ResolvedRecipient::stored(me.clone())));
        let mut seen = HashSet::new();
        any_of.retain(|recipient| seen.insert(recipient.names.id));
        let addressees = take_addressees(&mut any_of, now)?;
        Ok(Self {
            any_of,
            addressees,
            quorums: Vec::new(),
        })
    }

    /// These people, and besides those who must come together.
    #[must_use]
    pub fn with_quorums(self, quorums: Vec<ResolvedQuorum>) -> Self {
        Self { quorums, ..self }
    }

    /// Everybody once, whatever the lock, with the key that is encrypted to.
    #[must_use]
    pub fn everybody(&self) -> Vec<(&ResolvedRecipient, &Addressee)> {
        let quorums = self.quorums.iter();
        let quorums = quorums.flat_map(|one| one.members.iter().zip(&one.addressees));
        let mut all: Vec<_> = self.any_of.iter().zip(&self.addressees).collect();
        all.extend(quorums);
        if !self.quorums.is_empty() {
            let mut seen = HashSet::new();
            all.retain(|(recipient, _)| seen.insert(recipient.names.id));
        }
        all
    }

    /// Refuses contacts that were never verified.
    ///
    /// # Errors
    /// [`DirectoryError::NotVerified`].
    pub fn require_verified(&self) -> Result<(), DirectoryError> {
        let is_unverified =
            |one: &ResolvedRecipient| !matches!(one.trust, Trust::Me | Trust::Verified);
        let unverified = self.names_where(is_unverified);
        if unverified.is_empty() {
            Ok(())
        } else {
            Err(DirectoryError::NotVerified(unverified))
        }
    }

    /// Stores the cards that are new, and tells what should be known about everybody. A keystore that cannot be written stops
    /// nobody: the card that was named is the one that counts, as far as the keystore knows nothing against it.
    ///
    /// # Errors
    /// [`DirectoryError::NotStored`].
    pub fn store_cards(
        &self,
        people: &People,
        now: Time,
    ) -> Result<(Vec<RecipientNotice>, Option<NotRemembered>), DirectoryError> {
        let everybody = self.everybody();
        let new = everybody.iter();
        let new: Vec<Card> = new
            .filter_map(|(one, _)| one.card.unstored().cloned())
            .collect();
        let mut not_remembered = None;
        if !new.is_empty() {
            let accepted = people.keystore().accept_all(&new, AddedBy::FirstUse, now);
            match accepted {
                Err(error) if error.is_read_only() => {
                    let refused = people.keystore().check_all(&new);
                    refused.map_err(DirectoryError::NotStored)?;
                    not_remembered = Some(NotRemembered {
                        names: self.names_where(|one| one.card.unstored().is_some()),
                        reason: error,
                    });
                }
                accepted => drop(accepted.map_err(DirectoryError::NotStored)?),
            }
        }
        // Looked at only for cards that are new.
        let others = if new.is_empty() {
            &[][..]
        } else {
            people.names()?
        };
        let mut notices = Vec::new();
        for (one, _) in everybody {
            match &one.card {
                CardState::Stored => {}
                CardState::FirstUse(_) | CardState::Update(..) if not_remembered.is_some() => {}
                CardState::FirstUse(card) => {
                    notices.push(RecipientNotice::NewContact(one.names.clone()));
                    let others = lookalikes(card, others);
                    notices.extend(others.into_iter().map(RecipientNotice::Lookalike));
                }
                CardState::Update(card, earlier) => {
                    let added = card.addresses().iter();
                    let added = added.filter(|address| !earlier.addresses.contains(address));
                    let names = one.names.clone();
                    notices.push(RecipientNotice::LaterCard(names, added.cloned().collect()));
                    let mut others = lookalikes(card, others);
                    let was_there =
                        |text: &String| earlier.name == *text || earlier.addresses.contains(text);
                    others.retain(|other| !was_there(&other.text));
                    notices.extend(others.into_iter().map(RecipientNotice::Lookalike));
                }
            }
        }
        notices.extend(self.trust_notices());
        Ok((notices, not_remembered))
    }

    fn trust_notices(&self) -> Vec<RecipientNotice> {
        let is_unverified = |one: &ResolvedRecipient| {
            one.trust == Trust::Unverified && !matches!(one.card, CardState::FirstUse(_))
        };
        let everybody = self.everybody();
        let is_classic = |addressee: &Addressee| addressee.public.kem() == Kem::X25519;
        let mut classic = Vec::new();
        if !everybody.iter().all(|(_, one)| is_classic(one)) {
            let with_classic_key = everybody.iter().filter(|(_, one)| is_classic(one));
            classic.extend(with_classic_key.map(|(one, _)| one.names.clone()));
        }
        let notices = [
            RecipientNotice::Unverified(self.names_where(is_unverified)),
            RecipientNotice::Unproven(self.names_where(|one| one.trust == Trust::Unproven)),
            RecipientNotice::Classic(classic),
        ];
        let says_something = |notice: &RecipientNotice| match notice {
            RecipientNotice::NewContact(_)
            | RecipientNotice::LaterCard(..)
            | RecipientNotice::Lookalike(_)
            | RecipientNotice::WithoutDetail { .. } => true,
            RecipientNotice::Unverified(names)
            | RecipientNotice::Unproven(names)
            | RecipientNotice::Classic(names) => !names.is_empty(),
        };
        let details = everybody.iter().flat_map(|(one, _)| &one.without_detail);
        let details = details.map(|(address, base)| RecipientNotice::WithoutDetail {
            address: address.clone(),
            base: base.clone(),
        });
        let notices = notices.into_iter().filter(says_something);
        details.chain(notices).collect()
    }

    fn names_where(&self, fits: impl Fn(&ResolvedRecipient) -> bool) -> Vec<Names> {
        let everybody = self.everybody().into_iter();
        let fitting = everybody.filter(|(one, _)| fits(one));
        fitting.map(|(one, _)| one.names.clone()).collect()
    }
}

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
        let mut members = resolve(words, WhoUse::Recipient, people)?;
        let mut seen = HashSet::new();
        if let Some(twice) = members.iter().find(|one| !seen.insert(one.names.id)) {
            return Err(DirectoryError::TwiceInQuorum(Box::new(twice.names.clone())));
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

/// The addressees of these people, whose other keys are let go: of thousands of people only what is needed is kept.
fn take_addressees(
    recipients: &mut [ResolvedRecipient],
    now: Time,
) -> Result<Vec<Addressee>, DirectoryError> {
    let addressees = recipients.iter().map(|one| addressee(one, now));
    let addressees = addressees.collect::<Result<_, _>>()?;
    for recipient in recipients {
        recipient.keys = Vec::new();
    }
    Ok(addressees)
}

/// A person as the policy names them: with the names on the card, never a nickname. Nobody who is changed, revoked or blocked.
fn addressee(recipient: &ResolvedRecipient, now: Time) -> Result<Addressee, DirectoryError> {
    if recipient.trust.blocks_use() {
        return Err(DirectoryError::Blocked {
            names: Box::new(recipient.names.clone()),
            trust: recipient.trust,
        });
    }
    current_key(recipient, now)
}

/// A person with the key that is encrypted to now, also one who is blocked: of a person who can read already.
///
/// # Errors
/// [`DirectoryError::Expired`].
pub fn current_key(recipient: &ResolvedRecipient, now: Time) -> Result<Addressee, DirectoryError> {
    let expired = || DirectoryError::Expired {
        names: Box::new(recipient.names.clone()),
        is_mine: recipient.trust == Trust::Me,
        at: recipient.keys.iter().filter_map(|key| key.expires).max(),
    };
    let key = CardKey::current(&recipient.keys, now).ok_or_else(expired)?;
    let Names {
        id,
        name,
        addresses,
        ..
    } = &recipient.names;
    Ok(Addressee {
        recipient: Recipient {
            name: name.clone(),
            address: addresses.first().cloned(),
            id: *id,
            key: key.public.key_id(),
        },
        public: key.public.clone(),
    })
}

/// A person with all keys that the card certifies.
///
/// # Errors
/// [`DirectoryError::Blocked`], [`DirectoryError::Expired`].
pub fn known_person(
    recipient: &ResolvedRecipient,
    now: Time,
) -> Result<KnownPerson, DirectoryError> {
    Ok(with_all_keys(recipient, addressee(recipient, now)?))
}

fn with_all_keys(recipient: &ResolvedRecipient, current: Addressee) -> KnownPerson {
    let keys = recipient.keys.iter().map(|key| key.public.key_id());
    KnownPerson {
        current,
        keys: keys.collect(),
    }
}

/// Everybody in the keystore whose key can be encrypted to. Blocked contacts are included; otherwise they could not be removed
/// from an envelope. A person whose key has expired is missing, which is an error only where that person remains.
///
/// # Errors
/// [`DirectoryError::Keystore`].
pub fn key_directory(people: &People, now: Time) -> Result<KeyDirectory, DirectoryError> {
    let ids = people.names()?.iter().map(|names| (names.id, ())).collect();
    let read = people.with_ids(ids, |person, ()| {
        let recipient = ResolvedRecipient::stored(person);
        let current = current_key(&recipient, now).ok()?;
        Some(with_all_keys(&recipient, current))
    });
    let mut known = Vec::new();
    for person in read {
        match person {
            Ok(person) => known.extend(person.flatten()),
            // Nobody else is left out for that.
            Err(fault) if people.is_told(&fault) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(KeyDirectory::new(known))
}
