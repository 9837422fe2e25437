//! Delivered mail and mailboxes: mail is sealed at delivery; mailboxes are sealed in place, unsealed and searched.

use crate::session::Session;

#[test]
fn sealed_at_delivery() {
    let mut session = Session::with_people();
    session.type_(
        "alice",
        "encl mail deliver --for bob@example.org < letter.eml > s.eml; sed -n '1,/^Encl/p' s.eml; encl mail inspect s.eml",
    );
    session.type_("bob", "encl mail unwrap s.eml | cmp - letter.eml");
    session.type_(
        "alice",
        "cat s.eml | encl mail deliver --for bob@example.org | cmp - s.eml",
    );
    session.type_(
        "alice",
        "encl mail deliver --for carol@example.org < s.eml > again.eml; cmp -s again.eml s.eml || echo sealed again",
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

/// A message with a forged hint, or with a readable part beside the envelope, is still sealed.
#[test]
fn only_mail_sealed_for_its_owner_passes_unchanged() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "encl mail deliver --for bob@example.org < letter.eml > s.eml",
    );
    let sealed = String::from_utf8(session.read("s.eml")).unwrap();
    session.write(
        "forged",
        "Encl: mode=message; sealed-by=delivery\nSubject: kingfisher\n\nkingfisher\n",
    );
    session.write(
        "readable",
        sealed.replacen(
            "inline\n",
            &format!("inline\n\n{}", "kingfisher\n".repeat(900)),
            1,
        ),
    );
    for name in ["forged", "readable"] {
        let again = session.quietly(
            "alice",
            &format!("encl mail deliver --for bob@example.org < {name}"),
        );
        assert!(!again.text().contains("kingfisher"), "{name}");
        let opened = session.quietly("bob", &format!("encl mail deliver --for bob@example.org --keystore ../keys/alice < {name} | encl mail unwrap --quiet"));
        assert_eq!(opened.stdout, session.read(name), "{name}");
    }
}

#[test]
fn a_mailbox_is_sealed_and_unsealed() {
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
        "encl mail grep 4711 mailbox archive.mbox | sort",
        "encl mail grep -l SECOND mailbox; encl mail grep -il SECOND mailbox",
        "encl mail grep -F 'subject: se' mailbox; encl mail grep '(' mailbox",
        "encl mail grep --json Subject.*first mailbox",
        "encl mail unseal mailbox archive.mbox --json --dry-run | sort",
        "encl mail unseal mailbox archive.mbox && diff -r before mailbox && cmp before.mbox archive.mbox",
        "encl mail unseal mailbox",
    ] {
        session.type_("alice", line);
    }
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn mailboxes_that_are_not_converted() {
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
        (0, "bob", "encl mail unseal mailbox 2>&1 | sort"),
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
