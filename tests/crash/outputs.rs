//! Outputs that do not take all data (full, closed, limited), and outputs that may discard it, like /dev/null.

use std::fs;
use std::process::Output;

use super::scenario::mode;
use super::scene::{MARK, Scene, said};
use crate::support::process;
use crate::tell::{skipped, tell};

const SIZES: [usize; 6] = [0, 1, 10, 1_023, 1_024, 70_000];

/// A scene whose `in` and `in.encl` hold `bytes` bytes of content.
fn scene_of(bytes: usize) -> Scene {
    let scene = Scene::new();
    fs::remove_file(scene.at("in.encl")).unwrap();
    scene.write(
        "in",
        &MARK
            .as_bytes()
            .iter()
            .copied()
            .cycle()
            .take(bytes)
            .collect::<Vec<_>>(),
    );
    scene.done(&["wrap", "in", "--to", "bob.card", "--keystore", "alice"]);
    scene
}

fn shell(scene: &Scene, script: &str) -> Output {
    process::output(&mut scene.shell(script, &[]))
}

const WRAP: &str = "\"$ENCL\" wrap in --to bob.card --keystore alice";
const UNWRAP: &str = "\"$ENCL\" unwrap in.encl --keystore bob";

#[test]
fn bytes_that_cannot_be_written_are_never_a_success() {
    let piped = [
        ("\"$ENCL\" wrap - --to bob.card --keystore alice < in", true),
        (
            "cat in | \"$ENCL\" wrap --to bob.card --keystore alice",
            true,
        ),
        ("\"$ENCL\" unwrap --keystore bob < in.encl", false),
        (
            "\"$ENCL\" unwrap --verify-first --keystore bob < in.encl",
            false,
        ),
        ("cat in.encl | \"$ENCL\" unwrap - --keystore bob", false),
        (
            "cat in.encl | \"$ENCL\" unwrap - --verify-first --keystore bob",
            false,
        ),
    ];
    let mut tried = 0;
    for bytes in SIZES {
        let scene = scene_of(bytes);
        let fails = |command: &str, end: &str, due: bool| {
            let output = shell(&scene, &format!("{command} {end}"));
            let code = output.status.code();
            let right = code == Some(1) || (!due && code == Some(0));
            assert!(right, "{bytes} bytes, {command} {end}: {}", said(&output));
        };
        for (command, always) in [(WRAP, true), (UNWRAP, false)] {
            for end in ["-o - > /dev/full", "-o - >&-", "-o /dev/full"] {
                fails(command, end, always || bytes > 0);
                tried += 1;
            }
        }
        for (command, always) in piped {
            for end in ["> /dev/full", ">&-"] {
                fails(command, end, always || bytes > 0);
                tried += 1;
            }
        }
    }
    tell(&format!(
        "crash: {tried} full or closed outputs, none taken for a success"
    ));
}

#[test]
fn reports_to_a_full_or_closed_output_fail() {
    let scene = scene_of(10);
    let commands = [
        "key list --keystore bob",
        "key card --keystore bob",
        "key show --keystore bob",
        "contact list --keystore bob",
        "inspect in.encl --keystore bob",
        "wrap in --to bob.card --keystore alice --json --force",
        "version",
        "help exit-codes",
        "completions bash",
        "--help",
        "--version",
    ];
    for command in commands {
        for end in ["> /dev/full", ">&-"] {
            let output = shell(&scene, &format!("\"$ENCL\" {command} {end}"));
            assert_eq!(
                output.status.code(),
                Some(1),
                "{command} {end}: {}",
                said(&output)
            );
        }
    }
}

#[test]
fn a_new_key_whose_card_cannot_be_printed_is_not_lost() {
    let scene = Scene::new();
    let new = |name: &str, end: &str| {
        let new = format!("\"$ENCL\" key new {name}@example.org --no-passphrase --keystore {name}");
        let output = shell(&scene, &format!("{new} {end}"));
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    };
    let said_by_dave = new("dave", "> /dev/full");
    assert!(
        said_by_dave.contains("key card"),
        "no hint that it exists: {said_by_dave}"
    );
    let card = scene.done(&["key", "card", "--keystore", "dave"]);
    assert!(card.stdout.starts_with(b"encl-card1:"));
    // A closed output is detected before a key is made.
    new("erin", ">&-");
    assert_eq!(
        scene.done(&["key", "list", "--keystore", "erin"]).stdout,
        b""
    );
}

#[test]
fn the_null_device_takes_everything() {
    for bytes in SIZES {
        let scene = scene_of(bytes);
        for command in [WRAP, UNWRAP] {
            for end in ["-o - > /dev/null", "-o /dev/null"] {
                let output = shell(&scene, &format!("{command} {end}"));
                assert!(
                    output.status.success(),
                    "{command} {end}: {}",
                    said(&output)
                );
            }
        }
    }
    assert!(fs::metadata("/dev/null").is_ok_and(|null| !null.is_file()));
}

#[test]
fn a_reader_that_goes_away_is_an_error() {
    let scene = Scene::new();
    scene.write("in", &vec![b'x'; 4 << 20]);
    scene.done(&[
        "wrap",
        "in",
        "--to",
        "bob.card",
        "--force",
        "--keystore",
        "alice",
    ]);
    for command in [WRAP, UNWRAP] {
        let script = format!("{{ {command} -o -; echo $? > code; }} | head -c 1 > /dev/null");
        let output = shell(&scene, &script);
        assert_eq!(scene.read("code").unwrap(), b"1\n");
        assert!(
            said(&output).contains("standard output"),
            "{}",
            said(&output)
        );
    }
}

#[test]
fn the_limit_of_file_sizes_leaves_no_part() {
    for command in [WRAP, UNWRAP] {
        for (before, force) in [(None, ""), (Some(b"old"), "--force")] {
            let scene = scene_of(70_000);
            if let Some(old) = before {
                scene.write("out", old);
            }
            // 4 blocks of 512 bytes: the first chunk does not fit.
            let output = shell(&scene, &format!("ulimit -f 4; {command} -o out {force}"));
            assert_eq!(output.status.code(), Some(1), "{}", said(&output));
            assert!(said(&output).contains("out"), "{}", said(&output));
            assert_eq!(scene.read("out").as_deref(), before.map(|old| &old[..]));
        }
        let scene = scene_of(70_000);
        let output = shell(&scene, &format!("ulimit -f 4; {command} -o - > piped"));
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    }
}

#[test]
fn a_full_disk_leaves_no_part() {
    let scene = Scene::new();
    scene.write("in", &vec![b'x'; 2 << 20]);
    fs::remove_file(scene.at("in.encl")).unwrap();
    scene.done(&["wrap", "in", "--to", "bob.card", "--keystore", "alice"]);
    let Some(disk) = SmallDisk::mount(&scene) else {
        skipped("crash: the full disk: mounting a 1 MiB tmpfs needs root");
        return;
    };
    for command in [WRAP, UNWRAP] {
        for (before, force) in [(None, ""), (Some(b"old"), "--force")] {
            if let Some(old) = before {
                scene.write("disk/out", old);
            }
            let output = shell(&scene, &format!("{command} -o disk/out {force}"));
            assert_eq!(output.status.code(), Some(1), "{}", said(&output));
            assert!(said(&output).contains("disk/out"), "{}", said(&output));
            assert_eq!(
                scene.read("disk/out").as_deref(),
                before.map(|old| &old[..])
            );
            let _ = fs::remove_file(scene.at("disk/out"));
            assert_eq!(
                fs::read_dir(scene.at("disk")).unwrap().count(),
                0,
                "something was left"
            );
        }
    }
    let made = shell(
        &scene,
        "head -c 1044480 /dev/zero > disk/full; \"$ENCL\" key new dave@example.org --no-passphrase --keystore disk/keys",
    );
    assert_eq!(made.status.code(), Some(1), "{}", said(&made));
    assert!(made.stdout.is_empty(), "a card of a key that is lost");
    drop(disk);
}

/// A mounted file system of 1 MiB, `disk` in the scene; unmounted on drop.
struct SmallDisk {
    place: std::path::PathBuf,
}

impl SmallDisk {
    fn mount(scene: &Scene) -> Option<Self> {
        let place = scene.at("disk");
        fs::create_dir(&place).unwrap();
        let mut mount = process::command("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]);
        let mounted = process::output(mount.arg(&place));
        mounted.status.success().then_some(Self { place })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        process::output(process::command("umount").arg(&self.place));
    }
}

#[test]
fn plaintext_is_for_its_owner_and_envelopes_follow_the_umask() {
    let scene = Scene::new();
    scene.done(&["unwrap", "in.encl", "-o", "opened", "--keystore", "bob"]);
    scene.done(&[
        "wrap",
        "in",
        "--to",
        "bob.card",
        "-o",
        "sealed",
        "--keystore",
        "alice",
    ]);
    assert_eq!(mode(&scene, "opened"), 0o600);
    assert_eq!(mode(&scene, "sealed"), 0o666);
    let careful = shell(&scene, &format!("umask 027; {WRAP} -o careful"));
    assert!(careful.status.success());
    assert_eq!(mode(&scene, "careful"), 0o640);
}
