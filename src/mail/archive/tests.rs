use super::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

#[expect(
    dead_code,
    reason = "the messages of an mbox are cut by the library here"
)]
#[path = "../../../tests/mail/corpus.rs"]
mod corpora;
mod corpus;
mod eml;
mod leftovers;
mod maildir;
mod mbox;

/// Stands at the head of what the stand-in has sealed.
const MARK: &[u8] = b"Encl: test";

/// Seals without a key: hexadecimal digits under a header.
struct Plainly {
    direction: Direction,
    fault: Fault,
    /// What somebody else does once a message is read and written, before the new form has its name.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

/// What goes wrong with each message that holds the word "fault".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    Wants,
    Write,
    Verify,
    /// Other bytes are written than are right.
    Garbles,
    PanicsWriting,
    PanicsVerifying,
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("as the test wants it")]
    Wanted,
    #[error("not the same")]
    Different,
    #[error("unreadable")]
    Read(#[from] io::Error),
}

fn plainly(direction: Direction, fault: Fault) -> Plainly {
    Plainly {
        direction,
        fault,
        meanwhile: Mutex::new(None),
    }
}

fn seal() -> Plainly {
    plainly(Direction::Seal, Fault::Nothing)
}

fn unseal() -> Plainly {
    plainly(Direction::Unseal, Fault::Nothing)
}

fn bytes_of(message: &dyn Reopen) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    message.open()?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn sealed(bytes: &[u8]) -> Vec<u8> {
    let end = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if at > 0 && bytes[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    };
    let mut text = format!("{}{end}{end}", str::from_utf8(MARK).unwrap());
    for line in hex::encode(bytes).as_bytes().chunks(76) {
        text.push_str(str::from_utf8(line).unwrap());
        text.push_str(end);
    }
    text.into_bytes()
}

fn opened(sealed: &[u8]) -> Option<Vec<u8>> {
    let digits = sealed.strip_prefix(MARK)?;
    let digits: Vec<u8> = digits
        .iter()
        .copied()
        .filter(u8::is_ascii_hexdigit)
        .collect();
    hex::decode(digits).ok()
}

impl Plainly {
    fn other(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self.direction {
            Direction::Seal => Some(sealed(bytes)),
            Direction::Unseal => opened(bytes),
        }
    }

    fn strikes(&self, fault: Fault, message: &[u8]) -> bool {
        let plain = opened(message).unwrap_or_else(|| message.to_vec());
        self.fault == fault && plain.windows(5).any(|word| word == b"fault")
    }
}

impl Transform for Plainly {
    type Receipt = ();
    type Error = Refused;

    fn direction(&self) -> Direction {
        self.direction
    }

    fn decide(&self, message: &dyn Reopen) -> Result<Decision, Refused> {
        let bytes = bytes_of(message)?;
        if self.strikes(Fault::Wants, &bytes) {
            return Err(Refused::Wanted);
        }
        let is_sealed = bytes.starts_with(MARK);
        Ok(match is_sealed == (self.direction == Direction::Seal) {
            _ if bytes.starts_with(b"skip") => Decision::Skip("not for you".into()),
            true => Decision::Already,
            false => Decision::Change,
        })
    }

    fn write(&self, message: &dyn Reopen, out: &mut (dyn Write + Send)) -> Result<(), Refused> {
        let bytes = bytes_of(message)?;
        let mut other = self.other(&bytes).ok_or(Refused::Different)?;
        if self.strikes(Fault::Garbles, &bytes) {
            other.push(b'0');
        }
        let (begin, rest) = other.split_at(other.len() / 2);
        out.write_all(begin)?;
        assert!(
            !self.strikes(Fault::PanicsWriting, &bytes),
            "as the test wants it"
        );
        if self.strikes(Fault::Write, &bytes) {
            return Err(Refused::Wanted);
        }
        out.write_all(rest)?;
        Ok(())
    }

    fn verify(&self, (): (), written: &dyn Reopen, message: &dyn Reopen) -> Result<(), Refused> {
        if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
            meanwhile();
        }
        let bytes = bytes_of(message)?;
        assert!(
            !self.strikes(Fault::PanicsVerifying, &bytes),
            "as the test wants it"
        );
        if self.strikes(Fault::Verify, &bytes) {
            return Err(Refused::Wanted);
        }
        match Some(bytes_of(written)?) == self.other(&bytes) {
            true => Ok(()),
            false => Err(Refused::Different),
        }
    }

    fn is_form_of(&self, other: &dyn Reopen, message: &dyn Reopen) -> Result<bool, Refused> {
        Ok(Some(bytes_of(other)?) == self.other(&bytes_of(message)?))
    }
}

/// A folder of a test, with everything that a file is.
struct Scene {
    folder: TempDir,
}

/// A file's bytes, mode and time, by its path.
type Tree = BTreeMap<String, (Vec<u8>, u32, i64)>;

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// A Maildir `mail` with these messages, each of a second of its own.
    fn maildir(messages: &[(&str, &[u8])]) -> Self {
        let scene = Self::new();
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir_all(scene.at("mail").join(folder)).unwrap();
        }
        for (name, bytes) in messages {
            scene.write(&format!("mail/{name}"), bytes);
        }
        scene
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that is readable to the group, with a time that its content decides.
    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let seconds = 1_000_000_000 + bytes.len() as u64;
        self.date(name, seconds);
    }

    fn date(&self, name: &str, seconds: u64) {
        let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, 123_456_789);
        let file = fs::File::options()
            .append(true)
            .open(self.at(name))
            .unwrap();
        file.set_modified(time).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).unwrap()
    }

    fn tree(&self, name: &str) -> Tree {
        let mut tree = Tree::new();
        let mut folders = vec![self.at(name)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = fs::symlink_metadata(&path).unwrap();
                if metadata.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.folder.path()).unwrap();
                    let file = (
                        fs::read(&path).unwrap(),
                        metadata.mode() & 0o777,
                        metadata.mtime(),
                    );
                    tree.insert(name.to_str().unwrap().to_owned(), file);
                }
            }
        }
        tree
    }

    fn names(&self, name: &str) -> Vec<String> {
        self.tree(name).into_keys().collect()
    }

    fn run(&self, transform: &Plainly, name: &str) -> Ran {
        self.run_as(&real(transform), name).unwrap()
    }

    fn run_as(&self, run: &Run<'_, Plainly>, name: &str) -> Result<Ran, ArchiveError> {
        let archive = Archive::find(&self.at(name))?;
        let mut outcomes = BTreeMap::new();
        let mut messages = 0;
        let tally = run.run_on(&archive, &mut |event| match event {
            Event::Folder { messages: more, .. } => messages += more,
            Event::Message(report) => {
                let path = report.path.strip_prefix(self.folder.path()).unwrap();
                let number = report
                    .number
                    .map(|number| format!("#{number}"))
                    .unwrap_or_default();
                outcomes.insert(format!("{}{number}", path.display()), report.outcome);
            }
        })?;
        Ok(Ran {
            tally,
            messages,
            outcomes,
        })
    }
}

fn real(transform: &Plainly) -> Run<'_, Plainly> {
    Run {
        transform,
        jobs: NonZeroUsize::new(2).unwrap(),
        originals: None,
        mode: Mode::Apply,
    }
}

/// The reports of a run.
#[derive(Debug)]
struct Ran {
    tally: Tally,
    messages: u64,
    outcomes: BTreeMap<String, MessageOutcome<Refused>>,
}

impl Ran {
    fn counts(&self) -> [u64; 4] {
        let Tally {
            done,
            already,
            skipped,
            failed,
            ..
        } = self.tally;
        [done, already, skipped, failed]
    }
}

/// The tree with the modes that plain messages have after unsealing.
fn for_the_owner_only(tree: Tree) -> Tree {
    let private = |(name, (bytes, mode, time))| (name, (bytes, mode & 0o600, time));
    tree.into_iter().map(private).collect()
}
