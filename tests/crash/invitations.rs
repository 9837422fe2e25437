//! Inviting a person, or adding an answer, is killed: no invitation is partial, no contact is lost, and the token of every
//! written invitation is valid.

use std::fs;
use std::sync::OnceLock;

use super::failures::must_work;
use super::scene::{Scene, said};
use super::strace;
use super::{complaints, judge};
use crate::folder::Prepared;

const INVITE: &[&str] = &[
    "invite",
    "carol@example.org",
    "-o",
    "second.txt",
    "--keystore",
    "bob",
];
const ANSWERED: &[&str] = &[
    "contact",
    "add",
    "answer.txt",
    "--yes",
    "--json",
    "--keystore",
    "bob",
];

/// Bob has invited Carol, and has her answer.
fn scene() -> Scene {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    Scene::like(&MADE, |scene| {
        scene.done(&[
            "invite",
            "carol@example.org",
            "-o",
            "first.txt",
            "--keystore",
            "bob",
        ]);
        answer(scene, "first.txt", "answer.txt");
    })
}

/// Writes Carol's card with the token of a quoted invitation.
fn answer(scene: &Scene, invitation: &str, name: &str) {
    let invitation = String::from_utf8(scene.read(invitation).unwrap()).unwrap();
    let card = String::from_utf8(scene.read("carol.card").unwrap()).unwrap();
    scene.write(name, format!("{card}\n{invitation}").as_bytes());
}

fn check(scene: &Scene, arguments: &[&str]) -> Result<(), String> {
    let invitations = scene.at("bob/invitations");
    for entry in fs::read_dir(invitations).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let named = path.file_name().is_some_and(|name| name.len() == 64);
        if named && !(text.starts_with("{\"invitation\":") && text.ends_with("}\n")) {
            return Err(format!("{} is partial: {text}", path.display()));
        }
    }
    let alice = scene.run(&["contact", "show", "alice@example.org", "--keystore", "bob"]);
    if !alice.status.success() {
        return Err(format!("alice is lost: {}", said(&alice)));
    }
    if arguments == INVITE {
        if scene.read("second.txt").is_some() {
            answer(scene, "second.txt", "second-answer.txt");
            let add = ["contact", "add", "second-answer.txt", "--yes", "--json"];
            says(
                scene,
                &[&add[..], &["--keystore", "bob"]].concat(),
                &["answers"],
            )?;
        }
        return Ok(());
    }
    says(scene, ANSWERED, &["answers", "answered-before"])?;
    says(scene, ANSWERED, &["answered-before"])
}

fn says(scene: &Scene, arguments: &[&str], states: &[&str]) -> Result<(), String> {
    let output = scene.run(arguments);
    let object = String::from_utf8_lossy(&output.stdout).into_owned();
    let is = |state: &&str| object.contains(&format!("\"state\":\"{state}\""));
    match output.status.success() && states.iter().any(is) {
        true => Ok(()),
        false => Err(format!("not {states:?}: {object}{}", said(&output))),
    }
}

#[test]
fn a_kill_at_any_call_leaves_invitations_whole() {
    strace::require();
    for arguments in [INVITE, ANSWERED] {
        let (output, calls) = strace::record(&scene(), arguments, &[]);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        let failing: Vec<_> = calls.iter().filter(|call| must_work(call)).collect();
        let checked = complaints(&failing, |call| {
            let scene = scene();
            let (output, _) =
                strace::inject(&scene, arguments, call.thread, &[call.failing("ENOSPC")]);
            let checked = match output.status.code() {
                Some(1) => check(&scene, arguments),
                code => Err(format!("exit {code:?}: {}", said(&output))),
            };
            checked.map_err(|complaint| format!("{}: {complaint} ({})", arguments[0], call.text))
        });
        let tried = format!("{}, {} failing calls", arguments[0], failing.len());
        judge(&tried, "not reported or lost", &checked);
        let touching: Vec<_> = calls.into_iter().filter(strace::Call::touches).collect();
        assert!(touching.len() > 10, "{arguments:?}: {}", touching.len());
        let complaints = complaints(&touching, |call| {
            let scene = scene();
            strace::inject(&scene, arguments, call.thread, &[call.killing()]);
            check(&scene, arguments).map_err(|complaint| {
                format!(
                    "{}: {complaint} (killed at {} {}: {})",
                    arguments[0], call.name, call.nth, call.text
                )
            })
        });
        let tried = format!("{}, {} crash points", arguments[0], touching.len());
        judge(&tried, "partial or lost", &complaints);
    }
}
