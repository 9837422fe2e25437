//! An owner takes access away from another machine, while this one encrypts the envelope again.

use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::owners::second_machine;
use super::stage::{Answer, Stage};

const SEAL: &str = "wrap plan.txt --to bob@example.org --to carol@example.org --gate work";
const REMOVE: &str = "revoke plan.txt.encl --from carol@example.org --yes";

/// Stands before a gate, and does something when the first request comes after a file was changed.
struct Relay<'a> {
    file: &'a Path,
    before: Vec<u8>,
    meanwhile: &'a (dyn Fn() + Sync),
    is_done: Mutex<bool>,
}

impl Relay<'_> {
    fn carry(&self, mut from: TcpStream, to: &str) -> io::Result<()> {
        {
            let mut is_done = self.is_done.lock().unwrap();
            let is_changed = fs::read(self.file).is_ok_and(|now| now != self.before);
            if is_changed && !*is_done {
                *is_done = true;
                drop(is_done); // The other machine comes by here too.
                // Statements of one second are the same bytes: then nobody can tell who made them.
                thread::sleep(Duration::from_millis(1_100));
                (self.meanwhile)();
            }
        }
        let mut gate = TcpStream::connect(to)?;
        thread::scope(|scope| {
            let (mut asked, mut answered) = (from.try_clone()?, gate.try_clone()?);
            scope.spawn(move || {
                let _ = io::copy(&mut asked, &mut answered);
                let _ = answered.shutdown(Shutdown::Write);
            });
            io::copy(&mut gate, &mut from)?;
            from.shutdown(Shutdown::Both)
        })
    }
}

/// Alice runs a command, and `meanwhile` happens when the new envelope is in its place and the old one is not revoked yet.
fn with_meanwhile(stage: &mut Stage, line: &str, exit: i32, meanwhile: &str) -> Answer {
    when_written("plan.txt.encl", stage, line, exit, meanwhile)
}

/// The same, with another name for the new envelope.
fn when_written(new: &str, stage: &mut Stage, line: &str, exit: i32, meanwhile: &str) -> Answer {
    let address = stage.move_gate("work");
    let stage = &*stage;
    let file = stage.path(new);
    let relay = Relay {
        before: fs::read(&file).unwrap_or_default(),
        file: &file,
        meanwhile: &|| drop(stage.good("dora", meanwhile)),
        is_done: Mutex::new(false),
    };
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        stream.set_nonblocking(false).unwrap();
                        let relay = &relay;
                        scope.spawn(move || relay.carry(stream, &stage.listens("work")));
                    }
                    Err(_) => thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        let answer = stage.encl("alice", line);
        is_over.store(true, Ordering::SeqCst);
        assert!(*relay.is_done.lock().unwrap());
        let Answer { out, err, .. } = &answer;
        assert_eq!(answer.exit, exit, "encl {line}\n{out}{err}");
        answer
    })
}

/// Alice and her second machine, Dora, with an envelope for Bob and Carol, of which Dora has a copy.
fn two_machines() -> Stage {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    second_machine(&stage);
    fs::copy(stage.path("plan.txt.encl"), stage.path("copy.encl")).unwrap();
    stage
}

#[test]
fn who_is_denied_while_an_envelope_is_sealed_again_is_denied_the_new_one_too() {
    let mut stage = two_machines();
    let deny = "gate revoke copy.encl --who bob@example.org --yes";
    let removed = with_meanwhile(&mut stage, REMOVE, 0, deny);
    assert!(removed.err.contains("meanwhile"), "{}", removed.err);
    stage.move_gate_back("work");
    let open = "unwrap plan.txt.encl -o opened.txt --force";
    let error = stage.error("bob", open, 5);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("taken from you"),
        "{error:?}"
    );
    stage.good("alice", open);
}

#[test]
fn an_end_that_is_set_while_an_envelope_is_sealed_again_holds_for_the_new_one_too() {
    let mut stage = two_machines();
    let removed = with_meanwhile(&mut stage, REMOVE, 0, "gate expire copy.encl --on 5d --yes");
    assert!(removed.err.contains("an end was set"), "{}", removed.err);
    stage.move_gate_back("work");
    let status = stage.good("alice", "gate status plan.txt.encl --json");
    let object = status.object("encl.gate-status/1");
    let until = &object["gates"][0]["state"]["until"];
    assert!(until.is_string(), "{object:?}");
}

#[test]
fn what_is_revoked_while_it_is_sealed_again_is_no_success() {
    let mut stage = two_machines();
    let removed = with_meanwhile(&mut stage, REMOVE, 5, "gate revoke copy.encl --yes");
    stage.move_gate_back("work");
    // The message names the command that revokes the new one.
    let mut commands = removed.err.split('`');
    let revoke = commands.find_map(|one| one.strip_prefix("encl gate revoke "));
    stage.good("bob", "unwrap plan.txt.encl -o opened.txt --force");
    stage.good("alice", &format!("gate revoke {} --yes", revoke.unwrap()));
    stage.ends("bob", "unwrap plan.txt.encl -o opened.txt --force", 5);
}

#[test]
fn what_is_revoked_while_it_is_sealed_under_another_name_is_no_success() {
    let mut stage = two_machines();
    let line = format!("{REMOVE} -o new.encl");
    let removed = when_written(
        "new.encl",
        &mut stage,
        &line,
        5,
        "gate revoke copy.encl --yes",
    );
    assert!(
        removed.err.contains("can still be opened"),
        "{}",
        removed.err
    );
}

/// A folder is changed file by file: for each its gates are asked from whom access was taken.
#[test]
fn a_folder_gives_nothing_back_that_was_taken_from_another_machine() {
    let stage = two_machines();
    fs::create_dir(stage.path("sealed")).unwrap();
    fs::rename(stage.path("plan.txt.encl"), stage.path("sealed/one.encl")).unwrap();
    stage.good("alice", &format!("{SEAL} -o sealed/two.encl"));
    stage.good("dora", "gate revoke copy.encl --who bob@example.org --yes");
    let before = fs::read(stage.path("sealed/one.encl")).unwrap();
    let other = fs::read(stage.path("sealed/two.encl")).unwrap();
    for line in [
        "rewrap -r sealed --to bob@example.org --yes --dry-run",
        "rewrap -r sealed --to bob@example.org --yes",
    ] {
        let error = stage.error("alice", line, 5);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("taken from bob"), "{message}");
    }
    assert!(fs::read(stage.path("sealed/one.encl")).unwrap() == before);
    // Nothing was taken from Bob there.
    assert!(fs::read(stage.path("sealed/two.encl")).unwrap() != other);
}
