//! A gate as it is added to the contacts: fetched from its address, or read from a file.

use std::io::{self, Read};

use crate::gate::card::{GateCard, GateCardError, GateUrl};
use crate::gate::client::{CARD_BYTES_MAX, GatePlace, Transport, TransportError};

/// The card of a gate, and where it came from.
pub struct FoundGate {
    /// The card.
    pub card: GateCard,
    /// The address that it was fetched from; `None`: it came in a file.
    pub fetched_from: Option<GateUrl>,
}

impl FoundGate {
    /// Whether the card names another address than the one that it was fetched from: the user has to agree to that.
    #[must_use]
    pub fn names_another(&self) -> bool {
        let mut from = self.fetched_from.iter();
        from.any(|url| url != self.card.url())
    }
}

/// Why no gate was found.
#[derive(Debug, thiserror::Error)]
pub enum AddGateError {
    /// It was not reached.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// What came is no card of a gate.
    #[error(transparent)]
    Card(#[from] GateCardError),
    /// The file cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// The file is longer than any card.
    #[error("it is too long for the card of a gate")]
    TooLong,
}

/// Fetches the card of a gate.
///
/// # Errors
/// [`AddGateError`].
pub fn find_gate(place: &GatePlace, transport: &dyn Transport) -> Result<FoundGate, AddGateError> {
    let text = transport.card(place)?;
    if text.len() > CARD_BYTES_MAX {
        return Err(AddGateError::TooLong);
    }
    Ok(FoundGate {
        card: GateCard::from_text(&text)?,
        fetched_from: Some(place.url.clone()),
    })
}

/// Reads the card of a gate that somebody gave.
///
/// # Errors
/// [`AddGateError`].
pub fn offered_gate(reader: impl Read) -> Result<FoundGate, AddGateError> {
    let mut text = Vec::new();
    let mut limited = reader.take(CARD_BYTES_MAX as u64 + 1);
    limited.read_to_end(&mut text).map_err(AddGateError::Read)?;
    if text.len() > CARD_BYTES_MAX {
        return Err(AddGateError::TooLong);
    }
    Ok(FoundGate {
        card: GateCard::from_text(&text)?,
        fetched_from: None,
    })
}
