//! Opening a folder that was typed: links are followed if whoever can have put them there could have typed what they lead to.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::AtomicFileError;

/// As many links as the kernel follows in one path (`path_resolution(7)`).
const LINKS_MAX: usize = 40;

/// Bits of a folder's mode: everybody may make names in it, and only their owners may rename and remove them.
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Opens a typed folder for reading its names; nothing typed is the current folder.
pub(super) fn open(path: &Path) -> Result<OwnedFd, AtomicFileError> {
    let shown = path;
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // A link, whose owner counts; an old kernel; a sandbox.
        Err(Errno::LOOP | Errno::NOSYS | Errno::PERM | Errno::INVAL) => {}
        opened => return opened.map_err(|error| system("open the folder", shown, error)),
    }
    let mut walk = Walk {
        typed: shown,
        links: LINKS_MAX,
    };
    let found = walk.resolve(None, path)?;
    let opened = rustix::fs::openat(&found, ".", flags, Mode::empty());
    opened.map_err(|error| system("open the folder", shown, error))
}

struct Walk<'a> {
    typed: &'a Path,
    /// How many more are followed.
    links: usize,
}

impl Walk<'_> {
    /// Goes along a path from `start`, or from the current folder, and opens what stands at its end without reading it.
    fn resolve(
        &mut self,
        start: Option<&OwnedFd>,
        path: &Path,
    ) -> Result<OwnedFd, AtomicFileError> {
        let mut at = match start {
            Some(start) if path.is_relative() => self.enter(start, OsStr::new("."))?,
            _ if path.is_relative() => self.enter(CWD, OsStr::new("."))?,
            _ => self.enter(CWD, OsStr::new("/"))?,
        };
        let mut so_far = PathBuf::new();
        for component in path.components() {
            so_far.push(component);
            at = match component {
                Component::Normal(name) => self.step(&at, name, &so_far)?,
                Component::ParentDir => self.enter(&at, OsStr::new(".."))?,
                Component::RootDir | Component::CurDir | Component::Prefix(_) => at,
            };
        }
        Ok(at)
    }

    fn step(
        &mut self,
        at: &OwnedFd,
        name: &OsStr,
        so_far: &Path,
    ) -> Result<OwnedFd, AtomicFileError> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let found = rustix::fs::openat(at, name, flags, Mode::empty());
        let found = found.map_err(|error| self.refused(error))?;
        let stat = rustix::fs::fstat(&found).map_err(|error| self.refused(error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            return Ok(found);
        }
        self.links = self
            .links
            .checked_sub(1)
            .ok_or_else(|| self.refused(Errno::LOOP))?;
        let target = rustix::fs::readlinkat(&found, "", Vec::new());
        let target = target.map_err(|error| self.refused(error))?;
        let end = self.resolve(Some(at), Path::new(OsStr::from_bytes(target.to_bytes())))?;
        let look = |file: &OwnedFd| rustix::fs::fstat(file).map_err(|error| self.refused(error));
        let (above, end_stat) = (look(at)?, look(&end)?);
        // A link can also be moved here, by whoever may rename what is in this folder.
        let anybody_moves = above.st_mode & (OTHERS_WRITE | STICKY) == OTHERS_WRITE;
        let trusted = [geteuid().as_raw(), 0, end_stat.st_uid];
        let mut placed_by = [stat.st_uid, above.st_uid].into_iter();
        match !anybody_moves && placed_by.all(|user| trusted.contains(&user)) {
            true => Ok(end),
            false => Err(AtomicFileError::ForeignLink(so_far.to_path_buf())),
        }
    }

    fn enter(&self, at: impl rustix::fd::AsFd, name: &OsStr) -> Result<OwnedFd, AtomicFileError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let entered = rustix::fs::openat(at, name, flags, Mode::empty());
        entered.map_err(|error| self.refused(error))
    }

    fn refused(&self, error: Errno) -> AtomicFileError {
        system("open the folder", self.typed, error)
    }
}

pub(super) fn system(
    action: &'static str,
    path: &Path,
    error: impl Into<io::Error>,
) -> AtomicFileError {
    AtomicFileError::System {
        action,
        path: path.to_path_buf(),
        source: error.into(),
    }
}
