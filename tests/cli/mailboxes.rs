//! Mail that arrives, and mail that lies there: delivered sealed, sealed where it lies, made plain again, searched.

use crate::session::Session;

#[test]
fn sealed_at_delivery() {
    let mut session = Session::with_people();
    session.type_(
        "alice",
        "encl mail deliver --for bob@example.org < letter.eml > sealed; sed -n '1,/^Encl/p' sealed; encl mail inspect sealed",
    );
    session.type_("bob", "encl mail unwrap sealed | cmp - letter.eml");
    session.type_(
        "alice",
        "cat sealed | encl mail deliver --for bob@example.org | cmp - sealed",
    );
    session.type_(
        "alice",
        "encl mail deliver --for carol@example.org < sealed | cmp - sealed",
    );
    session.type_("alice", "encl mail deliver --for bob@example.org --maildir inbox < letter.eml; ls inbox inbox/new; stat -c %a inbox inbox/new/*");
    session.type_("alice", "encl mail deliver --for @finance -- maildrop -d x < letter.eml; encl mail inspect handed-over.eml");
    session.type_("alice", "encl mail deliver --for bob@example.org --for carol@example.org < letter.eml | encl mail inspect");
    session.type_(
        "alice",
        "printf 'no header at all' | encl mail deliver --for bob@example.org > odd",
    );
    session.type_("bob", "encl mail unwrap odd");
    insta::assert_snapshot!(session.transcript());
}

/// A forged hint or a readable part beside the envelope does not dodge sealing.
#[test]
fn only_what_is_sealed_for_its_owner_passes() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "encl mail deliver --for bob@example.org < letter.eml > sealed",
    );
    let sealed = String::from_utf8(session.read("sealed")).unwrap();
    session.write(
        "forged",
        "Encl: mode=message; sealed-by=delivery\nSubject: plain\n\nplain\n",
    );
    session.write(
        "readable",
        sealed.replacen(
            "inline\n",
            &format!("inline\n\n{}", "plain\n".repeat(900)),
            1,
        ),
    );
    session.write(
        "third",
        sealed
            .replacen("\n--encl-", "\n--encl-x\n\n--encl-", 1)
            .replace("attachment; filename", "inline; filename"),
    );
    for name in ["forged", "readable"] {
        let again = session.quietly(
            "alice",
            &format!("encl mail deliver --for bob@example.org < {name}"),
        );
        assert!(!again.text().contains("plain"), "{name}");
        let opened = session.quietly("bob", &format!("encl mail deliver --for bob@example.org --keystore ../keys/alice < {name} | encl mail unwrap --quiet"));
        assert_eq!(opened.stdout, session.read(name), "{name}");
    }
}

/// Whatever is not certainly permanent is 75, and then nothing stands on standard output.
#[test]
fn delivery_fails_closed() {
    let session = Session::with_people();
    session.quietly("alice", "cp -r ../keys/alice ../keys/eve && find ../keys/eve -type f -exec sh -c 'echo broken > \"$1\"' - {} ';'");
    session.program("sulky", "cat > /dev/null; exit 73");
    session.quietly(
        "alice",
        "mkdir full && ln -s /dev/full full/new; cp letter.eml inbox",
    );
    session.write("wide", "x".repeat(79));
    for (code, person, line) in [
        (
            0,
            "alice",
            "encl mail deliver --for bob@example.org > out < letter.eml",
        ),
        (64, "alice", "encl mail deliver < letter.eml"),
        (
            64,
            "alice",
            "encl --no-input mail --quiet deliver --bogus < letter.eml",
        ),
        (
            64,
            "alice",
            "encl mail deliver --for bob@example.org --maildir x -- maildrop < letter.eml",
        ),
        (
            67,
            "alice",
            "encl mail deliver --for eve@example.org < letter.eml",
        ),
        (
            67,
            "alice",
            "encl mail deliver --for --bogus@example.org < letter.eml",
        ),
        (
            67,
            "alice",
            "encl mail deliver --for 'bob@example.org, carol@example.org' < letter.eml",
        ),
        (
            67,
            "alice",
            "encl mail deliver --for ./a..b@bob.card < letter.eml",
        ),
        (
            67,
            "alice",
            "encl mail deliver --for bob@bob.card < letter.eml",
        ),
        (67, "alice", "encl mail deliver --for @nobody < letter.eml"),
        (67, "alice", "encl mail deliver --for '' < letter.eml"),
        (
            73,
            "alice",
            "encl mail deliver --for bob@example.org -- sulky < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org -- ./nothing < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org --maildir inbox < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org --maildir /proc/x < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org --maildir full < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org > /dev/full < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org >&- < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org < /dev/null",
        ),
        (75, "alice", "encl mail deliver --for bob@example.org <&-"),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org < mailbox",
        ),
        (
            75,
            "alice",
            "TMPDIR=/nowhere encl mail deliver --for bob@example.org < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org --notice wide < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org --keystore /nowhere < letter.eml",
        ),
        (
            75,
            "alice",
            "env -u HOME -u ENCL_KEYSTORE encl mail deliver --for bob@example.org < letter.eml",
        ),
        (
            75,
            "alice",
            "encl mail deliver --for bob@example.org --passphrase-fd 9 < letter.eml",
        ),
        (
            75,
            "eve",
            "encl mail deliver --for bob@example.org < letter.eml",
        ),
        (75, "eve", "encl mail deliver --for @finance < letter.eml"),
        (
            75,
            "alice",
            "{ encl mail deliver --for bob@example.org < report.pdf; echo $? > code; } | true; exit $(cat code)",
        ),
    ] {
        let answer = session.ask(person, line);
        assert_eq!(answer.exit, code, "{line}\n{}", answer.stderr);
        assert!(answer.stdout.is_empty(), "{line}");
        assert!(code == 0 || !answer.stderr.is_empty(), "{line}");
    }
}

#[test]
fn a_mailbox_sealed_and_plain_again() {
    let mut session = Session::with_people();
    session.quietly(
        "alice",
        "cp -r mailbox before; cp archive.mbox before.mbox; touch mailbox/dovecot.index.cache",
    );
    for line in [
        "encl mail seal mailbox archive.mbox --for alice@example.org --dry-run; find mailbox | sort",
        "encl mail seal mailbox --for alice@example.org --purge-caches; find mailbox -type f | sort; grep -r 4711 mailbox",
        "encl mail seal mailbox --for alice@example.org",
        "encl mail seal archive.mbox --for alice.card --keep-original kept; find kept -type f; grep -c -e 4711 -e ^Encl archive.mbox",
        "encl mail grep 4711 mailbox archive.mbox",
        "encl mail grep -l SECOND mailbox; encl mail grep -il SECOND mailbox",
        "encl mail grep -F 'subject: se' mailbox; encl mail grep '(' mailbox",
        "encl mail grep --json Subject mailbox | head -n 1",
        "encl mail unseal mailbox archive.mbox --json --dry-run",
        "encl mail unseal mailbox archive.mbox && diff -r before mailbox && cmp before.mbox archive.mbox",
        "encl mail unseal mailbox",
    ] {
        session.type_("alice", line);
    }
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn mailboxes_that_are_none_of_mine() {
    let mut session = Session::with_people();
    session.quietly("alice", "encl mail seal mailbox --for alice@example.org");
    for (exit, person, line) in [
        (1, "alice", "encl mail seal nothing --for alice@example.org"),
        (2, "alice", "encl mail seal mailbox"),
        (
            2,
            "alice",
            "encl mail seal notes.txt --for alice@example.org",
        ),
        (
            2,
            "alice",
            "encl mail seal archive.mbox --for alice@example.org --jobs 0",
        ),
        (
            7,
            "alice",
            "encl mail seal archive.mbox --for eve@example.org",
        ),
        (
            7,
            "alice",
            "encl mail seal archive.mbox --for 'alice@example.org eve@example.org'",
        ),
        (
            2,
            "alice",
            "encl mail seal mailbox --for alice@example.org --keep-original mailbox/kept",
        ),
        (0, "bob", "encl mail unseal mailbox"),
        (3, "dora", "encl mail unseal mailbox"),
        (3, "dora", "encl mail grep 4711 mailbox"),
        (1, "bob", "encl mail grep 4711 mailbox"),
        (1, "alice", "encl mail grep 4712 mailbox"),
        (1, "alice", "encl mail grep 4711 mailbox > /dev/full"),
        (2, "alice", "encl mail grep '[' mailbox"),
        (7, "alice", "encl mail unseal mailbox --as nobody"),
    ] {
        let answer = session.type_(person, line);
        assert_eq!(answer.exit, exit, "{line}\n{}", answer.stderr);
    }
    insta::assert_snapshot!(session.transcript());
}
