//! The first minute with encl, and the everyday commands of two people.

use crate::session::Session;

#[test]
fn three_commands_and_one_exchange() {
    let mut session = Session::new();
    session.write("report.pdf", "%PDF: the report\n");
    session.type_(
        "bob",
        "encl key new bob@example.org --name Bob --passphrase-file passphrase > bob.card",
    );
    session.type_(
        "alice",
        "encl key new alice@example.org --name Alice --passphrase-file passphrase > alice.card",
    );
    session.type_(
        "alice",
        "encl wrap report.pdf --to bob.card --passphrase-file passphrase",
    );
    session.type_("alice", "sed -n 1p report.pdf.encl");
    session.type_("bob", "encl inspect report.pdf.encl");
    session.type_(
        "bob",
        "rm report.pdf; encl unwrap report.pdf.encl --passphrase-file passphrase",
    );
    session.type_("bob", "stat -c '%a %s' report.pdf; cat report.pdf");
    session.type_("bob", "encl contact add alice.card --yes");
    session.type_(
        "bob",
        "encl verify report.pdf.encl --passphrase-file passphrase",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn pipes_stay_pipes() {
    let mut session = Session::with_people();
    session.type_(
        "alice",
        "echo hello | encl wrap --to bob@example.org | encl unwrap | tr a-z A-Z",
    );
    session.type_(
        "alice",
        "tar c photos | encl wrap - --name photos.tar --to bob@example.org > photos.tar.encl",
    );
    session.type_(
        "bob",
        "encl unwrap --verify-first < photos.tar.encl | tar t",
    );
    session.type_(
        "bob",
        "cat photos.tar.encl | encl unwrap - --use-name && tar tf photos.tar",
    );
    session.type_(
        "bob",
        "cat photos.tar.encl | encl unwrap --verify-first -o - | tar t",
    );
    session.type_(
        "alice",
        "head -c 3000000 /dev/zero | encl wrap --to bob@example.org --armor | head -n 1",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_pipe_that_breaks_is_a_failure() {
    let session = Session::with_people();
    let line = "{ head -c 3000000 /dev/zero | encl wrap --to bob@example.org; echo $? > code; } | head -c 10 > head";
    session.ask("alice", line);
    assert_eq!(session.read("code"), b"1\n");
}

#[test]
fn many_inputs_are_independent() {
    let mut session = Session::with_people();
    session.type_(
        "alice",
        "encl wrap report.pdf nothing notes.txt --to @finance -C sealed",
    );
    session.type_("bob", "encl unwrap sealed/*.encl letter.pdf.encl -C opened");
    session.type_("bob", "ls opened; cmp report.pdf opened/report.pdf");
    session.type_("alice", "printf 'notes.txt\\0report.pdf\\0' | encl wrap --files-from - -0 --to bob.card --quiet; ls *.encl");
    session.type_(
        "alice",
        "encl wrap report.pdf notes.txt --to bob.card -o both.encl",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn json_is_one_object_per_input() {
    let mut session = Session::with_people();
    session.type_("alice", "encl wrap notes.txt --to bob@example.org --expires 2099-12-31 --label class=internal --json");
    session.type_("bob", "encl inspect notes.txt.encl letter.pdf.encl --json");
    session.type_("bob", "encl verify notes.txt.encl --json");
    session.type_("bob", "encl unwrap notes.txt.encl --json -o - ");
    session.type_("carol", "encl unwrap notes.txt.encl --json -o mine");
    session.type_(
        "alice",
        "encl version --json | cut -c 1-40; encl wrap --json --bogus",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn what_a_reader_can_require() {
    let mut session = Session::with_people();
    session.quietly(
        "alice",
        "encl wrap notes.txt --to bob@example.org -o signed.encl",
    );
    session.quietly(
        "alice",
        "encl wrap notes.txt --to bob@example.org --anonymous -o unsigned.encl",
    );
    session.type_(
        "bob",
        "encl verify --signed-by alice@example.org --require-signed --strict signed.encl",
    );
    session.type_("bob", "encl verify --signed-by ALICE signed.encl");
    session.type_("bob", "encl verify --signed-by bob@example.org signed.encl");
    session.type_("bob", "encl verify --require-signed unsigned.encl");
    session.type_(
        "bob",
        "encl verify --signed-by alice@example.org unsigned.encl",
    );
    session.type_("bob", "encl verify unsigned.encl");
    session.type_(
        "carol",
        "encl verify --signed-by alice@example.org signed.encl",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn passphrases_and_privacy() {
    let mut session = Session::with_people();
    session.write("two", "not asked for\nthe envelope's\n");
    session.write("one", "the envelope's\n");
    session.type_(
        "alice",
        "encl wrap notes.txt --passphrase --passphrase-file two --private --pad -o p.encl",
    );
    session.type_("alice", "encl inspect p.encl");
    session.type_(
        "carol",
        "encl unwrap p.encl -o p --passphrase-command 'cat one' && cat p",
    );
    session.type_(
        "carol",
        "encl unwrap p.encl -o q --passphrase-fd 3 3< one && cat q",
    );
    session.type_(
        "carol",
        "ENCL_PASSPHRASE_FILE=one encl unwrap p.encl -o r && cat r",
    );
    session.type_(
        "carol",
        "encl unwrap p.encl -o t --passphrase-file - < one && cat t",
    );
    session.type_(
        "carol",
        "encl unwrap - --passphrase-file /dev/stdin < p.encl",
    );
    session.type_(
        "carol",
        "encl unwrap p.encl -o s --passphrase-file passphrase",
    );
    session.type_(
        "carol",
        "encl unwrap p.encl -o s --passphrase-command 'exit 3'",
    );
    session.type_(
        "carol",
        "encl unwrap p.encl -o s --passphrase-command 'yes'",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn signing_is_always_reported() {
    let mut session = Session::with_people();
    session.type_("dora", "encl wrap notes.txt --to bob.card -o a.encl");
    session.type_(
        "dora",
        "encl key new dora@example.org --passphrase-file passphrase > dora.card",
    );
    session.type_(
        "dora",
        "encl wrap notes.txt --to bob.card -o b.encl --no-input",
    );
    session.type_(
        "dora",
        "encl wrap notes.txt --to bob.card -o b.encl --no-input --anonymous",
    );
    session.type_("bob", "encl unwrap a.encl -o a; encl unwrap b.encl -o b");
    insta::assert_snapshot!(session.transcript());
}
