use encl::crypto::signing::{RootId, SigningKey};
use encl::crypto::{Kem, PrivateKey};
use encl::envelope::Ticket;
use encl::gate::answering::{GateKeys, Ledger as _, Outcome, OutcomeKey};
use encl::gate::card::{GateCard, GateCardRequest, GateUrl};
use encl::gate::log::{Checkpoint, NoteKey, inclusion_proof, leaf_hash, verify_inclusion};
use encl::gate::protocol::{Entry, EntryOp, Head, Op, Request, Signatures};
use encl::identity::CardKey;
use tempfile::TempDir;

use super::peers::NoPeer;
use super::*;

struct Gate {
    folder: TempDir,
    keys: GateKeys,
}

impl Gate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = SigningKey::generate(&mut rng());
        let keys = GateKeys {
            id: SigningKey::generate(&mut rng()).id(),
            log,
            origin: "gate/1".into(),
            former: Vec::new(),
            kem: Vec::new(),
        };
        Store::create(&folder.path().join("gate.db"), "gate/1", &keys.log).unwrap();
        Self { folder, keys }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("gate.db")
    }

    fn store(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Tx<'_>) -> T) -> T {
        let mut store = self.store();
        let mut transaction = store.begin().unwrap();
        let changed = change(&mut transaction);
        transaction.checkpoint(&self.keys).unwrap();
        transaction.commit().unwrap();
        changed
    }
}

fn time(seconds: u64) -> Time {
    Time::from_unix(seconds).unwrap()
}

/// A request of somebody, of which one item was answered with an entry.
fn opened(transaction: &mut Tx<'_>, who: RootId, number: u8, at: Time) -> u64 {
    let reply = PrivateKey::generate(Kem::XWing, &mut rng()).public_key();
    let head = Head {
        op: Op::Open,
        gate: who,
        at,
        told: None,
        who: Some(who),
        keep: false,
        reply: reply.key_id(),
        items: vec![[number; 32]],
    };
    let head_bytes = head.to_line();
    let request = Request {
        hash: encl::crypto::kdf::gate::request_hash(&head_bytes),
        head_bytes,
        head,
        reply,
        seen: None,
        items: Vec::new(),
        signatures: Signatures {
            who: None,
            proofs: Vec::new(),
        },
    };
    let entry = Entry {
        ticket: Some(Ticket([number % 3; 32])),
        who: Some(who),
        request: Some(request.hash),
        item: Some(0),
        ..Entry::new(EntryOp::Open, at, [number; 16])
    };
    let seq = transaction.append(entry).unwrap();
    let key = OutcomeKey {
        request: request.hash,
        item: Some(0),
        outcome: Outcome::Open,
    };
    transaction.keep_outcome(&key, seq, &request).unwrap();
    assert_eq!(transaction.outcome(&key).unwrap(), Some(seq));
    seq
}

/// Whether the bytes of an id are in a file, as bytes or in any text that the gate writes.
fn is_in(path: &Path, id: RootId) -> bool {
    let bytes = fs::read(path).unwrap_or_default();
    let base64 = encl::json::to_b64(&id.0);
    let texts = [&id.0[..], base64.as_bytes()];
    let found = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    texts.into_iter().any(found)
}

/// T16: the id is nowhere in the files, and all proofs hold.
#[test]
fn a_person_is_erased_and_all_proofs_hold() {
    let gate = Gate::new();
    let ids = [1_u8, 2].map(|_| SigningKey::generate(&mut rng()).id());
    let begin = time(1_000_000);
    gate.change(|transaction| {
        for number in 0..40 {
            opened(transaction, ids[usize::from(number % 2)], number, begin);
        }
    });
    let lines: Vec<Option<Vec<u8>>> =
        gate.change(|transaction| (0..40).map(|seq| transaction.line(seq).unwrap()).collect());
    let files = ["gate.db", "gate.db-wal"].map(|name| gate.folder.path().join(name));
    assert!(files.iter().any(|path| is_in(path, ids[0])));
    let young = gate.change(|transaction| transaction.erase(ids[0], time(1_003_599)).unwrap());
    assert_eq!(young, (0, 20));
    let erased = gate.change(|transaction| transaction.erase(ids[0], time(1_003_600)).unwrap());
    assert_eq!(erased, (20, 0));
    gate.store().vacuum().unwrap();
    assert!(
        files.iter().all(|path| !is_in(path, ids[0])),
        "the id is still there"
    );
    assert!(files.iter().any(|path| is_in(path, ids[1])));
    let mut store = gate.store();
    let transaction = store.look().unwrap();
    let head = Checkpoint::read(transaction.note().as_bytes(), &gate.keys.note_key()).unwrap();
    for (seq, line) in (0..).zip(lines) {
        let proof = inclusion_proof(&transaction, seq, head.size).unwrap();
        // Whoever has kept the entry can still prove it.
        let leaf = leaf_hash(&line.unwrap());
        verify_inclusion(&leaf, (seq, head.size), &proof, &head.root).unwrap();
        assert_eq!(transaction.line(seq).unwrap().is_none(), seq % 2 == 0);
    }
    let page = transaction.page(Ticket([0; 32]), 1, 100).unwrap();
    let numbers: Vec<u64> = page.iter().map(|row| row.n).collect();
    assert_eq!(numbers, (1..=14).collect::<Vec<u64>>());
    assert!(
        page.iter()
            .all(|row| row.line.is_some() == row.request.is_some())
    );
}

#[test]
fn what_was_not_committed_is_not_there() {
    let gate = Gate::new();
    let who = SigningKey::generate(&mut rng()).id();
    gate.change(|transaction| opened(transaction, who, 1, time(9)));
    let mut store = gate.store();
    let mut transaction = store.begin().unwrap();
    opened(&mut transaction, who, 2, time(9));
    transaction.set_frozen(Frozen::Loss).unwrap();
    transaction.checkpoint(&gate.keys).unwrap();
    drop(transaction);
    let transaction = store.begin().unwrap();
    assert_eq!((transaction.size(), transaction.frozen()), (1, Frozen::No));
    assert!(
        transaction
            .continues(transaction.note().as_bytes(), &gate.keys)
            .unwrap()
    );
}

/// T9, a part: how large the database is, and how long a proof takes. `ENCL_SWEEP=full` for 10^6 entries.
#[test]
fn many_entries() {
    let gate = Gate::new();
    let count = if std::env::var_os("ENCL_SWEEP").is_some() {
        1_000_000
    } else {
        3_000
    };
    let who = SigningKey::generate(&mut rng()).id();
    let reply = PrivateKey::generate(Kem::XWing, &mut rng()).public_key();
    gate.change(|transaction| {
        for number in 0..count {
            let entry_at = time(1_000_000_000 + number);
            let unique = encl::crypto::sha256(&[&number.to_be_bytes()]);
            let head = Head {
                op: Op::Open,
                gate: who,
                at: entry_at,
                told: None,
                who: Some(who),
                keep: false,
                reply: reply.key_id(),
                items: vec![unique],
            };
            let head_bytes = head.to_line();
            let signature = encl::crypto::signing::Signature([7; 64]);
            let request = Request {
                hash: unique,
                head_bytes,
                head,
                reply: reply.clone(),
                seen: None,
                items: Vec::new(),
                signatures: Signatures {
                    who: Some(signature),
                    proofs: vec![signature],
                },
            };
            let entry = Entry {
                ticket: Some(Ticket(encl::crypto::sha256(&[&(number / 8).to_be_bytes()]))),
                who: Some(who),
                request: Some(unique),
                item: Some(0),
                mark: Some([5; 16]),
                ..Entry::new(EntryOp::Open, entry_at, [6; 16])
            };
            let seq = transaction.append(entry).unwrap();
            let key = OutcomeKey {
                request: unique,
                item: Some(0),
                outcome: Outcome::Open,
            };
            transaction.keep_outcome(&key, seq, &request).unwrap();
        }
    });
    let as_written = fs::metadata(gate.path()).unwrap().len();
    gate.store().vacuum().unwrap();
    let bytes = fs::metadata(gate.path()).unwrap().len();
    let begin = std::time::Instant::now();
    let mut store = gate.store();
    let opening = begin.elapsed();
    let transaction = store.look().unwrap();
    let begin = std::time::Instant::now();
    let proofs = (0..count).step_by(usize::try_from(count / 100).unwrap());
    for seq in proofs {
        inclusion_proof(&transaction, seq, count).unwrap();
    }
    let proof = begin.elapsed() / 100;
    println!(
        "{count} entries: {as_written} bytes, {bytes} without gaps, a proof takes {proof:?}, opening {opening:?}"
    );
    assert!(bytes / count <= 1_000, "{bytes} bytes for {count} entries");
}

/// Erased bytes are still in the write-ahead log while somebody reads: that is said, and not passed over.
#[test]
fn what_was_erased_stays_while_somebody_reads_and_that_is_told() {
    let gate = Gate::new();
    let who = SigningKey::generate(&mut rng()).id();
    gate.change(|transaction| opened(transaction, who, 1, time(1_000_000)));
    let mut reader = gate.store();
    let reading = reader.look().unwrap();
    assert_eq!(reading.size(), 1);
    gate.change(|transaction| transaction.erase(who, time(2_000_000)).unwrap());
    let store = gate.store();
    store
        .connection
        .busy_timeout(Duration::from_millis(10))
        .unwrap();
    let error = store.vacuum().unwrap_err();
    assert!(
        error.to_string().contains("reading the database"),
        "{error}"
    );
    let log = gate.folder.path().join("gate.db-wal");
    assert!(is_in(&log, who) || is_in(&gate.path(), who));
    drop(reading);
    store.vacuum().unwrap();
    assert!(!is_in(&log, who) && !is_in(&gate.path(), who));
}

/// A file of another program, or of another version, is refused and left as it is.
#[test]
fn only_own_files_are_opened() {
    let refused = |path: &Path| {
        let before = fs::read(path).unwrap();
        let error = Store::open(path).err().unwrap().to_string();
        assert_eq!(fs::read(path).unwrap(), before, "{error}");
        let copy = path.with_extension("copy");
        let _ = fs::remove_file(&copy);
        assert!(Store::copy(path, &copy).is_err(), "{error}");
        error
    };
    let gate = Gate::new();
    let set = |name: &str, value: i64| {
        let connection = Connection::open(gate.path()).unwrap();
        connection.pragma_update(None, name, value).unwrap();
        connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
    };
    drop(gate.store());
    set("user_version", 3);
    assert!(refused(&gate.path()).contains("newer version"));
    set("user_version", 1);
    assert!(refused(&gate.path()).contains("before the first release"));
    set("user_version", 2);
    drop(gate.store());
    set("application_id", 7);
    assert!(refused(&gate.path()).contains("another program"));
    let other = gate.folder.path().join("other.db");
    let connection = Connection::open(&other).unwrap();
    connection.execute_batch("CREATE TABLE mine (x)").unwrap();
    drop(connection);
    assert!(refused(&other).contains("another program"));
    fs::write(
        &other,
        "no database at all, but long enough to be taken for one".repeat(9),
    )
    .unwrap();
    assert!(refused(&other).contains("not a database"));
}

/// A witness never goes back, whatever order things come in.
#[test]
fn what_was_cosigned_only_grows() {
    let gate = Gate::new();
    let seen = |size| Checkpoint {
        origin: "peer/1".into(),
        size,
        root: [u8::try_from(size).unwrap(); 32],
    };
    for (size, expected) in [(5, 5), (9, 9), (7, 9), (9, 9), (12, 12)] {
        gate.change(|transaction| transaction.set_witnessed(&seen(size)).unwrap());
        let known = gate.change(|transaction| transaction.witnessed("peer/1").unwrap());
        assert_eq!((known.size, known.root), (expected, seen(expected).root));
    }
    let other = gate.change(|transaction| transaction.witnessed("peer/2").unwrap());
    assert_eq!(other.size, 0);
}

/// What is remembered of a log is under its name, so nobody comes to the name of somebody else with a newer card.
#[test]
fn a_peer_keeps_the_name_of_its_log() {
    let gate = Gate::new();
    let (root, log) = (
        SigningKey::generate(&mut rng()),
        SigningKey::generate(&mut rng()),
    );
    let url = GateUrl::parse("https://peer.example").unwrap();
    let key = CardKey {
        public: PrivateKey::generate(Kem::XWing, &mut rng()).public_key(),
        serial: 1,
        created: time(1_000_000),
        expires: None,
    };
    let card = |origin: &str, after| {
        let log = NoteKey {
            name: origin.into(),
            key: log.id(),
        };
        let request = GateCardRequest {
            name: "peer",
            url: &url,
            after,
            created: time(1_000_000),
            log: &log,
            keys: std::slice::from_ref(&key),
        };
        GateCard::new(&root, &request).unwrap()
    };
    gate.change(|transaction| {
        let first = card("peer.example/1", 0);
        let own = gate.keys.id;
        let added = transaction.add_peer(&first, (&url, None), own).unwrap();
        assert_eq!(added, Ok(()));
        let mut update = |origin: &str, after| {
            let card = card(origin, after);
            transaction.update_peer(&card).unwrap()
        };
        let after = first.serial();
        assert_eq!(update("peer.example/2", after), Ok(()));
        for taken in ["bank.example/1", "peer.example/x", "peer.example/2/1"] {
            assert_eq!(update(taken, after + 1), Err(NoPeer::OtherName), "{taken}");
        }
        assert_eq!(transaction.peers().unwrap()[0].log.name, "peer.example/2");
    });
}
