//! Homes that are not there, may not be written, or are somebody else's, as services and `sudo -E` have them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Output;

use crate::fed;
use crate::letters::People;
use crate::scene::{code, people, said};
use crate::support::process;
use crate::tell::skipped;

/// The user and group `nobody`, for tests that run as root.
const NOBODY: u32 = 65_534;

/// A user without privileges: nobody, or who runs the tests. `None`: root cannot become nobody here.
fn service() -> Option<People> {
    let people = people();
    let card = ["key", "new", "ops@example.org", "--no-passphrase"];
    fs::write(people.path("ops.card"), people.done("ops", &card, b"")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_encl"), people.path("encl")).unwrap();
    if is_root() {
        fs::set_permissions(people.path("."), Permissions::from_mode(0o755)).unwrap();
        hand_over(&people, "alice");
        let output = run(&people, &[], &["version"]);
        if !output.status.success() {
            skipped(
                "homes of others (setpriv, and a folder for temporary files that everybody may enter)",
            );
            return None;
        }
    }
    Some(people)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives what is somebody's, and all that is below, to the service.
fn hand_over(people: &People, who: &str) {
    for name in [format!("keys-{who}"), format!("state-{who}")] {
        give(people, &name);
    }
}

fn give(people: &People, name: &str) {
    if !is_root() {
        return;
    }
    let mut left = vec![people.path(name)];
    while let Some(path) = left.pop() {
        chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            left.extend(entries.map(|entry| entry.unwrap().path()));
        }
    }
}

/// Runs the program as the service with this environment, and a dump on standard input.
fn run(people: &People, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = if is_root() {
        let mut command = process::command("setpriv");
        let become_nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        command.args(become_nobody).arg(people.path("encl"));
        command
    } else {
        process::command(people.path("encl").to_str().unwrap())
    };
    command
        .args(arguments)
        .current_dir(people.path("."))
        .env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    for (name, value) in environment {
        command.env(name, value);
    }
    fed::output(&mut command, |stdin| match stdin.write_all(b"a dump\n") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    })
}

/// A folder with this mode; its name is absolute.
fn folder(people: &People, name: &str, mode: u32) -> String {
    let path = people.path(name);
    fs::create_dir_all(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

const WRAP: [&str; 4] = ["wrap", "-", "--to", "ops.card"];

#[test]
fn a_backup_is_sealed_where_no_keystore_can_be_made() {
    let Some(people) = service() else { return };
    let file = people.path("note");
    let unwritable = folder(&people, "unwritable", 0o555);
    let foreign = folder(&people, "foreign", 0o700);
    // Nobody's home in Debian's list of users is /nonexistent.
    let mut homes = vec![
        "/nonexistent",
        "/dev/null",
        &unwritable,
        file.to_str().unwrap(),
    ];
    match is_root() {
        true => homes.push(&foreign),
        false => homes.extend(fs::read_dir("/root").is_err().then_some("/root")),
    }
    for home in homes {
        for option in [&[][..], &["--anonymous"], &["--quiet"]] {
            let arguments = [&WRAP[..], option].concat();
            let output = run(&people, &[("HOME", home)], &arguments);
            assert_eq!(code(&output), 0, "{home}: {}", said(&output));
            let warned =
                "warning: not verified, and the card will not be remembered: ops@example.org";
            assert!(said(&output).contains(warned), "{home}: {}", said(&output));
            assert!(
                said(&output).contains("$ENCL_KEYSTORE"),
                "{}",
                said(&output)
            );
            let opened = people.done("ops", &["unwrap", "-"], &output.stdout);
            assert_eq!(opened, b"a dump\n");
        }
        // Who is not named by a card is nobody, and nothing is verified.
        for (arguments, exit) in [
            (&["wrap", "-", "--to", "ops@example.org"][..], 7),
            (&["wrap", "-", "--to", "ops.card", "--require-verified"], 7),
            (
                &["wrap", "-", "--to", "ops.card", "--as", "alice@example.org"],
                7,
            ),
        ] {
            let output = run(&people, &[("HOME", home)], arguments);
            assert_eq!(
                code(&output),
                exit,
                "{home} {arguments:?}: {}",
                said(&output)
            );
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn a_home_of_somebody_else_is_named_by_what_needs_a_keystore() {
    let Some(people) = service() else { return };
    let foreign = folder(&people, "foreign", 0o700);
    let home = match is_root() {
        true => &*foreign,
        false if fs::read_dir("/root").is_err() => "/root",
        false => return skipped("a home of somebody else (/root is open here)"),
    };
    for arguments in [&["key", "list"][..], &["unwrap", "-"], &["contact", "list"]] {
        let output = run(&people, &[("HOME", home)], arguments);
        assert_eq!(code(&output), 1, "{arguments:?}: {}", said(&output));
        assert!(
            said(&output).contains("$ENCL_KEYSTORE names yours"),
            "{}",
            said(&output)
        );
    }
    // A keystore that was named is not left out.
    let named = people.path("keys-bob");
    if is_root() {
        let named = [("HOME", home), ("ENCL_KEYSTORE", named.to_str().unwrap())];
        assert_eq!(code(&run(&people, &named, &WRAP)), 1);
    }
}

#[test]
fn a_keystore_that_is_given_works_under_any_home() {
    let Some(people) = service() else { return };
    people.done("bob", &["wrap", "note", "--to", "alice@example.org"], b"");
    fs::set_permissions(people.path("note.encl"), Permissions::from_mode(0o644)).unwrap();
    let (unwritable, foreign) = (
        folder(&people, "unwritable", 0o555),
        folder(&people, "foreign", 0o700),
    );
    let keystore = people.path("keys-alice");
    for home in ["/nonexistent", "/dev/null", &unwritable, &foreign] {
        for arguments in [
            &["wrap", "-", "--to", "bob@example.org"][..],
            &["unwrap", "note.encl", "-o", "-"],
            &["verify", "note.encl"],
            &["inspect", "note.encl"],
            &["key", "list"],
            &["contact", "list"],
        ] {
            let environment = [
                ("HOME", home),
                ("ENCL_KEYSTORE", keystore.to_str().unwrap()),
            ];
            let output = run(&people, &environment, arguments);
            assert_eq!(code(&output), 0, "{home} {arguments:?}: {}", said(&output));
        }
    }
}

#[test]
fn a_memory_that_is_there_and_cannot_be_read_stops_what_would_ask_it() {
    let Some(people) = service() else { return };
    let home = folder(&people, "home", 0o755);
    give(&people, "home");
    let state = people.path("state-alice");
    fs::set_permissions(state.join("encl"), Permissions::from_mode(0o000)).unwrap();
    let keystore = people.path("keys-alice");
    let named = [("ENCL_KEYSTORE", keystore.to_str().unwrap())];
    for keystore in [&named[..], &[]] {
        let environment = [
            ("HOME", &*home),
            ("XDG_STATE_HOME", state.to_str().unwrap()),
        ];
        let environment = [&environment[..], keystore].concat();
        let output = run(&people, &environment, &WRAP);
        assert_eq!(code(&output), 1, "{}", said(&output));
        assert!(
            said(&output).contains("permission denied"),
            "{}",
            said(&output)
        );
        assert!(output.stdout.is_empty());
    }
    fs::set_permissions(state.join("encl"), Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn what_a_keystore_that_cannot_be_written_knows_against_a_card_counts() {
    let Some(people) = service() else { return };
    // A key that calls itself Bob.
    let card = ["key", "new", "bob@example.org", "--no-passphrase"];
    fs::write(
        people.path("false.card"),
        people.done("mallory", &card, b""),
    )
    .unwrap();
    for folder in ["", "contacts"] {
        let path = people.path("keys-alice").join(folder);
        fs::set_permissions(path, Permissions::from_mode(0o500)).unwrap();
    }
    let lock = people.path("keys-alice/lock");
    fs::set_permissions(lock, Permissions::from_mode(0o400)).unwrap();
    let (keystore, state) = (people.path("keys-alice"), people.path("state-alice"));
    let environment = [
        ("HOME", "/nonexistent"),
        ("ENCL_KEYSTORE", keystore.to_str().unwrap()),
        ("XDG_STATE_HOME", state.to_str().unwrap()),
    ];
    let wrapped = run(&people, &environment, &WRAP);
    assert_eq!(code(&wrapped), 0, "{}", said(&wrapped));
    assert!(
        said(&wrapped).contains("will not be remembered"),
        "{}",
        said(&wrapped)
    );
    let refused = run(&people, &environment, &["wrap", "-", "--to", "false.card"]);
    assert_eq!(code(&refused), 7, "{}", said(&refused));
    assert!(refused.stdout.is_empty());
    let both = ["wrap", "-", "--to", "ops.card", "--to", "false.card"];
    assert_eq!(code(&run(&people, &environment, &both)), 7);
}
