//! The file of a gate: one line of what the user said of it, one line of card.

use serde::Serialize;

use super::GateContact;
use crate::gate::card::GateCard;
use crate::json::{self, Error, Text};
use crate::time::Time;

/// Bytes of the certificates (PEM) of an authority.
pub const CA_BYTES_MAX: usize = 64 << 10;
/// Bytes of the name of a gate: a host and a port.
const NAME_BYTES_MAX: usize = 255;

/// Whether the user can call a gate so: something without blanks, `,`, `@` and `/`, beginning with a letter or digit.
#[must_use]
pub fn is_gate_name(name: &str) -> bool {
    let is_bad = |one: char| one.is_whitespace() || matches!(one, ',' | '@' | '/');
    let begins = name.starts_with(|one: char| one.is_alphanumeric() || one == '[');
    name.len() <= NAME_BYTES_MAX && begins && json::is_clean(name) && !name.contains(is_bad)
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    added: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backed_up: Option<u64>,
}

impl GateContact {
    /// Reads what stands in the file of a gate.
    pub(in super::super) fn from_text(text: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        let (line, card) = text.split_once('\n').ok_or("it has no card")?;
        let card = GateCard::from_text(card.as_bytes()).map_err(|error| error.to_string())?;
        let head = parse(line.as_bytes(), card);
        head.map_err(|error| error.to_string())
    }

    /// What stands in its file.
    pub(in super::super) fn to_text(&self) -> Vec<u8> {
        let line = Line {
            name: &self.name,
            added: self.added,
            ca: self.ca.as_ref().map(|ca| json::to_b64(ca.as_bytes())),
            backed_up: self.backed_up,
        };
        let line = serde_json::to_string(&line).expect("it has only texts");
        format!("{line}\n{}\n", self.card.to_text()).into_bytes()
    }
}

fn parse(line: &[u8], card: GateCard) -> Result<GateContact, Error> {
    let (mut gate_name, mut added, mut ca, mut backed_up) = (None, None, None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "name" => gate_name = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "added" => added = Some(value.time()?),
            "ca" => {
                let bytes = value.base64_up_to(CA_BYTES_MAX)?;
                let text = String::from_utf8(bytes);
                ca = Some(text.map_err(|_| Error::malformed("invalid UTF-8"))?);
            }
            "backed_up" => backed_up = Some(value.number()?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    let name = gate_name.filter(|name| is_gate_name(name));
    Ok(GateContact {
        name: name.ok_or_else(|| Error::missing("name"))?,
        card,
        added: added.ok_or_else(|| Error::missing("added"))?,
        ca,
        backed_up,
    })
}
