//! What a card says, for people and for programs.

use encl::directory::Names;
use encl::identity::{Card, CardKey, InvitationToken, fingerprint};
use encl::time::Time;
use serde::Serialize;

use crate::cli::display::names::{NOT_SHOWN, hex};
use crate::cli::display::report::Report;
use crate::cli::display::time;
use crate::cli::terminal::stdout::{Stdout, StdoutError};
use crate::cli::terminal::{Terminal, safe};

/// What a card says, one fact a line.
pub(crate) fn described(card: &Card) -> String {
    let names = Names::of_card(card);
    let name = names.fit_name().map_or_else(|| NOT_SHOWN.to_owned(), safe);
    let mut lines = vec![format!("name: {name}")];
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

/// A card to be given to others, beside the token of an invitation that it answers.
pub(crate) struct CardReport<'a> {
    pub(crate) card: &'a Card,
    pub(crate) token: Option<&'a InvitationToken>,
}

impl<'a> CardReport<'a> {
    pub(crate) fn new(card: &'a Card) -> Self {
        Self { card, token: None }
    }

    /// A card in one line; beside a token in lines that no mail program wraps.
    pub(crate) fn text(&self) -> String {
        match self.token {
            None => format!("{}\n", self.card.to_text()),
            Some(token) => format!("{}\n{}\n", token.to_answer(), self.card.to_wrapped_text()),
        }
    }

    /// How a card that was not printed comes later.
    pub(crate) fn later(&self) -> String {
        format!("`encl key card {}` prints", safe(&self.card.addresses()[0]))
    }
}

impl Report for CardReport<'_> {
    type Object<'o>
        = CardObject<'o>
    where
        Self: 'o;

    fn object(&self) -> CardObject<'_> {
        CardObject {
            schema: "encl.card/1",
            id: self.card.id().to_string(),
            card: self.card.to_text(),
            answer: self.token.map(InvitationToken::to_answer),
        }
    }

    /// Every byte as it is: it is data.
    fn show_text(&self, _: Terminal) -> Result<(), StdoutError> {
        Stdout::open()?.put(self.text().as_bytes())
    }
}

/// `encl.card/1`, in the documented order.
#[derive(Serialize)]
pub(crate) struct CardObject<'a> {
    schema: &'static str,
    id: String,
    card: &'a str,
    /// The token of an invitation, as it goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}
