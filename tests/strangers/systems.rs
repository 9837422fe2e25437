//! Files, descriptors, passphrases and time zones as people have them.

use std::fs;
use std::os::unix::net::UnixStream;

use crate::scene::{code, people, said, shell};
use crate::support::process;

#[test]
fn entry_2_a_passphrase_file_of_a_windows_editor_is_a_passphrase() {
    let people = people();
    for (name, bytes) in [
        ("typed", &b"a few words\n"[..]),
        ("notepad", b"\xEF\xBB\xBFa few words\r\n"),
        ("blank", b"a few words\n\n"),
        ("nul", b"a few words\0\n"),
        ("escape", b"a few\x1b words\n"),
        ("cr", b"a few\rwords\n"),
        ("inner-mark", b"a few\xEF\xBB\xBF words\n"),
    ] {
        fs::write(people.path(name), bytes).unwrap();
    }
    let wrap = |file: &str| {
        let arguments = [
            "wrap",
            "note",
            "--passphrase",
            "-o",
            "out",
            "--force",
            "--passphrase-file",
            file,
        ];
        people.run("alice", &arguments, b"")
    };
    for file in ["notepad", "blank"] {
        assert_eq!(code(&wrap(file)), 0, "{file}");
        let opened = ["unwrap", "out", "-o", "-", "--passphrase-file", "typed"];
        assert_eq!(people.done("bob", &opened, b""), b"a note\n", "{file}");
    }
    // Nobody could type these.
    for file in ["nul", "escape", "cr", "inner-mark"] {
        let output = wrap(file);
        assert_eq!(code(&output), 6, "{file}");
        assert!(
            said(&output).contains("nobody can type"),
            "{}",
            said(&output)
        );
    }
}

#[test]
fn entry_3_a_zone_is_known_by_its_name_or_refused() {
    let people = people();
    let zones = std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists();
    let at = |zone: &str, line: &str| shell(&people, "alice", &format!("TZ={zone} {line}"));
    let wrap = "encl wrap note --to bob@example.org --expires 2027-06-01 -o out --force";
    let berlin = at("Europe/Berlin", wrap);
    match zones {
        true => {
            assert_eq!(code(&berlin), 0, "{}", said(&berlin));
            let shown = at("Europe/Berlin", "encl inspect out");
            let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
            assert!(shown.contains("2027-06-02 00:00:00 +02:00"), "{shown}");
        }
        false => assert_eq!(code(&berlin), 2, "{}", said(&berlin)),
    }
    let nowhere = at("Nowhere/Land", wrap);
    assert_eq!(code(&nowhere), 2, "{}", said(&nowhere));
    assert!(
        said(&nowhere).contains("Nowhere/Land"),
        "{}",
        said(&nowhere)
    );
    let exact = wrap.replace("2027-06-01", "2027-06-01T00:00:00Z");
    assert_eq!(code(&at("Nowhere/Land", &exact)), 0);
}

#[test]
fn entry_6_a_passphrase_comes_through_a_socket() {
    let people = people();
    fs::write(people.path("typed"), "a few words\n").unwrap();
    let wrap = [
        "wrap",
        "note",
        "--passphrase",
        "-o",
        "out",
        "--passphrase-file",
        "typed",
    ];
    people.done("alice", &wrap, b"");
    for blocks in [true, false] {
        let (theirs, ours) = UnixStream::pair().unwrap();
        ours.set_nonblocking(!blocks).unwrap();
        let writer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(100));
            std::io::Write::write_all(&mut &theirs, b"a few words\n").unwrap();
        });
        let mut command = process::command(env!("CARGO_BIN_EXE_encl"));
        people.at_home(
            command.args(["unwrap", "out", "-o", "-", "--passphrase-file", "-"]),
            "bob",
        );
        command.stdin(std::os::fd::OwnedFd::from(ours));
        let output = process::output(&mut command);
        writer.join().unwrap();
        assert_eq!(
            output.stdout,
            b"a note\n",
            "blocks: {blocks}: {}",
            said(&output)
        );
    }
}

#[test]
fn entry_8_armor_below_a_greeting_is_named() {
    let people = people();
    people.done(
        "alice",
        &[
            "wrap",
            "note",
            "--to",
            "bob@example.org",
            "--armor",
            "-o",
            "armor",
        ],
        b"",
    );
    let armor = fs::read_to_string(people.path("armor")).unwrap();
    let quoted = format!("> {}", armor.trim_end().replace('\n', "\n> "));
    for (text, words) in [
        (format!("Hi Bob,\n\n{armor}"), "line 3"),
        (format!("\n{armor}"), "line 2"),
        (quoted, "quoted"),
    ] {
        let output = people.run("bob", &["unwrap", "-"], text.as_bytes());
        assert_eq!(code(&output), 4);
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
}

#[test]
fn entry_10_cards_come_with_marks_and_words() {
    let people = people();
    let card = people.done("bob", &["key", "card"], b"");
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(String::from_utf8(card.clone()).unwrap().encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, bytes, exits) in [
        ("mark", [b"\xEF\xBB\xBF", &card[..]].concat(), (0, 0)),
        (
            "words",
            [b"My card:\n\n", &card[..], b"\nBob\n"].concat(),
            (0, 0),
        ),
        ("utf16", utf16, (7, 4)),
    ] {
        let file = format!("./{name}.card");
        fs::write(people.path(&file), bytes).unwrap();
        let wrapped = people.run(
            "alice",
            &["wrap", "note", "--to", &file, "-o", "out", "--force"],
            b"",
        );
        let added = people.run("alice", &["contact", "add", &file, "--yes"], b"");
        assert_eq!(
            (code(&wrapped), code(&added)),
            exits,
            "{name}: {}",
            said(&wrapped)
        );
        if name == "utf16" {
            assert!(said(&wrapped).contains("UTF-16") && said(&added).contains("UTF-16"));
        }
    }
}

#[test]
fn entries_11_and_12_who_is_named_as_people_write() {
    let people = people();
    let author = [
        "key",
        "new",
        "a/b@example.org",
        "--name",
        "Firma A/S",
        "--no-passphrase",
    ];
    fs::write(
        people.path("firma.card"),
        people.done("firma", &author, b""),
    )
    .unwrap();
    people.done("alice", &["contact", "add", "firma.card", "--yes"], b"");
    for (who, exit) in [
        ("a/b@example.org", 0),
        ("Firma A/S", 0),
        ("Bob <bob@example.org>", 0),
        ("mailto:bob@example.org", 0),
        ("bob@example.org,alice@example.org", 7),
    ] {
        let output = people.run(
            "alice",
            &["wrap", "note", "--to", who, "-o", "out", "--force"],
            b"",
        );
        assert_eq!(code(&output), exit, "{who}: {}", said(&output));
    }
    let list = ["wrap", "note", "--to", "bob@example.org,alice@example.org"];
    assert!(said(&people.run("alice", &list, b"")).contains("--to A --to B"));
}

#[test]
fn entry_13_what_has_no_name_gets_no_envelope_beside_it() {
    let people = people();
    for line in [
        "encl wrap /dev/stdin --to bob@example.org < note",
        "encl wrap <(cat note) --to bob@example.org",
    ] {
        let output = shell(&people, "alice", line);
        assert_eq!(code(&output), 2, "{line}: {}", said(&output));
        assert!(
            said(&output).contains("-o OUT"),
            "{line}: {}",
            said(&output)
        );
    }
    let named = shell(
        &people,
        "alice",
        "encl wrap <(cat note) --to bob@example.org -o out",
    );
    assert_eq!(code(&named), 0, "{}", said(&named));
    fs::create_dir(people.path("folder")).unwrap();
    let output = shell(&people, "bob", "encl unwrap out -o folder");
    assert_eq!(code(&output), 8);
    assert!(said(&output).contains("-C folder"), "{}", said(&output));
    assert_eq!(
        code(&shell(
            &people,
            "bob",
            "encl unwrap out -o /dev/stdout > opened"
        )),
        0
    );
    assert_eq!(fs::read(people.path("opened")).unwrap(), b"a note\n");
}
