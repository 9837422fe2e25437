//! Kills and failing disks during work of several threads: one long content, which is sent to the disk while it is written, and
//! several files in parallel.

use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::failures::must_work;
use super::kills::{SIGKILL, spread};
use super::scene::{MARK, Scene, said};
use super::strace::{self, Call};
use super::{complaints, judge};

/// Long enough for several threads and for early write-back, which begins after 16 MiB.
const LONG_BYTES: usize = 17 << 20;
/// Calls of one command that are tried in the short form.
const SPREAD: usize = 40;
const FILES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// One command whose work threads share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shared {
    WrapLong,
    UnwrapLong,
    WrapMany,
    UnwrapMany,
}

fn long() -> &'static [u8] {
    static LONG: OnceLock<Vec<u8>> = OnceLock::new();
    let mark = || MARK.bytes().cycle().take(LONG_BYTES).collect();
    LONG.get_or_init(mark)
}

fn content(name: &str) -> Vec<u8> {
    format!("{MARK}: {name}\n").repeat(1_000).into_bytes()
}

/// A content sealed by `alice`; all are sealed once.
fn sealed(name: &str) -> Vec<u8> {
    static SEALED: OnceLock<Scene> = OnceLock::new();
    let scene = SEALED.get_or_init(|| {
        let scene = Scene::new();
        scene.write("long", long());
        for name in FILES {
            scene.write(name, &content(name));
        }
        scene.done(&[&["wrap", "long"], &FILES[..], TO_BOB].concat());
        scene
    });
    scene.read(&format!("{name}.encl")).unwrap()
}

const TO_BOB: &[&str] = &["--to", "bob.card", "--keystore", "alice"];

impl Shared {
    const ALL: [Self; 4] = [
        Self::WrapLong,
        Self::UnwrapLong,
        Self::WrapMany,
        Self::UnwrapMany,
    ];

    fn scene(self) -> Scene {
        let scene = Scene::new();
        std::fs::create_dir(scene.at("made")).unwrap();
        match self {
            Self::WrapLong => scene.write("long", long()),
            Self::UnwrapLong => scene.write("long.encl", &sealed("long")),
            Self::WrapMany => FILES
                .iter()
                .for_each(|name| scene.write(name, &content(name))),
            Self::UnwrapMany => {
                let place = |name: &&str| scene.write(&format!("{name}.encl"), &sealed(name));
                FILES.iter().for_each(place);
            }
        }
        scene
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::WrapLong | Self::UnwrapLong => &["long"],
            Self::WrapMany | Self::UnwrapMany => &FILES,
        }
    }

    fn wraps(self) -> bool {
        matches!(self, Self::WrapLong | Self::WrapMany)
    }

    fn arguments(self) -> Vec<String> {
        let (verb, suffix, with) = if self.wraps() {
            ("wrap", "", TO_BOB)
        } else {
            ("unwrap", ".encl", &["--keystore", "bob"][..])
        };
        let inputs = self.names().iter().map(|name| format!("{name}{suffix}"));
        let words = ["-C", "made"].iter().chain(with);
        std::iter::once(verb.to_owned())
            .chain(inputs)
            .chain(words.map(|word| (*word).to_owned()))
            .collect()
    }

    /// Checks that each output is complete or absent, and that there are no other files. Returns the number of outputs.
    fn check(self, scene: &Scene) -> Result<usize, String> {
        let mut whole = 0;
        for name in self.names() {
            let made = format!("made/{name}{}", if self.wraps() { ".encl" } else { "" });
            let Some(bytes) = scene.read(&made) else {
                continue;
            };
            let content = if self.wraps() {
                scene
                    .run(&["unwrap", &made, "-o", "-", "--keystore", "bob"])
                    .stdout
            } else {
                bytes
            };
            let expected = if *name == "long" {
                long().to_vec()
            } else {
                self::content(name)
            };
            if content != expected {
                return Err(format!("{self:?}: {made} is partial"));
            }
            whole += 1;
        }
        let found = std::fs::read_dir(scene.at("made")).unwrap().count();
        if found == whole {
            Ok(whole)
        } else {
            Err(format!("{self:?}: {found} files for {whole} outputs"))
        }
    }

    fn calls(self) -> Vec<Call> {
        let arguments = self.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let scene = self.scene();
        let (output, calls) = strace::record(&scene, &arguments, &[]);
        assert!(output.status.success(), "{self:?}: {}", said(&output));
        assert_eq!(self.check(&scene), Ok(self.names().len()));
        calls
    }

    fn run(self, call: &Call, injection: String) -> (Scene, Output) {
        let arguments = self.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let scene = self.scene();
        let (output, _) = strace::inject(&scene, &arguments, call.thread, &[injection]);
        (scene, output)
    }
}

/// The calls that fit; in the short form, a spread of them.
fn chosen(calls: Vec<Call>, fits: impl Fn(&Call) -> bool) -> Vec<Call> {
    let calls = calls.into_iter().filter(fits).collect();
    spread(calls, SPREAD).collect()
}

#[test]
fn a_kill_of_threads_leaves_nothing_partial() {
    strace::require();
    let points: Vec<(Shared, Call)> = Shared::ALL
        .into_iter()
        .flat_map(|shared| {
            let calls = shared.calls();
            let flushes = calls.iter().any(|call| call.name == "fdatasync");
            assert_eq!(
                flushes,
                shared.names() == ["long"],
                "{shared:?} and early write-back"
            );
            let points = chosen(calls, Call::touches);
            points.into_iter().map(move |call| (shared, call))
        })
        .collect();
    let killed = AtomicUsize::new(0);
    let complaints = complaints(&points, |(shared, call)| {
        let (scene, output) = shared.run(call, call.killing());
        if output.status.signal() == Some(SIGKILL) {
            killed.fetch_add(1, Ordering::Relaxed);
        }
        let check = shared.check(&scene).map(drop);
        check.map_err(|complaint| format!("{complaint} (killed at {})", call.text))
    });
    let killed = killed.into_inner();
    judge(
        &format!("{killed} kills of threads"),
        "partial",
        &complaints,
    );
    // Which thread makes a call varies, so not every call is made again.
    assert!(
        killed * 2 > points.len(),
        "{killed} of {} reached",
        points.len()
    );
}

/// A failure names the output, a file of the keystore, or one of the machine's state.
const NAMED: [&str; 3] = ["made/", "alice", ".local/state"];

#[test]
fn a_failing_disk_is_reported_by_any_thread() {
    strace::require();
    let points: Vec<(Shared, Call)> = Shared::ALL
        .into_iter()
        .flat_map(|shared| {
            let points = chosen(shared.calls(), must_work);
            points.into_iter().map(move |call| (shared, call))
        })
        .collect();
    let failed = AtomicUsize::new(0);
    let complaints = complaints(&points, |(shared, call)| {
        let (scene, output) = shared.run(call, call.failing("EIO"));
        let whole = shared.check(&scene)?;
        match output.status.code() {
            // The call was not made again in a counted thread.
            Some(0) if whole == shared.names().len() => Ok(()),
            Some(1) if NAMED.iter().any(|name| said(&output).contains(name)) => {
                failed.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            code => Err(format!(
                "{shared:?}: exit {code:?} with {whole} whole ({}): {}",
                call.text,
                said(&output)
            )),
        }
    });
    let failed = failed.into_inner();
    judge(
        &format!("{failed} failing calls of threads"),
        "not reported or not clean",
        &complaints,
    );
    assert!(
        failed * 2 > points.len(),
        "{failed} of {} failed",
        points.len()
    );
}
