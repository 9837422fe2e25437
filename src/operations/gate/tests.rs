//! Three gates of which each is well, down, revoked, forgetful or a liar, with and without a helper: what opens, and who is named.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::*;
use crate::envelope::{GateQuestion, PUBLIC_BLIND};
use crate::gate::client::KeptCheckpoint;
use crate::gate::client::LieKind;
use crate::gate::client::tests::fake::{Fake, Manners, Network};
use crate::gate::client::tests::world::World;
use crate::gate::protocol::SignedStatement;
use crate::gate::rules::{Refusal, Statement};
use crate::gate::scene::{rng, time};
use crate::keystore::{GateOffer, SealedWithGate};

const GATES: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Well,
    Down,
    Revoked,
    Forgetful,
    /// It gives another part than the author's, or one whose entry is not in its log.
    Lying,
}

const SHAPES: [Shape; 5] = [
    Shape::Well,
    Shape::Down,
    Shape::Revoked,
    Shape::Forgetful,
    Shape::Lying,
];

/// A keystore with the gates of a world, which are called 0, 1 and 2.
fn keystore_of(world: &World) -> (tempfile::TempDir, Keystore) {
    let folder = tempfile::tempdir().unwrap();
    let keystore = Keystore::at(folder.path().join("encl"));
    let keystore = keystore.with_state(folder.path().join("state"));
    for (number, peer) in world.peers().iter().enumerate() {
        let name = number.to_string();
        let offer = GateOffer {
            card: &peer.card,
            name: Some(&name),
            ca: None,
            is_backed_up: false,
        };
        let change = keystore.compare_gate(&offer).unwrap();
        keystore.accept_gate(&offer, &change, time(1)).unwrap();
    }
    (folder, keystore)
}

fn shape(world: &World, number: usize, shape: Shape) {
    let lock = world.lock();
    match shape {
        Shape::Well => {}
        Shape::Down => world.set(number, Manners::Down),
        Shape::Revoked => {
            let about = (lock.ticket(), Statement::Revoke);
            let revoked = SignedStatement::new(about, time(1), PUBLIC_BLIND, &world.owner);
            let shown = Some(revoked.to_bytes());
            world.set(number, Manners::Refuse(Refusal::Revoked, shown));
        }
        Shape::Forgetful => world.fakes.lock().unwrap()[number].thaw(),
        Shape::Lying if number == 1 => world.set(number, Manners::Lie("proof")),
        Shape::Lying => world.set(number, Manners::Lie("part")),
    }
}

/// What the rule says: gates are asked in their order, as many as are missing, another for each that fails, and an owner's statement
/// ends it.
struct Expected {
    opens: bool,
    is_revoked: bool,
    /// Liars and gates that forgot, which were asked and waited for.
    noticed: BTreeSet<usize>,
}

fn expected(shapes: [Shape; GATES], missing: usize) -> Expected {
    let mut parts = 0;
    let mut noticed = BTreeSet::new();
    for (number, shape) in shapes.into_iter().enumerate() {
        match shape {
            Shape::Revoked => {
                // Those that are asked together with it may answer too late to be heard.
                if missing > 1 {
                    noticed.clear();
                }
                return Expected {
                    opens: false,
                    is_revoked: true,
                    noticed,
                };
            }
            Shape::Well | Shape::Forgetful => parts += 1,
            Shape::Down | Shape::Lying => {}
        }
        if matches!(shape, Shape::Lying | Shape::Forgetful) {
            noticed.insert(number);
        }
        if parts == missing {
            break;
        }
    }
    Expected {
        opens: parts == missing,
        is_revoked: false,
        noticed,
    }
}

fn run(shapes: [Shape; GATES], need: usize, helpers: usize) {
    let case = format!("{shapes:?}, {need} needed, {helpers} helping");
    let missing = need - helpers;
    let world = World::new(need, GATES);
    let (_folder, keystore) = keystore_of(&world);
    let transport: Arc<dyn Transport> = Arc::new(Network(Arc::clone(&world.fakes)));
    let notices = Mutex::new(Vec::new());
    let hear = |notice: &GateNotice| notices.lock().unwrap().push(notice.clone());
    let gates = Gates::read(&keystore, transport, time(1_800_000_000), hear).unwrap();
    let lock = world.lock();
    let slots = world.slots(&lock);
    let holder = world.holder();
    let passes = [world.pass(&lock, &world.bob)];
    let question = GateQuestion {
        lock: &lock,
        slots: slots.iter().collect(),
        holder: &holder,
        passes: Some(&passes),
        missing: u8::try_from(missing).unwrap(),
    };
    let all = GateQuestion {
        slots: slots.iter().collect(),
        missing: u8::try_from(GATES).unwrap(),
        ..question
    };
    // All are known from before.
    gates.ask(&all, Some(&world.bob), &mut rng()).unwrap();
    for (number, one) in shapes.into_iter().enumerate() {
        shape(&world, number, one);
    }
    let asked = gates.ask(&question, Some(&world.bob), &mut rng());
    let due = expected(shapes, missing);
    assert_eq!(asked.is_ok(), due.opens, "{case}: {:?}", asked.err());
    let lies = due
        .noticed
        .iter()
        .any(|number| shapes[*number] == Shape::Lying);
    match asked {
        Ok(asked) => assert!(asked.parts.len() >= missing, "{case}"),
        Err(AskError::Refused(refused)) => {
            assert!(due.is_revoked && refused.proof.is_some(), "{case}");
        }
        Err(AskError::Forged(deceit)) => {
            let number: usize = deceit.gate.parse().unwrap();
            assert!(!due.is_revoked && shapes[number] == Shape::Lying, "{case}");
        }
        Err(AskError::Unreachable(_)) => assert!(!due.is_revoked && !lies, "{case}"),
        Err(other) => panic!("{case}: {other}"),
    }
    let mut named = BTreeSet::new();
    for notice in notices.lock().unwrap().iter() {
        let number = match notice {
            GateNotice::Lied(deceit) => {
                let evidence = std::fs::read_to_string(deceit.evidence.as_ref().unwrap()).unwrap();
                let is_wrong_part = deceit.what == LieKind::WrongPart;
                assert_eq!(evidence.contains("\"answer\""), is_wrong_part, "{case}");
                let number: usize = deceit.gate.parse().unwrap();
                assert!(shapes[number] == Shape::Lying, "{case}: {}", deceit.what);
                number
            }
            GateNotice::Forgot { gate } => {
                let number = gate.parse().unwrap();
                assert_eq!(shapes[number], Shape::Forgetful, "{case}");
                number
            }
            _ => continue,
        };
        named.insert(number);
    }
    assert!(named.is_superset(&due.noticed), "{case}: {named:?}");
}

/// Two of three, with and without a helper; `ENCL_SWEEP=full` tries all other numbers as well.
#[test]
fn every_subset_opens_as_the_rule_says_and_the_liar_is_named() {
    let is_full = std::env::var_os("ENCL_SWEEP").is_some_and(|sweep| sweep == "full");
    let numbers: &[(usize, usize)] = match is_full {
        true => &[(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)],
        false => &[(2, 0), (2, 1)],
    };
    let pairs = SHAPES
        .iter()
        .flat_map(|one| SHAPES.map(|other| (*one, other)));
    let subsets = pairs.flat_map(|(one, other)| SHAPES.map(|third| [one, other, third]));
    let subsets: Vec<_> = subsets.collect();
    assert_eq!(subsets.len(), 125);
    let run_some = |some: &[[Shape; GATES]]| {
        for subset in some {
            for (need, helpers) in numbers {
                run(*subset, *need, *helpers);
            }
        }
    };
    // Most of the time is spent waiting for the disk.
    std::thread::scope(|scope| {
        for some in subsets.chunks(16) {
            scope.spawn(move || run_some(some));
        }
    });
}

/// The gates of a world, as an owner or a reader with this keystore asks them.
fn gates<'a>(world: &World, keystore: &'a Keystore) -> Gates<'a> {
    let transport: Arc<dyn Transport> = Arc::new(Network(Arc::clone(&world.fakes)));
    Gates::read(keystore, transport, time(1_800_000_000), |_| {}).unwrap()
}

fn owner(world: &World) -> Owner<'_> {
    Owner {
        key: &world.owner,
        blind: PUBLIC_BLIND,
    }
}

fn record(world: &World) -> SealedWithGate {
    SealedWithGate::new(world.lock(), time(1), None)
}

fn open(world: &World, gates: &Gates<'_>) -> Result<Asked, AskError> {
    let lock = world.lock();
    let (slots, holder) = (world.slots(&lock), world.holder());
    let passes = [world.pass(&lock, &world.bob)];
    let question = GateQuestion {
        lock: &lock,
        slots: slots.iter().collect(),
        holder: &holder,
        passes: Some(&passes),
        missing: u8::try_from(world.need).unwrap(),
    };
    gates.ask(&question, Some(&world.bob), &mut rng())
}

/// What an owner took away from another machine is known to the gates only.
#[test]
fn restrictions_from_another_machine_are_learned_and_carried_on() {
    let world = World::new(2, 3);
    let ((_one, first), (_other, second)) = (keystore_of(&world), keystore_of(&world));
    let denied = Statement::Deny(world.bob.id());
    world.set(2, Manners::Down);
    let told = gates(&world, &first).state(&record(&world), denied, owner(&world), &mut rng());
    assert_eq!(told.unwrap().acknowledged.certainty(), Certainty::Sure);
    let here = gates(&world, &second);
    assert!(here.kept_state(&record(&world)).unwrap().denied.is_empty());
    let known = here.known_state(&record(&world), owner(&world), &mut rng());
    let known = known.unwrap();
    assert!(known.state.denied.contains(&world.bob.id()) && known.is_complete);
    assert_eq!(known.unreached.len(), 1);
    assert_eq!(here.kept_state(&record(&world)).unwrap(), known.state);
    // The third gate hears of it from this machine.
    world.set(2, Manners::Honest);
    let mut reading = Reading {
        sink: &mut (),
        from: None,
    };
    let read = here.refreshed_logs(&record(&world), owner(&world), &mut reading, &mut rng());
    let (logs, carried) = read.unwrap();
    assert_eq!(carried, 1);
    let least = here.least_known(&record(&world), &logs).unwrap().unwrap();
    assert_eq!((least.known, least.certainty()), (3, Certainty::Sure));
    // One gate that answers is too few: the two others may know more.
    world.set(1, Manners::Down);
    world.set(2, Manners::Down);
    let known = here.known_state(&record(&world), owner(&world), &mut rng());
    assert!(!known.unwrap().is_complete);
}

#[test]
fn nothing_is_certain_where_nothing_was_said_or_too_few_know() {
    let world = World::new(1, 3);
    let (_folder, keystore) = keystore_of(&world);
    let gates = gates(&world, &keystore);
    let record = record(&world);
    assert!(gates.least_known(&record, &[]).unwrap().is_none());
    world.set(0, Manners::Down);
    let told = gates.state(&record, Statement::Revoke, owner(&world), &mut rng());
    let due = Certainty::NotYet { needed: 3 };
    assert_eq!(told.unwrap().acknowledged.certainty(), due);
    let least = gates.least_known(&record, &[]).unwrap().unwrap();
    assert_eq!((least.known, least.certainty()), (2, due));
}

/// Counts entries, and how often a log begins.
#[derive(Default)]
struct Count(usize, Vec<u64>);

impl EntrySink for Count {
    fn begin(&mut self, _: &GateContact) -> std::io::Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn entry(&mut self, line: &crate::gate::client::AuditLine) -> std::io::Result<()> {
        self.1.push(line.number);
        Ok(())
    }
}

#[test]
fn a_log_of_many_pages_is_read_to_its_end() {
    let world = World::new(1, 1);
    let (_folder, keystore) = keystore_of(&world);
    let gates = gates(&world, &keystore);
    for _ in 0..7 {
        open(&world, &gates).unwrap();
    }
    let mut count = Count::default();
    let mut reading = Reading {
        sink: &mut count,
        from: None,
    };
    let read = gates.refreshed_logs(&record(&world), owner(&world), &mut reading, &mut rng());
    let (mut logs, _) = read.unwrap();
    let log = logs.remove(0).1.ok().unwrap();
    assert_eq!((log.entries, log.openings), (7, 7));
    assert_eq!(count.1, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(count.0, 1);
}

#[test]
fn a_log_without_an_end_is_not_read_for_ever() {
    let world = World::new(1, 1);
    let (_folder, keystore) = keystore_of(&world);
    let gates = gates(&world, &keystore);
    let read = || {
        let mut reading = Reading {
            sink: &mut (),
            from: None,
        };
        let read = gates.refreshed_logs(&record(&world), owner(&world), &mut reading, &mut rng());
        read.unwrap().0.remove(0).1
    };
    let is_endless = |log| matches!(log, Err(LogError::Endless));
    for _ in 0..3 {
        open(&world, &gates).unwrap();
    }
    world.set(0, Manners::Lie("more"));
    assert!(is_endless(read()));
    world.set(0, Manners::Honest);
    assert!(read().is_ok());
    // More entries than are read of one envelope, which are 16 in tests.
    for _ in 0..14 {
        open(&world, &gates).unwrap();
    }
    assert!(is_endless(read()));
}

#[test]
fn checkpoints_of_two_sizes_are_compared_by_the_gates_log() {
    let world = World::new(1, 1);
    let (_folder, keystore) = keystore_of(&world);
    let gates = gates(&world, &keystore);
    let gate = gates.known()[0].clone();
    let checkpoint = || {
        let note = world.fakes.lock().unwrap()[0].checkpoint();
        KeptCheckpoint::read(note.as_bytes(), gate.card.log_key()).unwrap()
    };
    open(&world, &gates).unwrap();
    let early = checkpoint();
    for _ in 0..4 {
        open(&world, &gates).unwrap();
    }
    let late = checkpoint();
    let compare = |one, other| gates.compare(&gate, (one, other));
    assert_eq!(compare(&late, &early).unwrap(), Compared::Continues);
    assert_eq!(compare(&late, &late).unwrap(), Compared::Same);
    // Anybody on the way could give an old checkpoint, or hashes of his own: neither shows that the gate lied.
    let again = Fake::again(&world, 0);
    let honest = world.replace(0, again);
    let earlier = compare(&early, &late);
    assert!(matches!(earlier, Err(CompareError::Earlier)), "{earlier:?}");
    world.replace(0, honest);
    world.set(0, Manners::Lie("tiles"));
    let unproved = compare(&early, &late);
    assert!(
        matches!(unproved, Err(CompareError::Unproved)),
        "{unproved:?}"
    );
    // An old copy was put back, and went on in another way.
    world.replace(0, Fake::again(&world, 0));
    let (_new, new) = keystore_of(&world);
    let fresh = self::gates(&world, &new);
    for _ in 0..6 {
        open(&world, &fresh).unwrap();
    }
    let now = checkpoint();
    let is_fork = |compared| matches!(compared, Ok(Compared::Forked(LieKind::Inconsistent(_))));
    assert!(is_fork(compare(&early, &now)));
    assert!(is_fork(compare(&late, &now)));
    assert!(is_fork(compare(&early, &late)));
    world.set(0, Manners::Down);
    let unreached = compare(&early, &late);
    assert!(matches!(unreached, Err(CompareError::Transport(_))));
}
