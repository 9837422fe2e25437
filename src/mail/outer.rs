//! The outer header of a sealed message: the fields that everybody on its way can read, and their changes in transit.
//!
//! The list is of what is copied, never of what is not: any unknown field may contain the subject, as
//! Outlook's `Thread-Topic` does.

mod differences;
mod fold;
pub mod trace;
mod value;

use std::collections::HashSet;

pub use differences::{Difference, differences};
pub use fold::write_field;

use self::value::{Grammar, Missing};
use super::{Doubt, Eol, Field, HEADER_BYTES_MAX, Header, words};
use crate::json;

/// Of these a reader picks one of two, and not every reader the same.
const ONCE: [&str; 3] = ["From", "Date", "Message-ID"];
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
    /// Nothing in the field is what such a field consists of.
    #[error("{name} cannot be read and is not shown outside")]
    Unreadable {
        /// Its name.
        name: String,
    },
    /// Something in the field is not what such a field consists of.
    #[error("{name} cannot be read whole; outside stands only what can")]
    Text {
        /// Its name.
        name: String,
    },
    /// The name beside an address is not readable, or too long.
    #[error("a name in {name} cannot be written outside; the address stands there alone")]
    PersonName {
        /// The field's name.
        name: String,
    },
    /// An address in the field holds something else than ASCII, where it has no other form.
    #[error("an address in {name} cannot be written in ASCII and is not shown outside")]
    Address {
        /// The field's name.
        name: String,
    },
    /// Readers differ whether the header goes on, and with it these fields.
    #[error(
        "line {line} of the header {doubt}: to many programs text begins there, so nothing behind it is shown outside ({})",
        names.join(", ")
    )]
    Doubtful {
        /// The number of the line, from 1.
        line: usize,
        /// What it is.
        doubt: Doubt,
        /// The names of fields behind it that would stand outside.
        names: Vec<String>,
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
        for field in header.certain_fields() {
            copier.field(&field);
        }
        copier.warnings.extend(doubtful(header));
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
        let Some(grammar) = Grammar::of(field.name) else {
            return;
        };
        let value = field.text();
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
        match self.value(field.name, grammar, &value) {
            Ok(value) if self.bytes + value.len() > OUTER_BYTES_MAX => self.over_limit += 1,
            Ok(value) if value.is_empty() => {}
            Ok(value) => {
                self.bytes += value.len();
                self.fields.push((field.name.to_owned(), value));
            }
            Err(warning) => self.warnings.push(warning),
        }
    }

    fn value(&mut self, name: &str, grammar: Grammar, value: &str) -> Result<String, OuterWarning> {
        let owned = || name.to_owned();
        if is_one_of(&ONCE, name) && !self.once.insert(name.to_ascii_lowercase()) {
            return Err(OuterWarning::Repeated { name: owned() });
        }
        let value = grammar.value(value);
        let value = value.ok_or_else(|| OuterWarning::Unreadable { name: owned() })?;
        let fits = if is_one_of(&NEEDED, name) {
            fold::is_writable(name, &value.text)
        } else {
            fold::is_narrow(name, &value.text)
        };
        if !fits {
            return Err(OuterWarning::LongWord { name: owned() });
        }
        self.warnings.extend(match value.missing {
            Missing::Nothing => None,
            Missing::Name => Some(OuterWarning::PersonName { name: owned() }),
            Missing::Address => Some(OuterWarning::Address { name: owned() }),
            Missing::Text => Some(OuterWarning::Text { name: owned() }),
        });
        Ok(value.text)
    }
}

/// Why fields behind a line of doubt are missing, if any are.
fn doubtful(header: &Header) -> Option<OuterWarning> {
    let line = header.doubtful_line()?;
    let mut names: Vec<String> = Vec::new();
    for field in header.doubtful_fields() {
        let is_new = || {
            !names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(field.name))
        };
        if Grammar::of(field.name).is_some() && is_new() {
            names.push(field.name.to_owned());
        }
    }
    (!names.is_empty()).then_some(OuterWarning::Doubtful {
        line: line.line,
        doubt: line.doubt,
        names,
    })
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
