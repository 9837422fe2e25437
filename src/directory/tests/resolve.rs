//! Names, cards, fingerprints and groups.

use super::{card, keystore};
use crate::crypto::aead::AeadKey;
use crate::crypto::signing::RootId;
use crate::directory::{
    CardState, DirectoryError, People, ResolvedRecipient, WhoUse, closest_match, resolve,
};
use crate::identity::{Card, fingerprint};
use crate::keystore::{Group, Keystore};

/// Contacts in a keystore of their own.
struct Known {
    folder: tempfile::TempDir,
    people: People,
}

impl std::ops::Deref for Known {
    type Target = People;

    fn deref(&self) -> &People {
        &self.people
    }
}

fn people(cards: &[&Card]) -> Known {
    let (folder, keystore) = keystore(cards);
    let people = People::read(keystore).unwrap();
    Known { folder, people }
}

fn one(who: &str, people: &People) -> Result<ResolvedRecipient, DirectoryError> {
    resolve(&[who], WhoUse::Recipient, people).map(|mut found| found.remove(0))
}

#[test]
fn names_match_in_full_and_without_regard_to_case() {
    let (bob, other) = (
        card("Bob", &["bob@example.org", "b@example.com"]),
        card("Bobby", &["x@example.org"]),
    );
    let people = people(&[&bob, &other]);
    for who in [
        "BOB",
        "Bob@Example.Org",
        "b@example.com",
        &fingerprint(&bob.id()),
    ] {
        assert_eq!(one(who, &people).unwrap().names.id, bob.id(), "{who}");
    }
    assert!(matches!(
        one("bo", &people),
        Err(DirectoryError::Unknown { .. })
    ));
}

#[test]
fn both_forms_of_a_domain_name_one_person() {
    let bob = card("Bob", &["bob@b\u{fc}cher.example"]);
    let known = people(&[&bob]);
    for who in ["bob@xn--bcher-kva.example", "BOB@B\u{dc}CHER.example"] {
        assert_eq!(one(who, &known).unwrap().names.id, bob.id(), "{who}");
    }
    let mallory = card("Bob", &["bob@xn--bcher-kva.example"]);
    assert!(matches!(
        one(mallory.to_text(), &known),
        Err(DirectoryError::CardConflict { .. })
    ));
}

#[test]
fn two_candidates_are_both_listed() {
    let one_bob = card("Bob", &["bob@example.org"]);
    let two_bob = card("bob", &["bob@example.com"]);
    let Err(DirectoryError::Ambiguous { matches, .. }) = one("BOB", &people(&[&one_bob, &two_bob]))
    else {
        panic!("one was chosen");
    };
    let ids: Vec<RootId> = matches.iter().map(|names| names.id).collect();
    assert!(ids.contains(&one_bob.id()) && ids.contains(&two_bob.id()));
}

#[test]
fn a_mistyped_contact_is_offered_and_not_taken() {
    let bob = card("Bob", &["bob@example.org"]);
    let known = people(&[&bob]);
    let Err(DirectoryError::UnclearAddresses { similar, .. }) = one("bob@exmaple.org", &known)
    else {
        panic!("it was taken");
    };
    let (typed, offered) = similar.unwrap();
    assert_eq!((&*typed, &*offered), ("bob@exmaple.org", "bob@example.org"));
    let Err(DirectoryError::Unknown { similar, .. }) = one("Bobb", &known) else {
        panic!("it was taken");
    };
    assert_eq!(similar.as_deref(), Some("Bob"));
    assert_eq!(
        closest_match("nobody@example.org", ["bob@example.org"].into_iter()),
        None
    );
}

#[test]
fn a_pasted_card_of_a_stranger_is_first_use_and_one_of_a_contact_is_stored() {
    let bob = card("Bob", &["bob@example.org"]);
    let carried = |known: &[&Card]| one(bob.to_text(), &people(known)).unwrap().card;
    assert!(matches!(carried(&[]), CardState::FirstUse(card) if *card == bob));
    assert!(matches!(carried(&[&bob]), CardState::Stored));
}

#[test]
fn another_key_for_a_known_address_is_refused() {
    let (bob, mallory) = (
        card("Bob", &["bob@example.org"]),
        card("Bob", &["BOB@example.org"]),
    );
    assert!(matches!(
        one(mallory.to_text(), &people(&[&bob])),
        Err(DirectoryError::CardConflict { .. })
    ));
}

#[test]
fn a_group_gives_its_members_and_misses_nobody() {
    let bob = card("Bob", &["bob@example.org"]);
    let known = people(&[&bob]);
    let keystore = known.people.keystore();
    for (name, members) in [
        ("g", vec![bob.id()]),
        ("gone", vec![bob.id(), RootId([7; 32])]),
        ("empty", vec![]),
    ] {
        let group = Group {
            members: members.into_iter().collect(),
            address: None,
            ..Group::default()
        };
        keystore.new_group(name, &group).unwrap();
    }
    assert_eq!(
        resolve(&["@g"], WhoUse::Recipient, &known).unwrap().len(),
        1
    );
    let error = |who: &str| resolve(&[who], WhoUse::Recipient, &known).err().unwrap();
    assert!(matches!(
        error("@gone"),
        DirectoryError::MissingMember { .. }
    ));
    assert!(matches!(error("@empty"), DirectoryError::EmptyGroup(_)));
    assert!(matches!(error("@none"), DirectoryError::NoSuchGroup(_)));
}

/// An index of the contacts as the keystore would leave it behind, with these lines.
fn leave_index(keystore: &Keystore, lines: &str) {
    use std::os::unix::fs::MetadataExt;
    let of = std::fs::metadata(keystore.root().join("contacts")).unwrap();
    let tag = AeadKey::new(&[0; 32]).seal(&[0; 12], lines.as_bytes(), &mut []);
    let sum = format!("{:032x}", u128::from_be_bytes(tag));
    let stamp = format!(
        "{}:{}:{}.{:09}:{}.{:09}",
        of.dev(),
        of.ino(),
        of.mtime(),
        of.mtime_nsec(),
        of.ctime(),
        of.ctime_nsec()
    );
    let text = format!("encl-contacts/1 {stamp} {sum}\n{lines}");
    let path = keystore.index_path().unwrap();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, owner_only).unwrap();
}

#[test]
fn a_forged_index_leads_to_nobody_else() {
    let (bob, mallory) = (
        card("Bob", &["bob@example.org"]),
        card("Mallory", &["mallory@example.org"]),
    );
    let (_folder, keystore) = keystore(&[&bob, &mallory]);
    let line = |card: &Card, words: &str| format!("{}\t{words}\n", card.id());
    let lies = [
        line(&mallory, "Bob\tbob@example.org") + &line(&bob, "Mallory\tmallory@example.org"),
        line(&mallory, "Bob\tbob@example.org"),
        String::new(),
        line(&bob, "Bob\tbob@example.org") + &line(&mallory, "Bob\tbob@example.org"),
    ];
    for lines in lies {
        leave_index(&keystore, &lines);
        assert!(keystore.contact_index().unwrap().is_some());
        for who in ["bob", "BOB@example.org", &fingerprint(&bob.id())] {
            let people = People::read(keystore.clone()).unwrap();
            assert_eq!(one(who, &people).unwrap().names.id, bob.id(), "{lines}");
        }
        let people = People::read(keystore.clone()).unwrap();
        let all = ["mallory", "bob", "mallory@example.org"].map(str::to_owned);
        let found = resolve(&all, WhoUse::Recipient, &people).unwrap();
        let ids = found.iter().map(|found| found.names.id);
        assert_eq!(
            ids.collect::<Vec<_>>(),
            [mallory.id(), bob.id(), mallory.id()]
        );
    }
}

#[test]
fn an_index_hides_no_other_bob_and_no_stranger() {
    let one_bob = card("Bob", &["bob@example.org"]);
    let two_bob = card("bob", &["bob@example.com"]);
    let known = people(&[&one_bob, &two_bob]);
    let keystore = Keystore::at(known.folder.path().join("encl"))
        .with_state(known.folder.path().join("state"));
    let lines = format!(
        "{}\tBob\tbob@example.org\n{}\tbob\tbob@example.com\n",
        one_bob.id(),
        two_bob.id()
    );
    leave_index(&keystore, &lines);
    let people = People::read(keystore).unwrap();
    assert!(matches!(
        one("bob", &people),
        Err(DirectoryError::Ambiguous { matches, .. }) if matches.len() == 2
    ));
    assert!(matches!(
        one("bob@example.net", &people),
        Err(DirectoryError::UnclearAddresses { .. })
    ));
    assert_eq!(
        one("bob@example.com", &people).unwrap().names.id,
        two_bob.id()
    );
}
