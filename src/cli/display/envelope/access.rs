//! Changes of access: for people in one line, for programs as lists.

use encl::crypto::signing::RootId;
use encl::identity::fingerprint;
use encl::operations::rewrite::{AccessChanges, AccessHolder, HolderName, LetIn};
use serde::Serialize;

use crate::cli::display::names::{hex, list, shown_name, with_address};

/// `+ Erin <erin@example.org>  ~ Carol <carol@example.org> (new key)  - Bob <bob@example.org>`
pub(crate) fn line(changes: &AccessChanges) -> String {
    let mut parts = Vec::new();
    for (sign, people, remark) in [
        ('+', &changes.added, ""),
        ('~', &changes.new_keys, " (new key)"),
        ('-', &changes.removed, ""),
    ] {
        if !people.is_empty() {
            let names: Vec<_> = people
                .iter()
                .map(|one| match changes.locks {
                    0 | 1 => holder(one),
                    _ => format!("{} (lock {})", holder(one), one.lock),
                })
                .collect();
            parts.push(format!("{sign} {}{remark}", list(&names)));
        }
    }
    if changes.records_passphrase {
        parts.push("~ the passphrase (recorded in the policy)".to_owned());
    }
    parts.join("  ")
}

/// "Bob <bob@example.org>"
pub(crate) fn holder(holder: &AccessHolder) -> String {
    match &holder.name {
        HolderName::Known { name, address } => with_address(name, address.as_deref()),
        HolderName::Claimed(name) => {
            format!(
                "a person who is not a contact, named {} in the record",
                shown_name(name)
            )
        }
        HolderName::Unrecorded => format!("a person without a record, key {}", hex(&holder.key.0)),
    }
}

/// Somebody who is perhaps not meant, with what tells the person from others: "Fay (as the envelope says), 2232 06aa …"
pub(crate) fn doubtful(holder: &AccessHolder) -> String {
    let key = RootId(holder.key.0);
    let digits = fingerprint(&holder.id.unwrap_or(key));
    match &holder.name {
        HolderName::Known { name, address } => {
            format!("{}, {digits}", with_address(name, address.as_deref()))
        }
        HolderName::Claimed(name) => {
            format!("{} (as the envelope says), {digits}", shown_name(name))
        }
        HolderName::Unrecorded => format!("nobody named by a record, key {digits}"),
    }
}

/// The changes as members of an object.
#[derive(Serialize)]
pub(crate) struct ChangesObject<'a> {
    joins: Vec<HolderObject<'a>>,
    new_keys: Vec<HolderObject<'a>>,
    leaves: Vec<HolderObject<'a>>,
    unknown: Vec<HolderObject<'a>>,
    stays: Vec<LetInObject<'a>>,
    records_passphrase: bool,
}

#[derive(Serialize)]
struct LetInObject<'a> {
    #[serde(flatten)]
    holder: HolderObject<'a>,
    let_in_by: Option<String>,
}

impl<'a> ChangesObject<'a> {
    /// The planned changes; `unmeant` are those of them whom nobody here knows and nobody named.
    pub(crate) fn of(changes: &'a AccessChanges, unmeant: &'a [AccessHolder]) -> Self {
        let objects = |people: &'a [AccessHolder]| people.iter().map(HolderObject::of).collect();
        Self {
            joins: objects(&changes.added),
            new_keys: objects(&changes.new_keys),
            leaves: objects(&changes.removed),
            unknown: objects(unmeant),
            stays: changes.stays.iter().map(LetInObject::of).collect(),
            records_passphrase: changes.records_passphrase,
        }
    }
}

impl<'a> LetInObject<'a> {
    fn of(one: &'a LetIn) -> Self {
        Self {
            holder: HolderObject::of(&one.holder),
            let_in_by: one.by.map(|by| by.to_string()),
        }
    }
}

#[derive(Serialize)]
struct HolderObject<'a> {
    name: Option<&'a str>,
    address: Option<&'a str>,
    id: Option<String>,
    key: String,
    lock: u16,
}

impl<'a> HolderObject<'a> {
    fn of(holder: &'a AccessHolder) -> Self {
        let (name, address) = match &holder.name {
            HolderName::Known { name, address } => (Some(&**name), address.as_deref()),
            HolderName::Claimed(_) | HolderName::Unrecorded => (None, None),
        };
        Self {
            name,
            address,
            id: holder.id.map(|id| id.to_string()),
            key: hex(&holder.key.0),
            lock: holder.lock,
        }
    }
}
