//! Small changes of a keystore, killed at every call that touches a disk and failing at every write: the keystore opens, no key
//! or contact is lost, and no contact's trust changes.

use std::sync::OnceLock;

use super::failures::must_work;
use super::judge;
use super::scene::{NUMBER, Scene, said};
use super::strace::{self, Call};
use crate::folder::Prepared;
use crate::support::sweep;

/// The changes, each with the words of `contact list` that may be missing afterwards.
const CHANGES: [(&[&str], &str); 9] = [
    (&["group", "new", "crew", "alice@example.org"], ""),
    (&["group", "add", "team", "carol@example.org"], ""),
    (&["group", "remove", "team", "alice@example.org"], ""),
    (&["group", "delete", "team"], ""),
    (
        &["contact", "remove", "carol@example.org", "--yes"],
        "carol@example.org  blocked",
    ),
    (
        &["contact", "add", "revocation", "--yes"],
        "dora@example.org  not verified",
    ),
    (&["key", "default", "second@example.org"], ""),
    (&["key", "revoke", "second@example.org", "--yes"], ""),
    (&["key", "remove", "second@example.org", "--yes"], ""),
];
const LISTED: [&str; 3] = [
    "alice@example.org  verified",
    "carol@example.org  blocked",
    "dora@example.org  not verified",
];

/// Bob has verified Alice and blocked Carol, and has a second identity and a group. The folder has Dora's revocation.
fn scene() -> Scene {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    Scene::like(&MADE, |scene| {
        scene.done(&[
            "contact",
            "verify",
            "alice@example.org",
            "--code",
            NUMBER,
            "--keystore",
            "bob",
        ]);
        scene.script(
            "set -e; b='--keystore bob'; \
            \"$ENCL\" contact add carol.card --yes $b; \"$ENCL\" contact block carol@example.org $b; \
            \"$ENCL\" key new dora@example.org --no-passphrase --keystore dora > dora.card; \
            \"$ENCL\" contact add dora.card --yes $b; \"$ENCL\" key revoke --yes --keystore dora > revocation; rm -r dora; \
            \"$ENCL\" key new second@example.org --no-passphrase $b > second.card; \
            \"$ENCL\" group new team alice@example.org $b",
        );
    })
}

fn check(scene: &Scene, arguments: &[&str], may_miss: &str) -> Result<(), String> {
    for command in [&["doctor"][..], &["verify", "in.encl"], &["group", "list"]] {
        let output = scene.run(&[command, &["--keystore", "bob"]].concat());
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            return Err(format!("{}: {}{text}", command[0], said(&output)));
        }
    }
    let list = scene.run(&["contact", "list", "--keystore", "bob"]).stdout;
    let list = String::from_utf8_lossy(&list).into_owned();
    let missing = |words: &&&str| **words != may_miss && !list.contains(**words);
    if let Some(words) = LISTED.iter().find(missing) {
        return Err(format!("not {words:?}: {list}"));
    }
    // The change was made before, or is made now.
    match scene.run(arguments).status.code() {
        Some(0 | 7 | 8) => Ok(()),
        code => Err(format!("it cannot be done again: exit {code:?}")),
    }
}

#[test]
fn small_changes_survive_kills_and_failing_disks() {
    strace::require();
    let (mut kills, mut failures, mut wrong) = (0, 0, Vec::new());
    for (command, may_miss) in CHANGES {
        let arguments = [command, &["--keystore", "bob"]].concat();
        let (output, calls) = strace::record(&scene(), &arguments, &[]);
        assert!(output.status.success(), "{command:?}: {}", said(&output));
        let step = if sweep::is_full() { 1 } else { 2 };
        let calls = calls.into_iter().filter(Call::touches);
        let calls: Vec<Call> = calls.step_by(step).collect();
        let points: Vec<(&Call, bool)> = (calls.iter())
            .flat_map(|call| [Some((call, false)), must_work(call).then_some((call, true))])
            .flatten()
            .collect();
        wrong.extend(super::complaints(&points, |(call, fails)| {
            let scene = scene();
            let injection = if *fails {
                call.failing("EIO")
            } else {
                call.killing()
            };
            let (output, _) = strace::inject(&scene, &arguments, call.thread, &[injection]);
            let checked = match (fails, output.status.code()) {
                (true, code) if code != Some(1) => Err(format!("exit {code:?}")),
                _ => Ok(()),
            };
            let checked = checked.and_then(|()| check(&scene, &arguments, may_miss));
            checked
                .map_err(|complaint| format!("{command:?}: {complaint} ({fails} at {})", call.text))
        }));
        kills += calls.len();
        failures += points.len() - calls.len();
    }
    let tried = format!(
        "{kills} kills and {failures} failing calls of {} smaller changes",
        CHANGES.len()
    );
    judge(&tried, "bad", &wrong);
    assert!(
        kills > 40 && failures > 15,
        "{kills} kills, {failures} failing calls"
    );
}
