//! A group is given to others.

use std::collections::BTreeSet;

use crate::crypto::signing::RootId;
use crate::directory::{DirectoryError, Names, People, Person};
use crate::envelope::KeyringError;
use crate::identity::{Card, CardError, GroupCard, GroupCardRequest};
use crate::keystore::{Group, KeystoreError};
use crate::operations::MyKeys;
use crate::time::Time;

/// A group as it is given to others: its card, and the cards of its keeper and its members.
pub struct GivenGroup {
    /// The group card.
    pub card: GroupCard,
    /// The cards, the keeper's first.
    pub cards: Vec<Card>,
    /// Whether the group card was signed now.
    pub is_new: bool,
}

/// Why a group cannot be given to others.
#[derive(Debug, thiserror::Error)]
pub enum GiveError {
    /// The group, or one of its members, cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// It has nobody to sign for it.
    #[error("you have no identity to sign it")]
    NoIdentity,
    /// Another of the user's identities was named than the one that keeps it.
    #[error("it is kept by another of your identities")]
    OtherKeeper(Box<Names>),
    /// The keeper's key stays locked.
    #[error("the key that signs it is locked")]
    Locked(#[source] KeyringError),
    /// A group that no card can describe, such as one with too many members.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The keystore cannot be read or written.
    #[error("the keystore cannot be read or written")]
    Keystore(#[from] KeystoreError),
}

impl GivenGroup {
    /// Signs the group as it is now by `named`, by whoever signed its last card, or by the default identity. A group that did not
    /// change since keeps its card, and the card of a group that somebody else keeps is passed on as it is.
    ///
    /// # Errors
    /// [`GiveError`].
    pub fn make(
        name: &str,
        named: Option<&Person>,
        people: &People,
        keys: &MyKeys<'_>,
        now: Time,
    ) -> Result<Self, GiveError> {
        let group = people.group(name)?;
        let keeper = Keeper::of(&group, named, people)?;
        let (card, is_new) = match (keeper, group.card.clone()) {
            (Keeper::SomebodyElse, Some(card)) => (card, false),
            (Keeper::Me(me), Some(card))
                if card.keeper() == me.card.id() && says(&card, &group) =>
            {
                (card, false)
            }
            (Keeper::SomebodyElse, None) => return Err(GiveError::NoIdentity),
            (Keeper::Me(me), last) => {
                people.check_me()?;
                let cards = cards_of(name, &group.members, me.card.id(), people)?;
                let card = sign((name, &group), me, last.as_ref(), people, (keys, now))?;
                return Ok(Self {
                    card,
                    cards,
                    is_new: true,
                });
            }
        };
        let cards = cards_of(name, card.members(), card.keeper(), people)?;
        Ok(Self {
            card,
            cards,
            is_new,
        })
    }

    /// What is given: the group card, and the other cards behind it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let cards = self.cards.iter().map(Card::to_wrapped_text);
        let texts = std::iter::once(self.card.to_wrapped_text()).chain(cards);
        texts.map(|text| text + "\n").collect::<Vec<_>>().join("\n")
    }
}

enum Keeper<'p> {
    Me(&'p Person),
    SomebodyElse,
}

impl<'p> Keeper<'p> {
    fn of(group: &Group, named: Option<&'p Person>, people: &'p People) -> Result<Self, GiveError> {
        let Some(card) = &group.card else {
            let me = named.or_else(|| people.active.first());
            return me.map(Self::Me).ok_or(GiveError::NoIdentity);
        };
        let mut mine = people.active.iter();
        match (mine.find(|me| me.card.id() == card.keeper()), named) {
            (Some(me), Some(named)) if named.card.id() != me.card.id() => {
                Err(GiveError::OtherKeeper(Box::new(me.names())))
            }
            (Some(me), _) => Ok(Self::Me(me)),
            // One of mine that signs no more: the next one goes on.
            (None, _)
                if people
                    .retired
                    .iter()
                    .any(|me| me.card.id() == card.keeper()) =>
            {
                let me = named.or_else(|| people.active.first());
                me.map(Self::Me).ok_or(GiveError::NoIdentity)
            }
            (None, _) => Ok(Self::SomebodyElse),
        }
    }
}

/// Whether a card describes the group as it is now.
fn says(card: &GroupCard, group: &Group) -> bool {
    *card.members() == group.members && card.address() == group.address.as_deref()
}

/// Signs, and stores the new card with the group before anybody sees it: no two have one serial.
fn sign(
    (name, group): (&str, &Group),
    me: &Person,
    last: Option<&GroupCard>,
    people: &People,
    (keys, now): (&MyKeys<'_>, Time),
) -> Result<GroupCard, GiveError> {
    let keystore = people.keystore();
    let called = last.map_or(name, GroupCard::name);
    let latest = keystore.latest_group_card(&me.card.id(), called)?;
    let serials = latest.map(|latest| latest.serial);
    let serials = serials.into_iter().chain(last.map(GroupCard::serial));
    let request = GroupCardRequest {
        name: called,
        address: group.address.as_deref(),
        after: serials.max().unwrap_or(0),
        created: now,
        members: &group.members,
    };
    let root = keys.signing_key(me.card.id());
    let card = GroupCard::new(root.map_err(GiveError::Locked)?, &request)?;
    let given = Group {
        card: Some(card.clone()),
        ..group.clone()
    };
    keystore.set_group(name, Some(group), &given)?;
    Ok(card)
}

/// The cards of the keeper and of all members; a card of somebody to whom nothing may be encrypted is given to nobody.
fn cards_of(
    name: &str,
    members: &BTreeSet<RootId>,
    keeper: RootId,
    people: &People,
) -> Result<Vec<Card>, GiveError> {
    let others = members.iter().filter(|id| **id != keeper);
    let ids = std::iter::once(keeper).chain(others.copied());
    let card = |id| {
        let person = people.with_id(id)?;
        let person = person.ok_or_else(|| DirectoryError::MissingMember {
            group: name.to_owned(),
            id,
        })?;
        match person.trust.blocks_use() {
            true => Err(DirectoryError::Blocked {
                names: Box::new(person.names()),
                trust: person.trust,
            }
            .into()),
            false => Ok(person.card),
        }
    };
    ids.map(card).collect()
}
