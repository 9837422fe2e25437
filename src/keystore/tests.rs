use super::*;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::signing::RootId;
use crate::crypto::{Kem, KeyId};
use crate::identity::{Card, CardRequest, Identity, Revocation};
use crate::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

pub(super) fn now() -> Time {
    "2026-11-24T06:24:00Z".parse().unwrap()
}

pub(super) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

pub(super) fn person(address: &str) -> (Identity, Card) {
    let identity = Identity::generate(Kem::X25519, now(), None, &mut UnwrapErr(SysRng));
    let card = card(&identity, address, 1);
    (identity, card)
}

pub(super) fn card(identity: &Identity, address: &str, serial: u32) -> Card {
    let addresses = vec![address.to_owned()];
    Card::new(
        identity,
        CardRequest {
            name: address.to_owned(),
            addresses,
            serial,
            created: now(),
        },
    )
    .unwrap()
}

/// All that a contact's card says, to be verified.
pub(super) fn on_card(keystore: &Keystore, id: &RootId) -> VerifiedAs {
    let contact = keystore.contact(id).unwrap().unwrap();
    VerifiedAs {
        name: contact.card.name().to_owned(),
        addresses: contact.card.addresses().to_vec(),
    }
}

pub(super) fn keystore() -> (tempfile::TempDir, Keystore) {
    let folder = tempfile::tempdir().unwrap();
    let keystore =
        Keystore::at(folder.path().join("deep/down/encl")).with_state(folder.path().join("state"));
    (folder, keystore)
}

pub(super) fn add(
    keystore: &Keystore,
    (identity, card): &(Identity, Card),
    protection: Protection<'_>,
) -> Result<(), KeystoreError> {
    let revocation = Revocation::new(identity.root(), now());
    keystore.add_identity(
        identity,
        card,
        &revocation,
        protection,
        &mut UnwrapErr(SysRng),
    )
}

fn some_key(identity: &Identity) -> KeyId {
    identity.keys()[0].private.public_key().key_id()
}

#[test]
fn a_folder_that_is_not_there_is_an_empty_keystore() {
    let (_folder, keystore) = keystore();
    assert!(keystore.identities().unwrap().is_empty());
    assert!(keystore.contact_heads().unwrap().is_empty());
    assert!(keystore.groups().unwrap().is_empty());
    assert!(!keystore.root().exists(), "reading makes nothing");
}

#[test]
fn identities_come_back_in_the_clear_and_behind_a_passphrase() {
    let (_folder, keystore) = keystore();
    let (alice, robot) = (person("alice@example.org"), person("robot@example.org"));
    let right = Passphrase::new("a long walk").unwrap();
    add(
        &keystore,
        &alice,
        Protection::Passphrase(&right, Cost::DEFAULT),
    )
    .unwrap();
    add(&keystore, &robot, Protection::Plain).unwrap();
    let StoredSecret::Locked(locked) = keystore.secret(&alice.0.id()).unwrap() else {
        panic!("not locked")
    };
    let wrong = locked.unlock(&Passphrase::new("a short walk").unwrap());
    assert!(matches!(wrong, Err(KeystoreError::WrongPassphrase)));
    assert!(
        locked
            .unlock(&right)
            .unwrap()
            .private_key(some_key(&alice.0))
            .is_some()
    );
    let StoredSecret::Plain(plain) = keystore.secret(&robot.0.id()).unwrap() else {
        panic!("not plain")
    };
    assert!(plain.private_key(some_key(&robot.0)).is_some());
    for entry in walk(keystore.root()) {
        let mode = fs::metadata(&entry).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            mode,
            if entry.is_dir() { 0o700 } else { 0o600 },
            "{}",
            entry.display()
        );
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let below = entries.flat_map(|path| {
        if path.is_dir() {
            walk(&path)
        } else {
            vec![path]
        }
    });
    std::iter::once(folder.to_path_buf()).chain(below).collect()
}

#[test]
fn the_oldest_identity_is_the_default_until_one_is_chosen() {
    let (_folder, keystore) = keystore();
    let people = [person("a@example.org"), person("b@example.org")];
    for person in &people {
        add(&keystore, person, Protection::Plain).unwrap();
    }
    let taken = add(&keystore, &person("A@example.org"), Protection::Plain);
    assert!(matches!(taken, Err(KeystoreError::AddressTaken { .. })));
    for (person, _) in &people {
        keystore.set_default(&person.id()).unwrap();
        let identities = keystore.identities().unwrap();
        assert_eq!(
            (identities.len(), identities[0].card.id()),
            (2, person.id())
        );
        assert!(identities[0].is_default && !identities[1].is_default);
    }
    keystore.remove_identity(&people[1].0.id()).unwrap();
    assert_eq!(
        keystore.identities().unwrap()[0].card.id(),
        people[0].0.id()
    );
    assert!(matches!(
        keystore.remove_identity(&people[1].0.id()),
        Err(KeystoreError::Unknown(_))
    ));
    assert!(matches!(
        keystore.set_default(&people[1].0.id()),
        Err(KeystoreError::Unknown(_))
    ));
}

#[test]
fn a_card_is_accepted_once_updated_by_a_newer_one_and_never_changed() {
    let (_folder, keystore) = keystore();
    let (bob, first) = person("bob@example.org");
    let accept = |card: &Card| keystore.accept(card, AddedBy::Added, now());
    assert_eq!(accept(&first).unwrap(), AcceptOutcome::New);
    assert_eq!(accept(&first).unwrap(), AcceptOutcome::Known);
    assert!(matches!(
        accept(&card(&bob, "b@example.org", 1)),
        Err(KeystoreError::OtherCard { serial: 1 })
    ));
    assert_eq!(
        accept(&card(&bob, "bob@example.org", 3)).unwrap(),
        AcceptOutcome::Updated
    );
    assert!(matches!(
        accept(&first),
        Err(KeystoreError::OlderCard {
            known: 3,
            offered: 1
        })
    ));
    let stranger = person("Bob@Example.org").1;
    assert!(matches!(
        accept(&stranger),
        Err(KeystoreError::KeyChanged { .. })
    ));
    assert_eq!(
        keystore.contact(&bob.id()).unwrap().unwrap().card.serial(),
        3
    );
    keystore.remove_contact(&bob.id()).unwrap();
    assert_eq!(accept(&stranger).unwrap(), AcceptOutcome::New);
}

#[test]
fn ones_own_card_and_address_are_nobody_elses() {
    let (_folder, keystore) = keystore();
    let me = person("me@example.org");
    add(&keystore, &me, Protection::Plain).unwrap();
    assert!(matches!(
        keystore.accept(&me.1, AddedBy::Added, now()),
        Err(KeystoreError::OwnCard)
    ));
    let other = keystore.accept(&person("me@example.org").1, AddedBy::FirstUse, now());
    assert!(matches!(other, Err(KeystoreError::KeyChanged { .. })));
}

#[test]
fn groups_hold_ids() {
    let (_folder, keystore) = keystore();
    let ids: BTreeSet<_> = ["a@x.org", "b@x.org"]
        .iter()
        .map(|address| person(address).1.id())
        .collect();
    let group = Group {
        members: ids,
        ..Group::default()
    };
    keystore.new_group("finance", &group).unwrap();
    assert_eq!(keystore.group("finance").unwrap(), Some(group.clone()));
    keystore.change_group("finance", BTreeSet::clear).unwrap();
    assert_eq!(keystore.group("finance").unwrap(), Some(Group::default()));
    assert!(matches!(
        keystore.new_group("finance", &group),
        Err(KeystoreError::GroupExists(_))
    ));
    for name in ["", "Finance", "../x", ".x", "a b", "a/b", &"x".repeat(65)] {
        assert!(
            matches!(
                keystore.new_group(name, &group),
                Err(KeystoreError::GroupName(_))
            ),
            "{name}"
        );
        assert_eq!(keystore.group(name).unwrap(), None);
    }
    keystore.delete_group("finance").unwrap();
    assert!(matches!(
        keystore.delete_group("finance"),
        Err(KeystoreError::Unknown(_))
    ));
    assert!(keystore.groups().unwrap().is_empty());
}

#[test]
fn groups_keep_their_address() {
    let (_folder, keystore) = keystore();
    let id = person("a@x.org").1.id();
    let mut group = Group {
        address: Some("list@x.org".to_owned()),
        members: BTreeSet::from([id]),
        ..Group::default()
    };
    keystore.new_group("list", &group).unwrap();
    assert_eq!(keystore.group("list").unwrap(), Some(group.clone()));
    keystore.change_group("list", BTreeSet::clear).unwrap();
    group.members.clear();
    assert_eq!(keystore.group("list").unwrap(), Some(group));
    let long = format!("{}@x", "a".repeat(320));
    for address in ["", "x", "@x", "x@", "a b@x", "a@x\nb", "a@\u{202E}x", &long] {
        let group = Group {
            address: Some(address.to_owned()),
            ..Group::default()
        };
        let made = keystore.new_group("other", &group);
        assert!(
            matches!(made, Err(KeystoreError::GroupAddress(_))),
            "{address:?}"
        );
    }
    let path = keystore.root().join("groups/list");
    for damaged in ["address x\n".to_owned(), format!("{id}\naddress a@x\n")] {
        fs::write(&path, damaged).unwrap();
        let read = keystore.group("list");
        assert!(matches!(read, Err(KeystoreError::Damaged { .. })));
    }
}

#[test]
fn what_others_can_read_is_refused() {
    let (_folder, keystore) = keystore();
    let me = person("me@example.org");
    add(&keystore, &me, Protection::Plain).unwrap();
    let secret = keystore.identity_folder(&me.0.id()).join("secret");
    let set =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    set(&secret, 0o640);
    assert!(matches!(
        keystore.secret(&me.0.id()),
        Err(KeystoreError::OpenToOthers { mode: 0o640, .. })
    ));
    set(&secret, 0o600);
    set(keystore.root(), 0o755);
    assert!(matches!(
        keystore.identities(),
        Err(KeystoreError::OpenToOthers { mode: 0o755, .. })
    ));
    set(keystore.root(), 0o700);
    let elsewhere = keystore.root().join("elsewhere");
    fs::rename(&secret, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &secret).unwrap();
    assert!(matches!(
        keystore.secret(&me.0.id()),
        Err(KeystoreError::NotA { .. })
    ));
}

#[test]
fn files_that_were_exchanged_are_noticed() {
    let (_folder, keystore) = keystore();
    let (a, b) = (person("a@example.org"), person("b@example.org"));
    for person in [&a, &b] {
        add(&keystore, person, Protection::Plain).unwrap();
    }
    let [of_a, of_b] = [&a, &b].map(|person| keystore.identity_folder(&person.0.id()));
    fs::copy(of_a.join("secret"), of_b.join("secret")).unwrap();
    assert!(matches!(
        keystore.secret(&b.0.id()),
        Err(KeystoreError::Damaged { .. })
    ));
    fs::copy(of_a.join("card"), of_b.join("card")).unwrap();
    assert!(matches!(
        keystore.identities(),
        Err(KeystoreError::Damaged { .. })
    ));
}

#[test]
fn what_a_kill_left_is_cleaned_up_by_the_next_writer() {
    let (_folder, keystore) = keystore();
    add(&keystore, &person("a@example.org"), Protection::Plain).unwrap();
    let half = keystore
        .root()
        .join("identities")
        .join(format!(".{}", person("x@example.org").1.id()));
    fs::create_dir(&half).unwrap();
    fs::write(half.join("secret"), b"half").unwrap();
    assert_eq!(keystore.identities().unwrap().len(), 1);
    add(&keystore, &person("b@example.org"), Protection::Plain).unwrap();
    assert!(!half.exists());
}

type Names = Vec<(RootId, Vec<String>)>;

/// What the index should say.
fn all_names(keystore: &Keystore) -> Names {
    let heads = keystore.contact_heads().unwrap();
    let words = |head: &ContactHead| [std::slice::from_ref(&head.name), &head.addresses].concat();
    heads.iter().map(|head| (head.id, words(head))).collect()
}

/// What it says.
fn indexed(keystore: &Keystore) -> Option<Names> {
    let index = keystore.contact_index().unwrap()?;
    let names = index.contacts().map(|contact| {
        let words = contact.words().map(str::to_owned).collect();
        (contact.id().unwrap(), words)
    });
    Some(names.collect())
}

#[test]
fn many_contacts_leave_an_index_that_any_change_ends() {
    let (_folder, keystore) = keystore();
    let people: Vec<_> = (0..66)
        .map(|n| person(&format!("p{n}@example.org")))
        .collect();
    let cards: Vec<Card> = people[..65].iter().map(|(_, card)| card.clone()).collect();
    keystore.accept_all(&cards, AddedBy::Added, now()).unwrap();
    let path = keystore.index_path().unwrap();
    keystore.contact_heads().unwrap();
    assert!(!path.exists(), "the folder was changed a moment ago");
    std::thread::sleep(std::time::Duration::from_millis(4_100));
    let names = all_names(&keystore);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(indexed(&keystore), Some(names));

    // What another process does.
    let index = fs::read(&path).unwrap();
    let later = card(&people[0].0, "new@example.org", 2);
    let changes: [&dyn Fn(&Keystore); 3] = [
        &|other| assert!(other.accept(&people[65].1, AddedBy::Added, now()).is_ok()),
        &|other| assert!(other.accept(&later, AddedBy::Added, now()).is_ok()),
        &|other| other.remove_contact(&people[1].1.id()).unwrap(),
    ];
    for change in changes {
        change(&Keystore::at(keystore.root()));
        assert_eq!(indexed(&keystore), None);
        let seen = all_names(&keystore);
        assert_eq!(fs::read(&path).unwrap(), index, "too early for a new one");
        assert!(seen.len() >= 65);
    }
    let seen = all_names(&keystore);
    assert!(seen.iter().any(|(_, words)| words[0] == "new@example.org"));
    assert!(seen.iter().all(|(id, _)| *id != people[1].1.id()));
}

#[test]
fn a_damaged_index_is_none() {
    let (_folder, keystore) = keystore();
    let cards = [person("a@example.org").1, person("b@example.org").1];
    keystore.accept_all(&cards, AddedBy::Added, now()).unwrap();
    let path = keystore.index_path().unwrap();
    let put = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    fs::create_dir(path.parent().unwrap()).unwrap();
    let whole = index::written(&keystore);
    put(&whole);
    assert_eq!(indexed(&keystore), Some(all_names(&keystore)));
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        put(&changed);
        assert_eq!(indexed(&keystore), None, "at {at}");
    }
    for cut in [0, 10, whole.len() - 1] {
        put(&whole[..cut]);
        assert_eq!(indexed(&keystore), None, "cut at {cut}");
    }
    put(&whole);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(indexed(&keystore), None);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(indexed(&keystore), None);
    assert_eq!(keystore.contact_heads().unwrap().len(), 2);
}
