//! How bytes get to a gate and back. Programs implement it over a network, tests without one.

use crate::gate::card::GateUrl;

/// Bytes of a gate's card, as it is fetched.
pub const CARD_BYTES_MAX: usize = 64 << 10;

/// Where a gate is reached, as the user's contacts say: never as an envelope does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatePlace {
    /// Its address.
    pub url: GateUrl,
    /// The certificates (PEM) that its TLS certificate must come from; `None`: those of the web.
    pub ca: Option<String>,
}

/// Why bytes did not get to a gate, or nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There is no connection, or it broke: in words.
    #[error("{0}")]
    Unreachable(String),
    /// It did not answer in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// It answered with another HTTP status than 200.
    #[error("{}", status(*.0))]
    Status(u16),
    /// What came back is longer than any answer.
    #[error("what came back is longer than any answer")]
    TooLong,
}

fn status(code: u16) -> String {
    match code {
        400 => "it does not understand the request".to_owned(),
        413 => "the request is too long for it".to_owned(),
        429 => "it was asked too often".to_owned(),
        300..=399 => {
            format!("it points to another address, which is not followed (HTTP status {code})")
        }
        code => format!("it answered with HTTP status {code}"),
    }
}

/// Carries requests to gates. Each call ends within some seconds, whatever the gate does.
pub trait Transport: Send + Sync {
    /// Posts a sealed request, and gives what came back: at most
    /// [`ANSWER_BYTES_MAX`](crate::gate::protocol::ANSWER_BYTES_MAX) bytes.
    ///
    /// # Errors
    /// [`TransportError`].
    fn post(&self, gate: &GatePlace, request: &[u8]) -> Result<Vec<u8>, TransportError>;

    /// Fetches what is at a path of a gate's address: at most `bytes_max` bytes.
    ///
    /// # Errors
    /// [`TransportError`].
    fn fetch(
        &self,
        gate: &GatePlace,
        path: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, TransportError>;

    /// Fetches the card of a gate: at most [`CARD_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`TransportError`].
    fn card(&self, gate: &GatePlace) -> Result<Vec<u8>, TransportError> {
        self.fetch(gate, "/card", CARD_BYTES_MAX)
    }
}
