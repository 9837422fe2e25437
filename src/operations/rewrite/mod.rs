//! Changing who may read existing envelopes: what differs from the wish is planned, shown, and then done.

mod batch;
mod changes;
mod gates;
mod in_place;
mod slots;
mod unmeant;
mod update;
mod walk;
mod wish;

pub use batch::{Batch, Counts, Executor, Observer, SignaturePolicy};
pub use changes::{AccessChanges, AccessHolder, HolderName, LetIn};
pub use in_place::{InPlaceError, update_file};
pub use slots::{SlotChange, SlotUpdate};
pub use unmeant::{EnvelopeReaders, perhaps_unmeant};
pub use update::{AccessUpdate, ResealForm, Resealed, UpdateError};
pub use walk::{
    EntryKind, FoundEnvelopes, FoundFiles, WalkError, begins_like_envelope, envelopes_below,
    files_below, open_found,
};
pub use wish::{
    GateKeys, GateStates, Granter, LetInPolicy, ListedGroupCard, PlannedUpdate, RequestedAccess,
    SigningPolicy, UpdateOptions,
};

/// Whether a use case changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// What would change is planned and reported, and nothing is changed.
    DryRun,
    /// It is done.
    #[default]
    Apply,
}
