//! Access changes: readers are added and removed, and whole folders of envelopes are updated.

use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use crate::folder::Prepared;
use crate::session::Session;

/// Alice has sealed and signed an envelope for Bob and herself.
fn with_report() -> Session {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    Session::made_once(&MADE, || {
        let session = Session::with_people();
        session.quietly("bob", "encl contact add carol.card --yes");
        session.quietly("alice", "encl wrap report.pdf --to bob@example.org");
        session
    })
}

/// Policy and payload, which access changes keep: everything but lines 1, 3 and 4.
fn lasting(envelope: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let lines: Vec<&[u8]> = envelope.splitn(5, |byte| *byte == b'\n').collect();
    (lines[1].to_vec(), lines[4].to_vec())
}

#[test]
fn a_reader_adds_a_person_and_everybody_can_see_who_did_it() {
    let mut session = with_report();
    session.quietly("alice", "chmod 640 report.pdf.encl");
    let before = session.read("report.pdf.encl");
    session.type_(
        "bob",
        "encl grant report.pdf.encl --to carol@example.org --dry-run",
    );
    assert!(
        session.read("report.pdf.encl") == before,
        "a dry run changes nothing"
    );
    session.type_("bob", "encl grant report.pdf.encl --to carol@example.org");
    session.type_("alice", "stat -c '%a %h' report.pdf.encl");
    assert!(lasting(&before) == lasting(&session.read("report.pdf.encl")));
    session.type_("carol", "encl contact add bob.card --yes");
    session.type_("carol", "encl contact add alice.card --yes");
    session.type_("carol", "encl unwrap report.pdf.encl -o for-carol.pdf");
    session.type_(
        "carol",
        "encl verify --json --signed-by alice@example.org report.pdf.encl",
    );
    session.type_("alice", "encl verify report.pdf.encl");
    session.type_(
        "carol",
        "encl key new dave@example.org --name Dave --no-passphrase --keystore dave > dave.card",
    );
    session.quietly("carol", "encl contact add dave.card --yes");
    session.type_(
        "carol",
        "encl grant --json report.pdf.encl --to dave.card --to carol@example.org",
    );
    session.type_("carol", "encl verify report.pdf.encl --keystore dave");
    session.type_("alice", "encl grant report.pdf.encl --to bob@example.org");
    let all = session.quietly("alice", "encl inspect --json report.pdf.encl");
    assert!(all.text().contains("\"grant\":{\"name\":\"Carol\""));
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn dropping_a_slot_says_what_it_does_not_protect() {
    let mut session = with_report();
    let before = session.read("report.pdf.encl");
    session.type_("alice", "encl drop report.pdf.encl --from bob@example.org");
    session.type_(
        "alice",
        "encl drop report.pdf.encl --from bob@example.org --dry-run",
    );
    session.type_(
        "alice",
        "encl drop report.pdf.encl --from carol@example.org --yes",
    );
    assert!(
        session.read("report.pdf.encl") == before,
        "nobody was dropped so far"
    );
    session.type_(
        "alice",
        "encl drop report.pdf.encl --from bob@example.org --yes",
    );
    assert!(lasting(&before) == lasting(&session.read("report.pdf.encl")));
    session.type_("bob", "encl unwrap report.pdf.encl -o again.pdf");
    session.type_("alice", "encl verify report.pdf.encl");
    session.type_(
        "alice",
        "encl drop report.pdf.encl --from alice@example.org --yes",
    );
    session.type_(
        "alice",
        "encl drop --json report.pdf.encl --from @finance --yes",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn access_is_revoked_honestly() {
    let mut session = with_report();
    session.quietly("alice", "cp report.pdf.encl sent.encl");
    session.type_(
        "alice",
        "encl revoke report.pdf.encl --from carol@example.org --yes",
    );
    session.type_(
        "alice",
        "encl revoke report.pdf.encl --from bob@example.org --dry-run",
    );
    session.type_(
        "alice",
        "encl revoke report.pdf.encl --from bob@example.org",
    );
    session.type_(
        "alice",
        "encl revoke report.pdf.encl --from bob@example.org --yes",
    );
    session.type_("bob", "encl unwrap report.pdf.encl -o again.pdf");
    session.type_("bob", "encl verify sent.encl");
    session.type_(
        "alice",
        "encl verify --signed-by alice@example.org report.pdf.encl",
    );
    session.type_("alice", "encl inspect report.pdf.encl");
    // Bob is not the author of what Alice sent.
    session.quietly("alice", "encl wrap notes.txt --to @finance");
    session.type_(
        "bob",
        "encl revoke notes.txt.encl --from carol@example.org --yes",
    );
    session.type_(
        "bob",
        "encl revoke notes.txt.encl --from carol@example.org --yes --resign",
    );
    session.type_("alice", "encl verify notes.txt.encl");
    session.type_(
        "alice",
        "encl revoke --json notes.txt.encl --from bob@example.org --yes --resign",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_member_leaves_in_two_commands() {
    let mut session = Session::with_people();
    session.quietly("alice", "mkdir -p tree/a tree/b");
    for file in ["tree/a/1", "tree/a/2", "tree/b/3"] {
        session.quietly(
            "alice",
            &format!("echo {file} > {file}; encl wrap {file} --to @finance; rm {file}"),
        );
    }
    session.quietly(
        "alice",
        "mv tree/a/2.encl tree/a/renamed; echo nothing > tree/b/letter.txt",
    );
    session.type_("alice", "encl group remove finance carol@example.org");
    session.type_("alice", "encl rewrap -r tree --to @finance --dry-run");
    session.type_("alice", "encl rewrap -r tree --to @finance");
    session.type_("alice", "encl rewrap -r tree --to @finance --yes");
    session.type_("alice", "encl rewrap -r tree --to @finance --yes");
    session.type_(
        "carol",
        "encl verify tree/a/1.encl tree/a/renamed tree/b/3.encl",
    );
    session.type_(
        "bob",
        "encl verify tree/a/1.encl tree/a/renamed tree/b/3.encl",
    );
    session.type_("alice", "encl group add finance carol@example.org");
    session.type_("alice", "encl rewrap tree/a/1.encl --to @finance --yes");
    // Adding a reader keeps the author's signature; sealing again removes it.
    session.quietly("bob", "encl contact add carol.card --yes && encl wrap notes.txt --to alice@example.org --to carol@example.org -C tree");
    session.type_(
        "alice",
        "encl rewrap tree/notes.txt.encl --to alice@example.org --to bob@example.org --yes",
    );
    session.type_(
        "alice",
        "encl rewrap tree/notes.txt.encl --to bob@example.org --yes --resign",
    );
    session.type_("bob", "encl verify tree/notes.txt.encl");
    session.type_(
        "alice",
        "encl rewrap --json -r tree --to @finance --dry-run",
    );
    insta::assert_snapshot!(session.transcript());
}

/// Gives Bob a second key in a keystore of its own (`bob-again`), with a later card (`bob-again.card`).
fn rotate_bob(session: &Session) {
    session.quietly("bob", "cp -a \"$ENCL_KEYSTORE\" \"$ENCL_KEYSTORE-again\"");
    session.quietly("bob-again", "encl key rotate > bob-again.card");
}

#[test]
fn a_reader_who_rotated_gets_a_slot_for_the_new_key() {
    let mut session = Session::with_people();
    session.quietly("alice", "encl wrap report.pdf --to @finance -C sealed");
    session.quietly(
        "alice",
        "encl wrap notes.txt --to @finance --private -C sealed",
    );
    rotate_bob(&session);
    let payload = lasting(&session.read("sealed/report.pdf.encl"));
    session.type_("alice", "encl rewrap -r sealed --yes");
    session.type_("alice", "encl contact add bob-again.card --yes");
    session.type_("alice", "encl rewrap -r sealed --yes");
    assert!(payload == lasting(&session.read("sealed/report.pdf.encl")));
    session.type_("alice", "encl rewrap -r sealed --yes");
    session.type_(
        "bob-again",
        "encl verify sealed/report.pdf.encl sealed/notes.txt.encl",
    );
    session.type_("bob", "encl verify sealed/report.pdf.encl");
    session.type_("bob", "encl verify sealed/notes.txt.encl");
    session.type_(
        "carol",
        "encl verify sealed/report.pdf.encl sealed/notes.txt.encl",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn an_envelope_that_cannot_be_rewritten_says_why_and_is_unchanged() {
    let mut session = with_report();
    session.quietly(
        "alice",
        "encl wrap notes.txt --to bob@example.org --private; ln -s report.pdf.encl link; cp report.pdf.encl two; ln two three; \
         cp report.pdf.encl cut.encl; truncate -s -1 cut.encl; echo x | encl wrap - --to bob@example.org --not-before 30d > early.encl",
    );
    let grants = [
        ("link", 8),
        ("two", 8),
        ("photos", 2),
        ("notes.txt.encl", 5),
        ("notes.txt", 4),
        ("nothing.encl", 1),
        ("early.encl", 5),
        ("letter.pdf.encl", 3),
        ("report.pdf.encl -o notes.txt", 8),
        ("report.pdf.encl -o report.pdf.encl", 8),
        ("report.pdf.encl --lock 1", 2),
        ("report.pdf.encl two -o x", 2),
        ("report.pdf.encl -o /dev/full", 1),
        ("report.pdf.encl --as carol@example.org", 7),
    ];
    for (words, exit) in grants {
        let asked = session.type_("bob", &format!("encl grant {words} --to carol@example.org"));
        let own = words == "letter.pdf.encl";
        assert_eq!(
            asked.exit,
            if own { 0 } else { exit },
            "{words}: {}",
            asked.stderr
        );
    }
    for (line, exit) in [
        (
            "encl rewrap cut.encl --to bob@example.org --to carol@example.org --yes --resign",
            4,
        ),
        (
            "encl revoke cut.encl --from alice@example.org --yes --resign",
            4,
        ),
        ("encl rewrap --yes -r", 2),
        ("encl rewrap tree --yes", 1),
        (
            "encl drop report.pdf.encl --from nobody@example.org --yes",
            7,
        ),
    ] {
        assert_eq!(session.type_("bob", line).exit, exit, "{line}");
    }
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn access_changes_work_in_pipes_and_into_other_files() {
    let session = with_report();
    for command in [
        "encl grant - --to carol@example.org < report.pdf.encl > new.encl",
        "cat report.pdf.encl | encl grant --to carol@example.org | cat > new.encl",
        "rm new.encl; encl grant report.pdf.encl -o new.encl --to carol@example.org",
        "cat report.pdf.encl | encl rewrap - --to carol@example.org --to alice@example.org --yes > new.encl",
        "encl rewrap report.pdf.encl -o - --to carol@example.org --to alice@example.org --yes > new.encl",
    ] {
        let before = session.read("report.pdf.encl");
        session.quietly("bob", command);
        assert!(session.read("report.pdf.encl") == before, "{command}");
        session.quietly(
            "carol",
            "encl unwrap new.encl -o new.pdf --force; cmp new.pdf report.pdf",
        );
        assert!(
            lasting(&before) == lasting(&session.read("new.encl")),
            "{command}"
        );
    }
    session.quietly("alice", "cat report.pdf.encl | encl revoke - --from bob@example.org --yes > new.encl; encl verify new.encl");
    assert_eq!(session.ask("bob", "encl verify new.encl").exit, 3);
    // The output is written even if nothing has to change.
    session.quietly("alice", "encl revoke report.pdf.encl -o same.encl --from carol@example.org --yes && cmp same.encl report.pdf.encl");
    session.quietly(
        "alice",
        "encl wrap report.pdf --armor --to bob@example.org -o text.encl",
    );
    session.quietly("alice", "encl grant text.encl --to carol@example.org && encl revoke text.encl --from bob@example.org --yes");
    assert!(
        session
            .read("text.encl")
            .starts_with(b"-----BEGIN ENCL/1-----")
    );
    session.quietly("carol", "encl verify text.encl");
}

#[test]
fn simultaneous_grants_lose_no_slot() {
    let session = with_report();
    let names: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    for name in &names {
        session.quietly(
            "bob",
            &format!(
                "encl key new {name}@example.org --no-passphrase --keystore {name} > {name}.card"
            ),
        );
    }
    let grants = names
        .iter()
        .map(|name| format!("encl grant report.pdf.encl --to {name}.card & pids=\"$pids $!\"; "));
    let line = format!(
        "pids=; {} for pid in $pids; do wait $pid || exit 1; done",
        grants.collect::<String>()
    );
    session.quietly("bob", &line);
    for name in &names {
        session.quietly(
            "bob",
            &format!("encl verify report.pdf.encl --keystore {name}"),
        );
    }
}

#[test]
fn a_question_on_the_terminal_is_answered_there() {
    let session = with_report();
    let ino = || {
        std::fs::metadata(session.work().join("report.pdf.encl"))
            .unwrap()
            .ino()
    };
    let before = ino();
    let asked = session.ask(
        "alice",
        "printf 'n\\n' | script -qec 'encl drop report.pdf.encl --from bob@example.org' /dev/null",
    );
    assert_eq!((asked.exit, ino()), (6, before), "{}", asked.text());
    let asked = session.ask("alice", "printf 'y\\n' | script -qec 'encl revoke report.pdf.encl --from bob@example.org' /dev/null");
    assert!(asked.exit == 0 && ino() != before, "{}", asked.text());
}
