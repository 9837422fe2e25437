//! Limits of a process: no thread, few descriptors, small files, little memory.

use std::fs;
use std::process::Output;

use crate::letters::People;
use crate::scene::{code, people, said, shell};
use crate::tell::skipped;

/// No process and no thread is started.
const TRACED: &str =
    "strace -f -qq -o traced -e trace=clone,clone3 -e inject=clone,clone3:error=EAGAIN";

/// Runs a command that gets no thread: every clone(2) fails. `None`: there is no strace here, or it may not be used.
fn alone(people: &People, who: &str, line: &str) -> Option<Output> {
    let traced =
        "strace -f -qq -o traced -e trace=clone,clone3 -e inject=clone,clone3:error=EAGAIN";
    let usable = shell(people, who, &format!("{traced} true 2>/dev/null"));
    if !usable.status.success() {
        skipped("work without threads (strace)");
        return None;
    }
    let output = shell(people, who, &format!("{TRACED} \"$ENCL\" {line}"));
    // Every command here wants threads.
    let traced = fs::read_to_string(people.path("traced")).unwrap();
    assert!(traced.contains("(INJECTED)"), "{line}\n{traced}");
    Some(output)
}

/// A Maildir with as many messages.
fn maildir(people: &People, messages: usize) {
    for folder in ["mail/cur", "mail/new", "mail/tmp"] {
        fs::create_dir_all(people.path(folder)).unwrap();
    }
    let message = "From: alice@example.org\nTo: bob@example.org\nSubject: s\n\nthe walrus\n";
    for number in 0..messages {
        fs::write(people.path(&format!("mail/cur/{number}:2,S")), message).unwrap();
    }
}

/// The files in a folder, hidden ones too.
fn files(people: &People, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(people.path(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn one_thread_does_the_work_where_no_other_can_be_had() {
    let people = people();
    let long: Vec<u8> = b"0123456789abcdef\n".repeat(1_500_000);
    fs::write(people.path("long"), &long).unwrap();
    fs::write(people.path("words"), "a few words\n").unwrap();
    for number in 0..8 {
        fs::copy(people.path("note"), people.path(&format!("note{number}"))).unwrap();
    }
    maildir(&people, 20);
    let backup = ["backup", "-o", "b.encl", "--passphrase-file", "words"];
    people.done("alice", &backup, b"");
    for (who, line, expected) in [
        ("alice", "wrap long --to bob@example.org", "for 2 people"),
        ("bob", "unwrap long.encl -o opened", "signed by"),
        ("bob", "unwrap - -o opened2 < long.encl", "signed by"),
        ("alice", "wrap note? --to bob@example.org", "note7.encl"),
        ("bob", "verify note?.encl", "note7.encl"),
        (
            "alice",
            "rewrap note?.encl --to alice@example.org --yes",
            "8  encrypted again",
        ),
        (
            "alice",
            "mail seal mail --for alice@example.org",
            "20 messages sealed",
        ),
        ("alice", "mail grep walrus mail", ""),
        ("alice", "mail unseal mail", "20 messages"),
        (
            "carol",
            "restore b.encl --passphrase-file words --yes",
            "restored",
        ),
    ] {
        let Some(output) = alone(&people, who, line) else {
            return;
        };
        assert_eq!(code(&output), 0, "{line}: {}", said(&output));
        assert!(
            said(&output).contains(expected),
            "{line}: {}",
            said(&output)
        );
    }
    assert!(fs::read(people.path("opened")).unwrap() == long);
    assert!(fs::read(people.path("opened2")).unwrap() == long);
    let own = people.done("carol", &["key", "list"], b"");
    assert!(String::from_utf8_lossy(&own).contains("alice@example.org"));
}

#[test]
fn a_signal_ends_a_program_that_has_no_thread_to_wait_for_it() {
    let people = people();
    people.done("alice", &["wrap", "note", "--to", "bob@example.org"], b"");
    if alone(&people, "bob", "unwrap note.encl -o opened").is_none() {
        return;
    }
    fs::remove_file(people.path("opened")).unwrap();
    let line = format!(
        "rm traced state-bob/encl/clock; mkfifo slow; (cat note.encl; exec sleep 60) > slow & held=$!
        {TRACED} bash -c 'echo $$ > pid; exec \"$ENCL\" unwrap - -o opened' < slow & traced=$!
        until test -s pid && grep -q INJECTED traced; do sleep 0.1; done
        kill -TERM $(cat pid); wait $traced; ended=$?; kill $held; exit $ended"
    );
    // strace ends as its program did.
    let output = shell(&people, "bob", &line);
    assert_eq!(output.status.code(), Some(143), "{}", said(&output));
    assert!(!people.path("opened").exists());
}

#[test]
fn few_descriptors_are_a_clear_error_and_nothing_is_lost() {
    let people = people();
    maildir(&people, 6);
    fs::create_dir(people.path("made")).unwrap();
    let mut went_well = 0;
    for number in 4..24 {
        for line in [
            "wrap note note.card -C made --force --to bob@example.org",
            "mail seal mail --for alice@example.org",
        ] {
            let line = line.replace("note.card", "alice.card");
            let limited = format!("ulimit -n {number}; \"$ENCL\" {line}");
            let output = shell(&people, "alice", &limited);
            match code(&output) {
                0 => went_well += 1,
                1 => assert!(said(&output).contains("too many open files")),
                other => panic!("{number} {line}: {other} {}", said(&output)),
            }
        }
        assert_eq!(files(&people, "mail/cur").len(), 6);
        assert_eq!(files(&people, "mail/tmp"), [""; 0]);
        let made = files(&people, "made");
        assert!(made.iter().all(|name| !name.starts_with('.')), "{made:?}");
    }
    assert!(went_well > 8, "{went_well}");
    people.done("alice", &["mail", "unseal", "mail"], b"");
    for name in files(&people, "mail/cur") {
        let message = fs::read_to_string(people.path(&format!("mail/cur/{name}"))).unwrap();
        assert!(message.ends_with("the walrus\n"), "{name}");
    }
}

#[test]
fn a_limit_of_file_sizes_is_a_full_disk() {
    let people = people();
    maildir(&people, 3);
    fs::write(people.path("long"), vec![b'a'; 3_000_000]).unwrap();
    fs::create_dir(people.path("made")).unwrap();
    for line in [
        "wrap long -C made --to bob@example.org",
        "wrap - -o made/out --to bob@example.org < long",
        "wrap - -o - --to bob@example.org < long > piped",
        "mail seal mail --for alice@example.org",
    ] {
        let limited = format!("ulimit -f 1; \"$ENCL\" {line}");
        let output = shell(&people, "alice", &limited);
        assert_eq!(code(&output), 1, "{line}: {}", said(&output));
        assert!(
            said(&output).contains("file too large"),
            "{}",
            said(&output)
        );
    }
    assert_eq!(files(&people, "made"), [""; 0]);
    assert_eq!(files(&people, "mail/cur"), ["0:2,S", "1:2,S", "2:2,S"]);
}

#[test]
fn memory_for_a_passphrase_that_cannot_be_had_is_no_wrong_passphrase() {
    let people = people();
    fs::write(people.path("words"), "a few words\n").unwrap();
    let words = ["--passphrase-file", "words"];
    let wrap = ["wrap", "note", "--passphrase", "-o", "sealed"];
    people.done("alice", &[&wrap[..], &words].concat(), b"");
    people.done(
        "carol",
        &[&["key", "new", "carol@example.org"][..], &words].concat(),
        b"",
    );
    for (who, line) in [
        ("alice", "wrap note --passphrase -o out"),
        ("bob", "unwrap sealed -o out"),
        ("carol", "wrap note --to bob.card -o out"),
        ("dave", "key new dave@example.org"),
        ("alice", "backup -o out"),
    ] {
        let limited = format!("ulimit -v 40000; \"$ENCL\" {line} --passphrase-file words");
        let output = shell(&people, who, &limited);
        assert_eq!(code(&output), 1, "{line}: {}", said(&output));
        assert!(
            said(&output).contains("not enough memory"),
            "{}",
            said(&output)
        );
        assert!(!people.path("out").exists());
    }
    assert!(!people.path("keys-dave/identities").exists());
}
