//! Three years of two people: every envelope still opens for its reader, and nothing new is sealed for a revoked key.

use crate::session::Session;

struct Years {
    session: Session,
    /// The files that were sealed, each with its reader.
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
            years.succeed(
                person,
                &format!("encl key new {person}@example.org > {person}.card"),
            );
        }
        years.succeed("alice", "encl contact add bob.card --yes");
        years.succeed("bob", "encl contact add alice.card --yes");
        years.compare("alice", "bob");
        years.compare("bob", "alice");
        years
    }

    fn line(person: &str, line: &str) -> String {
        format!("export ENCL_PASSPHRASE_FILE={person}.pw; {line}")
    }

    fn succeed(&self, person: &str, line: &str) {
        self.session.quietly(person, &Self::line(person, line));
    }

    fn exit(&self, person: &str, line: &str) -> i32 {
        self.session.ask(person, &Self::line(person, line)).exit
    }

    fn compare(&self, person: &str, other: &str) {
        self.succeed(
            person,
            &format!(
                "encl contact verify {other}@example.org --no-input > number; \
                 encl contact verify {other}@example.org --code \"$(cat number)\""
            ),
        );
    }

    /// Both seal for each other, and then all envelopes of all years are opened.
    fn letters(&mut self) {
        for (author, reader) in [("alice", "bob"), ("bob", "alice")] {
            self.letter(author, reader);
        }
        self.check();
    }

    fn letter(&mut self, author: &str, reader: &'static str) {
        let name = format!("letter{}", self.sealed.len());
        self.session.write(&name, format!("{name}\n"));
        self.succeed(author, &format!("encl wrap {name} --to {reader}@example.org --no-self --require-verified && rm {name}"));
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
        self.succeed(person, "encl key passphrase --new-passphrase-file next.pw");
        self.session.write(
            format!("{person}.pw"),
            format!("{words}\n{person}'s backup words\n"),
        );
    }

    /// Deletes what a person's machine holds.
    fn loses_laptop(&self, person: &str) {
        self.succeed(person, "rm -r \"$ENCL_KEYSTORE\" \"$XDG_STATE_HOME\"");
    }
}

#[test]
fn three_years() {
    let mut years = Years::begin();
    years.letters();

    // The first year: Alice rotates twice, and has a backup from in between.
    years.succeed("alice", "encl key rotate > alice.card");
    years.succeed("bob", "encl contact add alice.card --yes");
    years.letters();
    years.succeed("alice", "encl backup -o alice.backup");
    years.new_passphrase("alice", "alice's second words");
    years.succeed(
        "alice",
        "encl key rotate > alice.card && encl key paper -o alice.page",
    );
    years.succeed("bob", "encl contact add alice.card --yes");
    years.letters();

    // Her laptop is lost. The backup holds her verified contacts, and the page holds the key that was made later.
    years.loses_laptop("alice");
    years
        .session
        .write("alice.pw", "alice's first words\nalice's backup words\n");
    years.succeed("alice", "encl restore alice.backup --yes");
    years.succeed("alice", "encl key paper --restore alice.page");
    years.succeed("alice", "encl key card > alice.card && encl doctor --open");
    years.succeed("bob", "encl contact add alice.card --yes");
    years.letters();

    // The second year: Bob replaces his identity with a new one, and changes his passphrase.
    years.new_passphrase("bob", "bob's second words");
    years.succeed("bob", "encl key replace > bob.card");
    years.succeed("alice", "encl contact add bob.card --yes");
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
    years.succeed(
        "bob",
        "encl backup -o bob.backup && encl key paper -o bob.page",
    );
    years.loses_laptop("bob");
    years.succeed("bob", "encl restore bob.backup --yes && encl doctor --open");
    years.letters();

    // The third year: Alice's keys are stolen. Her revocation does not need them.
    years.succeed("alice", "encl key revoke --yes > revocation");
    years.succeed("bob", "encl contact add revocation --yes");
    let refused = "echo > x && encl wrap x --to alice@example.org";
    assert_eq!(years.exit("bob", refused), 7);
    assert_eq!(
        years.exit("bob", "echo > x && encl wrap x --to alice.card"),
        7
    );
    years.succeed("alice", "encl key new alice@example.org > alice2.card");
    years.succeed(
        "bob",
        "encl contact remove alice@example.org --yes && encl contact add alice2.card --yes",
    );
    years.compare("bob", "alice");
    years.letters();
    // Neither her old card nor an old backup restores the old key.
    assert_ne!(years.exit("bob", "encl wrap x --to alice.card"), 0);
    years.succeed("bob", "encl restore bob.backup --yes && encl contact list");
    assert_ne!(years.exit("bob", "encl wrap x --to alice.card"), 0);
    years.letters();
    assert_eq!(years.sealed.len(), 16);
}
