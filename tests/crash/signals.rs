//! Signals that ask the program to end: they end it, and it leaves no partial file.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use super::scene::{OLD, Scene};
use super::strace;
use crate::support::process::{self, limit, wait_with_limit};

const ENDING: [(&str, i32); 3] = [("HUP", 1), ("INT", 2), ("TERM", 15)];

const ENDLESS: [&str; 8] = [
    "wrap",
    "-",
    "--to",
    "bob.card",
    "-o",
    "out",
    "--keystore",
    "alice",
];

/// Starts sealing an endless input. `before` comes before the program, `options` after its arguments.
fn begun(scene: &Scene, before: &[&str], options: &[&str]) -> Child {
    let program = [&[env!("CARGO_BIN_EXE_encl")], &ENDLESS[..]].concat();
    let mut command = scene.command(&[before, &program, options].concat());
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let (sender, taken) = channel();
    spawn(move || sender.send(input.write_all(&vec![0; 700_000]).map(|()| input)));
    let Ok(input) = taken.recv_timeout(limit()) else {
        child.kill().unwrap();
        panic!("the program does not read its input");
    };
    child.stdin = Some(input.unwrap());
    child
}

/// Waits for the end of the program. Its input stays open, so that only the signal can end it.
fn ended(child: &mut Child) -> ExitStatus {
    let input = child.stdin.take();
    let status = wait_with_limit(child, &ENDLESS);
    drop(input);
    status
}

fn send(signal: &str, id: u32) {
    let mut kill = process::command("kill");
    kill.args([&format!("-{signal}"), &id.to_string()]);
    assert!(process::output(&mut kill).status.success());
}

/// Whether the scene has only the files that it began with.
fn nothing_left(scene: &Scene) -> bool {
    let names = fs::read_dir(scene.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .into_iter()
        .all(|name| name != "out" && !name.starts_with(".encl"))
}

#[test]
fn signals_end_the_program_and_leave_nothing() {
    for (name, number) in ENDING {
        let scene = Scene::new();
        let mut child = begun(&scene, &[], &[]);
        send(name, child.id());
        assert_eq!(ended(&mut child).signal(), Some(number));
        assert!(nothing_left(&scene), "{name}");
    }
}

/// A folder that is sealed is interrupted: every envelope is whole, nothing else is left, and the same command does the rest.
#[test]
fn signals_in_the_middle_of_a_folder_leave_whole_envelopes() {
    const FILES: usize = 300;
    let wrap = [
        "wrap",
        "-r",
        "papers",
        "--to",
        "bob.card",
        "--keystore",
        "alice",
        "-q",
    ];
    for (name, number) in ENDING {
        let scene = Scene::new();
        fs::create_dir(scene.at("papers")).unwrap();
        for file in 0..FILES {
            scene.write(&format!("papers/{file}"), b"a paper");
        }
        let made = || {
            let entries = fs::read_dir(scene.at("papers")).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names
                .filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit()))
                .count()
        };
        let mut child = scene.program(&wrap).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while made() < 5 {
            assert!(begun.elapsed() < limit(), "{name}: nothing is made");
        }
        send(name, child.id());
        let status = wait_with_limit(&mut child, &wrap);
        assert_eq!(status.signal(), Some(number), "{name}: it was done before");
        assert!(made() < FILES, "{name}");
        let left = scene.files().into_iter().find(|path| {
            let path = path.to_string_lossy();
            path.contains("papers/.encl")
        });
        assert_eq!(left, None, "{name}");
        let again = scene.run(&wrap);
        assert_eq!(again.status.code(), Some(8), "{name}");
        assert_eq!(made(), FILES, "{name}");
        let all: Vec<String> = (0..FILES)
            .map(|file| format!("papers/{file}.encl"))
            .collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        scene.done(&[&["verify", "--keystore", "bob"], &all[..]].concat());
    }
}

#[test]
fn signals_leave_an_existing_file_as_it_was() {
    for (name, number) in ENDING {
        let scene = Scene::new();
        scene.write("out", OLD);
        let mut child = begun(&scene, &[], &["--force"]);
        send(name, child.id());
        assert_eq!(ended(&mut child).signal(), Some(number));
        assert_eq!(scene.read("out").unwrap(), OLD, "{name}");
    }
}

#[test]
fn signals_remove_the_hidden_file_where_there_are_no_unnamed_ones() {
    strace::require();
    for (name, number) in ENDING {
        let scene = Scene::new();
        let (_, calls) = strace::record(&Scene::new(), &ENDLESS, &[]);
        let unnamed = calls.iter().rfind(|call| call.opens_unnamed()).unwrap();
        let mut child = begun(
            &scene,
            &[
                "strace",
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                &unnamed.failing("EOPNOTSUPP"),
            ],
            &[],
        );
        let hidden = || {
            scene.files().iter().any(|path| {
                path.file_name()
                    .is_some_and(|name| name.as_encoded_bytes().starts_with(b".encl-"))
            })
        };
        assert!(
            (0..500).any(|_| hidden() || {
                sleep(Duration::from_millis(10));
                false
            }),
            "no hidden file to remove"
        );
        let list = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
        send(name, list.trim().parse().unwrap());
        assert_eq!(ended(&mut child).signal(), Some(number));
        assert!(nothing_left(&scene), "{name}");
    }
}

#[test]
fn a_hangup_that_nohup_turned_off_is_ignored() {
    let scene = Scene::new();
    let mut child = begun(&scene, &["nohup"], &[]);
    send("HUP", child.id());
    sleep(Duration::from_millis(50));
    drop(child.stdin.take());
    assert!(wait_with_limit(&mut child, &ENDLESS).success());
    assert!(scene.at("out").is_file());
}

#[test]
fn memory_goes_into_no_core_file_and_to_no_other_program() {
    let scene = Scene::new();
    let mut child = begun(
        &scene,
        &[
            "sh",
            "-c",
            "ulimit -c unlimited 2>/dev/null; exec \"$@\"",
            "sh",
        ],
        &[],
    );
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    send("QUIT", child.id());
    let status = ended(&mut child);
    assert_eq!(status.signal(), Some(3));
    assert!(!status.core_dumped());
}
