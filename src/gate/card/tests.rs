use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::*;
use crate::crypto::PrivateKey;

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn time() -> Time {
    "2026-11-30T13:00:00Z".parse().unwrap()
}

fn card_key(kem: Kem, serial: u32) -> CardKey {
    CardKey {
        public: PrivateKey::generate(kem, &mut rng()).public_key(),
        serial,
        created: time(),
        expires: None,
    }
}

struct Gate {
    root: SigningKey,
    log: NoteKey,
    url: GateUrl,
}

impl Gate {
    fn new() -> Self {
        Self {
            root: SigningKey::generate(&mut rng()),
            log: NoteKey {
                name: "gate.example.org/1".into(),
                key: SigningKey::generate(&mut rng()).id(),
            },
            url: GateUrl::parse("https://gate.example.org").unwrap(),
        }
    }

    fn card(&self, after: u64, keys: &[CardKey]) -> Result<GateCard, GateCardError> {
        let request = GateCardRequest {
            name: "Gate of the office",
            url: &self.url,
            after,
            created: time(),
            log: &self.log,
            keys,
        };
        GateCard::new(&self.root, &request)
    }

    fn signed(&self, line: &str) -> Result<GateCard, GateCardError> {
        let signature = self.root.sign(Purpose::GateCard, &[line.as_bytes()]);
        GateCard::from_text(carrier::write(PREFIX, line.as_bytes(), &signature).as_bytes())
    }
}

fn line_of(card: &GateCard) -> String {
    let carried = carrier::read(PREFIX, card.to_text().as_bytes()).unwrap();
    String::from_utf8(carried.line).unwrap()
}

#[test]
fn what_was_signed_is_read_back_however_it_was_wrapped_and_quoted() {
    let gate = Gate::new();
    let keys = [card_key(Kem::XWing, 2), card_key(Kem::XWing, 1)];
    let card = gate.card(0, &keys).unwrap();
    assert_eq!((card.id(), card.url()), (gate.root.id(), &gate.url));
    assert_eq!(card.log_key(), &gate.log);
    assert_eq!(card.serial(), time().unix());
    assert!(*card.newest_key() == keys[0].public);
    assert!(card.keys() == keys && GateCard::is_text(card.to_text()));
    let wrapped = card.to_wrapped_text();
    let quoted = wrapped.replace('\n', "\r\n> > ");
    for text in [card.to_text(), &wrapped, &quoted] {
        assert!(GateCard::from_text(text.as_bytes()).unwrap() == card);
    }
    assert_eq!(
        gate.card(5_000_000_000, &keys).unwrap().serial(),
        5_000_000_001
    );
}

/// Each member missing, of another type, unknown, out of its bounds: signed anew by the gate, which may be the attacker.
#[test]
fn what_is_no_card_of_a_gate_is_refused() {
    let gate = Gate::new();
    let good = gate.card(0, &[card_key(Kem::XWing, 1)]).unwrap();
    let line = line_of(&good);
    assert!(gate.signed(&line).unwrap() == good);
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    let members: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 9);
    for member in members {
        let text = format!("\"{member}\":");
        for changed in [
            line.replacen(&text, &format!("\"{member}x\":"), 1),
            line.replacen(&text, &format!("{text}[7],\"x\":"), 1),
            line.replacen(&text, &format!("{text}7,{text}"), 1),
        ] {
            let refused = gate.signed(&changed);
            assert!(matches!(refused, Err(CardError::Line(_))), "{changed}");
        }
    }
    let long = format!("\"name\":\"{}\"", "n".repeat(NAME_BYTES_MAX + 1));
    for (from, to) in [
        ("https://gate", "https://bob@gate"),
        ("example.org\",\"serial", "example.org/gate\",\"serial"),
        ("\"serial\":1", "\"serial\":0,\"was\":1"),
        ("gate.example.org/1", "gate example"),
        ("gate.example.org/1", "gate+example"),
        ("gate.example.org/1", ""),
        ("\"encl/1\"", "\"encl/2\""),
        ("\"x-wing\"", "\"x448\""),
        ("\"name\":\"Gate of the office\"", &long),
    ] {
        let changed = line.replacen(from, to, 1);
        assert_ne!(changed, line, "{from}");
        let refused = gate.signed(&changed);
        assert!(matches!(refused, Err(CardError::Line(_))), "{changed}");
    }
    let log = json::to_b64(&gate.log.key.0);
    let weak = line.replacen(&log, &json::to_b64(&[0; 32]), 1);
    assert!(matches!(gate.signed(&weak), Err(CardError::Line(_))));
}

#[test]
fn every_changed_byte_and_another_signer_are_found() {
    let (gate, other) = (Gate::new(), Gate::new());
    let card = gate.card(0, &[card_key(Kem::XWing, 1)]).unwrap();
    let line = line_of(&card);
    let of_other = other.signed(&line).err();
    assert_eq!(of_other, Some(CardError::Signature));
    let other_purpose = gate.root.sign(Purpose::Card, &[line.as_bytes()]);
    let text = carrier::write(PREFIX, line.as_bytes(), &other_purpose);
    let refused = GateCard::from_text(text.as_bytes()).err();
    assert_eq!(refused, Some(CardError::Signature));
    for at in (0..card.to_text().len()).step_by(7) {
        let mut bytes = card.to_text().as_bytes().to_vec();
        bytes[at] ^= 1;
        assert!(GateCard::from_text(&bytes).is_err(), "byte {at}");
    }
}

#[test]
fn only_x_wing_keys_and_at_least_one() {
    let gate = Gate::new();
    for keys in [
        vec![],
        vec![card_key(Kem::X25519, 1)],
        vec![card_key(Kem::XWing, 1), card_key(Kem::X25519, 2)],
        vec![card_key(Kem::XWing, 1), card_key(Kem::XWing, 1)],
    ] {
        assert!(matches!(gate.card(0, &keys), Err(CardError::Line(_))));
    }
}
