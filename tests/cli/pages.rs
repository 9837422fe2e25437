//! The page for people who have a browser and nothing else: written, checked, and with an envelope in it.

use crate::session::Session;

/// Alice has put a note behind the page.
fn with_page() -> Session {
    let session = Session::with_people();
    session.quietly("alice", "echo 'At noon.' > note.txt");
    session.quietly(
        "alice",
        "echo 'seven words that nobody guesses at all' > words",
    );
    session.quietly(
        "alice",
        "encl wrap note.txt --passphrase --new-passphrase-file words --html",
    );
    session
}

#[test]
fn the_page_is_written_and_a_copy_is_checked() {
    let mut session = Session::with_people();
    session.type_("alice", "encl reader -o reader.html");
    session.type_("alice", "encl reader -o reader.html");
    session.type_("alice", "encl reader --check reader.html");
    session.type_("alice", "encl reader | encl reader --check -");
    session.type_(
        "alice",
        "test \"$(encl reader --hash)\" = \"$(sha256sum < reader.html | cut -c1-64)\" && echo same",
    );
    session.type_(
        "alice",
        "encl reader --check reader.html --json | jq -c '.schema, .version, .carries'",
    );
    session.type_(
        "alice",
        "sed 's/<title>/<title>My /' reader.html > changed.html",
    );
    session.type_("alice", "encl reader --check changed.html");
    session.type_("alice", "encl reader --check reader.html --hash");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn an_envelope_in_a_page_is_opened_and_never_rewritten() {
    let mut session = with_page();
    session.type_(
        "alice",
        "encl wrap note.txt --passphrase --new-passphrase-file words --html --force",
    );
    session.type_("alice", "encl reader --check note.txt.encl.html");
    session.type_("alice", "encl verify note.txt.encl.html");
    session.type_(
        "bob",
        "encl unwrap note.txt.encl.html --passphrase-file words -o - < note.txt.encl.html",
    );
    session.type_(
        "bob",
        "encl unwrap note.txt.encl.html --passphrase-file words -C .",
    );
    session.type_(
        "alice",
        "rm note.txt && encl unwrap note.txt.encl.html && cat note.txt",
    );
    session.type_(
        "alice",
        "encl grant note.txt.encl.html --to bob@example.org",
    );
    session.type_("alice", "encl rewrap note.txt.encl.html");
    session.type_("alice", "encl wrap note.txt --to bob@example.org --html");
    session.type_("alice", "encl wrap note.txt --passphrase --html --armor");
    session.type_(
        "alice",
        "truncate -s 65M large && encl wrap large --passphrase --new-passphrase-file words --html",
    );
    session.type_(
        "alice",
        "head -c 65M /dev/zero | encl wrap - --name zeros --passphrase --new-passphrase-file words --html -C .",
    );
    session.type_("alice", "ls | grep -e large -e zeros");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_page_that_encl_did_not_make_is_named() {
    let mut session = with_page();
    let file = "note.txt.encl.html";
    for (name, change) in [
        (
            "before",
            format!("(printf '<!doctype html><b>'; cat {file})"),
        ),
        ("inside", format!("sed 's/<title>/<title>My /' {file}")),
        (
            "behind",
            format!("(cat {file}; echo '<meta http-equiv=refresh content=0>')"),
        ),
        ("twice", format!("(cat {file}; tail -n 30 {file})")),
        ("comment", format!("sed 's/^-----BEGIN/<!--\\n&/' {file}")),
        ("crlf", format!("sed 's/$/\\r/' {file}")),
        ("cut", format!("head -c -3 {file}")),
    ] {
        session.type_("alice", &format!("{change} > {name}.encl.html"));
        session.type_("alice", &format!("encl verify {name}.encl.html"));
        session.type_(
            "alice",
            &format!("encl unwrap {name}.encl.html && rm {name}"),
        );
        session.type_("alice", &format!("encl reader --check {name}.encl.html"));
    }
    session.type_("alice", "encl inspect inside.encl.html | head -2");
    session.type_(
        "alice",
        "encl unwrap inside.encl.html -o - --json < inside.encl.html 2>&1 | tail -1 | jq -c .schema",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn an_invitation_names_the_page() {
    let mut session = Session::with_people();
    session.type_(
        "alice",
        "encl invite dora@example.org --page https://files.example.org/reader.html > invitation.txt",
    );
    session.type_("alice", "sed '/^The card of/,$d' invitation.txt");
    session.type_(
        "alice",
        "encl invite dora@example.org --page http://files.example.org/",
    );
    session.type_(
        "alice",
        "encl invite dora@example.org --page 'https://files.example.org/ x'",
    );
    insta::assert_snapshot!(session.transcript());
}
