//! What can go wrong with a keystore.

use std::io;
use std::path::{Path, PathBuf};

use crate::atomic_file::AtomicFileError;
use crate::crypto::passphrase::PassphraseError;
use crate::crypto::signing::RootId;
use crate::identity::NamingFault;

/// Why a keystore did not do what it was asked to. Nothing was changed then, except that a decision about a contact may be
/// saved that its file does not record yet.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The system refused.
    #[error("cannot {action} {}", path.display())]
    System {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] AtomicFileError),
    /// Others may read, or change, what is private.
    #[error("others can read or change {} (mode {mode:04o})", path.display())]
    OpenToOthers {
        /// What they can get at.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The state folder belongs to another user, whose decisions are not believed.
    #[error("{} belongs to another user (uid {uid})", path.display())]
    OfAnother {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// Another process holds a lock for too long.
    #[error("another process{} holds {} since 30 seconds", pid.map_or_else(String::new, |pid| format!(" (pid {pid})")), path.display())]
    Locked {
        /// The file that is locked.
        path: PathBuf,
        /// The process, where the system tells it.
        pid: Option<u32>,
    },
    /// Something else stands where a file or folder of the keystore should.
    #[error("{} is not a {due}", path.display())]
    NotA {
        /// "folder" or "regular file".
        due: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// A file of the keystore is not what the keystore writes.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In what way.
        what: String,
    },
    /// What this machine remembers cannot be read, so nothing can be judged.
    #[error("what this machine remembers is damaged: {}: {what}", path.display())]
    StateDamaged {
        /// The file.
        path: PathBuf,
        /// In what way.
        what: String,
    },
    /// The passphrase of an identity is wrong.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// A passphrase cannot be used.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// There is an identity for this address already.
    #[error("there is an identity for {address} already")]
    AddressTaken {
        /// The address.
        address: String,
        /// The identity.
        id: RootId,
    },
    /// An address that is known with another root key: a replaced key, or an impostor.
    #[error("{address} is known with another key")]
    KeyChanged {
        /// The address.
        address: String,
        /// The root key that is known.
        known: RootId,
        /// The root key of the card.
        offered: RootId,
    },
    /// A card older than the one that is known.
    #[error("the card is older (serial {offered}) than the one that is known (serial {known})")]
    OlderCard {
        /// The serial that is known.
        known: u32,
        /// The serial of the card.
        offered: u32,
    },
    /// Another card with the serial of the one that is known.
    #[error("the card differs from the known one with the same serial {serial}")]
    OtherCard {
        /// The serial of both.
        serial: u32,
    },
    /// The name or an address on the card could be taken for something else.
    #[error(transparent)]
    Naming(#[from] NamingFault),
    /// One of the user's own identities was in this keystore, and is gone.
    #[error("your identity {} is not in the keystore any more, and you did not remove it", crate::identity::fingerprint(.0))]
    OwnMissing(RootId),
    /// The card of one of the user's own identities is older than it was.
    #[error(
        "the card of your identity {} is older (serial {serial}) than the one that was there (serial {known})",
        crate::identity::fingerprint(id)
    )]
    OwnOlder {
        /// The identity.
        id: RootId,
        /// The serial of the card.
        serial: u32,
        /// The highest serial that it had.
        known: u32,
    },
    /// There are identities, and none of them is known to be the user's own.
    #[error("this machine knows none of the identities in the keystore as yours")]
    NotAdopted(RootId),
    /// A group that this machine does not know as it is.
    #[error("this machine did not make the group @{0} as it is, and you have not adopted it")]
    GroupNotAdopted(String),
    /// A group that somebody else keeps.
    #[error("somebody else keeps the group @{0}")]
    GroupOfAnother(String),
    /// An address for which another contact was verified.
    #[error("{address} belongs to another contact, who was verified for it")]
    AddressVerified {
        /// The address.
        address: String,
        /// The key that was verified for it.
        known: RootId,
    },
    /// The contact is not verified, so there is nothing to add to.
    #[error("the contact is not verified")]
    NotVerified,
    /// The card is one of the keystore's own.
    #[error("the card is your own")]
    OwnCard,
    /// Another run changed the identity since its keys were read.
    #[error("another run changed the identity in the meantime")]
    Changed,
    /// The self-test failed: a test content sealed to this key of a card did not open with the private keys.
    #[error("a test message encrypted for the key with serial {0} cannot be opened")]
    DoesNotOpen(u32),
    /// The contact is blocked.
    #[error("the contact is blocked")]
    Blocked,
    /// The contact is not blocked.
    #[error("the contact is not blocked")]
    NotBlocked,
    /// The owner of the key declared it to be used no more.
    #[error("its owner revoked the key")]
    Revoked,
    /// There is no folder for the state of this machine.
    #[error("there is no state folder to record that in")]
    NoState,
    /// Not an identity, contact, group or gate of this keystore.
    #[error("there is no such {0} in the keystore")]
    Unknown(&'static str),
    /// A group of this name is there already.
    #[error("there is a group {0} already")]
    GroupExists(String),
    /// A name that groups cannot have.
    #[error("{0:?} is not a group's name: small letters, digits, `.`, `_` and `-`, at most 64")]
    GroupName(String),
    /// A name that gates cannot have.
    #[error("{0:?} is not a gate's name: no blanks, `,`, `@` and `/`, at most 255 bytes")]
    GateName(String),
    /// Another gate has this name or address: a replaced key, or an impostor.
    #[error("there is another gate with this name or address: {name}")]
    GateTaken {
        /// What the known one is called.
        name: String,
        /// Its root key.
        known: RootId,
        /// The root key of the card.
        offered: RootId,
    },
    /// A gate's card that is older than one that is known.
    #[error("the gate's card is older (serial {offered}) than one that is known (serial {known})")]
    OlderGate {
        /// The latest serial that is known.
        known: u64,
        /// The serial of the card.
        offered: u64,
    },
    /// Another card of a gate with the serial of the one that is known.
    #[error("the gate's card differs from the known one with the same serial {0}")]
    OtherGateCard(u64),
    /// There is no room for another statement about what was sealed with a gate.
    #[error("there is no room for another statement about it: {0} are kept")]
    StatementsFull(usize),
    /// An address that groups cannot have.
    #[error("{0:?} is not an address")]
    GroupAddress(String),
}

impl KeystoreError {
    pub(super) fn system(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::System {
            action,
            path: path.to_path_buf(),
            source: source.into(),
        }
    }

    /// Whether one file of the keystore cannot be used, and the others can.
    #[must_use]
    pub fn is_of_one_file(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. } | Self::NotA { .. } | Self::OpenToOthers { .. }
        )
    }

    pub(super) fn state_damaged(path: &Path, what: &dyn std::fmt::Display) -> Self {
        Self::StateDamaged {
            path: path.to_path_buf(),
            what: what.to_string(),
        }
    }

    pub(super) fn damaged(path: &Path, what: &dyn std::fmt::Display) -> Self {
        Self::Damaged {
            path: path.to_path_buf(),
            what: what.to_string(),
        }
    }
}
