//! A group as its keeper gives it to others, signed by the keeper's root key, so that all of them encrypt for the same people.
//!
//! It names its members by their root keys. Their cards travel beside it, and are checked like any card.

use std::collections::BTreeSet;

use serde::Serialize;

use super::card::CardError;
use super::carrier::{self, CONTENT_BYTES_MAX, Carried};
use super::{ADDRESS_BYTES_MAX, VERSION, distinct, known_version};
use crate::crypto::signing::{Purpose, RootId, SigningKey};
use crate::json::{self, Error, Text, Value};
use crate::time::Time;

/// How a group card begins.
pub(super) const PREFIX: &str = "encl-group1:";
/// The most members of a group that is given to others.
pub const GROUP_MEMBERS_MAX: usize = 1_024;
/// Bytes of a group's name.
const NAME_BYTES_MAX: usize = 64;

/// A group card that was checked: form and signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCard {
    keeper: RootId,
    name: String,
    address: Option<String>,
    serial: u64,
    created: Time,
    members: BTreeSet<RootId>,
    text: String,
}

/// What a new group card shall say.
pub struct GroupCardRequest<'a> {
    /// The group's name, as [`is_group_name`] has it.
    pub name: &'a str,
    /// The address of its mailing list, as [`is_group_address`] has it.
    pub address: Option<&'a str>,
    /// The serial of the card before it; 0 if there is none.
    pub after: u64,
    /// When it is made.
    pub created: Time,
    /// The root keys of its members: 1 to [`GROUP_MEMBERS_MAX`].
    pub members: &'a BTreeSet<RootId>,
}

/// Says whether a group can have this name: small letters, digits, `.`, `_`, `-`, beginning with a letter or digit.
#[must_use]
pub fn is_group_name(name: &str) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = |byte: &u8| letter(byte) || matches!(byte, b'.' | b'_' | b'-');
    let bytes = name.as_bytes();
    bytes.len() <= NAME_BYTES_MAX && bytes.first().is_some_and(letter) && bytes.iter().all(inner)
}

/// Says whether a group can have this address: something on both sides of an `@`, no blanks, nothing that hides.
#[must_use]
pub fn is_group_address(text: &str) -> bool {
    let filled = |(local, domain): (&str, &str)| !local.is_empty() && !domain.is_empty();
    text.len() <= ADDRESS_BYTES_MAX
        && text.rsplit_once('@').is_some_and(filled)
        && json::is_clean(text)
        && !text.contains(char::is_whitespace)
}

impl GroupCard {
    /// Signs a group card. Its serial is the time in seconds since 1970, or the one before it plus one if that is more: two machines
    /// of one keeper need not know of each other.
    ///
    /// # Errors
    /// [`CardError::Line`] when name, address or members are not fit for one.
    pub fn new(root: &SigningKey, request: &GroupCardRequest<'_>) -> Result<Self, CardError> {
        let line = GroupLine {
            group: VERSION,
            keeper: root.id(),
            name: request.name,
            address: request.address,
            serial: request.created.unix().max(request.after + 1),
            created: request.created,
            members: request.members.iter().collect(),
        };
        let line = serde_json::to_vec(&line).expect("it has only texts and numbers");
        let signature = root.sign(Purpose::Group, &[&line]);
        Self::from_text(carrier::write(PREFIX, &line, &signature).as_bytes())
    }

    /// Reads a group card from text, however it was wrapped or quoted, and checks all of it.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn from_text(text: &[u8]) -> Result<Self, CardError> {
        let Carried {
            line,
            signature,
            text,
        } = carrier::read(PREFIX, text)?;
        let group = Self {
            text,
            ..parse(&line)?
        };
        let verified = group.keeper.verify(Purpose::Group, &[&line], &signature);
        verified.map_err(|_| CardError::Signature)?;
        Ok(group)
    }

    /// The root key of whoever keeps the group and signed this.
    #[must_use]
    pub fn keeper(&self) -> RootId {
        self.keeper
    }

    /// The group's name, as its keeper calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of its mailing list.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Rises with every card of the group.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Time {
        self.created
    }

    /// The root keys of its members.
    #[must_use]
    pub fn members(&self) -> &BTreeSet<RootId> {
        &self.members
    }

    /// One line of text, without a line feed.
    #[must_use]
    pub fn to_text(&self) -> &str {
        &self.text
    }

    /// Lines that no mail program wraps.
    #[must_use]
    pub fn to_wrapped_text(&self) -> String {
        carrier::wrapped(PREFIX, &self.text)
    }
}

#[derive(Serialize)]
struct GroupLine<'a> {
    group: &'static str,
    keeper: RootId,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    serial: u64,
    created: Time,
    members: Vec<&'a RootId>,
}

/// A group card without its text.
fn parse(line: &[u8]) -> Result<GroupCard, Error> {
    let (mut version, mut keeper, mut group_name, mut address) = (None, None, None, None);
    let (mut serial, mut created, mut members) = (None, None, None);
    if line.len() > CONTENT_BYTES_MAX {
        return Err(Error::over_limit("the group card"));
    }
    Text::check(line)?.object(|name, value| {
        match name {
            "group" => version = Some(known_version(value)?),
            "keeper" => keeper = Some(RootId(value.base64()?)),
            "name" => group_name = Some(fit(value, NAME_BYTES_MAX, is_group_name, "name")?),
            "address" => {
                address = Some(fit(value, ADDRESS_BYTES_MAX, is_group_address, "address")?);
            }
            "serial" => serial = Some(value.number()?).filter(|serial| *serial > 0),
            "created" => created = Some(value.time()?),
            "members" => {
                let member = |one: Value<'_>| Ok(RootId(one.base64()?));
                members = Some(value.array(GROUP_MEMBERS_MAX, member)?);
            }
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    version.ok_or_else(|| Error::missing("group"))?;
    let members: Vec<RootId> = members.ok_or_else(|| Error::missing("members"))?;
    distinct(members.iter(), "a member twice, or none")?;
    Ok(GroupCard {
        keeper: keeper.ok_or_else(|| Error::missing("keeper"))?,
        name: group_name.ok_or_else(|| Error::missing("name"))?,
        address,
        serial: serial.ok_or_else(|| Error::missing("serial"))?,
        created: created.ok_or_else(|| Error::missing("created"))?,
        members: members.into_iter().collect(),
        text: String::new(),
    })
}

fn fit(
    value: Value<'_>,
    bytes_max: usize,
    is_fit: fn(&str) -> bool,
    what: &str,
) -> Result<String, Error> {
    let text = value.text(bytes_max)?.into_owned();
    match is_fit(&text) {
        true => Ok(text),
        false => Err(Error::malformed(&format!("a group's {what} that is none"))),
    }
}

#[cfg(test)]
mod tests {
    use rand::rand_core::UnwrapErr;
    use rand::rngs::SysRng;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::generate(&mut UnwrapErr(SysRng))
    }

    fn card(root: &SigningKey, after: u64, members: &BTreeSet<RootId>) -> GroupCard {
        let request = GroupCardRequest {
            name: "team",
            address: Some("team@lists.example.org"),
            after,
            created: "2026-11-30T13:00:00Z".parse().unwrap(),
            members,
        };
        GroupCard::new(root, &request).unwrap()
    }

    fn signed(root: &SigningKey, line: &str) -> Result<GroupCard, CardError> {
        let signature = root.sign(Purpose::Group, &[line.as_bytes()]);
        GroupCard::from_text(carrier::write(PREFIX, line.as_bytes(), &signature).as_bytes())
    }

    #[test]
    fn what_was_signed_is_read_back_however_it_was_wrapped_and_quoted() {
        let (root, members) = (key(), BTreeSet::from([key().id(), key().id()]));
        let card = card(&root, 0, &members);
        assert_eq!(card.serial(), card.created().unix());
        assert_eq!((card.keeper(), card.members()), (root.id(), &members));
        let wrapped = card.to_wrapped_text();
        let quoted = wrapped.replace('\n', "\r\n> > ");
        for text in [card.to_text(), &wrapped, &quoted] {
            assert_eq!(GroupCard::from_text(text.as_bytes()).unwrap(), card);
        }
    }

    #[test]
    fn a_serial_rises_though_the_clock_is_behind() {
        let members = BTreeSet::from([key().id()]);
        let later = card(&key(), 5_000_000_000, &members);
        assert_eq!(later.serial(), 5_000_000_001);
    }

    #[test]
    fn what_is_no_group_card_is_refused() {
        let (root, other) = (key(), key());
        let members = BTreeSet::from([other.id()]);
        let good = card(&root, 0, &members);
        let content = carrier::read(PREFIX, good.text.as_bytes()).unwrap();
        let line = String::from_utf8(content.line).unwrap();
        assert_eq!(signed(&root, &line).unwrap(), good);
        assert_eq!(signed(&other, &line), Err(CardError::Signature));
        let id = json::to_b64(&other.id().0);
        for (from, to) in [
            ("\"team\"", "\"Team\""),
            ("\"team\"", "\"\""),
            ("team@lists", "te am@lists"),
            ("team@lists", "@lists"),
            ("\"serial\":1", "\"serial\":0,\"was\":1"),
            (&format!("[\"{id}\"]"), "[]"),
            (&format!("[\"{id}\"]"), &format!("[\"{id}\",\"{id}\"]")),
            ("\"encl/1\"", "\"encl/2\""),
            ("\"created\"", "\"made\""),
        ] {
            let changed = line.replacen(from, to, 1);
            assert_ne!(changed, line, "{from}");
            let refused = signed(&root, &changed);
            assert!(matches!(refused, Err(CardError::Line(_))), "{changed}");
        }
        // A signature for another purpose is none for this.
        let signature = root.sign(Purpose::Card, &[line.as_bytes()]);
        let text = carrier::write(PREFIX, line.as_bytes(), &signature);
        let refused = GroupCard::from_text(text.as_bytes());
        assert_eq!(refused, Err(CardError::Signature));
    }

    #[test]
    fn as_many_members_as_fit_fit() {
        let members: BTreeSet<RootId> = (0..GROUP_MEMBERS_MAX)
            .map(|number| RootId(crate::crypto::sha256(&[&number.to_be_bytes()])))
            .collect();
        assert_eq!(card(&key(), 0, &members).members(), &members);
        let more: BTreeSet<RootId> = members.into_iter().chain([key().id()]).collect();
        let request = GroupCardRequest {
            name: "team",
            address: None,
            after: 0,
            created: "2026-11-30T13:00:00Z".parse().unwrap(),
            members: &more,
        };
        let refused = GroupCard::new(&key(), &request);
        assert!(matches!(refused, Err(CardError::Line(Error::OverLimit(_)))));
    }
}
