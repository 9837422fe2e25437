//! What holds of every hostile message, whatever its own answer is: sealed and opened again it is the same, at delivery it is sealed,
//! and no command panics over it or over any change of a sealed one.

use super::letter::{LETTER, envelope, people, sealed, sealed_by};
use super::measured::{Input, Run, measured};
use super::texts::{escaping, harmless};
use super::{cases, is_full};
use crate::letters::{People, complaints};
use crate::tell;

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
/// Fields that may stand outside (mail.md 1).
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

/// All messages of the set that are no endless stream.
fn messages(people: &People) -> Vec<(&'static str, Vec<u8>)> {
    let cases = cases(people).into_iter();
    let message = |case: super::Case| Some((case.name, bytes(&case.message)?.clone()));
    cases.filter_map(message).collect()
}

fn ran(people: &People, who: &str, arguments: &[&str], message: &[u8]) -> Run {
    measured(people, who, arguments, &Input::Bytes(message.to_vec()))
}

/// What stands outside: fields of the list alone, in seven bit, on lines that SMTP takes.
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
        // Nothing on standard input is a broken pipe; key.rs and the like read nothing.
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
        // Either it came out sealed and holds what came, or it was sealed for Bob and nothing stood beside.
        let arguments = [UNWRAP, &["--json"]].concat();
        let opened = ran(&people, "bob", &arguments, &delivered.stdout);
        let is_as_it_was = delivered.stdout == *message;
        let is_sealed = opened.exit == 0 && opened.stdout == *message;
        let large = "parts more";
        if is_sealed || (is_as_it_was && !opened.stderr_text().contains(large)) {
            return is_ours_alone(name, &delivered.stdout, is_as_it_was);
        }
        Err(format!(
            "{name}: neither sealed nor as it was: {}",
            opened.stderr_text()
        ))
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n---\n"));
}

/// What passed as it was has an envelope in it and little else to be read.
fn is_ours_alone(name: &str, delivered: &[u8], is_as_it_was: bool) -> Result<(), String> {
    let base64 = memchr::memmem::find(delivered, b"ZW5jbC8x").is_some();
    let plain = memchr::memmem::find(delivered, b"encl/1").is_some();
    let readable = memchr::memmem::find(delivered, b"Meet me there at seven").is_some();
    match (base64 || plain) && !(is_as_it_was && readable) {
        true => Ok(()),
        false => Err(format!("{name}: it lies there unsealed")),
    }
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
        for command in [
            &["mail", "inspect"][..],
            &["mail", "show"],
            &["mail", "unwrap", "-o", "-"],
        ] {
            for option in [None, Some("--json"), Some("--quiet")] {
                let arguments: Vec<&str> = command.iter().copied().chain(option).collect();
                let run = ran(&people, "bob", &arguments, message);
                run.bounded(name)?;
                if command[1] != "unwrap" {
                    harmless(name, &run.stdout)?;
                }
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

#[test]
fn a_sealed_message_cut_at_every_kib_gives_nothing() {
    let people = people();
    let long = format!(
        "{LETTER}{}",
        "All work and no play.\n".repeat(if is_full() { 20_000 } else { 1_000 })
    );
    let sealed = sealed_by(&people, "alice", &[], &long).into_bytes();
    let lengths: Vec<usize> = (0..sealed.len()).step_by(1_024).collect();
    let last = sealed
        .windows(3)
        .rposition(|window| window == b"\n\n-")
        .unwrap();
    let complaints = complaints(&lengths, |length| {
        let run = people.run("bob", &["mail", "unwrap", "--json"], &sealed[..*length]);
        // Only the last delimiter can be missing.
        let is_whole = *length >= last;
        let fits = match run.status.code() {
            Some(0) => is_whole && run.stdout == long.as_bytes(),
            Some(4) => !is_whole && run.stdout.is_empty(),
            _ => false,
        };
        let said = String::from_utf8_lossy(&run.stderr);
        if fits {
            Ok(())
        } else {
            Err(format!("{length}: {:?} {said}", run.status))
        }
    });
    tell(&format!(
        "hostile: cut at {} places, {} answers not as expected",
        lengths.len(),
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A generator of the simplest kind: what it gives is the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, number: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % number
    }

    /// The message with up to five changes: bits, cuts, copies, and what a scanner looks for.
    fn changed(&mut self, message: &[u8]) -> Vec<u8> {
        const PIECES: [&[u8]; 12] = [
            b"\n",
            b"\r\n",
            b"\n\n",
            b"--",
            b"=",
            b"\0",
            b"\r",
            b"Content-Type: multipart/mixed; boundary=b\n",
            b"encl/1\n",
            b"ZW5jbC8xCn",
            b"\"",
            b"(",
        ];
        let mut bytes = message.to_vec();
        for _ in 0..=self.below(5) {
            let at = self.below(bytes.len());
            let end = at + self.below((bytes.len() - at).min(200));
            match self.below(5) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let copy = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, copy);
                }
                3 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
                _ => bytes.swap(at, end.min(message.len() / 2)),
            }
            if bytes.is_empty() {
                return bytes;
            }
        }
        bytes
    }
}

#[test]
fn a_changed_message_is_exact_or_refused() {
    let people = people();
    let text = sealed(&people);
    let head = "From: alice@example.org\nContent-Type: application/vnd.encl\nContent-Transfer-Encoding: binary\n\n";
    let binary = [head.as_bytes(), &envelope(&text)].concat();
    let mut dice = Dice(8);
    let number = if is_full() { 3_000 } else { 150 };
    let changed: Vec<(usize, Vec<u8>)> = (0..number)
        .map(|at| {
            (
                at,
                dice.changed(if at % 2 == 0 {
                    text.as_bytes()
                } else {
                    &binary
                }),
            )
        })
        .collect();
    let commands = [
        &["mail", "unwrap"][..],
        &["mail", "show"],
        &["mail", "inspect"],
        DELIVER,
    ];
    let opened = std::sync::atomic::AtomicUsize::new(0);
    let complaints = complaints(&changed, |(at, message)| {
        for command in commands {
            let run = people.run("bob", command, message);
            let code = run.status.code().unwrap_or(100);
            let said = String::from_utf8_lossy(&run.stderr).into_owned();
            harmless("stderr", &run.stderr).map_err(|error| format!("{at}: {error}"))?;
            let is_answer = (0..=9).contains(&code) || (64..=78).contains(&code);
            let is_exact = match (command[1], code) {
                ("unwrap", 0) => run.stdout == LETTER.as_bytes(),
                ("unwrap", _) => run.stdout.is_empty(),
                _ => true,
            };
            if !is_answer || !is_exact {
                return Err(format!("{at} {command:?}: {code} {said}"));
            }
            let is_opened = command[1] == "unwrap" && code == 0;
            opened.fetch_add(usize::from(is_opened), std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    });
    tell(&format!(
        "hostile: {number} changed messages, {} still opened, {} answers not as expected",
        opened.into_inner(),
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// `script` gives the program a terminal, on which both streams are seen.
#[test]
fn show_gives_a_terminal_nothing_to_obey() {
    let people = people();
    let sealed = sealed_by(&people, "alice", &[], escaping());
    std::fs::write(people.path("sealed.eml"), sealed).unwrap();
    let line = format!(
        "NO_COLOR=1 {} mail show sealed.eml",
        env!("CARGO_BIN_EXE_encl")
    );
    let mut command = std::process::Command::new("script");
    people.at_home(command.args(["-qec", &line, "/dev/null"]), "bob");
    let Ok(output) = command.stdin(std::process::Stdio::null()).output() else {
        return tell("not tried: script(1) is not installed here");
    };
    let screen: Vec<u8> = output
        .stdout
        .into_iter()
        .filter(|byte| *byte != b'\r')
        .collect();
    let text = String::from_utf8_lossy(&screen).into_owned();
    assert!(
        text.contains("[-- encl: end of the sealed message --]"),
        "{text}"
    );
    assert_eq!(harmless("the screen", &screen), Ok(()));
}

/// A text that says of itself what only the frame may say.
#[test]
fn a_message_cannot_write_lines_of_the_frame() {
    let people = people();
    let frame = "[-- encl: sealed by The Boss --]";
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
