use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::memory::Memory;
use super::*;
use crate::crypto::signing::{RootId, SigningKey};
use crate::crypto::{PrivateKey, Secret};
use crate::envelope::PUBLIC_BLIND;
use crate::gate::log::leaf_hash;
use crate::gate::log::{Checkpoint, root, verify_consistency, verify_inclusion};
use crate::gate::protocol::*;
use crate::gate::rules::{Refusal, Statement};
use crate::gate::scene::{Scene, key, rng, time};
use crate::policy::Conditions;

/// The time of the requests of the scene.
const NOW: u64 = 1_800_000_000;

struct Gate {
    keys: GateKeys,
    ledger: Memory,
    now: u64,
    refusals: u32,
}

impl Gate {
    fn new(scene: &Scene) -> Self {
        let kem = PrivateKey::new(scene.kem.kem(), Secret::new(*scene.kem.secret().expose()));
        Self {
            keys: GateKeys {
                id: scene.gate.id(),
                log: key(),
                origin: "gate/1".into(),
                former: Vec::new(),
                kem: vec![kem],
            },
            ledger: Memory::default(),
            now: NOW,
            refusals: 100,
        }
    }

    fn checkpoint(&self) -> String {
        let size = self.ledger.size();
        let Ok(root) = root(&self.ledger, size);
        let origin = self.keys.origin.clone();
        Checkpoint { origin, size, root }.sign(&self.keys.log)
    }

    /// Answers a request that was sealed for this gate, and checks all proofs of the answer.
    fn ask(&mut self, bytes: &[u8], pending: &Pending) -> Said {
        let key = self.keys.kem_key(split(bytes).unwrap().0).unwrap();
        let request = Request::open(bytes, self.keys.id, key).unwrap();
        let prepared = Prepared::new(&self.keys, request);
        let left = &mut self.refusals;
        let moment = Moment {
            keys: &self.keys,
            now: time(self.now),
            rng: &mut rng(),
            may_log: &mut |_| {
                *left = left.saturating_sub(1);
                *left > 0
            },
        };
        let Ok(decided) = prepared.decide(&mut self.ledger, moment);
        let (size, checkpoint) = (self.ledger.size(), self.checkpoint());
        let Ok(answer) = decided.answer(&self.ledger, size, &checkpoint);
        let sealed = answer.seal(&self.keys.log, &pending.reply.public_key(), &mut rng());
        assert!(sealed.len() <= ANSWER_BYTES_MAX);
        let answer = Answer::open(&sealed, pending, self.keys.log.id()).unwrap();
        self.check(&answer.said);
        answer.said
    }

    fn check(&self, said: &Said) {
        let Said::Items {
            items, checkpoint, ..
        } = said
        else {
            return;
        };
        let head = Checkpoint::read(checkpoint, &self.keys.note_key()).unwrap();
        for item in items {
            let entry = match item {
                ItemAnswer::Share { entry, .. } | ItemAnswer::Stated(entry) => entry,
                ItemAnswer::Refused {
                    entry: Some(entry), ..
                } => entry,
                _ => continue,
            };
            let place = (Entry::parse(&entry.line).unwrap().seq, head.size);
            verify_inclusion(&leaf_hash(&entry.line), place, &entry.proof, &head.root).unwrap();
        }
    }
}

fn sealed(scene: &Scene, draft: RequestDraft<'_>) -> (Vec<u8>, Pending) {
    let gate = (scene.gate.id(), &scene.kem.public_key());
    draft.seal(gate, &mut rng()).unwrap()
}

fn open(scene: &Scene) -> RequestDraft<'_> {
    scene.draft(Op::Open, vec![scene.open()], Some(&scene.holder))
}

fn state<'a>(scene: &'a Scene, op: Statement, by: &SigningKey) -> RequestDraft<'a> {
    let lock = scene.lock();
    let statement = SignedStatement::new((lock.ticket(), op), time(NOW), PUBLIC_BLIND, by);
    let ask = Ask::State {
        statement: statement.to_bytes(),
    };
    scene.draft(Op::State, vec![Item::new([1; 16], &lock, ask)], None)
}

fn log<'a>(scene: &'a Scene, by: &'a SigningKey, from: u64) -> RequestDraft<'a> {
    let ask = Ask::Log {
        by: by.id(),
        blind: PUBLIC_BLIND,
        from,
    };
    let item = Item::new([1; 16], &scene.lock(), ask);
    scene.draft(Op::Log, vec![item], Some(by))
}

/// The word of the first item, or of the whole answer.
fn word(said: &Said) -> &'static str {
    match said {
        Said::Refused(refusal) => refusal.word(),
        Said::Items { items, .. } => match &items[0] {
            ItemAnswer::Share { .. } => "open",
            ItemAnswer::Refused { reason, .. } => reason.word(),
            ItemAnswer::Stated(_) => "stated",
            ItemAnswer::Log(_) => "log",
        },
    }
}

fn ask(gate: &mut Gate, scene: &Scene, draft: RequestDraft<'_>) -> &'static str {
    let (bytes, pending) = sealed(scene, draft);
    word(&gate.ask(&bytes, &pending))
}

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
            let all = enc.iter_mut().chain(ct);
            *all.skip(at).next().unwrap() ^= 1;
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
        assert_eq!(with(&seen, &mut gate), Said::Refused(Refusal::Frozen));
        assert_eq!(gate.ledger.entries().last().unwrap().op, EntryOp::Freeze);
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
