//! What another user puts in the target's place: a pipe that reads along, a link that leads away, a device.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat};

use super::ground::{Ground, OTHER, said};
use crate::support::process;

/// Makes the target; the number is its owner.
type Plant = fn(&Path, u32);

fn pipe(path: &Path, owner: u32) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    chown(path, Some(owner), None).unwrap();
}

fn null(path: &Path, owner: u32) {
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, path, FileType::CharacterDevice, mode, makedev(1, 3)).unwrap();
    chown(path, Some(owner), None).unwrap();
}

fn block(path: &Path, _: u32) {
    // A number that no driver has.
    mknodat(
        CWD,
        path,
        FileType::BlockDevice,
        Mode::RUSR,
        makedev(240, 77),
    )
    .unwrap();
}

fn socket(path: &Path, _: u32) {
    drop(UnixListener::bind(path).unwrap());
}

fn link_to_null(path: &Path, _: u32) {
    symlink("/dev/null", path).unwrap();
}

fn link_to_pipe(path: &Path, owner: u32) {
    let beside = path.with_extension("pipe");
    pipe(&beside, owner);
    symlink(beside, path).unwrap();
}

fn file(path: &Path, _: u32) {
    fs::write(path, b"an older one").unwrap();
}

/// The target, its owner, and the exit codes without and with `--force`.
const TARGETS: [(&str, Plant, u32, i32, i32); 9] = [
    ("file", file, 0, 8, 0),
    ("pipe of another", pipe, OTHER, 8, 1),
    ("pipe of mine", pipe, 0, 8, 0),
    ("device of root", null, 0, 8, 0),
    ("block device", block, 0, 1, 1),
    ("socket", socket, 0, 1, 1),
    ("link to a device", link_to_null, 0, 8, 8),
    ("link to a pipe", link_to_pipe, OTHER, 8, 8),
    ("link to my pipe", link_to_pipe, 0, 8, 8),
];

/// The two commands, by `-o` and by `-C`. The name is that of the target.
const COMMANDS: [(&[&str], &str); 4] = [
    (
        &["unwrap", "mine.encl", "-q", "-o", "shared/letter"],
        "letter",
    ),
    (&["unwrap", "mine.encl", "-q", "-C", "shared"], "mine"),
    (
        &["wrap", "letter", "--to", "bob.card", "-q", "-o", "shared/x"],
        "x",
    ),
    (
        &["wrap", "letter", "--to", "bob.card", "-q", "-C", "shared"],
        "letter.encl",
    ),
];

#[test]
fn what_is_no_regular_file_is_judged_before_it_is_opened() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    for (what, plant, owner, without, with) in TARGETS {
        for (command, name) in COMMANDS {
            for (force, exit) in [(&[][..], without), (&["--force"][..], with)] {
                let shared = ground.at("shared");
                fs::create_dir(&shared).unwrap();
                let target = shared.join(name);
                plant(&target, owner);
                let arguments = [command, force].concat();
                // The reader of a pipe gets what is written, and holds up nobody.
                let reader = [target.with_extension("pipe"), target.clone()]
                    .into_iter()
                    .find(|path| is_pipe(path))
                    .map(|path| listen(&path));
                let output = ground.run(&arguments);
                let code = output.status.code();
                assert_eq!(code, Some(exit), "{what}: {arguments:?}: {}", said(&output));
                if let Some(mut reader) = reader {
                    let mut bytes = Vec::new();
                    let _ = reader.read_to_end(&mut bytes);
                    let got = !bytes.is_empty();
                    assert_eq!(got, exit == 0, "{what}: {arguments:?} wrote to it");
                }
                fs::remove_dir_all(&shared).unwrap();
            }
        }
    }
}

fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_fifo())
}

fn listen(pipe: &Path) -> fs::File {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(pipe, flags, Mode::empty()).unwrap().into()
}

#[test]
fn devices_below_dev_and_descriptors_are_what_they_are() {
    let ground = Ground::new();
    let unwrap = |out: &str| ground.run(&["unwrap", "mine.encl", "-q", "-o", out]);
    let full = unwrap("/dev/full");
    assert_eq!(full.status.code(), Some(1), "{}", said(&full));
    assert!(unwrap("/dev/null").status.success());
    for out in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let output = unwrap(out);
        assert_eq!(
            output.stdout,
            b"for nobody else's eyes",
            "{out}: {}",
            said(&output)
        );
    }
    let program = env!("CARGO_BIN_EXE_encl");
    let shell = |script: &str| {
        let mut shell: Command = process::command("bash");
        shell.args(["-c", script]).arg(program);
        shell
            .current_dir(ground.at(""))
            .env("HOME", ground.at("home"));
        process::output(&mut shell)
    };
    // A regular file is written to where the shell opened it, and a pipe is the one that was handed over.
    let told = shell(
        "exec 3>to; printf before- >&3; \"$0\" unwrap mine.encl -q -o /dev/fd/3; printf =after >&3; cat to",
    );
    assert_eq!(
        told.stdout,
        b"before-for nobody else's eyes=after",
        "{}",
        said(&told)
    );
    let told = shell(
        "\"$0\" unwrap mine.encl -q -o >(cat > got; echo >> done); while [ ! -e done ]; do sleep 0.01; done; cat got",
    );
    assert_eq!(told.stdout, b"for nobody else's eyes", "{}", said(&told));
    let told = shell("\"$0\" unwrap mine.encl -q -o /dev/stdout > out; cat out");
    assert_eq!(told.stdout, b"for nobody else's eyes", "{}", said(&told));
    // One that nobody handed over is none, also if the program has opened something under that number.
    let before = ground.state("");
    for number in [3, 4, 5, 6, 77] {
        let told = shell(&format!("\"$0\" unwrap mine.encl -q -o /dev/fd/{number}"));
        assert_eq!(told.status.code(), Some(1), "{number}: {}", said(&told));
    }
    assert_eq!(ground.state(""), before);
}
