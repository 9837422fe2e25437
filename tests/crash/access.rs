//! Access changes that are killed at a system call or meet a failing disk: every envelope is the old one or the new one and
//! opens for its author, and running the command again completes the change.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use encl::envelope::Approval;

use super::failures::must_work;
use super::kills::{SIGKILL, spread};
use super::scene::{Scene, plaintext, said};
use super::strace::{self, Call};
use super::{complaints, judge};
use crate::support::sweep;

/// How many calls of a command the short form kills, and how many it lets fail.
const KILLS: usize = 60;
const FAILURES: usize = 16;

/// One command, the envelopes that it changes, and who can open them afterwards.
struct Change {
    name: String,
    arguments: &'static [&'static str],
    envelopes: &'static [&'static str],
    bob_reads: bool,
    carol_reads: bool,
    /// Injections that make unnamed files fail.
    setting: Vec<String>,
    calls: Vec<Call>,
}

const GRANT: &[&str] = &[
    "grant",
    "in.encl",
    "--to",
    "carol.card",
    "--keystore",
    "alice",
];
const DROP: &[&str] = &[
    "drop",
    "in.encl",
    "--from",
    "bob@example.org",
    "--yes",
    "--keystore",
    "alice",
];
const REVOKE: &[&str] = &[
    "revoke",
    "in.encl",
    "--from",
    "bob@example.org",
    "--yes",
    "--keystore",
    "alice",
];
const ASIDE: &[&str] = &[
    "grant",
    "in.encl",
    "-o",
    "out",
    "--to",
    "carol.card",
    "--keystore",
    "alice",
];
const REWRAP: &[&str] = &[
    "rewrap",
    "-r",
    "tree",
    "--to",
    "carol.card",
    "--yes",
    "--keystore",
    "alice",
];
const REWRAP_ADD: &[&str] = &[
    "rewrap",
    "-r",
    "tree",
    "--to",
    "carol.card",
    "--to",
    "bob.card",
    "--yes",
    "--keystore",
    "alice",
];
const APPROVE: &[&str] = &[
    "approve",
    "vault.encl",
    "--to",
    "carol.card",
    "--yes",
    "-o",
    "approval",
    "--keystore",
    "alice",
];
const REVOKE_TREE: &[&str] = &[
    "revoke",
    "-r",
    "tree",
    "--from",
    "bob@example.org",
    "--yes",
    "--keystore",
    "alice",
];
const WRAP_TREE: &[&str] = &[
    "wrap",
    "-r",
    "papers",
    "--to",
    "carol.card",
    "--keystore",
    "alice",
];
const TREE: &[&str] = &["tree/a/1.encl", "tree/a/2.encl", "tree/b/3"];
/// What `WRAP_TREE` makes.
const PAPERS: &[&str] = &["papers/a/1.encl", "papers/a/2.encl", "papers/b/3.encl"];

/// The scene with three copies of an envelope for Bob in a folder tree, and three files in another.
fn scene() -> Scene {
    let scene = Scene::new();
    for folder in ["tree/a", "tree/b", "papers/a", "papers/b"] {
        fs::create_dir_all(scene.at(folder)).unwrap();
    }
    for envelope in PAPERS {
        scene.write(envelope.trim_end_matches(".encl"), &plaintext());
    }
    for file in TREE {
        fs::copy(scene.at("in.encl"), scene.at(file)).unwrap();
    }
    // Who loses access is named by address.
    scene.done(&["contact", "add", "bob.card", "--yes", "--keystore", "alice"]);
    scene
}

impl Change {
    fn all() -> Vec<Self> {
        let single: &[&str] = &["in.encl"];
        let mut all = Vec::new();
        for (arguments, envelopes, bob_reads, carol_reads) in [
            (GRANT, single, true, true),
            (DROP, single, false, false),
            (REVOKE, single, false, false),
            (ASIDE, &["out"], true, true),
            (REWRAP, TREE, false, true),
            (REWRAP_ADD, TREE, true, true),
            (REVOKE_TREE, TREE, false, false),
            (WRAP_TREE, PAPERS, false, true),
        ] {
            let change = |setting: Vec<String>, name: String| {
                let scene = scene();
                let (output, calls) = strace::record(&scene, arguments, &setting);
                assert!(output.status.success(), "{arguments:?}: {}", said(&output));
                let free = |call: &Call| setting.is_empty() || call.name != "openat";
                let change = Self {
                    name,
                    arguments,
                    envelopes,
                    bob_reads,
                    carol_reads,
                    calls: calls.into_iter().filter(free).collect(),
                    setting,
                };
                change.check(&scene).unwrap();
                change.check_done(&scene).unwrap();
                change
            };
            let modern = change(Vec::new(), arguments.join(" "));
            let unnamed = modern.calls.iter().rfind(|call| call.opens_unnamed());
            let setting = unnamed.map(|call| call.failing("EOPNOTSUPP"));
            if envelopes.len() == 1 {
                let name = format!("{}, hidden file", arguments.join(" "));
                all.push(change(setting.into_iter().collect(), name));
            }
            all.push(modern);
        }
        all
    }

    /// Whether the envelopes are new files, of which a killed run may have made some.
    fn makes_envelopes(&self) -> bool {
        self.envelopes == ["out"] || self.envelopes == PAPERS
    }

    /// Checks, however the command ended, that every envelope is complete and opens for its author.
    fn check(&self, scene: &Scene) -> Result<(), String> {
        for envelope in self.envelopes {
            if self.makes_envelopes() && scene.read(envelope).is_none() {
                continue;
            }
            let opened = scene.run(&["unwrap", envelope, "-o", "-", "--keystore", "alice"]);
            if opened.stdout != plaintext() || !opened.status.success() {
                return Err(format!(
                    "{}: {envelope} is not whole: {}",
                    self.name,
                    said(&opened)
                ));
            }
        }
        Ok(())
    }

    /// Runs the command again, after which the change must be complete.
    fn finish(&self, scene: &Scene) -> Result<(), String> {
        let output = scene.run(self.arguments);
        match output.status.code() {
            Some(0) => {}
            Some(8) if self.makes_envelopes() => {}
            _ => return Err(format!("{}: not again: {}", self.name, said(&output))),
        }
        self.check(scene)?;
        self.check_done(scene)
    }

    fn check_done(&self, scene: &Scene) -> Result<(), String> {
        for envelope in self.envelopes {
            let bob = scene.run(&["verify", envelope, "--keystore", "bob"]);
            let exit = if self.bob_reads { 0 } else { 3 };
            let shown = scene
                .run(&["inspect", "--json", envelope, "--keystore", "alice"])
                .stdout;
            let names_carol = String::from_utf8_lossy(&shown).contains("carol@example.org");
            if bob.status.code() != Some(exit) || names_carol != self.carol_reads {
                return Err(format!("{}: {envelope} is for the wrong people", self.name));
            }
        }
        let left = scene.files().into_iter().find(|path| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with(".encl-") && !path.starts_with(scene.at("alice"))
        });
        match left {
            Some(path) => Err(format!("{}: {} is left over", self.name, path.display())),
            None => Ok(()),
        }
    }
}

/// All calls of each command. The short form takes `count` of the calls that matter and a few of the others.
fn points(
    changes: &[Change],
    count: usize,
    matter: impl Fn(&Call) -> bool,
) -> Vec<(&Change, &Call)> {
    let mut points = Vec::new();
    for change in changes {
        let (first, others): (Vec<_>, Vec<_>) = change.calls.iter().partition(|call| matter(call));
        for (calls, count) in [(first, count), (others, count / 4)] {
            points.extend(spread(calls, count).map(|call| (change, call)));
        }
    }
    points
}

#[test]
fn access_changes_survive_kills_and_failing_disks() {
    strace::require();
    let changes = Change::all();
    kill(&changes);
    fail(&changes);
}

fn kill(changes: &[Change]) {
    let points = points(changes, KILLS, Call::touches);
    let killed = AtomicUsize::new(0);
    let complaints = complaints(&points, |(change, call)| {
        let scene = scene();
        let injections = [change.setting.clone(), vec![call.killing()]].concat();
        let (output, _) = strace::inject(&scene, change.arguments, call.thread, &injections);
        if output.status.signal() == Some(SIGKILL) {
            killed.fetch_add(1, Ordering::Relaxed);
        }
        let check = change.check(&scene).and_then(|()| change.finish(&scene));
        check.map_err(|complaint| format!("{complaint} (killed at {})", call.text))
    });
    let killed = killed.into_inner();
    let tried = format!("{killed} kill points of wrap -r, grant, drop, revoke and rewrap");
    judge(&tried, "partial", &complaints);
    // Memory and threads vary the number of calls, so a few kill points may be missed.
    assert!(
        killed > changes.len() * 20 && killed * 10 > points.len() * 8,
        "{killed} of {} reached",
        points.len()
    );
}

fn fail(changes: &[Change]) {
    let mut calls = points(changes, FAILURES, must_work);
    calls.retain(|(_, call)| must_work(call));
    let points: Vec<_> = calls
        .iter()
        .zip(["EIO", "ENOSPC"].into_iter().cycle())
        .collect();
    let missed = AtomicUsize::new(0);
    let complaints = complaints(&points, |((change, call), error)| {
        let scene = scene();
        let injections = [change.setting.clone(), vec![call.failing(error)]].concat();
        let (output, failed) = strace::inject(&scene, change.arguments, call.thread, &injections);
        // Which worker makes a call varies, so the nth call may be another one, whose failure is allowed.
        let met = |call: &Call| must_work(call) && call.text.contains(error);
        let checked = match output.status.code() {
            Some(1) => change.check(&scene),
            Some(0) if !failed.iter().any(met) => {
                missed.fetch_add(1, Ordering::Relaxed);
                change.check_done(&scene)
            }
            // The content is then copied in another way.
            Some(0) if call.name == "copy_file_range" => change.check_done(&scene),
            code => Err(format!("{}: exit {code:?}: {}", change.name, said(&output))),
        };
        checked
            .and_then(|()| change.finish(&scene))
            .map_err(|complaint| format!("{complaint} ({error} from {})", call.text))
    });
    let failed = points.len() - missed.into_inner();
    let tried = format!("{failed} failing calls of wrap -r, grant, drop, revoke and rewrap");
    judge(&tried, "not reported or not clean", &complaints);
    assert!(
        failed > 50 && failed * 10 > points.len() * 8,
        "only {failed} of {} calls failed",
        points.len()
    );
}

/// The command `approve`: the approval is complete or absent, and the envelope is unchanged.
struct Approving {
    vault: Vec<u8>,
    calls: Vec<Call>,
}

impl Approving {
    fn rehearsed() -> Self {
        let scene = Self::scene(None);
        let quorum = [
            "wrap",
            "in",
            "--quorum",
            "2:alice.card,bob.card",
            "-o",
            "vault.encl",
            "--keystore",
            "alice",
        ];
        scene.done(&quorum);
        let vault = scene.read("vault.encl").unwrap();
        let (output, calls) = strace::record(&Self::scene(Some(&vault)), APPROVE, &[]);
        assert!(output.status.success(), "{}", said(&output));
        Self { vault, calls }
    }

    fn scene(vault: Option<&[u8]>) -> Scene {
        let scene = Scene::new();
        if let Some(vault) = vault {
            scene.write("vault.encl", vault);
        }
        scene
    }

    fn check(&self, scene: &Scene) -> Result<(), String> {
        if scene.read("vault.encl").as_deref() != Some(&*self.vault) {
            return Err("the envelope was changed".to_owned());
        }
        let whole = |bytes: Vec<u8>| Approval::from_bytes(&bytes).map(drop);
        let approval = scene.read("approval").map_or(Ok(()), whole);
        approval.map_err(|error| format!("the approval is not whole: {error}"))
    }

    fn finish(&self, scene: &Scene) -> Result<(), String> {
        self.check(scene)?;
        let again = scene.run(APPROVE);
        match (again.status.code(), scene.read("approval")) {
            (Some(0 | 8), Some(_)) => self.check(scene),
            _ => Err(format!("not again: {}", said(&again))),
        }
    }
}

#[test]
fn an_approval_is_complete_or_absent() {
    strace::require();
    let approving = Approving::rehearsed();
    let calls: Vec<_> = approving
        .calls
        .iter()
        .filter(|call| sweep::is_full() || call.touches())
        .collect();
    let errors = |call: &&Call| must_work(call).then_some(["EIO", "ENOSPC"]);
    let mut points: Vec<_> = calls.iter().map(|call| (*call, None)).collect();
    for call in &calls {
        let errors = errors(call).into_iter().flatten();
        points.extend(errors.map(|error| (*call, Some(error))));
    }
    let complaints = complaints(&points, |(call, error)| {
        let scene = Approving::scene(Some(&approving.vault));
        let injection = error.map_or_else(|| call.killing(), |error| call.failing(error));
        let (output, _) = strace::inject(&scene, APPROVE, call.thread, &[injection]);
        let checked = match (error, output.status.code()) {
            (None, _) | (Some(_), Some(1)) => Ok(()),
            (Some(error), code) => Err(format!("exit {code:?} after {error}")),
        };
        checked
            .and_then(|()| approving.finish(&scene))
            .map_err(|complaint| format!("{complaint} ({error:?} at {})", call.text))
    });
    judge(
        &format!("{} kills and failing calls of approve", points.len()),
        "bad",
        &complaints,
    );
    assert!(points.len() > 40, "only {} tried", points.len());
}
