//! Contacts that are verified, blocked, changed or revoked.

use std::time::{Duration, Instant};

use crate::session::Session;

/// The safety number as `person` sees it.
fn number(session: &Session, person: &str, who: &str, option: &str) -> String {
    let line = format!("encl contact verify {who} {option} --no-input");
    session.ask(person, &line).text()
}

/// The transcript without safety numbers, which differ in every run.
fn without_numbers(transcript: &str) -> String {
    let is_group = |word: &str| word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit());
    let line = |line: &str| match line.split(' ').all(is_group) && !line.is_empty() {
        true => "<six groups>".to_owned(),
        false => line.to_owned(),
    };
    let lines: Vec<String> = transcript.lines().map(line).collect();
    lines.join("\n")
}

#[test]
fn two_people_see_one_number_and_are_verified() {
    let mut session = Session::with_people();
    let alices = number(&session, "alice", "bob@example.org", "");
    let bobs = number(&session, "bob", "alice@example.org", "");
    assert_eq!(alices, bobs);
    assert_eq!(alices.split_whitespace().count(), 12, "{alices}");
    let words = number(&session, "bob", "alice@example.org", "--words");
    assert_eq!(words.split_whitespace().count(), 18, "{words}");
    session.write("number", &bobs);
    session.write("words", &words);
    session.write(
        "wrong",
        bobs.replacen(['1', '2', '3'], "9", 1).replacen('0', "8", 1),
    );

    session.type_("alice", "encl contact verify bob@example.org --no-input");
    session.type_("alice", "encl wrap notes.txt --to bob --require-verified");
    session.type_("alice", "encl contact verify bob --code \"$(cat wrong)\"");
    session.type_("alice", "encl contact verify bob --code \"$(cat number)\"");
    session.type_("alice", "encl contact list && encl contact show bob");
    session.type_("alice", "encl contact show bob --json");
    session.type_("alice", "encl wrap notes.txt --to bob --require-verified");
    session.type_("alice", "encl verify letter.pdf.encl");
    session.type_(
        "bob",
        "encl contact verify alice --json --code \"$(cat words)\" | jq -r '.trust, .verified.how'",
    );
    session.type_(
        "bob",
        "encl contact verify alice --json > number.json; echo exit $? && \
         test \"$(jq -r .digits number.json)\" = \"$(tr -d ' \\n' < number)\" && jq -r '.words[]' number.json | wc -l",
    );
    session.type_("carol", "encl contact verify alice");
    session.type_(
        "nobody",
        "encl contact add bob.card --yes; encl contact verify bob",
    );
    session.type_("bob", "encl verify --json notes.txt.encl");
    insta::assert_snapshot!(without_numbers(&session.transcript()));
}

#[test]
fn the_question_is_asked_on_the_terminal_and_yes_is_no_shortcut() {
    let session = Session::with_people();
    let no = session.ask_on_terminal("alice", "encl contact verify bob", "n\n");
    assert_eq!(no.exit, 7, "{}", no.text());
    assert!(
        session
            .quietly("alice", "encl contact list")
            .text()
            .contains("Bob <bob@example.org>  not verified")
    );
    assert_eq!(
        session.ask("alice", "encl contact verify bob --yes").exit,
        2
    );
    let yes = session.ask_on_terminal("alice", "encl contact verify bob", "y\n");
    assert_eq!(yes.exit, 0, "{}", yes.text());
    let shown = session
        .quietly("alice", "encl contact show bob --json")
        .text();
    assert!(shown.contains("\"how\":\"by-eye\""), "{shown}");
}

#[test]
fn the_qr_code_is_text() {
    let session = Session::with_people();
    let shown = number(&session, "alice", "bob@example.org", "--qr");
    let lines: Vec<&str> = shown.lines().collect();
    let (code, digits) = lines.split_at(lines.len() - 2);
    assert_eq!(
        digits.join("\n") + "\n",
        number(&session, "alice", "bob@example.org", "")
    );
    // Version 2 has 25 modules per side and a quiet zone of four around them; one line shows two rows of modules.
    assert_eq!(code.len(), 17);
    for line in code {
        assert_eq!(line.chars().count(), 33, "{shown}");
        assert!(
            line.chars()
                .all(|c| " \u{2580}\u{2584}\u{2588}".contains(c)),
            "{shown}"
        );
    }
}

#[test]
fn a_blocked_contact_gets_nothing() {
    let mut session = Session::with_people();
    session.type_("alice", "encl contact block bob");
    session.type_("alice", "encl contact list");
    session.type_("alice", "encl wrap notes.txt --to bob");
    session.type_("alice", "encl wrap notes.txt --to @finance");
    session.type_("alice", "encl wrap notes.txt --to bob.card");
    session.type_("alice", "encl mail wrap letter.eml -o sealed-too.eml");
    session.type_("alice", "encl grant letter.pdf.encl --to bob.card");
    session.type_("alice", "encl verify letter.pdf.encl");
    session.type_("alice", "encl verify --signed-by bob letter.pdf.encl");
    session.type_("alice", "encl contact verify bob --no-input");
    session.type_(
        "alice",
        "encl contact remove bob --yes; encl verify letter.pdf.encl",
    );
    session.type_("alice", "encl wrap notes.txt --to bob.card");
    session.type_("alice", "encl contact add bob.card --yes");
    session.type_("alice", "encl contact unblock bob && encl contact show bob");
    session.type_("alice", "encl contact unblock bob");
    session.type_("alice", "encl wrap notes.txt --to bob");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_changed_key_stops_everything_until_the_user_decides() {
    let mut session = Session::with_people();
    session.quietly(
        "eve",
        "encl key new bob@example.org --name Bob --no-passphrase > other.card",
    );
    session.write("number", number(&session, "alice", "bob@example.org", ""));
    session.type_("alice", "encl wrap notes.txt --to other.card");
    session.type_("alice", "encl wrap notes.txt --to bob -o first.encl");
    session.type_("alice", "encl contact add other.card --yes");
    session.type_("alice", "encl contact show bob@example.org");
    session.type_("alice", "encl wrap notes.txt --to bob");
    session.type_("alice", "encl wrap notes.txt --quorum 2:bob,carol");
    session.type_("alice", "encl verify letter.pdf.encl");
    session.type_("alice", "encl contact verify bob --code \"$(cat number)\"");
    session.type_("alice", "encl wrap notes.txt --to bob");
    session.type_("alice", "encl contact add other.card --yes 2> /dev/null; encl contact remove bob --yes && encl contact add other.card --yes");
    session.type_("alice", "encl contact list");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn an_expired_key_is_noticed() {
    let mut session = Session::with_people();
    session.quietly(
        "bob",
        "cat \"$ENCL_KEYSTORE\"/identities/*/revocation > bob.revocation",
    );
    session.quietly(
        "carol",
        "cat \"$ENCL_KEYSTORE\"/identities/*/revocation > carol.revocation",
    );
    session.type_("alice", "encl contact add bob.revocation");
    session.type_("alice", "encl contact add bob.revocation --yes");
    session.type_("alice", "encl contact show bob");
    session.type_("alice", "encl wrap notes.txt --to bob");
    session.type_("alice", "encl verify letter.pdf.encl --signed-by bob");
    session.type_("alice", "encl contact unblock bob");
    session.type_(
        "bob",
        "encl contact add carol.revocation --yes && encl wrap notes.txt --to carol.card",
    );
    session.type_("bob", "encl contact add carol.revocation --yes --json");
    session.type_("bob", "encl contact add bob.revocation --yes");
    insta::assert_snapshot!(session.transcript());
}

/// An attacker who can write to the keystore's folder can lower trust, and never raise it.
#[test]
fn a_synchronised_folder_lowers_trust_and_never_raises_it() {
    let mut session = Session::with_people();
    session.write("number", number(&session, "alice", "bob@example.org", ""));
    session.quietly("alice", "encl contact verify bob --code \"$(cat number)\"");
    session.quietly(
        "alice",
        "mkdir saved && cp -p \"$ENCL_KEYSTORE\"/contacts/* saved/",
    );
    session.quietly("alice", "encl contact block bob");
    session.type_(
        "alice",
        "cp -p saved/* \"$ENCL_KEYSTORE\"/contacts/; encl wrap notes.txt --to bob",
    );
    session.type_("alice", "rm \"$ENCL_KEYSTORE\"/contacts/*; encl contact add bob.card --yes; encl wrap notes.txt --to bob");
    session.quietly(
        "alice",
        "encl contact unblock bob; cp -p saved/* \"$ENCL_KEYSTORE\"/contacts/",
    );
    session.type_("alice", "encl contact list");
    session.type_("alice", "encl wrap notes.txt --to bob --require-verified");
    // Another machine has the folder but not the machine's key.
    session.type_(
        "alice",
        "XDG_STATE_HOME=$PWD/machine encl wrap notes.txt --to bob",
    );
    session.type_("alice", "mv \"$ENCL_KEYSTORE\" moved; encl contact show bob --keystore moved | grep trust | cut -c 1-18");
    insta::assert_snapshot!(session.transcript());
}

/// Files of the wrong kind and endless texts are refused at once.
#[test]
fn hostile_cards_and_records_are_refused_at_once() {
    let session = Session::with_people();
    session.write("long", format!("encl-card1:{}", "A".repeat(1 << 20)));
    session.write(
        "controls",
        format!("encl-card1:{}", "\u{1b}[2J\u{202e}".repeat(1000)),
    );
    session.write(
        "endless",
        "encl-revocation1:".to_owned() + &"B".repeat(1 << 20),
    );
    let long_name = "m".repeat(1 << 16);
    for (line, exit) in [
        ("encl contact add long --yes".to_owned(), 4),
        ("encl contact add controls --yes".to_owned(), 4),
        ("encl contact add endless --yes".to_owned(), 4),
        ("encl wrap notes.txt --to ./long".to_owned(), 7),
        (format!("encl contact block {long_name}"), 7),
        (format!("encl contact verify {long_name}"), 7),
        (format!("encl contact verify bob --code {long_name}"), 7),
        // An address that looks like Bob's but has a Cyrillic letter.
        ("encl contact block b\u{43e}b@example.org".to_owned(), 7),
    ] {
        let begun = Instant::now();
        let answer = session.ask("alice", &line);
        assert_eq!(answer.exit, exit, "{}: {}", &line[..40], answer.stderr);
        assert!(begun.elapsed() < Duration::from_secs(5), "{}", &line[..40]);
        assert!(answer.stderr.len() < 4096, "{}", &line[..40]);
    }
    // Swap the files of two contacts.
    let swap = "cd \"$ENCL_KEYSTORE\"/contacts && set -- * && mv $1 x && mv $2 $1 && mv x $2";
    session.quietly("alice", swap);
    for (line, exit) in [
        ("encl contact list", 1),
        ("encl wrap notes.txt --to bob", 7),
        ("encl contact block bob", 7),
    ] {
        let answer = session.ask("alice", line);
        assert_eq!(answer.exit, exit, "{line}: {}", answer.stderr);
        assert!(
            answer.stderr.contains("belongs to another contact"),
            "{line}: {}",
            answer.stderr
        );
    }
}
