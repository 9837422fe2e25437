//! Groups that travel: one is given to others as a group card with its members' cards, and taken from what somebody gave.

mod give;
mod take;

pub use give::{GiveError, GivenGroup};
pub use take::{FoundGroup, OfferedGroup, TakeError, TakenGroup};

#[cfg(test)]
mod tests;
