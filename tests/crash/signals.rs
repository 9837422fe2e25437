//! Signals in the middle of the work.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::scene::{Scene, ok, program, text};

/// Starts to seal an endless input, sends a signal when the program works, and says how it ended.
fn interrupted(scene: &Scene, signal: &str) -> std::process::ExitStatus {
    let mut command = scene.command(program(), "alice");
    command.args([
        "wrap",
        "-",
        "--to",
        "bob@example.org",
        "-o",
        "out",
        "--force",
    ]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It has read this much, so it has begun to write.
    stdin.write_all(&vec![b'x'; 2 << 20]).unwrap();
    let sent = std::process::Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(stdin);
    child.wait().unwrap()
}

#[test]
fn a_signal_ends_the_work_and_leaves_nothing() {
    let scene = Scene::prepared();
    let names = || {
        let entries = fs::read_dir(scene.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    };
    for (signal, number) in [("-HUP", 1), ("-INT", 2), ("-TERM", 15)] {
        let before = names();
        assert_eq!(
            interrupted(&scene, signal).signal(),
            Some(number),
            "{signal}"
        );
        assert_eq!(names(), before, "{signal} left something");
        fs::write(scene.path("out"), b"old").unwrap();
        interrupted(&scene, signal);
        assert_eq!(
            fs::read(scene.path("out")).unwrap(),
            b"old",
            "{signal} over a file"
        );
        fs::remove_file(scene.path("out")).unwrap();
    }
}

#[test]
fn nohup_is_respected() {
    let scene = Scene::prepared();
    let script = format!(
        "trap '' HUP; (sleep 0.3; cat report.txt) | {} wrap - --to bob@example.org -o out & sleep 0.1; kill -HUP -- $! ; wait $!",
        program()
    );
    let output = scene
        .command("bash", "alice")
        .args(["-c", &script])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(
        ok(scene.encl("bob", &["unwrap", "out", "-o", "-"])).stdout,
        fs::read(scene.path("report.txt")).unwrap()
    );
}

#[test]
fn no_core_is_dumped_and_memory_is_closed_to_others() {
    let scene = Scene::prepared();
    let mut command = scene.command("bash", "alice");
    let script = format!(
        "ulimit -c unlimited; exec {} wrap - --to bob@example.org -o out",
        program()
    );
    let mut child = command
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&vec![b'x'; 2 << 20]).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let sent = std::process::Command::new("kill")
        .args(["-QUIT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(3));
    assert!(!status.core_dumped());
}
