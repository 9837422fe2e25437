//! Finds the messages below a folder, one folder after the other, in the order of their names.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, OFlags};

use super::find::look::{Look, look};
use super::maildir::{Entry, Subs, names, starts_with_dot};
use super::name::MessageName;
use super::originals::sync_folder;
use super::{Mode, Refusal, Skip, lock};
use crate::atomic_file::{Folder, ForeignFile, LeftBy, Name, discard_leftovers};

/// Visits folders lazily: it holds the names of one of them at a time.
pub(super) struct Walk {
    /// Folders to come, the next one last.
    pending: Vec<Pending>,
    current: Option<Current>,
    mode: Mode,
    /// Whether a Maildir or an mbox was found, be it empty.
    has_mailbox: bool,
}

/// A folder to come. It is opened when its turn has come, below the one that it was found in.
pub(super) enum Pending {
    Root(Folder),
    Below(Folder, Name),
}

struct Current {
    folder: Arc<MailFolder>,
    /// The messages of a Maildir to come, the next one last.
    maildir: Option<(Subs, Vec<Entry>)>,
    /// What else lies in the folder, the next one last.
    files: Vec<Found>,
}

/// A file or folder that is not passed over in silence.
enum Found {
    Message(Name),
    Mbox(Name),
    Skipped(Name, Skip),
    Unreadable(Refusal),
}

/// A folder that is being worked in. It is closed with its last reference.
pub(super) struct MailFolder {
    pub(super) opened: Folder,
    /// The folders in which files are made and removed.
    places: Vec<Folder>,
    mode: Mode,
    /// Held as long as the folder is.
    _lock: Option<File>,
}

/// One step of the walk.
pub(super) enum Step {
    /// A folder and how many messages it holds.
    Begin(PathBuf, u64),
    /// The names of one message in a Maildir.
    Message(Arc<MailFolder>, Subs, Vec<Entry>),
    /// A message in a file that keeps its name.
    Eml(Arc<MailFolder>, Name),
    /// An mbox in a folder.
    Mbox(Arc<MailFolder>, Name),
    /// What is left alone.
    Skipped(PathBuf, Skip),
    /// A folder has no more messages.
    End(Arc<MailFolder>),
    /// A folder cannot be worked in.
    Broken(PathBuf, Broken),
}

pub(super) enum Broken {
    Busy,
    Foreign(ForeignFile),
    Refusal(Refusal),
}

impl Pending {
    pub(super) fn root(folder: &Folder) -> Self {
        Self::Root(folder.clone())
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Root(folder) => folder.path().to_path_buf(),
            Self::Below(folder, name) => folder.path_of(name),
        }
    }

    pub(super) fn open(self) -> Result<Folder, Refusal> {
        match self {
            Self::Root(folder) => Ok(folder),
            Self::Below(folder, name) => folder
                .below(&name)
                .map_err(Refusal::to("read", &folder.path_of(&name))),
        }
    }
}

impl Walk {
    pub(super) fn new(root: &Folder, mode: Mode) -> Self {
        Self {
            pending: vec![Pending::root(root)],
            current: None,
            mode,
            has_mailbox: false,
        }
    }

    /// Whether a Maildir or an mbox was found so far.
    pub(super) fn has_mailbox(&self) -> bool {
        self.has_mailbox
    }

    fn enter(&mut self, next: Pending) -> Step {
        let path = next.path();
        match self.try_enter(next) {
            Ok(messages) => Step::Begin(path, messages),
            Err(broken) => Step::Broken(path, broken),
        }
    }

    fn try_enter(&mut self, next: Pending) -> Result<u64, Broken> {
        let opened = next.open()?;
        let subs = Subs::open(&opened);
        // Before the names are listed: a Maildir that is busy is left alone, but not what is below it.
        let (below, others) = list(&opened, subs.is_some())?;
        self.pending.extend(below.into_iter().rev());
        let folder = MailFolder::begin(opened, subs.as_ref(), self.mode)?;
        let files = found(&folder.opened, others);
        let maildir = match subs {
            Some(subs) => {
                let entries = entries(&subs)?;
                Some((subs, entries))
            }
            None => None,
        };
        let is_mbox = |found: &Found| matches!(found, Found::Mbox(_));
        self.has_mailbox |= maildir.is_some() || files.iter().any(is_mbox);
        let is_message = |found: &&Found| matches!(found, Found::Message(_));
        let messages = maildir.as_ref().map_or(0, |(_, entries)| entries.len())
            + files.iter().filter(is_message).count();
        self.current = Some(Current {
            folder: Arc::new(folder),
            maildir,
            files,
        });
        Ok(messages as u64)
    }
}

impl Iterator for Walk {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let Some(current) = &mut self.current else {
            let next = self.pending.pop()?;
            return Some(self.enter(next));
        };
        let folder = current.folder.clone();
        let of_maildir = current.maildir.as_mut();
        let group = of_maildir.and_then(|(subs, entries)| Some((subs.clone(), group(entries)?)));
        let step = match group {
            Some((subs, group)) => Some(Step::Message(folder, subs, group)),
            None => current.files.pop().map(|found| match found {
                Found::Message(name) => Step::Eml(folder, name),
                Found::Mbox(name) => Step::Mbox(folder, name),
                Found::Skipped(name, skip) => Step::Skipped(folder.opened.path_of(&name), skip),
                Found::Unreadable(refusal) => Step::Broken(refusal.path.clone(), refusal.into()),
            }),
        };
        step.or_else(|| self.current.take().map(|ended| Step::End(ended.folder)))
    }
}

impl MailFolder {
    fn begin(opened: Folder, subs: Option<&Subs>, mode: Mode) -> Result<Self, Broken> {
        let places = match subs {
            Some(subs) => subs.all(),
            None => vec![opened.clone()],
        };
        let lock = match mode {
            Mode::DryRun => None,
            Mode::Apply => {
                let lock = lock::lock_folder(&opened);
                let lock = lock.map_err(Refusal::to("open", opened.path()))?;
                Some(lock.ok_or(Broken::Busy)?)
            }
        };
        if mode == Mode::Apply {
            for place in &places {
                refuse_foreign(&opened, place)?;
                let cleaned = discard_leftovers(place, LeftBy::Anybody);
                cleaned.map_err(Refusal::to("clean", place.path()))?;
            }
        }
        Ok(Self {
            opened,
            places,
            mode,
            _lock: lock,
        })
    }

    /// Makes durable what was removed from the folder.
    pub(super) fn close(self) -> Result<(), Refusal> {
        match self.mode {
            Mode::DryRun => Ok(()),
            Mode::Apply => self.places.iter().try_for_each(sync_folder),
        }
    }
}

/// Root leaves a Maildir alone in which somebody else has made one of the folders.
fn refuse_foreign(maildir: &Folder, place: &Folder) -> Result<(), Broken> {
    let owner = maildir.owner();
    let owner = owner.map_err(Refusal::to("look at", maildir.path()))?;
    place.for_new(owner).map(drop).map_err(Broken::Foreign)
}

/// The folders below that are worth a look, and all else but hidden files, the last name first.
type Listing = (Vec<Pending>, Vec<(Name, FileType)>);

/// Lists a folder.
pub(super) fn list(folder: &Folder, is_maildir: bool) -> Result<Listing, Refusal> {
    let (mut below, mut others) = (Vec::new(), Vec::new());
    let refused = || Refusal::to("read", folder.path());
    for entry in folder.entries().map_err(refused())? {
        let entry = entry.map_err(refused())?;
        let is_folder = entry.kind == FileType::Directory;
        let is_hidden = starts_with_dot(entry.name.as_os_str());
        if is_folder && is_looked_into(folder, &entry.name, is_maildir) {
            below.push(entry.name);
        } else if is_folder == is_hidden {
            others.push((entry.name, entry.kind));
        }
    }
    below.sort_unstable();
    others.sort_unstable_by(|one, two| two.0.cmp(&one.0));
    let below = below
        .into_iter()
        .map(|name| Pending::Below(folder.clone(), name));
    Ok((below.collect(), others))
}

/// What of the entries of a folder is mail, or may be.
fn found(folder: &Folder, entries: Vec<(Name, FileType)>) -> Vec<Found> {
    let found = |(name, kind): (Name, FileType)| match kind {
        FileType::Directory if is_empty(folder, &name) => None,
        FileType::Directory => Some(Found::Skipped(name, Skip::Hidden)),
        FileType::Symlink => Some(Found::Skipped(name, Skip::Link)),
        _ if is_eml(Path::new(name.as_os_str())) => Some(Found::Message(name)),
        FileType::RegularFile => match look_at(folder, &name) {
            Ok(Look::Message) => Some(Found::Message(name)),
            Ok(Look::Mbox) => Some(Found::Mbox(name)),
            Ok(Look::Left(skip)) => Some(Found::Skipped(name, skip)),
            Ok(Look::Other) => None,
            Err(refusal) => Some(Found::Unreadable(refusal)),
        },
        _ => None,
    };
    entries.into_iter().filter_map(found).collect()
}

/// Whether a folder holds nothing but hidden names.
fn is_empty(folder: &Folder, name: &Name) -> bool {
    let entries = folder.below(name).and_then(|below| below.entries());
    let hidden = |name: Name| starts_with_dot(name.as_os_str());
    entries
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| hidden(entry.name))))
}

fn look_at(folder: &Folder, name: &Name) -> Result<Look, Refusal> {
    let path = &folder.path_of(name);
    let file = folder.read(name, OFlags::RDONLY);
    let file = file.map_err(Refusal::to("open", path))?;
    look(path, &file).map_err(Refusal::to("read", path))
}

/// Hidden folders hold mail only as subfolders of a Maildir (Maildir++), which are Maildirs themselves.
fn is_looked_into(folder: &Folder, name: &Name, in_maildir: bool) -> bool {
    match starts_with_dot(name.as_os_str()) {
        true => folder
            .below(name)
            .is_ok_and(|below| Subs::open(&below).is_some()),
        false => {
            !(in_maildir
                && ["cur", "new", "tmp"]
                    .iter()
                    .any(|own| name.as_os_str() == *own))
        }
    }
}

/// Whether a name ends in .eml.
pub(super) fn is_eml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("eml"))
}

/// The messages of a Maildir, names of one message beside each other, the last one first.
fn entries(subs: &Subs) -> Result<Vec<Entry>, Refusal> {
    let mut entries = Vec::new();
    for sub in subs.subs() {
        for name in names(subs.of(sub))? {
            entries.push(Entry { sub, name: name? });
        }
    }
    entries.sort_unstable_by(|one, two| {
        let keys = key(two).cmp(&key(one));
        keys.then_with(|| two.name.cmp(&one.name))
    });
    Ok(entries)
}

/// Takes the names of one message from the end.
fn group(entries: &mut Vec<Entry>) -> Option<Vec<Entry>> {
    let last = entries.pop()?;
    let mut group = vec![last];
    while let Some(next) = entries.pop_if(|next| key(next) == key(&group[0])) {
        group.push(next);
    }
    Some(group)
}

fn key(entry: &Entry) -> std::borrow::Cow<'_, [u8]> {
    MessageName::of(entry.name.as_os_str()).key()
}

impl From<Refusal> for Broken {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}
