//! Changes of identities are killed: the identity opens with the old or the new passphrase, and no key is lost.

use std::sync::OnceLock;

use super::failures::must_work;
use super::judge;
use super::scene::{Scene, said};
use super::strace::{self, Call};
use crate::folder::Prepared;

/// A change, and the passphrase files that may be valid afterwards.
struct Change {
    name: &'static str,
    arguments: &'static [&'static str],
    keystore: &'static str,
    passphrases: &'static [&'static str],
}

const CHANGES: [Change; 7] = [
    Change {
        name: "key passphrase",
        arguments: &[
            "key",
            "passphrase",
            "--new-passphrase-file",
            "new",
            "--keystore",
            "bob",
        ],
        keystore: "bob",
        passphrases: &["new"],
    },
    Change {
        name: "key rotate",
        arguments: &["key", "rotate", "--keystore", "bob"],
        keystore: "bob",
        passphrases: &[],
    },
    Change {
        name: "key replace",
        arguments: &["key", "replace", "--keystore", "bob"],
        keystore: "bob",
        passphrases: &[],
    },
    Change {
        name: "key import, a later one",
        arguments: &["key", "import", "later.identity", "--keystore", "bob"],
        keystore: "bob",
        passphrases: &[],
    },
    Change {
        name: "key import, a new one",
        arguments: &["key", "import", "later.identity", "--keystore", "fresh"],
        keystore: "fresh",
        passphrases: &[],
    },
    Change {
        name: "key paper --restore, a later one",
        arguments: &[
            "key",
            "paper",
            "--restore",
            "later.page",
            "--keystore",
            "bob",
        ],
        keystore: "bob",
        passphrases: &[],
    },
    Change {
        name: "key paper --restore, a new one",
        arguments: &[
            "key",
            "paper",
            "--restore",
            "later.page",
            "--no-passphrase",
            "--keystore",
            "fresh",
        ],
        keystore: "fresh",
        passphrases: &[],
    },
];

/// Bob has a file and a page with a later key of his, from another machine.
fn scene() -> Scene {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    Scene::like(&MADE, |scene| {
        scene.write("new", b"a new passphrase\n");
        scene.script(
            "export XDG_STATE_HOME=$PWD/elsewhere; cp -a bob later && \"$ENCL\" key rotate --keystore later > later.card && \
            \"$ENCL\" key export -o later.identity --keystore later && \
            \"$ENCL\" key paper -o later.page --keystore later && rm -r later later.card elsewhere",
        );
    })
}

impl Change {
    /// Checks that an old envelope opens, with no passphrase or a new one. The command can be run again, and then a new
    /// envelope opens as well as the old one.
    fn check(&self, scene: &Scene) -> Result<(), String> {
        if self.keystore == "bob" {
            self.opens(scene, "in.encl")?;
        }
        let again = scene.run(&[self.arguments, &["--passphrase-file", "new"]].concat());
        if !again.status.success() {
            return Err(format!(
                "{}: it cannot be done again: {}",
                self.name,
                said(&again)
            ));
        }
        self.opens(scene, "in.encl")?;
        let card = scene.run(&["key", "card", "--keystore", self.keystore]);
        scene.write("current.card", &card.stdout);
        let wrap = [
            "wrap",
            "in",
            "--to",
            "current.card",
            "--anonymous",
            "-o",
            "late.encl",
            "--keystore",
            "alice2",
        ];
        let wrapped = scene.run(&wrap);
        if !wrapped.status.success() {
            return Err(format!("{}: {}", self.name, said(&wrapped)));
        }
        self.opens(scene, "late.encl")
    }

    /// Checks that a failed call is reported. If the call only saves a hint, or another way was found, the command must succeed
    /// instead.
    fn fails(&self, call: &Call) -> Result<(), String> {
        let scene = scene();
        let (output, _) = strace::inject(
            &scene,
            self.arguments,
            call.thread,
            &[call.failing("ENOSPC")],
        );
        match output.status.code() {
            Some(1) => self.check(&scene),
            code => Err(format!("{}: exit {code:?}: {}", self.name, said(&output))),
        }
    }

    fn opens(&self, scene: &Scene, envelope: &str) -> Result<(), String> {
        let verify = [
            "verify",
            envelope,
            "--no-input",
            "--keystore",
            self.keystore,
        ];
        let mut output = scene.run(&verify);
        for file in self.passphrases {
            if !output.status.success() {
                output = scene.run(&[&verify[..], &["--passphrase-file", file]].concat());
            }
        }
        match output.status.success() {
            true => Ok(()),
            false => Err(format!(
                "{}: {envelope} does not open: {}",
                self.name,
                said(&output)
            )),
        }
    }
}

#[test]
fn a_kill_at_any_call_loses_no_key() {
    strace::require();
    for change in &CHANGES {
        let (output, calls) = strace::record(&scene(), change.arguments, &[]);
        assert!(
            output.status.success(),
            "{}: {}",
            change.name,
            said(&output)
        );
        let failing: Vec<_> = calls.iter().filter(|call| must_work(call)).collect();
        let complaints = super::complaints(&failing, |call| {
            let checked = change.fails(call);
            checked.map_err(|complaint| format!("{complaint} (ENOSPC from {})", call.text))
        });
        let tried = format!("{}, {} failing calls", change.name, failing.len());
        judge(&tried, "not reported or lost", &complaints);
        let touching: Vec<_> = calls.into_iter().filter(strace::Call::touches).collect();
        assert!(touching.len() > 10, "{}: {}", change.name, touching.len());
        let complaints = super::complaints(&touching, |call| {
            let scene = scene();
            strace::inject(&scene, change.arguments, call.thread, &[call.killing()]);
            change.check(&scene).map_err(|complaint| {
                format!(
                    "{complaint} (killed at {} {}: {})",
                    call.name, call.nth, call.text
                )
            })
        });
        let tried = format!("{}, {} crash points", change.name, touching.len());
        judge(&tried, "lost", &complaints);
    }
}
