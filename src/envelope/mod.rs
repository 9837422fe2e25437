#![doc = include_str!("FORMAT.md")]

mod access_line;
mod admission;
mod approval;
mod body;
mod content_sink;
mod detect;
mod digest;
mod error;
mod gate;
mod id;
mod input;
mod lock_secret;
mod open;
mod padding;
mod plan;
mod policy_line;
mod private_line;
mod quorum;
mod readers;
mod reseal;
mod rewrite;
mod seal;
mod slot;
mod unlock;

pub use crate::payload::Workers;
pub use access_line::{Access, GateSlot, Grant, KeySlot, PassphraseSlot, Slot};
pub use admission::{Admission, GrantLink, NoRecord, grant_message};
pub use approval::{Approval, ApprovalError, Unusable};
pub use detect::{Form, HEAD_BYTES};
pub use error::{Class, KeyringError, NoKey, OpenError, SealError};
pub use gate::{
    GateAddressee, GateKeeper, GateLock, GateRequest, MaskedPass, PUBLIC_BLIND, Ticket,
};
pub use id::EnvelopeId;
pub use input::armor::ArmorWriter;
pub use input::page::{CarryingPage, PAGE_BYTES_MAX, PageReader, close_page, open_page};
pub use open::{Content, Envelope, Manifest, Opened};
pub use plan::{
    Action, Change, CurrentAccess, DesiredAccess, KeyDirectory, Person, Plan, Remaining, Removals,
};
pub use private_line::{ContentInfo, LineEnds, Mail, PrivateLine};
pub use quorum::{Holder, Quorum, Source, WrongShare};
pub use readers::Reader;
pub use reseal::{ResealError, ResealRequest};
pub use rewrite::{Granted, RewriteError, Rewriting, Rewritten, chosen_lock};
pub use seal::{Addressee, LockRequest, SealRequest, Sealed, seal};
pub use unlock::{
    GateFailure, GateParts, GateQuestion, HeldQuestion, Keyring, OnlyPassphrase, ReaderKey,
};
