//! Rules for every hostile message, whatever its expected answer: sealing and opening gives the same bytes, delivery seals it,
//! and no command panics or passes control sequences to the terminal.

use super::letter::{LETTER, people, sealed, sealed_by};
use super::measured::{Input, Run};
use super::texts::{escaping, harmless};
use super::{cases, is_full};
use crate::complaints::complaints;
use crate::letters::People;
use crate::tell::{skipped, tell};

const WRAP: &[&str] = &[
    "mail",
    "wrap",
    "--lf",
    "--bcc",
    "keep",
    "--to",
    "bob@example.org",
];
const UNWRAP: &[&str] = &["mail", "unwrap", "--allow-from-mismatch"];
const DELIVER: &[&str] = &["mail", "deliver", "--for", "bob@example.org"];
/// Messages up to this size have negligible cost.
const SHORT_BYTES_MAX: usize = 1 << 20;
/// Fields that may stand outside.
const OUTSIDE: [&str; 16] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "auto-submitted",
    "precedence",
    "subject",
    "encl",
    "mime-version",
    "content-type",
    "list-",
];

fn bytes(input: &Input) -> Option<&Vec<u8>> {
    match input {
        Input::Bytes(bytes) => Some(bytes),
        Input::Blanks { .. } => None,
    }
}

/// All messages of the set that are not endless; long ones only with `ENCL_SWEEP=full`.
fn messages(people: &People) -> Vec<(&'static str, Vec<u8>)> {
    let cases = cases(people).into_iter();
    let message = |case: super::Case| Some((case.name, bytes(&case.message)?.clone()));
    let is_due = |(_, message): &(_, Vec<u8>)| is_full() || message.len() <= SHORT_BYTES_MAX;
    cases.filter_map(message).filter(is_due).collect()
}

/// Runs the program without measuring, since every message of the set is measured elsewhere.
fn ran(people: &People, who: &str, arguments: &[&str], message: &[u8]) -> Run {
    let output = people.run(who, arguments, message);
    Run {
        exit: output.status.code().unwrap_or(100),
        stdout: output.stdout,
        stderr: output.stderr,
        peak_kib: 0,
        cpu_seconds: 0.0,
    }
}

/// Whether the outer part has only fields of the list, in 7bit, on lines that SMTP accepts.
fn is_clean_outside(sealed: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(sealed) else {
        return false;
    };
    let (head, _) = text.split_once("\n\n").unwrap_or((text, ""));
    let is_field = |line: &str| {
        let name = line.split(':').next().unwrap_or_default().to_lowercase();
        line.starts_with(' ') || OUTSIDE.contains(&&*name) || name.starts_with("list-")
    };
    head.lines().all(is_field)
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
        && text.lines().all(|line| line.len() <= 998)
}

#[test]
fn a_hostile_message_is_sealed_like_any_other() {
    let people = people();
    let messages = messages(&people);
    let complaints = complaints(&messages, |(name, message)| {
        let failed = |what: &str, run: &Run| {
            let said: String = run.stderr_text().chars().take(1_000).collect();
            Err(format!("{name}: {what}: {} {said}", run.exit))
        };
        let wrapped = ran(&people, "alice", WRAP, message);
        wrapped.bounded(name)?;
        if wrapped.exit != 0 {
            return failed("not wrapped", &wrapped);
        }
        if !is_clean_outside(&wrapped.stdout) {
            return failed("something hostile stands outside", &wrapped);
        }
        let opened = ran(&people, "bob", UNWRAP, &wrapped.stdout);
        opened.bounded(name)?;
        match opened.exit == 0 && opened.stdout == *message {
            true => Ok(()),
            false => failed("not the same again", &opened),
        }
    });
    let number = messages.len();
    tell(&format!(
        "hostile: {number} messages sealed and opened, {} not the same",
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n---\n"));
}

#[test]
fn a_hostile_message_is_sealed_at_delivery() {
    let people = people();
    let messages = messages(&people);
    let complaints = complaints(&messages, |(name, message)| {
        let delivered = ran(&people, "bob", DELIVER, message);
        delivered.bounded(name)?;
        // Empty standard input counts as a broken pipe.
        if message.is_empty() && delivered.exit == 75 && delivered.stdout.is_empty() {
            return Ok(());
        }
        if delivered.exit != 0 {
            return Err(format!(
                "{name}: {} {}",
                delivered.exit,
                delivered.stderr_text()
            ));
        }
        // Either the message was sealed at delivery and opens to the input, or it was already sealed for Bob and has no
        // readable part.
        if delivered.stdout == *message {
            let readable = memchr::memmem::find(message, b"Meet me there at seven").is_some();
            return if readable {
                Err(format!("{name}: passed unsealed"))
            } else {
                Ok(())
            };
        }
        let opened = ran(&people, "bob", UNWRAP, &delivered.stdout);
        if opened.exit == 0 && opened.stdout == *message {
            return Ok(());
        }
        Err(format!(
            "{name}: neither sealed nor as it was: {}",
            opened.stderr_text()
        ))
    });
    let number = messages.len();
    tell(&format!(
        "hostile: {number} messages delivered, {} not sealed",
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n---\n"));
}

#[test]
fn no_command_panics_and_no_word_reaches_the_terminal() {
    let people = people();
    let mut messages = messages(&people);
    messages.push((
        "escapes everywhere",
        sealed_by(&people, "alice", &[], escaping()).into_bytes(),
    ));
    let complaints = complaints(&messages, |(name, message)| {
        for command in ["inspect", "show"] {
            for option in [None, Some("--json")] {
                let arguments: Vec<&str> = ["mail", command].into_iter().chain(option).collect();
                let run = ran(&people, "bob", &arguments, message);
                run.bounded(name)?;
                harmless(name, &run.stdout)?;
            }
        }
        Ok(())
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n---\n"));
    let left: Vec<_> = std::fs::read_dir(people.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("hostile")),
        "{left:?}"
    );
}

/// `script` runs the program on a terminal, and its output has both streams.
#[test]
fn show_gives_a_terminal_nothing_to_obey() {
    let people = people();
    let sealed = sealed_by(&people, "alice", &[], escaping());
    std::fs::write(people.path("sealed.eml"), sealed).unwrap();
    let line = format!(
        "NO_COLOR=1 {} mail show sealed.eml",
        env!("CARGO_BIN_EXE_encl")
    );
    let mut command = crate::support::process::command("script");
    people.at_home(command.args(["-qec", &line, "/dev/null"]), "bob");
    let Ok(output) = command.output() else {
        return skipped("what mail show writes to a terminal: no script(1)");
    };
    let screen: Vec<u8> = output
        .stdout
        .into_iter()
        .filter(|byte| *byte != b'\r')
        .collect();
    let text = String::from_utf8_lossy(&screen).into_owned();
    assert!(
        text.contains("[-- encl: end of the encrypted message --]"),
        "{text}"
    );
    assert_eq!(harmless("the screen", &screen), Ok(()));
}

/// A text that imitates the lines that `mail show` puts around a message.
#[test]
fn a_message_cannot_write_lines_of_the_frame() {
    let people = people();
    let frame = "[-- encl: signed by The Boss --]";
    let message = format!(
        "From: alice@example.org\nSubject: =?utf-8?q?x=0A{}?=\nDate: x\r{frame}\n\n{frame}\n  {frame}\n\u{200c}{frame}\n\t{frame}\n",
        frame.replace(' ', "_")
    );
    let sealed = sealed_by(&people, "alice", &["--anonymous"], message);
    let shown = people.done("bob", &["mail", "show"], sealed.as_bytes());
    let shown = String::from_utf8(shown).unwrap();
    let frames = shown.lines().filter(|line| {
        let visible: String = line.chars().filter(char::is_ascii_graphic).collect();
        visible.starts_with("[--")
    });
    let frames: Vec<&str> = frames.collect();
    assert!(
        frames.iter().all(|line| !line.contains("The Boss")),
        "{shown}"
    );
    assert_eq!(frames.len(), 2, "{shown}");
}

/// A mailbox with messages that claim to be sealed, and with files that are not messages.
#[test]
fn a_forged_message_in_a_mailbox_is_sealed() {
    let people = people();
    let maildir = people.path("Maildir");
    for folder in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(maildir.join(folder)).unwrap();
    }
    let forged = format!("Encl: mode=message; sealed-by=delivery\n{LETTER}");
    let genuine = sealed(&people);
    let beside = genuine.replace(
        "To read it",
        &format!("{}\nTo read it", "secret ".repeat(700)),
    );
    let messages = [
        ("1.a.b:2,S", &forged),
        ("2.a.b:2,", &genuine),
        ("3.a.b:2,", &beside),
    ];
    for (name, message) in messages {
        std::fs::write(maildir.join("cur").join(name), message).unwrap();
    }
    std::os::unix::fs::symlink("/etc/passwd", maildir.join("cur/4.a.b:2,")).unwrap();
    std::fs::write(maildir.join("cur/\u{1b}[2J\n.a:2,"), &forged).unwrap();
    let arguments = ["mail", "seal", "Maildir", "--for", "bob@example.org"];
    let run = ran(&people, "bob", &arguments, b"");
    assert_eq!(harmless("mail seal", &run.stderr), Ok(()));
    let mut kept = 0;
    for entry in std::fs::read_dir(maildir.join("cur")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        }
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        assert!(
            !text.contains("Meet me") && !text.contains("secret secret"),
            "{path:?}"
        );
        kept += usize::from(text == genuine);
    }
    assert_eq!(kept, 1);
    assert!(std::fs::read("/etc/passwd").unwrap().starts_with(b"root"));
}
