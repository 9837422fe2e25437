//! Entry 1: mail as it lies in the folders of other programs is sealed like mail that is named, or named itself.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;

use crate::corpus::files;
use crate::letters::People;

const LETTER: &str = "From: alice@example.org\nTo: bob@example.org\nSubject: s\n\nthe body\n";
const DATED: &str =
    "From: alice@example.org\nDate: Mon, 30 Nov 2026 09:00:00 +0000\nSubject: s\n\nthe body\n";

fn mbox() -> String {
    format!("From - Mon Nov 30 00:00:00 2026\n{LETTER}\nFrom - Mon Nov 30 00:00:01 2026\n{LETTER}")
}

fn put(people: &People, path: &str, text: &str) {
    let path = people.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Every file below a folder, with what is in it.
fn contents(people: &People, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let root = people.path(folder);
    let name = |path: &Path| {
        path.strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let read = |path: std::path::PathBuf| (name(&path), fs::read(&path).unwrap());
    files(&root).into_iter().map(read).collect()
}

fn seal(people: &People, folder: &str, options: &[&str]) -> Output {
    let arguments = [
        &["mail", "seal", folder, "--for", "bob@example.org"],
        options,
    ]
    .concat();
    people.run("alice", &arguments, b"")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Seals a folder, searches it, and unseals it again. `messages` are found in it, and no other file changes.
fn there_and_back(people: &People, folder: &str, messages: usize, others: &[&str]) {
    let before = contents(people, folder);
    let sealed = seal(people, folder, &[]);
    assert!(sealed.status.success(), "{folder}: {}", said(&sealed));
    assert!(
        said(&sealed).contains(&format!("{messages} message")),
        "{folder}: {}",
        said(&sealed)
    );
    let after = contents(people, folder);
    for (name, bytes) in &after {
        match others.contains(&&**name) {
            true => assert_eq!(bytes, &before[name], "{name} is no mail"),
            false => assert!(
                memchr::memmem::find(bytes, b"the body").is_none(),
                "{name} in clear"
            ),
        }
    }
    assert!(
        others.iter().all(|name| after.contains_key(*name)),
        "{after:?}"
    );
    let again = seal(people, folder, &[]);
    assert!(
        said(&again).contains(&format!("0 messages sealed, {messages} already")),
        "{}",
        said(&again)
    );
    let found = people.done("bob", &["mail", "grep", "the body", folder], b"");
    assert_eq!(
        String::from_utf8(found).unwrap().lines().count(),
        messages,
        "{folder}"
    );
    people.done("bob", &["mail", "unseal", folder], b"");
    assert_eq!(contents(people, folder), before, "{folder}");
}

#[test]
fn entry_1_mboxes_below_a_folder_are_sealed() {
    let people = People::new();
    put(&people, "prof/Mail/Local Folders/Inbox", &mbox());
    put(
        &people,
        "prof/Mail/Local Folders/Inbox.msf",
        "// <!-- <mdb:mork:z v=\"1.4\"/> -->\nFrom: index\n",
    );
    put(&people, "prof/Mail/Local Folders/Inbox.sbd/Work", &mbox());
    put(&people, "prof/Mail/Local Folders/Trash", "");
    put(
        &people,
        "prof/prefs.js",
        "user_pref(\"a\", \"From: alice@example.org\");\n",
    );
    let others = [
        "Mail/Local Folders/Inbox.msf",
        "Mail/Local Folders/Trash",
        "prefs.js",
    ];
    there_and_back(&people, "prof", 4, &others);

    put(&people, "Export.mbox/mbox", &format!("\n\r\n{}", mbox()));
    put(&people, "Export.mbox/table_of_contents", "\0\u{1}binary");
    there_and_back(&people, "Export.mbox", 2, &["table_of_contents"]);
}

#[test]
fn entry_1_messages_without_an_ending_are_sealed() {
    let people = People::new();
    put(&people, "mh/1", LETTER);
    put(&people, "mh/sub/2", DATED);
    put(&people, "mh/,3", LETTER);
    put(&people, "mh/.mh_sequences", "unseen: 1\n");
    put(&people, "mh/sub/notes", "From the lawyer\n\nbuy milk\n");
    put(&people, "mh/saved letter", DATED);
    there_and_back(&people, "mh", 4, &[".mh_sequences", "sub/notes"]);

    // Named, it is the same message.
    put(&people, "letter", DATED);
    assert!(seal(&people, "letter", &[]).status.success());
    assert!(
        !fs::read_to_string(people.path("letter"))
            .unwrap()
            .contains("the body")
    );

    put(&people, "leading", &format!("\n\n{}", mbox()));
    assert!(seal(&people, "leading", &[]).status.success());
    people.done("bob", &["mail", "unseal", "leading"], b"");
    assert_eq!(
        fs::read_to_string(people.path("leading")).unwrap(),
        format!("\n\n{}", mbox())
    );
}

#[test]
fn entry_1_a_maildir_with_cur_only_is_one() {
    let people = People::new();
    put(
        &people,
        "box/cur/1.host,S=70:2,S",
        "no header at all: the body\n",
    );
    put(&people, "box/letter.eml", LETTER);
    there_and_back_in_maildir(&people);
}

/// Sizes in names are gone afterwards, since sealing makes them wrong.
fn there_and_back_in_maildir(people: &People) {
    let sealed = seal(people, "box", &[]);
    assert!(
        said(&sealed).contains("2 messages sealed"),
        "{}",
        said(&sealed)
    );
    let names: Vec<String> = contents(people, "box").into_keys().collect();
    assert_eq!(names, ["cur/1.host.encl:2,S", "letter.eml"]);
    people.done("bob", &["mail", "unseal", "box"], b"");
    let after = contents(people, "box");
    assert_eq!(after["cur/1.host:2,S"], b"no header at all: the body\n");
}

#[test]
fn entry_1_what_stays_in_the_clear_is_named_and_counted() {
    let people = People::new();
    for (name, reason) in [
        ("1.emlx", "Apple Mail"),
        ("draft", "looks like mail"),
        ("broken", "looks like mail"),
        ("linked", "symbolic link"),
        ("led/to.eml", "symbolic link"),
    ] {
        let folder = format!("left-{}", name.split('/').next().unwrap());
        put(&people, &format!("{folder}/9"), LETTER);
        let text = match name {
            "1.emlx" => format!("70\n{DATED}<?xml version=\"1.0\"?>\n"),
            "broken" => DATED.replace("\n\n", "\nno field\n\n"),
            _ => LETTER.to_owned(),
        };
        let path = format!("{folder}/{name}");
        match name {
            "linked" => {
                put(&people, "elsewhere/mbox", &mbox());
                symlink(people.path("elsewhere/mbox"), people.path(&path)).unwrap();
            }
            "led/to.eml" => {
                put(&people, "elsewhere/to.eml", LETTER);
                symlink(
                    people.path("elsewhere"),
                    people.path(&format!("{folder}/led")),
                )
                .unwrap();
            }
            _ => put(&people, &path, &text),
        }
        let sealed = seal(&people, &folder, &[]);
        assert_eq!(sealed.status.code(), Some(1), "{name}: {}", said(&sealed));
        assert!(
            said(&sealed).contains("1 message sealed, 0 already done, 1 skipped"),
            "{}",
            said(&sealed)
        );
        assert!(said(&sealed).contains(reason), "{name}: {}", said(&sealed));
        let json = seal(&people, &folder, &["--json"]);
        assert_eq!(json.status.code(), Some(1));
        let lines = String::from_utf8(json.stdout).unwrap();
        let skipped: Vec<&str> = lines
            .lines()
            .filter(|line| line.contains("\"outcome\":\"skipped\""))
            .collect();
        assert!(skipped.len() == 1 && skipped[0].contains(reason), "{lines}");
        let at = people.path(&path);
        assert!(
            fs::read_to_string(at).unwrap().contains("the body"),
            "{name} is unchanged"
        );
    }
    // Links that lead nowhere, as lock files do, and hidden folders are named only.
    put(&people, "named/1", LETTER);
    put(&people, "named/.hidden/x", "x");
    symlink("127.0.1.1:+4711", people.path("named/lock")).unwrap();
    let sealed = seal(&people, "named", &[]);
    assert!(sealed.status.success(), "{}", said(&sealed));
    assert!(
        said(&sealed).contains("2 skipped") && said(&sealed).contains("hidden"),
        "{}",
        said(&sealed)
    );
}

#[test]
fn entry_1_a_folder_without_mail_is_an_error() {
    let people = People::new();
    put(&people, "none/notes.txt", "buy milk\n");
    for options in [&[][..], &["--dry-run"], &["--json"]] {
        let sealed = seal(&people, "none", options);
        assert_eq!(sealed.status.code(), Some(2), "{}", said(&sealed));
        assert!(
            said(&sealed).contains("no mail was found in none"),
            "{}",
            said(&sealed)
        );
    }
    for command in [
        &["mail", "unseal", "none"][..],
        &["mail", "grep", "milk", "none"],
    ] {
        let searched = people.run("bob", command, b"");
        assert!(
            !searched.status.success() && said(&searched).contains("no mail was found"),
            "{}",
            said(&searched)
        );
    }
    // A mailbox in which nothing has arrived yet is one.
    for folder in ["empty/cur", "empty/new", "empty/tmp"] {
        fs::create_dir_all(people.path(folder)).unwrap();
    }
    assert!(seal(&people, "empty", &[]).status.success());
    assert_eq!(
        fs::read_to_string(people.path("none/notes.txt")).unwrap(),
        "buy milk\n"
    );
}

#[test]
fn entry_1_originals_of_an_mbox_in_a_folder_are_kept_each_time() {
    let people = People::new();
    put(&people, "mail/Inbox", &mbox());
    for (number, name) in [(1, "Inbox"), (2, "Inbox.2")] {
        let sealed = seal(&people, "mail", &["--keep-original", "kept"]);
        assert!(sealed.status.success(), "{number}: {}", said(&sealed));
        assert!(
            fs::read_to_string(people.path(&format!("kept/{name}")))
                .unwrap()
                .contains("the body")
        );
        let grown = fs::read_to_string(people.path("mail/Inbox")).unwrap() + &mbox();
        fs::write(people.path("mail/Inbox"), grown).unwrap();
    }
}
