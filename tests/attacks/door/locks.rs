//! Whoever may read a file can lock it, and that holds nobody up for long; and what killed runs left is removed.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;

use super::ground::{Ground, Kernel, has_strace, names, said};
use crate::support::process;
use crate::tell::skipped;

#[test]
fn a_lock_is_waited_for_five_seconds() {
    let ground = Ground::new();
    for (operation, changed) in [
        (
            FlockOperation::LockShared,
            &["revoke", "--from", "Bob", "--yes"][..],
        ),
        (
            FlockOperation::LockExclusive,
            &["grant", "--to", "bob.card"],
        ),
        (
            FlockOperation::LockShared,
            &["drop", "--from", "Bob", "--yes"],
        ),
    ] {
        fs::copy(ground.at("both.encl"), ground.at("plan.encl")).unwrap();
        if changed[0] == "grant" {
            fs::copy(ground.at("mine.encl"), ground.at("plan.encl")).unwrap();
        }
        let before = fs::read(ground.at("plan.encl")).unwrap();
        let held = File::open(ground.at("plan.encl")).unwrap();
        rustix::fs::flock(&held, operation).unwrap();
        let begun = Instant::now();
        let arguments = [&[changed[0], "plan.encl"], &changed[1..]].concat();
        let told = ground.answers(&arguments, 0);
        let took = begun.elapsed();
        let seconds = Duration::from_secs(5)..Duration::from_secs(9);
        assert!(seconds.contains(&took), "{changed:?} took {took:?}");
        let holder = format!("process {}", std::process::id());
        assert!(told.contains(&holder), "{told}");
        assert_ne!(fs::read(ground.at("plan.encl")).unwrap(), before);
        let hidden = names(&ground.at(""));
        assert!(
            !hidden.iter().any(|name| name.starts_with('.')),
            "{hidden:?}"
        );
    }
}

/// Where two names cannot be exchanged, nothing would tell that another program was faster.
#[test]
fn without_exchange_a_lock_is_the_end() {
    if !has_strace() {
        return skipped("a file system that cannot exchange names: it needs strace");
    }
    let ground = Ground::new();
    fs::copy(ground.at("both.encl"), ground.at("plan.encl")).unwrap();
    let before = fs::read(ground.at("plan.encl")).unwrap();
    let held = File::open(ground.at("plan.encl")).unwrap();
    rustix::fs::flock(&held, FlockOperation::LockShared).unwrap();
    let revoke = ["revoke", "plan.encl", "--from", "Bob", "--yes"];
    let command = ground.command(Kernel::Current, &revoke);
    let mut strace = process::command("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2"]);
    strace.args(["-e", "inject=renameat2:error=EINVAL", "--"]);
    strace.arg(command.get_program()).args(command.get_args());
    strace
        .current_dir(ground.at(""))
        .env("HOME", ground.at("home"));
    let output = process::output(&mut strace);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("another program has locked it"), "{told}");
    assert_eq!(fs::read(ground.at("plan.encl")).unwrap(), before);
    let hidden = names(&ground.at(""));
    assert!(
        !hidden.iter().any(|name| name.starts_with('.')),
        "{hidden:?}"
    );
}

#[test]
fn a_lock_that_is_let_go_is_taken_in_time() {
    let ground = Ground::new();
    fs::copy(ground.at("both.encl"), ground.at("plan.encl")).unwrap();
    let held = File::open(ground.at("plan.encl")).unwrap();
    rustix::fs::flock(&held, FlockOperation::LockShared).unwrap();
    let told = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            drop(held);
        });
        ground.answers(&["revoke", "plan.encl", "--from", "Bob", "--yes"], 0)
    });
    assert!(!told.contains("locked"), "{told}");
}

#[test]
fn what_a_killed_run_of_mine_left_goes_with_the_next() {
    let ground = Ground::new();
    let unwraps: [&[&str]; 3] = [
        &["unwrap", "mine.encl", "-q", "--force", "-C", "shared"],
        &["unwrap", "mine.encl", "-q", "--force", "-o", "shared/x"],
        &["unwrap", "shared/y.encl", "-q", "--force"],
    ];
    for unwrap in unwraps {
        let shared = ground.at("shared");
        let _ = fs::remove_dir_all(&shared);
        fs::create_dir(&shared).unwrap();
        fs::copy(ground.at("mine.encl"), shared.join("y.encl")).unwrap();
        let [left, alive] = ["0123456789abcdef", "fedcba9876543210"]
            .map(|digits| format!("shared/.encl-{digits}.tmp"));
        fs::write(ground.at(&left), b"plaintext that was never checked").unwrap();
        fs::write(ground.at(&alive), b"being written").unwrap();
        let writer = File::open(ground.at(&alive)).unwrap();
        rustix::fs::flock(&writer, FlockOperation::LockExclusive).unwrap();
        ground.done(unwrap);
        assert!(!ground.at(&left).exists(), "{unwrap:?}");
        assert!(ground.at(&alive).exists(), "{unwrap:?}");
    }
}

#[test]
fn what_others_left_is_theirs() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    fs::create_dir(ground.at("shared")).unwrap();
    let left = "shared/.encl-0123456789abcdef.tmp";
    ground.file_of_other(left, b"another user's");
    ground.done(&["unwrap", "mine.encl", "-q", "-C", "shared"]);
    assert!(ground.at(left).exists());
}
