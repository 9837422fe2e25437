//! Root works in another user's folder, and that user puts a link in its place at the worst moment, told by inotify.
//!
//! The short form is 20 rounds for each command; `ENCL_SWEEP=full` is 200. `ENCL_ATTACKED=PROGRAM` attacks another program, and
//! only counts.

use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, Gid, RenameFlags, Uid, inotify};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::ground::{Ground, Kernel, OTHER, State, has_strace};
use crate::support::{process, sweep};
use crate::tell::{skipped, tell};

/// When the folder and the link change places.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// At this event in the folder, and they stay so.
    Once(usize),
    /// At this event, and at every further one.
    EachFrom(usize),
    /// All the time.
    Always,
}

impl Moment {
    fn of(round: usize) -> Self {
        match round % 10 {
            0..4 => Self::Once(round / 10 % 6 + round % 10 + 1),
            4..7 => Self::EachFrom(round / 10 % 6 + round % 10 - 3),
            _ => Self::Always,
        }
    }
}

/// The other user, in a thread that has that user's rights and no others.
struct Attacker {
    folder: PathBuf,
    link: PathBuf,
    moment: Moment,
}

impl Attacker {
    fn attack(&self, ready: &AtomicBool, over: &AtomicBool) -> usize {
        set_thread_groups(&[]).unwrap();
        let group = Gid::from_raw(OTHER);
        set_thread_res_gid(group, group, group).unwrap();
        let user = Uid::from_raw(OTHER);
        set_thread_res_uid(user, user, user).unwrap();
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        inotify::add_watch(&watch, &self.folder, inotify::WatchFlags::ALL_EVENTS).unwrap();
        ready.store(true, Ordering::Release);
        let mut buffer = [MaybeUninit::uninit(); 4_096];
        let mut reader = inotify::Reader::new(&watch, &mut buffer);
        let (mut events, mut swaps) = (0, 0);
        while !over.load(Ordering::Acquire) {
            if reader.next().is_err() {
                if matches!(self.moment, Moment::Always) {
                    swaps += self.swap();
                }
                std::hint::spin_loop();
                continue;
            }
            events += 1;
            swaps += match self.moment {
                Moment::Once(at) if events == at => self.swap(),
                Moment::EachFrom(at) if events >= at => self.swap(),
                _ => 0,
            };
        }
        swaps
    }

    fn swap(&self) -> usize {
        let exchange = RenameFlags::EXCHANGE;
        let swapped = rustix::fs::renameat_with(CWD, &self.folder, CWD, &self.link, exchange);
        usize::from(swapped.is_ok())
    }
}

/// A command of root's, and where it works.
struct Work {
    name: &'static str,
    arguments: &'static [&'static str],
    /// The folder that is replaced by a link to `outside`.
    folder: &'static str,
    prepare: fn(&Ground),
}

const MESSAGE: &[u8] = b"From: a@example.org\nTo: bob@example.org\n\nhello\n";

const WORKS: [Work; 4] = [
    Work {
        name: "mail seal",
        arguments: &["mail", "seal", "user/box", "--for", "bob@example.org", "-q"],
        folder: "user/box/cur",
        prepare: |ground| {
            ground.maildir_of_other("user/box", "cur/1.host:2,S", MESSAGE);
            fs::write(ground.at("outside/1.host:2,S"), b"root's own").unwrap();
        },
    },
    Work {
        name: "grant",
        arguments: &["grant", "user/plans/plan.encl", "--to", "bob.card", "-q"],
        folder: "user/plans",
        prepare: |ground| envelope(ground, "mine.encl"),
    },
    Work {
        name: "revoke",
        arguments: &[
            "revoke",
            "user/plans/plan.encl",
            "--from",
            "Bob",
            "--yes",
            "-q",
        ],
        folder: "user/plans",
        prepare: |ground| envelope(ground, "both.encl"),
    },
    Work {
        name: "unwrap -C",
        arguments: &["unwrap", "mine.encl", "-C", "user/plans", "--force", "-q"],
        folder: "user/plans",
        prepare: |ground| {
            ground.folder_of_other("user/plans");
            ground.file_of_other("user/plans/mine", b"an older one");
            fs::write(ground.at("outside/mine"), b"root's own").unwrap();
        },
    },
];

/// Further places where files are changed.
const FURTHER: [Work; 7] = [
    Work {
        name: "wrap -r",
        arguments: &["wrap", "-r", "user", "--to", "bob.card", "--force", "-q"],
        folder: "user/plans",
        prepare: |ground| {
            ground.folder_of_other("user/plans");
            ground.file_of_other("user/plans/a", b"a plan");
            for name in ["a", "a.encl"] {
                fs::write(ground.at("outside").join(name), b"root's own").unwrap();
            }
        },
    },
    Work {
        name: "unwrap -r",
        arguments: &["unwrap", "-r", "user", "--force", "-q"],
        folder: "user/plans",
        prepare: |ground| {
            envelope(ground, "mine.encl");
            fs::write(ground.at("outside/plan"), b"root's own").unwrap();
        },
    },
    Work {
        name: "rewrap -r",
        arguments: &[
            "rewrap",
            "-r",
            "user",
            "--to",
            "home@example.org",
            "--yes",
            "-q",
        ],
        folder: "user/plans",
        prepare: |ground| envelope(ground, "both.encl"),
    },
    Work {
        name: "mail seal of .eml",
        arguments: &[
            "mail",
            "seal",
            "user/letters",
            "--for",
            "bob@example.org",
            "-q",
        ],
        folder: "user/letters",
        prepare: |ground| {
            ground.folder_of_other("user/letters");
            ground.file_of_other("user/letters/a.eml", MESSAGE);
            fs::write(ground.at("outside/a.eml"), MESSAGE).unwrap();
        },
    },
    Work {
        name: "mail seal of an mbox",
        arguments: &[
            "mail",
            "seal",
            "user/spool/box",
            "--for",
            "bob@example.org",
            "-q",
        ],
        folder: "user/spool",
        prepare: |ground| {
            let mbox = [b"From a@example.org Mon Jan  5 10:00:00 2026\n", MESSAGE].concat();
            ground.folder_of_other("user/spool");
            ground.file_of_other("user/spool/box", &mbox);
            fs::write(ground.at("outside/box"), &mbox).unwrap();
        },
    },
    Work {
        name: "mail deliver",
        arguments: &[
            "mail",
            "deliver",
            "--for",
            "bob@example.org",
            "--maildir",
            "user/box",
            "-q",
        ],
        folder: "user/box/new",
        prepare: |ground| ground.maildir_of_other("user/box", "cur/1.host:2,S", MESSAGE),
    },
    Work {
        name: "drop",
        arguments: &[
            "drop",
            "user/plans/plan.encl",
            "--from",
            "Bob",
            "--yes",
            "-q",
        ],
        folder: "user/plans",
        prepare: |ground| envelope(ground, "both.encl"),
    },
];

fn envelope(ground: &Ground, from: &str) {
    let bytes = fs::read(ground.at(from)).unwrap();
    ground.folder_of_other("user/plans");
    ground.file_of_other("user/plans/plan.encl", &bytes);
    // The other user makes it possible to be mistaken for what is outside.
    fs::write(ground.at("outside/plan.encl"), &bytes).unwrap();
}

/// What came of one round.
struct Round {
    /// Anything outside was changed.
    is_hit: bool,
    /// How often the folder and the link changed places.
    swaps: usize,
    /// The command did its work all the same.
    is_done: bool,
}

fn round(ground: &Ground, work: &Work, kernel: Kernel, moment: Moment) -> Round {
    for folder in ["user", "outside"] {
        empty(&ground.at(folder));
    }
    std::os::unix::fs::chown(ground.at("user"), Some(OTHER), Some(OTHER)).unwrap();
    (work.prepare)(ground);
    let folder = ground.at(work.folder);
    let link = folder.with_file_name("link");
    symlink(ground.at("outside"), &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(OTHER), Some(OTHER)).unwrap();
    let before: State = ground.state("outside");
    let attacker = Attacker {
        folder,
        link,
        moment,
    };
    let (ready, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let (is_done, swaps) = std::thread::scope(|scope| {
        let attacking = scope.spawn(|| attacker.attack(&ready, &over));
        while !ready.load(Ordering::Acquire) && !attacking.is_finished() {
            std::thread::yield_now();
        }
        let mut command = ground.command(kernel, work.arguments);
        let message = fs::File::open(ground.at("letter")).unwrap();
        let output = process::output(command.stdin(message));
        over.store(true, Ordering::Release);
        (output.status.success(), attacking.join().unwrap())
    });
    Round {
        is_hit: ground.state("outside") != before,
        swaps,
        is_done,
    }
}

fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() && !path.is_symlink() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }
}

fn rounds() -> usize {
    if sweep::is_full() { 200 } else { 20 }
}

fn race(works: &[Work], kernel: Kernel) {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    let mut all = 0;
    for work in works {
        let (mut hits, mut swaps, mut done) = (0, 0, 0);
        for number in 0..rounds() {
            let round = round(&ground, work, kernel, Moment::of(number));
            hits += usize::from(round.is_hit);
            swaps += round.swaps;
            done += usize::from(round.is_done);
        }
        let (name, rounds) = (work.name, rounds());
        tell(&format!(
            "attacks: {name}, kernel {kernel:?}: {rounds} rounds, {swaps} exchanges, {done} commands done, {hits} changed \
             something outside"
        ));
        assert!(swaps >= rounds / 2, "{name}: the attacker slept");
        all += hits;
    }
    assert!(all == 0 || std::env::var_os("ENCL_ATTACKED").is_some());
}

#[test]
fn a_folder_that_becomes_a_link_leads_nowhere() {
    race(&WORKS, Kernel::Current);
}

#[test]
fn nor_anywhere_else_where_files_are_changed() {
    race(&FURTHER, Kernel::Current);
}

#[test]
fn nor_on_an_old_kernel() {
    match has_strace() {
        true => race(&WORKS, Kernel::Old),
        false => skipped("the door on an old kernel: it needs strace"),
    }
}
