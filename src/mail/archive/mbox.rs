//! An mbox, rewritten as a whole: each message is converted, and the `From ` lines between them stay.
//!
//! The unit is every byte after a `From ` line up to the next one, empty lines and all, so that unsealing gives back the
//! file. After a sealed message stands one empty line.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::file_range::FileRange;
use super::form::{MODE_MAX, Source, copy_attributes};
use super::lock::{DotLock, lock_file};
use super::originals::Versions;
use super::run::Task;
use super::separators::{Place, Places, Separators};
use super::{
    ArchiveError, Direction, Event, MessageError, MessageOutcome, Refusal, Report, Transform,
};
use crate::atomic_file::{AtomicFile, Existing, FileMode, Folder, LeftBy, Name, discard_leftovers};

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 1 << 16;
/// What a plain mbox keeps of the mode: its group may be that of the programs which deliver.
const PLAIN_MODE_MAX: u32 = 0o770;

/// Converts each message of the mbox under `name`.
pub(super) fn rewrite<T: Transform>(
    task: &Task<'_, T>,
    folder: &Folder,
    name: &Name,
    observe: &mut dyn FnMut(Event<T::Error>),
) -> Result<(), ArchiveError> {
    let path = &folder.path_of(name);
    if task.is_dry_run() {
        let source = open(folder, name, OFlags::RDONLY)?;
        return Rewriting::new(task, name, &source, None).run(observe);
    }
    let seen = folder.look(name).map_err(Refusal::to("look at", path))?;
    let folder = &folder.for_file(Some(seen.owner()))?;
    let lock = DotLock::take(folder, name)?;
    // A lock by fcntl needs a file that is open for writing.
    let source = open(folder, name, OFlags::RDWR)?;
    lock_file(&source.file, path)?;
    if source.id() != seen.id() || !source.is_at(folder, name) {
        return Err(ArchiveError::Changed(path.clone()));
    }
    task.refuse_foreign_original(folder)?;
    let stored_names = task.originals.as_ref().map_or(0, |originals| {
        originals.names(&source, path, Versions::Many)
    });
    if source.names() > 1 + stored_names {
        return Err(ArchiveError::Link(path.clone()));
    }
    let cleaned = discard_leftovers(folder, LeftBy::Anybody);
    cleaned.map_err(Refusal::to("clean", folder.path()))?;
    Rewriting::new(task, name, &source, Some(&lock)).run(observe)
}

fn open(folder: &Folder, name: &Name, access: OFlags) -> Result<Source, ArchiveError> {
    let path = folder.path_of(name);
    let file = match folder.read(name, access) {
        Ok(file) => file,
        Err(Errno::LOOP) => return Err(ArchiveError::Link(path)),
        Err(error) => return Err(Refusal::to("open", &path)(error).into()),
    };
    let metadata = file.metadata().map_err(Refusal::to("look at", &path))?;
    Ok(Source {
        folder: folder.clone(),
        file,
        metadata,
    })
}

struct Rewriting<'a, T> {
    task: &'a Task<'a, T>,
    name: &'a Name,
    /// For messages.
    path: PathBuf,
    source: &'a Source,
    /// `None` in a dry run: nothing is written.
    lock: Option<&'a DotLock>,
    /// Begun with the first message that changes.
    copy: Option<Copy>,
}

/// The new mbox, as far as it is written.
struct Copy {
    file: AtomicFile,
    bytes: u64,
    /// The hash of what was verified, to be compared with the disk at the end.
    digest: Sha256,
}

/// An error for one message, or for the whole mbox.
enum Trouble<E: std::error::Error + 'static> {
    Message(MessageError<E>),
    Whole(ArchiveError),
}

impl<'a, T: Transform> Rewriting<'a, T> {
    fn new(
        task: &'a Task<'a, T>,
        name: &'a Name,
        source: &'a Source,
        lock: Option<&'a DotLock>,
    ) -> Self {
        Self {
            task,
            name,
            path: source.folder.path_of(name),
            source,
            lock,
            copy: None,
        }
    }

    fn run(mut self, observe: &mut dyn FnMut(Event<T::Error>)) -> Result<(), ArchiveError> {
        let mut messages = 0;
        for place in self.places()? {
            place.map_err(Refusal::to("read", &self.path))?;
            messages += 1;
        }
        observe(Event::Folder {
            path: self.path.clone(),
            messages,
        });
        for (place, number) in self.places()?.zip(1..) {
            let place = place.map_err(Refusal::to("read", &self.path))?;
            let outcome = self.message(&place)?;
            observe(Event::Message(Report {
                path: self.path.clone(),
                number: Some(number),
                outcome,
            }));
        }
        match self.copy.take() {
            Some(copy) => self.replace(copy),
            None => Ok(()),
        }
    }

    fn places(&self) -> Result<Places<'a>, ArchiveError> {
        let places = Places::new(&self.source.file, self.source.metadata.len());
        let places = places.map_err(Refusal::to("read", &self.path))?;
        places.ok_or_else(|| ArchiveError::NotMail(self.path.clone()))
    }

    fn message(&mut self, place: &Place) -> Result<MessageOutcome<T::Error>, ArchiveError> {
        if let Some(lock) = self.lock {
            lock.touch();
        }
        let message = self.range(place.message.start, place.message.end);
        let changed = self.change(place, &message);
        let outcome = match changed {
            Ok(outcome) => outcome,
            Err(Trouble::Message(error)) => MessageOutcome::Failed(error),
            Err(Trouble::Whole(error)) => return Err(error),
        };
        if let (Some(copy), false) = (&mut self.copy, matches!(outcome, MessageOutcome::Converted))
        {
            copy.take_over(FileRange {
                at: place.from_line.start,
                ..message
            })
            .map_err(Refusal::to("copy", &self.path))?;
        }
        Ok(outcome)
    }

    fn range(&self, at: u64, end: u64) -> FileRange<'a> {
        FileRange {
            file: &self.source.file,
            at,
            end,
        }
    }

    fn change(
        &mut self,
        place: &Place,
        message: &FileRange<'_>,
    ) -> Result<MessageOutcome<T::Error>, Trouble<T::Error>> {
        // There is nothing to seal, and perhaps not even a whole line before it.
        if place.message.is_empty() {
            return Ok(MessageOutcome::Already);
        }
        if let Some(settled) = self.task.settled(message)? {
            return Ok(settled);
        }
        if self.lock.is_none() {
            return Ok(MessageOutcome::Converted);
        }
        let form = Form {
            transform: self.task.transform,
            from_line: FileRange {
                at: place.from_line.start,
                end: place.from_line.end,
                ..*message
            },
            message,
            ends_mbox: place.message.end == self.source.metadata.len(),
        };
        let path = self.path.clone();
        let copy = self.copy_up_to(place).map_err(Trouble::Whole)?;
        form.write(copy, &path)?;
        Ok(MessageOutcome::Converted)
    }

    /// The copy, begun with all that comes before its first change.
    fn copy_up_to(&mut self, place: &Place) -> Result<&mut Copy, ArchiveError> {
        let copy = match self.copy.take() {
            Some(copy) => copy,
            None => Copy::begin(self.source, self.name, self.range(0, place.from_line.start))?,
        };
        Ok(self.copy.insert(copy))
    }

    /// Replaces the mbox by the copy, once the disk returns what was verified.
    fn replace(&self, mut copy: Copy) -> Result<(), ArchiveError> {
        let mode_max = match self.task.direction() {
            Direction::Seal => MODE_MAX,
            Direction::Unseal => PLAIN_MODE_MAX,
        };
        let file = copy.file.file();
        copy_attributes(file, self.source, &self.source.folder, mode_max)
            .map_err(Refusal::to("set mode and time of", &self.path))?;
        copy.file.make_durable()?;
        let read_back =
            digest(FileRange::all(copy.file.file())).map_err(Refusal::to("read", &self.path))?;
        if read_back != copy.digest.finalize() {
            return Err(ArchiveError::ReadBack(self.path.clone()));
        }
        if let Some(originals) = &self.task.originals {
            originals.store(self.source, &self.path, Versions::Many)?;
        }
        if !self.source.is_at(&self.source.folder, self.name) || !self.source.is_unchanged() {
            return Err(ArchiveError::Changed(self.path.clone()));
        }
        Ok(copy.file.commit()?)
    }
}

/// The other form of one message, about to be written behind its `From ` line.
struct Form<'a, T> {
    transform: &'a T,
    from_line: FileRange<'a>,
    message: &'a FileRange<'a>,
    ends_mbox: bool,
}

impl<E: std::error::Error> From<MessageError<E>> for Trouble<E> {
    fn from(error: MessageError<E>) -> Self {
        Self::Message(error)
    }
}

impl<T: Transform> Form<'_, T> {
    /// Writes and verifies it. If that fails, the copy is as it was before.
    fn write(self, copy: &mut Copy, path: &Path) -> Result<(), Trouble<T::Error>> {
        let begin = copy.bytes;
        match self.try_write(copy, path) {
            Ok(end) => {
                let settled = copy.settle(end).map_err(Refusal::to("read", path));
                settled.map_err(|refusal| Trouble::Whole(refusal.into()))
            }
            Err(error) => {
                let cut = copy.cut(begin).map_err(Refusal::to("write", path));
                cut.map_err(|refusal| Trouble::Whole(refusal.into()))?;
                Err(Trouble::Message(error))
            }
        }
    }

    fn try_write(&self, copy: &Copy, path: &Path) -> Result<u64, MessageError<T::Error>> {
        let system = || Refusal::to("write", path);
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, copy.file.file());
        io::copy(&mut { self.from_line }, &mut out).map_err(system())?;
        let sent = self.transform.write(self.message, &mut out);
        let receipt = sent.map_err(MessageError::Transform)?;
        let mut file = out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .map_err(system())?;
        let end = file.stream_position().map_err(system())?;
        let written = FileRange {
            file,
            at: copy.bytes + (self.from_line.end - self.from_line.at),
            end,
        };
        let proved = self.transform.verify(receipt, &written, self.message);
        proved.map_err(MessageError::Transform)?;
        if self
            .holds_from_line(copy.bytes, written)
            .map_err(system())?
        {
            return Err(MessageError::FromLine);
        }
        let after = self.after(copy.bytes, end, file).map_err(system())?;
        file.write_all(after).map_err(system())?;
        Ok(end + after.len() as u64)
    }

    /// Whether a line of the new form would begin another message: in a sealed one for the simplest reader, in a plain one
    /// for us, since others have to read it as they did before.
    fn holds_from_line(&self, begin: u64, written: FileRange<'_>) -> io::Result<bool> {
        match self.transform.direction() {
            Direction::Seal => Separators::new(written.file, written.at, written.end).any(),
            Direction::Unseal => {
                let mut separators = Separators::new(written.file, begin, written.end);
                Ok(separators.next(written.at)?.is_some())
            }
        }
    }

    /// What is missing to an empty line before the next message.
    fn after(&self, begin: u64, end: u64, file: &File) -> io::Result<&'static [u8]> {
        let mut last = [0; 3];
        let bytes = end - begin;
        let last = &mut last[..usize::try_from(bytes.min(3)).unwrap_or(3)];
        file.read_exact_at(last, end - last.len() as u64)?;
        let has_empty_line = last.ends_with(b"\n\n") || last.ends_with(b"\n\r\n");
        let is_sealed = self.transform.direction() == Direction::Seal;
        if !is_sealed && (self.ends_mbox || has_empty_line) {
            return Ok(b"");
        }
        Ok(match (last.ends_with(b"\n"), self.has_crlf()?) {
            (true, false) => b"\n",
            (true, true) => b"\r\n",
            (false, false) => b"\n\n",
            (false, true) => b"\r\n\r\n",
        })
    }

    /// The line ends of the mbox are those of the `From ` line.
    fn has_crlf(&self) -> io::Result<bool> {
        let mut end = [0; 2];
        let at = self.from_line.end - 2;
        self.from_line.file.read_exact_at(&mut end, at)?;
        Ok(end == *b"\r\n")
    }
}

impl Copy {
    fn begin(source: &Source, name: &Name, before: FileRange<'_>) -> Result<Self, ArchiveError> {
        let (folder, path) = (&source.folder, source.folder.path_of(name));
        let mut copy = Self {
            file: folder.create(name, FileMode::OwnerOnly, Existing::Overwrite)?,
            bytes: 0,
            digest: Sha256::new(),
        };
        copy.take_over(before).map_err(Refusal::to("copy", &path))?;
        Ok(copy)
    }

    /// Appends a piece of the old mbox as it is.
    fn take_over(&mut self, piece: FileRange<'_>) -> io::Result<()> {
        let mut file = self.file.file();
        let bytes = io::copy(&mut { piece }, &mut file)?;
        if bytes != piece.end - piece.at {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        feed(&mut self.digest, piece)?;
        self.bytes += bytes;
        Ok(())
    }

    /// What was written up to `end` is right.
    fn settle(&mut self, end: u64) -> io::Result<()> {
        let file = self.file.file();
        let piece = FileRange {
            file,
            at: self.bytes,
            end,
        };
        feed(&mut self.digest, piece)?;
        self.bytes = end;
        Ok(())
    }

    fn cut(&self, bytes: u64) -> io::Result<()> {
        let mut file = self.file.file();
        file.set_len(bytes)?;
        file.seek(SeekFrom::Start(bytes)).map(drop)
    }
}

fn digest(piece: FileRange<'_>) -> io::Result<sha2::digest::Output<Sha256>> {
    let mut digest = Sha256::new();
    feed(&mut digest, piece)?;
    Ok(digest.finalize())
}

fn feed(digest: &mut Sha256, mut piece: FileRange<'_>) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match piece.read(&mut buffer)? {
            0 => return Ok(()),
            count => digest.update(&buffer[..count]),
        }
    }
}
