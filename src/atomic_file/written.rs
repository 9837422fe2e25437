//! What a typed target is: a file that will appear, or something that takes bytes and cannot be replaced.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fd::RawFd;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, geteuid, getpid, pidfd_getfd, pidfd_open};

use super::entry::{FileId, Seen};
use super::folder::Folder;
use super::{AtomicFile, AtomicFileError, Existing, FileMode, typed};

/// A target that is open for writing.
#[derive(Debug)]
pub enum WrittenFile {
    /// A file that appears complete.
    Complete(Box<AtomicFile>),
    /// A device or pipe: bytes are gone once they are written.
    Stream(File),
    /// The target is this very file: one that was to be recognised.
    Same,
}

impl WrittenFile {
    /// Opens a typed target. What is no regular file is looked at before it is opened, and only what was looked at is opened: a
    /// device below /dev that is root's, another device or a pipe of mine or root's if `existing` may be replaced.
    ///
    /// # Errors
    /// [`AtomicFileError`].
    pub fn open(
        target: &Path,
        mode: FileMode,
        existing: Existing,
        same: Option<FileId>,
    ) -> Result<Self, AtomicFileError> {
        if let Some(number) = descriptor_number(target) {
            let file = inherited_for_writing(number, target);
            let file = file.map_err(|error| typed::system("open", target, error))?;
            let metadata = file.metadata();
            let metadata = metadata.map_err(|error| typed::system("look at", target, error))?;
            return Ok(match same == Some(FileId::from(&metadata)) {
                true => Self::Same,
                false => Self::Stream(file),
            });
        }
        let (folder, name) = Folder::of_typed(target)?;
        let seen = match folder.look(&name) {
            Ok(seen) => seen,
            Err(Errno::NOENT) => {
                let file = folder.create(&name, mode, existing);
                return complete(file, target);
            }
            Err(error) => return Err(typed::system("look at", target, error)),
        };
        if same.is_some() && (same == Some(seen.id()) || same == folder.led_to(&name)) {
            return Ok(Self::Same);
        }
        if !judge(target, &seen, existing)? {
            let file = folder.create(&name, mode, existing);
            return complete(file, target);
        }
        // A pipe waits for its reader here.
        let file = folder.open(&name, &seen, OFlags::WRONLY);
        let file = file.map_err(|error| typed::system("open", target, error))?;
        Ok(Self::Stream(file))
    }
}

fn complete(
    file: Result<AtomicFile, AtomicFileError>,
    target: &Path,
) -> Result<WrittenFile, AtomicFileError> {
    let file = file.map_err(|error| error.at(target))?;
    Ok(WrittenFile::Complete(Box::new(file)))
}

/// The descriptor that a typed path names.
#[must_use]
pub fn descriptor_number(target: &Path) -> Option<RawFd> {
    match target.to_str()? {
        "/dev/stdin" => Some(0),
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        typed => {
            let below = |folder| typed.strip_prefix(folder);
            let number = below("/dev/fd/").or_else(|| below("/proc/self/fd/"))?;
            let is_number = number.bytes().all(|digit| digit.is_ascii_digit());
            number.parse().ok().filter(|_| is_number)
        }
    }
}

/// A second descriptor of a file that was handed to this process under this number, for reading or writing as it is.
///
/// # Errors
/// What the system says; [`io::ErrorKind::NotFound`] if nothing was handed over.
pub fn inherited_descriptor(number: RawFd) -> io::Result<File> {
    if flags_of(number).is_none_or(is_own) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let own = pidfd_open(getpid(), PidfdFlags::empty());
    let duplicate = own.and_then(|own| pidfd_getfd(own, number, PidfdGetfdFlags::empty()));
    Ok(duplicate?.into())
}

fn inherited_for_writing(number: RawFd, target: &Path) -> io::Result<File> {
    match inherited_descriptor(number) {
        // An old kernel, or a sandbox: opened anew, it is the same pipe or device.
        Err(error)
            if matches!(
                Errno::from_io_error(&error),
                Some(Errno::NOSYS | Errno::PERM)
            ) =>
        {
            let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOCTTY | OFlags::CLOEXEC;
            Ok(rustix::fs::openat(CWD, target, flags, Mode::empty())?.into())
        }
        duplicate => duplicate,
    }
}

/// Whether this process has opened the descriptor itself: what is handed over has no `O_CLOEXEC`.
#[must_use]
pub fn is_own_descriptor(number: RawFd) -> bool {
    flags_of(number).is_some_and(is_own)
}

fn is_own(flags: u32) -> bool {
    flags & OFlags::CLOEXEC.bits() != 0
}

/// The flags of an open descriptor (`proc(5)`, `fdinfo`).
fn flags_of(number: RawFd) -> Option<u32> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
    u32::from_str_radix(flags.trim(), 8).ok()
}

/// Whether it is a stream that may be written to.
fn judge(target: &Path, seen: &Seen, existing: Existing) -> Result<bool, AtomicFileError> {
    let path = || target.to_path_buf();
    let may_replace = existing != Existing::Keep;
    match seen.kind() {
        FileType::CharacterDevice if seen.owner() == 0 && is_below_dev(target) => Ok(true),
        FileType::CharacterDevice if may_replace => Ok(true),
        FileType::Fifo if !may_replace => Err(AtomicFileError::Exists(path())),
        FileType::Fifo if [0, geteuid().as_raw()].contains(&seen.owner()) => Ok(true),
        FileType::Fifo => Err(AtomicFileError::ForeignPipe(path())),
        FileType::BlockDevice | FileType::Socket => Err(AtomicFileError::NotAFile(path())),
        _ => Ok(false),
    }
}

fn is_below_dev(target: &Path) -> bool {
    let bytes = target.as_os_str().as_bytes();
    bytes.starts_with(b"/dev/") && !target.components().any(|part| part.as_os_str() == "..")
}
