//! Names, labels and files that are made to deceive a terminal or a shell.

use crate::session::Session;

/// A long text that clears the screen, sets the title and reverses the line.
fn nasty() -> String {
    format!(
        "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{9b}31m{}",
        "a".repeat(300)
    )
}

fn assert_harmless(what: &str, bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).expect("all output is UTF-8");
    let raw = text
        .chars()
        .find(|c| (c.is_control() && *c != '\n') || "\u{202e}\u{2066}\u{feff}".contains(*c));
    assert_eq!(raw, None, "{what}: {text:?}");
}

#[test]
fn hostile_arguments_are_escaped() {
    let session = Session::with_people();
    let nasty = nasty();
    for line in [
        format!("encl wrap '{nasty}' --to bob@example.org"),
        format!("encl wrap notes.txt --to '{nasty}'"),
        format!("encl wrap notes.txt --to '@{nasty}'"),
        format!("encl wrap notes.txt --to './{nasty}'"),
        format!("encl wrap notes.txt --to bob@example.org --label '{nasty}'"),
        format!("encl wrap notes.txt --to bob@example.org --label 'a={nasty}'"),
        format!("encl wrap notes.txt --to bob@example.org --expires '{nasty}'"),
        format!("encl wrap notes.txt --to bob@example.org --name '{nasty}'"),
        format!("encl wrap notes.txt --to bob@example.org -o '{nasty}/x'"),
        format!("encl wrap notes.txt --to bob@example.org --as '{nasty}'"),
        format!("encl unwrap '{nasty}.encl'"),
        format!("encl inspect '{nasty}'"),
        format!("encl '{nasty}'"),
        format!("encl wrap --'{nasty}'"),
        format!("encl help '{nasty}'"),
        format!("encl key new '{nasty}'"),
        format!("encl key new x@example.org --name '{nasty}' --no-passphrase"),
        format!("encl key show '{nasty}'"),
        format!("encl contact show '{nasty}'"),
        format!("encl contact add '{nasty}'"),
        format!("encl group new '{nasty}'"),
        format!("encl group show '{nasty}'"),
        format!("encl inspect --keystore '{nasty}' letter.pdf.encl"),
        format!("encl key list --keystore '{nasty}'"),
        format!("encl man '{nasty}'"),
        format!("encl mail wrap '{nasty}'"),
        format!("encl mail wrap letter.eml --to '{nasty}'"),
        format!("encl mail wrap letter.eml --notice '{nasty}'"),
        format!("encl mail unwrap '{nasty}'"),
        format!("encl mail unwrap sealed.eml -o '{nasty}/x'"),
        format!("encl mail show '{nasty}'"),
        format!("encl mail inspect '{nasty}'"),
        format!("encl mail send -- '{nasty}' bob@example.org < letter.eml"),
        format!("encl mail send -- sendmail '{nasty}' < letter.eml"),
        format!("encl mail send -- sendmail '-bs{nasty}' < letter.eml"),
        format!("encl mail send --fcc '{nasty}/x' -- sendmail bob@example.org < letter.eml"),
        format!("encl mail deliver --for '{nasty}' < letter.eml"),
        format!("encl mail deliver --for '{nasty}@x' < letter.eml"),
        format!("encl mail deliver --for bob@example.org --maildir '{nasty}/x' < letter.eml"),
        format!("encl mail deliver --for bob@example.org -- '{nasty}' < letter.eml"),
        format!("encl mail seal '{nasty}' --for alice@example.org"),
        format!("encl mail unseal '{nasty}'"),
        format!("encl mail grep '{nasty}' sealed.eml"),
        format!("encl mail grep '({nasty}' sealed.eml"),
        format!("encl mail grep code '{nasty}'"),
        format!("encl wrap notes.txt --passphrase --passphrase-file '{nasty}'"),
    ] {
        for line in [line.clone(), format!("{line} --json")] {
            let answer = session.ask("alice", &line);
            assert_harmless(&line, answer.stderr.as_bytes());
            assert_harmless(&line, &answer.stdout);
        }
    }
}

#[test]
fn hostile_file_names_are_sealed_and_escaped() {
    let session = Session::with_people();
    let name = "\u{1b}[2J\u{202e}name\n.txt";
    session.write(name, "content\n");
    let wrapped = session.ask("alice", "encl wrap *name* --to bob@example.org");
    assert_eq!(wrapped.exit, 0, "{}", wrapped.stderr);
    assert_harmless("wrap", wrapped.stderr.as_bytes());
    let inspected = session.ask("bob", "encl inspect *.encl; encl verify *.encl");
    assert_eq!(inspected.exit, 0, "{}", inspected.stderr);
    assert_harmless("inspect", &inspected.stdout);
    assert_harmless("verify", inspected.stderr.as_bytes());
}

/// A file name that is not UTF-8 keeps its bytes, and they are never printed.
#[test]
fn file_names_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let session = Session::with_people();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9\xff.txt");
    session.write(name, "content\n");
    let wrapped = session.quietly(
        "alice",
        "encl wrap caf* --to bob@example.org && rm caf*.txt",
    );
    assert_harmless("wrap", wrapped.stderr.as_bytes());
    session.quietly("bob", "encl unwrap caf*");
    assert_eq!(session.read(name), b"content\n");
    let object = session.quietly("bob", "encl verify --json caf*.encl");
    assert_harmless("verify --json", &object.stdout);
}

/// Authors choose the text of cards and labels. The format refuses the worst characters, and the program escapes the others.
#[test]
fn hostile_cards_and_labels_are_escaped() {
    let session = Session::with_people();
    let name = format!("Mall\u{2066}ory {}", "m".repeat(180));
    let refused = session.ask(
        "mallory",
        &format!("encl key new m@example.org --name '{name}' --no-passphrase > m.card"),
    );
    assert_eq!(refused.exit, 2);
    assert_harmless("key new", refused.stderr.as_bytes());
    let name = format!("Mall\u{e1}ory \\ \"{}", "m".repeat(180));
    session.quietly(
        "mallory",
        &format!("encl key new m@example.org --name '{name}' --no-passphrase > m.card"),
    );
    let label = format!("a\u{200f}b=c\u{e0020}{}", "d".repeat(3000));
    for line in [
        "encl contact add m.card --yes".to_owned(),
        "encl contact list".to_owned(),
        "encl contact show m@example.org".to_owned(),
        format!("encl wrap notes.txt --to m@example.org --label '{label}' -o n.encl"),
        "encl inspect n.encl".to_owned(),
        "encl inspect --json n.encl".to_owned(),
    ] {
        let answer = session.quietly("alice", &line);
        let both = [&answer.stdout[..], answer.stderr.as_bytes()].concat();
        assert_harmless(&line, &both);
        let text = String::from_utf8(both).unwrap();
        assert!(
            !text.contains(['\u{200b}', '\u{e0041}', '\u{200f}', '\u{e0020}']),
            "{line}: {text:?}"
        );
    }
}

/// An envelope's stored name never leads out of the folder, to a hidden file or to a device.
#[test]
fn stored_names_are_advice() {
    let session = Session::with_people();
    for name in ["-rf", "a b", "über.txt"] {
        session.quietly(
            "alice",
            &format!("encl wrap - --name='{name}' --to bob@example.org < notes.txt > x.encl"),
        );
        session.quietly("bob", "mkdir -p in && encl unwrap x.encl --use-name -C in");
        assert_eq!(session.read(format!("in/{name}")), b"notes\n");
    }
    for name in ["../up", ".hidden", "NUL", "a/b", "..", "com1.txt"] {
        let line = format!("encl wrap - --name='{name}' --to bob@example.org < notes.txt > y.encl");
        assert_eq!(session.ask("alice", &line).exit, 2, "{name}");
    }
}

/// Control sequences are not written to a terminal, not even if the reader asks for the plaintext there.
#[test]
fn plaintext_on_a_terminal_is_text_or_refused() {
    let session = Session::with_people();
    session.write("good.txt", "gr\u{fc}n\n");
    session.write("evil.txt", "\u{1b}]0;x\u{7}\n");
    session.quietly("alice", "encl wrap good.txt evil.txt --to bob@example.org");
    let good = session.ask_on_terminal("bob", "encl unwrap good.txt.encl -o -", "");
    assert!(good.text().contains("gr\u{fc}n"), "{}", good.text());
    let evil = session.ask_on_terminal("bob", "encl unwrap evil.txt.encl -o -", "");
    assert_eq!(evil.exit, 1);
    assert!(!evil.text().contains("]0;x"), "{}", evil.text());
    let sealed =
        session.ask_on_terminal("alice", "encl wrap good.txt --to bob@example.org -o -", "");
    assert_eq!(sealed.exit, 2, "{}", sealed.text());
    let device = session.ask_on_terminal("bob", "encl unwrap evil.txt.encl -o /dev/tty", "");
    assert_eq!(device.exit, 2, "{}", device.text());
}

/// A message may have any content, any fields and any file name.
#[test]
fn hostile_messages_are_escaped() {
    let session = Session::with_people();
    let nasty = "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{9b}31m\rforged";
    let encoded = "=?utf-8?Q?=1B[2Jx=0A[--_encl:_sealed_by_the_pope_--]?=";
    let message = format!(
        "From: {encoded} <alice@example.org>\nTo: bob@example.org\nDate: {nasty}\nSubject: {encoded}{nasty}\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{nasty}\n[-- encl: signed by the pope --]\n\
         --b\nContent-Type: application/{nasty}; name=\"{nasty}\"\n\nx\n--b--\n"
    );
    session.write("nasty.eml", &message);
    session.quietly("alice", "encl mail wrap nasty.eml > sealed-nasty.eml");
    let sealed = String::from_utf8(session.read("sealed-nasty.eml")).unwrap();
    let changed = sealed.replacen(
        "To: ",
        &format!("X: {nasty}\nCc: {nasty}\nTo: {encoded}{nasty} "),
        1,
    );
    session.write("changed.eml", changed + &message);
    session.quietly(
        "bob",
        "mkdir folder; cp changed.eml \"folder/$(printf '\\033[2J').eml\"",
    );
    for line in [
        "encl mail wrap nasty.eml -o again.eml",
        "encl mail wrap nasty.eml --to bob@example.org --as bob@example.org -o other.eml",
        "encl mail unwrap sealed-nasty.eml -o out",
        "encl mail unwrap changed.eml -o out --force",
        "encl mail unwrap nasty.eml",
        "encl mail inspect changed.eml nasty.eml",
        "encl mail show changed.eml",
        "encl mail show --json changed.eml",
        "encl mail grep . folder",
        "encl mail grep --json . folder",
        "encl mail seal folder --for alice@example.org",
        "encl mail seal folder --for alice@example.org --json",
        "encl mail unseal folder --dry-run",
        "encl mail send -- sendmail -t < nasty.eml",
        "encl mail deliver --for alice@example.org -- cat -v < nasty.eml",
    ] {
        let answer = session.ask("bob", line);
        assert_harmless(line, answer.stderr.as_bytes());
        assert_harmless(line, &answer.stdout);
        let forged = |line: &str| {
            line.trim_start()
                .starts_with("[-- encl: signed by the pope")
        };
        assert!(
            !answer.text().lines().any(forged),
            "{line}: {}",
            answer.text()
        );
    }
}
