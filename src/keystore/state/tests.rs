use std::fs;

use super::super::tests::{add, now, person};
use super::super::trust::tests::{Scene, folder_write, verified};
use super::super::trust::{Trust, authenticated_bytes};
use super::*;

const BLOCKED: &str = "blocked";
use crate::crypto::Secret;
use crate::identity::{Card, Revocation};
use crate::json;
use crate::keystore::Protection;

/// What an earlier version left: its decisions about two keystores, and a file that only has a MAC.
struct Earlier {
    scene: Scene,
    key: Secret<32>,
}

impl Earlier {
    fn new() -> Self {
        let scene = Scene::new();
        fs::remove_dir_all(scene.state()).unwrap();
        let key = Secret::new([5; 32]);
        for folder in [scene.state(), scene.state().join("trust")] {
            crate::keystore::folder::make_folder(&folder).unwrap();
        }
        let line = json::to_b64(key.expose()) + "\n";
        folder_write(&scene.state().join("key"), line.as_bytes());
        Self { scene, key }
    }

    fn decided(&self, place: u8, decisions: &str) {
        let name = RootId([place; 32]).to_string();
        let text = format!("encl-trust/1\n{decisions}\n");
        folder_write(
            &self.scene.state().join("trust").join(name),
            text.as_bytes(),
        );
    }

    /// Puts a verification with its MAC into the contact's file.
    fn leave_mac(&self, key: &Secret<32>) {
        let mac = kdf::trust_mac(key, &authenticated_bytes(&self.scene.id(), &verified()));
        let text = fs::read_to_string(self.scene.file()).unwrap();
        let trust = format!(
            "\"trust\":\"verified\",\"since\":\"2026-11-24T02:00:00Z\",\"compared\":\"code\",\"by\":\"{}\",\"mac\":\"{}\"",
            json::to_b64(&[7; 32]),
            json::to_b64(&mac)
        );
        let text = text.replace("\"trust\":\"unverified\"", &trust);
        folder_write(&self.scene.file(), text.as_bytes());
    }
}

type Case = (&'static [&'static str], &'static str);

#[test]
fn decisions_of_an_earlier_version_are_moved_and_the_graver_wins() {
    let verified_line = |id: &RootId| {
        format!(
            "{id} verified 2026-11-24T02:00:00Z code {}",
            RootId([7; 32])
        )
    };
    let cases: [Case; 6] = [
        (&["verified"], "verified"),
        (&["verified", "blocked"], "blocked"),
        (&["blocked", "verified"], "blocked"),
        (&["verified", "unverified"], "unverified"),
        (&["unverified", "verified"], "unverified"),
        (&["revoked", "blocked"], "revoked"),
    ];
    for (words, expected) in cases {
        let earlier = Earlier::new();
        let id = earlier.scene.id();
        for (place, word) in (1..).zip(words) {
            let line = match *word {
                "verified" => verified_line(&id),
                "unverified" => format!("{id} unverified"),
                word => format!("{id} {word} 2026-11-24T03:00:00Z"),
            };
            earlier.decided(place, &line);
        }
        assert_eq!(earlier.scene.trust().word(), expected, "{words:?}");
        assert!(!earlier.scene.state().join("trust").exists());
        assert_eq!(
            earlier.scene.trust().word(),
            expected,
            "{words:?}, once more"
        );
    }
}

#[test]
fn a_kill_while_decisions_are_moved_loses_none() {
    let earlier = Earlier::new();
    let id = earlier.scene.id();
    earlier.decided(1, &format!("{id} blocked 2026-11-24T03:00:00Z"));
    let trust = earlier.scene.state().join("trust");
    let before = fs::read(trust.join(RootId([1; 32]).to_string())).unwrap();
    assert_eq!(earlier.scene.trust().word(), BLOCKED);
    // Everything was written, and the old folder is still there.
    crate::keystore::folder::make_folder(&trust).unwrap();
    folder_write(&trust.join(RootId([1; 32]).to_string()), &before);
    assert_eq!(earlier.scene.trust().word(), BLOCKED);
    // Nothing was written yet.
    fs::remove_dir_all(earlier.scene.state().join("people")).unwrap();
    crate::keystore::folder::make_folder(&trust).unwrap();
    folder_write(&trust.join(RootId([1; 32]).to_string()), &before);
    assert_eq!(earlier.scene.trust().word(), BLOCKED);
}

#[test]
fn a_mac_of_an_earlier_version_counts_once_and_only_if_it_is_right() {
    for (key, expected) in [
        (None, "verified"),
        (Some(Secret::new([6; 32])), "unverified"),
    ] {
        let earlier = Earlier::new();
        earlier.decided(1, &format!("{} unverified", RootId([3; 32])));
        earlier.leave_mac(key.as_ref().unwrap_or(&earlier.key));
        assert_eq!(earlier.scene.trust().word(), expected);
        // From now on a MAC says nothing.
        let file = fs::read(earlier.scene.file()).unwrap();
        earlier
            .scene
            .keystore
            .remove_contact(&earlier.scene.id())
            .unwrap();
        folder_write(&earlier.scene.file(), &file);
        assert_eq!(earlier.scene.trust(), Trust::Unproven);
    }
}

/// A folder for keystores, and the state of their machine.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// The keystore of this name, as the next run sees it.
    fn keystore(&self, name: &str) -> Keystore {
        Keystore::at(self.0.path().join(name)).with_state(self.state())
    }

    /// A keystore with one identity that this machine does not know.
    fn copied(&self, name: &str) -> Card {
        let somebody = person(&format!("{name}@example.org"));
        let bare = Keystore::at(self.0.path().join(name));
        add(&bare, &somebody, Protection::Plain).unwrap();
        somebody.1
    }

    fn is_mine(&self, name: &str, card: &Card) -> bool {
        self.keystore(name).own_card(&card.id()).unwrap().is_some()
    }
}

#[test]
fn what_is_made_here_is_mine_and_what_is_put_here_is_set_aside() {
    let machine = Machine::new();
    let me = person("me@example.org");
    add(&machine.keystore("mine"), &me, Protection::Plain).unwrap();
    let planted = machine.copied("other");
    let folder = |name: &str, card: &Card| {
        let keystore = Keystore::at(machine.0.path().join(name));
        keystore.identity_folder(&card.id())
    };
    fs::rename(folder("other", &planted), folder("mine", &planted)).unwrap();
    let keystore = machine.keystore("mine");
    assert_eq!(keystore.identities().unwrap().len(), 1);
    assert_eq!(keystore.set_aside().unwrap()[0].id(), planted.id());
    assert_eq!(keystore.acquaintance().unwrap(), Acquaintance::Known);
    keystore.check_own().unwrap();
    // It is missed from the very run that made it.
    fs::rename(folder("mine", &me.1), machine.0.path().join("aside")).unwrap();
    let missing = machine.keystore("mine").check_own();
    assert!(matches!(missing, Err(KeystoreError::OwnMissing(id)) if id == me.1.id()));
    // Adopted ones are mine, and have the addresses to themselves.
    machine
        .keystore("mine")
        .adopt_identity(&planted.id())
        .unwrap();
    assert!(machine.is_mine("mine", &planted));
    let same = person("other@example.org");
    let taken = add(&machine.keystore("mine"), &same, Protection::Plain);
    assert!(matches!(taken, Err(KeystoreError::AddressTaken { .. })));
}

#[test]
fn a_kill_before_an_identity_is_placed_leaves_nothing_to_miss() {
    let machine = Machine::new();
    let (me, never) = (person("me@example.org"), person("never@example.org"));
    let keystore = machine.keystore("mine");
    add(&keystore, &me, Protection::Plain).unwrap();
    let lock = keystore.lock().unwrap();
    keystore.remember_own(&lock, &never.1).unwrap();
    drop(lock);
    machine.keystore("mine").check_own().unwrap();
    // And a kill after it was removed from memory: it is set aside, and can be removed again.
    let lock = keystore.lock().unwrap();
    keystore.forget_own(&lock, &me.1.id()).unwrap();
    drop(lock);
    let again = machine.keystore("mine");
    assert_eq!(again.set_aside().unwrap().len(), 1);
    again.remove_identity(&me.1.id()).unwrap();
    assert!(again.set_aside().unwrap().is_empty());
}

#[test]
fn a_first_use_that_was_killed_is_done_again() {
    let machine = Machine::new();
    let card = machine.copied("mine");
    let first = machine.keystore("mine");
    assert_eq!(first.acquaintance().unwrap(), Acquaintance::First);
    fs::remove_file(machine.state().join(VERSION)).unwrap();
    let again = machine.keystore("mine");
    assert_eq!(again.acquaintance().unwrap(), Acquaintance::First);
    assert!(machine.is_mine("mine", &card));
    let later = machine.keystore("mine").acquaintance().unwrap();
    assert_eq!(later, Acquaintance::Known);
    // A second keystore is not met like that.
    let other = machine.copied("other");
    assert!(!machine.is_mine("other", &other));
    let asked = machine.keystore("other").check_own();
    assert!(matches!(asked, Err(KeystoreError::NotAdopted(id)) if id == other.id()));
}

#[test]
fn every_keystore_that_an_earlier_version_knew_is_taken_as_it_stands() {
    let machine = Machine::new();
    let cards = ["one", "two", "three"].map(|name| machine.copied(name));
    let trust = machine.state().join("trust");
    for folder in [machine.state(), trust.clone()] {
        crate::keystore::folder::make_folder(&folder).unwrap();
    }
    for name in ["one", "two"] {
        let place = machine.keystore(name).place().unwrap().to_string();
        folder_write(&trust.join(place), b"encl-trust/1\n");
    }
    for (name, card) in ["one", "two"].iter().zip(&cards) {
        assert_eq!(
            machine.keystore(name).acquaintance().unwrap(),
            Acquaintance::First
        );
        assert_eq!(
            machine.keystore(name).acquaintance().unwrap(),
            Acquaintance::Known
        );
        assert!(machine.is_mine(name, card));
    }
    assert!(!machine.is_mine("three", &cards[2]));
}

#[test]
fn where_nothing_can_be_kept_each_run_takes_the_keystore_as_it_stands() {
    let machine = Machine::new();
    let card = machine.copied("mine");
    fs::write(machine.0.path().join("file"), "").unwrap();
    for _ in 0..2 {
        let root = machine.0.path().join("mine");
        let keystore = Keystore::at(root).with_state(machine.0.path().join("file/encl"));
        assert_eq!(keystore.acquaintance().unwrap(), Acquaintance::Unremembered);
        assert!(keystore.own_card(&card.id()).unwrap().is_some());
        let new = person(&format!(
            "{}@example.org",
            keystore.identities().unwrap().len()
        ));
        add(&keystore, &new, Protection::Plain).unwrap();
        assert!(keystore.own_card(&new.1.id()).unwrap().is_some());
    }
}

#[test]
fn an_end_needs_the_revocation_of_the_identity_itself() {
    let machine = Machine::new();
    let me = person("me@example.org");
    let keystore = machine.keystore("mine");
    add(&keystore, &me, Protection::Plain).unwrap();
    folder_write(&keystore.ended_path(&me.1.id()), b"revoked\n");
    assert!(
        keystore
            .identities()
            .unwrap()
            .iter()
            .all(|one| !one.is_default)
    );
    let others = Revocation::new(person("you@example.org").0.root(), now());
    let line = format!("{}\n", others.to_text());
    folder_write(&keystore.revocation_path(&me.1.id()), line.as_bytes());
    assert!(keystore.identities().is_err());
}
