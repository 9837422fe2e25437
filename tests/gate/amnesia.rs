//! A gate that has forgotten: what it signed is ahead of what it has.

use std::fs;

use encl::crypto::sha256;
use encl::gate::log::Checkpoint;
use encl::gate::protocol::{EntryOp, RequestDraft};

use crate::office::{Office, ask, key};
use crate::server::Server;

/// T5: the old database is put back by hand, beside the newer checkpoint.
#[test]
fn an_old_database_is_frozen_at_start() {
    let mut server = Server::new();
    let office = Office::new(&server);
    assert_eq!(ask(&server, office.opening(0)), "open");
    server.stop();
    // Closed by all of its threads: what an operator copies now is all there is.
    assert!(!server.dir.join("gate.db-wal").exists());
    let database = server.dir.join("gate.db");
    let old = fs::read(&database).unwrap();
    server.start(&[]);
    assert_eq!(ask(&server, office.opening(0)), "open");
    server.stop();
    fs::write(&database, old).unwrap();
    server.start(&[]);
    assert_eq!(ask(&server, office.opening(0)), "frozen");
    // It appends nothing: that would be a fork of what it signed before. The opening that was lost is not there.
    let last = server.entries().pop().unwrap();
    assert_eq!((last.op, last.n), (EntryOp::Open, Some(1)));
    assert_eq!(server.try_command("thaw", &[]).status.code(), Some(1));
}

#[test]
fn without_the_last_checkpoint_it_is_frozen_too() {
    let mut server = Server::new();
    let office = Office::new(&server);
    assert_eq!(ask(&server, office.opening(0)), "open");
    server.stop();
    fs::remove_file(server.dir.join("head")).unwrap();
    server.start(&[]);
    assert_eq!(ask(&server, office.opening(0)), "frozen");
}

/// Database and checkpoint are put back: nobody notices until somebody comes who has seen more.
#[test]
fn a_newer_checkpoint_of_an_asker_freezes_it() {
    let mut server = Server::new();
    let office = Office::new(&server);
    assert_eq!(ask(&server, office.opening(0)), "open");
    server.stop();
    let names = ["gate.db", "head"];
    let old = names.map(|name| fs::read(server.dir.join(name)).unwrap());
    server.start(&[]);
    for _ in 0..3 {
        assert_eq!(ask(&server, office.opening(0)), "open");
    }
    let seen = server.client().get("/checkpoint").unwrap().body;
    server.stop();
    for (name, old) in names.iter().zip(old) {
        fs::write(server.dir.join(name), old).unwrap();
    }
    server.start(&[]);
    assert_eq!(ask(&server, office.opening(0)), "open");
    // Made up by somebody else, or of another log: nothing.
    let head = Checkpoint::read(&seen, server.card.log_key()).unwrap();
    let made_up = head.sign(&key());
    let forged = RequestDraft {
        seen: Some(made_up.as_bytes()),
        ..office.opening(0)
    };
    assert_eq!(ask(&server, forged), "open");
    let changed = String::from_utf8(seen.clone()).unwrap().replace(
        &encl::json::to_b64(&head.root),
        &encl::json::to_b64(&sha256(&[b"x"])),
    );
    let changed = RequestDraft {
        seen: Some(changed.as_bytes()),
        ..office.opening(0)
    };
    assert_eq!(ask(&server, changed), "open");
    let honest = RequestDraft {
        seen: Some(&seen),
        ..office.opening(0)
    };
    assert_eq!(ask(&server, honest), "frozen");
    assert_eq!(ask(&server, Office::new(&server).opening(0)), "frozen");
}
