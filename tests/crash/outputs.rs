//! Outputs that take nothing, and targets that are the input.

use std::fs;
use std::os::unix::fs::symlink;

use crate::scene::{Scene, ok, program, text};

const SIZES: [usize; 6] = [0, 1, 10, 1_023, 1_024, 70_000];

#[test]
fn bytes_that_were_due_and_not_written_are_never_exit_0() {
    let scene = Scene::prepared();
    for size in SIZES {
        fs::write(scene.path("in"), vec![b'x'; size]).unwrap();
        ok(scene.encl(
            "alice",
            &["wrap", "in", "--to", "bob@example.org", "--force"],
        ));
        for (keystore, line, due) in [
            ("alice", "wrap in --to bob@example.org -o -", true),
            ("alice", "wrap - --to bob@example.org < in", true),
            ("bob", "unwrap in.encl -o -", size > 0),
            ("bob", "unwrap < in.encl", size > 0),
            ("bob", "unwrap --verify-first < in.encl", size > 0),
            ("bob", "unwrap - < <(cat in.encl)", size > 0),
        ] {
            for (sink, closed) in [("> /dev/full", false), (">&-", true)] {
                let script = format!("exec {} {line} {sink}", program());
                let output = scene
                    .command("bash", keystore)
                    .args(["-c", &script])
                    .output()
                    .unwrap();
                let what = format!("{line} {sink}, {size} bytes: {}", text(&output));
                if due {
                    assert_eq!(output.status.code(), Some(1), "{what}");
                } else {
                    // Nothing was due; a closed output may be refused all the same.
                    assert!(
                        output.status.success() || closed && output.status.code() == Some(1),
                        "{what}"
                    );
                }
            }
            let script = format!("exec {} {line} > /dev/null", program());
            let output = scene
                .command("bash", keystore)
                .args(["-c", &script])
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{line} > /dev/null, {size} bytes: {}",
                text(&output)
            );
        }
    }
}

#[test]
fn a_card_that_cannot_be_printed_is_exit_1_and_the_key_is_not_lost() {
    let scene = Scene::prepared();
    for (number, sink) in ["> /dev/full", ">&-"].into_iter().enumerate() {
        let keystore = format!("new{number}");
        let script = format!(
            "exec {} key new x@example.org --no-passphrase {sink}",
            program()
        );
        let output = scene
            .command("bash", &keystore)
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{sink}: {}", text(&output));
        if sink == "> /dev/full" {
            assert!(text(&output).contains("encl key card"), "{}", text(&output));
            assert!(text(&ok(scene.encl(&keystore, &["key", "card"]))).starts_with("encl-card1:"));
        }
    }
    for arguments in [
        ["key", "card"],
        ["key", "list"],
        ["contact", "list"],
        ["inspect", "sealed.encl"],
        ["help", "exit-codes"],
    ] {
        for sink in ["> /dev/full", ">&-"] {
            let script = format!("exec {} {} {sink}", program(), arguments.join(" "));
            let output = scene
                .command("bash", "bob")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(
                output.status.code(),
                Some(1),
                "{arguments:?} {sink}: {}",
                text(&output)
            );
        }
    }
}

#[test]
fn a_target_that_is_the_input_is_refused() {
    let scene = Scene::prepared();
    for (keystore, verb, input) in [
        ("alice", "wrap", "report.txt"),
        ("bob", "unwrap", "sealed.encl"),
    ] {
        let before = fs::read(scene.path(input)).unwrap();
        symlink(input, scene.path("soft")).unwrap();
        symlink(scene.path("soft"), scene.path("softer")).unwrap();
        fs::hard_link(scene.path(input), scene.path("hard")).unwrap();
        let roundabout = format!("./{keystore}/../{input}");
        for target in [input, "soft", "softer", "hard", &roundabout] {
            for force in [&[][..], &["--force"]] {
                let mut arguments = vec![verb, input, "-o", target];
                if verb == "wrap" {
                    arguments.extend(["--to", "bob@example.org"]);
                }
                arguments.extend(force);
                let output = scene.encl(keystore, &arguments);
                assert_eq!(
                    output.status.code(),
                    Some(8),
                    "{arguments:?}: {}",
                    text(&output)
                );
                assert!(
                    fs::read(scene.path(input)).unwrap() == before,
                    "{arguments:?}"
                );
            }
        }
        let redirected = format!(
            "exec {} {verb} {input} {} -o - >> {input}",
            program(),
            if verb == "wrap" {
                "--to bob@example.org"
            } else {
                ""
            }
        );
        let output = scene
            .command("bash", keystore)
            .args(["-c", &redirected])
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(8),
            "{redirected}: {}",
            text(&output)
        );
        assert!(fs::read(scene.path(input)).unwrap() == before);
        for link in ["soft", "softer", "hard"] {
            fs::remove_file(scene.path(link)).unwrap();
        }
    }
}

#[test]
fn links_and_devices_at_the_target_are_never_followed_or_replaced() {
    let scene = Scene::prepared();
    fs::write(scene.path("precious"), b"precious").unwrap();
    symlink("precious", scene.path("link")).unwrap();
    symlink("nowhere", scene.path("dangling")).unwrap();
    for link in ["link", "dangling"] {
        for force in [&[][..], &["--force"]] {
            let arguments = [&["unwrap", "sealed.encl", "-o", link][..], force].concat();
            let output = scene.encl("bob", &arguments);
            assert_eq!(
                output.status.code(),
                Some(8),
                "{arguments:?}: {}",
                text(&output)
            );
        }
    }
    assert_eq!(fs::read(scene.path("precious")).unwrap(), b"precious");
    assert!(!scene.path("nowhere").exists());
    fs::create_dir(scene.path("folder")).unwrap();
    let output = scene.encl("bob", &["unwrap", "sealed.encl", "-o", "folder", "--force"]);
    assert!(!output.status.success(), "{}", text(&output));
    let output = scene.encl("bob", &["unwrap", "sealed.encl", "-o", "/dev/full"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    ok(scene.encl("bob", &["unwrap", "sealed.encl", "-o", "/dev/null"]));
}

#[test]
fn a_pipe_that_breaks_is_exit_1() {
    let scene = Scene::prepared();
    fs::write(scene.path("in"), vec![b'x'; 4 << 20]).unwrap();
    ok(scene.encl("alice", &["wrap", "in", "--to", "bob@example.org"]));
    for (keystore, line) in [
        ("alice", "wrap in --to bob@example.org -o -"),
        ("bob", "unwrap in.encl -o -"),
    ] {
        let script = format!(
            "set -o pipefail; {} {line} | head -c 1 > /dev/null; exit ${{PIPESTATUS[0]}}",
            program()
        );
        let output = scene
            .command("bash", keystore)
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}: {}", text(&output));
        assert!(!text(&output).contains("panicked"), "{}", text(&output));
    }
}
