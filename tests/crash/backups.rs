//! A backup is complete or absent, and a killed restore can be run again: no data is lost, and no contact gains trust.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::sync::OnceLock;

use super::failures::must_work;
use super::kills::SIGKILL;
use super::scene::{Scene, said};
use super::strace::{self, Call};
use super::{complaints, judge};
use crate::folder::Prepared;
use crate::support::sweep;

const BACKUP: &[&str] = &[
    "backup",
    "-o",
    "out",
    "--passphrase-file",
    "words",
    "--keystore",
    "bob",
];
const RESTORE: &[&str] = &[
    "restore",
    "keys.encl",
    "--foreign",
    "--yes",
    "--passphrase-file",
    "words",
    "--keystore",
    "alice",
];
const ANEW: &[&str] = &[
    "restore",
    "keys.encl",
    "--yes",
    "--passphrase-file",
    "words",
    "--keystore",
    "fresh",
];

/// The scene in which a command runs: for [`ANEW`] on a machine that knows nobody.
fn scene(arguments: &[&str]) -> Scene {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    static BLANK: OnceLock<Prepared> = OnceLock::new();
    match arguments == ANEW {
        false => Scene::like(&MADE, furnish),
        true => Scene::like(&BLANK, |scene| {
            furnish(scene);
            for folder in ["alice", "bob", ".local"] {
                fs::remove_dir_all(scene.at(folder)).unwrap();
            }
        }),
    }
}

/// Bob has verified Alice, blocked Carol, and has a group and a second identity; all of it is in the backup `keys.encl`.
fn furnish(scene: &Scene) {
    scene.write("words", b"a passphrase\n");
    scene.script(
        "\"$ENCL\" contact add carol.card --yes --keystore bob && \"$ENCL\" contact block carol@example.org --keystore bob && \
         \"$ENCL\" contact verify alice@example.org --code \"$(cat number)\" --keystore bob && \
         \"$ENCL\" key new robert@example.org --no-passphrase --keystore bob > robert.card && \
         \"$ENCL\" group new team alice@example.org carol@example.org --keystore bob && \
         \"$ENCL\" backup -o keys.encl --passphrase-file words --keystore bob",
    );
}

/// Checks that Carol is blocked and Alice verified if they are contacts, and that after another restore everything is there.
fn check(scene: &Scene, arguments: &[&str]) -> Result<(), String> {
    let keystore = arguments[arguments.len() - 1];
    if arguments == BACKUP {
        if scene.read("out").is_some() {
            let restore = [
                "restore",
                "out",
                "--yes",
                "--passphrase-file",
                "words",
                "--keystore",
                "third",
            ];
            succeeds(scene, &restore)?;
            succeeds(scene, &["verify", "in.encl", "--keystore", "third"])?;
        }
        return succeeds(scene, &["verify", "in.encl", "--keystore", "bob"]);
    }
    let before = scene.run(&["contact", "list", "--keystore", keystore]);
    if !before.status.success() {
        return Err(format!("the keystore is unreadable: {}", said(&before)));
    }
    let listed = String::from_utf8_lossy(&before.stdout).into_owned();
    if listed
        .lines()
        .any(|line| line.starts_with("carol") && !line.contains("blocked"))
    {
        return Err(format!("somebody who was blocked is not: {listed}"));
    }
    let is_about_alice = |line: &&str| line.starts_with("alice") && keystore == "fresh";
    if let Some(alice) = listed.lines().find(is_about_alice)
        && alice.contains("not verified")
    {
        return Err(format!("somebody who was verified is not: {listed}"));
    }
    succeeds(scene, arguments)?;
    let keys = scene.run(&["key", "list", "--keystore", keystore]);
    let keys = String::from_utf8_lossy(&keys.stdout).into_owned();
    let (default, others) = match keystore {
        "fresh" => ("* bob@", &["robert@"][..]),
        _ => ("* alice@", &["bob@", "robert@"][..]),
    };
    if !keys.starts_with(default) || !others.iter().all(|other| keys.contains(other)) {
        return Err(format!("an identity or the default is lost: {keys}"));
    }
    succeeds(scene, &["verify", "in.encl", "--keystore", keystore])?;
    succeeds(scene, &["group", "show", "team", "--keystore", keystore])?;
    succeeds(scene, &["doctor", "--keystore", keystore])?;
    let wrap = [
        "wrap",
        "in",
        "-o",
        "no",
        "--to",
        "carol@example.org",
        "--keystore",
        keystore,
    ];
    match scene.run(&wrap).status.code() {
        Some(7) => Ok(()),
        code => Err(format!("sealed for somebody who is blocked: {code:?}")),
    }
}

fn succeeds(scene: &Scene, arguments: &[&str]) -> Result<(), String> {
    let output = scene.run(arguments);
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{}: {}", arguments[0], said(&output))),
    }
}

#[test]
fn backups_survive_kills_and_failing_disks() {
    strace::require();
    let (mut kills, mut failed) = (0, 0);
    let mut wrong = Vec::new();
    for arguments in [BACKUP, RESTORE, ANEW] {
        let (output, calls) = strace::record(&scene(arguments), arguments, &[]);
        assert!(output.status.success(), "{}", said(&output));
        let calls = calls.into_iter().filter(Call::touches);
        let step = if sweep::is_full() { 1 } else { 6 };
        let calls: Vec<Call> = calls.step_by(step).collect();
        let points: Vec<(&Call, Option<&str>)> = (calls.iter())
            .flat_map(|call| {
                let fails = must_work(call).then_some((call, Some("ENOSPC")));
                [Some((call, None)), fails].into_iter().flatten()
            })
            .collect();
        wrong.extend(complaints(&points, |(call, error)| {
            let scene = scene(arguments);
            let injection = error.map_or_else(|| call.killing(), |error| call.failing(error));
            let (output, _) = strace::inject(&scene, arguments, call.thread, &[injection]);
            let checked = match (error, output.status.code()) {
                // A failure to save a hint (the time) does not fail the command.
                (_, Some(0)) => done(&scene, arguments),
                (None, _) if output.status.signal() == Some(SIGKILL) => Ok(()),
                // The nth call may be another one, since the order of threads varies.
                (Some(_), Some(1 | 6)) => Ok(()),
                (_, code) => Err(format!("exit {code:?}: {}", said(&output))),
            };
            checked
                .and_then(|()| check(&scene, arguments))
                .map_err(|complaint| {
                    format!("{}: {complaint} ({error:?} at {})", arguments[0], call.text)
                })
        }));
        kills += calls.len();
        failed += points.len() - calls.len();
    }
    judge(
        &format!("{kills} kills and {failed} failing calls of backup and restore"),
        "bad",
        &wrong,
    );
    assert!(
        kills > 50 && failed > 20,
        "{kills} kills, {failed} failing calls"
    );
}

/// Checks that a command which reports success has done its work.
fn done(scene: &Scene, arguments: &[&str]) -> Result<(), String> {
    if arguments == BACKUP {
        let is_there = scene.read("out").is_some();
        return is_there
            .then_some(())
            .ok_or_else(|| "exit 0 without a backup".to_owned());
    }
    let foreseen = scene.run(&[arguments, &["--dry-run"]].concat());
    match String::from_utf8_lossy(&foreseen.stdout).contains("everything in it is already here") {
        true => Ok(()),
        false => Err(format!(
            "exit 0 with something left to do: {}",
            said(&foreseen)
        )),
    }
}
