//! Finds the messages below a folder, one folder after the other, in the order of their names.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::maildir::{Entry, Sub, names, starts_with_dot};
use super::name::Name;
use super::originals::sync_folder;
use super::{Mode, Refusal, lock};
use crate::atomic_file::discard_leftovers;

/// Visits folders lazily: it holds the names of one of them at a time.
pub(super) struct Walk {
    /// Folders to come, the next one last.
    pending: Vec<PathBuf>,
    current: Option<Current>,
    mode: Mode,
}

struct Current {
    folder: Arc<Folder>,
    /// The names to come, the next one last.
    left: Left,
}

enum Left {
    Maildir(Vec<Entry>),
    Eml(Vec<OsString>),
}

/// A folder that is being worked in. It is closed with its last reference.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    is_maildir: bool,
    mode: Mode,
    /// Held as long as the folder is.
    _lock: Option<File>,
}

/// One step of the walk.
pub(super) enum Step {
    /// A folder and how many messages it holds.
    Begin(PathBuf, u64),
    /// The names of one message in a Maildir.
    Message(Arc<Folder>, Vec<Entry>),
    /// A message in a file that keeps its name.
    Eml(Arc<Folder>, PathBuf),
    /// A folder has no more messages.
    End(Arc<Folder>),
    /// A folder cannot be worked in.
    Broken(PathBuf, Broken),
}

pub(super) enum Broken {
    Busy,
    Refusal(Refusal),
}

impl Walk {
    pub(super) fn new(root: PathBuf, mode: Mode) -> Self {
        Self {
            pending: vec![root],
            current: None,
            mode,
        }
    }

    fn enter(&mut self, path: PathBuf) -> Step {
        match self.try_enter(path.clone()) {
            Ok(messages) => Step::Begin(path, messages),
            Err(broken) => Step::Broken(path, broken),
        }
    }

    fn try_enter(&mut self, path: PathBuf) -> Result<u64, Broken> {
        let is_maildir = is_maildir(&path);
        // Before the names are listed: a Maildir that is busy is left alone, but not what is below it.
        let (below, files) = list(&path)?;
        self.pending.extend(below.into_iter().rev());
        let folder = Folder::open(path, is_maildir, self.mode)?;
        let left = match is_maildir {
            true => Left::Maildir(entries(&folder.path)?),
            false => Left::Eml(files),
        };
        let messages = left.len();
        self.current = Some(Current {
            folder: Arc::new(folder),
            left,
        });
        Ok(messages as u64)
    }
}

impl Iterator for Walk {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let Some(current) = &mut self.current else {
            let path = self.pending.pop()?;
            return Some(self.enter(path));
        };
        let folder = current.folder.clone();
        let step = match &mut current.left {
            Left::Maildir(entries) => group(entries).map(|group| Step::Message(folder, group)),
            Left::Eml(names) => names.pop().map(|name| {
                let path = folder.path.join(name);
                Step::Eml(folder, path)
            }),
        };
        step.or_else(|| self.current.take().map(|ended| Step::End(ended.folder)))
    }
}

impl Left {
    fn len(&self) -> usize {
        match self {
            Self::Maildir(entries) => entries.len(),
            Self::Eml(names) => names.len(),
        }
    }
}

impl Folder {
    fn open(path: PathBuf, is_maildir: bool, mode: Mode) -> Result<Self, Broken> {
        let lock = match mode {
            Mode::DryRun => None,
            Mode::Apply => {
                let lock = lock::lock_folder(&path).map_err(Refusal::to("open", &path))?;
                Some(lock.ok_or(Broken::Busy)?)
            }
        };
        let folder = Self {
            path,
            is_maildir,
            mode,
            _lock: lock,
        };
        if mode == Mode::Apply {
            for place in folder.places() {
                discard_leftovers(&place).map_err(Refusal::to("clean", &place))?;
            }
        }
        Ok(folder)
    }

    /// The folders in which files are made and removed.
    fn places(&self) -> Vec<PathBuf> {
        match self.is_maildir {
            true => Sub::ALL.map(|sub| self.path.join(sub.name())).to_vec(),
            false => vec![self.path.clone()],
        }
    }

    /// Makes durable what was removed from the folder.
    pub(super) fn close(self) -> Result<(), Refusal> {
        match self.mode {
            Mode::DryRun => Ok(()),
            Mode::Apply => self
                .places()
                .iter()
                .try_for_each(|place| sync_folder(place)),
        }
    }
}

/// Whether a folder has the two folders of a Maildir in which messages lie.
pub(super) fn is_maildir(path: &Path) -> bool {
    let has = |sub: Sub| fs::symlink_metadata(path.join(sub.name())).is_ok_and(|sub| sub.is_dir());
    Sub::ALL.into_iter().all(has)
}

/// The folders below that are worth a look, and the .eml files, the last name first.
pub(super) fn list(path: &Path) -> Result<(Vec<PathBuf>, Vec<OsString>), Refusal> {
    let (mut below, mut files) = (Vec::new(), Vec::new());
    let is_maildir = is_maildir(path);
    for entry in fs::read_dir(path).map_err(Refusal::to("read", path))? {
        let entry = entry.map_err(Refusal::to("read", path))?;
        let kind = entry
            .file_type()
            .map_err(Refusal::to("look at", &entry.path()))?;
        let name = entry.file_name();
        if kind.is_dir() && is_looked_into(&entry.path(), is_maildir) {
            below.push(entry.path());
        } else if !kind.is_dir() && is_eml(Path::new(&name)) && !starts_with_dot(&name) {
            files.push(name);
        }
    }
    below.sort_unstable();
    files.sort_unstable_by(|one, two| two.cmp(one));
    Ok((below, files))
}

/// Hidden folders hold mail only as subfolders of a Maildir (Maildir++), which are Maildirs themselves.
fn is_looked_into(path: &Path, in_maildir: bool) -> bool {
    let name = path.file_name().unwrap_or_default();
    match starts_with_dot(name) {
        true => is_maildir(path),
        false => !(in_maildir && ["cur", "new", "tmp"].iter().any(|own| name == *own)),
    }
}

/// Whether a name ends in .eml.
pub(super) fn is_eml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("eml"))
}

/// The messages of a Maildir, names of one message beside each other, the last one first.
fn entries(maildir: &Path) -> Result<Vec<Entry>, Refusal> {
    let mut entries = Vec::new();
    for sub in Sub::ALL {
        for name in names(maildir, sub)? {
            entries.push(Entry { sub, name: name? });
        }
    }
    entries.sort_unstable_by(|one, two| {
        let keys = Name::of(&two.name).key().cmp(&Name::of(&one.name).key());
        keys.then_with(|| two.name.cmp(&one.name))
    });
    Ok(entries)
}

/// Takes the names of one message from the end.
fn group(entries: &mut Vec<Entry>) -> Option<Vec<Entry>> {
    let last = entries.pop()?;
    let mut group = vec![last];
    while let Some(next) =
        entries.pop_if(|next| Name::of(&next.name).key() == Name::of(&group[0].name).key())
    {
        group.push(next);
    }
    Some(group)
}

impl From<Refusal> for Broken {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}
