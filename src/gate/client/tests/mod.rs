//! A gate of a few lines, honest or not, and everything that a client must notice.

pub(crate) mod fake;
pub(crate) mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::crypto::kdf::gate::HolderSecret;
use crate::crypto::signing::{Purpose, Signature, SigningKey};
use crate::envelope::GateSlot;
use crate::gate::protocol::SignedStatement;
use crate::gate::rules::{Refusal, Statement};
use crate::gate::scene::{key, rng, time};
use fake::{Fake, Manners, Network};
use world::World;

/// What became of asking some gates for one envelope.
struct Asked {
    replies: Vec<(usize, Result<Reply, NoReply>)>,
    news: Vec<PeerNews>,
}

impl Asked {
    fn parts(&self) -> usize {
        self.replies.iter().filter(|(_, one)| one.is_ok()).count()
    }

    fn failure(&self) -> &NoReply {
        let mut failures = self.replies.iter();
        let failure = failures.find_map(|(_, one)| one.as_ref().err());
        failure.expect("a gate failed")
    }

    fn lie(&self) -> &LieKind {
        match self.failure() {
            NoReply::Lied(lie) => &lie.kind,
            other => panic!("{other:?}"),
        }
    }
}

fn open(world: &World, kept: &[Option<KeptCheckpoint>], who: Option<&SigningKey>) -> Asked {
    let lock = world.lock();
    let slots: Vec<GateSlot> = world.slots(&lock);
    let holder = world.holder();
    let passes = [world.pass(&lock, &world.bob)];
    let question = Question {
        lock: &lock,
        wanted: Wanted::Open {
            slots: slots.iter().collect(),
            holder: &holder,
            passes: Some(&passes),
        },
        need: world.need,
    };
    ask_one(world, question, kept, who)
}

fn ask_one(
    world: &World,
    question: Question<'_>,
    kept: &[Option<KeptCheckpoint>],
    who: Option<&SigningKey>,
) -> Asked {
    let peers: Vec<Peer> = world
        .peers()
        .into_iter()
        .enumerate()
        .map(|(number, peer)| Peer {
            kept: kept.get(number).cloned().flatten(),
            ..peer
        })
        .collect();
    let asker = Asker {
        who,
        keep: false,
        now: time(1_800_000_000),
    };
    let transport: Arc<dyn Transport> = Arc::new(Network(Arc::clone(&world.fakes)));
    let mut outcome = ask(&[question], &peers, &asker, &transport, &mut rng());
    Asked {
        replies: outcome.answers.remove(0),
        news: outcome.news,
    }
}

fn kept(asked: &Asked, number: usize) -> Option<KeptCheckpoint> {
    asked.news[number]
        .log
        .as_ref()
        .map(|(kept, _)| kept.clone())
}

#[test]
fn a_part_comes_with_a_receipt_and_a_checkpoint_to_keep() {
    let world = World::new(1, 1);
    let asked = open(&world, &[], Some(&world.bob));
    let (_, reply) = &asked.replies[0];
    let Ok(Reply::Part { receipt, part, .. }) = reply else {
        panic!("{:?}", asked.failure());
    };
    assert_eq!(&part[..], world.secret.expose());
    let log = world.peers()[0].card.log_key().clone();
    receipt.place.verify(&receipt.entry, &log).unwrap();
    let again = Receipt::from_text(&receipt.to_text()).unwrap();
    assert_eq!(&again, receipt);
    // The next answer continues that.
    let first = kept(&asked, 0);
    assert_eq!(first.as_ref().unwrap().size, 2);
    let asked = open(&world, &[first], Some(&world.bob));
    assert_eq!((asked.parts(), kept(&asked, 0).unwrap().size), (1, 3));
}

#[test]
fn without_a_name_nothing_is_compared_that_the_gate_was_not_told() {
    let world = World::unlisted();
    let first = kept(&open(&world, &[], None), 0);
    let asked = open(&world, std::slice::from_ref(&first), None);
    assert_eq!(asked.parts(), 1, "{:?}", asked.replies);
    assert_eq!(kept(&asked, 0), None);
}

#[test]
fn two_of_three_asks_two_and_another_for_one_that_fails() {
    let world = World::new(2, 3);
    let asked = open(&world, &[], Some(&world.bob));
    assert_eq!((asked.parts(), asked.replies.len()), (2, 2));
    assert_eq!(world.asked(), [1, 1, 0]);
    world.set(0, Manners::Down);
    let asked = open(&world, &[], Some(&world.bob));
    assert_eq!((asked.parts(), asked.replies.len()), (2, 3));
    world.set(1, Manners::Down);
    let asked = open(&world, &[], Some(&world.bob));
    assert_eq!(asked.parts(), 1);
    assert!(matches!(asked.failure(), NoReply::Unreachable(_)));
}

#[test]
fn a_silent_gate_is_passed_over_after_two_seconds() {
    let world = World::new(1, 2);
    world.set(0, Manners::Silent);
    let begin = Instant::now();
    let asked = open(&world, &[], Some(&world.bob));
    assert_eq!(asked.parts(), 1);
    let waited = begin.elapsed();
    let expected = Duration::from_secs(2)..Duration::from_secs(6);
    assert!(expected.contains(&waited), "{waited:?}");
}

#[test]
fn an_owners_statement_ends_the_asking_and_a_gates_word_does_not() {
    let world = World::new(1, 3);
    world.set(0, Manners::Refuse(Refusal::Blocked, None));
    let asked = open(&world, &[], Some(&world.bob));
    assert_eq!(asked.parts(), 1);
    let lock = world.lock();
    let about = (lock.ticket(), Statement::Revoke);
    let blind = crate::envelope::PUBLIC_BLIND;
    let revoked = SignedStatement::new(about, time(1), blind, &world.owner);
    let forged = SignedStatement::new(about, time(1), blind, &key());
    for (statement, parts) in [(revoked, 0), (forged, 1)] {
        let bytes = Some(statement.to_bytes());
        world.set(0, Manners::Refuse(Refusal::Revoked, bytes));
        assert_eq!(open(&world, &[], Some(&world.bob)).parts(), parts);
    }
    // A statement about something else proves nothing.
    let other = (lock.ticket(), Statement::Deny(world.owner.id()));
    let other = SignedStatement::new(other, time(1), blind, &world.owner);
    world.set(0, Manners::Refuse(Refusal::Denied, Some(other.to_bytes())));
    assert_eq!(open(&world, &[], Some(&world.bob)).parts(), 1);
}

#[test]
fn a_gate_whose_clock_differs_is_asked_again_by_its_own() {
    let world = World::new(1, 1);
    world.set(0, Manners::Clock(time(1_900_000_000)));
    let asked = open(&world, &[], Some(&world.bob));
    assert_eq!(asked.parts(), 1, "{:?}", asked.replies);
    assert_eq!(world.asked(), [2]);
}

#[test]
fn a_new_key_is_taken_with_a_newer_card_from_the_same_address_only() {
    let world = World::new(1, 1);
    world.rotate(0, "http://127.0.0.1:7700");
    let asked = open(&world, &[], Some(&world.bob));
    assert_eq!(asked.parts(), 1, "{:?}", asked.replies);
    assert!(asked.news[0].card.is_some());
    let world = World::new(1, 1);
    world.rotate(0, "http://127.0.0.1:7799");
    let asked = open(&world, &[], Some(&world.bob));
    assert!(matches!(asked.failure(), NoReply::NoAnswer(_)));
    assert!(asked.news[0].card.is_none());
}

#[test]
fn a_log_that_is_shorter_or_another_one_is_a_lie() {
    let world = World::new(1, 1);
    let first = kept(&open(&world, &[], Some(&world.bob)), 0);
    let second = open(&world, std::slice::from_ref(&first), Some(&world.bob));
    let second = kept(&second, 0);
    let fake = Fake::again(&world, 0);
    world.replace(0, fake);
    let asked = open(&world, &[second], Some(&world.bob));
    assert!(matches!(asked.lie(), LieKind::Shorter { .. }));
    assert_eq!(asked.news[0].lies[0].checkpoints.len(), 2);
    let asked = open(&world, &[first], Some(&world.bob));
    assert!(matches!(asked.lie(), LieKind::Inconsistent(_)));
    assert_eq!(asked.parts(), 0);
}

#[test]
fn a_new_origin_is_a_gate_that_forgot() {
    let world = World::new(1, 1);
    let first = kept(&open(&world, &[], Some(&world.bob)), 0);
    world.fakes.lock().unwrap()[0].thaw();
    let asked = open(&world, &[first], Some(&world.bob));
    assert_eq!(asked.parts(), 1, "{:?}", asked.replies);
    assert!(asked.news[0].card.is_some());
    assert!(asked.news[0].log.as_ref().unwrap().1);
}

#[test]
fn an_entry_about_something_else_or_nowhere_is_a_lie_and_its_part_is_not_used() {
    let world = World::new(1, 1);
    for what in [
        "op",
        "ticket",
        "request",
        "item",
        "mark",
        "who",
        "number",
        "proof",
        "items",
        "request hash",
        "origin",
    ] {
        world.set(0, Manners::Lie(what));
        let asked = open(&world, &[], Some(&world.bob));
        let kind = asked.lie();
        let expected = match what {
            "proof" => matches!(kind, LieKind::NotLogged(_)),
            "items" => matches!(kind, LieKind::Items),
            "request hash" => matches!(kind, LieKind::OtherRequest),
            "origin" => matches!(kind, LieKind::Checkpoint(_)),
            _ => matches!(kind, LieKind::Entry(_)),
        };
        assert!(expected, "{what}: {kind:?}");
        assert_eq!(asked.news[0].lies.len(), 1, "{what}");
        assert!(asked.news[0].log.is_none(), "{what}");
    }
    world.set(0, Manners::Lie("part"));
    let asked = open(&world, &[], Some(&world.bob));
    let NoReply::Lied(lie) = asked.failure() else {
        panic!("{:?}", asked.failure())
    };
    assert_eq!(lie.kind, LieKind::WrongPart);
    let answer = lie.answer.as_deref().unwrap();
    let (line, signature) = answer.split_last_chunk::<64>().unwrap();
    let line = line.strip_suffix(b"\n").unwrap();
    let log = world.peers()[0].card.log_key().key;
    let signature = Signature(*signature);
    log.verify(Purpose::GateAnswer, &[line], &signature)
        .unwrap();
}

/// What is no answer of the gate is no lie either: anybody on the way can send it.
#[test]
fn bytes_of_anybody_are_no_answer_and_no_evidence() {
    let world = World::new(1, 1);
    let long = vec![0; crate::gate::protocol::ANSWER_BYTES_MAX + 1];
    for bytes in [Vec::new(), b"<html>".to_vec(), vec![0; 5_000], long] {
        world.set(0, Manners::Bytes(bytes));
        let asked = open(&world, &[], Some(&world.bob));
        assert!(matches!(asked.failure(), NoReply::NoAnswer(_)));
        assert!(asked.news[0].lies.is_empty());
    }
}

#[test]
fn statements_are_acknowledged_by_each_gate_and_read_back_by_the_owner() {
    let world = World::new(2, 3);
    let lock = world.lock();
    let blind = crate::envelope::PUBLIC_BLIND;
    let about = (lock.ticket(), Statement::Revoke);
    let statement = SignedStatement::new(about, time(1), blind, &world.owner);
    open(&world, &[], Some(&world.bob));
    let question = |wanted, need| Question {
        lock: &lock,
        wanted,
        need,
    };
    world.set(2, Manners::Down);
    let state = question(Wanted::State(&statement), 3);
    let asked = ask_one(&world, state, &[], Some(&world.owner));
    assert_eq!((asked.parts(), asked.replies.len()), (2, 3));
    let (by, from) = (&world.owner, 1);
    let log = question(Wanted::Log { by, blind, from }, 1);
    let asked = ask_one(&world, log, &[], Some(&world.owner));
    let Ok(Reply::Log(page)) = &asked.replies[0].1 else {
        panic!("{:?}", asked.failure());
    };
    let gate = world.peers()[0].card.id();
    let lines: Vec<_> = page
        .lines
        .iter()
        .filter_map(|line| audit_line(line, &lock, gate))
        .collect();
    let said: Vec<_> = lines
        .iter()
        .filter_map(|line| line.entry.as_ref())
        .map(|entry| (entry.op.word(), entry.who, entry.signed))
        .collect();
    assert_eq!(
        said,
        [
            ("open", Some(world.bob.id()), Signed::ByAsker),
            ("statement", Some(world.owner.id()), Signed::ByOwner),
        ]
    );
    let stated = lines[1].entry.as_ref().unwrap().statement;
    assert_eq!(stated, Some(Statement::Revoke));
    // An entry whose head was exchanged is the gate's word only.
    let mut page = page.clone();
    if let crate::gate::protocol::LogLine::Kept { head, .. } = &mut page.lines[0] {
        let head = head.as_mut().unwrap();
        let at = head.len() - 10;
        head[at] ^= 1;
    }
    let lines: Vec<_> = page
        .lines
        .iter()
        .filter_map(|line| audit_line(line, &lock, gate))
        .collect();
    assert_eq!(lines[0].entry.as_ref().unwrap().signed, Signed::No);
    // A gap is a lie.
    world.set(0, Manners::Lie("gap"));
    let log = question(Wanted::Log { by, blind, from }, 1);
    let asked = ask_one(&world, log, &[], Some(&world.owner));
    let lied = asked.replies.iter().any(|(_, one)| {
        let kind = one.as_ref().err();
        matches!(kind, Some(NoReply::Lied(lie)) if matches!(lie.kind, LieKind::Gap { .. }))
    });
    assert!(lied);
}

#[test]
fn many_envelopes_go_in_one_request() {
    let world = World::new(1, 1);
    let locks: Vec<_> = (0..100).map(|number| world.lock_of(number)).collect();
    let slots: Vec<_> = locks.iter().map(|lock| world.slots(lock)).collect();
    let passes: Vec<_> = locks
        .iter()
        .map(|lock| [world.pass(lock, &world.bob)])
        .collect();
    let holder: HolderSecret = world.holder();
    let questions: Vec<_> = locks
        .iter()
        .zip(&slots)
        .zip(&passes)
        .map(|((lock, slots), passes)| Question {
            lock,
            wanted: Wanted::Open {
                slots: slots.iter().collect(),
                holder: &holder,
                passes: Some(passes),
            },
            need: 1,
        })
        .collect();
    let asker = Asker {
        who: Some(&world.bob),
        keep: false,
        now: time(1_800_000_000),
    };
    let transport: Arc<dyn Transport> = Arc::new(Network(Arc::clone(&world.fakes)));
    let outcome = ask(&questions, &world.peers(), &asker, &transport, &mut rng());
    let parts = outcome.answers.iter().flatten();
    assert_eq!(parts.filter(|(_, one)| one.is_ok()).count(), 100);
    assert_eq!(world.asked(), [1]);
}
