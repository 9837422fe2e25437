//! What an operator keeps for years: keys that were changed often, old logs, and what is left by commands that were stopped.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use encl::gate::rules::Statement;

use crate::office::{Office, ask};
use crate::server::{Server, path, program, until};
use crate::support::process;

/// A card has room for 16 keys: the oldest one leaves it, and still opens what was sealed to it.
#[test]
fn more_keys_than_a_card_has_room_for() {
    let mut server = Server::new();
    let oldest = Office::new(&server);
    for _ in 0..18 {
        server.command("rotate", &["--kem"]);
    }
    server.new_card();
    assert_eq!(server.card.keys().len(), 16);
    let card = server.card.to_text().to_owned();
    until(|| {
        let given = server.client().get("/card").unwrap().body;
        given.starts_with(card.as_bytes())
    });
    assert_eq!(ask(&server, oldest.opening(0)), "open");
    assert_eq!(ask(&server, Office::new(&server).opening(0)), "open");
    server.stop();
    server.start(&[]);
    assert_eq!(ask(&server, oldest.opening(0)), "open");
    assert_eq!(server.command("status", &[])["keys"], 16);
}

/// Killed at each step of `rotate`: the next start answers under a card that fits.
#[test]
fn a_rotation_that_was_stopped_is_ended_by_the_next_start() {
    let (mut killed, mut repaired) = (0, 0);
    let calls = [
        "fsync",
        "fdatasync",
        "rename",
        "renameat2",
        "linkat",
        "pwrite64",
    ];
    for call in calls {
        for nth in 1_u32.. {
            let mut server = Server::stopped();
            let office = Office::new(&server);
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            let trace = format!("trace={call}");
            let mut command = process::command("strace");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject]);
            command.args([&program(), "rotate", path(&server.dir)]);
            let status = process::output(&mut command).status;
            if status.success() {
                break;
            }
            // Nothing else stopped it.
            assert_eq!(status.signal(), Some(9), "{call} {nth}: {status}");
            killed += 1;
            let before = fs::read(server.dir.join("card")).unwrap();
            server.start(&[]);
            repaired += u32::from(fs::read(server.dir.join("card")).unwrap() != before);
            // As clients do: with the card that the gate gives out.
            server.new_card();
            let given = server.client().get("/card").unwrap().body;
            let is_own = given.starts_with(server.card.to_text().as_bytes());
            assert!(is_own, "{call} {nth}");
            assert_eq!(ask(&server, office.opening(0)), "open", "{call} {nth}");
            let newer = Office::new(&server);
            assert_eq!(ask(&server, newer.opening(0)), "open", "{call} {nth}");
            server.command("rotate", &[]);
        }
    }
    println!("{killed} kills, {repaired} new cards");
    assert!(
        killed >= 8 && repaired >= 1,
        "{killed} kills, {repaired} new cards"
    );
}

fn is_in(file: &Path, text: &str) -> bool {
    let bytes = fs::read(file).unwrap();
    let mut windows = bytes.windows(text.len());
    windows.any(|window| window == text.as_bytes())
}

/// Old logs beside the database are complete, and what is erased is erased in them too.
#[test]
fn old_logs_are_whole_and_are_erased_too() {
    let found = Command::new("faketime").arg("--version").output();
    assert!(found.is_ok(), "this test needs faketime");
    let mut server = Server::new();
    let office = Office::new(&server);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    assert_eq!(ask(&server, office.opening(0)), "open");
    server.command("backup", &[path(&copy)]);
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "stated");
    server.stop();
    // What a stopped copy has left under the name is no copy of this log, and is not taken for one.
    fs::write(server.dir.join("gate-1.db"), "half of it").unwrap();
    server.command("restore", &[path(&copy)]);
    let thawed = server.command("thaw", &["--accept-loss"]);
    let archive = server.dir.join("gate-1-2.db");
    assert_eq!(thawed["old_log"], path(&archive));
    let bob = encl::json::to_b64(&office.bob.id().0);
    assert!(is_in(&archive, &bob));
    // What commands left that were killed.
    for name in [
        ".gate.db.restored",
        ".gate.db.restored-wal",
        ".gate-1-2.db.part",
    ] {
        fs::write(server.dir.join(name), &bob).unwrap();
    }
    // Two hours later.
    let mut command = process::command("faketime");
    let id = office.bob.id().to_string();
    command.args(["-f", "+2h", &program(), "--json", "erase"]);
    command.args([path(&server.dir), &id]);
    let erased = process::output(&mut command);
    let told = String::from_utf8_lossy(&erased.stderr);
    assert!(
        erased.status.code() == Some(1) && told.contains("gate-1.db"),
        "it is told what cannot be read: {told}"
    );
    let erased: serde_json::Value = serde_json::from_slice(&erased.stdout).unwrap();
    let counts = (&erased["erased"], &erased["too_young"]);
    assert_eq!(counts, (&1.into(), &0.into()));
    for file in fs::read_dir(&server.dir).unwrap() {
        let file = file.unwrap().path();
        assert!(!is_in(&file, &bob), "{}", file.display());
    }
}
