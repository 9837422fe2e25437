//! What happens to somebody whose keystore was changed, step by step.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;

use super::ground::{KEYSTORE, STATE, Scene, said, write};
use crate::support::process;

#[test]
fn what_is_planted_opens_and_is_adopted_by_its_fingerprint_only() {
    let scene = Scene::new();
    let planted = scene.plant("mallory");
    let id = planted.file_name().unwrap().to_str().unwrap();
    let told = said(&scene.done(
        "bob",
        &["wrap", "note", "--to", "alice@example.org", "-o", "out"],
    ));
    assert!(
        told.contains("not adopted") && told.contains(&format!("encl key adopt {id}`")),
        "{told}"
    );
    // What was sealed for it opens, and nobody known has signed it.
    scene.done(
        "mallory",
        &["wrap", "note", "--to", "mallory.card", "-o", "theirs"],
    );
    scene.done("bob", &["unwrap", "theirs", "-o", "opened"]);
    assert_eq!(
        scene
            .run("bob", &["verify", "theirs", "--require-verified"])
            .status
            .code(),
        Some(2)
    );
    let listed = scene.done("bob", &["key", "list"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("not adopted"), "{listed}");
    for (words, exit) in [
        (&["key", "adopt", "--no-input"][..], 7),
        (&["key", "adopt", "mallory@example.net"], 7),
        (&["key", "adopt", &"7".repeat(64)], 7),
        (&["key", "default", id], 7),
        (&["key", "adopt", id, "--no-input"], 0),
        (&["key", "default", id], 0),
        (&["key", "remove", id, "--yes"], 0),
    ] {
        let output = scene.run("bob", words);
        assert_eq!(
            output.status.code(),
            Some(exit),
            "{words:?}: {}",
            said(&output)
        );
    }
    // What was removed stays removed, also if its folder comes back.
    scene.plant("mallory");
    assert_eq!(
        scene.run("bob", &["key", "default", id]).status.code(),
        Some(7)
    );
}

#[test]
fn an_identity_that_is_gone_is_missed_until_it_is_back_or_removed() {
    for comes_back in [true, false] {
        let scene = Scene::new();
        let (mine, aside) = (scene.identity("bob"), scene.at("aside"));
        let id = mine.file_name().unwrap().to_str().unwrap().to_owned();
        fs::rename(&mine, &aside).unwrap();
        let wrap = ["wrap", "note", "--to", "alice@example.org", "-o", "out"];
        let told = scene.run("bob", &wrap);
        assert_eq!(told.status.code(), Some(7), "{}", said(&told));
        assert!(said(&told).contains("encl key remove"), "{}", said(&told));
        match comes_back {
            true => fs::rename(&aside, &mine).unwrap(),
            false => drop(scene.done("bob", &["key", "remove", &id, "--yes"])),
        }
        scene.done("bob", &wrap);
    }
}

#[test]
fn two_machines_with_one_keystore_ask_once_about_a_new_identity() {
    let scene = Scene::new();
    let at = |machine: &str, arguments: &[&str]| {
        let mut command = scene.command("bob", arguments);
        process::output(command.env("XDG_STATE_HOME", scene.at(machine)))
    };
    let wrap = |machine: &str| {
        at(
            machine,
            &[
                "wrap",
                "note",
                "--to",
                "alice@example.org",
                "-o",
                "out",
                "--force",
            ],
        )
    };
    // Both meet the keystore as it stands.
    assert!(said(&wrap("one")).contains("for the first time"));
    assert!(said(&wrap("two")).contains("for the first time"));
    let again = said(&wrap("two"));
    assert!(!again.contains("for the first time"), "{again}");
    let new = ["key", "new", "second@example.org", "--no-passphrase"];
    assert!(at("one", &new).status.success());
    assert!(!said(&wrap("one")).contains("not adopted"));
    let told = said(&wrap("two"));
    let id = told
        .split("encl key adopt ")
        .nth(1)
        .unwrap()
        .split('`')
        .next()
        .unwrap();
    let adopted = at("two", &["key", "adopt", id]);
    assert!(adopted.status.success(), "{}", said(&adopted));
    assert!(!said(&wrap("two")).contains("not adopted"));
    // One that was removed on one machine is missed on the other.
    assert!(at("one", &["key", "remove", id, "--yes"]).status.success());
    assert_eq!(wrap("two").status.code(), Some(7));
    assert!(at("two", &["key", "remove", id, "--yes"]).status.success());
    assert!(wrap("two").status.success());
}

#[test]
fn a_state_of_another_user_or_of_another_version_is_not_believed() {
    let scene = Scene::new();
    let wrap = ["wrap", "note", "--to", "alice@example.org", "-o", "out"];
    for (version, exit) in [("encl-state/3\n", 1), ("", 1)] {
        write(&scene.at(STATE).join("version"), version.as_bytes());
        let output = scene.run("bob", &wrap);
        assert_eq!(output.status.code(), Some(exit), "{}", said(&output));
    }
    write(&scene.at(STATE).join("version"), b"encl-state/2\n");
    fs::set_permissions(scene.at(STATE), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(scene.run("bob", &wrap).status.code(), Some(1));
    fs::set_permissions(scene.at(STATE), fs::Permissions::from_mode(0o700)).unwrap();
    scene.done("bob", &wrap);
}

const WRAP: [&str; 4] = ["wrap", "note", "-o", "out"];

/// Wraps the note for this WHO, as Bob.
fn wrap(scene: &Scene, who: &str, more: &[&str]) -> Output {
    let arguments = [&WRAP[..], &["--force", "--to", who], more].concat();
    scene.run("bob", &arguments)
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Puts a card into Bob's keystore, as a program that knows the form of its files would.
fn put_card(scene: &Scene, who: &str) -> PathBuf {
    let helper = scene.at("helper");
    let card = format!("{who}.card");
    let mut command = scene.command("bob", &["contact", "add", &card, "--yes"]);
    command.env("ENCL_KEYSTORE", &helper);
    command.env("XDG_STATE_HOME", scene.at("helper-state"));
    assert!(process::output(&mut command).status.success());
    let made = fs::read_dir(helper.join("contacts")).unwrap();
    let made = made.map(|entry| entry.unwrap().path()).next().unwrap();
    let put = scene
        .at(KEYSTORE)
        .join("contacts")
        .join(made.file_name().unwrap());
    write(&put, &fs::read(&made).unwrap());
    fs::remove_dir_all(helper).unwrap();
    put
}

#[test]
fn m2_a_verified_contact_is_not_replaced_by_another_key() {
    let scene = Scene::new();
    let verified = scene.contact_file("alice.card");
    let id = verified.file_name().unwrap().to_str().unwrap().to_owned();
    let kept = fs::read(&verified).unwrap();
    fs::remove_file(&verified).unwrap();
    let planted = put_card(&scene, "as-alice");
    for who in [
        "alice@example.org",
        "Alice",
        "ALICE@example.org",
        "alice+x@example.org",
    ] {
        let output = wrap(&scene, who, &[]);
        assert_eq!(code(&output), 7, "{who}: {}", said(&output));
        assert!(
            said(&output).contains("contact remove"),
            "{who}: {}",
            said(&output)
        );
    }
    let forged = scene.run(
        "bob",
        &[
            "verify",
            "as-alice.encl",
            "--signed-by",
            "alice@example.org",
        ],
    );
    assert_eq!(code(&forged), 7, "{}", said(&forged));
    let added = scene.run("bob", &["contact", "add", "as-alice.card", "--yes"]);
    assert_eq!(code(&added), 7, "{}", said(&added));
    // The command that the error names brings her back, and so does her card as a recipient.
    for back in [
        &["contact", "add", "alice.card", "--yes"][..],
        &["wrap", "note", "--to", "alice.card", "-o", "back"],
    ] {
        let _ = fs::remove_file(&verified);
        scene.done("bob", back);
        let output = wrap(&scene, "alice@example.org", &["--require-verified"]);
        assert_eq!(code(&output), 0, "{back:?}: {}", said(&output));
    }
    // A second owner of the address changes nothing for whoever is verified.
    write(&verified, &kept);
    let output = wrap(&scene, "alice@example.org", &["--require-verified"]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    scene.done("alice", &["unwrap", "out", "-o", "-"]);
    assert_ne!(
        code(&scene.run("as-alice", &["unwrap", "out", "-o", "-"])),
        0
    );
    // The user may forget; then the other card is taken as any other.
    fs::remove_file(&verified).unwrap();
    scene.done("bob", &["contact", "remove", &id, "--yes"]);
    let output = wrap(&scene, "alice@example.org", &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(
        code(&wrap(&scene, "alice@example.org", &["--require-verified"])),
        7
    );
    drop(planted);
}

#[test]
fn m2_an_older_card_of_a_verified_contact_is_refused() {
    let scene = Scene::new();
    let file = scene.contact_file("alice.card");
    let kept = fs::read(&file).unwrap();
    let newer = scene.done("alice", &["key", "rotate"]).stdout;
    fs::write(scene.at("newer.card"), newer).unwrap();
    scene.done("bob", &["contact", "add", "newer.card", "--yes"]);
    write(&file, &kept);
    let output = wrap(&scene, "alice@example.org", &[]);
    assert_eq!(code(&output), 7, "{}", said(&output));
    assert!(said(&output).contains("older"), "{}", said(&output));
    scene.done("bob", &["contact", "add", "newer.card", "--yes"]);
    assert_eq!(
        code(&wrap(&scene, "alice@example.org", &["--require-verified"])),
        0
    );
}

#[test]
fn m2_a_changed_group_reaches_nobody_until_it_is_adopted() {
    let scene = Scene::new();
    scene.done("bob", &["group", "new", "crew", "alice@example.org"]);
    assert_eq!(code(&wrap(&scene, "@crew", &[])), 0);
    let group = scene.at(KEYSTORE).join("groups/crew");
    let kept = fs::read_to_string(&group).unwrap();
    let planted = put_card(&scene, "mallory");
    let mallory = planted.file_name().unwrap().to_str().unwrap().to_owned();
    let changes: [(&str, String); 3] = [
        ("grown", format!("{kept}{mallory}\n")),
        (
            "with an address",
            format!("address all@example.org\n{kept}"),
        ),
        ("other members", format!("{mallory}\n")),
    ];
    for (what, text) in &changes {
        write(&group, text.as_bytes());
        for who in ["@crew", "all@example.org"] {
            let output = wrap(&scene, who, &[]);
            assert_eq!(code(&output), 7, "{what}, {who}: {}", said(&output));
        }
        for refused in [
            &["group", "add", "crew", "carol@example.org"][..],
            &["verify", "mallory.encl", "--signed-by", "@crew"],
        ] {
            assert_eq!(code(&scene.run("bob", refused)), 7, "{what}: {refused:?}");
        }
    }
    // A new one is like a changed one.
    write(
        &scene.at(KEYSTORE).join("groups/planted"),
        format!("{mallory}\n").as_bytes(),
    );
    assert_eq!(code(&wrap(&scene, "@planted", &[])), 7);
    write(&group, changes[0].1.as_bytes());
    let output = wrap(&scene, "@crew", &[]);
    assert!(
        said(&output).contains("came: Mallory") && said(&output).contains("encl key adopt @crew"),
        "{}",
        said(&output)
    );
    let shown = scene.done("bob", &["--json", "group", "show", "crew"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("\"adopted\":false"), "{shown}");
    scene.done("bob", &["--no-input", "key", "adopt", "@crew"]);
    assert_eq!(code(&wrap(&scene, "@crew", &[])), 0);
    // The one from before is another one now; and what was deleted is not back.
    write(&group, kept.as_bytes());
    assert_eq!(code(&wrap(&scene, "@crew", &[])), 7);
    scene.done("bob", &["group", "delete", "crew"]);
    write(&group, kept.as_bytes());
    assert_eq!(code(&wrap(&scene, "@crew", &[])), 7);
    // Taking away is no letting in.
    scene.done("bob", &["group", "delete", "crew"]);
}
