//! A group that somebody gave is compared with the keystore, and taken.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::address::is_same_address;
use crate::crypto::signing::RootId;
use crate::directory::{DirectoryError, GroupChange, Lookalike, Names, People, Trust};
use crate::identity::{Card, GroupCard, Predecessor, is_group_name};
use crate::keystore::{AcceptOutcome, AddedBy, Group, Keystore, KeystoreError};
use crate::operations::cards::accept::new_lookalikes;
use crate::time::Time;

/// A group card in a text, and the other cards there.
pub struct FoundGroup {
    /// The group card.
    pub card: GroupCard,
    /// Cards of its members, of its keeper, and perhaps of others.
    pub cards: Vec<Card>,
}

/// A group that was compared with the keystore. Nothing was changed yet.
pub struct OfferedGroup {
    /// The name that it gets here.
    name: String,
    keeper: Names,
    trust: Trust,
    before: Option<Group>,
    after: Group,
    outcome: AcceptOutcome,
    change: GroupChange,
    /// Cards that are new here, or later than those that are known.
    cards: Vec<Card>,
    /// Those of them whose owners are no contacts yet.
    new_people: Vec<Names>,
    lookalikes: Vec<Lookalike>,
}

/// The result of taking a group.
pub struct TakenGroup {
    /// [`AcceptOutcome::New`], [`AcceptOutcome::Updated`] or [`AcceptOutcome::Known`].
    pub outcome: AcceptOutcome,
    /// The group as it is now.
    pub group: Group,
}

/// Why a group was not taken. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The keystore cannot be read or written.
    #[error("the keystore cannot be read or written")]
    Keystore(#[from] KeystoreError),
    /// A group of that name that is here cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Who keeps the group is not known, and the card is not there.
    #[error("nobody knows who keeps it: the card of the keeper is missing")]
    NoKeeper(RootId),
    /// Nothing that its keeper signs counts.
    #[error("its keeper is not trusted")]
    Keeper {
        /// The keeper.
        names: Box<Names>,
        /// Changed, revoked, blocked, or with an older card.
        trust: Trust,
    },
    /// A member is not known, and the card is not there.
    #[error("the card of a member is missing")]
    NoMember(RootId),
    /// The card of a member, or of the keeper, contradicts what is known.
    #[error("the card of a member cannot be accepted")]
    Member {
        /// What the card calls its owner.
        names: Box<Names>,
        /// The contradiction.
        source: KeystoreError,
    },
    /// Another group has that name.
    #[error("there is another group of that name")]
    OtherGroup(String),
    /// My own group was changed since this card was made.
    #[error("you changed the group here since the card that you have of it")]
    ChangedHere(String),
    /// A later card of the group is known.
    #[error("a later card of that group is known")]
    Older {
        /// When the later card was made.
        latest: Time,
    },
    /// Another card of the group has the same serial.
    #[error("the group card that is known has the same serial and says something else")]
    OtherCard,
    /// The address of its mailing list is somebody's.
    #[error("the address of its mailing list belongs to somebody else")]
    AddressTaken {
        /// The address.
        address: String,
        /// Whose it is: a person, or the name of a group.
        owner: String,
    },
}

impl OfferedGroup {
    /// Compares a group with what is known. It gets the name that its keeper gave it, or `name`.
    ///
    /// # Errors
    /// [`TakeError`].
    pub fn compare(
        found: FoundGroup,
        name: Option<&str>,
        people: &People,
    ) -> Result<Self, TakeError> {
        let FoundGroup { card, cards } = found;
        let name = name.unwrap_or(card.name()).to_owned();
        if !is_group_name(&name) {
            return Err(KeystoreError::GroupName(name).into());
        }
        let Keeper {
            names,
            trust,
            card: keeper,
        } = Keeper::of(&card, &cards, people)?;
        let before = people.keystore().group(&name)?;
        let outcome = outcome(&name, before.as_ref(), &card, keeper.as_ref(), people)?;
        let wanted = with_keeper(&card);
        let (cards, replaced) = cards_to_store(&wanted, &cards, people)?;
        let mut after = Group::from(&card);
        for (old, new) in replaced {
            if after.members.remove(&old) {
                after.members.insert(new);
            }
        }
        refuse_taken_address(&name, &after, &cards, people)?;
        let known = before.clone().unwrap_or_default();
        let mut lookalikes = Vec::new();
        let mut new_people = Vec::new();
        for card in &cards {
            let earlier = people.keystore().contact(&card.id())?;
            if earlier.is_none() {
                new_people.push(Names::of_card(card));
            }
            let earlier = earlier.map(|earlier| earlier.card);
            lookalikes.extend(new_lookalikes(card, earlier.as_ref(), people.names()?));
        }
        new_people.sort_by_cached_key(Names::sort_key);
        Ok(Self {
            change: GroupChange::between(&name, &after, &known, names_of(&cards, people)),
            name,
            keeper: names,
            trust,
            before,
            after,
            outcome,
            cards,
            new_people,
            lookalikes,
        })
    }

    /// The name that it gets here.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who keeps it, and how far that name can be relied on.
    #[must_use]
    pub fn keeper(&self) -> (&Names, Trust) {
        (&self.keeper, self.trust)
    }

    /// The group as it will be.
    #[must_use]
    pub fn group(&self) -> &Group {
        &self.after
    }

    /// Who comes and who goes.
    #[must_use]
    pub fn change(&self) -> &GroupChange {
        &self.change
    }

    /// People who become contacts.
    #[must_use]
    pub fn new_people(&self) -> &[Names] {
        &self.new_people
    }

    /// What on their cards somebody could take for another person's name or address.
    #[must_use]
    pub fn lookalikes(&self) -> &[Lookalike] {
        &self.lookalikes
    }

    /// Whether all of it is here already.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.cards.is_empty() && self.before.as_ref() == Some(&self.after)
    }

    /// Stores the cards, and then the group: after a kill in between, all can be done again.
    ///
    /// # Errors
    /// [`TakeError::Keystore`].
    pub fn take(self, people: &People, now: Time) -> Result<TakenGroup, TakeError> {
        let keystore = people.keystore();
        let Self {
            name,
            before,
            after,
            outcome,
            cards,
            ..
        } = self;
        // A member whose new card takes the old one's place does so in the groups as well.
        let before = before.map(|group| with_successors(group, &cards, keystore));
        keystore.accept_all(&cards, AddedBy::Added, now)?;
        keystore.set_group(&name, before.as_ref(), &after)?;
        Ok(TakenGroup {
            outcome,
            group: after,
        })
    }
}

/// The group as it is when these cards are stored.
fn with_successors(mut group: Group, cards: &[Card], keystore: &Keystore) -> Group {
    for card in cards {
        let replaced = card.replaces().iter().map(Predecessor::id);
        for old in replaced.filter(|old| keystore.has_contact(old)) {
            if group.members.remove(&old) {
                group.members.insert(card.id());
            }
        }
    }
    group
}

/// Who keeps a group that is offered.
struct Keeper {
    names: Names,
    trust: Trust,
    /// The card, if the keeper is not me.
    card: Option<Card>,
}

impl Keeper {
    fn of(group: &GroupCard, cards: &[Card], people: &People) -> Result<Self, TakeError> {
        let id = group.keeper();
        let Some(person) = people.with_id(id)? else {
            let card = cards.iter().find(|card| card.id() == id);
            let card = card.ok_or(TakeError::NoKeeper(id))?;
            let trust = people.remembered_trust(id);
            return Self::trusted(Names::of_card(card), trust, Some(card.clone()));
        };
        let card = (person.trust != Trust::Me).then(|| person.card.clone());
        Self::trusted(person.names(), person.trust, card)
    }

    fn trusted(names: Names, trust: Trust, card: Option<Card>) -> Result<Self, TakeError> {
        match trust.blocks_use() {
            true => Err(TakeError::Keeper {
                names: Box::new(names),
                trust,
            }),
            false => Ok(Self { names, trust, card }),
        }
    }
}

/// What the offered card is to the group that has the name here.
fn outcome(
    name: &str,
    here: Option<&Group>,
    offered: &GroupCard,
    keeper: Option<&Card>,
    people: &People,
) -> Result<AcceptOutcome, TakeError> {
    let keystore = people.keystore();
    let older = |latest| TakeError::Older { latest };
    let latest = keystore.latest_group_card(&offered.keeper(), offered.name())?;
    if let Some(latest) = latest.filter(|latest| latest.serial > offered.serial()) {
        return Err(older(latest.created));
    }
    let Some(here) = here else {
        return Ok(AcceptOutcome::New);
    };
    // What somebody put there is not compared with.
    people.group(name).map(drop).or_else(|error| match error {
        DirectoryError::GroupOlder { .. } => Ok(()),
        error => Err(error),
    })?;
    let known = here.card.as_ref().filter(|known| {
        let same_keeper = known.keeper() == offered.keeper();
        let is_successor = keeper.is_some_and(|card| card.is_successor_of(&known.keeper()));
        known.name() == offered.name() && (same_keeper || is_successor)
    });
    let known = known.ok_or_else(|| TakeError::OtherGroup(name.to_owned()))?;
    if keystore.keeps(here)? && Group::from(known) != *here {
        return Err(TakeError::ChangedHere(name.to_owned()));
    }
    match offered.serial().cmp(&known.serial()) {
        Ordering::Less => Err(older(known.created())),
        Ordering::Equal if known == offered => Ok(AcceptOutcome::Known),
        Ordering::Equal => Err(TakeError::OtherCard),
        Ordering::Greater => Ok(AcceptOutcome::Updated),
    }
}

/// What people are called by their contacts, or by cards that are no contacts yet.
fn names_of<'p>(cards: &'p [Card], people: &'p People) -> impl Fn(&RootId) -> Option<Names> + 'p {
    |id| match people.with_id(*id) {
        Ok(Some(person)) => Some(person.names()),
        _ => cards
            .iter()
            .find(|card| card.id() == *id)
            .map(Names::of_card),
    }
}

/// Everybody whose card is needed, the keeper first.
fn with_keeper(group: &GroupCard) -> Vec<RootId> {
    let others = group.members().iter().filter(|id| **id != group.keeper());
    std::iter::once(group.keeper())
        .chain(others.copied())
        .collect()
}

/// Old key, new key.
type Replaced = (RootId, RootId);

/// The cards that have to be stored so that everybody is known, and members in whose place somebody else is known already.
fn cards_to_store(
    wanted: &[RootId],
    offered: &[Card],
    people: &People,
) -> Result<(Vec<Card>, Vec<Replaced>), TakeError> {
    let keystore = people.keystore();
    let mut cards: Vec<Card> = Vec::new();
    for id in wanted {
        let known = people.with_id(*id)?;
        if known.as_ref().is_some_and(|known| known.trust == Trust::Me) {
            continue;
        }
        let mine = offered.iter().filter(|card| card.id() == *id);
        let latest = mine.max_by_key(|card| card.serial());
        match (latest, known) {
            (None, None) => return Err(TakeError::NoMember(*id)),
            (None, Some(_)) => {}
            (Some(card), None) => cards.push(card.clone()),
            (Some(card), Some(known)) => match card.serial().cmp(&known.card.serial()) {
                Ordering::Greater => cards.push(card.clone()),
                Ordering::Equal if *card != known.card => {
                    let serial = card.serial();
                    let source = KeystoreError::OtherCard { serial };
                    return Err(refused(card, source));
                }
                Ordering::Equal | Ordering::Less => {}
            },
        }
    }
    let mut replaced = Vec::new();
    let faults = keystore.examine_cards(&cards)?;
    let mut fit = Vec::new();
    for (card, fault) in cards.into_iter().zip(faults) {
        match fault {
            None => fit.push(card),
            Some(KeystoreError::KeyChanged { known, .. })
                if is_successor(&known, &card.id(), people)? =>
            {
                replaced.push((card.id(), known));
            }
            Some(fault) => return Err(refused(&card, fault)),
        }
    }
    Ok((fit, replaced))
}

fn refused(card: &Card, source: KeystoreError) -> TakeError {
    TakeError::Member {
        names: Box::new(Names::of_card(card)),
        source,
    }
}

/// Whether this person is known to have come in the place of that one.
fn is_successor(known: &RootId, old: &RootId, people: &People) -> Result<bool, TakeError> {
    let person = people.with_id(*known)?;
    Ok(person.is_some_and(|person| person.card.is_successor_of(old)))
}

/// Refuses the address of a person or of another group: mail to them would be encrypted for this group.
fn refuse_taken_address(
    name: &str,
    group: &Group,
    cards: &[Card],
    people: &People,
) -> Result<(), TakeError> {
    let Some(address) = &group.address else {
        return Ok(());
    };
    let keystore = people.keystore();
    let taken = |owner: String| TakeError::AddressTaken {
        address: address.clone(),
        owner,
    };
    let mut everybody = people.names()?.iter();
    if let Some(names) = everybody.find(|names| names.has_address(address)) {
        return Err(taken(names.name.clone()));
    }
    let is_same = |known: &String| is_same_address(known, address);
    let mut offered = cards.iter();
    if let Some(card) = offered.find(|card| card.addresses().iter().any(is_same)) {
        return Err(taken(card.name().to_owned()));
    }
    let groups: BTreeSet<String> = keystore.groups()?.into_iter().collect();
    for other in groups.iter().filter(|other| *other != name) {
        // A group that cannot be read has no address.
        let Ok(Some(group)) = keystore.group(other) else {
            continue;
        };
        if group.address.as_ref().is_some_and(is_same) {
            return Err(taken(format!("@{other}")));
        }
    }
    Ok(())
}
