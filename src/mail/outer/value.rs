//! What of a field's value can stand outside: what its grammar finds in it, written anew. Nothing is copied.

mod addresses;

use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

use crate::mail::words;

/// The longest value that is parsed as a date or a word, in bytes: no longer line is one.
const SHORT_BYTES_MAX: usize = 998;
/// RFC 3834 §5, RFC 5436 §2.7.1.
const AUTO_SUBMITTED: [&str; 4] = ["no", "auto-generated", "auto-replied", "auto-notified"];
/// RFC 2076 §3.9, and what mail servers write.
const PRECEDENCE: [&str; 5] = ["bulk", "list", "junk", "first-class", "special-delivery"];
/// RFC 8058 §3.1.
const ONE_CLICK: [&str; 1] = ["List-Unsubscribe=One-Click"];

/// What the value of a field consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    /// An address list (RFC 5322 §3.4).
    Addresses,
    /// A date (RFC 5322 §3.3).
    Date,
    /// Message ids (RFC 5322 §3.6.4).
    MessageIds,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A name and an id of a mailing list (RFC 2919 §3).
    ListId,
    /// URLs in angle brackets (RFC 2369 §2), or `NO`.
    Urls,
}

/// All fields that stand outside, and what they consist of.
const FIELDS: [(&str, Grammar); 19] = [
    ("From", Grammar::Addresses),
    ("Sender", Grammar::Addresses),
    ("Reply-To", Grammar::Addresses),
    ("To", Grammar::Addresses),
    ("Cc", Grammar::Addresses),
    ("Date", Grammar::Date),
    ("Message-ID", Grammar::MessageIds),
    ("In-Reply-To", Grammar::MessageIds),
    ("References", Grammar::MessageIds),
    ("Auto-Submitted", Grammar::Word(&AUTO_SUBMITTED)),
    ("Precedence", Grammar::Word(&PRECEDENCE)),
    ("List-Id", Grammar::ListId),
    ("List-Help", Grammar::Urls),
    ("List-Unsubscribe", Grammar::Urls),
    ("List-Subscribe", Grammar::Urls),
    ("List-Post", Grammar::Urls),
    ("List-Owner", Grammar::Urls),
    ("List-Archive", Grammar::Urls),
    ("List-Unsubscribe-Post", Grammar::Word(&ONE_CLICK)),
];

/// A value as it can stand outside.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// ASCII without controls, on one line.
    pub(super) text: String,
    pub(super) missing: Missing,
}

/// What a value outside lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Missing {
    /// Nothing but comments.
    Nothing,
    /// A person's name.
    Name,
    /// An address that cannot be written in ASCII.
    Address,
    /// Text that is not what the field consists of.
    Text,
}

impl Grammar {
    /// Of a field with this name, if it is one that stands outside.
    pub(super) fn of(name: &str) -> Option<Self> {
        let found = FIELDS
            .iter()
            .find(|field| field.0.eq_ignore_ascii_case(name));
        found.map(|field| field.1)
    }

    /// What can be written of a value on one line, each line of which has at most `room` columns; `None` if nothing of it is
    /// what the field consists of.
    pub(super) fn value(self, value: &str) -> Option<Value> {
        let exact = |text: String| Value {
            text,
            missing: Missing::Nothing,
        };
        match self {
            Self::Addresses => addresses::written(value),
            Self::Date => date(value).map(exact),
            Self::MessageIds => message_ids(value),
            Self::Word(words) => word(value, words).map(exact),
            Self::ListId => list_id(value),
            Self::Urls => urls(value),
        }
    }
}

fn date(value: &str) -> Option<String> {
    let value = Some(value).filter(|value| value.len() <= SHORT_BYTES_MAX)?;
    let parser = DateTimeParser::new().relaxed_weekday(true);
    let date = parser.parse_zoned(value).ok()?;
    DateTimePrinter::new().zoned_to_string(&date).ok()
}

/// One of the words at the beginning of a value, before a parameter or a comment.
fn word(value: &str, words: &[&str]) -> Option<String> {
    let first = value.split([' ', ';', '(']).next()?;
    let found = words.iter().find(|word| word.eq_ignore_ascii_case(first));
    found.map(|word| (*word).to_owned())
}

/// All ids. Among other text, as RFC 822 allowed it (`Your letter of <…>`), an id is what has an `@` in it.
fn message_ids(value: &str) -> Option<Value> {
    let mut ids = Vec::new();
    let mut only_ids = true;
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('<') {
        only_ids &= before.bytes().all(|byte| matches!(byte, b' ' | b','));
        let Some((id, behind)) = after.split_once('>') else {
            break;
        };
        match is_id(id) {
            true => ids.push(id),
            false => only_ids = false,
        }
        rest = behind;
    }
    only_ids &= rest.bytes().all(|byte| matches!(byte, b' ' | b','));
    let ids = ids.into_iter().filter(|id| only_ids || id.contains('@'));
    let ids: Vec<String> = ids.map(|id| format!("<{id}>")).collect();
    (!ids.is_empty()).then(|| Value {
        text: ids.join(" "),
        missing: if only_ids {
            Missing::Nothing
        } else {
            Missing::Text
        },
    })
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'<')
}

/// `phrase <id>`, or the id alone where something else stands beside it.
fn list_id(value: &str) -> Option<Value> {
    let (before, id) = value.split_once('<')?;
    let (id, behind) = id.split_once('>')?;
    let is_list_id = is_id(id) && !id.contains(['(', ')', '"', ',', ';', ':', '@', '\\']);
    let before = before.trim();
    let id = is_list_id.then(|| format!("<{id}>"))?;
    let is_whole = behind.trim().is_empty() || behind.trim().starts_with('(');
    let name = words::decode(before.trim_matches('"'));
    let is_name = !before.is_empty()
        && crate::json::is_clean(&name)
        && !name.contains(char::REPLACEMENT_CHARACTER);
    Some(match (is_whole, is_name) {
        (true, true) => Value {
            text: format!("{} {id}", phrase(&name)),
            missing: Missing::Nothing,
        },
        (true, false) => Value {
            text: id,
            missing: if before.is_empty() {
                Missing::Nothing
            } else {
                Missing::Name
            },
        },
        (false, _) => Value {
            text: id,
            missing: Missing::Text,
        },
    })
}

/// A name in ASCII.
fn phrase(name: &str) -> String {
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b" -_.'/&".contains(&byte));
    match is_plain {
        true => name.to_owned(),
        false => words::encode(name),
    }
}

/// Each `<scheme:…>`; of `List-Post: NO` the word.
fn urls(value: &str) -> Option<Value> {
    if let Some(no) = word(value, &["NO"]) {
        return Some(Value {
            text: no,
            missing: Missing::Nothing,
        });
    }
    let is_url = |url: &&str| {
        let scheme = url.split(':').next().unwrap_or_default();
        is_id(url)
            && scheme.len() < url.len()
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let bracketed = value
        .split('<')
        .skip(1)
        .filter_map(|text| Some(text.split_once('>')?.0));
    let urls: Vec<String> = bracketed
        .filter(is_url)
        .map(|url| format!("<{url}>"))
        .collect();
    (!urls.is_empty()).then(|| Value {
        text: urls.join(", "),
        missing: Missing::Nothing,
    })
}
