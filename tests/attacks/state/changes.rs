//! What whoever writes to a keystore's folder can do to it, and what has to come of it on the machine that remembers the keystore.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use encl::crypto::signing::RootId;
use encl::crypto::{Secret, kdf};
use encl::identity::Card;
use encl::json;

use super::expected::{
    ALICE_IS_STOPPED, ALL_IS_STOPPED, ANOTHER, BOB_IS_GONE, BOB_IS_STOPPED, CHANGE_NOTED, Expected,
    GROUP_IS_STOPPED, LOCK_LEADS_ELSEWHERE, REFUSED, SECRET_REFUSED, SECRET_SWAPPED, WORKS,
};
use super::ground::{KEYSTORE, Scene, card_in, copy_folder, write};
use crate::scene::{Author, contact_file};

/// A change of Bob's keystore.
pub(super) struct Change {
    pub(super) name: &'static str,
    pub(super) make: fn(&Scene),
    pub(super) expected: Expected,
    /// Where the keystore is afterwards.
    pub(super) keystore: &'static str,
    pub(super) machine: Machine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    Same,
    /// The keystore is used on a machine that never saw it.
    Another,
}

fn change(name: &'static str, expected: Expected, make: fn(&Scene)) -> Change {
    Change {
        name,
        make,
        expected,
        keystore: KEYSTORE,
        machine: Machine::Same,
    }
}

pub(super) fn all() -> Vec<Change> {
    let mut all = vec![change("nothing", WORKS, |_| {})];
    all.extend(identities_planted());
    all.extend(identities_changed());
    all.extend(contacts_changed());
    all.extend(contacts_planted());
    all.extend(groups());
    all.extend(files());
    all.extend(whole());
    all
}

fn identities_planted() -> Vec<Change> {
    vec![
        change("an identity planted", WORKS, |s| drop(s.plant("mallory"))),
        change("one with my address", WORKS, |s| drop(s.plant("as-bob"))),
        change("one with my address, the default", WORKS, |s| {
            s.make_default(&s.plant("as-bob"));
        }),
        change("one with a contact's address", WORKS, |s| {
            drop(s.plant("as-alice"));
        }),
        change("one in the place of a contact", ALICE_IS_STOPPED, |s| {
            s.plant("as-alice");
            fs::remove_file(s.contact_file("alice.card")).unwrap();
        }),
        // What Mallory encrypted for that one too opens, and is not from Alice: the codes differ.
        change(
            "one in my place",
            Expected {
                signed: 1,
                ..BOB_IS_GONE
            },
            |s| {
                fs::remove_dir_all(s.identity("bob")).unwrap();
                s.make_default(&s.plant("as-bob"));
            },
        ),
    ]
}

fn identities_changed() -> Vec<Change> {
    vec![
        change("an older card of mine", BOB_IS_GONE, |s| {
            write(&s.own_file("card"), &fs::read(s.at("early/card")).unwrap());
        }),
        change("my secret swapped", SECRET_SWAPPED, |s| {
            let theirs = fs::read(s.identity("mallory").join("secret")).unwrap();
            write(&s.own_file("secret"), &theirs);
        }),
        change("mine ended", BOB_IS_STOPPED, |s| {
            write(&s.own_file("ended"), b"revoked\n");
        }),
        change("mine ended without its revocation", ALL_IS_STOPPED, |s| {
            write(&s.own_file("ended"), b"revoked\n");
            fs::remove_file(s.own_file("revocation")).unwrap();
        }),
        change("mine gone", BOB_IS_GONE, |s| {
            fs::remove_dir_all(s.identity("bob")).unwrap();
        }),
        change("all identities gone", BOB_IS_GONE, |s| {
            fs::remove_dir_all(s.at(KEYSTORE).join("identities")).unwrap();
        }),
        change("another of mine the default", WORKS, |s| {
            let first = s.identity("bob");
            let new = ["key", "new", "second@example.org", "--no-passphrase"];
            s.done("bob", &new);
            let identities = fs::read_dir(first.parent().unwrap()).unwrap();
            let mut identities = identities.map(|entry| entry.unwrap().path());
            s.make_default(&identities.find(|one| *one != first).unwrap());
        }),
        change("no default", WORKS, |s| {
            fs::remove_file(s.at(KEYSTORE).join("default")).unwrap();
        }),
        change("a default that is nobody", WORKS, |s| {
            write(&s.at(KEYSTORE).join("default"), "7".repeat(64).as_bytes());
        }),
    ]
}

fn contacts_changed() -> Vec<Change> {
    vec![
        change("a verified contact gone", ALICE_IS_STOPPED, |s| {
            fs::remove_file(s.contact_file("alice.card")).unwrap();
        }),
        change("another key in its place", ALICE_IS_STOPPED, |s| {
            fs::remove_file(s.contact_file("alice.card")).unwrap();
            put(s, &card_in(s, "as-alice.card"), "added");
        }),
        change(
            "all contacts gone",
            Expected {
                grow: 7,
                ..ALICE_IS_STOPPED
            },
            |s| {
                fs::remove_dir_all(s.at(KEYSTORE).join("contacts")).unwrap();
            },
        ),
        change("an older file of a verified contact", WORKS, |s| {
            put_back(s, "alice.card", "alice-unverified");
        }),
        change("an older file of another contact", WORKS, |s| {
            put_back(s, "carol.card", "carol");
        }),
        change(
            "an older card of a verified contact",
            ALICE_IS_STOPPED,
            |s| {
                put_back(s, "alice.card", "alice-first");
            },
        ),
        change("a later card with a new name and address", WORKS, |s| {
            put(s, &card_in(s, "alice-later.card"), "added");
        }),
        change("a verified contact marked as changed", CHANGE_NOTED, |s| {
            let offered = json::to_b64(&[7; 32]);
            let changed =
                format!("changed\",\"since\":\"2026-11-24T02:00:00Z\",\"offered\":\"{offered}");
            put_back(s, "alice.card", "alice-unverified");
            say(s, "alice.card", "unverified", &changed);
        }),
        change("trust raised", WORKS, |s| {
            raise(s, "carol.card", &[7; 32]);
        }),
        change("an old MAC", WORKS, |s| {
            let id = RootId(card_in(s, "carol.card").id().0);
            // As an earlier version authenticated a comparison by code at that time (src/keystore/trust.rs).
            let at = 1_795_485_600_u64.to_be_bytes(); // 2026-11-24T02:00:00Z
            let record = [&id.0[..], &[7; 32], &at, &[1]].concat();
            raise(s, "carol.card", &kdf::trust_mac(&machine_key(), &record));
        }),
        change("a block taken out", WORKS, |s| {
            put_back(s, "dan.card", "dan");
        }),
        change("a blocked contact raised", WORKS, |s| {
            put_back(s, "dan.card", "dan");
            raise(s, "dan.card", &[7; 32]);
        }),
        change("added by first use, said to be added", WORKS, |s| {
            say(s, "erin.card", "\"how\":\"first-use\"", "\"how\":\"added\"");
        }),
        change("added by first use, said to be older", WORKS, |s| {
            let path = s.contact_file("erin.card");
            let text = fs::read_to_string(&path).unwrap();
            let (head, tail) = text.split_once("\"added\":\"").unwrap();
            let older = format!("{head}\"added\":\"2025{}", &tail[4..]);
            write(&path, older.as_bytes());
        }),
    ]
}

fn contacts_planted() -> Vec<Change> {
    vec![
        change("a second owner of a verified address", WORKS, |s| {
            put(s, &card_in(s, "as-alice.card"), "added");
        }),
        change("a second owner, by first use", WORKS, |s| {
            put(s, &card_in(s, "as-alice.card"), "first-use");
        }),
        change("a verified address in somebody else's card", WORKS, |s| {
            let addresses = ["zoe@example.net", "alice@example.org"];
            put(s, &Author::new("Zoe", &addresses).card, "added");
        }),
        change("a name like a fingerprint", WORKS, |s| {
            let id = card_in(s, "alice.card").id().to_string();
            put(s, &Author::new(&id, &["zoe@example.net"]).card, "added");
        }),
        change("an address as a name", WORKS, |s| {
            let card = Author::new("alice@example.org", &["zoe@example.net"]).card;
            put(s, &card, "added");
        }),
        change("a name of somebody who is there", WORKS, |s| {
            put(s, &Author::new("Alice", &["zoe@example.net"]).card, "added");
        }),
        change("a name and an address of mine", WORKS, |s| {
            put(s, &card_in(s, "as-bob.card"), "added");
        }),
    ]
}

fn groups() -> Vec<Change> {
    vec![
        change("a group grown", GROUP_IS_STOPPED, |s| {
            let kept = fs::read_to_string(s.group_file("team")).unwrap();
            let erin = card_in(s, "erin.card").id();
            write(&s.group_file("team"), format!("{kept}{erin}\n").as_bytes());
        }),
        change("a group as it was", GROUP_IS_STOPPED, |s| {
            write(
                &s.group_file("team"),
                &fs::read(s.at("early/team")).unwrap(),
            );
        }),
        change("a new group", WORKS, |s| {
            let erin = card_in(s, "erin.card").id();
            write(&s.group_file("new"), format!("{erin}\n").as_bytes());
        }),
        change("a new group with the address of a contact", WORKS, |s| {
            let erin = card_in(s, "erin.card").id();
            let text = format!("address alice@example.org\n{erin}\n");
            write(&s.group_file("new"), text.as_bytes());
        }),
        change("a group with an address", GROUP_IS_STOPPED, |s| {
            let kept = fs::read_to_string(s.group_file("team")).unwrap();
            let text = format!("address alice@example.org\n{kept}");
            write(&s.group_file("team"), text.as_bytes());
        }),
        change("a group back from deletion", WORKS, |s| {
            write(
                &s.group_file("gone"),
                &fs::read(s.at("early/gone")).unwrap(),
            );
        }),
        change(
            "a group gone",
            Expected {
                list: 67,
                ..GROUP_IS_STOPPED
            },
            |s| {
                fs::remove_file(s.group_file("team")).unwrap();
            },
        ),
    ]
}

fn files() -> Vec<Change> {
    vec![
        change("an index", WORKS, |s| {
            let card = card_in(s, "as-alice.card");
            let index = format!(
                "encl-contacts/1 x y\n{}\tAlice\talice@example.org\n",
                card.id()
            );
            for name in ["contacts.index", "index"] {
                write(&s.at(KEYSTORE).join(name), index.as_bytes());
            }
        }),
        change("a clock", WORKS, |s| {
            write(&s.at(KEYSTORE).join("clock"), b"2136-01-01T00:00:00Z\n");
        }),
        change("an invitation that was answered", WORKS, |s| {
            let folder = s.at(KEYSTORE).join("invitations");
            fs::create_dir(&folder).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
            let (bob, by) = (card_in(s, "bob.card"), card_in(s, "as-alice.card"));
            let [bob, by] = [bob, by].map(|card| json::to_b64(&card.id().0));
            let text = format!(
                "{{\"invitation\":\"encl/1\",\"address\":\"alice@example.org\",\"from\":\"{bob}\",\"made\":\"2026-11-24T02:00:00Z\",\
                 \"answered\":\"2026-11-24T03:00:00Z\",\"by\":\"{by}\"}}\n"
            );
            write(&folder.join("7".repeat(64)), text.as_bytes());
        }),
        change("a lock that leads elsewhere", LOCK_LEADS_ELSEWHERE, |s| {
            let lock = s.at(KEYSTORE).join("lock");
            fs::remove_file(&lock).unwrap();
            symlink(s.at("note"), lock).unwrap();
        }),
    ]
}

fn whole() -> Vec<Change> {
    let elsewhere = |name, make: fn(&Scene), machine| Change {
        keystore: "bob/elsewhere",
        machine,
        ..change(name, WORKS, make)
    };
    let copy = |s: &Scene| copy_folder(&s.at(KEYSTORE), &s.at("bob/elsewhere"));
    vec![
        change("moved behind a link", WORKS, |s| {
            fs::rename(s.at(KEYSTORE), s.at("bob/elsewhere")).unwrap();
            symlink(s.at("bob/elsewhere"), s.at(KEYSTORE)).unwrap();
        }),
        change(
            "linked to an older copy",
            Expected {
                grow: 7,
                ..ALICE_IS_STOPPED
            },
            |s| {
                copy_folder(&s.at(KEYSTORE), &s.at("bob/older"));
                fs::rename(s.at(KEYSTORE), s.at("bob/aside")).unwrap();
                symlink(s.at("bob/older"), s.at(KEYSTORE)).unwrap();
                put_back(s, "dan.card", "dan");
                write(
                    &s.group_file("team"),
                    &fs::read(s.at("early/team")).unwrap(),
                );
                put_back(s, "alice.card", "alice-first");
            },
        ),
        elsewhere("copied to a blank place", copy, Machine::Same),
        elsewhere("copied to another machine", copy, Machine::Another),
        change("another keystore in its place", ANOTHER, |s| {
            fs::remove_dir_all(s.at(KEYSTORE)).unwrap();
            copy_folder(&s.at("as-bob/.local/share/encl"), &s.at(KEYSTORE));
        }),
        change("another keystore with a false Alice", ANOTHER, |s| {
            fs::remove_dir_all(s.at(KEYSTORE)).unwrap();
            copy_folder(&s.at("as-bob/.local/share/encl"), &s.at(KEYSTORE));
            put(s, &card_in(s, "as-alice.card"), "added");
        }),
        change("a secret that others may read", SECRET_REFUSED, |s| {
            let mode = fs::Permissions::from_mode(0o644);
            fs::set_permissions(s.own_file("secret"), mode).unwrap();
        }),
        change("a folder that others may read", REFUSED, |s| {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(s.at(KEYSTORE), mode).unwrap();
        }),
    ]
}

/// The key with which an earlier version authenticated verifications on Bob's machine.
pub(super) fn machine_key() -> Secret<32> {
    Secret::new([5; 32])
}

/// Puts a contact there, in place of an earlier card.
fn put(scene: &Scene, card: &Card, how: &str) {
    let folder = scene.at(KEYSTORE).join("contacts");
    if !folder.exists() {
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let path = folder.join(card.id().to_string());
    write(&path, contact_file(card, how).as_bytes());
}

fn put_back(scene: &Scene, card: &str, early: &str) {
    let bytes = fs::read(scene.at("early").join(early)).unwrap();
    write(&scene.contact_file(card), &bytes);
}

/// Replaces what stands in a contact's file.
fn say(scene: &Scene, card: &str, before: &str, after: &str) {
    let path = scene.contact_file(card);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(before), "{text}");
    write(&path, text.replacen(before, after, 1).as_bytes());
}

/// Says in a contact's file that it is verified, with a MAC as an earlier version made them.
fn raise(scene: &Scene, card: &str, mac: &[u8; 32]) {
    let raised = format!(
        "verified\",\"since\":\"2026-11-24T02:00:00Z\",\"compared\":\"code\",\"by\":\"{}\",\"mac\":\"{}",
        json::to_b64(&[7; 32]),
        json::to_b64(mac)
    );
    say(scene, card, "unverified", &raised);
}

/// Where a keystore is, as the state names it.
pub(super) fn place(keystore: &Path) -> RootId {
    let path = fs::canonicalize(keystore).unwrap();
    RootId(kdf::keystore_place(path.as_os_str().as_encoded_bytes()))
}
