//! A run over an archive: threads take messages from the walk, and report the results to the calling thread, which does the work
//! itself where the system starts none.

use std::cell::RefCell;
use std::error::Error;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

use super::find::Contents;
use super::form::Source;
use super::maildir::Group;
use super::originals::Originals;
use super::walk::{Broken, MailFolder, Step, Walk};
use super::{
    Archive, ArchiveError, Decision, Direction, Event, Kind, MessageError, MessageOutcome, Mode,
    Refusal, Report, Run, Skip, Tally, Transform, eml, mbox,
};
use crate::atomic_file::{Folder, ForeignFile, LeftBy, Name, discard_leftovers};
use crate::mail::Reopen;

/// Reports that wait for the caller, at most.
const REPORTS_MAX: usize = 64;

/// What every message of a run has in common.
pub(super) struct Task<'a, T> {
    pub(super) transform: &'a T,
    pub(super) originals: Option<Originals<'a>>,
    mode: Mode,
}

impl<T: Transform> Run<'_, T> {
    /// Converts each message of `archive` and calls `observe` for each, on this thread. A failure for one message does not stop
    /// the others.
    ///
    /// # Errors
    /// [`ArchiveError`] when the archive as a whole cannot be worked on. An mbox is then unchanged.
    pub fn run_on(
        &self,
        archive: &Archive,
        observe: &mut dyn FnMut(Event<T::Error>),
    ) -> Result<Tally, ArchiveError> {
        let mut tally = Tally::default();
        let mut count = |event: Event<T::Error>| {
            if let Event::Message(report) = &event {
                tally.count(&report.outcome);
            }
            observe(event);
        };
        let task = self.task(archive)?;
        match &archive.contents {
            Contents::Folder(folder) => {
                let has_mailbox = self.folders(&task, folder, &mut count);
                if !has_mailbox && tally == Tally::default() {
                    return Err(ArchiveError::NothingFound(archive.path.clone()));
                }
            }
            Contents::File(folder, name) if archive.kind == Kind::Mbox => {
                mbox::rewrite(&task, folder, name, &mut count)?;
            }
            Contents::File(folder, name) => single(&task, folder, name, &mut count)?,
        }
        Ok(tally)
    }

    pub(super) fn task<'a>(&'a self, archive: &'a Archive) -> Result<Task<'a, T>, ArchiveError> {
        let open = |originals| Originals::open(archive, originals, self.mode);
        Ok(Task {
            transform: self.transform,
            originals: self.originals.map(open).transpose()?,
            mode: self.mode,
        })
    }

    /// Says whether there was a Maildir or an mbox.
    fn folders(
        &self,
        task: &Task<'_, T>,
        root: &Folder,
        observe: &mut dyn FnMut(Event<T::Error>),
    ) -> bool {
        let walk = Mutex::new(Walk::new(root, self.mode));
        let (sender, receiver) = sync_channel(REPORTS_MAX);
        let others = std::thread::scope(|scope| {
            let mut others = 0;
            for _ in 0..self.jobs.get() {
                let (walk, sender) = (&walk, sender.clone());
                let send = move |event| sender.send(event).ok();
                let all = move || while work(task, walk, &Teller(&send)).is_some() {};
                // If the system refuses a thread, fewer threads do the same work.
                others += usize::from(Builder::new().spawn_scoped(scope, all).is_ok());
            }
            drop(sender);
            // Gone as soon as `observe` panics, which lets the others stop.
            receiver.into_iter().for_each(&mut *observe);
            others
        });
        if others == 0 {
            let observe = RefCell::new(observe);
            let tell = |event| {
                observe.borrow_mut()(event);
                Some(())
            };
            while work(task, &walk, &Teller(&tell)).is_some() {}
        }
        let walk = walk.into_inner();
        walk.unwrap_or_else(PoisonError::into_inner).has_mailbox()
    }
}

fn single<T: Transform>(
    task: &Task<'_, T>,
    folder: &Folder,
    name: &Name,
    observe: &mut dyn FnMut(Event<T::Error>),
) -> Result<(), ArchiveError> {
    let path = folder.path_of(name);
    observe(Event::Folder {
        path: path.clone(),
        messages: 1,
    });
    if !task.is_dry_run() {
        let cleaned = discard_leftovers(folder, LeftBy::Anybody);
        cleaned.map_err(Refusal::to("clean", folder.path()))?;
    }
    observe(Event::Message(Report {
        path,
        number: None,
        outcome: eml::change(task, folder, name),
    }));
    Ok(())
}

impl<T: Transform> Task<'_, T> {
    pub(super) fn direction(&self) -> Direction {
        self.transform.direction()
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.mode == Mode::DryRun
    }

    /// The folder of a message, for work on it.
    pub(super) fn folder_for(&self, source: &Source) -> Result<Folder, ForeignFile> {
        self.folder_in(&source.folder, source)
    }

    /// A folder for work on a message in it.
    pub(super) fn folder_in(
        &self,
        folder: &Folder,
        source: &Source,
    ) -> Result<Folder, ForeignFile> {
        let folder = folder.for_file(Some(source.metadata.uid()))?;
        self.refuse_foreign_original(&folder)?;
        Ok(folder)
    }

    /// Originals that root would keep of another user's mail would be root's.
    pub(super) fn refuse_foreign_original(&self, folder: &Folder) -> Result<(), ForeignFile> {
        match self.originals.is_some() && !folder.is_mine() {
            true => Err(ForeignFile::Original),
            false => Ok(()),
        }
    }

    /// The result for a message with which there is nothing to do.
    pub(super) fn settled(
        &self,
        message: &dyn Reopen,
    ) -> Result<Option<MessageOutcome<T::Error>>, MessageError<T::Error>> {
        Ok(
            match self
                .transform
                .decide(message)
                .map_err(MessageError::Transform)?
            {
                Decision::Change => None,
                Decision::Already => Some(MessageOutcome::Already),
                Decision::Skip(reason) => Some(MessageOutcome::Skipped(Skip::Unwanted(reason))),
            },
        )
    }
}

/// Passes events to the caller's function. `None`: nobody receives them any more.
struct Teller<'a, E: Error + 'static>(&'a dyn Fn(Event<E>) -> Option<()>);

impl<E: Error + 'static> Teller<'_, E> {
    fn tell(&self, event: Event<E>) -> Option<()> {
        (self.0)(event)
    }

    fn fail(&self, path: &Path, error: MessageError<E>) -> Option<()> {
        self.tell(Event::Message(Report {
            path: path.to_path_buf(),
            number: None,
            outcome: MessageOutcome::Failed(error),
        }))
    }
}

/// Takes one step of the walk. `None`: there are no more, or the calling thread does not receive any more.
fn work<T: Transform>(
    task: &Task<'_, T>,
    walk: &Mutex<Walk>,
    teller: &Teller<'_, T::Error>,
) -> Option<()> {
    match next(walk, teller)? {
        Step::Begin(..) => Some(()),
        Step::Message(folder, subs, entries) => {
            let group = Group {
                task,
                subs: &subs,
                entries,
            };
            let mut listens = Some(());
            group.change(&mut |report| listens = teller.tell(Event::Message(report)));
            listens.and(leave(folder, teller))
        }
        Step::Eml(folder, name) => {
            let outcome = eml::change(task, &folder.opened, &name);
            teller.tell(Event::Message(Report {
                path: folder.opened.path_of(&name),
                number: None,
                outcome,
            }))?;
            leave(folder, teller)
        }
        Step::Mbox(folder, name) => {
            let mut listens = Some(());
            let mut tell = |event| listens = listens.and(teller.tell(event));
            if let Err(error) = mbox::rewrite(task, &folder.opened, &name, &mut tell) {
                let path = folder.opened.path_of(&name);
                teller.fail(&path, MessageError::Mbox(Box::new(error)))?;
            }
            listens.and(leave(folder, teller))
        }
        Step::Skipped(path, skip) => teller.tell(Event::Message(Report {
            path,
            number: None,
            outcome: MessageOutcome::Skipped(skip),
        })),
        Step::End(folder) => leave(folder, teller),
        Step::Broken(path, Broken::Busy) => teller.fail(&path, MessageError::Busy),
        Step::Broken(path, Broken::Foreign(foreign)) => teller.fail(&path, foreign.into()),
        Step::Broken(path, Broken::Refusal(refusal)) => teller.fail(&path, refusal.into()),
    }
}

/// The next step. The beginning of a folder is reported before another thread can take one of its messages.
fn next<E: Error>(walk: &Mutex<Walk>, teller: &Teller<'_, E>) -> Option<Step> {
    let mut walk = walk.lock().unwrap_or_else(PoisonError::into_inner);
    let step = walk.next()?;
    if let Step::Begin(path, messages) = &step {
        teller.tell(Event::Folder {
            path: path.clone(),
            messages: *messages,
        })?;
    }
    Some(step)
}

/// Releases a folder; the last thread to do so makes the removal of old forms durable.
fn leave<E: Error>(folder: Arc<MailFolder>, teller: &Teller<'_, E>) -> Option<()> {
    let Some(folder) = Arc::into_inner(folder) else {
        return Some(());
    };
    let path = folder.opened.path().to_path_buf();
    match folder.close() {
        Ok(()) => Some(()),
        Err(refusal) => teller.fail(&path, refusal.into()),
    }
}
