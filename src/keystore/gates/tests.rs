use super::*;
use crate::crypto::signing::SigningKey;
use crate::crypto::{Kem, PrivateKey};
use crate::envelope::{EnvelopeId, GateLock};
use crate::gate::card::{GateCardRequest, GateUrl};
use crate::gate::client::KeptCheckpoint;
use crate::gate::log::{Checkpoint, NoteKey};
use crate::gate::protocol::SignedStatement;
use crate::gate::rules::Statement;
use crate::identity::CardKey;
use crate::json::to_b64;
use crate::keystore::tests::{now, rng};
use crate::keystore::{BackupOwner, Part, RestoreMode, Verifications, read_parts};

struct Gate {
    root: SigningKey,
    log: SigningKey,
}

impl Gate {
    fn new() -> Self {
        Self {
            root: SigningKey::generate(&mut rng()),
            log: SigningKey::generate(&mut rng()),
        }
    }

    fn card(&self, url: &str, after: u64) -> GateCard {
        let private = PrivateKey::generate(Kem::XWing, &mut rng());
        let key = CardKey {
            public: private.public_key(),
            serial: 1,
            created: now(),
            expires: None,
        };
        let request = GateCardRequest {
            name: "Gate",
            url: &GateUrl::parse(url).unwrap(),
            after,
            created: now(),
            log: &self.log_key(),
            keys: &[key],
        };
        GateCard::new(&self.root, &request).unwrap()
    }

    fn log_key(&self) -> NoteKey {
        NoteKey {
            name: "gate.example.org/1".to_owned(),
            key: self.log.id(),
        }
    }

    fn checkpoint(&self, size: u64) -> KeptCheckpoint {
        self.checkpoint_of("gate.example.org/1", size, 7)
    }

    fn checkpoint_of(&self, origin: &str, size: u64, root: u8) -> KeptCheckpoint {
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size,
            root: [root; 32],
        };
        let note = checkpoint.sign(&self.log);
        let name = origin.to_owned();
        let log = NoteKey {
            name,
            key: self.log.id(),
        };
        KeptCheckpoint::read(note.as_bytes(), &log).unwrap()
    }
}

const URL: &str = "https://gate.example.org";

pub(super) fn keystore() -> (tempfile::TempDir, Keystore) {
    let folder = tempfile::tempdir().unwrap();
    let keystore = Keystore::at(folder.path().join("encl"));
    let keystore = keystore.with_state(folder.path().join("state"));
    (folder, keystore)
}

fn offer(card: &GateCard) -> GateOffer<'_> {
    GateOffer {
        card,
        name: None,
        ca: None,
        is_backed_up: false,
    }
}

fn add(keystore: &Keystore, card: &GateCard) -> Result<GateChange, KeystoreError> {
    let change = keystore.compare_gate(&offer(card))?;
    keystore.accept_gate(&offer(card), &change, now())?;
    Ok(change)
}

fn standing(keystore: &Keystore, id: &RootId) -> GateStanding {
    let gate = keystore.gate(id).unwrap().unwrap();
    keystore.gate_standing(&gate).unwrap()
}

#[test]
fn a_gate_is_new_then_known_then_updated_and_its_move_is_told() {
    let (_folder, keystore) = keystore();
    let gate = Gate::new();
    let first = gate.card(URL, 0);
    assert_eq!(add(&keystore, &first).unwrap(), GateChange::New);
    assert_eq!(add(&keystore, &first).unwrap(), GateChange::Known);
    let newer = gate.card(URL, first.serial());
    assert_eq!(add(&keystore, &newer).unwrap(), GateChange::Updated);
    let moved = gate.card("https://evil.example.org", newer.serial());
    let moved_from = GateChange::Moved(URL.to_owned());
    assert_eq!(keystore.compare_gate(&offer(&moved)).unwrap(), moved_from);
    // What the user did not agree to is not done.
    let refused = keystore.accept_gate(&offer(&moved), &GateChange::Updated, now());
    assert!(matches!(refused, Err(KeystoreError::Changed)));
    let known = keystore.gates().unwrap().found.remove(0);
    assert!(known.card == newer && known.name == "gate.example.org");
    assert!(matches!(
        add(&keystore, &first),
        Err(KeystoreError::OlderGate { .. })
    ));
}

#[test]
fn another_key_with_a_known_name_or_address_is_refused() {
    let (_folder, keystore) = keystore();
    add(&keystore, &Gate::new().card(URL, 0)).unwrap();
    let other = Gate::new().card(URL, 0);
    let named = Gate::new().card("https://other.example.org", 0);
    let taken = GateOffer {
        name: Some("gate.example.org"),
        ..offer(&named)
    };
    for offer in [offer(&other), taken] {
        let refused = keystore.compare_gate(&offer);
        assert!(matches!(refused, Err(KeystoreError::GateTaken { .. })));
    }
    let unnamed = GateOffer {
        name: Some("a, b"),
        ..taken
    };
    let refused = keystore.compare_gate(&unnamed);
    assert!(matches!(refused, Err(KeystoreError::GateName(_))));
}

/// Whoever writes to the keystore's folder puts a gate there, an older card, or one at another address.
#[test]
fn a_file_that_this_machine_did_not_write_is_not_asked() {
    let (_folder, keystore) = keystore();
    let (gate, other) = (Gate::new(), Gate::new());
    let first = gate.card(URL, 0);
    add(&keystore, &first).unwrap();
    let second = gate.card(URL, first.serial());
    add(&keystore, &second).unwrap();
    let id = first.id();
    keystore.verify_gate(&id, now()).unwrap();
    assert_eq!(standing(&keystore, &id), GateStanding::Known(Some(now())));
    let put = |card: GateCard| {
        let (name, added) = ("put".to_owned(), now());
        let ca = None;
        let contact = GateContact {
            name,
            card,
            added,
            ca,
            backed_up: None,
        };
        keystore.write_gate(&contact).unwrap();
    };
    put(first);
    assert_eq!(
        standing(&keystore, &id),
        GateStanding::Older(second.serial())
    );
    put(gate.card("http://127.0.0.1:1", second.serial()));
    assert_eq!(
        standing(&keystore, &id),
        GateStanding::Moved(URL.to_owned())
    );
    put(other.card("https://other.example.org", 0));
    assert_eq!(standing(&keystore, &other.root.id()), GateStanding::Unknown);
    // After it was removed, it is nobody's.
    keystore.remove_gate(&id).unwrap();
    put(second);
    assert_eq!(standing(&keystore, &id), GateStanding::Unknown);
}

#[test]
fn the_latest_checkpoint_stays_also_when_the_gate_goes() {
    let (_folder, keystore) = keystore();
    let gate = Gate::new();
    let id = gate.root.id();
    add(&keystore, &gate.card(URL, 0)).unwrap();
    let (early, late) = (gate.checkpoint(5), gate.checkpoint(9));
    keystore.keep_gate_checkpoint(&id, None, &late).unwrap();
    // Another run had asked before.
    keystore.keep_gate_checkpoint(&id, None, &early).unwrap();
    keystore.remove_gate(&id).unwrap();
    assert_eq!(keystore.gate_checkpoint(&id).unwrap(), Some(late.clone()));
    // Whoever saw that the gate forgot begins anew.
    let anew = gate.checkpoint_of("gate.example.org/2", 1, 7);
    keystore
        .keep_gate_checkpoint(&id, Some(&late), &anew)
        .unwrap();
    assert_eq!(keystore.gate_checkpoint(&id).unwrap(), Some(anew));
}

/// Two processes ask at the same time, both knowing `before`, and the gate gets a new key, or begins a new log, in between.
#[test]
fn an_older_checkpoint_never_takes_the_place_of_a_newer_one() {
    let (_folder, keystore) = keystore();
    let mut gate = Gate::new();
    let id = gate.root.id();
    add(&keystore, &gate.card(URL, 0)).unwrap();
    let (before, early) = (gate.checkpoint(3), gate.checkpoint(5));
    keystore.keep_gate_checkpoint(&id, None, &before).unwrap();
    gate.log = SigningKey::generate(&mut rng());
    let late = gate.checkpoint(9);
    let keep = |checkpoint: &KeptCheckpoint| {
        let outcome = keystore.keep_gate_checkpoint(&id, Some(&before), checkpoint);
        (outcome.unwrap(), keystore.gate_checkpoint(&id).unwrap())
    };
    assert_eq!(keep(&late), (KeptOutcome::Stored, Some(late.clone())));
    assert_eq!(keep(&early), (KeptOutcome::LaterStays, Some(late.clone())));
    // Of the same size and with other entries: it told two stories at once.
    let other = gate.checkpoint_of("gate.example.org/1", 9, 8);
    let told = KeptOutcome::Contradicts(late.clone());
    assert_eq!(keep(&other), (told, Some(late)));
    let anew = gate.checkpoint_of("gate.example.org/2", 1, 7);
    assert_eq!(keep(&anew), (KeptOutcome::Stored, Some(anew.clone())));
    assert_eq!(keep(&early), (KeptOutcome::LaterStays, Some(anew)));
}

#[test]
fn evidence_is_kept_once_and_not_without_end() {
    let (_folder, keystore) = keystore();
    add(&keystore, &Gate::new().card(URL, 0)).unwrap();
    let about = |gate: u8, number: usize| Evidence {
        gate: RootId([gate; 32]),
        at: now(),
        what: format!("lie {number}"),
        request: [2; 32],
        entry: Some(vec![1, 2]),
        checkpoints: vec!["a".to_owned(), "b".to_owned()],
        answer: None,
    };
    let evidence = |number| about(1, number);
    let first = keystore.keep_evidence(&evidence(0)).unwrap().unwrap();
    assert_eq!(
        keystore.keep_evidence(&evidence(0)).unwrap(),
        Some(first.clone())
    );
    for number in 1..EVIDENCE_MAX {
        assert!(keystore.keep_evidence(&evidence(number)).unwrap().is_some());
    }
    assert_eq!(keystore.keep_evidence(&evidence(999)).unwrap(), None);
    // A gate that lies often leaves room for what another one did.
    assert!(keystore.keep_evidence(&about(2, 0)).unwrap().is_some());
    assert!(first.exists());
}

pub(crate) fn lock_of(gates: &[RootId], owners: &[[u8; 32]]) -> GateLock {
    let gates: Vec<_> = gates
        .iter()
        .map(|id| {
            let (id, key) = (to_b64(&id.0), to_b64(&id.0));
            format!(r#"{{"kind":"server","id":"{id}","key":"{key}"}}"#)
        })
        .collect();
    let owners: Vec<_> = owners
        .iter()
        .map(|owner| format!("\"{}\"", to_b64(owner)))
        .collect();
    let holder = to_b64(&SigningKey::generate(&mut rng()).id().0);
    let text = format!(
        r#"{{"kind":"gate","need":1,"commit":"{}","gates":[{}],"owners":[{}],"holder":"{holder}"}}"#,
        to_b64(&[9; 32]),
        gates.join(","),
        owners.join(",")
    );
    GateLock::parse(EnvelopeId([3; 32]), 1, text.as_bytes()).unwrap()
}

#[test]
fn records_of_what_was_sealed_grow_and_travel_in_backups() {
    let (_folder, keystore) = keystore();
    let gate = Gate::new();
    add(&keystore, &gate.card(URL, 0)).unwrap();
    let lock = lock_of(&[gate.root.id()], &[[4; 32]]);
    let ticket = lock.ticket();
    let record = SealedWithGate::new(lock, now(), Some("a.encl"));
    keystore.record_sealed(&record).unwrap();
    let statement = |known_by: &[RootId]| SealedWithGate {
        statements: vec![KeptStatement {
            statement: b"line\nsignature".to_vec(),
            known_by: known_by.iter().copied().collect(),
        }],
        ..record.clone()
    };
    keystore.record_sealed(&statement(&[])).unwrap();
    keystore
        .record_sealed(&statement(&[gate.root.id()]))
        .unwrap();
    let kept = keystore.record_sealed(&record).unwrap();
    assert_eq!(kept, statement(&[gate.root.id()]));
    assert_eq!(keystore.sealed_with_gate(ticket).unwrap(), Some(kept));
    let (mut gates, mut records) = (Vec::new(), Vec::new());
    let backup = keystore.backup(now(), &mut rng()).unwrap();
    assert_eq!(backup.counts().gates, 1);
    read_parts(backup, |part| {
        match part {
            Part::Gate(gate) => gates.push(*gate),
            Part::Sealed(record) => records.push(*record),
            _ => {}
        }
        Ok::<(), crate::keystore::BackupError>(())
    })
    .unwrap();
    for (is_mine, expected) in [
        (true, GateStanding::Known(None)),
        (false, GateStanding::Unknown),
    ] {
        let (_folder, other) = self::keystore();
        let owner = match is_mine {
            true => BackupOwner::Me,
            false => BackupOwner::Unknown(now()),
        };
        let planned = RestoreMode::Apply(Verifications::default());
        let mut restore = other.restore(planned, owner).unwrap();
        restore.gate(&gates[0]).unwrap();
        restore.sealed(&records[0]).unwrap();
        drop(restore);
        assert_eq!(standing(&other, &gate.root.id()), expected);
        assert_eq!(
            other.all_sealed_with_gates().unwrap().found,
            [statement(&[gate.root.id()])]
        );
    }
}

/// A record under another ticket's name is none: it would say of another envelope what was said of this.
#[test]
fn a_record_that_is_not_its_tickets_is_damaged() {
    let (_folder, keystore) = keystore();
    let lock = lock_of(&[RootId([1; 32])], &[]);
    let record = SealedWithGate::new(lock, now(), None);
    keystore.record_sealed(&record).unwrap();
    let path = keystore.sealed_path(record.lock.ticket());
    let other = path.with_file_name("0".repeat(64));
    std::fs::rename(&path, other).unwrap();
    let read = keystore.all_sealed_with_gates().unwrap();
    assert_eq!((read.found.len(), read.faults.len()), (0, 1));
}

/// A statement of somebody about a lock of which nobody is an owner: for what is only counted.
fn statement_of(lock: &GateLock, op: Statement) -> KeptStatement {
    let signed = SignedStatement::new(
        (lock.ticket(), op),
        now(),
        [0; 32],
        &SigningKey::generate(&mut rng()),
    );
    KeptStatement {
        statement: signed.to_bytes(),
        known_by: std::iter::empty().collect(),
    }
}

#[test]
fn no_statement_is_left_out_in_silence_and_revoking_has_room() {
    let (_folder, keystore) = keystore();
    let lock = lock_of(&[RootId([1; 32])], &[]);
    let record = SealedWithGate::new(lock, now(), None);
    let said = |statements| SealedWithGate {
        statements,
        ..record.clone()
    };
    let expire = |day: u64| Statement::Expire(Time::from_unix(1_800_000_000 + day).unwrap());
    let many = (0..STATEMENTS_MAX as u64).map(|day| statement_of(&record.lock, expire(day)));
    keystore.record_sealed(&said(many.collect())).unwrap();
    let one_more = said(vec![statement_of(&record.lock, expire(5_000))]);
    let refused = keystore.record_sealed(&one_more);
    assert!(matches!(refused, Err(KeystoreError::StatementsFull(_))));
    let revoked = said(vec![statement_of(&record.lock, Statement::Revoke)]);
    keystore.record_sealed(&revoked).unwrap();
    let kept = keystore.sealed_with_gate(record.lock.ticket()).unwrap();
    assert_eq!(kept.unwrap().statements.len(), STATEMENTS_MAX + 1);
}

/// A gate's checkpoints carry further lines, of witnesses whose keys nobody here knows.
#[test]
fn signatures_of_witnesses_are_kept_and_not_looked_at() {
    let (_folder, keystore) = keystore();
    let gate = Gate::new();
    let id = gate.root.id();
    add(&keystore, &gate.card(URL, 0)).unwrap();
    let alone = gate.checkpoint(5);
    let line = format!("\u{2014} witness.example.org {}\n", to_b64(&[4; 76]));
    let note = alone.note.clone() + &line;
    let witnessed = KeptCheckpoint::read(note.as_bytes(), &gate.log_key()).unwrap();
    keystore.keep_gate_checkpoint(&id, None, &alone).unwrap();
    let kept = keystore.keep_gate_checkpoint(&id, Some(&alone), &witnessed);
    assert_eq!(kept.unwrap(), KeptOutcome::Stored);
    assert_eq!(keystore.gate_checkpoint(&id).unwrap(), Some(witnessed));
}
