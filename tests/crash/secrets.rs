//! Searches for secrets: passphrases, private keys and kept keys must be in no argument, environment or output, and in no
//! system call except the reading of the passphrase file. They must not be in memory when a command ends.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encl::crypto::Kem;
use encl::crypto::signing::RootId;
use encl::identity::Identity;

use super::scene::{Scene, said};
use super::strace;
use crate::support::process::{self, wait_with_limit};
use crate::tell::{skipped, tell};

const WORDS: &str = "unmistakable words 73912846 of nobody else";
/// All commands that open the identity, and some that do not. `in.encl` is for Bob.
const COMMANDS: [&[&str]; 11] = [
    &["unwrap", "in.encl", "-o", "out"],
    &["wrap", "in", "--to", "alice.card", "-o", "sealed"],
    &["wrap", "in", "--passphrase", "--anonymous", "-o", "open"],
    &["key", "show"],
    &["key", "card"],
    &["key", "rotate"],
    &["key", "passphrase", "--new-passphrase-file", "words"],
    &["key", "export", "-o", "exported"],
    &["backup", "-o", "backup"],
    &["restore", "backup", "--dry-run"],
    &["doctor", "--open"],
];

/// A scene in which Bob's keys are protected by [`WORDS`], and all secrets by name, as they were before they were protected.
fn scene() -> (Scene, BTreeMap<String, Vec<u8>>) {
    let scene = Scene::new();
    scene.write("words", format!("{WORDS}\n").as_bytes());
    let folder = fs::read_dir(scene.at("bob/identities"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let line = fs::read(folder.path().join("secret")).unwrap();
    let identity = Identity::from_line(line.trim_ascii_end()).unwrap();
    let object: serde_json::Value = serde_json::from_slice(&line).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().as_bytes().to_vec();
    let mut secrets = BTreeMap::from([
        ("passphrase".to_owned(), WORDS.as_bytes().to_vec()),
        ("seed".to_owned(), identity.root().seed().expose().to_vec()),
        ("seed in base64".to_owned(), text(&object["seed"])),
    ]);
    for (number, key) in object["keys"].as_array().unwrap().iter().enumerate() {
        let secret = text(&key["secret"]);
        secrets.insert(format!("key {number}"), STANDARD.decode(&secret).unwrap());
        secrets.insert(format!("key {number} in base64"), secret);
    }
    assert_eq!(secrets.len(), 5, "one key of {:?}", Kem::XWing);
    scene.done(&[
        "key",
        "passphrase",
        "--new-passphrase-file",
        "words",
        "--keystore",
        "bob",
    ]);
    (scene, secrets)
}

fn arguments<'a>(command: &'a [&'a str]) -> Vec<&'a str> {
    [
        command,
        &["--passphrase-file", "words", "--keystore", "bob"],
    ]
    .concat()
}

#[test]
fn no_call_shows_a_secret() {
    strace::require();
    let (scene, secrets) = scene();
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "\\x{byte:02x}").unwrap();
            text
        })
    };
    let secrets: Vec<_> = secrets
        .iter()
        .map(|(name, bytes)| (name, hex(bytes)))
        .collect();
    let from = hex(b"/words") + ">";
    let mut lines = 0;
    for command in COMMANDS {
        let logs = tempfile::tempdir().unwrap();
        let log = logs.path().join("log").display().to_string();
        let program = [
            "strace",
            "-ff",
            "-qq",
            "-v",
            "-y",
            "-xx",
            "-s",
            "65535",
            "-o",
            &log,
            env!("CARGO_BIN_EXE_encl"),
        ];
        let output =
            process::output(&mut scene.command(&[&program[..], &arguments(command)].concat()));
        assert!(output.status.success(), "{command:?}: {}", said(&output));
        for log in fs::read_dir(logs.path()).unwrap() {
            let text = fs::read_to_string(log.unwrap().path()).unwrap();
            for line in text.lines() {
                lines += 1;
                // The passphrase is read from this file.
                if line.starts_with("read(") && line.contains(&from) {
                    continue;
                }
                let shown = secrets.iter().find(|(_, hex)| line.contains(hex));
                assert_eq!(shown.map(|(name, _)| name), None, "{command:?}: {line}");
            }
        }
    }
    tell(&format!(
        "crash: {lines} system calls of {} commands, no secret in them",
        COMMANDS.len()
    ));
    assert!(lines > 1_000, "{lines} calls");
}

#[test]
fn no_secret_is_left_in_memory() {
    strace::require();
    let (scene, secrets) = scene();
    let id = fs::read_dir(scene.at("bob/identities"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let id: RootId = id.file_name().to_str().unwrap().parse().unwrap();
    let (mut bytes, mut seen) = (0, 0);
    for command in COMMANDS {
        let program = [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=exit_group",
            "-e",
            "inject=exit_group:delay_enter=2000000",
            env!("CARGO_BIN_EXE_encl"),
        ];
        let mut traced = scene.command(&[&program[..], &arguments(command)].concat());
        let mut traced = traced
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stopped = stopped(&traced);
        let Some(memory) = stopped.and_then(|id| memory(&id)) else {
            wait_with_limit(&mut traced, &command);
            skipped("crash: secrets in memory: this machine does not allow reading it");
            return;
        };
        let status = wait_with_limit(&mut traced, &command);
        assert!(status.success(), "{command:?}: {status}");
        for (place, content) in memory {
            bytes += content.len();
            seen += usize::from(content.windows(32).any(|window| window == id.0));
            for (name, secret) in &secrets {
                let is_there = content
                    .windows(secret.len())
                    .any(|window| window == &secret[..]);
                assert!(!is_there, "{command:?}: {name} is left in {place}");
            }
        }
    }
    // The identity's public id was found, so the search covers the right memory.
    assert!(seen >= COMMANDS.len(), "{seen}");
    tell(&format!(
        "crash: {} MiB of memory of {} commands at their end, no secret in it",
        bytes >> 20,
        COMMANDS.len()
    ));
}

/// The id of the program once the tracer has stopped it: at its end, before the system frees its memory.
fn stopped(tracer: &Child) -> Option<String> {
    let children = format!("/proc/{0}/task/{0}/children", tracer.id());
    let mut still = 0;
    for _ in 0..3_000 {
        sleep(Duration::from_millis(10));
        let id = fs::read_to_string(&children).ok()?;
        let id = id.split_whitespace().next().unwrap_or("none");
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let state = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next());
        still = if state == Some('t') { still + 1 } else { 0 };
        if still == 30 {
            return Some(id.to_owned());
        }
    }
    None
}

/// The writable memory of a process, each region with its name.
fn memory(id: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let mut memory = File::open(format!("/proc/{id}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{id}/maps")).ok()?;
    let mut all = Vec::new();
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        if !rest.starts_with("rw") {
            continue;
        }
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        let mut content = vec![0; usize::try_from(to - from).unwrap()];
        memory.seek(SeekFrom::Start(from)).ok()?;
        memory.read_exact(&mut content).ok()?;
        let name = rest.rsplit(' ').next().unwrap_or_default();
        all.push((format!("{name} {range}"), content));
    }
    Some(all)
}
