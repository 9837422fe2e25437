//! Who shall have access, and how envelopes are changed for that: what a person asks for.

use super::changes::{AccessChanges, AccessHolder};
use crate::address::is_same_address;
use crate::crypto::PublicKey;
use crate::crypto::signing::RootId;
use crate::directory::{People, Person};
use crate::envelope::{Action, EnvelopeId, GateKeeper, GateLock, Person as KnownPerson, Removals};
use crate::gate::rules::TicketState;
use crate::keystore::{Group, KeystoreError};
use crate::operations::gate::StateUnknown;
use crate::policy::Gate;
use crate::time::Time;

/// Who shall have access, as a person asks for it.
pub enum RequestedAccess {
    /// Everybody who has it, with the keys that they have now.
    CurrentKeys,
    /// Everybody who has it but these.
    Without(Removals),
    /// These and nobody else.
    Exactly {
        /// The people.
        people: Vec<KnownPerson>,
        /// I am not added to them.
        no_self: bool,
        /// The groups among them that somebody else keeps.
        groups: Vec<ListedGroupCard>,
    },
    /// Everybody who has it, and these: the envelope is sealed again and names them.
    With(Vec<KnownPerson>),
}

/// The card of a group in a list of people, which its keeper may have changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedGroupCard {
    /// Who keeps the group.
    pub keeper: RootId,
    /// When the card was made.
    pub created: Time,
}

impl ListedGroupCard {
    /// The groups that these words mean, by name or by the address of their mailing list, as far as somebody else keeps them.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn of_words(words: &[String], people: &People) -> Result<Vec<Self>, KeystoreError> {
        let keystore = people.keystore();
        let mut listed = Vec::new();
        for name in keystore.groups()? {
            let is_meant = |group: &Group, word: &String| match word.strip_prefix('@') {
                Some(word) => word == name,
                None => group
                    .address
                    .as_ref()
                    .is_some_and(|one| is_same_address(one, word)),
            };
            // What cannot be read was told where it is used.
            let Ok(Some(group)) = keystore.group(&name) else {
                continue;
            };
            if words.iter().any(|word| is_meant(&group, word)) && !keystore.keeps(&group)? {
                listed.extend(group.card.map(|card| Self {
                    keeper: card.keeper(),
                    created: card.created(),
                }));
            }
        }
        Ok(listed)
    }
}

/// Which envelopes are signed when they are sealed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SigningPolicy {
    /// Those that were signed: a signature never appears under what nobody had signed.
    #[default]
    WhereSigned,
    /// All: whoever acts vouches for content that nobody had signed.
    Always,
    /// None.
    Never,
}

/// What is done, when an envelope is sealed again, about readers whom not its author but other readers let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LetInPolicy {
    /// They stay, and whoever seals names them: [`AccessChanges::stays`] lists them.
    #[default]
    Keep,
    /// They are removed.
    Remove,
}

/// Finds the key of a gate.
pub type GateKeys<'a> = &'a (dyn Fn(&Gate) -> Option<PublicKey> + Sync);

/// Finds out what owners have restricted at the gates of an envelope, wherever they said it.
pub type GateStates<'a> = &'a (dyn Fn(&GateLock) -> Result<TicketState, StateUnknown> + Sync);

/// How envelopes are changed.
#[derive(Clone, Copy, Default)]
pub struct UpdateOptions<'a> {
    /// The identity that acts, if one was named.
    pub actor: Option<&'a Person>,
    /// The lock that [`RequestedAccess::Exactly`] is about, where there are several.
    pub lock: Option<u16>,
    /// Which envelopes are signed when they are sealed again.
    pub signing: SigningPolicy,
    /// What is done about readers whom other readers let in.
    pub let_in: LetInPolicy,
    /// Whom [`RequestedAccess::Exactly`] may leave out although that is doubtful: see [`PlannedUpdate::unmeant`].
    pub meant: Option<&'a Removals>,
    /// The key of each gate that is known here, to seal to; without it no envelope with a gate is sealed again.
    pub gate_key: Option<GateKeys<'a>>,
    /// Keeps the gate lock of what is sealed again.
    pub gate_keeper: Option<&'a GateKeeper>,
    /// What owners have restricted at the gates of an envelope; without it no envelope with a gate is sealed again.
    pub gate_state: Option<GateStates<'a>>,
}

/// An envelope that was opened and compared with the wish.
#[derive(Debug, Clone)]
pub struct PlannedUpdate {
    /// The envelope.
    pub id: EnvelopeId,
    /// What has to be done.
    pub action: Action,
    /// Why.
    pub changes: AccessChanges,
    /// The author whose signature is lost when it is sealed again.
    pub signature_lost: Option<RootId>,
    /// Whether somebody had signed it.
    pub was_signed: bool,
    /// Who signs if it is sealed again.
    pub signer: Option<RootId>,
    /// Whether a new passphrase is needed.
    pub needs_passphrase: bool,
    /// Who signs the records if slots are added.
    pub granter: Option<Granter>,
    /// Those who lose access perhaps only because a complete list is out of date. Nothing should be done before a person has said
    /// that they are meant.
    pub unmeant: Vec<AccessHolder>,
}

/// Who signs the records of added slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granter {
    /// One of my identities.
    pub id: RootId,
    /// Whether a record by it leads back to the author.
    pub is_recorded: bool,
}

impl UpdateOptions<'_> {
    /// The identity that signs records: the one that was named, else the author's if that is me, else one of mine by whom the
    /// record leads back to the author, else the default one.
    pub(super) fn granter(
        &self,
        people: &People,
        author: Option<RootId>,
        can_record: impl Fn(RootId) -> bool,
    ) -> Option<Granter> {
        let mine = || people.active.iter();
        let is_author = |person: &&Person| author == Some(person.card.id());
        let granter = self
            .actor
            .or_else(|| mine().find(is_author))
            .or_else(|| mine().find(|person| can_record(person.card.id())))
            .or_else(|| mine().next());
        granter.map(|person| Granter {
            id: person.card.id(),
            is_recorded: can_record(person.card.id()),
        })
    }
}
