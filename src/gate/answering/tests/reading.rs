//! Blocks, and reading the log.

use super::*;

#[test]
fn blocks_stop_askers_owners_readers_and_all_that_an_author_sealed() {
    let scene = Scene::new();
    let mut gate = Gate::new(&scene);
    gate.ledger.blocked.insert(scene.bob.id());
    let (bytes, pending) = sealed(&scene, open(&scene));
    for _ in 0..2 {
        assert_eq!(gate.ask(&bytes, &pending), Said::Refused(Refusal::Blocked));
        assert_eq!(gate.ledger.size(), 1);
    }
    gate.ledger.blocked.insert(scene.owner.id());
    let mut draft = log(&scene, &scene.owner, 1);
    draft.who = None;
    assert_eq!(ask(&mut gate, &scene, draft), "unknown");
    gate.ledger.blocked.clear();
    assert_eq!(ask(&mut gate, &scene, open(&scene)), "open");
    gate.ledger.authors = vec![key().id(), scene.owner.id()];
    assert_eq!(ask(&mut gate, &scene, open(&scene)), "blocked");
    gate.ledger.authors.pop();
    assert_eq!(ask(&mut gate, &scene, open(&scene)), "open");
}

#[test]
fn owners_read_the_log_and_nobody_else() {
    let scene = Scene::new();
    let mut gate = Gate::new(&scene);
    for _ in 0..5 {
        assert_eq!(ask(&mut gate, &scene, open(&scene)), "open");
    }
    ask(
        &mut gate,
        &scene,
        state(&scene, Statement::Revoke, &scene.owner),
    );
    ask(&mut gate, &scene, open(&scene));
    for by in [&scene.bob, &key()] {
        assert_eq!(ask(&mut gate, &scene, log(&scene, by, 1)), "unknown");
    }
    let mut seen = Vec::new();
    for from in [1, 4, 8] {
        let (bytes, pending) = sealed(&scene, log(&scene, &scene.owner, from));
        let Said::Items {
            items, checkpoint, ..
        } = gate.ask(&bytes, &pending)
        else {
            panic!()
        };
        let head = Checkpoint::read(&checkpoint, &gate.keys.note_key()).unwrap();
        let ItemAnswer::Log(page) = &items[0] else {
            panic!()
        };
        assert!(!page.more);
        for (number, line) in (from..).zip(&page.lines) {
            let LogLine::Kept {
                entry,
                head: asked,
                who,
                proof,
                statement,
            } = line
            else {
                panic!()
            };
            let parsed = Entry::parse(&entry.line).unwrap();
            assert_eq!(parsed.n, Some(number));
            verify_inclusion(
                &leaf_hash(&entry.line),
                (parsed.seq, head.size),
                &entry.proof,
                &head.root,
            )
            .unwrap();
            let asked = asked.as_ref().unwrap();
            let signed = scene.bob.id().verify(
                crate::crypto::signing::Purpose::GateRequest,
                &[asked],
                &who.unwrap(),
            );
            assert_eq!(signed, Ok(()));
            assert_eq!(proof.is_some(), parsed.op != EntryOp::Statement);
            assert_eq!(statement.is_some(), parsed.op == EntryOp::Statement);
        }
        seen.push(page.lines.len());
    }
    assert_eq!(seen, [7, 4, 0]);
}

#[test]
fn a_log_that_does_not_fit_comes_in_pages() {
    let scene = Scene::new();
    let mut gate = Gate::new(&scene);
    // Heads of 256 items are the largest that are kept.
    let filler = |number: u32| Item {
        envelope: crate::envelope::EnvelopeId(crate::crypto::sha256(&[&number.to_be_bytes()])),
        ..scene.open()
    };
    for _ in 0..60 {
        let items = std::iter::once(scene.open())
            .chain((0..255).map(filler))
            .collect();
        ask(
            &mut gate,
            &scene,
            scene.draft(Op::Open, items, Some(&scene.holder)),
        );
    }
    let (mut from, mut pages) = (1, 0);
    loop {
        let (bytes, pending) = sealed(&scene, log(&scene, &scene.owner, from));
        let Said::Items { items, .. } = gate.ask(&bytes, &pending) else {
            panic!()
        };
        let ItemAnswer::Log(page) = &items[0] else {
            panic!()
        };
        assert!(!page.lines.is_empty());
        from += page.lines.len() as u64;
        pages += 1;
        if !page.more {
            break;
        }
    }
    assert_eq!((from, pages), (61, 2));
}
