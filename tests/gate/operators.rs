//! What an operator does while the gate runs: each command takes effect with the next request.

use std::fs;
use std::time::Duration;

use encl::gate::client::{Signed, audit_line};
use encl::gate::log::Checkpoint;
use encl::gate::protocol::{Entry, EntryOp, ItemAnswer, RequestDraft, Said};
use encl::gate::rules::Statement;

use crate::office::{Office, ask, key, post, rng, sealed, word};
use crate::server::{Server, path, run, until};

#[test]
fn blocks() {
    let server = Server::new();
    let office = Office::new(&server);
    let bob = office.bob.id().to_string();
    assert_eq!(ask(&server, office.opening(0)), "open");
    assert_eq!(server.command("block", &[&bob])["changed"], true);
    assert_eq!(server.command("block", &[&bob])["changed"], false);
    assert_eq!(ask(&server, office.opening(0)), "blocked");
    assert_eq!(server.command("unblock", &[&bob])["changed"], true);
    assert_eq!(ask(&server, office.opening(0)), "open");
    // As owner: nothing is taken over, nothing is read.
    let owner = office.owner.id().to_string();
    server.command("block", &[&owner]);
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "unknown");
    assert_eq!(ask(&server, office.reading(1)), "blocked");
    assert_eq!(
        ask(&server, office.opening(0)),
        "open",
        "what was sealed before stays open"
    );
    // All that an author sealed, and nothing of others.
    server.command("block", &[&owner, "--sealed-by"]);
    assert_eq!(ask(&server, office.opening(0)), "blocked");
    assert_eq!(ask(&server, Office::new(&server).opening(0)), "open");
    server.command("unblock", &[&owner]);
    assert_eq!(ask(&server, office.opening(0)), "open");
    let ops: Vec<EntryOp> = server.entries().iter().map(|entry| entry.op).collect();
    let count = |op| ops.iter().filter(|one| **one == op).count();
    assert_eq!((count(EntryOp::Block), count(EntryOp::Unblock)), (3, 2));
    assert_eq!(count(EntryOp::Refuse), 3);
    let no_id = server.try_command("block", &["bob"]);
    assert_eq!(no_id.status.code(), Some(2));
}

#[test]
fn only_those_of_a_file() {
    let mut server = Server::stopped();
    let (office, other) = (Office::new(&server), Office::new(&server));
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("only");
    fs::write(&list, format!("# the office\n{}\n", office.bob.id())).unwrap();
    server.start(&["--only", path(&list)]);
    assert_eq!(ask(&server, office.opening(0)), "open");
    assert_eq!(ask(&server, other.opening(0)), "unknown");
    let unnamed = RequestDraft {
        who: None,
        ..office.opening(0)
    };
    assert_eq!(ask(&server, unnamed), "unknown");
    fs::write(&list, format!("{}\n{}\n", office.bob.id(), other.bob.id())).unwrap();
    until(|| ask(&server, other.opening(0)) == "open");
    // A list that cannot be read changes nothing.
    fs::write(&list, "nonsense\n").unwrap();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(ask(&server, other.opening(0)), "open");
}

#[test]
fn frozen_and_thawed() {
    let server = Server::new();
    let office = Office::new(&server);
    assert_eq!(server.command("freeze", &[])["changed"], true);
    assert_eq!(ask(&server, office.opening(0)), "frozen");
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "frozen");
    assert_eq!(server.client().get("/health").unwrap().status, 503);
    until(|| server.try_command("thaw", &[]).status.success());
    assert_eq!(ask(&server, office.opening(0)), "open");
    assert_eq!(server.client().get("/health").unwrap().status, 200);
    let refused = server.try_command("thaw", &["--accept-loss"]);
    assert_eq!(refused.status.code(), Some(1), "it is not frozen");
}

/// New keys while it runs: the old card is answered as before, the new one too, old slots open, and the log goes on.
#[test]
fn rotation() {
    let mut server = Server::new();
    let office = Office::new(&server);
    let old = server.card.clone();
    let before = sealed(&old, office.opening(0));
    let said = post(&mut server.client(), &old, &before).unwrap();
    let Said::Items { checkpoint, .. } = said else {
        panic!()
    };
    server.command("rotate", &[]);
    server.new_card();
    assert!(server.card.serial() > old.serial() && server.card.id() == old.id());
    assert_eq!(
        (
            server.card.keys().len(),
            server.card.log_key().name == old.log_key().name
        ),
        (2, true)
    );
    assert!(server.card.log_key().key != old.log_key().key);
    let card = server.card.clone();
    until(|| {
        server
            .client()
            .get("/card")
            .unwrap()
            .body
            .starts_with(card.to_text().as_bytes())
    });
    // What was seen under the old log key is continued under the new one.
    let draft = RequestDraft {
        seen: Some(&checkpoint),
        ..office.opening(0)
    };
    let sent = sealed(&card, draft);
    let Some(Said::Items {
        items,
        checkpoint: new,
        consistency,
    }) = post(&mut server.client(), &card, &sent)
    else {
        panic!()
    };
    assert!(
        matches!(items[0], ItemAnswer::Share { .. }),
        "the slot is of the old key"
    );
    let old_head = Checkpoint::read(&checkpoint, old.log_key()).unwrap();
    let new_head = Checkpoint::read(&new, card.log_key()).unwrap();
    let (old_place, new_place) = (
        (old_head.size, &old_head.root),
        (new_head.size, &new_head.root),
    );
    encl::gate::log::verify_consistency(old_place, new_place, &consistency).unwrap();
    // Sealed to the old KEM key, as whoever has the old card does: opened, and signed by the new log key.
    let sent = office
        .opening(0)
        .seal((old.id(), old.newest_key()), &mut rng())
        .unwrap();
    assert_eq!(
        word(&post(&mut server.client(), &card, &sent).unwrap()),
        "open"
    );
    // The same after a start.
    server.stop();
    server.start(&[]);
    assert_eq!(ask(&server, office.opening(0)), "open");
    let keys = server.command("status", &[]);
    assert_eq!(
        (keys["keys"].as_u64(), keys["frozen"].as_str()),
        (Some(2), Some("no"))
    );
}

#[test]
fn keys_under_a_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, file) = (folder.path().join("gate"), folder.path().join("passphrase"));
    fs::write(&file, "correct horse battery staple\n").unwrap();
    let (dir, file) = (path(&dir), path(&file));
    let made = run(&[
        "init",
        dir,
        "--url",
        "https://gate.example.org",
        "--passphrase-file",
        file,
    ]);
    assert!(made.status.success() && made.stderr.is_empty(), "{made:?}");
    let keys = fs::read(folder.path().join("gate/keys")).unwrap();
    assert!(keys.starts_with(b"encl/1"));
    let without = run(&["freeze", dir]);
    assert_eq!(without.status.code(), Some(1));
    assert!(!without.stderr.is_empty() && without.stdout.is_empty());
    fs::write(folder.path().join("wrong"), "wrong\n").unwrap();
    let wrong = run(&[
        "freeze",
        dir,
        "--passphrase-file",
        path(&folder.path().join("wrong")),
    ]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        run(&["freeze", dir, "--passphrase-file", file])
            .status
            .success()
    );
    // Not over what is there.
    let again = run(&["init", dir, "--url", "https://gate.example.org"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(fs::read(folder.path().join("gate/keys")).unwrap(), keys);
}

#[test]
fn one_server_for_one_folder_and_usage_errors() {
    let server = Server::new();
    let second = run(&["serve", path(&server.dir), "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(run(&["serve", path(&server.dir)]).status.code(), Some(2));
    assert_eq!(
        run(&["init", "x", "--url", "ftp://gate"]).status.code(),
        Some(2)
    );
    assert_eq!(run(&["status", "/nowhere"]).status.code(), Some(1));
    let status = server.command("status", &[]);
    assert_eq!(
        (status["served"].as_bool(), status["entries"].as_u64()),
        (Some(true), Some(2))
    );
}

/// T16, as far as no clock is needed: what is younger than an hour stays. The rest is tested beside the code.
#[test]
fn nothing_young_is_erased() {
    let server = Server::new();
    let office = Office::new(&server);
    assert_eq!(ask(&server, office.opening(0)), "open");
    let erased = server.command("erase", &[&office.bob.id().to_string()]);
    assert_eq!(
        (erased["erased"].as_u64(), erased["too_young"].as_u64()),
        (Some(0), Some(1))
    );
    assert_eq!(
        server.command("erase", &[&key().id().to_string()])["too_young"],
        0
    );
    assert_eq!(ask(&server, office.opening(0)), "open");
}

#[test]
fn a_copy_is_put_back_and_the_gate_is_frozen_until_the_operator_decides() {
    let mut server = Server::new();
    let (office, later) = (Office::new(&server), Office::new(&server));
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "stated");
    server.command("backup", &[path(&copy)]);
    let again = server.try_command("backup", &[path(&copy)]);
    assert_eq!(again.status.code(), Some(1), "not over what is there");
    let running = server.try_command("restore", &[path(&copy)]);
    assert_eq!(running.status.code(), Some(1), "not under a server");
    server.stop();
    // Nothing was lost: a plain thaw.
    assert_eq!(server.command("restore", &[path(&copy)])["lost"], false);
    server.start(&[]);
    assert_eq!(ask(&server, office.opening(0)), "frozen");
    server.command("thaw", &[]);
    assert_eq!(ask(&server, office.opening(0)), "revoked");
    // A revocation is lost: only a new log helps, and all are told.
    assert_eq!(ask(&server, later.stating(Statement::Revoke)), "stated");
    let old = server.card.clone();
    let seen = String::from_utf8(server.client().get("/checkpoint").unwrap().body).unwrap();
    server.stop();
    assert_eq!(server.command("restore", &[path(&copy)])["lost"], true);
    server.start(&[]);
    assert_eq!(ask(&server, later.opening(0)), "frozen");
    assert_eq!(server.try_command("thaw", &[]).status.code(), Some(1));
    let thawed = server.command("thaw", &["--accept-loss"]);
    assert_eq!(thawed["origin"], "127.0.0.1:7700/2");
    server.new_card();
    assert!(server.card.serial() > old.serial());
    let card = server.card.clone();
    until(|| {
        server
            .client()
            .get("/card")
            .unwrap()
            .body
            .starts_with(card.to_text().as_bytes())
    });
    // The new log is what others see, before anybody has asked.
    until(|| {
        let note = server.client().get("/checkpoint").unwrap().body;
        note.starts_with(b"127.0.0.1:7700/2\n")
    });
    assert_eq!(
        ask(&server, office.opening(0)),
        "revoked",
        "what the copy had stays"
    );
    assert_eq!(
        ask(&server, later.opening(0)),
        "open",
        "what it had not is lost until the owner comes"
    );
    let entries = server.entries();
    let first: &Entry = &entries[0];
    assert_eq!((first.op, first.seq), (EntryOp::Thaw, 0));
    // Its owner finds it there: whoever seals again carries it over.
    let again: &Entry = &entries[1];
    assert_eq!((again.op, again.n), (EntryOp::Statement, Some(1)));
    assert_eq!((again.who, again.request), (Some(office.owner.id()), None));
    let sent = sealed(&server.card, office.reading(1));
    let said = post(&mut server.client(), &server.card, &sent).unwrap();
    let Said::Items { items, .. } = said else {
        panic!("nothing was read");
    };
    let ItemAnswer::Log(page) = &items[0] else {
        panic!("nothing was read");
    };
    let read = audit_line(&page.lines[0], &office.lock(), server.card.id()).unwrap();
    let read = read.entry.unwrap();
    assert_eq!(read.statement, Some(Statement::Revoke));
    assert_eq!(read.signed, Signed::ByOwner);
    // Nor is it taken over twice.
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "stated");
    let before = Checkpoint::read(first.before.as_ref().unwrap(), old.log_key()).unwrap();
    assert!(before.size > 0);
    // An old checkpoint proves nothing about the new log and stops nobody; statements that come again are taken over again.
    let draft = RequestDraft {
        seen: Some(seen.as_bytes()),
        ..later.opening(0)
    };
    assert_eq!(ask(&server, draft), "open");
    assert_eq!(ask(&server, later.stating(Statement::Revoke)), "stated");
    assert_eq!(ask(&server, later.opening(0)), "revoked");
    assert!(server.dir.join("gate-1.db").is_file());
}

/// The log goes on only with a copy that has what was lost, and not because the same database is put back.
#[test]
fn a_copy_ends_no_loss_unless_it_has_more_entries() {
    let server = Server::stopped();
    let file = |name: &str| server.dir.join(name);
    let folder = tempfile::tempdir().unwrap();
    let copies = ["nightly", "lost", "newer"].map(|name| folder.path().join(name));
    let [nightly, lost, newer] = copies.each_ref().map(|copy| path(copy));
    let block = || server.command("block", &[&key().id().to_string()]);
    let is_lost = |copy| server.command("restore", &[copy])["lost"].clone();
    let refuses = || server.try_command("thaw", &[]).status.code() == Some(1);
    block();
    server.command("backup", &[nightly]);
    let head = fs::read(file("head")).unwrap();
    block();
    server.command("backup", &[newer]);
    // The old database is put back by hand, and what showed that is put back too.
    fs::copy(nightly, file("gate.db")).unwrap();
    assert!(refuses());
    fs::write(file("head"), head).unwrap();
    server.command("backup", &[lost]);
    assert!(is_lost(lost) == true && refuses());
    assert!(is_lost(nightly) == true && refuses());
    assert_eq!(is_lost(newer), false);
    server.command("thaw", &[]);
}
