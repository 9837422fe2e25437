use super::*;
use crate::cli::test_support::{card, keystore};
use encl::identity::Card;
use std::collections::BTreeSet;

/// Contacts and groups with an address in a keystore of their own.
fn people(cards: &[&Card], groups: &[(&str, &str, &[&Card])]) -> (tempfile::TempDir, People) {
    let (folder, keystore) = keystore(cards);
    for (name, address, members) in groups {
        let group = Group {
            address: Some((*address).to_owned()),
            members: members.iter().map(|card| card.id()).collect(),
        };
        keystore.new_group(name, &group).unwrap();
    }
    let people = People::read(keystore).unwrap();
    (folder, people)
}

fn mailboxes(list: &str) -> Vec<Mailbox> {
    encl::mail::parse_list(list).unwrap()
}

/// The names of everybody found, and the notices.
fn found(list: &str, people: &People) -> (Vec<String>, Vec<String>) {
    let (found, notices) = look_up(&mailboxes(list), people).unwrap();
    let names = found.iter().map(|found| found.names.name.clone());
    (names.collect(), notices)
}

fn refusal(list: &str, people: &People) -> Failure {
    let failure = look_up(&mailboxes(list), people).err().unwrap();
    assert_eq!(failure.exit, Exit::Recipient);
    failure
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
        ("\"Bob.Smith\"@example.org", "Bob"),
        ("Eve <b@example.com>", "Bob"),
        ("j@xn--exmple-cua.org", "Jörg"),
        ("J@EXÄMPLE.org", "Jörg"),
    ] {
        assert_eq!(
            found(address, &people),
            (vec![name.to_owned()], vec![]),
            "{address}"
        );
    }
    let (names, notices) = found("BOB.smith+list+x@example.org", &people);
    assert_eq!(names, ["Bob"]);
    assert_eq!(
        notices,
        ["mail to BOB.smith+list+x@example.org is sealed for BOB.smith@example.org"]
    );
    // Said once.
    assert_eq!(found("BOB.smith+list+x@example.org", &people).1, [""; 0]);
    for unknown in [
        "smith@example.org",
        "bob.smith@org",
        "+x@example.org",
        "b@example.org",
        "\"b+x\"@exämple.org",
    ] {
        let failure = refusal(unknown, &people);
        assert!(failure.reasons[0].starts_with("nobody here has the address"));
    }
}

#[test]
fn whoever_has_the_very_address_comes_first() {
    let (bob, plus, other) = (
        card("Bob", &["bob@x"]),
        card("Bob's list", &["bob+list@x"]),
        card("bob", &["other@x"]),
    );
    let (_folder, people) = people(&[&bob, &plus, &other], &[]);
    assert_eq!(found("bob+list@x", &people).0, ["Bob's list"]);
    assert_eq!(found("bob+LIST@x", &people).0, ["Bob's list"]);
    assert_eq!(found("bob+other@x", &people).0, ["Bob"]);
    assert_eq!(
        found("bob@x, other@x, bob@x", &people).0,
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
    assert_eq!(found("Team@LISTS.x", &people).0, ["Bob", "Carol"]);
    assert_eq!(
        refusal("empty@lists.x", &people).reasons,
        ["the group is empty"]
    );
    let both = refusal("bob@x", &people);
    assert_eq!(both.reasons[0], "bob@x fits 2:");
    assert!(both.reasons[1].starts_with("Bob <bob@x>, "), "{both:?}");
    assert_eq!(both.reasons[2], "the group @also");
}

#[test]
fn all_who_are_unknown_are_named_at_once() {
    let bob = card("Bob", &["bob@example.org"]);
    let (_folder, people) = people(&[&bob], &[]);
    let failure = refusal(
        "eve@y, bob@example.org, bob@exmaple.org, mallory@z",
        &people,
    );
    assert_eq!(failure.what, "cannot tell who 3 of the recipients are");
    assert_eq!(
        failure.reasons,
        [
            "nobody here has the address eve@y",
            "nobody here has the address bob@exmaple.org",
            "nobody here has the address mallory@z"
        ]
    );
    assert_eq!(
        failure.hint.unwrap(),
        "did you mean `bob@example.org` by bob@exmaple.org?"
    );
    let one = refusal("bob@exmaple.org", &people);
    assert_eq!(one.what, "cannot tell who `bob@exmaple.org` is");
    assert_eq!(one.hint.unwrap(), "did you mean `bob@example.org`?");
    let hint = refusal("eve@y", &people).hint.unwrap();
    assert!(hint.starts_with("`encl invite eve@y` prints"), "{hint}");
    assert!(
        refusal("eve@y, a@b", &people)
            .hint
            .unwrap()
            .starts_with("`encl invite ADDRESS` prints")
    );
}

#[test]
fn addresses_are_the_same_as_mail_has_it() {
    for (one, other, same) in [
        ("bob@x", "BOB@X", true),
        ("j@exämple.org", "J@xn--exmple-cua.org", true),
        ("j@exämple.org", "j@EXÄMPLE.ORG", true),
        ("bob+a@x", "bob@x", false),
        ("bob@x", "bob@x.y", false),
        // The Kelvin sign is no k before the `@`.
        ("\u{212A}@x", "k@x", false),
    ] {
        assert_eq!(is_same(one, other), same, "{one} {other}");
    }
}

#[test]
fn ten_thousand_contacts_are_indexed_once() {
    let names = |number: u32| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        Names {
            id: RootId(id),
            name: format!("Person {number}"),
            addresses: vec![format!("person{number}@example.org")],
        }
    };
    let everybody: Vec<Names> = (0..10_000).map(names).collect();
    let group = Group {
        address: Some("all@example.org".to_owned()),
        members: everybody
            .iter()
            .map(|names| names.id)
            .collect::<BTreeSet<_>>(),
    };
    let begun = std::time::Instant::now();
    let directory = Directory::new(&everybody, vec![("all".to_owned(), group)]);
    for names in &everybody {
        assert_eq!(
            directory.look_up(&names.addresses[0].to_uppercase()),
            Match::One(&Owner::Person(names.id))
        );
    }
    assert!(
        matches!(directory.look_up("all@example.org"), Match::One(Owner::Group(_, members)) if members.len() == 10_000)
    );
    assert!(begun.elapsed().as_secs() < 5);
}
