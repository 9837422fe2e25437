//! An output being written: a file that appears complete or not at all, a device, or standard output.

use std::fs::File;
use std::io::{self, IoSlice, IsTerminal, Write};
use std::path::Path;

use encl::atomic_file::{
    AtomicFile, AtomicFileError, Existing, FileId, FileMode, Folder, WrittenFile,
};

use crate::cli::errors::files::{not_made, not_printed};
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, Source, enlarge_pipe};
use crate::cli::files::target::Target;
use crate::cli::terminal::blocking::Blocking;
use crate::cli::terminal::shown;
use crate::cli::terminal::stdout::Stdout;

/// Where the bytes of one output go. Dropped without [`Sink::commit`], a file leaves nothing.
pub(crate) enum Sink {
    Stdout(Stdout),
    /// A device or pipe that was named like a file: it takes bytes, but cannot be replaced.
    Device(File),
    File(Box<AtomicFile>),
}

/// One output: what for, from where, to where.
pub(crate) struct Output<'a> {
    /// "wrap" or "unwrap".
    pub(crate) verb: &'static str,
    pub(crate) input: &'a Input,
    pub(crate) target: &'a Target,
}

impl Output<'_> {
    /// Opens the target. It must not be the input under any name, nor exist unless it may be replaced.
    pub(crate) fn open(
        &self,
        source: &Source,
        mode: FileMode,
        existing: Existing,
    ) -> Result<Sink, Failure> {
        let path = match self.target {
            Target::Stdout => return self.stdout(source),
            Target::File(path) => path,
        };
        let input = source.is_seekable().then(|| FileId::from(&source.metadata));
        match WrittenFile::open(path, mode, existing, input) {
            Ok(WrittenFile::Complete(file)) => Ok(Sink::File(file)),
            Ok(WrittenFile::Stream(device)) => self.device(device, path),
            Ok(WrittenFile::Same) => Err(self.is_the_input(path)),
            Err(error) => Err(self.not_made(&error)),
        }
    }

    /// Refuses a target that exists, before any work is done for it.
    pub(crate) fn refuse_existing(&self, existing: Existing) -> Result<(), Failure> {
        match self.target {
            Target::File(path) if existing == Existing::Keep => match Folder::of_typed(path) {
                Ok((folder, name)) if folder.is_file(&name) => {
                    Err(self.not_made(&AtomicFileError::Exists(path.clone())))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Finishes the output: on disk, under its name.
    pub(crate) fn commit(&self, sink: Sink) -> Result<(), Failure> {
        match sink {
            Sink::Stdout(mut out) => out.flush().map_err(|error| self.not_written(&error)),
            Sink::Device(mut device) => device.flush().map_err(|error| self.not_written(&error)),
            Sink::File(file) => file.commit().map_err(|error| self.not_made(&error)),
        }
    }

    /// An error while writing.
    pub(crate) fn not_written(&self, error: &io::Error) -> Failure {
        match self.target {
            Target::Stdout => not_printed(error),
            Target::File(path) => self
                .failure(Exit::Failed)
                .reason(format!("cannot write {}", shown(path)))
                .reason(io_message(error)),
        }
    }

    fn device(&self, device: File, path: &Path) -> Result<Sink, Failure> {
        if device.is_terminal() {
            let failure = self
                .failure(Exit::Usage)
                .reason(format!("{} is a terminal", shown(path)));
            return Err(failure.hint("`-o -` is standard output, which shows text"));
        }
        if let Ok(metadata) = device.metadata() {
            enlarge_pipe(&device, &metadata);
        }
        Ok(Sink::Device(device))
    }

    fn stdout(&self, source: &Source) -> Result<Sink, Failure> {
        let out = Stdout::open()?;
        if let Ok(metadata) = out.file().metadata() {
            if source.is(&metadata) {
                return Err(self
                    .failure(Exit::Exists)
                    .reason("standard output is the input file"));
            }
            enlarge_pipe(out.file(), &metadata);
        }
        Ok(Sink::Stdout(out))
    }

    fn is_the_input(&self, path: &Path) -> Failure {
        self.failure(Exit::Exists)
            .reason(format!("{} is the input", shown(path)))
    }

    /// Why the file did not come into being.
    pub(crate) fn not_made(&self, error: &AtomicFileError) -> Failure {
        not_made(self.failure(Exit::Failed), error)
    }

    fn failure(&self, exit: Exit) -> Failure {
        self.input.cannot(self.verb, exit)
    }
}

impl Sink {
    /// Whether the bytes can be seen before all of them were checked.
    pub(crate) fn is_stream(&self) -> bool {
        match self {
            Self::Stdout(_) | Self::Device(_) => true,
            Self::File(_) => false,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Device(device) => Blocking(&*device).write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write_vectored(slices),
            Self::Device(device) => Blocking(&*device).write_vectored(slices),
            Self::File(file) => file.write_vectored(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Device(device) => device.flush(),
            Self::File(file) => file.flush(),
        }
    }
}
