use super::*;
use crate::crypto::Kem;
use crate::crypto::signing::SigningKey;
use crate::json;
use proptest::prelude::*;

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn identity(kem: Kem) -> Identity {
    let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
    Identity::generate(kem, time("2026-11-24T06:24:00Z"), None, &mut rng)
}

fn request() -> CardRequest {
    CardRequest {
        name: "Bob Müller".into(),
        addresses: vec!["bob@example.org".into(), "b@example.org".into()],
        serial: 1,
        created: time("2026-11-24T06:24:00Z"),
    }
}

fn card(kem: Kem) -> Card {
    Card::new(&identity(kem), request()).unwrap()
}

/// A card's line, changed and signed again by its owner, who may be the attacker.
fn resigned(change: impl Fn(String) -> String) -> Result<Card, CardError> {
    let identity = identity(Kem::X25519);
    let card = Card::new(&identity, request()).unwrap();
    let line = change(String::from_utf8(card.to_line()).unwrap());
    let signature = identity.root().sign(Purpose::Card, &[line.as_bytes()]);
    Card::from_parts(line.as_bytes(), &signature)
}

#[test]
fn a_card_comes_back_however_it_travelled() {
    for kem in [Kem::X25519, Kem::XWing] {
        let card = card(kem);
        let text = card.to_text();
        let wrapped: Vec<_> = text
            .as_bytes()
            .chunks(70)
            .map(|line| String::from_utf8_lossy(line))
            .collect();
        for carried in [
            text.to_owned(),
            format!("\r\n  {text}\r\n"),
            wrapped.join("\n"),
            wrapped.join("\r\n "),
            format!("> {}\n", wrapped.join("\n> ")),
            format!(">> > {}\n>\n", wrapped.join("\r\n>>> ")),
        ] {
            assert!(
                Card::from_text(carried.as_bytes()).unwrap() == card,
                "{carried}"
            );
        }
    }
}

/// Two check characters miss one change in 4,096, which the signature then finds: with a random card, some runs have one.
#[test]
fn every_changed_or_lost_character_is_found_nearly_always_in_its_group() {
    let card = card(Kem::X25519);
    let text = card.to_text();
    let mut missed_by_check = 0;
    for at in PREFIX.len()..text.len() {
        let group = (at - PREFIX.len()) / 62 + 1;
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        match Card::from_text(changed.as_bytes()) {
            Err(CardError::Carrier(CarrierError::Group { group: found, .. })) => {
                assert_eq!(found, group);
            }
            Err(_) => missed_by_check += 1,
            Ok(_) => panic!("character {at} changed and not found"),
        }
        let lost = format!("{}{}", &text[..at], &text[at + 1..]);
        assert!(
            Card::from_text(lost.as_bytes()).is_err(),
            "character {at} lost and not missed"
        );
    }
    assert!(
        missed_by_check <= 8,
        "{missed_by_check} of {} missed",
        text.len()
    );
}

#[test]
fn what_no_writer_makes_is_refused_though_its_owner_signed_it() {
    assert!(resigned(|line| line).is_ok());
    let long_name = "x".repeat(257);
    let addresses: Vec<_> = (0..17).map(|i| format!("\"a{i}@b\"")).collect();
    for (from, to, class) in [
        ("encl/1", "encl/2", "newer"),
        ("\"x25519\"", "\"x448\"", "newer"),
        ("\"serial\"", "\"colour\"", "newer"),
        ("\"x25519\"", "\"x-wing\"", "key"),
        ("Bob Müller", &long_name, "limit"),
        ("Bob Müller", "", "malformed"),
        ("Bob Müller", "Bob\\u001b[2J", "malformed"),
        ("Bob Müller", "Bob\u{202e}", "malformed"),
        ("bob@example.org", "bob", "malformed"),
        ("bob@example.org", "bob@", "malformed"),
        ("bob@example.org", "@example.org", "malformed"),
        ("bob@example.org", "b@c@d", "malformed"),
        ("bob@example.org", "bob @example.org", "malformed"),
        ("bob@example.org", "B@Example.ORG", "malformed"),
        ("\"bob@example.org\",\"b@example.org\"", "", "malformed"),
        (
            "\"bob@example.org\",\"b@example.org\"",
            &addresses.join(","),
            "limit",
        ),
        ("\"serial\":1", "\"serial\":0", "malformed"),
        (
            "\"created\":\"2026-11-24T06:24:00Z\"",
            "\"created\":\"now\"",
            "malformed",
        ),
    ] {
        let error = resigned(|line| line.replace(from, to))
            .err()
            .unwrap_or_else(|| panic!("accepted: {to}"));
        let found = match error {
            CardError::Line(Error::Newer(_)) => "newer",
            CardError::Line(Error::Malformed(_)) => "malformed",
            CardError::Line(Error::OverLimit(_)) => "limit",
            CardError::Key { .. } => "key",
            other => panic!("{to}: {other}"),
        };
        assert_eq!(found, class, "{to}");
    }
}

#[test]
fn a_key_of_small_order_is_refused() {
    // The points of small order on curve25519 (RFC 7748 §6.1; cr.yp.to/ecdh.html, "How do I validate public keys?").
    let points = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for (kem, point) in [Kem::X25519, Kem::XWing]
        .into_iter()
        .flat_map(|kem| points.map(|point| (kem, point)))
    {
        let identity = identity(kem);
        let mut key = identity.keys()[0].private.public_key().as_bytes().to_vec();
        let honest = json::to_b64(&key);
        let half = key.len() - 32;
        key[half..].copy_from_slice(&hex::decode(point).unwrap());
        let line = String::from_utf8(Card::new(&identity, request()).unwrap().to_line()).unwrap();
        let line = line.replace(&honest, &json::to_b64(&key));
        let signature = identity.root().sign(Purpose::Card, &[line.as_bytes()]);
        let error = Card::from_parts(line.as_bytes(), &signature).err();
        assert_eq!(
            error,
            Some(CardError::Key {
                serial: 1,
                cause: KemError::LowOrder
            }),
            "{point}"
        );
    }
}

#[test]
fn a_card_that_somebody_else_signed_is_refused() {
    let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
    let line = card(Kem::X25519).to_line();
    let signature = SigningKey::generate(&mut rng).sign(Purpose::Card, &[&line]);
    assert_eq!(
        Card::from_parts(&line, &signature).err(),
        Some(CardError::Signature)
    );
    let wrong_purpose = identity(Kem::X25519)
        .root()
        .sign(Purpose::Envelope, &[&line]);
    assert_eq!(
        Card::from_parts(&line, &wrong_purpose).err(),
        Some(CardError::Signature)
    );
}

#[test]
fn the_newest_key_that_has_not_expired_is_current() {
    let mut card = card(Kem::X25519);
    let mut other = CardKey::from(&identity(Kem::X25519).keys()[0]);
    other.serial = 2;
    other.expires = Some(time("2027-01-01T00:00:00Z"));
    card.keys.push(other);
    assert_eq!(
        card.current_key(time("2026-12-31T23:59:59Z"))
            .unwrap()
            .serial,
        2
    );
    assert_eq!(
        card.current_key(time("2027-01-01T00:00:00Z"))
            .unwrap()
            .serial,
        1
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Card::from_text(&text);
        let _ = Card::from_text(&[PREFIX.as_bytes(), &text].concat());
    }
}
