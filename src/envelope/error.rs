//! Everything that can stop the opening or the sealing of an envelope, each with its class.

use std::io;

use crate::crypto::passphrase::PassphraseError;
use crate::json;
use crate::payload::OpenPayloadError;
use crate::policy::Refusal;

use super::input::armor::ArmorError;
use super::input::page::PageError;
use super::quorum::{Quorum, WrongShare};

/// The classes of FORMAT.md, "Reading": what a program tells a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The input ends too early.
    Truncated,
    /// Line ends or encoding were changed on the way.
    Mangled,
    /// Something else altogether.
    NotAnEnvelope,
    /// A line is not as the format demands.
    Malformed,
    /// A line or a count is over its limit.
    OverLimit,
    /// No key of the reader's is among the slots.
    NoKey,
    /// Other people have to open it too.
    Quorum,
    /// A slot or the policy was changed.
    Slot,
    /// The passphrase is wrong.
    Passphrase,
    /// The access line was changed without the content key.
    Header,
    /// The conditions say no.
    Refused,
    /// The payload was changed.
    Damaged,
    /// The author's signature does not hold.
    Signature,
    /// Made by a newer version, or damaged.
    Newer,
}

impl Class {
    /// The word for scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Mangled => "mangled",
            Self::NotAnEnvelope => "not-an-envelope",
            Self::Malformed => "malformed",
            Self::OverLimit => "over-limit",
            Self::NoKey => "no-key",
            Self::Quorum => "quorum",
            Self::Slot => "slot",
            Self::Passphrase => "passphrase",
            Self::Header => "header",
            Self::Refused => "refused",
            Self::Damaged => "damaged",
            Self::Signature => "signature",
            Self::Newer => "newer",
        }
    }
}

/// What a keyring answers when it cannot unlock: the caller's own error, handed through.
pub type KeyringError = Box<dyn std::error::Error + Send + Sync>;

/// Why an envelope does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Step 1: the first bytes are not those of an envelope.
    #[error("it is not an envelope: it does not begin with `encl/1`")]
    NotAnEnvelope,
    /// Step 1: the first bytes are not those of an envelope; an armored one begins below them.
    #[error(
        "it is not an envelope yet: its armor begins in line {line}, and text stands before it; remove that text"
    )]
    ArmorBelow {
        /// The line, from 1.
        line: usize,
    },
    /// Step 1: the first bytes are not those of an envelope, but of an armored one that was quoted.
    #[error("it is not an envelope yet: its armor is quoted; remove the `> ` before each line")]
    ArmorQuoted,
    /// Any step: a page carries it, and not in the one form that there is.
    #[error("it is not an envelope: {0}", PageError::Other)]
    InPage,
    /// Any step: the input ends too early.
    #[error("it is cut short: {0}")]
    Truncated(String),
    /// Steps 1 and 2, and armor: changed on the way.
    #[error("it was changed on the way: {0}")]
    Mangled(String),
    /// Steps 1, 3 and 10: something that this version does not know.
    #[error("made by a newer encl, or damaged: {0}")]
    Newer(String),
    /// Steps 2, 3 and 10: too long, or too many.
    #[error("over a limit of the format: {0}")]
    OverLimit(String),
    /// Steps 2, 3 and 10: not as the format demands.
    #[error("not well formed: {0}")]
    Malformed(String),
    /// Step 4: nothing here is for any of the reader's keys.
    #[error("{0}")]
    NoKey(NoKey),
    /// Steps 4 and 5: others have to come too.
    #[error("{0}")]
    Quorum(Box<Quorum>),
    /// Step 5: a slot of the reader's does not open, or opens to the wrong secret.
    #[error("this slot or the policy was changed: slot {slot} of lock {lock}")]
    Slot {
        /// Position in the access line, from 0.
        slot: usize,
        /// The lock it belongs to, from 0.
        lock: usize,
    },
    /// Step 5: a share, in a slot of the reader's or in an approval, that the policy does not know.
    #[error("{0}")]
    Share(Box<WrongShare>),
    /// Step 5: every share is one that the policy knows, and together they do not give its secret.
    #[error(
        "the author's shares of lock {lock} do not belong together: nobody can open it with them"
    )]
    Shares {
        /// The lock, from 0.
        lock: usize,
    },
    /// Step 5: an approval does not open with the reader's key, or opens to the wrong secret.
    #[error("approval {} for lock {lock} was forged or changed, or it is not from a holder", approval + 1)]
    Approval {
        /// Position among the approvals that were given, from 0.
        approval: usize,
        /// The lock it names, from 0.
        lock: usize,
    },
    /// Step 5: a gate answered something else than its part of the gate lock.
    #[error("gate {} answered something that the policy does not know", gate + 1)]
    GateShare {
        /// The gate's position in the gate lock, from 0.
        gate: u8,
    },
    /// Step 5: the gate lock names another key than that of whoever opens all other locks.
    #[error("the gate lock does not belong to the other locks of the envelope")]
    GateHolder,
    /// Step 5: the gates of the gate lock refuse.
    #[error("{0}")]
    GateRefused(KeyringError),
    /// Step 5: the passphrase does not open its slot.
    #[error("the passphrase is wrong")]
    Passphrase,
    /// Step 5: the passphrase cannot be tried.
    #[error(transparent)]
    PassphraseUnusable(PassphraseError),
    /// Step 6: the access line was changed.
    #[error("the access line was changed by somebody who cannot open the envelope")]
    Header,
    /// Step 7: the conditions.
    #[error("{0}")]
    Refused(Refusal),
    /// Steps 8 to 11: the payload was changed.
    #[error("{0}")]
    Damaged(String),
    /// Step 12: the signature.
    #[error("the signature is wrong: the content is not what the signer signed")]
    Signature,
    /// The keyring could not give a key: no class, the cause is the caller's own.
    #[error("the key cannot be unlocked")]
    Keyring(#[source] KeyringError),
    /// The input could not be read: no class.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// The output could not be written: no class.
    #[error("the output cannot be written")]
    Write(#[source] io::Error),
}

/// Why no key fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// None of the reader's keys is among the recipients.
    #[error("none of your identities is named in its policy")]
    NotNamed,
    /// The policy names the reader, but the access line has no slot for it.
    #[error("you are named in its policy, but your slot was removed")]
    SlotRemoved,
    /// A private envelope, and every slot was tried.
    #[error("none of your keys opens it")]
    Private,
}

impl OpenError {
    /// The class, or `None` when the system or the keyring failed and the envelope is not to blame.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        Some(match self {
            Self::NotAnEnvelope | Self::ArmorBelow { .. } | Self::ArmorQuoted | Self::InPage => {
                Class::NotAnEnvelope
            }
            Self::Truncated(_) => Class::Truncated,
            Self::Mangled(_) => Class::Mangled,
            Self::Newer(_) => Class::Newer,
            Self::OverLimit(_) => Class::OverLimit,
            Self::Malformed(_) => Class::Malformed,
            Self::NoKey(_) => Class::NoKey,
            Self::Quorum(_) => Class::Quorum,
            Self::Slot { .. }
            | Self::Share(_)
            | Self::Shares { .. }
            | Self::Approval { .. }
            | Self::GateShare { .. }
            | Self::GateHolder => Class::Slot,
            Self::Passphrase
            | Self::PassphraseUnusable(PassphraseError::Empty | PassphraseError::TooLong) => {
                Class::Passphrase
            }
            Self::Header => Class::Header,
            Self::Refused(_) | Self::GateRefused(_) => Class::Refused,
            Self::Damaged(_) => Class::Damaged,
            Self::Signature => Class::Signature,
            Self::PassphraseUnusable(_) | Self::Keyring(_) | Self::Read(_) | Self::Write(_) => {
                return None;
            }
        })
    }

    /// Puts a JSON fault in its place: `where_` is "the policy (line 2)" or the like.
    pub(super) fn in_line(where_: &str, error: &json::Error) -> Self {
        let text = format!("{where_}: {error}");
        match error {
            json::Error::Malformed(_) => Self::Malformed(text),
            json::Error::OverLimit(_) => Self::OverLimit(text),
            json::Error::Newer(_) => Self::Newer(text),
        }
    }

    /// An error of the input: armor, and the page that carries it, report their faults through the reader.
    pub(crate) fn reading(error: io::Error) -> Self {
        let Some(fault) = error.get_ref() else {
            return Self::Read(error);
        };
        match (fault.downcast_ref(), fault.downcast_ref()) {
            (Some(armor @ ArmorError::Truncated), _) => Self::Truncated(armor.to_string()),
            (Some(armor), _) => Self::Mangled(armor.to_string()),
            (_, Some(page @ PageError::Truncated)) => Self::Truncated(page.to_string()),
            (_, Some(page @ PageError::TooLong)) => Self::OverLimit(page.to_string()),
            (_, Some(PageError::Other)) => Self::InPage,
            (None, None) => Self::Read(error),
        }
    }
}

impl From<OpenPayloadError> for OpenError {
    fn from(error: OpenPayloadError) -> Self {
        match error {
            OpenPayloadError::Truncated { .. } => Self::Truncated(error.to_string()),
            OpenPayloadError::TooLong => Self::OverLimit(error.to_string()),
            OpenPayloadError::Io(error) => Self::reading(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Why an envelope cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The request contradicts the format: an empty lock, a count or text over its limit, a key named twice.
    #[error("{0}")]
    Request(String),
    /// The passphrase cannot be used.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The content could not be read.
    #[error("the content cannot be read")]
    Read(#[source] io::Error),
    /// The envelope could not be written.
    #[error("the envelope cannot be written")]
    Write(#[source] io::Error),
    /// Its gate lock could not be kept: the caller's own error.
    #[error("its gate lock cannot be kept")]
    GateKeeper(#[source] KeyringError),
}
