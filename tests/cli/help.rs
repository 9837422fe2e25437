//! Every help text, found by asking the program: it is complete, and its examples run.

use crate::session::Session;

/// Every command that has a help text, as it is typed.
pub(crate) fn commands(session: &Session) -> Vec<String> {
    let mut found = vec!["encl".to_owned()];
    let mut next = 0;
    while next < found.len() {
        let command = found[next].clone();
        let help = session
            .quietly("alice", &format!("{command} --help"))
            .text();
        let list = help
            .split("\nCommands:\n")
            .nth(1)
            .and_then(|rest| rest.split("\n\n").next());
        for line in list
            .unwrap_or_default()
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        {
            found.push(format!(
                "{command} {}",
                line.split_whitespace().next().unwrap()
            ));
        }
        next += 1;
    }
    found
}

/// Whether a command cannot be tried without a gate: tests/gate tries those.
pub(crate) fn needs_a_gate(command: &str) -> bool {
    command.starts_with("encl gate") || command.starts_with("encl audit")
}

/// The commands below "Examples:", which is the last section of a help text.
fn examples(text: &str) -> Vec<String> {
    let (_, examples) = text
        .split_once("Examples:\n")
        .expect("every help ends with examples");
    let line = |line: &str| {
        line.trim()
            .strip_prefix("$ ")
            .expect("an example begins with `$ `")
            .to_owned()
    };
    examples.trim_end().lines().map(line).collect()
}

#[test]
fn every_example_of_every_help_runs() {
    let session = Session::new();
    let commands = commands(&session);
    assert!(commands.len() > 25, "found only {commands:?}");
    let topics = [
        "access",
        "exit-codes",
        "json",
        "keys",
        "recipients",
        "scripting",
        "trust",
        "what-it-promises",
    ]
    .map(|topic| format!("encl help {topic}"));
    let helps = commands
        .iter()
        .filter(|command| !needs_a_gate(command))
        .map(|command| format!("{command} --help"))
        .chain(topics);
    let board = Session::with_a_board();
    // What is typed on a terminal: of an identity, and of something new.
    board.write("passphrases", "correct horse\nbattery staple\n");
    let mut count = 0;
    for help in helps {
        let text = session.quietly("alice", &help).text();
        let examples = examples(&text);
        assert!(!examples.is_empty(), "{help}");
        for example in examples {
            let answer = board.again().ask(
                "alice",
                &format!("export ENCL_PASSPHRASE_FILE=passphrases; {example}"),
            );
            assert_eq!(answer.exit, 0, "{help}: {example}\n{}", answer.stderr);
            count += 1;
        }
    }
    assert!(count > 40, "only {count} examples");
}

#[test]
fn help_goes_to_stdout_and_mistakes_to_stderr() {
    let session = Session::new();
    for line in [
        "encl --help",
        "encl -h",
        "encl wrap --help",
        "encl help",
        "encl help key new",
        "encl --version",
    ] {
        let answer = session.ask("alice", line);
        assert_eq!((answer.exit, answer.stderr.as_str()), (0, ""), "{line}");
        assert!(!answer.stdout.is_empty(), "{line}");
    }
    for line in [
        "encl",
        "encl key",
        "encl --bogus",
        "encl help bogus",
        "encl wrap --to",
    ] {
        let answer = session.ask("alice", line);
        assert_eq!(
            (answer.exit, answer.stdout.as_slice()),
            (2, &b""[..]),
            "{line}"
        );
        assert!(!answer.stderr.is_empty(), "{line}");
    }
}

#[test]
fn help_to_a_closed_or_full_output_is_a_failure_and_no_panic() {
    let session = Session::new();
    for line in [
        "encl --help >&-",
        "encl --help > /dev/full",
        "encl help trust > /dev/full",
        "encl version >&-",
    ] {
        let answer = session.ask("alice", line);
        assert_eq!(answer.exit, 1, "{line}");
        assert!(
            answer
                .stderr
                .starts_with("encl: error: cannot write standard output\n"),
            "{}",
            answer.stderr
        );
    }
    assert_eq!(session.ask("alice", "encl --bogus 2>&-").exit, 2);
    assert_eq!(
        session
            .ask("alice", "encl wrap nothing --to nobody 2> /dev/full")
            .exit,
        7
    );
}

/// Every help has a table of exit codes, and its rows are rows of `encl help exit-codes`.
#[test]
fn exit_codes_stand_in_every_help() {
    let session = Session::new();
    let whole = session.quietly("alice", "encl help exit-codes").text();
    for command in commands(&session) {
        let help = session
            .quietly("alice", &format!("{command} --help"))
            .text();
        let (_, table) = help.split_once("Exit codes:\n").expect(&command);
        let (table, _) = table.split_once("\n\n").expect(&command);
        for row in table.lines() {
            assert!(whole.contains(row), "{command}: {row}");
        }
    }
}

#[test]
fn the_first_help_texts() {
    let mut session = Session::new();
    session.type_("alice", "encl");
    session.type_("alice", "encl --help");
    session.type_("alice", "encl wrap -h");
    insta::assert_snapshot!(session.transcript());
}
