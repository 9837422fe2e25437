use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::keystore::tests::{add, keystore, now, person};
use crate::keystore::{AddedBy, Group, Protection};

#[test]
fn a_new_keystore_and_none_at_all_are_in_order() {
    let (_folder, keystore) = keystore();
    assert!(keystore.examine().is_empty());
    add(&keystore, &person("alice@example.org"), Protection::Plain).unwrap();
    let bob = person("bob@example.org").1;
    keystore.accept(&bob, AddedBy::Added, now()).unwrap();
    assert_eq!(keystore.record_time(now()), None);
    let found = keystore.examine();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn everything_else_is_found_and_left_alone() {
    let (_folder, keystore) = keystore();
    let alice = person("alice@example.org");
    add(&keystore, &alice, Protection::Plain).unwrap();
    let bob = person("bob@example.org").1;
    keystore.accept(&bob, AddedBy::Added, now()).unwrap();
    let lost = person("carol@example.org").1.id();
    let group = Group {
        address: None,
        members: [bob.id(), lost].into(),
        ..Group::default()
    };
    keystore.new_group("board", &group).unwrap();
    let mine = keystore.identity_folder(&alice.1.id());
    let root = keystore.root().to_owned();
    fs::write(root.join("readme"), "hello").unwrap();
    fs::write(root.join("contacts/Bob"), "hello").unwrap();
    fs::create_dir(root.join(format!("identities/.{lost}"))).unwrap();
    fs::remove_file(mine.join("revocation")).unwrap();
    fs::write(mine.join("card"), "nothing").unwrap();
    fs::set_permissions(root.join("groups"), fs::Permissions::from_mode(0o750)).unwrap();
    let mut words: Vec<String> = keystore.examine().iter().map(words).collect();
    words.sort();
    let due = [
        "damaged", "damaged", "damaged", "leftover", "open", "stranger", "stranger",
    ];
    assert_eq!(words, due, "{:?}", keystore.examine());
    fs::set_permissions(root.join("groups"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(
        keystore
            .examine()
            .iter()
            .any(|finding| words_of_lost(finding) == Some(lost))
    );
    assert!(root.join("readme").exists() && root.join("contacts/Bob").exists());
}

/// Twice for the card: where it is looked at, and where all identities are listed.
fn words(finding: &Finding) -> String {
    match finding {
        Finding::Fault(KeystoreError::Damaged { .. }) => "damaged",
        Finding::Fault(KeystoreError::OpenToOthers { .. }) => "open",
        Finding::Fault(_) => "fault",
        Finding::Leftover(_) => "leftover",
        Finding::Unexpected(_) => "stranger",
        Finding::SharedAddress { .. } => "shared",
        Finding::MissingMember { .. } => "lost",
    }
    .to_owned()
}

fn words_of_lost(finding: &Finding) -> Option<RootId> {
    match finding {
        Finding::MissingMember { id, .. } => Some(*id),
        _ => None,
    }
}

#[test]
fn an_address_that_two_people_have_is_told() {
    let (_folder, keystore) = keystore();
    let (first, second) = (person("bob@example.org").1, person("bob@example.org").1);
    keystore.accept(&first, AddedBy::Added, now()).unwrap();
    let (_elsewhere, other) = super::super::tests::keystore();
    other.accept(&second, AddedBy::Added, now()).unwrap();
    // As a synchronised folder brings it.
    fs::copy(
        other.contact_path(&second.id()),
        keystore.contact_path(&second.id()),
    )
    .unwrap();
    let found = keystore.examine();
    assert!(
        matches!(&found[..], [Finding::SharedAddress { address, ids }] if address == "bob@example.org" && ids.len() == 2),
        "{found:?}"
    );
}
