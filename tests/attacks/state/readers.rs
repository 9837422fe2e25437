//! Who may read an envelope, and who is named in its policy.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use encl::identity::Card;
use encl::json;
use serde_json::Value;

use super::ground::card_in;
use super::memory::Changed;

/// Those who may read: keys, and people whatever their key.
#[derive(Default)]
pub(super) struct Readers {
    keys: BTreeSet<String>,
    ids: BTreeSet<String>,
}

impl Readers {
    /// The people of these cards, with their newest keys.
    pub(super) fn only(changed: &Changed, cards: &[&str]) -> Self {
        let cards = cards.iter().map(|file| card_in(&changed.scene, file));
        Self {
            keys: cards.map(|card| newest_key(&card)).collect(),
            ids: BTreeSet::new(),
        }
    }

    /// Alice, and Bob, who sends; where nothing was remembered, whoever the keystore says is one of them.
    pub(super) fn of_alice(changed: &Changed) -> Self {
        let mut readers = Self::only(changed, &["alice.card", "bob.card"]);
        if changed.remembers() {
            return readers;
        }
        readers.add_identities(changed);
        let contacts = changed.keystore().join("contacts");
        for id in ids_in(&contacts) {
            let text = fs::read_to_string(contacts.join(&id)).unwrap();
            if text.contains("\"alice@example.org\"") || text.contains("\"Alice\"") {
                readers.ids.insert(id);
            }
        }
        readers.add(&card_in(&changed.scene, "alice.card"));
        readers
    }

    pub(super) fn add(&mut self, card: &Card) {
        self.ids.insert(card.id().to_string());
    }

    pub(super) fn add_identities(&mut self, changed: &Changed) {
        let identities = changed.keystore().join("identities");
        self.ids.extend(ids_in(&identities));
    }

    pub(super) fn add_members(&mut self, changed: &Changed, group: &str) {
        let path = changed.keystore().join("groups").join(group);
        let text = fs::read_to_string(path).unwrap_or_default();
        self.ids.extend(text.lines().map(str::to_owned));
    }

    pub(super) fn has(&self, changed: &Changed, card: &str) -> bool {
        let card = card_in(&changed.scene, card);
        self.ids.contains(&card.id().to_string()) || self.keys.contains(&newest_key(&card))
    }

    /// Those whom an envelope or message names, if it was made, and who may not read it.
    pub(super) fn strangers(&self, changed: &Changed, file: &str) -> Vec<Value> {
        let bytes = fs::read(changed.scene.at(file)).unwrap_or_default();
        self.strangers_of(&bytes)
    }

    pub(super) fn strangers_of(&self, bytes: &[u8]) -> Vec<Value> {
        let Some(envelope) = envelope_in(bytes) else {
            return Vec::new();
        };
        let line = envelope.split(|byte| *byte == b'\n').nth(1).unwrap();
        let policy: Value = serde_json::from_slice(line).unwrap();
        let locks = policy["locks"].as_array().unwrap().iter();
        let readers = locks.flat_map(|lock| lock["recipients"].as_array().unwrap());
        let is_stranger = |reader: &&Value| {
            let id = BASE64_STANDARD
                .decode(reader["id"].as_str().unwrap())
                .unwrap();
            let id = encl::crypto::signing::RootId(id.try_into().unwrap()).to_string();
            !self.ids.contains(&id) && !self.keys.contains(reader["key"].as_str().unwrap())
        };
        readers.filter(is_stranger).cloned().collect()
    }
}

fn newest_key(card: &Card) -> String {
    let newest = card.keys().iter().max_by_key(|key| key.serial).unwrap();
    json::to_b64(&newest.public.key_id().0)
}

/// An envelope, or the one that is attached to a message.
fn envelope_in(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.is_empty() {
        return None;
    }
    if bytes.starts_with(b"encl/1\n") {
        return Some(bytes.to_vec());
    }
    let text = std::str::from_utf8(bytes).unwrap().replace('\r', "");
    let begin = text.find("ZW5jbC8xC").unwrap();
    let encoded = text[begin..]
        .split("\n\n")
        .next()
        .unwrap()
        .replace('\n', "");
    Some(BASE64_STANDARD.decode(encoded).unwrap())
}

/// The names in a folder that are fingerprints.
pub(super) fn ids_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.len() == 64).collect()
}
