mod verified;

use std::fs;
use std::path::PathBuf;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::*;
use crate::crypto::Kem;
use crate::identity::{Card, CardRequest, Identity, Revocation};
use crate::keystore::tests::on_card;
use crate::keystore::{AcceptOutcome, AddedBy};

fn at(hour: u8) -> Time {
    format!("2026-11-24T{hour:02}:00:00Z").parse().unwrap()
}

fn identity() -> Identity {
    Identity::generate(Kem::X25519, at(0), None, &mut UnwrapErr(SysRng))
}

fn card(identity: &Identity, name: &str, serial: u32) -> Card {
    let request = CardRequest {
        name: name.to_owned(),
        addresses: vec!["bob@example.org".to_owned()],
        serial,
        created: at(0),
    };
    Card::new(identity, request).unwrap()
}

/// A keystore with Bob, on a machine with a state folder.
pub(in crate::keystore) struct Scene {
    pub(in crate::keystore) folder: tempfile::TempDir,
    pub(in crate::keystore) keystore: Keystore,
    bob: Identity,
}

impl Scene {
    pub(in crate::keystore) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("encl");
        let keystore = Keystore::at(root).with_state(folder.path().join("state/encl"));
        let bob = identity();
        let scene = Self {
            folder,
            keystore,
            bob,
        };
        assert_eq!(
            scene.add(&card(&scene.bob, "Bob", 1)).unwrap(),
            AcceptOutcome::New
        );
        scene
    }

    pub(in crate::keystore) fn id(&self) -> RootId {
        self.bob.id()
    }

    fn add(&self, card: &Card) -> Result<AcceptOutcome, KeystoreError> {
        self.keystore.accept(card, AddedBy::Added, at(1))
    }

    fn verify(&self) -> Result<(), KeystoreError> {
        let (id, verified) = (self.id(), verified());
        let verified_as = on_card(&self.keystore, &id);
        self.keystore.verify_contact(&id, verified, &verified_as)
    }

    fn block(&self) {
        self.keystore.block_contact(&self.id(), at(3)).unwrap();
    }

    fn unblock(&self) -> Result<(), KeystoreError> {
        self.keystore.unblock_contact(&self.id())
    }

    fn revoke(&self) {
        let revocation = Revocation::new(self.bob.root(), at(0));
        self.keystore.accept_revocation(&revocation, at(4)).unwrap();
    }

    /// As the next run of a program sees it, with its card and in the list.
    pub(in crate::keystore) fn trust(&self) -> Trust {
        let keystore = Keystore::at(self.keystore.root());
        trust_in(&keystore.with_state(self.state()), &self.id())
    }

    /// As another machine sees it.
    fn elsewhere(&self) -> Trust {
        let keystore = Keystore::at(self.keystore.root());
        trust_in(
            &keystore.with_state(self.folder.path().join("other")),
            &self.id(),
        )
    }

    pub(in crate::keystore) fn state(&self) -> PathBuf {
        self.folder.path().join("state/encl")
    }

    pub(in crate::keystore) fn file(&self) -> PathBuf {
        self.keystore.contact_path(&self.id())
    }

    /// Does something, and then puts the contact's file back as it was.
    fn roll_back(&self, change: impl FnOnce()) {
        let before = fs::read(self.file()).unwrap();
        change();
        folder_write(&self.file(), &before);
    }
}

pub(in crate::keystore) fn folder_write(path: &std::path::Path, bytes: &[u8]) {
    crate::keystore::folder::write(path, bytes, crate::atomic_file::Existing::Replace).unwrap();
}

fn trust_in(keystore: &Keystore, id: &RootId) -> Trust {
    let trust = keystore.contact(id).unwrap().unwrap().trust;
    let heads = keystore.contact_heads().unwrap();
    let head = heads.iter().find(|head| head.id == *id).unwrap();
    // How old a card is, its head does not say.
    if !matches!(trust, Trust::Older { .. }) {
        assert_eq!(head.trust, trust);
    }
    trust
}

pub(in crate::keystore) fn verified() -> Verified {
    Verified {
        at: at(2),
        how: Compared::Code,
        by: RootId([7; 32]),
    }
}

const BLOCKED: &str = "blocked";

#[test]
fn decisions_and_what_may_follow_each() {
    let scene = Scene::new();
    assert_eq!(scene.trust(), Trust::Unverified);
    assert!(matches!(scene.unblock(), Err(KeystoreError::NotBlocked)));
    scene.verify().unwrap();
    assert_eq!(scene.trust(), Trust::Verified(verified()));
    assert!(matches!(scene.unblock(), Err(KeystoreError::NotBlocked)));
    scene.block();
    assert_eq!(scene.trust(), Trust::Blocked { at: at(3) });
    assert!(matches!(scene.verify(), Err(KeystoreError::Blocked)));
    scene.unblock().unwrap();
    assert_eq!(scene.trust(), Trust::Unverified);
    scene.block();
    scene.revoke();
    assert_eq!(scene.trust(), Trust::Revoked { at: at(4) });
    assert!(matches!(scene.verify(), Err(KeystoreError::Revoked)));
    assert!(matches!(scene.unblock(), Err(KeystoreError::NotBlocked)));
    let blocked = scene.keystore.block_contact(&scene.id(), at(5));
    assert!(matches!(blocked, Err(KeystoreError::Revoked)));
    let stranger = RootId([9; 32]);
    for unknown in [
        scene.keystore.block_contact(&stranger, at(5)),
        scene.keystore.unblock_contact(&stranger),
        scene
            .keystore
            .verify_contact(&stranger, verified(), &VerifiedAs::default()),
    ] {
        assert!(matches!(unknown, Err(KeystoreError::Unknown("contact"))));
    }
}

#[test]
fn a_later_card_of_the_same_key_keeps_what_is_known_of_the_key() {
    let scene = Scene::new();
    scene.verify().unwrap();
    assert_eq!(
        scene.add(&card(&scene.bob, "Robert", 2)).unwrap(),
        AcceptOutcome::Updated
    );
    assert_eq!(scene.trust(), Trust::Verified(verified()));
    scene.block();
    assert_eq!(
        scene.add(&card(&scene.bob, "Rob", 3)).unwrap(),
        AcceptOutcome::Updated
    );
    assert_eq!(scene.trust().word(), BLOCKED);
}

#[test]
fn another_key_or_another_card_makes_a_contact_changed_until_it_is_verified() {
    for (offered, name) in [(None, "Bob"), (Some(()), "Robert")] {
        let scene = Scene::new();
        scene.verify().unwrap();
        let other = match offered {
            None => card(&identity(), name, 1),
            Some(()) => card(&scene.bob, name, 1),
        };
        // Naming it as a recipient is refused and changes nothing.
        let used = scene.keystore.accept(&other, AddedBy::FirstUse, at(5));
        assert!(used.is_err());
        assert_eq!(scene.trust(), Trust::Verified(verified()));
        assert!(scene.add(&other).is_err());
        let offered = other.id();
        assert_eq!(scene.trust(), Trust::Changed { at: at(1), offered });
        assert!(scene.add(&card(&scene.bob, "Bob", 1)).is_ok());
        assert_eq!(
            scene.trust().word(),
            "changed",
            "the known card ends nothing"
        );
        scene.verify().unwrap();
        assert_eq!(scene.trust(), Trust::Verified(verified()));
    }
}

#[test]
fn who_is_blocked_or_revoked_does_not_become_changed() {
    let scene = Scene::new();
    scene.block();
    assert!(scene.add(&card(&identity(), "Bob", 1)).is_err());
    assert_eq!(scene.trust().word(), BLOCKED);
    scene.revoke();
    assert!(scene.add(&card(&identity(), "Bob", 1)).is_err());
    assert_eq!(scene.trust().word(), "revoked");
}

#[test]
fn a_record_that_this_machine_did_not_decide_can_only_lower() {
    let scene = Scene::new();
    scene.verify().unwrap();
    assert_eq!(scene.elsewhere(), Trust::Unproven);
    let bare = trust_in(&Keystore::at(scene.keystore.root()), &scene.id());
    assert_eq!(bare, Trust::Unproven, "without a state folder too");
    scene.block();
    assert_eq!(scene.elsewhere().word(), BLOCKED);
    scene.revoke();
    assert_eq!(scene.elsewhere().word(), "revoked");
}

#[test]
fn a_keystore_that_was_moved_linked_or_copied_is_trusted_as_before() {
    let scene = Scene::new();
    let (moved, link) = (
        scene.folder.path().join("moved"),
        scene.folder.path().join("link"),
    );
    let trust_at = |place: &PathBuf| {
        let keystore = Keystore::at(place).with_state(scene.state());
        trust_in(&keystore, &scene.id())
    };
    scene.verify().unwrap();
    fs::rename(scene.keystore.root(), &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &link).unwrap();
    assert_eq!(trust_at(&moved), Trust::Verified(verified()));
    assert_eq!(trust_at(&link), Trust::Verified(verified()));
    let there = Keystore::at(&moved).with_state(scene.state());
    let unverified = fs::read(there.contact_path(&scene.id())).unwrap();
    there.block_contact(&scene.id(), at(3)).unwrap();
    folder_write(&there.contact_path(&scene.id()), &unverified);
    fs::rename(&moved, scene.keystore.root()).unwrap();
    assert_eq!(
        scene.trust().word(),
        BLOCKED,
        "a block is not forgotten either"
    );
}

#[test]
fn what_was_decided_here_outlives_whatever_is_done_to_the_files() {
    let scene = Scene::new();
    // An unverified file put over a verified one: the key is the same, and it was compared.
    scene.roll_back(|| scene.verify().unwrap());
    assert_eq!(scene.trust(), Trust::Verified(verified()));
    scene.verify().unwrap();
    // A verified file put over a later decision.
    scene.roll_back(|| scene.block());
    assert_eq!(scene.trust().word(), BLOCKED);
    scene.roll_back(|| scene.unblock().unwrap());
    assert_eq!(scene.trust(), Trust::Unproven);
    scene.roll_back(|| scene.revoke());
    assert_eq!(scene.trust().word(), "revoked");
}

#[test]
fn whoever_was_blocked_is_so_when_the_file_was_deleted_or_removed() {
    let scene = Scene::new();
    scene.block();
    fs::remove_file(scene.file()).unwrap();
    assert_eq!(
        scene.keystore.remembered_trust(&scene.id()).unwrap().word(),
        BLOCKED
    );
    scene.add(&card(&scene.bob, "Bob", 1)).unwrap();
    assert_eq!(scene.trust().word(), BLOCKED);
    scene.keystore.remove_contact(&scene.id()).unwrap();
    scene.add(&card(&scene.bob, "Bob", 1)).unwrap();
    assert_eq!(
        (scene.trust().word(), scene.elsewhere().word()),
        (BLOCKED, BLOCKED)
    );
}

#[test]
fn a_verification_goes_with_the_contact_and_does_not_come_back_with_its_file() {
    let scene = Scene::new();
    scene.verify().unwrap();
    scene.roll_back(|| scene.keystore.remove_contact(&scene.id()).unwrap());
    assert_eq!(scene.trust(), Trust::Unproven);
    scene.keystore.remove_contact(&scene.id()).unwrap();
    scene.add(&card(&scene.bob, "Bob", 1)).unwrap();
    assert_eq!(scene.trust(), Trust::Unverified);
}

#[test]
fn a_revocation_may_come_before_its_card() {
    let scene = Scene::new();
    let dan = identity();
    let revocation = Revocation::new(dan.root(), at(0));
    scene
        .keystore
        .accept_revocation(&revocation, at(4))
        .unwrap();
    let card = Card::new(
        &dan,
        CardRequest {
            name: "Dan".to_owned(),
            addresses: vec!["dan@example.org".to_owned()],
            serial: 1,
            created: at(0),
        },
    );
    scene.add(&card.unwrap()).unwrap();
    assert_eq!(trust_in(&scene.keystore, &dan.id()).word(), "revoked");
    let bare = Keystore::at(scene.keystore.root());
    let eve = Revocation::new(identity().root(), at(0));
    let unknown = bare.accept_revocation(&eve, at(4));
    assert!(matches!(unknown, Err(KeystoreError::Unknown("contact"))));
}

#[test]
fn without_a_state_folder_nobody_is_verified_and_everybody_can_be_blocked() {
    let scene = Scene::new();
    let bare = Keystore::at(scene.keystore.root());
    let verified_as = on_card(&bare, &scene.id());
    let verified = bare.verify_contact(&scene.id(), verified(), &verified_as);
    assert!(matches!(verified, Err(KeystoreError::NoState)));
    bare.block_contact(&scene.id(), at(3)).unwrap();
    assert_eq!(trust_in(&bare, &scene.id()).word(), BLOCKED);
    assert!(!scene.state().join("people").exists());
    assert_eq!(scene.trust().word(), BLOCKED);
}

#[test]
fn what_only_a_file_said_holds_until_the_user_ends_it() {
    for (word, stop) in [
        ("revoked", Scene::revoke as fn(&Scene)),
        (BLOCKED, Scene::block),
    ] {
        let scene = Scene::new();
        scene.verify().unwrap();
        // Another machine of the user stops the contact, and this one sees it in the file.
        let before = fs::read(scene.file()).unwrap();
        let state = scene.state();
        let aside = scene.folder.path().join("aside");
        fs::rename(&state, &aside).unwrap();
        stop(&scene);
        fs::remove_dir_all(&state).unwrap();
        fs::rename(&aside, &state).unwrap();
        assert_eq!(scene.trust().word(), word);
        // Whoever takes the word out of the file ends nothing.
        folder_write(&scene.file(), &before);
        assert_eq!(scene.trust().word(), word);
        scene.unblock().unwrap();
        assert_eq!(scene.trust().word(), "unverified");
    }
}

#[test]
fn a_kill_between_decision_and_file_leaves_the_stricter_of_both() {
    // The decision is saved first; the file is still the old one then.
    type Decision = fn(&Scene);
    let decisions: [(Decision, Decision, &str); 5] = [
        (|_| (), |s| s.verify().unwrap(), "verified"),
        (|s| s.verify().unwrap(), Scene::block, BLOCKED),
        (Scene::block, |s| s.unblock().unwrap(), BLOCKED),
        (Scene::block, Scene::revoke, "revoked"),
        (
            |s| assert!(s.add(&card(&identity(), "Bob", 1)).is_err()),
            |s| s.verify().unwrap(),
            "changed",
        ),
    ];
    for (before, decision, word) in decisions {
        let scene = Scene::new();
        before(&scene);
        scene.roll_back(|| decision(&scene));
        assert_eq!(scene.trust().word(), word);
        // The same once more, and all is as it should be.
        decision(&scene);
        let done = scene.trust();
        assert!(done.word() == word || !done.blocks_use() || word == "changed");
    }
}

#[test]
fn a_damaged_decision_is_an_error() {
    let scene = Scene::new();
    scene.block();
    let decision = scene.state().join("people").join(scene.id().to_string());
    let text = fs::read_to_string(&decision).unwrap();
    for damaged in [
        String::new(),
        text.replace("blocked", "verified"),
        text.replace(BLOCKED, "friend"),
        text.replace(':', " :"),
        format!("{text}x\n"),
    ] {
        fs::write(&decision, damaged).unwrap();
        let keystore = Keystore::at(scene.keystore.root()).with_state(scene.state());
        let read = keystore.contact(&scene.id());
        assert!(matches!(read, Err(KeystoreError::StateDamaged { .. })));
    }
    fs::write(&decision, text).unwrap();
    assert_eq!(scene.trust().word(), BLOCKED);
    let mode = |path: &PathBuf| {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode(&decision), mode(&scene.state())), (0o600, 0o700));
}
