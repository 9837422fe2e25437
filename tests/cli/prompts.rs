//! Questions are asked on the terminal device, also when both streams are redirected.

use crate::session::{PASSPHRASE, Session};

#[test]
fn a_new_passphrase_is_asked_twice_and_never_shown() {
    let session = Session::new();
    if !session.has_terminal() {
        return;
    }
    let typed = format!("{PASSPHRASE}\n{PASSPHRASE}\n");
    let made = session.ask_on_terminal("bob", "encl key new bob@example.org > bob.card", &typed);
    assert_eq!(made.exit, 0, "{}", made.text());
    assert!(!made.text().contains(PASSPHRASE), "{}", made.text());
    assert!(session.read("bob.card").starts_with(b"encl-card1:"));
    session.write("a", "a\n");
    session.quietly(
        "bob",
        "encl wrap a --to bob@example.org --passphrase-file passphrase",
    );
    let opened = session.ask_on_terminal(
        "bob",
        "cat a.encl | encl unwrap > b",
        &format!("{PASSPHRASE}\n"),
    );
    assert_eq!(opened.exit, 0, "{}", opened.text());
    assert_eq!(session.read("b"), b"a\n");
}

#[test]
fn a_mistyped_passphrase_can_be_typed_again() {
    let session = Session::new();
    if !session.has_terminal() {
        return;
    }
    session.write("a", "a\n");
    session.quietly(
        "bob",
        "encl key new bob@example.org --passphrase-file passphrase > bob.card",
    );
    session.quietly(
        "bob",
        "encl wrap a --to bob@example.org --passphrase-file passphrase",
    );
    let opened = session.ask_on_terminal(
        "bob",
        "encl unwrap a.encl -o b",
        &format!("wrong\n{PASSPHRASE}\n"),
    );
    assert_eq!(opened.exit, 0, "{}", opened.text());
    let shut = session.ask_on_terminal("bob", "encl unwrap a.encl -o c", "wrong\nwrong\nwrong\n");
    assert_eq!(shut.exit, 6, "{}", shut.text());
}

#[test]
fn an_empty_new_passphrase_is_generated_and_shown_once() {
    let session = Session::new();
    if !session.has_terminal() {
        return;
    }
    session.write("a", "a\n");
    let wrapped = session.ask_on_terminal("bob", "encl wrap a --passphrase", "\n");
    assert_eq!(wrapped.exit, 0, "{}", wrapped.text());
    let text = wrapped.text();
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.ends_with("shown only now:"));
    let words = lines.next().expect("the passphrase was shown");
    assert_eq!(words.split('-').count(), 7, "{words}");
    session.write("words", format!("{words}\n"));
    session.quietly("carol", "encl unwrap a.encl -o b --passphrase-file words");
    assert_eq!(session.read("b"), b"a\n");
}

/// Ctrl-D or Ctrl-C at a question: nothing is created, the exit code is 6, and the terminal echoes again.
#[test]
fn a_cancelled_question_is_locked() {
    let session = Session::new();
    if !session.has_terminal() {
        return;
    }
    for key in ["\u{4}", "\u{3}"] {
        let line =
            "encl key new bob@example.org > bob.card; echo exit $?; stty -a | grep -o ' echo '";
        let answer = session.ask_on_terminal("bob", line, key);
        assert!(
            answer.text().contains("exit 6"),
            "{key:?}: {}",
            answer.text()
        );
        assert!(
            answer.text().contains(" echo "),
            "{key:?}: {}",
            answer.text()
        );
        assert_eq!(session.read("bob.card"), b"");
    }
    assert_eq!(session.quietly("bob", "encl key list").text(), "");
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let session = Session::new();
    session.write("a", "a\n");
    let answer = session.ask("bob", "encl wrap a --passphrase");
    assert_eq!(answer.exit, 6);
    assert!(
        answer.stderr.contains("there is no terminal to ask on"),
        "{}",
        answer.stderr
    );
}

/// An envelope that is verified before it is written is read twice, but its passphrase is asked for once.
#[test]
fn nobody_is_asked_twice_for_one_envelope() {
    let session = Session::new();
    if !session.has_terminal() {
        return;
    }
    session.write("a", "a\n");
    session.quietly(
        "bob",
        "encl wrap a --passphrase --passphrase-file passphrase",
    );
    let opened = session.ask_on_terminal(
        "carol",
        "encl unwrap a.encl -o - > b",
        &format!("{PASSPHRASE}\n"),
    );
    assert_eq!(opened.exit, 0, "{}", opened.text());
    assert_eq!(
        opened.text().matches("Passphrase of").count(),
        1,
        "{}",
        opened.text()
    );
    assert_eq!(session.read("b"), b"a\n");
}

/// With a terminal as input, the program prints one line of help instead of waiting for a typed envelope.
#[test]
fn a_terminal_is_not_read_as_data() {
    let session = Session::new();
    if !session.has_terminal() {
        return;
    }
    for line in [
        "encl unwrap",
        "encl verify -",
        "encl inspect",
        "encl wrap --passphrase > x",
    ] {
        let answer = session.ask_on_terminal("bob", line, "");
        assert_eq!(answer.exit, 2, "{line}: {}", answer.text());
        assert!(
            answer.text().contains("it is a terminal"),
            "{line}: {}",
            answer.text()
        );
    }
}

/// Work of over a second shows progress on a terminal and then clears the line; without a terminal nothing is shown.
#[test]
fn long_work_is_shown_on_a_terminal_only() {
    let session = Session::new();
    if !session.has_terminal() {
        return;
    }
    let slow = "{ head -c 900000 /dev/zero; sleep 1.2; head -c 900000 /dev/zero; } | encl wrap --passphrase --passphrase-file passphrase > x";
    let watched = session.ask_on_terminal("bob", &format!("TERM=xterm; export TERM; {slow}"), "");
    assert!(
        watched.text().contains("standard input ") && watched.text().contains("iB/s"),
        "{:?}",
        watched.text()
    );
    assert!(!session.quietly("bob", slow).stderr.contains("/s"));
    let quiet = session.ask_on_terminal("bob", &format!("{slow} --quiet"), "");
    assert_eq!(quiet.text(), "");
}
