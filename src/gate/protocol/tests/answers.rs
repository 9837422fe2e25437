//! Entries and answers.

use super::*;
use crate::gate::log::Hash;

fn entry() -> Entry {
    Entry {
        seq: 12,
        ticket: Some(Ticket([1; 32])),
        n: Some(3),
        who: Some(key().id()),
        request: Some([2; 32]),
        item: Some(255),
        mark: Some([3; 16]),
        reason: Some(Refusal::Revoked),
        statement: Some([4; 32]),
        lease: Some(time(12)),
        card: Some([5; 32]),
        before: Some(b"note".to_vec()),
        ..Entry::new(EntryOp::Refuse, time(5), [9; 16])
    }
}

#[test]
fn an_entry_comes_back_and_faults_are_refused() {
    let bare = Entry::new(EntryOp::Start, time(5), [9; 16]);
    for entry in [bare, entry()] {
        assert_eq!(Entry::parse(&entry.to_line()), Ok(entry));
    }
    let line = String::from_utf8(entry().to_line()).unwrap();
    let due = ["entry", "seq", "at", "salt", "op"];
    each_fault(&line, &due, |line| {
        // An empty checkpoint is as good as any text here.
        let is_open = line.windows(11).any(|part| part == b"\"before\":\"\"");
        is_open || Entry::parse(line).is_err()
    });
    let far = line.replacen("\"item\":255", "\"item\":256", 1);
    assert!(Entry::parse(far.as_bytes()).is_err());
    let long = [line.as_bytes(), &[b' '; ENTRY_BYTES_MAX]].concat();
    assert!(Entry::parse(&long).is_err());
}

fn logged() -> LoggedEntry {
    LoggedEntry {
        line: entry().to_line(),
        proof: vec![[6; 32], [7; 32]],
    }
}

/// Every kind of answer to an item of a request with an op.
fn items(op: Op) -> Vec<ItemAnswer> {
    let refused = ItemAnswer::refused(Refusal::Unknown);
    let shown = ItemAnswer::Refused {
        reason: Refusal::Revoked,
        statement: (op == Op::Open).then(|| b"statement".to_vec()),
        entry: (op != Op::Log).then(logged),
    };
    let share = |keep| ItemAnswer::Share {
        part: Zeroizing::new(vec![8; 33]),
        keep,
        entry: logged(),
    };
    let lines = vec![
        LogLine::Kept {
            entry: logged(),
            head: Some(b"head".to_vec()),
            who: Some(Signature([1; 64])),
            proof: Some(Signature([2; 64])),
            statement: Some(b"statement".to_vec()),
        },
        LogLine::Kept {
            entry: logged(),
            head: None,
            who: None,
            proof: None,
            statement: None,
        },
        LogLine::Erased {
            seq: 4,
            n: 2,
            leaf: [5; 32],
            proof: vec![[6; 32]],
        },
    ];
    let own = match op {
        Op::Open => vec![share(None), share(Some(time(77)))],
        Op::State => vec![ItemAnswer::Stated(logged())],
        Op::Log => vec![
            ItemAnswer::Log(LogPage { lines, more: true }),
            ItemAnswer::Log(LogPage::default()),
        ],
    };
    own.into_iter().chain([refused, shown]).collect()
}

fn answer(request: Hash, op: Op) -> Answer {
    Answer {
        request,
        at: time(5),
        said: Said::Items {
            items: items(op),
            checkpoint: b"checkpoint".to_vec(),
            consistency: vec![[3; 32]],
        },
    }
}

#[test]
fn an_answer_comes_back_and_every_changed_byte_is_found() {
    let (scene, log) = (Scene::new(), key());
    let lock = scene.lock();
    for (op, ask, signer) in asks(&scene) {
        let item = Item::new([7; 16], &lock, ask);
        let (_, pending) = sealed(&scene, scene.draft(op, vec![item], signer));
        let reply = pending.reply.public_key();
        let full = answer(pending.hash, op);
        let refused = Answer {
            said: Said::Refused(Refusal::Frozen),
            ..answer(pending.hash, op)
        };
        for answer in [full, refused] {
            assert!(answer.to_line().len() <= answer.bytes_expected());
            let bytes = answer.seal(&log, &reply, &mut rng());
            assert_eq!(Answer::open(&bytes, &pending, log.id()), Ok(answer));
            for at in (0..bytes.len()).step_by(3) {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1;
                let refused = Answer::open(&bytes, &pending, log.id());
                assert_eq!(refused, Err(AnswerError::Sealed), "byte {at}");
            }
            let short = Answer::open(&bytes[..1_000], &pending, log.id());
            assert_eq!(short, Err(AnswerError::Sealed));
            let forged = Answer::open(&bytes, &pending, key().id());
            assert_eq!(forged, Err(AnswerError::Signature));
        }
    }
    let long = vec![0; ANSWER_BYTES_MAX + 1];
    let draft = scene.draft(Op::Open, vec![scene.open()], Some(&scene.holder));
    let (_, pending) = sealed(&scene, draft);
    let refused = Answer::open(&long, &pending, log.id());
    assert_eq!(refused, Err(AnswerError::TooLong));
}

/// The gate seals the answer to one request under the name of another: nobody else can, and it is still found.
#[test]
fn the_answer_to_another_request_is_refused() {
    let (scene, log) = (Scene::new(), key());
    let draft = || scene.draft(Op::Open, vec![scene.open()], Some(&scene.holder));
    let ((_, first), (_, second)) = (sealed(&scene, draft()), sealed(&scene, draft()));
    let bytes = answer(first.hash, Op::Open).seal(&log, &second.reply.public_key(), &mut rng());
    let refused = Answer::open(&bytes, &second, log.id());
    assert_eq!(refused, Err(AnswerError::Sealed));
    let line = answer(first.hash, Op::Open).to_line();
    let signature = log.sign(Purpose::GateAnswer, &[&line]).0;
    let text = [&line[..], b"\n", &signature].concat();
    let info = kdf::gate::answer_info(&second.hash);
    let forged = hpke::seal(&second.reply.public_key(), &info, &text, &mut rng()).unwrap();
    let forged = [forged.enc, forged.ct].concat();
    let refused = Answer::open(&forged, &second, log.id());
    assert_eq!(refused, Err(AnswerError::Request));
}

/// The same answer twice has no key in common, though the request is the same.
#[test]
fn an_answer_is_sealed_anew_each_time() {
    let (scene, log) = (Scene::new(), key());
    let draft = scene.draft(Op::Open, vec![scene.open()], Some(&scene.holder));
    let (_, pending) = sealed(&scene, draft);
    let answer = answer(pending.hash, Op::Open);
    let reply = pending.reply.public_key();
    let [first, second] = [(); 2].map(|()| answer.seal(&log, &reply, &mut rng()));
    assert_eq!(first.len(), second.len());
    let same = first
        .iter()
        .zip(&second)
        .filter(|(one, other)| one == other);
    assert!(same.count() < first.len() / 32);
}

#[test]
fn answers_with_a_fault_are_refused() {
    for op in [Op::Open, Op::State, Op::Log] {
        let whole = answer([1; 32], op);
        let line = String::from_utf8(whole.to_line().to_vec()).unwrap();
        assert_eq!(Answer::parse(line.as_bytes(), op), Ok(whole));
        let due = ["answer", "request", "at", "items", "checkpoint"];
        each_fault(&line, &due, |line| {
            // No items, an empty checkpoint and an empty proof have the right form; the asker compares them.
            let texts = ["\"items\":[]", "\"checkpoint\":\"\"", "\"consistency\":[]"];
            let is_form =
                |text: &&str| line.windows(text.len()).any(|part| part == text.as_bytes());
            texts.iter().any(is_form) || Answer::parse(line, op).is_err()
        });
        let both = line.replacen("\"items\"", "\"refused\":\"frozen\",\"items\"", 1);
        assert!(Answer::parse(both.as_bytes(), op).is_err());
        for other in [Op::Open, Op::State, Op::Log]
            .into_iter()
            .filter(|other| *other != op)
        {
            assert!(Answer::parse(line.as_bytes(), other).is_err());
        }
    }
    let open = String::from_utf8(answer([1; 32], Op::Open).to_line().to_vec()).unwrap();
    let log = String::from_utf8(answer([1; 32], Op::Log).to_line().to_vec()).unwrap();
    let part = crate::json::to_b64(&[8; 33]);
    let part_long = crate::json::to_b64(&[8; 34]);
    let proof = format!("\"{}\"", crate::json::to_b64(&[6; 32]));
    let long_proof = vec![proof.as_str(); 130].join(",");
    let long_proof = format!("\"proof\":[{long_proof},");
    for (op, line, from, to) in [
        (Op::Open, &open, part.as_str(), part_long.as_str()),
        (Op::Open, &open, part.as_str(), ""),
        (
            Op::Open,
            &open,
            "\"share\"",
            "\"refused\":\"denied\",\"share\"",
        ),
        (Op::Open, &open, "\"share\"", "\"more\":true,\"share\""),
        (
            Op::Open,
            &open,
            "\"refused\":\"unknown\"",
            "\"refused\":\"maybe\"",
        ),
        (Op::Open, &open, "\"refused\":\"unknown\"", ""),
        (Op::Open, &open, ",\"proof\":[", ",\"prof\":["),
        (Op::Open, &open, "\"proof\":[", &long_proof),
        (Op::Log, &log, "\"erased\"", "\"head\":\"\",\"erased\""),
        (Op::Log, &log, "\"erased\"", "\"entry\""),
        (Op::Log, &log, "\"seq\":4,", ""),
        (Op::Log, &log, "\"n\":2,", ""),
        (Op::Log, &log, "\"more\":true", "\"more\":false"),
    ] {
        let changed = line.replacen(from, to, 1);
        assert_ne!(&changed, line, "{from}");
        assert!(
            Answer::parse(changed.as_bytes(), op).is_err(),
            "{from} {to}"
        );
    }
}
