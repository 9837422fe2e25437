//! Refused by the system: EIO and ENOSPC from every call that writes, a full disk, a limit on the size of files.

use std::fs;
use std::process::Command;

use crate::scene::{SCENARIOS, Scene, ok, program, text};
use crate::trace::calls;

#[test]
fn every_refused_write_is_exit_1_and_leaves_nothing() {
    let prepared = Scene::prepared();
    let mut refusals = 0;
    for scenario in SCENARIOS
        .iter()
        .filter(|scenario| !scenario.name.contains("exists"))
    {
        for call in calls(&prepared, scenario)
            .iter()
            .filter(|call| call.writes())
        {
            for error in ["EIO", "ENOSPC"] {
                let scene = prepared.copy(scenario);
                let inject = format!("inject={}:error={error}:when={}", call.name, call.number);
                let output =
                    scene.traced(scenario, &["-f", "-qq", "-o", "/dev/null", "-e", &inject]);
                let what = format!(
                    "{}: {error} from {} number {}",
                    scenario.name, call.name, call.number
                );
                scene.check(scenario, output.status.success(), &what);
                // Making the lock file and folders that are there already may fail without harm.
                let harmless =
                    output.status.success() && call.name != "write" && !call.name.contains("sync");
                assert!(
                    harmless || output.status.code() == Some(1),
                    "{what}: {:?} {}",
                    output.status,
                    text(&output)
                );
                if output.status.code() == Some(1) {
                    let says = text(&output);
                    assert!(
                        ["out.", "bob", "alice", "carol", "second"]
                            .iter()
                            .any(|name| says.contains(name)),
                        "{what}: {says}"
                    );
                }
                refusals += 1;
            }
        }
    }
    assert!(refusals > 60, "only {refusals}");
    println!("{refusals} refused writes, 0 partial");
}

#[test]
fn a_full_disk_is_exit_1_and_leaves_nothing() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can mount a small tmpfs");
        return;
    }
    let scene = Scene::prepared();
    fs::create_dir(scene.path("small")).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "none"])
        .arg(scene.path("small"))
        .status();
    assert!(mounted.unwrap().success());
    fs::write(scene.path("big"), vec![b'x'; 3 << 20]).unwrap();
    ok(scene.encl("alice", &["wrap", "big", "--to", "bob@example.org"]));
    fs::write(scene.path("small/kept"), b"kept").unwrap();
    let runs: [(&str, &[&str]); 4] = [
        (
            "alice",
            &["wrap", "big", "--to", "bob@example.org", "-o", "small/out"],
        ),
        ("bob", &["unwrap", "big.encl", "-o", "small/out"]),
        (
            "alice",
            &[
                "wrap",
                "big",
                "--to",
                "bob@example.org",
                "-o",
                "small/kept",
                "--force",
            ],
        ),
        (
            "bob",
            &["unwrap", "big.encl", "-o", "small/kept", "--force"],
        ),
    ];
    let outcomes: Vec<_> = runs
        .iter()
        .map(|(keystore, arguments)| scene.encl(keystore, arguments))
        .collect();
    let mut names: Vec<_> = fs::read_dir(scene.path("small"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    let kept = fs::read(scene.path("small/kept")).unwrap();
    assert!(
        Command::new("umount")
            .arg(scene.path("small"))
            .status()
            .unwrap()
            .success()
    );
    names.sort();
    assert_eq!(names, ["kept"]);
    assert_eq!(kept, b"kept");
    for output in outcomes {
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(
            text(&output).contains("small/") && text(&output).contains("no space left"),
            "{}",
            text(&output)
        );
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_exit_1_and_leaves_nothing() {
    let scene = Scene::prepared();
    for (keystore, line) in [
        ("alice", "wrap report.txt --to bob@example.org -o out"),
        ("bob", "unwrap sealed.encl -o out"),
        ("bob", "unwrap sealed.encl -o - > out"),
    ] {
        let script = format!("ulimit -f 8; exec {} {line}", program());
        let output = scene
            .command("bash", keystore)
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}: {}", text(&output));
        assert!(
            text(&output).contains("file too large"),
            "{line}: {}",
            text(&output)
        );
        // What the shell itself opened is the shell's; a file of ours is not there.
        assert!(line.contains('>') || !scene.path("out").exists(), "{line}");
        let _ = fs::remove_file(scene.path("out"));
    }
}
