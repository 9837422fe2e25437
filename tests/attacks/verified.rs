//! What was verified is a key with a name and addresses: neither a later card nor another key takes them over.

use encl::crypto::Kem;
use encl::identity::{Card, CardRequest, Identity, Predecessor};
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::scene::{Author, Scene};

/// Alice has verified Vera.
fn scene() -> (Scene, Author) {
    let scene = Scene::with_alice();
    let vera = Author::new("Vera", &["vera@example.org", "v@example.org"]);
    scene.add("alice", &vera.card);
    verify(&scene, "vera@example.org", &[]);
    (scene, vera)
}

/// Alice compares the number by its code.
fn verify(scene: &Scene, who: &str, more: &[&str]) {
    let number = scene.run("alice", &["--no-input", "contact", "verify", who]);
    let code = ["contact", "verify", who, "--code", &number.stdout];
    scene.ok("alice", &[&code[..], more].concat());
}

/// How wrapping for this WHO ends, without and with `--require-verified`.
fn wraps(scene: &Scene, who: &str) -> (i32, i32) {
    let wrap = ["wrap", "note", "--to", who, "-o", "out", "--force"];
    let verified = [&wrap[..], &["--require-verified"]].concat();
    (
        scene.run("alice", &wrap).exit,
        scene.run("alice", &verified).exit,
    )
}

#[test]
fn h6_a_later_card_adds_nothing_to_what_was_verified() {
    let (scene, vera) = scene();
    let later = vera.later("Carol CEO", &["ceo@example.org", "vera@example.org"]);
    scene.add("alice", &later);
    let listed = scene.ok("alice", &["contact", "list"]).stdout;
    assert!(
        listed.contains("Vera <vera@example.org>  verified; calls itself \"Carol CEO\" now"),
        "{listed}"
    );
    // The address that the later card left out stays hers.
    for who in ["vera@example.org", "v@example.org", "Vera"] {
        assert_eq!(wraps(&scene, who), (0, 0), "{who}");
    }
    let line = scene.ok("alice", &["inspect", "out"]).stdout;
    assert!(line.contains("Vera") && !line.contains("Carol"), "{line}");
    for who in ["ceo@example.org", "Carol CEO"] {
        assert_eq!(wraps(&scene, who), (7, 7), "{who}");
    }
    let same_key = ["contact", "verify", "vera@example.org", "--same-key"];
    scene.fails("alice", &same_key, 2);
    scene.ok("alice", &[&same_key[..], &["--yes"]].concat());
    for (who, exits) in [
        ("ceo@example.org", (0, 0)),
        ("Carol CEO", (0, 0)),
        ("Vera", (7, 7)),
        ("v@example.org", (7, 7)),
    ] {
        assert_eq!(wraps(&scene, who), exits, "{who}");
    }
}

#[test]
fn h6_only_the_named_addresses_are_verified() {
    let scene = Scene::with_alice();
    let vera = Author::new("Vera", &["vera@example.org", "v@example.org"]);
    scene.add("alice", &vera.card);
    let number = scene.run(
        "alice",
        &["--no-input", "contact", "verify", "vera@example.org"],
    );
    let code = [
        "contact",
        "verify",
        "vera@example.org",
        "--code",
        &number.stdout,
        "--address",
    ];
    scene.fails("alice", &[&code[..], &["other@example.org"]].concat(), 2);
    scene.ok("alice", &[&code[..], &["v@example.org"]].concat());
    assert_eq!(wraps(&scene, "v@example.org"), (0, 0));
    assert_eq!(wraps(&scene, "vera@example.org"), (7, 7));
    let shown = scene
        .ok("alice", &["--json", "contact", "show", "Vera"])
        .stdout;
    assert!(
        shown.contains("\"addresses\":[\"v@example.org\"]"),
        "{shown}"
    );
}

#[test]
fn h6_a_verified_address_is_not_verified_for_another_key() {
    let (scene, _vera) = scene();
    // As another program may leave it in the folder.
    let other = Author::new("Other", &["other@example.org", "vera@example.org"]);
    scene.leave("alice", &other.card, "added");
    assert_eq!(wraps(&scene, "vera@example.org"), (0, 0));
    verify(&scene, "other@example.org", &[]);
    assert_eq!(wraps(&scene, "other@example.org"), (0, 0));
    let shown = scene
        .ok("alice", &["--json", "contact", "show", "Other"])
        .stdout;
    assert!(
        shown.contains("\"addresses\":[\"other@example.org\"]}"),
        "{shown}"
    );
    // Whoever is removed leaves the address.
    scene.ok("alice", &["contact", "remove", "vera@example.org", "--yes"]);
    assert_eq!(wraps(&scene, "vera@example.org"), (7, 7));
}

#[test]
fn m2_two_verified_contacts_of_one_name_are_told_apart() {
    let (scene, _vera) = scene();
    let second = Author::new("Vera", &["vera@example.com"]);
    scene.add("alice", &second.card);
    assert_eq!(wraps(&scene, "Vera"), (0, 0));
    verify(&scene, "vera@example.com", &[]);
    assert_eq!(wraps(&scene, "Vera"), (7, 7));
    // Also when one of them is taken out of the folder.
    let file = scene
        .keystore("alice")
        .root()
        .join("contacts")
        .join(second.id());
    std::fs::remove_file(file).unwrap();
    assert_eq!(wraps(&scene, "Vera"), (7, 7));
    assert_eq!(wraps(&scene, "vera@example.org"), (0, 0));
}

#[test]
fn m2_whoever_comes_in_the_place_of_a_verified_contact_is_not_verified() {
    let (scene, vera) = scene();
    let identity = Identity::generate(Kem::X25519, now(), None, &mut UnwrapErr(SysRng));
    let request = CardRequest {
        name: "Vera".to_owned(),
        addresses: vec!["vera@example.org".to_owned()],
        serial: 1,
        created: now(),
    };
    let signed = Predecessor::new(&vera.identity, identity.id());
    let successor = Card::replacing(&identity, request, &[signed]).unwrap();
    scene.add("alice", &successor);
    for who in ["vera@example.org", "Vera"] {
        assert_eq!(wraps(&scene, who), (0, 7), "{who}");
    }
    verify(&scene, "vera@example.org", &[]);
    for who in ["vera@example.org", "Vera"] {
        assert_eq!(wraps(&scene, who), (0, 0), "{who}");
    }
    // Nothing is left of the key from before.
    scene.fails("alice", &["contact", "remove", &vera.id(), "--yes"], 7);
}

fn now() -> Time {
    "2026-11-24T06:24:00Z".parse().unwrap()
}
