use super::*;
use crate::crypto::signing::{Purpose, Signature, SigningKey};
use crate::crypto::{hpke, kdf};
use crate::envelope::{PUBLIC_BLIND, Ticket};
use crate::gate::rules::{Refusal, Statement};
use crate::gate::scene::{Scene, key, rng, time};
use zeroize::Zeroizing;

mod answers;
mod faults;

use faults::each_fault;

/// A request as it was sent, opened without being read.
fn text_of(scene: &Scene, sealed: &[u8]) -> Vec<u8> {
    let (id, enc, ct) = split(sealed).unwrap();
    assert_eq!(id, scene.kem.public_key().key_id());
    let info = kdf::gate::request_info(&scene.gate.id().0);
    hpke::open(&scene.kem, enc, &info, ct).unwrap().to_vec()
}

fn sealed(scene: &Scene, draft: RequestDraft<'_>) -> (Vec<u8>, Pending) {
    let gate = (scene.gate.id(), &scene.kem.public_key());
    draft.seal(gate, &mut rng()).unwrap()
}

fn statement(scene: &Scene, op: Statement) -> SignedStatement {
    let ticket = scene.lock().ticket();
    SignedStatement::new((ticket, op), time(7), PUBLIC_BLIND, &scene.owner)
}

/// One request for each op, with what signs its item.
fn asks(scene: &Scene) -> Vec<(Op, Ask, Option<&SigningKey>)> {
    let log = Ask::Log {
        by: scene.owner.id(),
        blind: PUBLIC_BLIND,
        from: 1,
    };
    let state = Ask::State {
        statement: statement(scene, Statement::Revoke).to_bytes(),
    };
    vec![
        (Op::Open, scene.open().ask, Some(&scene.holder)),
        (Op::State, state, None),
        (Op::Log, log, Some(&scene.owner)),
    ]
}

#[test]
fn a_request_arrives_as_it_was_made() {
    let scene = Scene::new();
    let lock = scene.lock();
    for (op, ask, signer) in asks(&scene) {
        let item = Item::new([7; 16], &lock, ask);
        let mut draft = scene.draft(op, vec![item.clone()], signer);
        (draft.told, draft.keep, draft.seen) = (Some(time(9)), true, Some(&b"note"[..]));
        let (bytes, pending) = sealed(&scene, draft);
        assert!(bytes.len() <= REQUEST_BYTES_MAX);
        let request = Request::open(&bytes, scene.gate.id(), &scene.kem).unwrap();
        assert_eq!(request.head, pending.head);
        assert_eq!((request.head.op, request.head.keep), (op, true));
        assert_eq!(request.head.told, Some(time(9)));
        assert_eq!(request.hash, pending.hash);
        assert_eq!(request.seen.as_deref(), Some(&b"note"[..]));
        assert!(request.reply == pending.reply.public_key());
        assert_eq!(request.items, [item]);
        assert_eq!(request.items[0].ticket(), lock.ticket());
        assert_eq!(request.items[0].commitment(), request.head.items[0]);
        assert_eq!(request.items[0].lock().unwrap(), lock);
        for other in [&scene.holder, &scene.owner, &scene.bob] {
            let is_signer = signer.is_some_and(|signer| signer.id() == other.id());
            assert_eq!(request.is_proved(0, other.id()), is_signer, "{op:?}");
        }
        assert!(!request.is_proved(1, scene.holder.id()));
    }
}

#[test]
fn every_changed_byte_of_a_request_is_found() {
    let scene = Scene::new();
    let draft = scene.draft(Op::Open, vec![scene.open()], Some(&scene.holder));
    let (bytes, _) = sealed(&scene, draft);
    let fault = |bytes: &[u8]| Request::open(bytes, scene.gate.id(), &scene.kem).err();
    assert_eq!(fault(&bytes), None);
    for at in 32..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert_eq!(fault(&bytes), Some(RequestFault::Sealed), "byte {at}");
    }
    for length in [0, 31, 32, 1_151, 1_152, bytes.len() - 1] {
        assert_eq!(fault(&bytes[..length]), Some(RequestFault::Sealed));
    }
    let long = vec![0; REQUEST_BYTES_MAX + 1];
    assert_eq!(fault(&long), Some(RequestFault::TooLong));
    let other = Request::open(&bytes, key().id(), &scene.kem).err();
    assert_eq!(other, Some(RequestFault::Sealed));
}

/// Inside of the seal, which anybody can make: each part is bound to the others.
#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let scene = Scene::new();
    let gate = scene.gate.id();
    let two = || {
        vec![
            Item {
                salt: [1; 16],
                ..scene.open()
            },
            Scene::new().open(),
        ]
    };
    let draft = scene.draft(Op::Open, two(), Some(&scene.holder));
    let text = text_of(&scene, &sealed(&scene, draft).0);
    let lines: Vec<&[u8]> = text.splitn(3, |byte| *byte == b'\n').collect();
    let [head, body, signatures] = lines[..] else {
        panic!("three parts")
    };
    let join = |parts: [&[u8]; 3]| parts.join(&b'\n');
    let fault = |text: &[u8]| Request::parse(text, gate).err();
    assert_eq!(fault(&join([head, body, signatures])), None);
    let of_other = Request::parse(&text, key().id()).err();
    assert_eq!(of_other, Some(RequestFault::Gate));
    // Signatures: one too few, one too many, a byte too many, of another, of another head.
    for wrong in [
        &signatures[64..],
        &[signatures, &[0; 64]].concat(),
        &[signatures, &[0]].concat(),
        &[],
    ] {
        let fault = fault(&join([head, body, wrong]));
        assert!(matches!(fault, Some(RequestFault::Form(_))), "{fault:?}");
    }
    let by_other = key().sign(Purpose::GateRequest, &[head]).0;
    let by_other = [&by_other, &signatures[64..]].concat();
    let refused = fault(&join([head, body, &by_other]));
    assert_eq!(refused, Some(RequestFault::Signature));
    let stripped = String::from_utf8(head.to_vec()).unwrap();
    let stripped = stripped.replacen("\"told\"", "\"keep\":true,\"told\"", 1);
    let keep = stripped.replacen(",\"reply\"", ",\"keep\":true,\"reply\"", 1);
    let refused = fault(&join([keep.as_bytes(), body, signatures]));
    assert_eq!(refused, Some(RequestFault::Signature));
    // The body of another request: another key for the answer.
    let draft = scene.draft(Op::Open, two(), Some(&scene.holder));
    let other = text_of(&scene, &sealed(&scene, draft).0);
    let other_body = other.split(|byte| *byte == b'\n').nth(1).unwrap();
    let refused = fault(&join([head, other_body, signatures]));
    assert!(
        matches!(refused, Some(RequestFault::Form(_))),
        "{refused:?}"
    );
    assert!(matches!(fault(head), Some(RequestFault::Form(_))));
    let no_body = fault(&join([head, b"", signatures]));
    assert!(matches!(no_body, Some(RequestFault::Line(_))));
    let long = [vec![b' '; HEAD_BYTES_MAX + 1], text.clone()].concat();
    assert!(matches!(fault(&long), Some(RequestFault::Form(_))));
}

#[test]
fn a_ticket_twice_and_seen_without_a_name_are_refused() {
    let scene = Scene::new();
    let items = vec![scene.open(), scene.open()];
    let draft = scene.draft(Op::Open, items, Some(&scene.holder));
    let fault = |draft: RequestDraft<'_>| {
        let (bytes, _) = sealed(&scene, draft);
        Request::open(&bytes, scene.gate.id(), &scene.kem).err()
    };
    assert_eq!(fault(draft), Some(RequestFault::Form("one ticket twice")));
    let mut unnamed = scene.draft(Op::Open, vec![scene.open()], Some(&scene.holder));
    (unnamed.who, unnamed.seen) = (None, Some(&b"note"[..]));
    assert_eq!(
        fault(unnamed),
        Some(RequestFault::Form("`seen` without `who`"))
    );
}

#[test]
fn a_draft_says_what_it_cannot_send() {
    let scene = Scene::new();
    let gate = (scene.gate.id(), &scene.kem.public_key());
    let error = |draft: RequestDraft<'_>| draft.seal(gate, &mut rng()).err();
    let open = || scene.open();
    for count in [0, ITEMS_MAX + 1] {
        let items = vec![open(); count];
        let draft = scene.draft(Op::Open, items, Some(&scene.holder));
        assert_eq!(error(draft), Some(RequestError::Items));
    }
    let wrong_op = scene.draft(Op::Log, vec![open()], Some(&scene.holder));
    assert_eq!(error(wrong_op), Some(RequestError::Item));
    let unsigned = scene.draft(Op::Open, vec![open()], None);
    assert_eq!(error(unsigned), Some(RequestError::Item));
    let large = Item {
        terms: vec![b' '; 8_192],
        ..open()
    };
    let large = scene.draft(Op::Open, vec![large; 200], Some(&scene.holder));
    assert_eq!(error(large), Some(RequestError::TooLong));
    // As many as there can be, with locks of the usual size.
    let one = open();
    let all = (0..ITEMS_MAX).map(|number| Item {
        envelope: crate::envelope::EnvelopeId(crate::crypto::sha256(&[&number.to_be_bytes()])),
        ..one.clone()
    });
    let draft = scene.draft(Op::Open, all.collect(), Some(&scene.holder));
    let (bytes, _) = sealed(&scene, draft);
    let request = Request::open(&bytes, scene.gate.id(), &scene.kem).unwrap();
    assert_eq!(request.items.len(), ITEMS_MAX);
    assert!(request.is_proved(255, scene.holder.id()));
}

/// Every member of a head missing, named otherwise, of another type, doubled; and one that is unknown.
#[test]
fn heads_with_a_fault_are_refused() {
    let scene = Scene::new();
    let mut draft = scene.draft(Op::Open, vec![scene.open()], Some(&scene.holder));
    (draft.told, draft.keep) = (Some(time(9)), true);
    let (_, pending) = sealed(&scene, draft);
    let line = String::from_utf8(pending.head_bytes).unwrap();
    assert_eq!(Head::parse(line.as_bytes()), Ok(pending.head));
    let due = ["request", "op", "gate", "at", "reply", "items"];
    each_fault(&line, &due, |line| Head::parse(line).is_err());
    for (from, to) in [
        ("\"keep\":true", "\"keep\":false"),
        ("\"op\":\"open\"", "\"op\":\"read\""),
        ("\"items\":[", "\"items\":[],\"x\":["),
        ("encl/1", "encl/2"),
    ] {
        let changed = line.replacen(from, to, 1);
        assert_ne!(changed, line);
        assert!(Head::parse(changed.as_bytes()).is_err(), "{changed}");
    }
    let hash = format!("\"{}\"", crate::json::to_b64(&[0; 32]));
    let many = vec![hash.as_str(); ITEMS_MAX + 1].join(",");
    let begin = line.find("\"items\":[").unwrap();
    let many = format!("{}\"items\":[{many}]}}", &line[..begin]);
    assert!(Head::parse(many.as_bytes()).is_err());
}

#[test]
fn bodies_with_a_fault_are_refused() {
    let scene = Scene::new();
    let lock = scene.lock();
    for (op, ask, signer) in asks(&scene) {
        let item = Item::new([7; 16], &lock, ask);
        let mut draft = scene.draft(op, vec![item], signer);
        draft.seen = Some(b"note");
        let text = text_of(&scene, &sealed(&scene, draft).0);
        let parts: Vec<&[u8]> = text.splitn(3, |byte| *byte == b'\n').collect();
        let refused = |body: &[u8]| {
            let text = [parts[0], body, parts[2]].join(&b'\n');
            Request::parse(&text, scene.gate.id()).is_err()
        };
        let body = String::from_utf8(parts[1].to_vec()).unwrap();
        assert!(!refused(body.as_bytes()));
        each_fault(&body, &["reply", "items"], |line| refused(line));
        let item = body[body.find("[{").unwrap() + 1..].trim_end_matches("]}");
        let due: &[&str] = match op {
            Op::Open => &["salt", "policy", "lock", "terms", "enc", "ct"],
            Op::State => &["salt", "policy", "lock", "terms", "statement"],
            Op::Log => &["salt", "policy", "lock", "terms", "by", "blind", "from"],
        };
        each_fault(item, due, |changed| {
            let changed = std::str::from_utf8(changed).unwrap();
            refused(body.replacen(item, changed, 1).as_bytes())
        });
        for (from, to) in [("\"lock\":1", "\"lock\":0"), ("\"lock\":1", "\"lock\":8")] {
            assert!(refused(body.replacen(from, to, 1).as_bytes()), "{to}");
        }
    }
}

#[test]
fn a_statement_comes_back_and_faults_are_refused() {
    let scene = Scene::new();
    let who = scene.bob.id();
    for op in [
        Statement::Revoke,
        Statement::Expire(time(99)),
        Statement::Deny(who),
        Statement::Allow(who),
    ] {
        let made = statement(&scene, op);
        let bytes = made.to_bytes();
        assert!(bytes.len() <= STATEMENT_BYTES_MAX);
        let read = SignedStatement::parse(&bytes).unwrap();
        assert_eq!((read.op(), &read), (op, &made));
        assert!(read.is_of(&scene.lock()) && !read.is_of(&Scene::new().lock()));
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            assert!(SignedStatement::parse(&bytes).is_err(), "byte {at}");
        }
        let end = bytes.len() - Signature::BYTES - 1;
        let line = std::str::from_utf8(&bytes[..end]).unwrap();
        let parsed = |line: &[u8]| {
            let signature = scene.owner.sign(Purpose::GateStatement, &[line]).0;
            SignedStatement::parse(&[line, b"\n", &signature].concat())
        };
        assert_eq!(parsed(line.as_bytes()).unwrap(), made);
        let due = [
            "statement",
            "ticket",
            "op",
            "at",
            "by",
            "blind",
            "who",
            "until",
        ];
        each_fault(line, &due, |line| parsed(line).is_err());
        let weak = crate::json::to_b64(&[0; 32]);
        for more in [
            format!("\"who\":\"{weak}\","),
            "\"until\":\"2026-11-30T13:00:00Z\",".into(),
        ] {
            let changed = line.replacen("\"at\"", &format!("{more}\"at\""), 1);
            assert!(parsed(changed.as_bytes()).is_err(), "{changed}");
        }
        let long = [line.as_bytes(), &[b' '; STATEMENT_BYTES_MAX]].concat();
        assert!(parsed(&long).is_err());
    }
    // Somebody else is no owner, and another envelope's owner neither.
    let stranger = SignedStatement::new(
        (scene.lock().ticket(), Statement::Revoke),
        time(7),
        PUBLIC_BLIND,
        &scene.bob,
    );
    assert!(!stranger.is_of(&scene.lock()));
}
