//! The outer header of a sealed message: the fields that everybody on its way can read, and their changes in transit.
//!
//! The list is of what is copied, never of what is not: any unknown field may contain the subject, as
//! Outlook's `Thread-Topic` does.

mod differences;
mod fold;
mod seven_bit;
pub mod trace;

use std::collections::HashSet;

pub use differences::{Difference, differences};
pub use fold::write_field;

use super::{Eol, Field, HEADER_BYTES_MAX, Header, words};
use crate::json;
use seven_bit::seven_bit;

/// Fields that are copied, with those whose name begins with `List-` (RFC 2369, RFC 2919).
const COPIED: [&str; 11] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "Precedence",
];
const LIST: &str = "List-";
/// Of these a reader picks one of two, and not every reader the same.
const ONCE: [&str; 3] = ["From", "Date", "Message-ID"];
/// Fields that hold address lists.
const ADDRESSES: [&str; 5] = ["From", "Sender", "Reply-To", "To", "Cc"];
/// Fields that stay outside though one of their words needs more than 78 columns: without them a message cannot be answered.
const NEEDED: [&str; 8] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Message-ID",
    "In-Reply-To",
    "References",
];

/// Fields outside, the subject included: more the private line does not take.
pub const OUTER_FIELDS_MAX: usize = 256;
/// Bytes of all of them. The header outside must be one that is understood, with room for what servers add.
const OUTER_BYTES_MAX: usize = HEADER_BYTES_MAX / 4 * 3;
/// Bytes of a field's name, so that it stands on a line with something behind it.
const NAME_BYTES_MAX: usize = 64;

/// The header fields outside, in their order, and what had to be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outer {
    /// Names and values: ASCII without controls, each on one line, as [`write_field`] folds it.
    pub fields: Vec<(String, String)>,
    /// What is not outside as it is inside.
    pub warnings: Vec<OuterWarning>,
}

/// Something that is not outside as it is inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OuterWarning {
    /// A field that may stand there once stands there again.
    #[error("{name} stands there twice; only the first is shown outside")]
    Repeated {
        /// Its name.
        name: String,
    },
    /// A field holds a control, or a character that hides or reorders others.
    #[error("{name} holds a control character and is not shown outside")]
    Control {
        /// Its name.
        name: String,
    },
    /// A field is neither ASCII nor UTF-8.
    #[error("{name} is in an unknown character set and is not shown outside")]
    Charset {
        /// Its name.
        name: String,
    },
    /// A field holds something else than ASCII where no encoded word can stand.
    #[error("{name} cannot be written in ASCII and is not shown outside")]
    SevenBit {
        /// Its name.
        name: String,
    },
    /// A line of the field would be too long: for SMTP, or where the field is not needed there, for a screen.
    #[error(
        "{name} holds more characters without a blank than fit a line and is not shown outside"
    )]
    LongWord {
        /// Its name.
        name: String,
    },
    /// There are too many fields, or they are too long.
    #[error("{fields} more header fields are not shown outside: there are too many")]
    OverLimit {
        /// How many.
        fields: usize,
    },
}

impl Outer {
    /// The fields outside of a message with this header; `subject` stands in its subject's place.
    #[must_use]
    pub fn of(header: &Header, subject: &str) -> Self {
        let mut copier = Copier::default();
        for field in header.fields() {
            copier.field(&field);
        }
        let mut outer = Self {
            fields: copier.fields,
            warnings: copier.warnings,
        };
        if copier.over_limit > 0 {
            outer.warnings.push(OuterWarning::OverLimit {
                fields: copier.over_limit,
            });
        }
        let subject = subject_field(subject);
        if !subject.is_empty() {
            outer.fields.push(("Subject".to_owned(), subject));
        }
        outer
    }

    /// The fields as they are written.
    #[must_use]
    pub fn rendered(&self, eol: Eol) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in &self.fields {
            write_field(&mut out, name, value, eol).expect("a Vec takes every write");
        }
        out
    }
}

/// A subject as it can be written, whatever it is.
fn subject_field(subject: &str) -> String {
    let subject = subject.trim();
    let plain = subject.is_ascii() && json::is_clean(subject);
    if plain && fold::is_writable("Subject", subject) {
        subject.to_owned()
    } else {
        words::encode(subject)
    }
}

/// Takes the fields one by one. Everything is counted, also what is left out, so that warnings are as few as fields.
#[derive(Default)]
struct Copier {
    fields: Vec<(String, String)>,
    warnings: Vec<OuterWarning>,
    once: HashSet<String>,
    /// Of fields that are not needed, and of those that are.
    counts: [usize; 2],
    bytes: usize,
    over_limit: usize,
}

impl Copier {
    fn field(&mut self, field: &Field<'_>) {
        if !is_copied(field.name) {
            return;
        }
        let value = field.unfolded();
        if value.is_empty() {
            return;
        }
        // Each kind has half the places, one being the subject's: a flood of fields that are not needed pushes out none that is.
        let count = &mut self.counts[usize::from(is_one_of(&NEEDED, field.name))];
        *count += 1;
        if *count >= OUTER_FIELDS_MAX / 2 || self.bytes + value.len() > OUTER_BYTES_MAX {
            self.over_limit += 1;
            return;
        }
        match self.value(field.name, value) {
            Ok(value) if self.bytes + value.len() > OUTER_BYTES_MAX => self.over_limit += 1,
            Ok(value) => {
                self.bytes += value.len();
                self.fields.push((field.name.to_owned(), value));
            }
            Err(warning) => self.warnings.push(warning),
        }
    }

    fn value(&mut self, name: &str, value: Vec<u8>) -> Result<String, OuterWarning> {
        let owned = || name.to_owned();
        if is_one_of(&ONCE, name) && !self.once.insert(name.to_ascii_lowercase()) {
            return Err(OuterWarning::Repeated { name: owned() });
        }
        let value =
            String::from_utf8(value).map_err(|_| OuterWarning::Charset { name: owned() })?;
        if !json::is_clean(&value) {
            return Err(OuterWarning::Control { name: owned() });
        }
        let value =
            seven_bit(name, &value).ok_or_else(|| OuterWarning::SevenBit { name: owned() })?;
        let value = foldable(name, value);
        let fits = if is_one_of(&NEEDED, name) {
            fold::is_writable(name, &value)
        } else {
            fold::is_narrow(name, &value)
        };
        if fits {
            Ok(value)
        } else {
            Err(OuterWarning::LongWord { name: owned() })
        }
    }
}

/// An address list without blanks gets some, where it would become too long a line.
fn foldable(name: &str, value: String) -> String {
    let spaced = || seven_bit::spaced(&value).filter(|_| is_one_of(&ADDRESSES, name));
    if fold::is_narrow(name, &value) {
        value
    } else {
        spaced().unwrap_or(value)
    }
}

fn is_copied(name: &str) -> bool {
    let prefix = name.get(..LIST.len());
    let is_list = prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(LIST));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    is_one_of(&COPIED, name)
        || (is_list && name.len() <= NAME_BYTES_MAX && name.bytes().all(is_plain))
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
