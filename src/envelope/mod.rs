#![doc = include_str!("FORMAT.md")]

mod access_line;
mod admission;
mod approval;
mod approve;
mod armor;
mod body;
mod digest;
mod error;
mod id;
mod input;
mod lock_secret;
mod open;
mod padding;
mod policy_line;
mod private_line;
mod quorum;
mod seal;
mod slot;
mod unlock;

pub use crate::payload::Workers;
pub use access_line::{Access, Grant, KeySlot, PassphraseSlot, Slot};
pub use admission::{Admission, Step, grant_message};
pub use approval::{Approval, ApprovalError, Unusable};
pub use armor::ArmorWriter;
pub use error::{Class, KeyringError, NoKey, OpenError, SealError};
pub use id::EnvelopeId;
pub use open::{Content, Envelope, Manifest, Opened};
pub use private_line::{About, LineEnds, Mail, PrivateLine};
pub use quorum::{Holder, Quorum, Source, WrongShare};
pub use seal::{Addressee, LockRequest, SealRequest, Sealed, seal};
pub use unlock::{Keyring, ReaderKey};
