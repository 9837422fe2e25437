use super::*;
use crate::cli::test_support::{card, keystore};
use encl::crypto::aead::AeadKey;
use encl::keystore::Keystore;

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

fn no_group(_: &str) -> Result<Vec<RootId>, Failure> {
    unreachable!("no group was named")
}

fn one(who: &str, people: &People) -> Result<ResolvedRecipient, Failure> {
    resolve(who, people, no_group).map(|mut found| found.remove(0))
}

#[test]
fn the_look_decides_the_kind() {
    assert_eq!(kind("@finance"), Kind::Group("finance"));
    assert_eq!(kind("encl-card1:abc/def"), Kind::Text("encl-card1:abc/def"));
    assert_eq!(kind("./bob"), Kind::File(Path::new("./bob")));
    assert_eq!(kind("bob.card"), Kind::File(Path::new("bob.card")));
    assert_eq!(kind("bob@example.org"), Kind::Name("bob@example.org"));
}

#[test]
fn names_are_whole_and_without_regard_to_case() {
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
    assert_eq!(one("bo", &people).err().unwrap().exit, Exit::Recipient);
}

#[test]
fn two_candidates_are_both_listed() {
    let one_bob = card("Bob", &["bob@example.org"]);
    let two_bob = card("bob", &["bob@example.com"]);
    let failure = one("BOB", &people(&[&one_bob, &two_bob])).err().unwrap();
    let text = failure.lines().join("\n");
    assert!(
        text.contains("bob@example.org") && text.contains("bob@example.com"),
        "{text}"
    );
}

#[test]
fn a_mistyped_contact_is_offered_and_not_taken() {
    let bob = card("Bob", &["bob@example.org"]);
    let failure = one("bob@exmaple.org", &people(&[&bob])).err().unwrap();
    assert_eq!(
        failure.hint.as_deref(),
        Some("did you mean `bob@example.org`?")
    );
    assert_eq!(
        alike("nobody@example.org", ["bob@example.org"].into_iter()),
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
    let failure = one(mallory.to_text(), &people(&[&bob])).err().unwrap();
    assert_eq!(failure.exit, Exit::Recipient);
}

#[test]
fn a_group_gives_its_members_and_misses_nobody() {
    let bob = card("Bob", &["bob@example.org"]);
    let people = people(&[&bob]);
    let found = resolve("@g", &people, |_| Ok(vec![bob.id()])).unwrap();
    assert_eq!(found.len(), 1);
    assert!(resolve("@g", &people, |_| Ok(vec![bob.id(), RootId([7; 32])])).is_err());
    assert!(resolve("@g", &people, |_| Ok(vec![])).is_err());
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
    let path = keystore.root().join("contacts.index");
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
        let found = resolve_all(&all, &people, no_group).unwrap();
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
    let keystore = Keystore::at(known.folder.path().join("encl"));
    let lines = format!(
        "{}\tBob\tbob@example.org\n{}\tbob\tbob@example.com\n",
        one_bob.id(),
        two_bob.id()
    );
    leave_index(&keystore, &lines);
    let people = People::read(keystore).unwrap();
    let text = one("bob", &people).err().unwrap().lines().join("\n");
    assert!(text.contains("it fits 2 people"), "{text}");
    let failure = one("bob@example.net", &people).err().unwrap();
    assert_eq!(failure.exit, Exit::Recipient);
    assert_eq!(
        one("bob@example.com", &people).unwrap().names.id,
        two_bob.id()
    );
}
