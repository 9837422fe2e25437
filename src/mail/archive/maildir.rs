//! One message of a Maildir: its other form gets a name of its own, and only then its old name is removed.
//!
//! Mail programs rename messages at any time, to set flags and to move them from `new` to `cur`. A message is therefore its
//! base and its inode, not its path.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::PathBuf;

use rustix::fs::RenameFlags;
use rustix::io::Errno;

use super::form::{self, NoSource, Source};
use super::name::{self, MessageName};
use super::originals::Versions;
use super::run::Task;
use super::{MessageError, MessageOutcome, Refusal, Report, Skip, Transform};
use crate::atomic_file::{Existing, Folder, Name};

/// How often a message is looked for that is renamed while we look.
const TRIES: usize = 8;

/// The folders of a Maildir that hold messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sub {
    Cur,
    New,
}

/// A name in a Maildir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) sub: Sub,
    pub(super) name: Name,
}

impl Sub {
    /// In this order a message that goes from `new` to `cur` while both are listed is not seen twice.
    pub(super) const ALL: [Self; 2] = [Self::Cur, Self::New];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cur => "cur",
            Self::New => "new",
        }
    }
}

/// The folders of a Maildir in which messages lie, open.
#[derive(Debug, Clone)]
pub(super) struct Subs {
    cur: Folder,
    /// Copies of a Maildir often lack what was empty.
    new: Option<Folder>,
}

impl Subs {
    /// `None` if the folder is no Maildir. Links are no folders.
    pub(super) fn open(maildir: &Folder) -> Option<Self> {
        let below = |sub: Sub| maildir.below(&Name::new(sub.name())?).ok();
        let (cur, new) = (below(Sub::Cur)?, below(Sub::New));
        let is_maildir = new.is_some() || holds_messages(&cur);
        is_maildir.then_some(Self { cur, new })
    }

    /// The folder in which an entry was found.
    pub(super) fn of(&self, sub: Sub) -> &Folder {
        match (sub, &self.new) {
            (Sub::New, Some(new)) => new,
            (Sub::Cur, _) | (Sub::New, None) => &self.cur,
        }
    }

    /// Those that are there.
    pub(super) fn subs(&self) -> impl Iterator<Item = Sub> + use<> {
        let has_new = self.new.is_some();
        let is_there = move |sub: &Sub| *sub == Sub::Cur || has_new;
        Sub::ALL.into_iter().filter(is_there)
    }

    pub(super) fn all(&self) -> Vec<Folder> {
        self.subs().map(|sub| self.of(sub).clone()).collect()
    }

    /// The same folders for work on this message.
    fn for_source<T: Transform>(
        &self,
        task: &Task<'_, T>,
        source: &Source,
    ) -> Result<Self, MessageError<T::Error>> {
        let mut folders = self.clone();
        for folder in [Some(&mut folders.cur), folders.new.as_mut()]
            .into_iter()
            .flatten()
        {
            *folder = task.folder_in(folder, source)?;
        }
        Ok(folders)
    }
}

/// Whether a folder `cur` that stands alone holds names as a Maildir has them.
fn holds_messages(cur: &Folder) -> bool {
    let mut entries = cur.entries().into_iter().flatten().flatten();
    entries.any(|entry| MessageName::of(entry.name.as_os_str()).has_flags())
}

impl Entry {
    pub(super) fn path(&self, subs: &Subs) -> PathBuf {
        subs.of(self.sub).path_of(&self.name)
    }

    fn parts(&self) -> MessageName<'_> {
        MessageName::of(self.name.as_os_str())
    }
}

/// The names of one message: one of them, or both forms' if a run was killed in between.
pub(super) struct Group<'a, T> {
    pub(super) task: &'a Task<'a, T>,
    pub(super) subs: &'a Subs,
    pub(super) entries: Vec<Entry>,
}

/// What a killed run left behind.
struct Left<'a> {
    entry: &'a Entry,
    file: Source,
}

impl<T: Transform> Group<'_, T> {
    /// Converts each message of the group.
    pub(super) fn change(mut self, tell: &mut dyn FnMut(Report<T::Error>)) {
        if self.entries.len() > 1 {
            // Names that were listed twice are other names of the same message meanwhile.
            let subs = self.subs;
            self.entries
                .retain(|entry| subs.of(entry.sub).has(&entry.name));
        }
        let mut replaced = HashSet::new();
        for at in self.order() {
            if replaced.contains(&at) {
                continue;
            }
            let beside = self.beside(at);
            let changed = self.change_one(at, &beside);
            let outcome = changed.unwrap_or_else(MessageOutcome::Failed);
            if matches!(
                outcome,
                MessageOutcome::Converted | MessageOutcome::SourceGone(_)
            ) {
                replaced.extend(beside);
            }
            tell(Report {
                path: self.entries[at].path(self.subs),
                number: None,
                outcome,
            });
        }
    }

    /// What would be replaced comes after what replaces it.
    fn order(&self) -> Vec<usize> {
        let all = 0..self.entries.len();
        let wanted: HashSet<_> = all.clone().map(|at| self.wanted_base(at)).collect();
        let mut order: Vec<_> = all.collect();
        order.sort_by_key(|at| wanted.contains(self.entries[*at].parts().base));
        order
    }

    /// The entries that have the base which the other form of this one is to have.
    fn beside(&self, at: usize) -> Vec<usize> {
        let wanted = self.wanted_base(at);
        let has_it = |other: &usize| self.entries[*other].parts().base == wanted;
        (0..self.entries.len()).filter(has_it).collect()
    }

    fn wanted_base(&self, at: usize) -> Vec<u8> {
        self.entries[at].parts().other_base(self.task.direction())
    }

    fn other_entry(&self, at: usize, entry: &Entry) -> Entry {
        Entry {
            sub: entry.sub,
            name: name::joined(&self.wanted_base(at), &entry.parts().flags()),
        }
    }

    fn has_rival(&self, at: usize) -> bool {
        let mut others = (0..self.entries.len()).filter(|other| *other != at);
        others.any(|other| self.wanted_base(other) == self.wanted_base(at))
    }

    fn change_one(
        &self,
        at: usize,
        beside: &[usize],
    ) -> Result<MessageOutcome<T::Error>, MessageError<T::Error>> {
        let (entry, source) = match self.open(&self.entries[at]) {
            Ok(opened) => opened,
            Err(NoSource::Skip(reason)) => return Ok(MessageOutcome::Skipped(reason)),
            Err(NoSource::Refusal(refusal)) => return Err(refusal.into()),
        };
        if let Some(settled) = self.task.settled(&source)? {
            return Ok(settled);
        }
        if self.has_rival(at) {
            return Err(MessageError::SameName);
        }
        let left = self.left_behind(beside, &source)?;
        if self.task.is_dry_run() {
            return Ok(MessageOutcome::Converted);
        }
        let new = match &left {
            Some(left) => left.entry.clone(),
            None => self.other_entry(at, &entry),
        };
        let subs = self.subs.for_source(self.task, &source)?;
        let working = Group {
            task: self.task,
            subs: &subs,
            entries: Vec::new(),
        };
        working.replace(&entry, &source, &new, left.as_ref())
    }

    /// Makes `new`, the other form, and then removes the one that there was. No step is taken before the last is durable.
    fn replace(
        &self,
        entry: &Entry,
        source: &Source,
        new: &Entry,
        left: Option<&Left<'_>>,
    ) -> Result<MessageOutcome<T::Error>, MessageError<T::Error>> {
        let folder = self.subs.of(new.sub);
        let existing = match left {
            Some(_) => Existing::Overwrite,
            None => Existing::Keep,
        };
        let file = form::make(self.task.transform, source, (folder, &new.name), existing)?;
        let Some(now) = self.find(entry, source)? else {
            return Ok(MessageOutcome::Skipped(Skip::Gone));
        };
        let left_is_gone = left.is_some_and(|left| !left.file.is_at(folder, &new.name));
        if left_is_gone || !source.is_unchanged() {
            return Err(MessageError::Changed);
        }
        if let Some(originals) = &self.task.originals {
            originals.store(source, &now.path(self.subs), Versions::One)?;
        }
        file.commit()?;
        self.remove_old(&now, source, new, left.is_some())
    }

    fn source(&self, entry: &Entry) -> Result<Source, NoSource> {
        Source::open(self.subs.of(entry.sub), &entry.name)
    }

    /// Opens a message, also when it was renamed since it was listed.
    fn open(&self, entry: &Entry) -> Result<(Entry, Source), NoSource> {
        match self.source(entry) {
            Err(NoSource::Skip(Skip::Gone)) => {}
            opened => return Ok((entry.clone(), opened?)),
        }
        let renamed = self.search(entry, |_, _| true).map_err(NoSource::Refusal)?;
        let renamed = renamed.ok_or(NoSource::Skip(Skip::Gone))?;
        let source = self.source(&renamed)?;
        Ok((renamed, source))
    }

    /// What a killed run left under the name that is wanted, if it is that.
    fn left_behind(
        &self,
        beside: &[usize],
        source: &Source,
    ) -> Result<Option<Left<'_>>, MessageError<T::Error>> {
        let Some(first) = beside.first() else {
            return Ok(None);
        };
        let entry = &self.entries[*first];
        let occupied = || MessageError::Occupied(entry.path(self.subs));
        let file = match self.source(entry) {
            Ok(file) if beside.len() == 1 && file.has_time_of(source) => file,
            Err(NoSource::Refusal(refusal)) => return Err(refusal.into()),
            _ => return Err(occupied()),
        };
        let is_form = self.task.transform.is_form_of(&file, source);
        match is_form.map_err(MessageError::Transform)? {
            true => Ok(Some(Left { entry, file })),
            false => Err(occupied()),
        }
    }

    /// Where the message is now, whatever its flags are.
    fn find(&self, entry: &Entry, source: &Source) -> Result<Option<Entry>, Refusal> {
        if source.is_at(self.subs.of(entry.sub), &entry.name) {
            return Ok(Some(entry.clone()));
        }
        self.search(entry, |folder, name| source.is_at(folder, name))
    }

    fn search(
        &self,
        entry: &Entry,
        is_it: impl Fn(&Folder, &Name) -> bool,
    ) -> Result<Option<Entry>, Refusal> {
        for sub in self.subs.subs() {
            let folder = self.subs.of(sub);
            for name in names(folder)? {
                let found = Entry { sub, name: name? };
                if found.parts().base == entry.parts().base && is_it(folder, &found.name) {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// Removes the form that the message had, now that `new` is durable.
    pub(super) fn remove_old(
        &self,
        entry: &Entry,
        source: &Source,
        new: &Entry,
        was_there: bool,
    ) -> Result<MessageOutcome<T::Error>, MessageError<T::Error>> {
        for _ in 0..TRIES {
            let Some(now) = self.find(entry, source)? else {
                break;
            };
            if !source.is_unchanged() {
                return Err(MessageError::Changed);
            }
            match self.subs.of(now.sub).remove(&now.name, source.id()) {
                Ok(()) => {
                    self.follow(&now, new, was_there);
                    return Ok(MessageOutcome::Converted);
                }
                Err(Errno::NOENT) => {}
                Err(error) => {
                    return Err(Refusal::to("remove", &now.path(self.subs))(error).into());
                }
            }
        }
        Ok(MessageOutcome::SourceGone(new.path(self.subs)))
    }

    /// Gives the new form the flags that the old one had at the end. If a mail program was faster, it knows better.
    fn follow(&self, old: &Entry, new: &Entry, was_there: bool) {
        let flags = old.parts().flags();
        let info = match was_there {
            true => name::merged(&new.parts().flags(), &flags),
            false => flags,
        };
        let wanted = Entry {
            // A message in `cur` was seen by a mail program.
            sub: new.sub.min(old.sub),
            name: name::joined(new.parts().base, &info),
        };
        if wanted != *new {
            let (from, to) = (self.subs.of(new.sub), self.subs.of(wanted.sub));
            let _ = from.rename(&new.name, to, &wanted.name, RenameFlags::NOREPLACE);
        }
    }
}

/// The names in one folder of a Maildir; hidden ones are no messages.
pub(super) fn names(
    folder: &Folder,
) -> Result<impl Iterator<Item = Result<Name, Refusal>> + use<>, Refusal> {
    let path = folder.path().to_path_buf();
    let entries = folder.entries().map_err(Refusal::to("read", &path))?;
    Ok(entries.filter_map(move |entry| match entry {
        Ok(entry) => Some(Ok(entry.name)).filter(|name| !is_hidden(name)),
        Err(error) => Some(Err(Refusal::to("read", &path)(error))),
    }))
}

fn is_hidden(name: &Result<Name, Refusal>) -> bool {
    name.as_ref()
        .is_ok_and(|name| starts_with_dot(name.as_os_str()))
}

pub(super) fn starts_with_dot(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}
