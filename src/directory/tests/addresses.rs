//! Mail addresses and the addresses of groups.

use super::{card, keystore};
use crate::crypto::signing::RootId;
use crate::directory::{
    AddressBook, AddressOwner, DirectoryError, Distinction, ListedGroup, Names, People,
    recipients_at,
};
use crate::identity::Card;
use crate::keystore::Group;

/// Contacts and groups with an address in a keystore of their own.
fn people(cards: &[&Card], groups: &[(&str, &str, &[&Card])]) -> (tempfile::TempDir, People) {
    let (folder, keystore) = keystore(cards);
    for (name, address, members) in groups {
        let group = Group {
            address: Some((*address).to_owned()),
            members: members.iter().map(|card| card.id()).collect(),
            ..Group::default()
        };
        keystore.new_group(name, &group).unwrap();
    }
    let people = People::read(keystore).unwrap();
    (folder, people)
}

/// The names of everybody found, and the addresses that were taken for others.
fn found(addresses: &[&str], people: &People) -> (Vec<String>, Vec<(String, String)>) {
    let resolved = recipients_at(addresses, people).unwrap();
    let names = resolved.recipients.into_iter().map(|one| one.names.name);
    let others = resolved.without_detail.into_iter();
    let others = others.map(|(address, base)| (address, base.to_string()));
    (names.collect(), others.collect())
}

fn refusal(addresses: &[&str], people: &People) -> DirectoryError {
    recipients_at(addresses, people).err().unwrap()
}

/// The unclear addresses of a refusal.
fn unclear(addresses: &[&str], people: &People) -> (Vec<String>, Option<(String, String)>) {
    match refusal(addresses, people) {
        DirectoryError::UnclearAddresses { addresses, similar } => {
            let unclear = addresses.into_iter().map(|one| one.address);
            (unclear.collect(), similar)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn domains_are_compared_as_dns_does_and_local_parts_by_steps() {
    let (bob, joerg) = (
        card("Bob", &["Bob.Smith@Example.org", "b@example.com"]),
        card("Jörg", &["j@exämple.org"]),
    );
    let (_folder, people) = people(&[&bob, &joerg], &[]);
    for (address, name) in [
        ("Bob.Smith@example.org", "Bob"),
        ("bob.smith@EXAMPLE.ORG", "Bob"),
        ("b@example.com", "Bob"),
        ("j@xn--exmple-cua.org", "Jörg"),
        ("J@EXÄMPLE.org", "Jörg"),
    ] {
        assert_eq!(
            found(&[address], &people),
            (vec![name.to_owned()], vec![]),
            "{address}"
        );
    }
    let (names, others) = found(&["BOB.smith+list+x@example.org"], &people);
    assert_eq!(names, ["Bob"]);
    let other = (
        "BOB.smith+list+x@example.org".to_owned(),
        "BOB.smith@example.org".to_owned(),
    );
    assert_eq!(others, [other]);
    // Reported once.
    assert!(
        found(&["BOB.smith+list+x@example.org"], &people)
            .1
            .is_empty()
    );
    for unknown in [
        "smith@example.org",
        "bob.smith@org",
        "+x@example.org",
        "b@example.org",
        "\"b+x\"@exämple.org",
    ] {
        assert_eq!(unclear(&[unknown], &people).0, [unknown]);
    }
}

#[test]
fn the_address_as_it_is_written_comes_first() {
    let (bob, plus, other) = (
        card("Bob", &["bob@x"]),
        card("Bob's list", &["bob+list@x"]),
        card("bob", &["other@x"]),
    );
    let (_folder, people) = people(&[&bob, &plus, &other], &[]);
    assert_eq!(found(&["bob+list@x"], &people).0, ["Bob's list"]);
    assert_eq!(found(&["bob+LIST@x"], &people).0, ["Bob's list"]);
    assert_eq!(found(&["bob+other@x"], &people).0, ["Bob"]);
    assert_eq!(
        found(&["bob@x", "other@x", "bob@x"], &people).0,
        ["Bob", "bob", "Bob"]
    );
}

#[test]
fn the_address_of_a_group_means_its_members() {
    let (bob, carol) = (card("Bob", &["bob@x"]), card("Carol", &["carol@x"]));
    let groups = [
        ("team", "team@lists.x", &[&carol, &bob][..]),
        ("empty", "empty@lists.x", &[]),
        ("also", "bob@x", &[&carol]),
    ];
    let (_folder, people) = people(&[&bob, &carol], &groups);
    assert_eq!(found(&["Team@LISTS.x"], &people).0, ["Bob", "Carol"]);
    assert!(matches!(
        refusal(&["empty@lists.x"], &people),
        DirectoryError::EmptyGroup(name) if name == "empty"
    ));
    let DirectoryError::UnclearAddresses { addresses, .. } = refusal(&["bob@x"], &people) else {
        panic!("one was chosen");
    };
    assert_eq!(
        addresses[0].owners,
        [
            AddressOwner::Person(Names::of_card(&bob)),
            AddressOwner::Group("also".to_owned())
        ]
    );
}

#[test]
fn all_unknown_addresses_are_named_at_once() {
    let bob = card("Bob", &["bob@example.org"]);
    let (_folder, people) = people(&[&bob], &[]);
    let similar = Some(("bob@exmaple.org".to_owned(), "bob@example.org".to_owned()));
    let all = ["eve@y", "bob@example.org", "bob@exmaple.org", "mallory@z"];
    let unknown = ["eve@y", "bob@exmaple.org", "mallory@z"].map(str::to_owned);
    assert_eq!(unclear(&all, &people), (unknown.to_vec(), similar));
    assert_eq!(unclear(&["eve@y"], &people).1, None);
}

#[test]
fn ten_thousand_contacts_are_indexed_once() {
    let names = |number: u32| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        Names {
            id: RootId(id),
            name: format!("Person {number}"),
            claimed_name: None,
            addresses: vec![format!("person{number}@example.org")],
            counting: 1,
            distinction: Distinction::Name,
        }
    };
    let everybody: Vec<Names> = (0..10_000).map(names).collect();
    let group = ListedGroup {
        name: "all".to_owned(),
        address: "all@example.org".to_owned(),
        is_known: true,
    };
    let begun = std::time::Instant::now();
    let book = AddressBook::new(&everybody, vec![group]);
    for names in &everybody {
        assert!(book.has_one_owner(&names.addresses[0].to_uppercase()));
    }
    assert!(book.has_one_owner("all@example.org"));
    assert!(begun.elapsed().as_secs() < 5);
}
