//! Commands that are interrupted, and checks that must hold afterwards.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;
use std::sync::OnceLock;

use super::scene::{NUMBER, OLD, Scene, plaintext, said};
use super::strace::{self, Call, Thread};
use crate::folder::Prepared;

/// One command, and the files that it starts with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static [&'static str],
    /// The keystore that the command reads and may change.
    pub(crate) keystore: &'static str,
    target: Target,
    folder: Folder,
    /// The exit code without failures.
    exit: i32,
}

/// The file `out` before the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Absent,
    Old,
}

/// Features of the target's file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    Modern,
    /// `O_TMPFILE` fails, as on some file systems, and a hidden file is used instead.
    WithoutUnnamedFiles,
}

const WRAP: &[&str] = &[
    "wrap",
    "in",
    "--to",
    "bob.card",
    "-o",
    "out",
    "--keystore",
    "alice",
];
const WRAP_OVER: &[&str] = &[
    "wrap",
    "in",
    "--to",
    "bob.card",
    "-o",
    "out",
    "--force",
    "--keystore",
    "alice",
];
const UNWRAP: &[&str] = &["unwrap", "in.encl", "-o", "out", "--keystore", "bob"];
const UNWRAP_OVER: &[&str] = &[
    "unwrap",
    "in.encl",
    "-o",
    "out",
    "--force",
    "--keystore",
    "bob",
];
const KEY_NEW: &[&str] = &[
    "key",
    "new",
    "carol@example.org",
    "--no-passphrase",
    "--keystore",
    "carol",
];
const KEY_NEW_BESIDE: &[&str] = &[
    "key",
    "new",
    "carol@example.org",
    "--no-passphrase",
    "--keystore",
    "bob",
];
const CONTACT_NEW: &[&str] = &["contact", "add", "carol.card", "--yes", "--keystore", "bob"];
const CONTACT_AGAIN: &[&str] = &["contact", "add", "alice.card", "--yes", "--keystore", "bob"];
const CHANGED: &[&str] = &["contact", "add", "other.card", "--yes", "--keystore", "bob"];
const VERIFY: &[&str] = &[
    "contact",
    "verify",
    "alice@example.org",
    "--code",
    NUMBER,
    "--keystore",
    "bob",
];
const BLOCK: &[&str] = &["contact", "block", "alice@example.org", "--keystore", "bob"];
const UNBLOCK: &[&str] = &[
    "contact",
    "unblock",
    "alice@example.org",
    "--keystore",
    "bob",
];

/// The name of the scenario in which the keystore saves the time for the first time.
const SEES_TIME: &str = "unwrap, the time is noted";

impl Scenario {
    /// Whether the command may succeed although a call fails.
    pub(crate) fn forgives(&self) -> bool {
        self.name == SEES_TIME
    }

    pub(crate) fn all() -> Vec<Self> {
        use Folder::{Modern, WithoutUnnamedFiles};
        use Target::{Absent, Old};
        let scenario = |name, arguments, keystore, target, folder, exit| Self {
            name,
            arguments,
            keystore,
            target,
            folder,
            exit,
        };
        vec![
            scenario("wrap", WRAP, "alice", Absent, Modern, 0),
            scenario("wrap, target kept", WRAP, "alice", Old, Modern, 8),
            scenario("wrap, target replaced", WRAP_OVER, "alice", Old, Modern, 0),
            scenario(
                "wrap, hidden file",
                WRAP,
                "alice",
                Absent,
                WithoutUnnamedFiles,
                0,
            ),
            scenario(
                "wrap, hidden file, target replaced",
                WRAP_OVER,
                "alice",
                Old,
                WithoutUnnamedFiles,
                0,
            ),
            scenario("unwrap", UNWRAP, "bob", Absent, Modern, 0),
            scenario("unwrap, target kept", UNWRAP, "bob", Old, Modern, 8),
            scenario(
                "unwrap, target replaced",
                UNWRAP_OVER,
                "bob",
                Old,
                Modern,
                0,
            ),
            scenario(
                "unwrap, hidden file",
                UNWRAP,
                "bob",
                Absent,
                WithoutUnnamedFiles,
                0,
            ),
            scenario(
                "unwrap, hidden file, target replaced",
                UNWRAP_OVER,
                "bob",
                Old,
                WithoutUnnamedFiles,
                0,
            ),
            scenario(SEES_TIME, UNWRAP, "bob", Absent, Modern, 0),
            scenario("key new", KEY_NEW, "carol", Absent, Modern, 0),
            scenario(
                "key new, keystore there",
                KEY_NEW_BESIDE,
                "bob",
                Absent,
                Modern,
                0,
            ),
            scenario("contact add", CONTACT_NEW, "bob", Absent, Modern, 0),
            scenario(
                "contact add, known already",
                CONTACT_AGAIN,
                "bob",
                Absent,
                Modern,
                0,
            ),
            scenario(
                "contact add, another key",
                CHANGED,
                "bob",
                Absent,
                Modern,
                7,
            ),
            scenario("contact verify", VERIFY, "bob", Absent, Modern, 0),
            scenario("contact block", BLOCK, "bob", Absent, Modern, 0),
            scenario("contact unblock", UNBLOCK, "bob", Absent, Modern, 0),
        ]
    }

    pub(crate) fn scene(&self) -> Scene {
        static BLOCKED: OnceLock<Prepared> = OnceLock::new();
        let scene = match self.arguments == UNBLOCK {
            true => Scene::like(&BLOCKED, |scene| drop(scene.done(BLOCK))),
            false => Scene::new(),
        };
        if self.target == Target::Old {
            scene.write("out", OLD);
        }
        if self.forgives() {
            fs::remove_file(scene.at(".local/state/encl/clock")).unwrap();
        }
        scene
    }

    /// Records the calls of a run without failures, with the injections that give the folder its features.
    pub(crate) fn calls(&self) -> Rehearsal {
        let setting = self.setting();
        let scene = self.scene();
        let (output, calls) = strace::record(&scene, self.arguments, &setting);
        assert_eq!(
            output.status.code(),
            Some(self.exit),
            "{}: {}",
            self.name,
            said(&output)
        );
        self.check(&scene).unwrap();
        if self.exit == 0 && self.arguments.contains(&"out") {
            self.check_untouched(&scene).unwrap_err();
        }
        let hidden = calls
            .iter()
            .any(|call| call.text.contains("\".encl-") && call.text.contains("\"out\""));
        assert_eq!(
            hidden,
            self.exit == 0 && self.has_hidden_name(),
            "{}",
            self.name
        );
        // A call cannot have two injections.
        let free = |call: &Call| setting.is_empty() || call.name != "openat";
        Rehearsal {
            scenario: *self,
            calls: calls.into_iter().filter(free).collect(),
            setting,
        }
    }

    /// Whether the target's bytes have a temporary name for some time.
    fn has_hidden_name(&self) -> bool {
        self.folder == Folder::WithoutUnnamedFiles || self.target == Target::Old
    }

    fn setting(&self) -> Vec<String> {
        if self.folder == Folder::Modern {
            return Vec::new();
        }
        let (_, calls) = strace::record(&self.scene(), self.arguments, &[]);
        let mut unnamed = calls
            .iter()
            .filter(|call| call.opens_unnamed() && call.text.contains("\".\""));
        // Only one call can be made to fail. The last one is for the target; earlier ones are for the keystore.
        unnamed
            .next_back()
            .map(|call| call.failing("EOPNOTSUPP"))
            .into_iter()
            .collect()
    }

    /// Checks what must be true however the run ended.
    pub(crate) fn check(&self, scene: &Scene) -> Result<(), String> {
        self.inputs_unchanged(scene)?;
        self.target_whole(scene)?;
        self.nothing_readable(scene)?;
        self.trust_is_as_before_or_after(scene)?;
        self.keystore_opens(scene)
    }

    /// For commands that change the trust in Alice, checks that it is the old or the new one.
    fn trust_is_as_before_or_after(&self, scene: &Scene) -> Result<(), String> {
        let either = match self.arguments {
            CHANGED => ["unverified", "changed"],
            VERIFY => ["unverified", "verified"],
            BLOCK | UNBLOCK => ["unverified", "blocked"],
            _ => return Ok(()),
        };
        let show = [
            "contact",
            "show",
            "alice@example.org",
            "--json",
            "--keystore",
            "bob",
        ];
        let shown = String::from_utf8_lossy(&scene.run(&show).stdout).into_owned();
        let is = |word: &str| shown.contains(&format!("\"trust\":\"{word}\""));
        match either.into_iter().any(is) {
            true => Ok(()),
            false => self.complain(&format!("trust is neither of {either:?}: {shown}")),
        }
    }

    /// Checks that `out` is unchanged, as it must be after a failed run.
    pub(crate) fn check_untouched(&self, scene: &Scene) -> Result<(), String> {
        match (self.target, scene.read("out")) {
            (Target::Absent, None) => Ok(()),
            (Target::Old, Some(bytes)) if bytes == OLD => Ok(()),
            _ => self.complain("out is not as it was before"),
        }
    }

    fn inputs_unchanged(&self, scene: &Scene) -> Result<(), String> {
        static BEFORE: OnceLock<[Option<Vec<u8>>; 5]> = OnceLock::new();
        let names = ["in", "in.encl", "alice.card", "bob.card", "carol.card"];
        let before = BEFORE.get_or_init(|| {
            let first = Scene::new();
            names.map(|name| first.read(name))
        });
        for (name, before) in names.iter().zip(before) {
            if scene.read(name) != *before {
                return self.complain(&format!("{name} was changed"));
            }
        }
        Ok(())
    }

    fn target_whole(&self, scene: &Scene) -> Result<(), String> {
        let Some(bytes) = scene.read("out") else {
            return match self.target {
                Target::Absent => Ok(()),
                Target::Old => self.complain("the old target is gone"),
            };
        };
        if self.target == Target::Old && bytes == OLD {
            return Ok(());
        }
        let whole = match self.arguments[0] {
            "wrap" => {
                scene
                    .run(&["unwrap", "out", "-o", "-", "--keystore", "bob"])
                    .stdout
            }
            _ => bytes,
        };
        match whole == plaintext() {
            true => Ok(()),
            false => self.complain("the target is partial"),
        }
    }

    fn nothing_readable(&self, scene: &Scene) -> Result<(), String> {
        match scene.readable_secrets(&["in"]).as_slice() {
            [] => Ok(()),
            files => self.complain(&format!("others can read {files:?}")),
        }
    }

    /// Checks that the keystore can be listed, that the command can be run again, and that the keys open envelopes.
    fn keystore_opens(&self, scene: &Scene) -> Result<(), String> {
        let succeeds = |arguments: &[&str]| {
            let output = scene.run(&[arguments, &["--keystore", self.keystore]].concat());
            let complaint =
                || self.complaint(&format!("{arguments:?} then fails: {}", said(&output)));
            output.status.success().then_some(()).ok_or_else(complaint)
        };
        if self.arguments[0] == "key" {
            self.again(scene)?;
        }
        succeeds(&["key", "list"])?;
        succeeds(&["contact", "list"])?;
        succeeds(&["group", "list"])?;
        if self.arguments[0] == "key" {
            succeeds(&[
                "wrap",
                "in",
                "--to",
                "carol@example.org",
                "--no-self",
                "--anonymous",
                "-o",
                "again.encl",
            ])?;
            succeeds(&["unwrap", "again.encl"])
        } else {
            succeeds(&["unwrap", "in.encl", "-o", "again"])
        }
    }

    /// Checks that making the identity again succeeds, or reports that it exists.
    fn again(&self, scene: &Scene) -> Result<(), String> {
        let output = scene.run(self.arguments);
        match output.status.code() {
            Some(0 | 8) => Ok(()),
            _ => self.complain(&format!("it cannot be done again: {}", said(&output))),
        }
    }

    fn complain(&self, what: &str) -> Result<(), String> {
        Err(self.complaint(what))
    }

    fn complaint(&self, what: &str) -> String {
        format!("{}: {what}", self.name)
    }
}

/// A scenario that was run once to record its calls.
pub(crate) struct Rehearsal {
    pub(crate) scenario: Scenario,
    pub(crate) calls: Vec<Call>,
    setting: Vec<String>,
}

impl Rehearsal {
    /// Runs the scenario in a new scene with one injected failure.
    pub(crate) fn run(&self, thread: Thread, injection: String) -> (Scene, Output) {
        let scene = self.scenario.scene();
        let injections = [self.setting.clone(), vec![injection]].concat();
        let (output, _) = strace::inject(&scene, self.scenario.arguments, thread, &injections);
        (scene, output)
    }
}

/// The permission bits of a file.
pub(crate) fn mode(scene: &Scene, name: &str) -> u32 {
    fs::metadata(scene.at(name)).unwrap().permissions().mode() & 0o777
}
