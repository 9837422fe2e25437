//! The second reader asks a gate over HTTP: the client in Python must open what an honest gate answers, and use nothing of a
//! gate that lies (PROTOCOL.md, "What a client checks").

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use encl::crypto::Secret;
use encl::crypto::kdf::gate as kdf;
use encl::crypto::signing::SigningKey;
use encl::envelope::{Envelope, GateAddressee, GateRequest, SealRequest};
use encl::policy::{Conditions, GateKind};
use serde_json::Value;

use crate::kit::{NOW, Person, request, sealed};
use crate::lying_gate::{Fault, Gate, Log, serve};
use crate::other_readers::identity_file;
use crate::python::python;
use crate::support::process;

/// A gate that runs, an envelope from Ann to Bob behind it, and the files of both.
struct Stage {
    folder: tempfile::TempDir,
    gate: Arc<Mutex<Gate>>,
    people: Vec<PathBuf>,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [ann, bob] = ["Ann", "Bob"].map(Person::classic);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let owner = SigningKey::new(Secret::new(*ann.root.seed().expose()));
        let gate = Gate::new(port, owner);
        fs::write(folder.path().join("card"), gate.card.to_text()).unwrap();
        fs::create_dir(folder.path().join("kept")).unwrap();
        let people = [&ann, &bob]
            .map(|person| identity_file(folder.path(), person))
            .to_vec();
        let request = SealRequest {
            gate: Some(gate_request(&gate, &ann)),
            ..request(&[&ann, &bob], Some(&ann.root))
        };
        let envelope = sealed(&request, b"hello");
        fs::write(folder.path().join("envelope"), &envelope).unwrap();
        let lock = Envelope::read(envelope.as_slice()).unwrap();
        let lock = lock.manifest().gate.clone().unwrap();
        assert!(lock.is_owner(ann.root.id(), &[0; 32]));
        assert_eq!(
            kdf::ticket(&lock.envelope().0, 1, lock.bytes()),
            lock.ticket().0
        );
        let gate = Arc::new(Mutex::new(gate));
        let served = Arc::clone(&gate);
        std::thread::spawn(move || serve(&listener, &served));
        Self {
            folder,
            gate,
            people,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The client's answer. `kept`: it keeps checkpoints.
    fn ask(&self, person: usize, fault: Fault, more: &[&str]) -> Value {
        self.gate.lock().unwrap().fault = fault;
        let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second_reader/gate.py");
        let mut run = python();
        run.arg(client).arg("--card").arg(self.path("card"));
        run.arg("--identity").arg(&self.people[person]).args(more);
        run.args(["--now", NOW]).arg(self.path("envelope"));
        let output = process::output(&mut run);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{fault:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    #[track_caller]
    fn expect(&self, fault: Fault, more: &[&str], class: &str) {
        let answer = self.ask(1, fault, more);
        assert_eq!(answer["class"], class, "{fault:?}: {answer}");
        let bytes = if class == "ok" { 5 } else { 0 };
        assert_eq!(answer["bytes"], bytes, "{fault:?}: {answer}");
    }
}

fn gate_request(gate: &Gate, owner: &Person) -> GateRequest {
    GateRequest {
        need: 1,
        gates: vec![GateAddressee {
            kind: GateKind::Server,
            id: gate.root.id(),
            name: Some("Gate".into()),
            url: Some("http://elsewhere.example.org".into()),
            public: gate.kem.public_key(),
        }],
        owners: vec![owner.root.id()],
        is_listed: true,
        conditions: Conditions::default(),
        lease: None,
        keeper: None,
    }
}

#[test]
fn the_second_reader_asks_a_gate() {
    let stage = Stage::new();
    stage.expect(Fault::None, &[], "ok");
    stage.expect(Fault::None, &["--unnamed"], "refused");
    stage.expect(Fault::Clock, &[], "ok");
    assert!(stage.gate.lock().unwrap().told);
    let answer = stage.ask(0, Fault::None, &["--say", "revoke"]);
    assert_eq!(answer["said"][0], "taken over", "{answer}");
    let answer = stage.ask(1, Fault::None, &["--say", "revoke"]);
    assert_eq!(answer["class"], "not-an-owner", "{answer}");
    stage.expect(Fault::Revoked, &[], "refused");
}

#[test]
fn the_second_reader_uses_nothing_of_a_gate_that_lies() {
    let stage = Stage::new();
    let faults = [
        (Fault::Part, "slot"),
        (Fault::AnswerKey, "gate-forked"),
        (Fault::CheckpointKey, "gate-forked"),
        (Fault::Origin, "gate-forked"),
        (Fault::OtherRequest, "gate-forked"),
        (Fault::EntryTicket, "gate-forked"),
        (Fault::EntryWho, "gate-forked"),
        (Fault::EntryRequest, "gate-forked"),
        (Fault::EntryMark, "gate-forked"),
        (Fault::EntryOp, "gate-forked"),
        (Fault::NotInLog, "gate-forked"),
        (Fault::ProofCut, "gate-forked"),
        (Fault::Lease, "gate-forked"),
        (Fault::RevokedByAStranger, "refused"),
        (Fault::Redirect, "unreachable"),
        (Fault::NotFound, "unreachable"),
    ];
    for (fault, class) in faults {
        stage.expect(fault, &[], class);
    }
    println!("{} lies of a gate", faults.len());
}

#[test]
fn the_second_reader_sees_a_log_that_is_not_what_it_was() {
    let stage = Stage::new();
    let kept = stage.path("kept");
    let keeping = ["--kept", kept.to_str().unwrap()];
    for _ in 0..5 {
        stage.expect(Fault::None, &keeping, "ok");
    }
    stage.expect(Fault::Forked, &keeping, "gate-forked");
    stage.gate.lock().unwrap().log = Log::of("before", 6);
    stage.expect(Fault::Shorter, &keeping, "gate-forked");
    stage.expect(Fault::None, &[], "ok");
}
