//! What a witness cosigns, and what not.

use super::*;

/// Computed by another program (Python's `hashlib` and `cryptography`) from the text of the specification.
#[test]
fn a_cosignature_is_that_of_another_program() {
    let witness = SigningKey::new(crate::crypto::Secret::new([5; 32]));
    let text = "gate.example.org/1\n2\na2OiDMP5/0YpGHmpsTYKZqQV76qkjiS4ocApnrZ8cuk=\n";
    let at = crate::time::Time::from_unix(1_796_126_400).unwrap();
    let line = "\u{2014} witness.example/1 ayfikQAAAABrDrbA3tWf9y1hkm7pVXsUnUF75GR26nP4GwNTl0/wbHSsJ8X7+WqT7A2uj05zIXiLaL6F\
                xzN9Izlzx95dcC8EFQB4CQ==\n";
    assert_eq!(cosign(text, "witness.example/1", &witness, at), line);
    // Below the note of a log it says nothing about the log, and the log's own signature nothing about the witness.
    let log = key();
    let note = SignedNote::sign(text, "gate.example.org/1", &log).to_text() + line;
    let read = SignedNote::read(note.as_bytes()).unwrap();
    let known = NoteKey {
        name: "witness.example/1".into(),
        key: witness.id(),
    };
    assert_eq!(read.cosignature(&known), Ok((line.to_owned(), at.unix())));
    assert_eq!(read.verify(&known), Err(NoteError::NotSigned));
    assert_eq!(read.verify(&log_key(&log)), Ok(()));
    assert_eq!(read.cosignature(&log_key(&log)), Err(NoteError::NotSigned));
    assert_eq!(read.to_text(), note);
    // Every byte counts: of the line, and of what was cosigned.
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        let changed = SignedNote::read(&bytes).map_err(drop);
        let cosigned = changed.and_then(|note| note.cosignature(&known).map_err(drop));
        let is_of_log = at > text.len() && at < note.len() - line.len();
        assert!(cosigned.is_err() || is_of_log, "byte {at}");
    }
}

/// A witness of the same name and key as the log is told from it by the type of the signature.
#[test]
fn a_log_that_cosigns_itself() {
    let log = key();
    let own = log_key(&log);
    let text = format!("{}\n0\n{}\n", own.name, json::to_b64(&sha256(&[])));
    let at = crate::time::Time::from_unix(1_796_126_400).unwrap();
    let line = cosign(&text, &own.name, &log, at);
    let only = SignedNote::read(format!("{text}\n{line}").as_bytes()).unwrap();
    assert_eq!(only.verify(&own), Err(NoteError::NotSigned));
    assert_eq!(only.cosignature(&own), Ok((line, at.unix())));
}

fn submission(stored: &Stored, log: &SigningKey, old: u64, size: u64) -> Submission {
    let checkpoint = Checkpoint {
        origin: log_key(log).name,
        size,
        root: stored.root(size),
    };
    Submission {
        old,
        proof: if old <= size {
            stored.consistency(old, size)
        } else {
            Vec::new()
        },
        note: checkpoint.sign(log),
    }
}

#[test]
fn a_witness_cosigns_what_continues_and_nothing_else() {
    let (log, stored) = (key(), Stored::with(40));
    let known = log_key(&log);
    for size in 0..=40 {
        for old in 0..=size {
            let seen = Witnessed {
                size: old,
                root: stored.root(old),
            };
            let sent = submission(&stored, &log, old, size);
            let checkpoint = sent.check(&known, &seen).unwrap();
            assert_eq!(
                (checkpoint.size, checkpoint.root),
                (size, stored.root(size))
            );
            let later = Witnessed {
                size,
                root: stored.root(size),
            };
            let again = if old == size {
                Ok(checkpoint)
            } else {
                Err(NotWitnessed::Conflict(size))
            };
            assert_eq!(sent.check(&known, &later), again, "{old} to {size}");
            let forked = Witnessed {
                root: sha256(&[b"another past"]),
                ..seen
            };
            let refused = if old == size {
                NotWitnessed::Conflict(old)
            } else {
                NotWitnessed::Proof
            };
            assert_eq!(sent.check(&known, &forked), Err(refused), "{old} to {size}");
        }
    }
    let seen = Witnessed {
        size: 7,
        root: stored.root(7),
    };
    let good = submission(&stored, &log, 7, 20);
    assert!(good.check(&known, &seen).is_ok());
    assert_eq!(good.check(&log_key(&key()), &seen), Err(NotWitnessed::Key));
    let shrunk = submission(&stored, &log, 8, 7);
    assert_eq!(shrunk.check(&known, &seen), Err(NotWitnessed::Form));
    let changed = |change: &dyn Fn(&mut Submission)| {
        let mut sent = good.clone();
        change(&mut sent);
        sent.check(&known, &seen)
    };
    assert_eq!(
        changed(&|sent| sent.proof[0][0] ^= 1),
        Err(NotWitnessed::Proof)
    );
    assert_eq!(
        changed(&|sent| sent.proof.truncate(sent.proof.len() - 1)),
        Err(NotWitnessed::Proof)
    );
    assert_eq!(
        changed(&|sent| sent.proof.push([0; 32])),
        Err(NotWitnessed::Proof)
    );
    assert_eq!(
        changed(&|sent| sent.note.push('x')),
        Err(NotWitnessed::Form)
    );
    assert_eq!(
        changed(&|sent| sent.note = sent.note.replacen("\n20\n", "\n21\n", 1)),
        Err(NotWitnessed::Key)
    );
    // The first one has no proof: an empty log is the beginning of each.
    let first = submission(&stored, &log, 0, 20);
    let nothing = Witnessed {
        size: 0,
        root: sha256(&[]),
    };
    assert!(first.check(&known, &nothing).is_ok());
    let with_proof = Submission {
        proof: vec![[0; 32]],
        ..first
    };
    assert_eq!(with_proof.check(&known, &nothing), Err(NotWitnessed::Proof));
}

#[test]
fn a_submission_is_read_as_it_is_written() {
    let (log, stored) = (key(), Stored::with(300));
    for (old, size) in [(0, 300), (300, 300), (7, 300), (255, 299)] {
        let sent = submission(&stored, &log, old, size);
        let body = sent.to_body();
        assert_eq!(Submission::parse(body.as_bytes()), Some(sent.clone()));
        assert_eq!(sent.origin(), "gate.example.org/1");
        assert_eq!(Submission::parse(body.as_bytes()).unwrap().to_body(), body);
    }
    let whole = submission(&stored, &log, 7, 300);
    let body = whole.to_body();
    assert!(whole.check(&log_key(&log), &seen(&stored)).is_ok());
    for (from, to) in [
        ("old 7", "old 07"),
        ("old 7", "old +7"),
        ("old 7", "Old 7"),
        ("old 7", "old 7 "),
        ("old 7", "old 18446744073709551616"),
        ("old 7\n", ""),
        ("=\n", "\n"),
        ("\n\n", "\n"),
    ] {
        let changed = body.replacen(from, to, 1);
        assert_ne!(changed, body, "{from} {to}");
        let read = Submission::parse(changed.as_bytes());
        let is_refused =
            read.is_none_or(|read| read.check(&log_key(&log), &seen(&stored)).is_err());
        assert!(is_refused, "{from} {to}");
    }
    let lines = |count| {
        format!(
            "old 7\n{}\nx",
            format!("{}\n", json::to_b64(&[0; 32])).repeat(count)
        )
    };
    assert!(Submission::parse(lines(63).as_bytes()).is_some());
    assert!(Submission::parse(lines(64).as_bytes()).is_none());
    let of_bytes = |count: usize| {
        let head = "old 7\n\n";
        format!("{head}{}", "x".repeat(count - head.len()))
    };
    assert!(Submission::parse(of_bytes(SUBMISSION_BYTES_MAX).as_bytes()).is_some());
    assert!(Submission::parse(of_bytes(SUBMISSION_BYTES_MAX + 1).as_bytes()).is_none());
    assert!(Submission::parse(&[0xff; 10]).is_none());
}

fn seen(stored: &Stored) -> Witnessed {
    Witnessed {
        size: 7,
        root: stored.root(7),
    }
}
