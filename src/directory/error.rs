//! Why it is not clear who is meant, or why somebody cannot be encrypted to.

use std::io;
use std::path::PathBuf;

use super::names::Names;
use super::people::People;
use super::trust::Trust;
use super::who::{WhoForm, WhoUse};
use crate::crypto::signing::RootId;
use crate::identity::CardError;
use crate::keystore::{Group, KeystoreError};
use crate::mail::NotOneAddress;
use crate::time::Time;

/// Why it is not clear who is meant, or why somebody cannot be encrypted to. Names in it are as the keystore has them: a program
/// escapes them before it shows them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Nobody has this name or address.
    #[error("nobody in the keystore has that address or name")]
    Unknown {
        /// As it was typed.
        name: String,
        /// The name or address that is most like it.
        similar: Option<String>,
    },
    /// A word of hexadecimal digits that is no whole fingerprint.
    #[error("a fingerprint has 64 digits, and this has {digits}")]
    NotAFingerprint {
        /// As it was typed.
        who: String,
        /// How many digits it has.
        digits: usize,
    },
    /// A word that looks like an address and is not one.
    #[error("{reason}")]
    NotAnAddress {
        /// As it was typed.
        who: String,
        /// The reason.
        reason: NotOneAddress,
    },
    /// A person is named in a way that is not accepted here.
    #[error("people cannot be named like this here")]
    NotAccepted {
        /// As it was typed.
        who: String,
        /// Its form.
        form: WhoForm,
        /// What the person is named for.
        wanted: WhoUse,
    },
    /// Several people have this name or address.
    #[error("it matches {} people", matches.len())]
    Ambiguous {
        /// As it was typed.
        name: String,
        /// All of them.
        matches: Vec<Names>,
    },
    /// Some mail addresses do not mean one person or group.
    #[error("{} of the recipients are not clear", addresses.len())]
    UnclearAddresses {
        /// Each address with what is known about it.
        addresses: Vec<UnclearAddress>,
        /// One of them, and the known address that is most like it.
        similar: Option<(String, String)>,
    },
    /// Not one of my active identities.
    #[error("{reason}")]
    NotMine {
        /// [`Self::Unknown`] or [`Self::Ambiguous`].
        reason: Box<Self>,
        /// Whether there is any active identity.
        has_identities: bool,
    },
    /// An identity that only opens what was encrypted to it earlier.
    #[error("it was revoked or replaced, and only decrypts what was encrypted for it")]
    RetiredIdentity(String),
    /// There is no group of this name.
    #[error("there is no such group")]
    NoSuchGroup(String),
    /// A group cannot be read.
    #[error("the group cannot be read")]
    Group {
        /// Its name, without the `@`.
        name: String,
        /// The reason.
        source: KeystoreError,
    },
    /// A group that this machine does not know as it is.
    #[error("this machine did not make the group as it is, and you have not adopted it")]
    GroupNotAdopted(Box<GroupChange>),
    /// A group of which a later card was taken or given on this machine.
    #[error("it is older than a group card that this machine knows")]
    GroupOlder {
        /// Its name, without the `@`.
        name: String,
        /// When the latest card was made.
        latest: Time,
    },
    /// Who was verified for an address or a name is not in the keystore.
    #[error("the contact who was verified for it is not in the keystore any more")]
    VerifiedGone {
        /// As it was typed.
        who: String,
        /// The key that was verified.
        id: RootId,
    },
    /// A group without members.
    #[error("the group is empty")]
    EmptyGroup(String),
    /// A member of a group is no contact any more.
    #[error("a member is no contact any more")]
    MissingMember {
        /// The group's name, without the `@`.
        group: String,
        /// The member.
        id: RootId,
    },
    /// A card's file cannot be read.
    #[error("the card cannot be read")]
    CardFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// What was given is not a usable card.
    #[error("the card cannot be used")]
    Card {
        /// The file as it was typed; `None`: the card was pasted.
        file: Option<String>,
        /// The reason.
        source: CardError,
    },
    /// The card contradicts what the keystore knows: [`KeystoreError::KeyChanged`] or [`KeystoreError::OtherCard`]; or
    /// no card may be called so: [`KeystoreError::Naming`].
    #[error("the card contradicts a known one")]
    CardConflict {
        /// What the card calls its owner.
        names: Box<Names>,
        /// The contradiction.
        source: KeystoreError,
    },
    /// The state of a contact forbids to use it.
    #[error("the state of the contact forbids it")]
    Blocked {
        /// The contact.
        names: Box<Names>,
        /// Changed, revoked or blocked.
        trust: Trust,
    },
    /// No key on the card is valid any more.
    #[error("the key on the card expired")]
    Expired {
        /// Whose card it is.
        names: Box<Names>,
        /// Whether it is the user's own.
        is_mine: bool,
        /// When the last one ended.
        at: Option<Time>,
    },
    /// Contacts that were never verified, where that was demanded.
    #[error("somebody was never verified")]
    NotVerified(Vec<Names>),
    /// Two of a quorum are one person.
    #[error("a quorum names somebody twice")]
    TwiceInQuorum(Box<Names>),
    /// A quorum of fewer people than have to come together.
    #[error("{need} of {of} people cannot come together")]
    QuorumTooSmall {
        /// How many have to come together.
        need: u8,
        /// How many there are.
        of: usize,
    },
    /// A quorum of more people than can have a share.
    #[error(
        "it names {of} people, and at most {} can have a share",
        crate::policy::SHARES_MAX
    )]
    QuorumTooLarge {
        /// How many there are.
        of: usize,
    },
    /// A contact was removed between two reads.
    #[error("a contact that was just there is gone")]
    ContactGone,
    /// New cards cannot be stored.
    #[error("the cards of new recipients cannot be stored")]
    NotStored(#[source] KeystoreError),
    /// The keystore cannot be read.
    #[error("the keystore cannot be read")]
    Keystore(#[from] KeystoreError),
}

/// How a group differs from what this machine knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChange {
    /// Its name, without the `@`.
    pub name: String,
    /// Members who came, or keys of those who are no contacts.
    pub came: Vec<Member>,
    /// Members who went.
    pub went: Vec<Member>,
    /// Its address, if that is another one: none is `Some(None)`.
    pub address: Option<Option<String>>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Somebody with a card.
    Person(Names),
    /// A key without one.
    Key(RootId),
}

impl Member {
    /// By name; keys at the end.
    fn sort_key(&self) -> (bool, String, RootId) {
        match self {
            Self::Person(names) => {
                let (name, id) = names.sort_key();
                (false, name, id)
            }
            Self::Key(id) => (true, String::new(), *id),
        }
    }
}

impl GroupChange {
    pub(super) fn new(name: &str, group: &Group, known: &Group, people: &People) -> Self {
        Self::between(name, group, known, |id| {
            let person = people.with_id(*id).ok().flatten();
            person.map(|person| person.names())
        })
    }

    /// How `group` differs from `known`, with people called as `names` says.
    pub fn between(
        name: &str,
        group: &Group,
        known: &Group,
        names: impl Fn(&RootId) -> Option<Names>,
    ) -> Self {
        let member = |id: &RootId| names(id).map_or(Member::Key(*id), Member::Person);
        let only_in = |one: &Group, other: &Group| {
            let only = one.members.difference(&other.members);
            let mut only: Vec<Member> = only.map(member).collect();
            only.sort_by_cached_key(Member::sort_key);
            only
        };
        Self {
            name: name.to_owned(),
            came: only_in(group, known),
            went: only_in(known, group),
            address: (group.address != known.address).then(|| group.address.clone()),
        }
    }
}

/// A mail address that does not mean one person or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnclearAddress {
    /// The address.
    pub address: String,
    /// Everybody who has it: nobody, or several.
    pub owners: Vec<AddressOwner>,
}

/// Who has a mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressOwner {
    /// A person.
    Person(Names),
    /// A group, by its name without the `@`.
    Group(String),
}
