//! Cards that come in: one is found in a text or message, compared with the keystore, and accepted.

mod accept;
mod card_source;
mod group;
mod invitation_reply;

pub use accept::{AcceptError, AcceptedCard, CardConflict, OfferedCard};
pub use card_source::{CardSourceError, CardsFound, FoundCard, SenderError, find_card};
pub use group::{FoundGroup, GiveError, GivenGroup, OfferedGroup, TakeError, TakenGroup};
pub use invitation_reply::{InvitationMatch, InvitationReply};

#[cfg(test)]
mod tests;
