//! Single messages are sealed, opened and shown.

use crate::session::Session;

/// A letter with these fields, From and Subject.
fn letter(fields: &str) -> String {
    format!("From: alice@example.org\n{fields}Subject: the secret plan\n\nThe code is 4711.\n")
}

#[test]
fn a_letter_there_and_back() {
    let mut session = Session::with_people();
    session.type_("alice", "encl mail wrap letter.eml > to-bob.eml");
    session.type_("alice", "sed -n '1,/attached file/p' to-bob.eml");
    session.type_(
        "alice",
        "grep -c -e 'the code' -e 4711 to-bob.eml; awk 'length > 78' to-bob.eml",
    );
    session.type_("bob", "encl mail inspect to-bob.eml");
    session.type_(
        "bob",
        "encl mail unwrap < to-bob.eml > letter && cmp letter letter.eml",
    );
    session.type_("bob", "cat to-bob.eml | encl mail show");
    session.type_("alice", "encl mail unwrap to-bob.eml | tail -n 1");
    session.type_("carol", "encl mail unwrap to-bob.eml");
    session.type_("carol", "encl mail show to-bob.eml");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn who_may_read_a_message() {
    let mut session = Session::with_people();
    session.write("nobody.eml", letter(""));
    session.write(
        "malformed.eml",
        letter("To: <bob@example.org> <eve@example.org>\n"),
    );
    session.write(
        "strangers.eml",
        letter("To: bob@example.org, eve@example.org\nCc: Mallory <mallory@example.net>\n"),
    );
    session.write(
        "named.eml",
        letter("To: \"eve@example.org\" <bob@example.org>\n"),
    );
    session.write(
        "tagged.eml",
        letter("To: Finance: Bob+lists@EXAMPLE.org, carol@example.org;\n"),
    );
    session.write(
        "resent.eml",
        letter("Resent-To: carol@example.org\nTo: bob@example.org\n"),
    );
    for line in [
        "encl mail wrap nobody.eml",
        "encl mail wrap malformed.eml",
        "encl mail wrap strangers.eml",
        "encl mail wrap named.eml > out.eml",
        "encl mail wrap tagged.eml > out.eml",
        "encl mail wrap resent.eml > out.eml",
        "encl mail wrap nobody.eml --to bob@example.org --also @finance > out.eml",
        "encl mail wrap letter.eml --also carol@example.org --no-self > out.eml",
        "encl mail unwrap out.eml",
        "encl mail wrap letter.eml --to eve@example.org",
        "encl mail wrap letter.eml --require-verified",
        "encl mail wrap letter.eml --private > out.eml",
        "encl mail inspect out.eml",
    ] {
        session.type_("alice", line);
    }
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn bcc_recipients_are_not_sealed_for_silently() {
    let mut session = Session::with_people();
    session.write(
        "blind.eml",
        letter("To: bob@example.org\nBcc: carol@example.org\n"),
    );
    session.type_("alice", "encl mail wrap blind.eml -o out.eml; ls out.eml");
    session.type_("alice", "encl mail wrap blind.eml --bcc drop > drop.eml");
    session.type_(
        "bob",
        "encl mail unwrap drop.eml -o drop; diff blind.eml drop",
    );
    session.type_("alice", "encl mail wrap blind.eml --bcc keep > keep.eml");
    session.type_("bob", "encl mail unwrap keep.eml | diff blind.eml -");
    session.type_("bob", "grep -il carol drop.eml keep.eml");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn the_notice_before_the_envelope() {
    let mut session = Session::with_people();
    session.write("help-desk", "Sealed. Ask the help desk: extension 4711.\n");
    session.write("wide", "x".repeat(79));
    session.write("other", "Gr\u{fc}\u{df}e\n");
    session.write("mbox", "a\nFrom here on\n");
    session.write("long", "a\n".repeat(3000));
    session.type_(
        "alice",
        "encl mail wrap letter.eml --subject 'a letter' --notice help-desk | sed -n '/^Subject/p;/^Sealed/p'",
    );
    session.type_(
        "alice",
        "encl mail wrap letter.eml --subject 'Gr\u{fc}\u{df}e\nBcc: eve@example.org' --quiet | sed -n '/^Subject/,/^Encl/p'",
    );
    for notice in ["wide", "other", "mbox", "long", "/bin/true", "nothing"] {
        session.type_(
            "alice",
            &format!("encl mail wrap letter.eml --notice {notice}"),
        );
    }
    session.type_(
        "alice",
        "encl mail wrap letter.eml --crlf --quiet | grep -vc \"$(printf '\\r')$\"; encl mail wrap --quiet letter.eml | grep -c \"$(printf '\\r')\"",
    );
    session.type_(
        "alice",
        "sed 's/$/\\r/' letter.eml | encl mail wrap --quiet > crlf.eml; grep -vc \"$(printf '\\r')$\" crlf.eml",
    );
    session.type_(
        "bob",
        "encl mail unwrap crlf.eml --quiet | sed 's/\\r$//' | cmp - letter.eml",
    );
    session.type_("alice", "encl mail wrap letter.eml --crlf --lf");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn the_output_of_a_message() {
    let mut session = Session::with_people();
    for (person, line) in [
        (
            "alice",
            "encl mail wrap letter.eml -o a.eml && stat -c %a a.eml",
        ),
        ("alice", "encl mail wrap letter.eml -o a.eml"),
        ("alice", "encl mail wrap letter.eml -o a.eml --force"),
        ("alice", "encl mail wrap letter.eml -o letter.eml --force"),
        (
            "alice",
            "ln -s a.eml link.eml; encl mail wrap letter.eml -o link.eml --force",
        ),
        ("alice", "encl mail wrap letter.eml >> letter.eml"),
        ("alice", "encl mail wrap letter.eml > /dev/full"),
        ("alice", "encl mail wrap letter.eml >&-"),
        ("alice", "encl mail wrap <&-"),
        ("alice", "encl mail wrap mailbox"),
        ("alice", "encl mail wrap letter.eml notes.txt"),
        ("bob", "encl mail unwrap a.eml -o b.eml && stat -c %a b.eml"),
        ("bob", "encl mail unwrap a.eml -o b.eml"),
        ("bob", "encl mail unwrap a.eml -o b.eml --force"),
        ("bob", "encl mail unwrap a.eml -o a.eml --force"),
        ("bob", "encl mail unwrap a.eml -o link.eml --force"),
        ("bob", "encl mail unwrap a.eml > /dev/full"),
        ("bob", "encl mail unwrap a.eml --json > b.eml"),
        ("alice", "encl mail wrap letter.eml --json > a.eml"),
        ("bob", "encl mail show a.eml --json"),
        ("bob", "encl mail inspect a.eml --json"),
    ] {
        session.type_(person, line);
    }
    insta::assert_snapshot!(session.transcript());
}

/// No byte of an incomplete or changed message is written.
#[test]
fn everything_is_checked_before_the_first_byte_is_written() {
    let mut session = Session::with_people();
    session.write("body", "the secret plan\n".repeat(20_000));
    session.quietly(
        "alice",
        "{ cat letter.eml body; } | encl mail wrap > good.eml",
    );
    session.quietly("alice", "head -c 400000 good.eml > cut.eml");
    session.quietly("alice", "sed '5000s/..../AAAA/' good.eml > altered.eml");
    for line in [
        "encl mail unwrap cut.eml",
        "encl mail unwrap altered.eml",
        "cat altered.eml | encl mail unwrap",
        "encl mail show altered.eml",
        "encl mail unwrap altered.eml -o out; ls out",
        "{ until [ -e gone ]; do :; done; encl mail unwrap good.eml; } | { exec 0<&-; : > gone; }",
    ] {
        let answer = session.type_("bob", line);
        assert!(answer.stdout.is_empty(), "{line}");
    }
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn messages_with_no_or_several_envelopes() {
    let mut session = Session::with_people();
    session.quietly("alice", "encl mail wrap letter.eml > one.eml");
    session.quietly(
        "alice",
        "sed 's/4711/4712/' letter.eml | encl mail wrap > two.eml",
    );
    let part = |name: &str| {
        format!(
            "Content-Type: message/rfc822\n\n{}\n",
            String::from_utf8(session.read(name)).unwrap()
        )
    };
    let two = format!(
        "From: bob@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n<img src=\"x\n--b\n{}--b\n{}--b--\n",
        part("one.eml"),
        part("two.eml")
    );
    session.write("two-of-them.eml", two);
    session.write(
        "fake.eml",
        "Content-Type: application/vnd.encl; name=\"\u{1b}[2J.encl\"\n\nno envelope\n",
    );
    for line in [
        "encl mail unwrap letter.eml",
        "encl mail unwrap fake.eml",
        "encl mail inspect fake.eml",
        "encl mail unwrap two-of-them.eml",
        "encl mail unwrap two-of-them.eml --part 2 | tail -n 1",
        "encl mail unwrap two-of-them.eml --part 3",
        "encl mail unwrap two-of-them.eml --part 0",
        "encl mail show two-of-them.eml --part 1 --quiet",
        "encl mail inspect two-of-them.eml | grep -c 'can be read by'",
        "printf '' | encl mail unwrap",
    ] {
        session.type_("bob", line);
    }
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn who_sealed_a_message() {
    let mut session = Session::with_people();
    session.quietly("alice", "encl mail wrap letter.eml > signed.eml");
    session.type_(
        "alice",
        "encl mail wrap letter.eml --anonymous > unsigned.eml",
    );
    session.type_(
        "alice",
        "encl mail wrap from-bob.eml --to bob@example.org > not-hers.eml",
    );
    session.type_(
        "alice",
        "encl mail wrap from-bob.eml --to bob@example.org --as alice@example.org > as-alice.eml",
    );
    for line in [
        "encl mail unwrap signed.eml --signed-by alice@example.org --require-signed | tail -n 1",
        "encl mail unwrap signed.eml --signed-by bob@example.org",
        "encl mail unwrap unsigned.eml --require-signed",
        "encl mail unwrap unsigned.eml --signed-by alice@example.org",
        "encl mail unwrap unsigned.eml | tail -n 1",
        "encl mail show not-hers.eml",
        "encl mail unwrap as-alice.eml",
        "encl mail show as-alice.eml",
        "encl mail unwrap as-alice.eml --allow-from-mismatch | tail -n 1",
    ] {
        session.type_("bob", line);
    }
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn messages_changed_in_transit() {
    let mut session = Session::with_people();
    session.quietly("alice", "encl mail wrap letter.eml > good.eml");
    session.quietly(
        "alice",
        "sed 's/^To: .*/To: list@example.net/; s/^Subject: .*/Subject: [list] x/' good.eml > changed.eml",
    );
    session.quietly(
        "alice",
        "{ cat good.eml; echo; echo unsubscribe here; } > footer.eml",
    );
    session.quietly(
        "alice",
        "encl mail wrap good.eml --to bob@example.org > twice.eml",
    );
    session.quietly(
        "alice",
        "encl wrap notes.txt --to bob@example.org && encl wrap notes.txt --armor --to bob@example.org -o notes.asc",
    );
    for line in [
        "encl mail unwrap changed.eml | tail -n 1",
        "encl mail unwrap footer.eml | tail -n 1",
        "encl mail unwrap twice.eml | sed -n '/^Encl/p'",
        "encl mail unwrap notes.txt.encl",
        "encl mail show notes.txt.encl",
        "encl mail unwrap notes.asc",
        "encl unwrap good.eml -o x",
    ] {
        session.type_("bob", line);
    }
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_locked_identity_is_asked_for_once() {
    let mut session = Session::with_people();
    session.quietly(
        "dora",
        "encl key new dora@example.org --passphrase-file passphrase > dora.card",
    );
    session.write(
        "from-dora.eml",
        "From: dora@example.org\nTo: dora@example.org\nSubject: s\n\nhello\n",
    );
    session.type_("dora", "encl mail wrap from-dora.eml");
    session.type_(
        "dora",
        "encl mail wrap from-dora.eml --passphrase-file passphrase > d.eml",
    );
    session.type_("dora", "encl mail wrap --passphrase-file - < from-dora.eml");
    session.type_("dora", "encl mail unwrap d.eml --no-input");
    session.type_("dora", "encl mail unwrap d.eml --passphrase-command 'cat passphrase; echo asked >> asked'; cat asked");
    insta::assert_snapshot!(session.transcript());
}
