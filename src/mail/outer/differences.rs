//! The differences between the outer header fields and the sealed ones.

use std::collections::HashMap;

use super::is_one_of;
use super::value::Grammar;
use crate::address::ascii_domain;
use crate::mail::{Header, address, words};

/// Fields that say who wrote to whom and when: an additional one is reported even if none was sealed.
const REPORTED: [&str; 7] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Date",
    "Message-ID",
];

/// A field that arrived otherwise than it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// What was written, decoded; nothing if nothing was.
    pub inside: Option<String>,
    /// What arrived, decoded; it may hold anything, controls too.
    pub outside: Option<String>,
}

/// Compares the fields as they were written outside with those that arrived: what they mean, not how they are folded or
/// encoded. What others added on the way is no difference, except a field that tells who wrote to whom and when.
#[must_use]
pub fn differences(written: &[(String, String)], arrived: &Header) -> Vec<Difference> {
    let mut fields: Vec<Written> = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for (name, value) in written {
        let at = *by_name.entry(name.to_ascii_lowercase()).or_insert_with(|| {
            fields.push(Written::new(name));
            fields.len() - 1
        });
        fields[at].inside.push(value.clone());
    }
    for field in arrived.fields() {
        let name = field.name.to_ascii_lowercase();
        if !by_name.contains_key(&name) && !is_one_of(&REPORTED, &name) {
            continue;
        }
        let at = *by_name.entry(name).or_insert_with(|| {
            fields.push(Written::new(field.name));
            fields.len() - 1
        });
        let value = field.text();
        if !value.is_empty() {
            fields[at].outside.push(value);
        }
    }
    fields.into_iter().flat_map(Written::differences).collect()
}

/// All fields of one name.
struct Written {
    name: String,
    inside: Vec<String>,
    outside: Vec<String>,
}

impl Written {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            inside: Vec::new(),
            outside: Vec::new(),
        }
    }

    /// Those that have no equal on the other side, side by side.
    fn differences(self) -> Vec<Difference> {
        let meanings = |values: &[String]| -> Vec<String> {
            values
                .iter()
                .map(|value| meaning(&self.name, value))
                .collect()
        };
        let (inside, outside) = (meanings(&self.inside), meanings(&self.outside));
        let mut lost = without(&inside, &outside).map(|at| words::decode(&self.inside[at]));
        let mut new = without(&outside, &inside).map(|at| words::decode(&self.outside[at]));
        let mut differences = Vec::new();
        loop {
            let (inside, outside) = (lost.next(), new.next());
            if inside.is_none() && outside.is_none() {
                break;
            }
            differences.push(Difference {
                name: self.name.clone(),
                inside,
                outside,
            });
        }
        differences
    }
}

/// The places of those that `others` have not, each as often as they have not.
fn without<'a>(ours: &'a [String], others: &'a [String]) -> impl Iterator<Item = usize> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for other in others {
        *left.entry(other).or_default() += 1;
    }
    let mut is_left = move |one: &str| match left.get_mut(one) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    (0..ours.len()).filter(move |at| is_left(&ours[*at]))
}

/// The meaning of a value, equal for equivalent values: the addresses of a list, otherwise the text with single spaces.
fn meaning(name: &str, value: &str) -> String {
    let list = Some(value).filter(|_| Grammar::of(name) == Some(Grammar::Addresses));
    let list = list.and_then(|value| address::parse_list(value).ok());
    let text = match list {
        None => words::decode(value),
        Some(list) => list.iter().map(mailbox).collect(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn mailbox(mailbox: &address::Mailbox) -> String {
    let domain = mailbox.domain();
    let domain = ascii_domain(domain);
    let name = mailbox.name.as_deref().unwrap_or_default();
    format!("{name} <{}@{domain}> ", mailbox.local_part())
}
