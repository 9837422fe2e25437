//! Every row of the exit-code table: a command that provokes it, with both output streams.

use crate::session::Session;

/// One command for each row.
#[test]
fn every_row_of_the_table() {
    let mut session = Session::with_people();
    session.quietly(
        "alice",
        "encl wrap report.pdf --to bob@example.org -o good.encl",
    );
    session.quietly(
        "alice",
        "encl wrap notes.txt --to bob@example.org --expires 1s -o short.encl",
    );
    let story = [
        (0, "bob", "encl verify good.encl"),
        (1, "bob", "encl unwrap nothing.encl"),
        (1, "bob", "encl unwrap good.encl -o nowhere/report.pdf"),
        (1, "bob", "encl unwrap good.encl -o /dev/full"),
        (1, "bob", "encl unwrap good.encl -o - > /dev/full"),
        (1, "bob", "encl unwrap good.encl -o - >&-"),
        (1, "bob", "encl key list > /dev/full"),
        (1, "alice", "encl wrap --to bob@example.org <&-"),
        (2, "bob", "encl"),
        (2, "bob", "encl --json"),
        (2, "bob", "encl wrp good.encl"),
        (2, "alice", "encl wrap photos --to bob@example.org"),
        (2, "alice", "encl wrap notes.txt"),
        (
            2,
            "alice",
            "encl wrap notes.txt --to bob@example.org --expires yesterday",
        ),
        (
            2,
            "alice",
            "encl wrap notes.txt --to bob@example.org --expires 2001-01-01T00:00:00Z",
        ),
        (2, "bob", "encl unwrap notes.txt"),
        (3, "carol", "encl unwrap good.encl -o mine"),
        (3, "dora", "encl unwrap good.encl -o mine"),
        (4, "bob", "head -c 3000 good.encl | encl unwrap"),
        (4, "bob", "head -c 9000 good.encl | encl verify -"),
        (4, "bob", "tail -c +2 good.encl | encl verify -"),
        (4, "bob", "sed 's/$/\\r/' good.encl | encl verify -"),
        (4, "bob", "cat good.encl good.encl | encl verify -"),
        (4, "bob", "sed '2s/Bob/Rob/' good.encl | encl verify -"),
        (4, "bob", "encl verify --signed-by carol.card good.encl"),
        (5, "bob", "sleep 1.1; encl unwrap short.encl -o late"),
        (
            6,
            "alice",
            "encl wrap notes.txt --passphrase --anonymous --no-input",
        ),
        (
            6,
            "alice",
            "encl wrap notes.txt --passphrase --passphrase-fd 3 3<&-",
        ),
        (7, "alice", "encl wrap notes.txt --to nobody@example.org"),
        (7, "alice", "encl wrap notes.txt --to bob@example.ogr"),
        (7, "alice", "encl wrap notes.txt --to @board"),
        (7, "alice", "encl wrap notes.txt --to nobody.card"),
        (7, "alice", "encl wrap notes.txt --to ./notes.txt"),
        (
            7,
            "alice",
            "encl wrap notes.txt --to bob@example.org --require-verified",
        ),
        (8, "bob", "encl unwrap good.encl -o report.pdf"),
        (8, "bob", "encl unwrap good.encl -o good.encl --force"),
        (
            8,
            "bob",
            "ln good.encl hard; encl unwrap good.encl -o hard --force",
        ),
        (
            8,
            "bob",
            "ln -s good.encl soft; encl unwrap good.encl -o soft --force",
        ),
        (
            8,
            "bob",
            "ln -s nowhere dangling; encl unwrap good.encl -o dangling --force",
        ),
        (
            8,
            "alice",
            "encl wrap notes.txt --to bob@example.org -o - >> notes.txt",
        ),
        (8, "alice", "encl key new alice@example.org --no-passphrase"),
        (9, "bob", "sed '1s/1/2/' good.encl | encl verify -"),
    ];
    for (exit, person, line) in story {
        let answer = session.type_(person, line);
        assert_eq!(answer.exit, exit, "{line}\n{}", answer.stderr);
    }
    assert_eq!(
        session.read("good.encl")[..7],
        *b"encl/1\n",
        "the input is untouched"
    );
    assert_eq!(session.read("notes.txt"), b"notes\n");
    insta::assert_snapshot!(session.transcript());
}

/// No command follows or replaces a link as target; all give the same exit code and hint.
#[test]
fn a_link_as_target_is_refused_by_every_command() {
    let mut session = Session::with_people();
    session.quietly(
        "alice",
        "echo here > real; ln -s real soft; mkdir pages; ln -s ../real pages/encl.1",
    );
    for line in [
        "encl wrap notes.txt --to bob@example.org -o soft --force",
        "encl key card -o soft --force",
        "encl key export -o soft --force",
        "encl key paper -o soft --force",
        "encl backup --to bob@example.org -o soft --force",
        "encl invite frank@example.org -o soft --force",
        "encl man pages",
    ] {
        let answer = session.type_("alice", line);
        assert_eq!(answer.exit, 8, "{line}\n{}", answer.stderr);
    }
    assert_eq!(session.read("real"), b"here\n");
    insta::assert_snapshot!(session.transcript());
}

/// Inputs are independent. The exit code is that of all failures if they agree, otherwise 1.
#[test]
fn several_failed_inputs_give_their_common_code_or_1() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "encl wrap report.pdf --to bob@example.org -o a.encl && cp a.encl b.encl",
    );
    session.quietly("alice", "head -c 100 a.encl > broken.encl");
    let exit = |line: &str| session.ask("carol", line).exit;
    assert_eq!(exit("encl verify a.encl b.encl"), 3);
    assert_eq!(exit("encl verify broken.encl broken.encl"), 4);
    assert_eq!(exit("encl verify a.encl broken.encl"), 1);
    assert_eq!(session.ask("bob", "encl verify a.encl broken.encl").exit, 4);
}

/// Every failure is one object on stderr with the exit code.
#[test]
fn json_failures_carry_the_exit_code() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "encl wrap report.pdf --to bob@example.org -o good.encl",
    );
    for (exit, code, line) in [
        (1, "failed", "encl verify --json nothing.encl"),
        (2, "usage", "encl unwrap --json notes.txt"),
        (3, "not_for_you", "encl verify --json good.encl"),
        (4, "damaged", "encl verify --json notes.txt"),
        (
            6,
            "locked",
            "encl wrap --json notes.txt --passphrase --no-input",
        ),
        (7, "recipient", "encl wrap --json notes.txt --to nobody"),
        (
            8,
            "exists",
            "encl key new --json carol@example.org --no-passphrase",
        ),
        (9, "newer", "sed '1s/1/2/' good.encl | encl verify --json -"),
    ] {
        let answer = session.ask("carol", line);
        let error: serde_json::Value = serde_json::from_str(&answer.stderr).unwrap();
        assert_eq!(
            (answer.exit, error["exit"].as_i64()),
            (exit, Some(exit.into())),
            "{line}"
        );
        assert_eq!(
            (&error["schema"], &error["code"]),
            (&"encl.error/1".into(), &code.into()),
            "{line}"
        );
    }
}
