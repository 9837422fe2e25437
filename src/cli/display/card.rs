//! What a card says, for people and for programs.

use encl::identity::{Card, CardKey, fingerprint};
use encl::time::Time;
use serde::Serialize;

use crate::cli::display::names::hex;
use crate::cli::display::time;
use crate::cli::terminal::safe;

/// What a card says, one fact a line.
pub(crate) fn described(card: &Card) -> String {
    let mut lines = vec![format!("name: {}", safe(card.name()))];
    lines.extend(
        card.addresses()
            .iter()
            .map(|address| format!("address: {}", safe(address))),
    );
    lines.push(format!("fingerprint: {}", fingerprint(&card.id())));
    for key in card.keys() {
        let expires = key.expires.map_or(String::new(), |end| {
            format!(", expires {}", time::local(end))
        });
        lines.push(format!(
            "key: {}, created {}{expires}",
            key.public.kem().name(),
            time::local(key.created)
        ));
    }
    lines.join("\n")
}

/// What a card says, for programs.
#[derive(Serialize)]
pub(crate) struct CardFacts<'a> {
    id: String,
    name: &'a str,
    addresses: &'a [String],
    serial: u32,
    created: Time,
    keys: Vec<KeyFacts>,
}

#[derive(Serialize)]
struct KeyFacts {
    kem: &'static str,
    id: String,
    serial: u32,
    created: Time,
    expires: Option<Time>,
}

impl<'a> CardFacts<'a> {
    pub(crate) fn of(card: &'a Card) -> Self {
        let key = |key: &CardKey| KeyFacts {
            kem: key.public.kem().name(),
            id: hex(&key.public.key_id().0),
            serial: key.serial,
            created: key.created,
            expires: key.expires,
        };
        Self {
            id: card.id().to_string(),
            name: card.name(),
            addresses: card.addresses(),
            serial: card.serial(),
            created: card.created(),
            keys: card.keys().iter().map(key).collect(),
        }
    }
}
