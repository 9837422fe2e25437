//! A keystore in which something cannot be read: whoever else is in it can be used, and what is wrong is named.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::session::Session;

/// What is done to a file.
type Damage = fn(&Path);

/// What half a synchronisation, a power failure or a copy leaves behind.
const DAMAGES: [(&str, Damage); 4] = [
    ("empty", |file| write(file, b"")),
    ("cut", |file| {
        let text = fs::read(file).unwrap();
        write(file, &text[..text.len() / 2]);
    }),
    ("readable by others", |file| {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }),
    ("a folder", |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    }),
];

fn write(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).unwrap();
}

fn only(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap();
    entries.next().unwrap().unwrap().path()
}

#[test]
fn a_damaged_contact_stops_nobody_else() {
    for (what, damage) in DAMAGES {
        let session = Session::with_people();
        session.write("note", "a note\n");
        let contacts = session.keystore("alice").join("contacts");
        let carol = fs::read_dir(&contacts)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let carol = carol
            .into_iter()
            .find(|file| fs::read_to_string(file).unwrap().contains("carol@"));
        let carol = carol.unwrap();
        damage(&carol);
        let name = carol.file_name().unwrap().to_str().unwrap().to_owned();
        for (line, exit) in [
            ("encl wrap note --to bob@example.org -o for-bob --force", 0),
            (
                "encl wrap note --to carol@example.org -o for-carol --force",
                if what == "cut" { 1 } else { 7 },
            ),
            (
                &format!("encl wrap note --to {name} -o for-carol --force"),
                1,
            ),
            ("encl contact list", 1),
            ("encl contact show bob@example.org", 0),
            ("encl doctor", 1),
        ] {
            let answer = session.ask("alice", line);
            assert_eq!(answer.exit, exit, "{what}: {line}: {}", answer.stderr);
            // Where a card is cut, only who needs it finds out.
            if line != "encl doctor" && (exit != 0 || what != "cut") {
                let says = |words| answer.stderr.contains(words);
                assert!(
                    says("encl doctor") || says("chmod"),
                    "{what}: {line}: {}",
                    answer.stderr
                );
                assert!(says(&name[..16]), "{what}: {line}: {}", answer.stderr);
            }
        }
        let listed = session.ask("alice", "encl contact list").stdout;
        assert!(
            String::from_utf8(listed)
                .unwrap()
                .contains("bob@example.org")
        );
    }
}

#[test]
fn a_damaged_identity_of_mine_is_no_damage_of_the_envelope() {
    for (what, damage) in DAMAGES {
        let session = Session::with_people();
        session.write("note", "a note\n");
        session.quietly("bob", "encl wrap note --to alice@example.org -o letter");
        damage(&only(&session.keystore("alice").join("identities")).join("card"));
        for (line, exit) in [
            ("encl unwrap letter -o -", 1),
            ("encl wrap note --to bob@example.org -o for-bob --force", 1),
            ("encl key list", 1),
            ("encl contact list", 0),
        ] {
            let answer = session.ask("alice", line);
            assert_eq!(answer.exit, exit, "{what}: {line}: {}", answer.stderr);
        }
    }
}
