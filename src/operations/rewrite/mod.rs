//! Changing who may read existing envelopes: what differs from the wish is planned, shown, and then done.

mod batch;
mod changes;
mod in_place;
mod update;
mod walk;

pub use batch::{Batch, Counts, Executor, Observer, SignaturePolicy};
pub use changes::{AccessChanges, AccessHolder, HolderName, LetIn};
pub use in_place::{InPlaceError, update_file};
pub use update::{
    AccessUpdate, LetInPolicy, PlannedUpdate, RequestedAccess, ResealForm, SigningPolicy,
    UpdateError, UpdateOptions,
};
pub use walk::{FoundEnvelopes, WalkError, envelopes_below};

/// Whether a use case changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// What would change is planned and reported, and nothing is changed.
    DryRun,
    /// It is done.
    #[default]
    Apply,
}
