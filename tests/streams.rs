//! Streams: data passes through two pipes unchanged, in memory that does not grow with its length.
//!
//! The short form sends 96 MiB; `ENCL_SWEEP=full` sends 5 GiB.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use sha2::{Digest, Sha256};

#[path = "support/mod.rs"]
mod support;

use support::process::{self, wait_with_limit};
use support::sweep;

const MIB: u64 = 1 << 20;
/// The most that a long stream may use above a short one; below, the most for a short one.
const GROWTH_KIB_MAX: u64 = 2 * 1024;
const PEAK_KIB_MAX: u64 = 32 * 1024;

fn encl(folder: &Path, keystore: &str) -> Command {
    let mut command = process::command(env!("CARGO_BIN_EXE_encl"));
    command
        .env("ENCL_KEYSTORE", folder.join(keystore))
        .env(
            "XDG_STATE_HOME",
            folder.join(format!("state of {keystore}")),
        )
        .current_dir(folder);
    command
        .env_remove("ENCL_IDENTITY")
        .env_remove("ENCL_PASSPHRASE_FILE");
    command
}

/// The peak of resident memory of a process so far, in KiB; 0 once it has ended.
fn peak_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

/// Sends `bytes` through wrap and unwrap and compares; returns the higher of the two peaks in KiB.
fn through_two_pipes(folder: &Path, bytes: u64, options: &[&str]) -> u64 {
    let mut wrap = encl(folder, "alice")
        .args(["wrap", "-", "--to", "bob@example.org", "--quiet"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut unwrap = encl(folder, "bob")
        .args(["unwrap", "-", "--quiet"])
        .stdin(wrap.stdout.take().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut source, mut sink) = (wrap.stdin.take().unwrap(), unwrap.stdout.take().unwrap());
    let sent = thread::spawn(move || {
        let (mut hash, mut block, mut left) = (Sha256::new(), vec![0; 1 << 20], bytes);
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        while left > 0 {
            for word in block.chunks_exact_mut(8) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            let count = usize::try_from(left.min(MIB)).unwrap();
            hash.update(&block[..count]);
            source.write_all(&block[..count]).unwrap();
            left -= count as u64;
        }
        hash.finalize()
    });
    let ids = [wrap.id(), unwrap.id()];
    let received = thread::spawn(move || {
        let (mut hash, mut block, mut peak) = (Sha256::new(), vec![0; 1 << 20], 0);
        loop {
            let count = sink.read(&mut block).unwrap();
            peak = ids.into_iter().map(peak_kib).fold(peak, u64::max);
            if count == 0 {
                return (hash.finalize(), peak);
            }
            hash.update(&block[..count]);
        }
    });
    for child in [&mut wrap, &mut unwrap] {
        assert!(wait_with_limit(child, &options).success());
    }
    let (hash, peak) = received.join().unwrap();
    assert!(
        sent.join().unwrap() == hash,
        "{bytes} bytes did not come back"
    );
    peak
}

#[test]
fn memory_is_the_same_for_every_length() {
    let folder = tempfile::tempdir().unwrap();
    for person in ["alice", "bob"] {
        let address = format!("{person}@example.org");
        let mut new = encl(folder.path(), person);
        new.args(["key", "new", &address, "--no-passphrase"]);
        let made = process::output(&mut new);
        assert!(made.status.success());
        fs::write(folder.path().join(format!("{person}.card")), made.stdout).unwrap();
    }
    let mut add = encl(folder.path(), "alice");
    add.args(["contact", "add", "bob.card", "--yes"]);
    assert!(process::output(&mut add).status.success());
    let long = if sweep::is_full() {
        5 * 1024 * MIB
    } else {
        96 * MIB
    };
    for options in [&[][..], &["--pad", "--private"], &["--armor"]] {
        let short_kib = through_two_pipes(folder.path(), 5 * MIB, options);
        let long_kib = through_two_pipes(folder.path(), long, options);
        println!(
            "{options:?}: peak {short_kib} KiB for 5 MiB, {long_kib} KiB for {} MiB",
            long / MIB
        );
        assert!(
            short_kib > 0 && long_kib <= PEAK_KIB_MAX,
            "{options:?}: {long_kib} KiB"
        );
        assert!(
            long_kib <= short_kib + GROWTH_KIB_MAX,
            "{options:?}: {short_kib} KiB and then {long_kib}"
        );
    }
}
