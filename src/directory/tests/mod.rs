//! People for the tests of the directory.

mod addresses;
mod resolve;

use crate::crypto::Kem;
use crate::identity::{Card, CardRequest, Identity};
use crate::keystore::{AddedBy, Keystore};
use tempfile::TempDir;

/// The card of somebody new.
pub(crate) fn card(name: &str, addresses: &[&str]) -> Card {
    let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
    let now = "2026-11-24T06:24:00Z".parse().unwrap();
    let identity = Identity::generate(Kem::X25519, now, None, &mut rng);
    let request = CardRequest {
        name: name.to_owned(),
        addresses: addresses.iter().map(|a| (*a).to_owned()).collect(),
        serial: 1,
        created: now,
    };
    Card::new(&identity, request).unwrap()
}

/// A keystore that has these contacts and nothing else, as long as its folder lives.
pub(crate) fn keystore(cards: &[&Card]) -> (TempDir, Keystore) {
    let folder = tempfile::tempdir().unwrap();
    let keystore = Keystore::at(folder.path().join("encl")).with_state(folder.path().join("state"));
    for card in cards {
        keystore
            .accept(card, AddedBy::Added, card.created())
            .unwrap();
    }
    (folder, keystore)
}
