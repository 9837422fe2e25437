//! The people of most stories. They are prepared once, and each story gets a copy.

use std::sync::OnceLock;

use super::Session;
use crate::folder::Prepared;

/// Saves the arguments and the message of its Nth call as `sent-N` and `sent-N.eml`. Its exit code is in `exit-N`, if that file
/// exists.
const SENDMAIL: &str = r#"n=1
while [ -e sent-$n ]; do n=$((n + 1)); done
echo "$*" > sent-$n
cat > sent-$n.eml
[ -e exit-$n ] && exit "$(cat exit-$n)"
exit 0"#;

impl Session {
    /// Alice and Bob know each other's cards; Carol knows nobody. Alice's folder has a letter from Bob.
    pub(crate) fn with_people() -> Self {
        static MADE: OnceLock<Prepared> = OnceLock::new();
        Self::made_once(&MADE, || {
            let session = Self::new();
            session.write_people();
            session
        })
    }

    /// The people of `with_people`, and Dan and Erin, who have all cards. Bob's `plan.txt.encl` opens for any two of Alice, Bob
    /// and Dan; `bob.approval` is Bob's approval for Alice.
    pub(crate) fn with_a_board() -> Self {
        static MADE: OnceLock<Prepared> = OnceLock::new();
        Self::made_once(&MADE, || {
            let session = Self::with_people();
            session.write_board();
            session
        })
    }

    /// Alice and Bob. Alice's keys are protected by [`PASSPHRASE`], and Bob sealed `a` for her.
    pub(crate) fn with_a_locked_alice() -> Self {
        static MADE: OnceLock<Prepared> = OnceLock::new();
        Self::made_once(&MADE, || {
            let session = Self::new();
            session.write("a", "a\n");
            session.quietly(
                "alice",
                "encl key new alice@example.org --name Alice --passphrase-file passphrase > alice.card",
            );
            session.quietly(
                "bob",
                "encl key new bob@example.org --name Bob --no-passphrase > bob.card && encl contact add alice.card --yes",
            );
            session.quietly("bob", "encl wrap a --to alice@example.org");
            session
        })
    }

    fn write_people(&self) {
        for name in ["alice", "bob", "carol"] {
            let title = name[..1].to_uppercase() + &name[1..];
            self.quietly(
                name,
                &format!(
                    "encl key new {name}@example.org --name {title} --no-passphrase > {name}.card"
                ),
            );
        }
        self.quietly(
            "alice",
            "encl contact add bob.card --yes && encl contact add carol.card --yes",
        );
        self.quietly(
            "alice",
            "encl group new finance bob@example.org carol@example.org",
        );
        self.quietly("bob", "encl contact add alice.card --yes");
        self.write("report.pdf", "%PDF: the report\n".repeat(1000));
        self.write("notes.txt", "notes\n");
        self.write("letter.pdf", "a letter\n");
        self.quietly(
            "bob",
            "encl wrap letter.pdf --to alice@example.org && rm letter.pdf",
        );
        self.write_mail();
        self.write_answer();
        self.quietly(
            "alice",
            "mkdir photos sealed opened && echo sea > photos/1.txt",
        );
    }

    fn write_board(&self) {
        for name in ["dan", "erin"] {
            let title = name[..1].to_uppercase() + &name[1..];
            self.quietly(
                name,
                &format!(
                    "encl key new {name}@example.org --name {title} --no-passphrase > {name}.card"
                ),
            );
        }
        for person in ["alice", "bob", "carol", "dan", "erin"] {
            let all =
                "for card in *.card; do [ $card = {}.card ] || encl contact add $card --yes; done";
            self.quietly(person, &all.replace("{}", person));
        }
        self.quietly(
            "bob",
            "encl contact verify alice@example.org --no-input > number-from-bob || true",
        );
        self.quietly(
            "alice",
            "encl group new legal dan@example.org erin@example.org",
        );
        self.write("plan.txt", "the plan\n");
        self.quietly(
            "bob",
            "encl wrap plan.txt --quorum 2:alice@example.org,bob@example.org,dan@example.org && rm plan.txt",
        );
        self.quietly(
            "bob",
            "encl approve plan.txt.encl --to alice@example.org -o bob.approval",
        );
    }

    /// Writes a letter of Alice's, a letter that Bob sealed for her, mailboxes, and programs that receive mail.
    fn write_mail(&self) {
        let letter = |from: &str, to: &str, subject: &str| {
            let stamp = "Date: Tue, 24 Nov 2026 06:24:00 +0000\nMessage-ID: <1@example.org>";
            format!(
                "From: {from}@example.org\nTo: {to}@example.org\n{stamp}\nSubject: {subject}\n\nThe code is 4711.\n"
            )
        };
        self.write("letter.eml", letter("alice", "bob", "the code"));
        self.write("from-bob.eml", letter("bob", "alice", "your code"));
        self.quietly("bob", "encl mail wrap from-bob.eml -o sealed.eml");
        for folder in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(self.work().join("mailbox").join(folder)).unwrap();
        }
        self.write("mailbox/cur/1.a:2,S", letter("bob", "alice", "first"));
        self.write("mailbox/new/2.b", letter("carol", "alice", "second"));
        let mbox = ["one", "two"].map(|subject| {
            let letter = letter("bob", "alice", subject);
            format!("From bob@example.org Tue Nov 24 06:24:00 2026\n{letter}\n")
        });
        self.write("archive.mbox", mbox.concat());
        self.program("maildrop", "exec cat > handed-over.eml");
        self.program("sendmail", SENDMAIL);
    }

    /// Writes a letter with which Bob sends his card.
    fn write_answer(&self) {
        let card = String::from_utf8(self.read("bob.card")).unwrap();
        self.write(
            "answer.eml",
            format!(
                "From: Bob <bob@example.org>\nTo: alice@example.org\nSubject: my card\n\n{card}"
            ),
        );
    }
}
