//! What a gate does as a witness, asked by hand: C2SP tlog-witness, each status, and that it never goes back.

use std::collections::BTreeMap;
use std::fs;

use encl::crypto::Secret;
use encl::crypto::signing::SigningKey;
use encl::gate::log::{
    Checkpoint, Hash, Nodes, SignedNote, Submission, added_nodes, consistency_proof, leaf_hash,
    root,
};

use crate::client::{Client, Response};
use crate::server::Server;

/// A log of some peer, as its operator can make it up.
struct Log {
    key: SigningKey,
    origin: String,
    nodes: BTreeMap<(u32, u64), Hash>,
    size: u64,
}

impl Nodes for Log {
    type Error = std::convert::Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        Ok(self.nodes[&(level, index)])
    }
}

impl Log {
    fn new(peer: &Server, size: u64, seed: &str) -> Self {
        let mut log = Self {
            key: log_key(peer),
            origin: peer.card.log_key().name.clone(),
            nodes: BTreeMap::new(),
            size: 0,
        };
        for number in 0..size {
            let Ok(added) = added_nodes(
                &log,
                number,
                leaf_hash(format!("{seed} {number}").as_bytes()),
            );
            log.nodes
                .extend(added.iter().map(|one| ((one.level, one.index), one.hash)));
        }
        log.size = size;
        log
    }

    fn submission(&self, old: u64, size: u64) -> Submission {
        let Ok(root) = root(self, size);
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size,
            root,
        };
        let Ok(proof) = consistency_proof(self, old.min(size), size);
        Submission {
            old,
            proof,
            note: checkpoint.sign(&self.key),
        }
    }
}

/// The key that a gate signs its log with, from its folder.
fn log_key(peer: &Server) -> SigningKey {
    let keys = fs::read_to_string(peer.dir.join("keys")).unwrap();
    let line: serde_json::Value = serde_json::from_str(keys.lines().nth(1).unwrap()).unwrap();
    let seed = encl::json::from_b64(line["log"].as_str().unwrap().as_bytes()).unwrap();
    SigningKey::new(Secret::new(seed))
}

fn submit(client: &mut Client, body: &str) -> std::io::Result<Response> {
    let length = body.len();
    let head =
        format!("POST /add-checkpoint HTTP/1.1\r\nhost: gate\r\ncontent-length: {length}\r\n\r\n");
    client.send(format!("{head}{body}").as_bytes())
}

fn status(server: &Server, submission: &Submission) -> (u16, String) {
    let answer = submit(&mut server.client(), &submission.to_body()).unwrap();
    let body = String::from_utf8(answer.body).unwrap();
    if answer.status == 409 {
        assert!(answer.head.contains("content-type: text/x.tlog.size"));
    } else if answer.status != 200 {
        assert!(body.is_empty());
    }
    (answer.status, body)
}

/// A gate that watches a peer, which is not there any more.
fn witness() -> (Server, Server) {
    let (mut witness, mut peer) = (Server::stopped(), Server::stopped_at("peer.example"));
    for gate in [&mut witness, &mut peer] {
        gate.start(&[]);
        gate.stay();
    }
    witness.watch(&peer);
    peer.stop();
    (witness, peer)
}

#[test]
fn each_status_of_the_specification() {
    let (mut witness, peer) = witness();
    let (log, forked) = (
        Log::new(&peer, 40, "entry"),
        Log::new(&peer, 40, "another past"),
    );
    let refused = |submission: &Submission, code| {
        assert_eq!(status(&witness, submission), (code, String::new()));
    };
    let conflict = |submission: &Submission, size: u64| {
        assert_eq!(status(&witness, submission), (409, format!("{size}\n")));
    };
    // Before the first one, the size is 0.
    conflict(&log.submission(7, 20), 0);
    let (code, line) = status(&witness, &log.submission(0, 20));
    assert_eq!(code, 200);
    let note = log.submission(0, 20).note + &line;
    let cosignature = SignedNote::read(note.as_bytes()).unwrap();
    assert!(cosignature.cosignature(witness.card.log_key()).is_ok());
    // The same again, and further on.
    assert_eq!(status(&witness, &log.submission(20, 20)).0, 200);
    conflict(&log.submission(0, 20), 20);
    conflict(&log.submission(19, 30), 20);
    assert_eq!(status(&witness, &log.submission(20, 30)).0, 200);
    conflict(&log.submission(20, 25), 30);
    // A log that forked: of the same size, and further on.
    conflict(&forked.submission(30, 30), 30);
    refused(&forked.submission(30, 40), 422);
    let no_proof = Submission {
        proof: Vec::new(),
        ..log.submission(30, 40)
    };
    refused(&no_proof, 422);
    refused(&log.submission(31, 30), 400);
    // Another key, another log, nonsense.
    let stranger = Log {
        key: crate::office::key(),
        ..Log::new(&peer, 40, "entry")
    };
    refused(&stranger.submission(30, 40), 403);
    let unknown = Log {
        origin: "stranger.example/1".into(),
        ..Log::new(&peer, 40, "entry")
    };
    refused(&unknown.submission(30, 40), 404);
    let mut client = witness.client();
    for body in [
        "",
        "old 30\n",
        "old x\n\nnote",
        "\n\n",
        "old 30\n\npeer.example/1\n",
    ] {
        let code = submit(&mut client, body).unwrap().status;
        assert_eq!(code, 400, "{body}");
    }
    let long = "x".repeat(40_000);
    assert_eq!(submit(&mut client, &long).unwrap().status, 413);
    let get = client.get("/add-checkpoint").unwrap();
    assert_eq!(get.status, 405);
    // Nothing of that moved it, and it remembers after a start, and after the peer was removed and came again.
    conflict(&log.submission(0, 40), 30);
    witness.stop();
    witness.start(&[]);
    let conflict = |submission: &Submission, size: u64| {
        assert_eq!(status(&witness, submission), (409, format!("{size}\n")));
    };
    conflict(&log.submission(0, 40), 30);
    assert!(
        witness
            .witness("remove", &["peer.example"])
            .status
            .success()
    );
    assert_eq!(status(&witness, &log.submission(30, 40)).0, 404);
    let mut peer = peer;
    peer.start(&[]);
    witness.watch(&peer);
    conflict(&log.submission(0, 40), 30);
    assert_eq!(status(&witness, &log.submission(30, 40)).0, 200);
    // The same again needs no room in the database, and waits for nobody who writes there.
    let writing = rusqlite::Connection::open(witness.dir.join("gate.db")).unwrap();
    writing.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(status(&witness, &log.submission(40, 40)).0, 200);
    drop(writing);
    // An old copy of the witness' database does not take it back either.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    witness.command("backup", &[crate::server::path(&copy)]);
    let more = Log::new(&peer, 50, "entry");
    assert_eq!(status(&witness, &more.submission(40, 50)).0, 200);
    witness.stop();
    witness.command("restore", &[crate::server::path(&copy)]);
    witness.start(&[]);
    assert_eq!(
        status(&witness, &more.submission(40, 50)),
        (409, "50\n".into())
    );
}

/// Killed at each step of a cosignature: what was cosigned is remembered.
#[test]
fn killed_between_remembering_and_answering() {
    let (mut killed, mut remembered, mut swept) = (0, 0, 0);
    let calls = ["pwrite64", "fdatasync", "writev", "sendto"];
    for call in calls {
        for nth in 1..40 {
            let (mut witness, peer) = witness();
            let log = Log::new(&peer, 9, "entry");
            witness.stop();
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            let trace = format!("trace={call}");
            let under = [
                "strace",
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                &trace,
                "-e",
                &inject,
            ];
            // While it starts, nothing is cosigned yet.
            if !witness.try_start(&under, &["--witness-every", "3600"]) {
                continue;
            }
            let mut client = witness.client();
            let answers: Vec<bool> = [(0, 5), (5, 9)]
                .iter()
                .map(|(old, new)| {
                    let body = log.submission(*old, *new).to_body();
                    submit(&mut client, &body).is_ok_and(|answer| answer.status == 200)
                })
                .collect();
            if answers[1] {
                swept += 1;
                break;
            }
            killed += 1;
            witness.kill();
            witness.start(&[]);
            let (code, told) = status(&witness, &log.submission(3, 9));
            assert_eq!(code, 409);
            let size: u64 = told.trim().parse().unwrap();
            let least = if answers[0] { 5 } else { 0 };
            assert!(
                [0, 5, 9].contains(&size) && size >= least,
                "{call} {nth}: {size}"
            );
            remembered += u32::from(size > least);
            // As the peer goes on.
            assert_eq!(
                status(&witness, &log.submission(size, 9)).0,
                200,
                "{call} {nth}"
            );
        }
    }
    println!("{killed} kills, {remembered} times a cosignature was remembered that did not arrive");
    assert_eq!(swept, calls.len(), "each call was tried to its last");
    assert!(
        killed >= 1 && remembered >= 1,
        "{killed} kills, {remembered} remembered"
    );
}
