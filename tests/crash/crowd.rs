//! Many programs use one keystore at once: they add, verify, group, rotate, list and wrap. Every change that a program reported
//! as done must be there afterwards.
//!
//! The short form is 24 at a time for 6 seconds; `ENCL_SWEEP=full` is 100 at a time for 60.

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use encl::crypto::Kem;
use encl::identity::{Card, CardRequest, Identity};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::scene::{Scene, said};
use crate::support::process;
use crate::support::sweep;
use crate::tell::tell;

/// Seconds for one command, more than any needs while all others run. A command that takes longer is in a deadlock.
const TIMEOUT_SECONDS: &str = "120";
/// The most rotations of an identity, whose number of keys is limited (FORMAT.md, identity file).
const ROTATIONS_MAX: usize = 14;

/// The changes that commands reported as done.
#[derive(Default)]
struct Done {
    added: Vec<usize>,
    verified: Vec<usize>,
    grouped: Vec<usize>,
    /// Rotations of each identity.
    rotated: BTreeMap<usize, usize>,
    wrapped: usize,
    listed: usize,
}

struct Crowd {
    scene: Scene,
    until: Instant,
    next: AtomicUsize,
    done: Mutex<Done>,
    wrong: Mutex<Vec<String>>,
}

impl Crowd {
    fn run(&self, arguments: &[&str]) -> Output {
        let script = "exec timeout \"$0\" \"$ENCL\" \"$@\" --keystore shared --no-input";
        let script = script.replace("$0", TIMEOUT_SECONDS);
        process::output(&mut self.scene.shell(&script, arguments))
    }

    /// Runs a command that must succeed; `note` then records it as done.
    fn succeeds(&self, arguments: &[&str], note: impl FnOnce(&mut Done)) -> bool {
        let output = self.run(arguments);
        if output.status.success() {
            note(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner));
            return true;
        }
        let words = format!(
            "{}: {:?} {}",
            arguments.join(" "),
            output.status.code(),
            said(&output)
        );
        self.wrong.lock().unwrap().push(words);
        false
    }

    /// Runs one member of the crowd, which repeats one kind of change until the time is over.
    fn member(&self, kind: usize) {
        while Instant::now() < self.until {
            match kind % 6 {
                0 | 1 => self.meet(kind.is_multiple_of(2)),
                2 => self.rotate(kind / 6),
                3 => drop(self.succeeds(&["contact", "list"], |done| done.listed += 1)),
                4 => drop(self.succeeds(&["key", "list"], |done| done.listed += 1)),
                _ => {
                    let wrap = ["wrap", "in", "--to", "@everybody", "-o", "/dev/null"];
                    self.succeeds(&wrap, |done| done.wrapped += 1);
                }
            }
        }
    }

    /// Adds a new contact and verifies it or adds it to a group.
    fn meet(&self, verify: bool) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (address, card) = (address(number), format!("{number}.card"));
        self.scene
            .write(&card, card_of(&address).to_text().as_bytes());
        if !self.succeeds(&["contact", "add", &card, "--yes"], |done| {
            done.added.push(number);
        }) {
            return;
        }
        if verify {
            let shown = self
                .run(&["contact", "verify", &address, "--as", "0@example.org"])
                .stdout;
            let code = String::from_utf8_lossy(&shown);
            let verify = [
                "contact",
                "verify",
                &address,
                "--as",
                "0@example.org",
                "--code",
                &code,
            ];
            self.succeeds(&verify, |done| done.verified.push(number));
        } else {
            let group = ["group", "add", "everybody", &address];
            self.succeeds(&group, |done| done.grouped.push(number));
        }
    }

    fn rotate(&self, number: usize) {
        let so_far = self.done.lock().unwrap().rotated.get(&number).copied();
        if so_far.unwrap_or_default() >= ROTATIONS_MAX {
            return std::thread::sleep(Duration::from_millis(50));
        }
        let address = format!("{number}@example.org");
        self.succeeds(&["key", "rotate", &address], |done| {
            *done.rotated.entry(number).or_default() += 1;
        });
    }
}

fn address(number: usize) -> String {
    format!("contact{number}@example.org")
}

fn card_of(address: &str) -> Card {
    let now = "2026-11-24T06:24:00Z".parse().unwrap();
    let identity = Identity::generate(Kem::X25519, now, None, &mut UnwrapErr(SysRng));
    let request = CardRequest {
        name: address.to_owned(),
        addresses: vec![address.to_owned()],
        serial: 1,
        created: now,
    };
    Card::new(&identity, request).unwrap()
}

#[test]
fn a_crowd_on_one_keystore_loses_nothing() {
    let (members, seconds) = if sweep::is_full() { (100, 60) } else { (24, 6) };
    let mut crowd = Crowd {
        scene: Scene::new(),
        until: Instant::now(),
        next: AtomicUsize::new(0),
        done: Mutex::default(),
        wrong: Mutex::default(),
    };
    let rotators = members / 6 + 1;
    for number in 0..rotators {
        let address = format!("{number}@example.org");
        let new = [
            "key",
            "new",
            &address,
            "--no-passphrase",
            "--keystore",
            "shared",
        ];
        crowd.scene.done(&new);
    }
    let group = ["group", "new", "everybody", "--keystore", "shared"];
    crowd.scene.done(&group);
    crowd.scene.write(
        "first.card",
        card_of("first@example.org").to_text().as_bytes(),
    );
    crowd.scene.done(&[
        "contact",
        "add",
        "first.card",
        "--yes",
        "--keystore",
        "shared",
    ]);
    crowd.scene.done(&[
        "group",
        "add",
        "everybody",
        "first@example.org",
        "--keystore",
        "shared",
    ]);
    crowd.until = Instant::now() + Duration::from_secs(seconds);
    std::thread::scope(|scope| {
        for kind in 0..members {
            let crowd = &crowd;
            scope.spawn(move || crowd.member(kind));
        }
    });
    let wrong = crowd.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let done = crowd.done.lock().unwrap();
    let lost = lost(&crowd.scene, &done);
    let rotations: usize = done.rotated.values().sum();
    tell(&format!(
        "crash: {members} programs at a time for {seconds} s: {} added, {} verified, {} put into a group, {rotations} rotations, \
         {} lists, {} wraps; {} lost",
        done.added.len(),
        done.verified.len(),
        done.grouped.len(),
        done.listed,
        done.wrapped,
        lost.len()
    ));
    assert!(lost.is_empty(), "{lost:#?}");
    let counts = [
        done.added.len(),
        done.verified.len(),
        done.grouped.len(),
        rotations,
        done.listed,
        done.wrapped,
    ];
    assert!(
        counts.iter().all(|count| *count > 0),
        "nothing of one kind: {counts:?}"
    );
}

/// Changes that were reported as done and are missing.
fn lost(scene: &Scene, done: &Done) -> Vec<String> {
    let shown = |arguments: &[&str]| {
        let output = scene.done(&[arguments, &["--keystore", "shared"]].concat());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    shown(&["doctor"]);
    let contacts = shown(&["contact", "list"]);
    let line = |number: usize| {
        let address = address(number) + " ";
        contacts.lines().find(|line| line.starts_with(&address))
    };
    let group = shown(&["group", "show", "everybody"]);
    let in_group = |number: usize| {
        group
            .lines()
            .any(|line| line.starts_with(&(address(number) + " ")))
    };
    let mut lost = Vec::new();
    lost.extend(
        done.added
            .iter()
            .filter(|number| line(**number).is_none())
            .map(|number| format!("{number} was added")),
    );
    let verified = |number: usize| line(number).is_some_and(|line| line.contains("  verified  "));
    lost.extend(
        done.verified
            .iter()
            .filter(|number| !verified(**number))
            .map(|number| format!("{number} was verified")),
    );
    lost.extend(
        done.grouped
            .iter()
            .filter(|number| !in_group(**number))
            .map(|number| format!("{number} was put into the group")),
    );
    for (number, rotations) in &done.rotated {
        let keys = shown(&["key", "show", &format!("{number}@example.org")]);
        let keys = keys
            .lines()
            .filter(|line| line.starts_with("key: "))
            .count();
        if keys != rotations + 1 {
            lost.push(format!(
                "{rotations} rotations of {number}, and {keys} keys"
            ));
        }
    }
    lost
}
