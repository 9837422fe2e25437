//! What is said to a gate and by it: a request's three parts, answers, entries, statements, cards, gate locks alone, checkpoints for
//! witnesses and their cosignatures.

use encl::crypto::signing::Purpose;
use encl::envelope::{EnvelopeId, GateLock};
use encl::gate::card::GateCard;
use encl::gate::log::{NoteKey, SignedNote, Submission, Tile, Witnessed};
use encl::gate::protocol::{Answer, Entry, Op, Request, SignedStatement};

use crate::author;

/// One input.
pub fn run(input: &[u8]) {
    if let Ok(request) = Request::parse(input, author().id()) {
        for (number, item) in request.items.iter().enumerate() {
            let _ = (item.lock(), request.is_proved(number, author().id()));
        }
    }
    let line = input.split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default();
    for op in [Op::Open, Op::State, Op::Log] {
        if let Ok(answer) = Answer::parse(line, op) {
            assert!(Answer::parse(&answer.to_line(), op).is_ok());
        }
    }
    if let Ok(entry) = Entry::parse(line) {
        assert_eq!(Entry::parse(&entry.to_line()), Ok(entry));
    }
    let signed = author().sign(Purpose::GateStatement, &[line]);
    let statement = [line, b"\n", &signed.0].concat();
    if let Ok(statement) = SignedStatement::parse(&statement) {
        assert_eq!(statement.by(), author().id());
    }
    let _ = GateCard::from_text(input);
    witness(input);
    let path = std::str::from_utf8(line).ok();
    if let Some(tile) = path.and_then(Tile::parse) {
        assert!((1..=256).contains(&tile.width()));
        let _ = tile.in_tree(u64::MAX);
    }
    if let Ok(lock) = GateLock::parse(EnvelopeId([7; 32]), 1, line) {
        assert_eq!(lock.bytes(), line);
        assert!(!lock.terms().gates.is_empty());
    }
}

/// What a witness is given, and what it gives.
fn witness(input: &[u8]) {
    let key = NoteKey {
        name: "gate.example.org/1".to_owned(),
        key: author().id(),
    };
    let seen = Witnessed {
        size: 1,
        root: [7; 32],
    };
    if let Some(sent) = Submission::parse(input) {
        assert_eq!(sent.to_body().as_bytes(), input);
        let _ = (sent.check(&key, &seen), sent.text());
    }
    if let Ok(note) = SignedNote::read(input) {
        assert_eq!(note.to_text().as_bytes(), input);
        let _ = (note.verify(&key), note.cosignature(&key));
    }
}
