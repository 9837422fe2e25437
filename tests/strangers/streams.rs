//! Standard streams as other programs hand them over: `/dev/null` for both directions, closed ones, sockets, and streams that do
//! not block.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::letters::People;
use crate::scene::{code, people, said, shell};
use crate::support::process;

/// What Python's `DEVNULL`, Node's `ignore` and daemon(3) open.
fn null_for_both() -> File {
    let options = &mut File::options();
    options.read(true).write(true).open("/dev/null").unwrap()
}

fn command(people: &People, who: &str, arguments: &[&str]) -> Command {
    let mut command = process::command(env!("CARGO_BIN_EXE_encl"));
    people.at_home(command.args(arguments), who);
    command
}

/// Ends with the exit code of a command whose standard output is handed over.
fn to(people: &People, arguments: &[&str], stdout: impl Into<OwnedFd>) -> Output {
    let mut command = command(people, "bob", arguments);
    command.stdout(stdout.into()).stderr(Stdio::piped());
    process::finish(&mut command.spawn().unwrap(), &arguments)
}

#[test]
fn entry_5_output_to_a_null_device_for_both_directions_is_no_error() {
    let people = people();
    people.done("alice", &["wrap", "note", "--to", "bob@example.org"], b"");
    let commands: [&[&str]; 8] = [
        &["verify", "note.encl"],
        &["verify", "note.encl", "--json"],
        &["inspect", "note.encl"],
        &["unwrap", "note.encl", "-o", "-"],
        &["key", "list"],
        &["contact", "list"],
        &["doctor"],
        &["version"],
    ];
    for arguments in commands {
        let output = to(&people, arguments, null_for_both());
        assert_eq!(code(&output), 0, "{arguments:?}: {}", said(&output));
        if arguments == ["verify", "note.encl"] {
            continue; // writes to stderr only
        }
        let words = arguments.join(" ");
        let closed = shell(&people, "bob", &format!("encl {words} >&-"));
        assert_eq!(code(&closed), 1, "{words} >&-");
        assert!(said(&closed).contains("it is closed"), "{}", said(&closed));
    }
}

#[test]
fn entry_5_input_from_a_null_device_for_both_directions_is_empty() {
    let people = people();
    let wrap = ["wrap", "-", "--to", "bob@example.org"];
    let mut from_null = command(&people, "alice", &wrap);
    let sealed = process::output(from_null.stdin(null_for_both()));
    assert_eq!(code(&sealed), 0, "{}", said(&sealed));
    assert_eq!(people.done("bob", &["unwrap", "-"], &sealed.stdout), b"");
    let mut stderr = command(&people, "alice", &["unwrap", "nothing.encl"]);
    let mut child = stderr.stderr(null_for_both()).spawn().unwrap();
    assert_eq!(
        code(&process::finish(&mut child, &"unwrap nothing.encl")),
        1
    );
    for line in [
        "encl wrap - --to bob@example.org <&-",
        "encl verify --files-from - <&-",
        "encl key import - <&-",
        "encl unwrap - <&- 2>&-",
    ] {
        let output = shell(&people, "alice", line);
        assert_eq!(code(&output), 1, "{line}: {}", said(&output));
        assert!(line.ends_with("2>&-") || said(&output).contains("it is closed"));
    }
    let passphrase = shell(
        &people,
        "alice",
        "encl wrap note --passphrase --passphrase-file - -o out <&-",
    );
    assert_eq!(code(&passphrase), 6);
    assert!(
        said(&passphrase).contains("it is not open"),
        "{}",
        said(&passphrase)
    );
}

/// Longer than all that pipes, sockets and pieces hold.
fn long() -> Vec<u8> {
    (0..3_000_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn unblocked(end: impl AsFd) {
    let flags = fcntl_getfl(&end).unwrap();
    fcntl_setfl(&end, flags | OFlags::NONBLOCK).unwrap();
}

/// The two ends of a stream: for reading, and for writing.
type Ends = (OwnedFd, OwnedFd);

fn socket() -> Ends {
    let (one, other) = UnixStream::pair().unwrap();
    (one.into(), other.into())
}

fn pipe() -> Ends {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader.into(), writer.into())
}

/// Feeds bytes slowly, and in uneven pieces.
fn feed(end: OwnedFd, bytes: Vec<u8>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut end = File::from(end);
        for piece in bytes.chunks(70_001) {
            end.write_all(piece).unwrap();
            thread::sleep(Duration::from_millis(2));
        }
    })
}

/// Reads all, after a while and slowly.
fn drain(end: OwnedFd) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(500));
        let (mut end, mut all) = (File::from(end), Vec::new());
        let mut piece = vec![0; 50_001];
        loop {
            thread::sleep(Duration::from_millis(2));
            match end.read(&mut piece).unwrap() {
                0 => return all,
                bytes => all.extend_from_slice(&piece[..bytes]),
            }
        }
    })
}

/// Runs a command between a slow writer and a slow reader, over streams that do not block.
fn between(
    people: &People,
    who: &str,
    arguments: &[&str],
    input: Vec<u8>,
    ends: fn() -> Ends,
) -> Vec<u8> {
    let ((reads, feeds), (drains, writes)) = (ends(), ends());
    unblocked(&reads);
    unblocked(&writes);
    let mut command = command(people, who, arguments);
    let (fed, drained) = (feed(feeds, input), drain(drains));
    command.stdin(reads).stdout(writes).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    let ended = process::finish(&mut child, &arguments);
    assert_eq!(code(&ended), 0, "{arguments:?}: {}", said(&ended));
    fed.join().unwrap();
    drained.join().unwrap()
}

#[test]
fn streams_that_do_not_block_lose_and_double_nothing() {
    let people = people();
    for ends in [pipe, socket] {
        let wrap = ["wrap", "-", "--to", "bob@example.org"];
        let sealed = between(&people, "alice", &wrap, long(), ends);
        for unwrap in [&["unwrap", "-"][..], &["unwrap", "-", "--verify-first"]] {
            let opened = between(&people, "bob", unwrap, sealed.clone(), ends);
            assert!(opened == long(), "{unwrap:?}");
        }
        let grant = ["grant", "-", "--to", "alice.card"];
        let granted = between(&people, "alice", &grant, sealed.clone(), ends);
        assert!(people.done("bob", &["unwrap", "-"], &granted) == long());
        let mail = [
            &b"From: alice@example.org\nTo: bob@example.org\nSubject: s\n\n"[..],
            &long_text(),
        ];
        let mail = mail.concat();
        let sealed = between(&people, "alice", &["mail", "wrap"], mail.clone(), ends);
        let opened = between(&people, "bob", &["mail", "unwrap"], sealed, ends);
        assert!(opened == mail, "a message");
        let from = ["wrap", "/dev/stdin", "-o", "/dev/stdout", "--anonymous"];
        let from = [&from[..], &["--to", "bob@example.org"]].concat();
        let sealed = between(&people, "alice", &from, long(), ends);
        assert!(people.done("bob", &["unwrap", "-"], &sealed) == long());
    }
}

fn long_text() -> Vec<u8> {
    (0..40_000)
        .flat_map(|number| format!("line {number} of a long message\n").into_bytes())
        .collect()
}

#[test]
fn lists_and_messages_pass_through_streams_that_do_not_block() {
    let people = people();
    people.done("alice", &["wrap", "note", "--to", "bob@example.org"], b"");
    let list = "note.encl\n".repeat(1_500);
    for ends in [pipe, socket] {
        let verify = ["verify", "--json", "--files-from", "-"];
        let objects = between(&people, "bob", &verify, list.clone().into_bytes(), ends);
        let objects = String::from_utf8(objects).unwrap();
        assert_eq!(objects.lines().count(), 1_500);
        let whole = |line: &str| line.starts_with('{') && line.ends_with('}');
        assert!(objects.lines().all(whole));
        // stderr: one line for each, none cut.
        let (drains, writes) = ends();
        unblocked(&writes);
        let drained = drain(drains);
        fs::write(people.path("list"), &list).unwrap();
        let mut verify = command(&people, "bob", &["verify", "--files-from", "list"]);
        let mut child = verify.stderr(writes).spawn().unwrap();
        drop(verify);
        assert_eq!(code(&process::finish(&mut child, &"verify")), 0);
        let lines = String::from_utf8(drained.join().unwrap()).unwrap();
        let told = lines.lines().filter(|line| line.contains("note.encl"));
        assert_eq!(told.count(), 1_500);
    }
}

#[test]
fn a_reader_that_goes_ends_a_stream_that_does_not_block() {
    let people = people();
    fs::write(people.path("long"), long()).unwrap();
    for ends in [pipe, socket] {
        let (drains, writes) = ends();
        unblocked(&writes);
        let goes = thread::spawn(move || {
            let mut piece = [0; 1_000];
            File::from(drains).read_exact(&mut piece).unwrap();
        });
        let wrap = ["wrap", "long", "--to", "alice@example.org", "-o", "-"];
        let output = to(&people, &wrap, writes);
        goes.join().unwrap();
        assert_eq!(code(&output), 1);
        assert!(said(&output).contains("broken pipe"), "{}", said(&output));
    }
}
