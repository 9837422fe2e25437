//! Who is answered, who is not, and what owners say.

use super::*;

#[test]
fn a_reader_with_a_pass_is_given_the_part_and_it_is_logged() {
    let scene = Scene::new();
    let mut gate = Gate::new(&scene);
    let (bytes, pending) = sealed(&scene, open(&scene));
    let Said::Items { items, .. } = gate.ask(&bytes, &pending) else {
        panic!("refused")
    };
    let ItemAnswer::Share {
        part,
        keep: None,
        entry,
    } = &items[0]
    else {
        panic!("{items:?}")
    };
    assert_eq!(part[..], scene.secret.expose()[..]);
    let entry = Entry::parse(&entry.line).unwrap();
    assert_eq!(entry.ticket, Some(scene.lock().ticket()));
    assert_eq!((entry.n, entry.who), (Some(1), Some(scene.bob.id())));
    assert_eq!((entry.request, entry.item), (Some(pending.hash), Some(0)));
    assert_eq!(entry.mark, Some(pending.items[0].salt));
    // The same again: the same entry. After a revocation: refused, with the statement and one entry of its own.
    assert_eq!(word(&gate.ask(&bytes, &pending)), "open");
    assert_eq!(gate.ledger.size(), 1);
    let revoke = state(&scene, Statement::Revoke, &scene.owner);
    let (revoke, revoking) = sealed(&scene, revoke);
    for _ in 0..2 {
        assert_eq!(word(&gate.ask(&revoke, &revoking)), "stated");
        assert_eq!(gate.ledger.size(), 2);
    }
    for _ in 0..3 {
        let said = gate.ask(&bytes, &pending);
        let Said::Items { items, .. } = &said else {
            panic!()
        };
        let ItemAnswer::Refused {
            reason: Refusal::Revoked,
            statement: Some(statement),
            entry: Some(entry),
        } = &items[0]
        else {
            panic!("{items:?}")
        };
        let statement = SignedStatement::parse(statement).unwrap();
        assert!(statement.is_of(&scene.lock()));
        assert_eq!(
            Entry::parse(&entry.line).unwrap().statement,
            Some(statement.hash())
        );
        assert_eq!(gate.ledger.size(), 3);
    }
}

/// Who is not admitted, and who is: each case with its word, and how many entries it leaves.
#[test]
fn admission() {
    let scene = Scene::new();
    let stranger = key();
    let pass_of = |who: RootId| Some(scene.pass(who));
    let with = |pass| {
        let mut item = scene.open();
        let Ask::Open { pass: own, .. } = &mut item.ask else {
            panic!()
        };
        *own = pass;
        item
    };
    for (who, pass, holder, expected) in [
        (
            Some(&scene.bob),
            pass_of(scene.bob.id()),
            &scene.holder,
            "open",
        ),
        (Some(&scene.bob), None, &scene.holder, "unknown"),
        (
            Some(&scene.bob),
            pass_of(stranger.id()),
            &scene.holder,
            "unknown",
        ),
        (
            Some(&stranger),
            pass_of(scene.bob.id()),
            &scene.holder,
            "unknown",
        ),
        (None, pass_of(scene.bob.id()), &scene.holder, "unknown"),
        (
            Some(&scene.bob),
            pass_of(scene.bob.id()),
            &stranger,
            "unknown",
        ),
        (
            Some(&scene.bob),
            pass_of(scene.bob.id()),
            &scene.bob,
            "unknown",
        ),
    ] {
        let mut gate = Gate::new(&scene);
        let mut draft = scene.draft(Op::Open, vec![with(pass)], Some(holder));
        draft.who = who;
        assert_eq!(ask(&mut gate, &scene, draft), expected);
        assert_eq!(gate.ledger.size(), u64::from(expected == "open"));
        // Who is not known learns nothing of a revocation.
        ask(
            &mut gate,
            &scene,
            state(&scene, Statement::Revoke, &scene.owner),
        );
        let mut draft = scene.draft(Op::Open, vec![with(pass)], Some(holder));
        draft.who = who;
        let expected = if expected == "open" {
            "revoked"
        } else {
            expected
        };
        assert_eq!(ask(&mut gate, &scene, draft), expected);
    }
    // Without a list every holder is admitted, also without a name; allow and deny mean nothing.
    let mut scene = Scene::new();
    scene.terms.members = None;
    let mut gate = Gate::new(&scene);
    let mut draft = open(&scene);
    draft.who = None;
    assert_eq!(ask(&mut gate, &scene, draft), "open");
    for op in [Statement::Allow(key().id()), Statement::Deny(key().id())] {
        assert_eq!(
            ask(&mut gate, &scene, state(&scene, op, &scene.owner)),
            "unknown"
        );
    }
}

#[test]
fn terms_and_slots_that_do_not_belong_together_are_broken() {
    let scene = Scene::new();
    let mut gate = Gate::new(&scene);
    let mut broken = |change: &dyn Fn(&mut Item)| {
        let mut item = scene.open();
        change(&mut item);
        let draft = scene.draft(Op::Open, vec![item], Some(&scene.holder));
        ask(&mut gate, &scene, draft)
    };
    assert_eq!(broken(&|_| {}), "open");
    assert_eq!(broken(&|item| item.terms.push(b' ')), "broken");
    assert_eq!(broken(&|item| item.terms.truncate(9)), "broken");
    assert_eq!(broken(&|item| item.envelope.0[0] ^= 1), "unknown");
    assert_eq!(broken(&|item| item.number = 2), "unknown");
    let flip = |at: usize| {
        move |item: &mut Item| {
            let Ask::Open { enc, ct, .. } = &mut item.ask else {
                panic!()
            };
            let mut all = enc.iter_mut().chain(ct);
            *all.nth(at).unwrap() ^= 1;
        }
    };
    for at in [0, 1_119, 1_120, 1_167] {
        assert_eq!(broken(&flip(at)), "broken", "{at}");
    }
    assert_eq!(gate.ledger.size(), 1);
    // Without a list nothing but the slot itself is bound to the envelope; its info is.
    let mut scene = Scene::new();
    scene.terms.members = None;
    let mut gate = Gate::new(&scene);
    let mut item = scene.open();
    item.envelope.0[0] ^= 1;
    let draft = scene.draft(Op::Open, vec![item], Some(&scene.holder));
    assert_eq!(ask(&mut gate, &scene, draft), "broken");
    // Another gate's lock, and another key of this gate.
    let other = Scene::new();
    let draft = scene.draft(Op::Open, vec![other.open()], Some(&other.holder));
    assert_eq!(ask(&mut gate, &scene, draft), "broken");
    assert_eq!(gate.ledger.size(), 0);
}

#[test]
fn statements_are_taken_from_owners_only() {
    let scene = Scene::new();
    let mut gate = Gate::new(&scene);
    for by in [&key(), &scene.bob, &scene.holder, &scene.list, &scene.gate] {
        let draft = state(&scene, Statement::Revoke, by);
        assert_eq!(ask(&mut gate, &scene, draft), "unknown");
    }
    // Of another ticket of the same owner.
    let mut other = Scene::new();
    other.terms.owners.clone_from(&scene.terms.owners);
    let of_other = SignedStatement::new(
        (other.lock().ticket(), Statement::Revoke),
        time(NOW),
        PUBLIC_BLIND,
        &scene.owner,
    );
    let ask_other = Ask::State {
        statement: of_other.to_bytes(),
    };
    let item = Item::new([1; 16], &scene.lock(), ask_other);
    let draft = scene.draft(Op::State, vec![item], None);
    assert_eq!(ask(&mut gate, &scene, draft), "unknown");
    assert_eq!(gate.ledger.size(), 0);
    // Deny beats allow in both orders.
    for first_deny in [true, false] {
        let mut gate = Gate::new(&scene);
        let who = scene.bob.id();
        let mut both = [Statement::Deny(who), Statement::Allow(who)];
        both.sort_by_key(|op| matches!(op, Statement::Deny(_)) != first_deny);
        for op in both {
            assert_eq!(
                ask(&mut gate, &scene, state(&scene, op, &scene.owner)),
                "stated"
            );
        }
        assert_eq!(ask(&mut gate, &scene, open(&scene)), "denied");
    }
    // Somebody without a pass is allowed; a blocked owner says nothing any more.
    let carol = key();
    let allow = || state(&scene, Statement::Allow(carol.id()), &scene.owner);
    let by_carol = || {
        let mut draft = open(&scene);
        draft.who = Some(&carol);
        draft
    };
    assert_eq!(ask(&mut gate, &scene, by_carol()), "unknown");
    gate.ledger.blocked.insert(scene.owner.id());
    assert_eq!(ask(&mut gate, &scene, allow()), "unknown");
    gate.ledger.blocked.clear();
    assert_eq!(ask(&mut gate, &scene, allow()), "stated");
    assert_eq!(ask(&mut gate, &scene, by_carol()), "open");
}
