//! Dates, clocks, what was seen before, and what follows what.

use super::*;

#[test]
fn dates_and_leases_are_by_the_gates_clock() {
    let mut scene = Scene::new();
    scene.terms.conditions = Conditions {
        not_before: Some(time(NOW)),
        expires: Some(time(NOW + 60)),
    };
    scene.terms.lease = Some(3_600);
    let mut gate = Gate::new(&scene);
    for (now, expected) in [
        (NOW - 1, "early"),
        (NOW, "open"),
        (NOW + 59, "open"),
        (NOW + 60, "expired"),
    ] {
        gate.now = now;
        assert_eq!(ask(&mut gate, &scene, open(&scene)), expected);
    }
    let mut gate = Gate::new(&scene);
    let keep = |gate: &mut Gate, keep| {
        let (bytes, pending) = sealed(
            &scene,
            RequestDraft {
                keep,
                ..open(&scene)
            },
        );
        let Said::Items { items, .. } = gate.ask(&bytes, &pending) else {
            panic!()
        };
        let ItemAnswer::Share { keep, entry, .. } = &items[0] else {
            panic!()
        };
        assert_eq!(Entry::parse(&entry.line).unwrap().lease, *keep);
        *keep
    };
    assert_eq!(keep(&mut gate, false), None);
    assert_eq!(keep(&mut gate, true), Some(time(NOW + 60)));
    ask(
        &mut gate,
        &scene,
        state(&scene, Statement::Expire(time(NOW + 30)), &scene.owner),
    );
    assert_eq!(keep(&mut gate, true), Some(time(NOW + 30)));
}

#[test]
fn a_clock_that_is_wrong_answers_nobody() {
    let scene = Scene::new();
    for away in [601, 3_600, 315_360_000] {
        for now in [NOW - away, NOW + away] {
            let mut gate = Gate::new(&scene);
            gate.now = now;
            assert_eq!(ask(&mut gate, &scene, open(&scene)), "clock");
            // Told the gate's time, the asker asks anew.
            let draft = RequestDraft {
                told: Some(time(now)),
                ..open(&scene)
            };
            assert_eq!(ask(&mut gate, &scene, draft), "open");
        }
    }
    // Backwards by two seconds is adjusting, by three it is not; entries never go back.
    let mut gate = Gate::new(&scene);
    for (now, expected) in [
        (NOW, "open"),
        (NOW - 2, "open"),
        (NOW - 3, "clock"),
        (NOW + 1, "open"),
    ] {
        gate.now = now;
        assert_eq!(ask(&mut gate, &scene, open(&scene)), expected, "{now}");
    }
    let times: Vec<_> = gate
        .ledger
        .entries()
        .iter()
        .map(|entry| entry.at.unix())
        .collect();
    assert_eq!(times, [NOW, NOW, NOW + 1]);
}

#[test]
fn what_an_asker_has_seen_is_continued_or_the_gate_freezes() {
    let scene = Scene::new();
    let mut gate = Gate::new(&scene);
    ask(&mut gate, &scene, open(&scene));
    let older = gate.checkpoint();
    for _ in 0..4 {
        ask(&mut gate, &scene, open(&scene));
    }
    let own = Checkpoint::read(older.as_bytes(), &gate.keys.note_key()).unwrap();
    let with = |seen: &str, gate: &mut Gate| {
        let seen = seen.as_bytes();
        let (bytes, pending) = sealed(
            &scene,
            RequestDraft {
                seen: Some(seen),
                ..open(&scene)
            },
        );
        gate.ask(&bytes, &pending)
    };
    let Said::Items {
        checkpoint,
        consistency,
        ..
    } = with(&older, &mut gate)
    else {
        panic!()
    };
    let head = Checkpoint::read(&checkpoint, &gate.keys.note_key()).unwrap();
    verify_consistency((own.size, &own.root), (head.size, &head.root), &consistency).unwrap();
    // Signed by another, of another log, nonsense: nothing is proved, nothing happens.
    let newer = Checkpoint {
        size: 99,
        ..own.clone()
    };
    let other_log = Checkpoint {
        origin: "gate/2".into(),
        ..newer.clone()
    };
    for nothing in [
        newer.sign(&key()),
        other_log.sign(&gate.keys.log),
        "nonsense".into(),
    ] {
        let Said::Items { consistency, .. } = with(&nothing, &mut gate) else {
            panic!()
        };
        assert!(consistency.is_empty());
    }
    // Signed by this gate, or its former key, and not continued.
    let former = key();
    let forked = Checkpoint {
        root: [1; 32],
        ..own
    };
    for seen in [
        newer.sign(&gate.keys.log),
        forked.sign(&gate.keys.log),
        newer.sign(&former),
    ] {
        gate.keys.former = vec![former.id()];
        gate.ledger.is_frozen = false;
        let entries = gate.ledger.entries().len();
        assert_eq!(with(&seen, &mut gate), Said::Refused(Refusal::Frozen));
        assert_eq!(gate.ledger.entries().len(), entries, "a fork is not signed");
        assert_eq!(ask(&mut gate, &scene, open(&scene)), "frozen");
        assert_eq!(
            ask(
                &mut gate,
                &scene,
                state(&scene, Statement::Revoke, &scene.owner)
            ),
            "frozen"
        );
    }
}

#[test]
fn refusals_over_the_budget_are_said_and_not_logged() {
    let scene = Scene::new();
    let mut gate = Gate::new(&scene);
    ask(
        &mut gate,
        &scene,
        state(&scene, Statement::Revoke, &scene.owner),
    );
    gate.refusals = 11;
    for number in 1..20 {
        assert_eq!(ask(&mut gate, &scene, open(&scene)), "revoked");
        assert_eq!(gate.ledger.size(), 1 + number.min(10));
    }
}

/// 10,000 orders of openings and a revocation on one gate, each request up to three times: after the acknowledgement nothing opens.
#[test]
fn interleavings() {
    let mut random = rand::rngs::StdRng::seed_from_u64(15);
    let scene = Scene::new();
    let opens: Vec<_> = (0..6).map(|_| sealed(&scene, open(&scene))).collect();
    let revoke = sealed(&scene, state(&scene, Statement::Revoke, &scene.owner));
    let count = if std::env::var_os("ENCL_SWEEP").is_some() {
        10_000
    } else {
        200
    };
    for _ in 0..count {
        let mut gate = Gate::new(&scene);
        gate.refusals = u32::MAX;
        let mut order: Vec<Option<usize>> = (0..6)
            .flat_map(|one| vec![Some(one); random.random_range(1..=3)])
            .collect();
        order.extend(vec![None; random.random_range(1..=2)]);
        order.shuffle(&mut random);
        let mut is_revoked = false;
        for step in order {
            let (bytes, pending) = step.map_or(&revoke, |one| &opens[one]);
            let said = gate.ask(bytes, pending);
            let expected = match (step, is_revoked) {
                (None, _) => "stated",
                (Some(_), false) => "open",
                (Some(_), true) => "revoked",
            };
            assert_eq!(word(&said), expected);
            is_revoked |= step.is_none();
        }
        let opened = gate
            .ledger
            .entries()
            .iter()
            .filter(|entry| entry.op == EntryOp::Open)
            .count();
        assert!(opened <= 6);
    }
}
