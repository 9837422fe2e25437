//! Three years of two people: every envelope that was ever sealed opens for whoever it was for, and nothing new is sealed for a key
//! that was revoked.

use crate::session::Session;

struct Years {
    session: Session,
    /// What was sealed, and for whom.
    sealed: Vec<(String, &'static str)>,
}

impl Years {
    fn begin() -> Self {
        let years = Self {
            session: Session::new(),
            sealed: Vec::new(),
        };
        for person in ["alice", "bob"] {
            years.session.write(
                format!("{person}.pw"),
                format!("{person}'s first words\n{person}'s backup words\n"),
            );
            years.does(
                person,
                &format!("encl key new {person}@example.org > {person}.card"),
            );
        }
        years.does("alice", "encl contact add bob.card --yes");
        years.does("bob", "encl contact add alice.card --yes");
        years.compare("alice", "bob");
        years.compare("bob", "alice");
        years
    }

    fn line(person: &str, line: &str) -> String {
        format!("export ENCL_PASSPHRASE_FILE={person}.pw; {line}")
    }

    fn does(&self, person: &str, line: &str) {
        self.session.quietly(person, &Self::line(person, line));
    }

    fn exit(&self, person: &str, line: &str) -> i32 {
        self.session.ask(person, &Self::line(person, line)).exit
    }

    fn compare(&self, person: &str, other: &str) {
        self.does(
            person,
            &format!(
                "encl contact verify {other}@example.org --no-input > number; \
                 encl contact verify {other}@example.org --code \"$(cat number)\""
            ),
        );
    }

    /// Both seal for the other, and everything opens that was ever sealed.
    fn letters(&mut self) {
        for (author, reader) in [("alice", "bob"), ("bob", "alice")] {
            self.letter(author, reader);
        }
        self.check();
    }

    fn letter(&mut self, author: &str, reader: &'static str) {
        let name = format!("letter{}", self.sealed.len());
        self.session.write(&name, format!("{name}\n"));
        self.does(author, &format!("encl wrap {name} --to {reader}@example.org --no-self --require-verified && rm {name}"));
        self.sealed.push((format!("{name}.encl"), reader));
    }

    fn check(&self) {
        for (file, reader) in &self.sealed {
            let opened = self.session.quietly(
                reader,
                &Self::line(reader, &format!("encl unwrap {file} -o -")),
            );
            assert_eq!(
                opened.text(),
                format!("{}\n", file.trim_end_matches(".encl"))
            );
        }
    }

    fn new_passphrase(&self, person: &str, words: &str) {
        self.session.write("next.pw", format!("{words}\n"));
        self.does(person, "encl key passphrase --new-passphrase-file next.pw");
        self.session.write(
            format!("{person}.pw"),
            format!("{words}\n{person}'s backup words\n"),
        );
    }

    /// A laptop is gone, with everything on it: the state folder holds what all people here keep to themselves.
    fn loses_laptop(&self, person: &str) {
        self.does(person, "rm -r \"$ENCL_KEYSTORE\"");
    }
}

#[test]
fn three_years() {
    let mut years = Years::begin();
    years.letters();

    // The first year: Alice rotates twice, and has a backup from in between.
    years.does("alice", "encl key rotate > alice.card");
    years.does("bob", "encl contact add alice.card --yes");
    years.letters();
    years.does("alice", "encl backup -o alice.backup");
    years.new_passphrase("alice", "alice's second words");
    years.does(
        "alice",
        "encl key rotate > alice.card && encl key paper -o alice.page",
    );
    years.does("bob", "encl contact add alice.card --yes");
    years.letters();

    // Her laptop is lost. The backup knows whom she verified, the page has the key that came after it.
    years.loses_laptop("alice");
    years
        .session
        .write("alice.pw", "alice's first words\nalice's backup words\n");
    years.does("alice", "encl restore alice.backup --yes");
    years.does("alice", "encl key paper --restore alice.page");
    years.does("alice", "encl key card > alice.card && encl doctor --open");
    years.does("bob", "encl contact add alice.card --yes");
    years.letters();

    // The second year: Bob makes a new identity in the place of his old one, and changes his passphrase.
    years.new_passphrase("bob", "bob's second words");
    years.does("bob", "encl key replace > bob.card");
    years.does("alice", "encl contact add bob.card --yes");
    assert_eq!(
        years.exit(
            "alice",
            "echo > x && encl wrap x --to bob@example.org --require-verified"
        ),
        7
    );
    years.compare("alice", "bob");
    years.compare("bob", "alice");
    years.letters();
    years.does(
        "bob",
        "encl backup -o bob.backup && encl key paper -o bob.page",
    );
    years.loses_laptop("bob");
    years.does("bob", "encl restore bob.backup --yes && encl doctor --open");
    years.letters();

    // The third year: Alice's keys are in wrong hands. Her revocation needs none of them.
    years.does("alice", "encl key revoke --yes > revocation");
    years.does("bob", "encl contact add revocation --yes");
    let refused = "echo > x && encl wrap x --to alice@example.org";
    assert_eq!(years.exit("bob", refused), 7);
    assert_eq!(
        years.exit("bob", "echo > x && encl wrap x --to alice.card"),
        7
    );
    years.does("alice", "encl key new alice@example.org > alice2.card");
    years.does(
        "bob",
        "encl contact remove alice@example.org --yes && encl contact add alice2.card --yes",
    );
    years.compare("bob", "alice");
    years.letters();
    // Neither her old card nor an old backup brings the old key back.
    assert_ne!(years.exit("bob", "encl wrap x --to alice.card"), 0);
    years.does("bob", "encl restore bob.backup --yes && encl contact list");
    assert_ne!(years.exit("bob", "encl wrap x --to alice.card"), 0);
    years.letters();
    assert_eq!(years.sealed.len(), 16);
}
