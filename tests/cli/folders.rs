//! Whole folders: everything below them is sealed, or all envelopes below them are changed, and nothing of it in silence.

use std::sync::OnceLock;

use crate::folder::Prepared;
use crate::session::Session;

/// Alice's envelopes for Bob and Carol at three places of a tree, one by Bob for Alice and Carol, and what is no envelope.
fn with_tree() -> Session {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    Session::made_once(&MADE, || {
        let session = Session::with_people();
        session.quietly("bob", "encl contact add carol.card --yes");
        session.quietly(
            "alice",
            "mkdir -p tree/a/b; for f in tree/1 tree/a/2 tree/a/b/3; do echo $f > $f; encl wrap $f --to @finance -q; rm $f; done; \
             mv tree/a/b/3.encl tree/a/b/renamed; echo nothing > tree/a/letter.txt",
        );
        session.quietly(
            "bob",
            "echo by bob > tree/a/by-bob; encl wrap tree/a/by-bob --to alice@example.org --to carol@example.org -q; rm tree/a/by-bob",
        );
        session
    })
}

/// The whole folder, byte by byte.
fn state(session: &Session, folder: &str) -> String {
    let line = format!("find {folder} -type f -print0 | sort -z | xargs -0 sha256sum");
    session.quietly("alice", &line).text()
}

#[test]
fn revoke_reaches_every_envelope_below_a_folder_but_keeps_the_signatures_of_others() {
    let mut session = with_tree();
    let before = state(&session, "tree");
    let revoke = "encl revoke -r tree --from carol@example.org";
    session.type_("alice", &format!("{revoke} --dry-run"));
    session.type_("alice", revoke);
    assert!(
        state(&session, "tree") == before,
        "nothing was agreed to so far"
    );
    let by_bob = session.read("tree/a/by-bob.encl");
    session.type_("alice", &format!("{revoke} --yes"));
    assert!(
        session.read("tree/a/by-bob.encl") == by_bob,
        "Bob's signature stays"
    );
    for file in ["tree/1.encl", "tree/a/2.encl", "tree/a/b/renamed"] {
        assert_eq!(session.ask("carol", &format!("encl verify {file}")).exit, 3);
        session.quietly("bob", &format!("encl verify {file}"));
    }
    session.type_("alice", &format!("{revoke} --yes --json"));
    session.type_("alice", &format!("{revoke} --yes --resign"));
    session.type_("alice", "encl verify tree/a/by-bob.encl");
    session.type_("alice", &format!("{revoke} --yes"));
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn grant_and_drop_reach_every_envelope_below_a_folder() {
    let mut session = with_tree();
    session.quietly(
        "dan",
        "encl key new dan@example.org --name Dan --no-passphrase > dan.card",
    );
    session.write("tree/a/damaged.encl", "encl/1\n");
    let before = state(&session, "tree");
    session.type_("alice", "encl grant -r tree --to dan.card --dry-run");
    session.type_("alice", "encl grant -r tree --to dan.card");
    assert!(
        state(&session, "tree") == before,
        "nothing was agreed to so far"
    );
    session.type_("alice", "encl grant -r tree --to dan.card --yes");
    for file in ["1.encl", "a/2.encl", "a/b/renamed", "a/by-bob.encl"] {
        session.quietly("dan", &format!("encl verify tree/{file}"));
    }
    session.quietly("alice", "rm tree/a/damaged.encl");
    session.type_("alice", "encl grant -r tree --to dan@example.org --yes");
    session.type_(
        "alice",
        "encl drop -r tree --from dan@example.org --dry-run",
    );
    session.type_("alice", "encl drop -r tree --from dan@example.org");
    session.type_("alice", "encl drop -r tree --from dan@example.org --yes");
    assert_eq!(session.ask("dan", "encl verify tree/1.encl").exit, 3);
    session.type_(
        "alice",
        "encl drop -r tree --from dan@example.org --yes --json",
    );
    session.type_("alice", "encl drop --yes -r --from dan@example.org");
    session.type_("alice", "encl grant tree --to dan@example.org");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn resign_puts_my_signature_and_new_keys_under_a_change() {
    let mut session = with_tree();
    session.quietly(
        "dan",
        "encl key new dan@example.org --name Dan --no-passphrase > dan.card",
    );
    session.quietly(
        "alice",
        "encl wrap notes.txt --to bob@example.org --private",
    );
    for line in [
        "encl grant notes.txt.encl --to dan.card",
        "encl grant notes.txt.encl --to dan.card --anonymous",
        "encl drop notes.txt.encl --from bob@example.org --keep-granted",
        "encl grant notes.txt.encl --to dan.card --resign",
        "encl grant notes.txt.encl --to dan.card --resign --yes",
        "encl grant notes.txt.encl --to dan.card --resign --yes",
        "encl grant tree/a/by-bob.encl --to dan.card --resign --dry-run --json",
        "encl grant tree/a/by-bob.encl --to dan.card --resign --yes",
        "encl drop tree/a/by-bob.encl --from carol@example.org --resign --yes",
    ] {
        session.type_("alice", line);
    }
    session.type_("dan", "encl verify notes.txt.encl tree/a/by-bob.encl");
    session.type_("bob", "encl verify notes.txt.encl");
    session.type_("carol", "encl verify tree/a/by-bob.encl");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn links_that_are_not_followed_are_named() {
    let session = with_tree();
    session.quietly(
        "alice",
        "mkdir far && mv tree/a far/ && ln -s ../far/a tree/a && ln -s 1.encl tree/link.encl && ln -s nothing tree/other",
    );
    for command in [
        "rewrap -r tree --yes",
        "revoke -r tree --from carol@example.org --yes",
        "grant -r tree --to bob@example.org --yes",
        "drop -r tree --from carol@example.org --yes",
    ] {
        let answer = session.quietly("alice", &format!("encl {command}"));
        for link in ["tree/a", "tree/link.encl"] {
            let told = format!("warning: {link} is a symbolic link, which was not followed");
            assert!(
                answer.stderr.contains(&told),
                "{command}\n{}",
                answer.stderr
            );
        }
        assert!(!answer.stderr.contains("tree/other"), "{}", answer.stderr);
    }
}

#[test]
fn a_folder_of_grants_is_asked_about_on_the_terminal_once() {
    let session = with_tree();
    if !session.has_terminal() {
        return;
    }
    session.quietly(
        "dan",
        "encl key new dan@example.org --name Dan --no-passphrase > dan.card",
    );
    let before = state(&session, "tree");
    let grant = "encl grant -r tree --to dan.card --resign";
    let no = session.ask_on_terminal("alice", grant, "n\n");
    assert_eq!(
        (no.exit, no.text().matches("[y/N]").count()),
        (6, 1),
        "{}",
        no.text()
    );
    assert!(state(&session, "tree") == before);
    let yes = session.ask_on_terminal("alice", grant, "y\n");
    assert_eq!(
        (yes.exit, yes.text().matches("[y/N]").count()),
        (0, 1),
        "{}",
        yes.text()
    );
    session.quietly("dan", "encl verify tree/a/by-bob.encl");
}

#[test]
fn every_file_below_a_folder_gets_an_envelope() {
    let mut session = Session::with_people();
    session.quietly(
        "alice",
        "mkdir -p papers/a/.hidden 'papers/two\nlines'; echo 1 > papers/a/1; echo 2 > papers/a/.hidden/2; \
         echo 3 > 'papers/two\nlines/3'; : > papers/empty; cp letter.pdf.encl papers/a/envelope",
    );
    session.type_("alice", "encl wrap papers --to bob@example.org");
    session.type_(
        "alice",
        "encl wrap -r papers --to bob@example.org --dry-run",
    );
    session.type_(
        "alice",
        "encl wrap -r papers --to bob@example.org --dry-run --json",
    );
    session.type_("alice", "encl wrap -r papers --to bob@example.org");
    session.type_("alice", "find papers -name '*.encl' | sort");
    session.quietly(
        "bob",
        "find papers -name '*.encl' ! -path papers/a/envelope -print0 | encl verify --files-from - -0",
    );
    // What is done already exists.
    session.quietly("alice", "rm papers/empty.encl");
    session.type_("alice", "encl wrap -r papers --to bob@example.org -q");
    session.type_(
        "alice",
        "encl wrap -r papers --to bob@example.org --force -q",
    );
    // The tree is kept in another folder.
    session.quietly("alice", "find papers -name '*.encl' -delete; mkdir kept");
    session.type_(
        "alice",
        "encl wrap -r papers --to bob@example.org -C kept -q",
    );
    session.type_("alice", "find kept -type f | sort");
    session.type_(
        "alice",
        "encl wrap -r papers --to bob@example.org -C nowhere",
    );
    session.type_(
        "alice",
        "encl wrap -r papers --to bob@example.org -o one.encl",
    );
    session.type_(
        "alice",
        "mkdir none && encl wrap -r none --to bob@example.org",
    );
    session.type_("alice", "encl wrap -r --to bob@example.org");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn whatever_stays_in_clear_is_named_and_is_a_failure() {
    let mut session = Session::with_people();
    session.quietly(
        "alice",
        "mkdir -p papers/a; echo 1 > papers/a/1; ln -s 1 papers/a/link; ln -s a papers/folder; mkfifo papers/pipe; \
         echo junk > papers/a/1.encl; echo other > papers/other",
    );
    session.type_("alice", "encl wrap -r papers --to bob@example.org");
    session.type_(
        "alice",
        "encl wrap -r papers --to bob@example.org --force --json -q",
    );
    assert_eq!(session.read("papers/a/1.encl"), b"junk\n");
    session.quietly(
        "alice",
        "rm papers/pipe papers/folder papers/a/link papers/a/1.encl",
    );
    session.type_(
        "alice",
        "encl wrap -r papers --to bob@example.org --force -q",
    );
    session.quietly("bob", "encl verify papers/a/1.encl");
    insta::assert_snapshot!(session.transcript());
}

/// Two inputs never become one envelope, also with `--force`.
#[test]
fn two_files_with_one_place_for_their_envelopes_are_refused() {
    let mut session = Session::with_people();
    session.quietly(
        "alice",
        "mkdir -p x/same y/same out; echo x > x/same/f; echo y > y/same/f",
    );
    session.type_(
        "alice",
        "encl wrap -r x/same y/same --to bob@example.org -C out --force -q",
    );
    session.quietly("bob", "encl unwrap out/same/f.encl -o f && grep -q x f");
    session.type_(
        "alice",
        "encl wrap x/same/f y/same/f --to bob@example.org -C out --force -q",
    );
    session.quietly("bob", "encl unwrap out/f.encl -o g && grep -q x g");
    session.type_("alice", "encl wrap -r x x x/same/f --to bob@example.org -q");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn resign_brings_envelopes_among_the_files_in_line() {
    let mut session = with_tree();
    session.quietly("alice", "rm tree/a/b/renamed");
    let wrap = "encl wrap -r tree --to bob@example.org --resign";
    session.type_("alice", &format!("{wrap} --dry-run"));
    let before = state(&session, "tree");
    session.type_("alice", wrap);
    assert!(state(&session, "tree") == before, "nothing was agreed to");
    session.type_("alice", &format!("{wrap} --yes"));
    session.type_(
        "bob",
        "encl verify tree/1.encl tree/a/2.encl tree/a/by-bob.encl tree/a/letter.txt.encl",
    );
    assert_eq!(session.ask("carol", "encl verify tree/1.encl").exit, 3);
    session.type_(
        "alice",
        "encl wrap tree/1.encl --to carol@example.org --resign --yes",
    );
    session.type_(
        "alice",
        "encl wrap tree/1.encl --quorum 1:carol@example.org --resign",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_tree_is_opened_as_it_was_sealed() {
    let mut session = Session::with_people();
    session.quietly(
        "alice",
        "mkdir -p papers/a/.hidden 'papers/two\nlines'; echo 1 > papers/a/1; echo 2 > papers/a/.hidden/2; \
         echo 3 > 'papers/two\nlines/3'; : > papers/empty; encl wrap -r papers --to bob@example.org -C sealed -q",
    );
    session.type_("bob", "encl unwrap sealed/papers");
    session.quietly(
        "bob",
        "encl unwrap -r sealed/papers -C opened && diff -r papers opened/papers",
    );
    session.type_("bob", "encl unwrap -r sealed/papers -C opened -q");
    session.quietly(
        "bob",
        "cp letter.pdf.encl sealed/papers/a/other; ln -s papers sealed/link; echo junk > sealed/junk.encl",
    );
    session.quietly(
        "alice",
        "encl wrap notes.txt --to alice@example.org -o sealed/not-for-bob.encl -q",
    );
    session.type_("bob", "encl unwrap -r sealed");
    session.quietly("bob", "diff sealed/papers/a/1 papers/a/1");
    session.type_("bob", "encl unwrap -r sealed --use-name");
    session.type_("bob", "encl unwrap -r");
    insta::assert_snapshot!(session.transcript());
}
