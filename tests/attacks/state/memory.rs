//! What Bob's machine remembers when a changed keystore is used, and how he runs the program there.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use encl::json;

use super::changes::{Change, Machine, machine_key, place};
use super::ground::{KEYSTORE, STATE, Scene, card_in, write};
use crate::support::process;
use crate::tell::skipped;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    Kept,
    /// It is there, and cannot be written to.
    ReadOnly,
    /// The first use of the keystore comes after the change.
    FirstUse,
    /// There is no place for a state folder.
    None,
    /// An earlier version, 855f9f5, remembered the keystore; it was changed before this version met it.
    Migrated,
}

/// A changed keystore on Bob's machine.
pub(super) struct Changed {
    pub(super) scene: Scene,
    pub(super) memory: Memory,
    keystore: &'static str,
}

impl Changed {
    pub(super) fn new(change: &Change, memory: Memory) -> Self {
        let scene = match memory {
            Memory::Kept | Memory::ReadOnly => Scene::new(),
            Memory::FirstUse | Memory::None | Memory::Migrated => Scene::unused(),
        };
        let key = json::to_b64(machine_key().expose()) + "\n";
        write(&scene.at(STATE).join("key"), key.as_bytes());
        (change.make)(&scene);
        let memory = match change.machine {
            Machine::Another => Memory::FirstUse,
            Machine::Same => memory,
        };
        match memory {
            Memory::Kept | Memory::None => {}
            Memory::ReadOnly => close(&scene.at(STATE)),
            Memory::FirstUse => fs::remove_dir_all(scene.at(STATE)).unwrap(),
            Memory::Migrated => remember_as_before(&scene, &key),
        }
        let keystore = change.keystore;
        Self {
            scene,
            memory,
            keystore,
        }
    }

    /// Whether what was decided before the change is remembered.
    pub(super) fn remembers(&self) -> bool {
        matches!(self.memory, Memory::Kept | Memory::ReadOnly)
    }

    pub(super) fn keystore(&self) -> std::path::PathBuf {
        self.scene.at(self.keystore)
    }

    pub(super) fn bob(&self, arguments: &[&str]) -> Output {
        process::output(&mut self.command(arguments))
    }

    pub(super) fn code(&self, arguments: &[&str]) -> i32 {
        ended(&self.bob(arguments), arguments)
    }

    /// Runs the program with Bob's letter on standard input.
    pub(super) fn with_mail(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.stdin(fs::File::open(self.scene.at("mail")).unwrap());
        process::output(&mut command)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match self.memory {
            Memory::ReadOnly if is_root() => {
                self.scene.command_by("setpriv", &WITHOUT_POWER, "bob")
            }
            _ => self.scene.command("bob", &[]),
        };
        command.args(arguments);
        if self.memory == Memory::None {
            command.env("XDG_STATE_HOME", "/dev/null/nowhere");
        }
        if self.keystore != KEYSTORE {
            command.env("ENCL_KEYSTORE", self.keystore());
        }
        command
    }
}

/// The exit code of a program that ended by itself and not by a panic.
pub(super) fn ended(output: &Output, arguments: &[&str]) -> i32 {
    let code = output.status.code();
    assert!(
        code.is_some_and(|code| code != 101),
        "{arguments:?}: {output:?}"
    );
    code.unwrap()
}

/// Root writes to any folder, unless it has given up that power.
const WITHOUT_POWER: [&str; 2] = [
    "--bounding-set=-dac_override,-dac_read_search",
    env!("CARGO_BIN_EXE_encl"),
];

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether a folder can be closed to the program.
pub(super) fn can_be_read_only() -> bool {
    static CAN: LazyLock<bool> = LazyLock::new(|| {
        let given_up = || {
            Command::new("setpriv")
                .args([WITHOUT_POWER[0], "true"])
                .output()
        };
        !is_root() || given_up().is_ok_and(|output| output.status.success())
    });
    if !*CAN {
        skipped(
            "a state folder that cannot be written: root, and `setpriv` cannot give up the power to write anywhere",
        );
    }
    *CAN
}

/// Lets nobody write to a folder.
fn close(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => close(&path),
            false => fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap(),
        }
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o500)).unwrap();
}

/// Puts there what 855f9f5 remembered: Alice is verified, Dan blocked, and Carol was verified once and is no more.
fn remember_as_before(scene: &Scene, key: &str) {
    let state = scene.at(STATE);
    fs::remove_dir_all(&state).unwrap();
    for folder in [state.clone(), state.join("trust")] {
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    write(&state.join("key"), key.as_bytes());
    let [alice, bob, carol, dan] =
        ["alice", "bob", "carol", "dan"].map(|who| card_in(scene, &format!("{who}.card")).id());
    let mut text = b"encl-trust/1\n".to_vec();
    for line in [
        format!("{alice} verified 2026-11-24T02:00:00Z code {bob}"),
        format!("{carol} unverified"),
        format!("{dan} blocked 2026-11-24T03:00:00Z"),
    ] {
        writeln!(text, "{line}").unwrap();
    }
    // It was written before the keystore was moved, if it was.
    let place = place(&scene.at("bob/.local/share")).to_string();
    write(&state.join("trust").join(place), &text);
}
