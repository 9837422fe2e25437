use std::fs;
use std::io::Read as _;

use super::super::Protection;
use super::super::groups::Group;
use super::super::tests::{add, keystore, now, person, rng};
use super::*;
use crate::keystore::{AddedBy, KnownBackup};

/// A keystore with one of everything.
fn furnished() -> (tempfile::TempDir, Keystore) {
    let (folder, keystore) = keystore();
    add(&keystore, &person("alice@example.org"), Protection::Plain).unwrap();
    let bob = person("bob@example.org").1;
    keystore.accept(&bob, AddedBy::Added, now()).unwrap();
    let group = Group {
        address: None,
        members: [bob.id()].into(),
        ..Group::default()
    };
    keystore.new_group("board", &group).unwrap();
    (folder, keystore)
}

fn bytes(keystore: &Keystore) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut backup = keystore.backup(now(), &mut rng()).unwrap();
    assert_eq!(
        backup.counts(),
        BackupCounts {
            identities: 1,
            contacts: 1,
            groups: 1,
            gates: 0,
        }
    );
    backup.read_to_end(&mut bytes).unwrap();
    bytes
}

fn names(bytes: &[u8]) -> Result<Vec<&'static str>, BackupError> {
    let mut names = Vec::new();
    read_parts(bytes, |part| {
        names.push(match part {
            Part::Head(at) => {
                assert_eq!(at, now());
                "head"
            }
            Part::Identity(_) => "identity",
            Part::Decisions(_) => "decisions",
            Part::Contact(_) => "contact",
            Part::Group(..) => "group",
            Part::Invitation(..) => "invitation",
            Part::Gate(_) => "gate",
            Part::Sealed(_) => "sealed",
            Part::Default(_) => "default",
        });
        Ok::<(), BackupError>(())
    })?;
    Ok(names)
}

/// The entries of a tar archive, each with its padding.
fn entries(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = bytes;
    let mut entries = Vec::new();
    while rest[0] != 0 {
        let size = Header::from_byte_slice(&rest[..BLOCK])
            .entry_size()
            .unwrap();
        let end = BLOCK + usize::try_from(size).unwrap().next_multiple_of(BLOCK);
        let (entry, after) = rest.split_at(end);
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

#[test]
fn all_of_it_comes_back_in_its_order() {
    let (_folder, keystore) = furnished();
    let names = names(&bytes(&keystore)).unwrap();
    assert_eq!(
        names,
        [
            "head",
            "identity",
            "decisions",
            "contact",
            "group",
            "default"
        ]
    );
}

#[test]
fn an_archive_in_another_order_or_with_something_else_is_refused() {
    let (_folder, keystore) = furnished();
    let entries = entries(&bytes(&keystore));
    assert!(names(&entries.concat()).is_ok());
    for at in 1..entries.len() {
        let mut moved = entries.clone();
        moved.swap(at - 1, at);
        let is_folder = |entry: &[u8]| entry[156] == b'5';
        if !is_folder(&entries[at - 1]) && !is_folder(&entries[at]) {
            let same_identity = names(&moved.concat()).is_ok_and(|names| names.len() == 6);
            // Card and revocation may stand in any order before the private keys.
            assert!(names(&moved.concat()).is_err() || same_identity, "{at}");
        }
    }
    let mut twice = entries.clone();
    twice.insert(1, entries[0].clone());
    assert!(names(&twice.concat()).is_err());
    assert!(names(&entries[1..].concat()).is_err(), "without a head");
    assert!(names(&[0; 2 * BLOCK]).is_err(), "empty");
    assert!(names(b"no archive at all").is_err());
}

#[test]
fn hostile_entries_are_refused() {
    let (_folder, keystore) = furnished();
    let whole = entries(&bytes(&keystore)).concat();
    for (path, kind, size) in [
        ("/etc/passwd", EntryType::Regular, 0),
        ("contacts/../../x", EntryType::Regular, 0),
        ("contacts/x", EntryType::Regular, 0),
        ("groups/Board", EntryType::Regular, 0),
        ("invitations/x", EntryType::Regular, 0),
        ("default", EntryType::Symlink, 0),
        ("default", EntryType::Link, 0),
        ("default", EntryType::Char, 0),
        ("default", EntryType::XHeader, 0),
        ("default", EntryType::GNULongName, 0),
        ("groups/long", EntryType::Regular, u64::MAX >> 1),
        ("unknown", EntryType::Regular, 0),
        ("proof", EntryType::Regular, 0),
        ("proof/", EntryType::Directory, 0),
        ("proof/0123/", EntryType::Directory, 0),
    ] {
        let mut header = Header::new_ustar();
        let bytes = header.as_ustar_mut().unwrap();
        bytes.name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        // In the place of the last file, `default`, behind which only the proof comes.
        let at = whole.len() - 3 * BLOCK;
        let hostile = [&whole[..at], header.as_bytes()].concat();
        assert!(names(&hostile).is_err(), "{path} {kind:?}");
    }
}

#[test]
fn files_under_another_name_are_refused() {
    let (_folder, keystore) = furnished();
    let text = bytes(&keystore);
    let bob = keystore.contact_heads().unwrap()[0].id.to_string();
    let alice = keystore.identities().unwrap()[0].card.id().to_string();
    for id in [bob, alice] {
        // As long, and its checksum made again.
        let mut entries = entries(&text);
        for entry in &mut entries {
            let at = entry
                .windows(64)
                .take(40)
                .position(|window| window == id.as_bytes());
            if let Some(at) = at {
                entry[at..at + 64].fill(b'7');
                let mut header = Header::from_byte_slice(&entry[..BLOCK]).clone();
                header.set_cksum();
                entry[..BLOCK].copy_from_slice(header.as_bytes());
            }
        }
        assert!(names(&entries.concat()).is_err());
    }
}

#[test]
fn a_damaged_keystore_is_not_backed_up_in_part() {
    let (_folder, keystore) = furnished();
    let id = keystore.identities().unwrap()[0].card.id();
    let mut backup = keystore.backup(now(), &mut rng()).unwrap();
    fs::write(keystore.identity_folder(&id).join("card"), "nothing").unwrap();
    let error = backup.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(
        error
            .get_ref()
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<KeystoreError>),
        "{error}"
    );
}

fn proof(bytes: &[u8]) -> Result<BackupProof, BackupError> {
    read_parts(bytes, |_| Ok(()))
}

#[test]
fn a_machine_knows_its_backup_again_and_no_changed_one() {
    let (_folder, keystore) = furnished();
    let (_other_folder, other) = furnished();
    let known = |keystore: &Keystore, bytes: &[u8]| {
        let proof = proof(bytes).unwrap();
        keystore.known_backup(&proof).unwrap()
    };
    let text = bytes(&keystore);
    assert_eq!(known(&keystore, &text), Some(KnownBackup::Made));
    assert_eq!(known(&other, &text), None);
    drop(bytes(&other));
    assert_eq!(known(&other, &text), None, "it has a key of its own by now");
    let all = entries(&text);
    let (last, rest) = all.split_last().unwrap();
    assert!(last.starts_with(b"proof/") && last[156] == b'5');
    assert_eq!(known(&keystore, &rest.concat()), None, "without a proof");
    // Without its last contact; and with another time in the head.
    let is_contact = |entry: &Vec<u8>| entry.starts_with(b"contacts/") && entry[156] != b'5';
    let mut shorter = all.clone();
    shorter.retain(|entry| !is_contact(entry));
    assert!(shorter.len() < all.len());
    assert_eq!(known(&keystore, &shorter.concat()), None);
    let mut earlier = text.clone();
    let second = b"encl-backup/1 2026-11-24T06:24:0".len();
    earlier[BLOCK + second] = b'1';
    assert_eq!(known(&keystore, &earlier), None);
    // With the proof of another machine.
    let foreign = entries(&bytes(&other));
    let exchanged = [rest.concat(), foreign.last().unwrap().clone()].concat();
    assert_eq!(known(&keystore, &exchanged), None);
    assert_eq!(known(&other, &exchanged), None);
}

#[test]
fn a_proof_is_the_last_entry_and_the_only_one() {
    let (_folder, keystore) = furnished();
    let mut entries = entries(&bytes(&keystore));
    let last = entries.last().unwrap().clone();
    assert!(proof(&[entries.concat(), last.clone()].concat()).is_err());
    assert!(proof(&last).is_err(), "alone");
    entries.pop();
    let place = entries.len() - 1;
    entries.insert(place, last);
    assert!(proof(&entries.concat()).is_err(), "before the default");
}

/// Versions before the proof skipped folders, and took nothing else that they did not know.
#[test]
fn earlier_versions_read_the_backup() {
    let (_folder, keystore) = furnished();
    let text = bytes(&keystore);
    let files = entries(&text);
    let mut files = files.iter().filter(|entry| entry[156] != b'5');
    assert!(files.all(|entry| !entry.starts_with(b"proof")));
}

#[test]
fn the_key_of_the_machine_stays_and_is_private() {
    let (folder, keystore) = furnished();
    let path = folder.path().join("state/key");
    assert!(!path.exists(), "made with the first backup");
    drop(bytes(&keystore));
    let key = fs::read(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions();
    let mode = std::os::unix::fs::PermissionsExt::mode(&mode);
    assert_eq!(mode & 0o777, 0o600);
    drop(bytes(&keystore));
    assert_eq!(fs::read(&path).unwrap(), key);
    fs::write(&path, "nothing\n").unwrap();
    let damaged = keystore.backup(now(), &mut rng()).map(drop).unwrap_err();
    assert!(
        matches!(damaged, KeystoreError::StateDamaged { .. }),
        "{damaged}"
    );
}

#[test]
fn a_backup_that_was_taken_is_known() {
    let (_folder, keystore) = furnished();
    let (_other_folder, other) = furnished();
    let proof = proof(&bytes(&other)).unwrap();
    assert_eq!(keystore.known_backup(&proof).unwrap(), None);
    keystore.take_backup(&proof, now()).unwrap();
    let known = keystore.known_backup(&proof).unwrap();
    assert_eq!(known, Some(KnownBackup::Taken));
}

/// Where nothing can be kept, there is no key, and a backup all the same.
#[test]
fn without_a_state_folder_there_is_no_proof() {
    let folder = tempfile::tempdir().unwrap();
    let keystore = Keystore::at(folder.path().join("encl"));
    add(&keystore, &person("alice@example.org"), Protection::Plain).unwrap();
    let mut text = Vec::new();
    let mut backup = keystore.backup(now(), &mut rng()).unwrap();
    backup.read_to_end(&mut text).unwrap();
    let proof = proof(&text).unwrap();
    assert_eq!(keystore.known_backup(&proof).unwrap(), None);
    keystore.take_backup(&proof, now()).unwrap();
}

#[test]
fn the_last_backup_is_remembered() {
    let (_folder, keystore) = furnished();
    assert_eq!(keystore.last_backup().unwrap(), None);
    keystore.note_backup(now()).unwrap();
    assert_eq!(keystore.last_backup().unwrap(), Some(now()));
    fs::write(keystore.root.join(NOTED), "yesterday").unwrap();
    assert_eq!(keystore.last_backup().unwrap(), None);
}
