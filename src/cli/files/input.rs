//! What a command reads: files, `-`, and lists of files.

use std::fs::{File, Metadata};
use std::io::{self, IoSliceMut, IsTerminal, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use encl::atomic_file::{descriptor_number, inherited_descriptor};

use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::terminal::blocking::Blocking;
use crate::cli::terminal::shown;
use crate::cli::terminal::stdin;
pub(crate) use crate::cli::terminal::stdin::is_dash;
use crate::cli::terminal::stdin::{StdinClaimed, StdinGuard};

/// The longest list of files that is read, in bytes.
const LIST_BYTES_MAX: u64 = 64 << 20;

/// One input, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

impl AsRef<Self> for Input {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Input {
    /// The input that a word on the command line names.
    pub(crate) fn parse(path: &Path) -> Self {
        match is_dash(path) {
            true => Self::Stdin,
            false => Self::File(path.to_owned()),
        }
    }

    /// All inputs of a command in the order given; without any, standard input. It is claimed if it is one of them, and nobody
    /// types it.
    pub(crate) fn all(
        paths: &[PathBuf],
        list: Option<&FileList<'_>>,
        verb: &str,
        stdin: &StdinGuard,
    ) -> Result<Vec<Self>, Failure> {
        if list.is_some_and(|list| is_dash(list.path)) {
            stdin.claim()?;
        }
        let mut inputs: Vec<_> = paths.iter().map(|path| Self::parse(path)).collect();
        if let Some(list) = list {
            if is_dash(list.path) && inputs.contains(&Self::Stdin) {
                return Err(StdinClaimed.into());
            }
            inputs.extend(list.read()?);
        } else if inputs.is_empty() {
            inputs.push(Self::Stdin);
        }
        for _ in inputs.iter().filter(|input| **input == Self::Stdin) {
            stdin.claim()?;
        }
        if inputs.contains(&Self::Stdin) && io::stdin().is_terminal() {
            return Err(Self::Stdin.no_typing(verb));
        }
        Ok(inputs)
    }

    /// Its path, if it has one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdin => None,
            Self::File(path) => Some(path),
        }
    }

    /// Its name for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => shown(path),
        }
    }

    /// Its name for programs, as it was typed.
    pub(crate) fn typed(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.to_string_lossy().into_owned(),
        }
    }

    /// "cannot VERB NAME", for a failure about this input.
    pub(crate) fn cannot(&self, verb: &str, exit: Exit) -> Failure {
        let failure = Failure::new(exit, format!("cannot {verb} {}", self.name()));
        match self {
            Self::Stdin => failure,
            Self::File(path) => failure.file(path),
        }
    }

    /// Opens it for reading. `verb` is what cannot be done otherwise.
    pub(crate) fn open(&self, verb: &str) -> Result<Source, Failure> {
        let failed = |error: &io::Error| {
            let failure = self.cannot(verb, Exit::Failed);
            failure.reason(io_message(error))
        };
        let file = match self {
            Self::Stdin => stdin::open(),
            Self::File(path) => open_file(path),
        };
        let file = file.map_err(|error| failed(&error))?;
        let metadata = file.metadata().map_err(|error| failed(&error))?;
        if metadata.is_dir() {
            return Err(self.a_folder(verb));
        }
        enlarge_pipe(&file, &metadata);
        Ok(Source { file, metadata })
    }

    fn no_typing(&self, verb: &str) -> Failure {
        self.cannot(verb, Exit::Usage)
            .reason("it is a terminal")
            .hint(format!("name a file, or pipe something into `encl {verb}`"))
    }

    fn a_folder(&self, verb: &str) -> Failure {
        let failure = self.cannot(verb, Exit::Usage).reason("it is a folder");
        match verb {
            "wrap" => {
                let folder = self.name();
                let name = folder.trim_end_matches(['/', '.']);
                let name = if name.is_empty() { "folder" } else { name };
                failure.hint(format!(
                    "-r encrypts every file below it; in one envelope: tar c {folder} | encl wrap - --name {name}.tar --to …"
                ))
            }
            "unwrap" => failure.hint("-r decrypts all envelopes below it"),
            _ => failure.hint("name the files in it"),
        }
    }
}

/// Opens a file. A descriptor's path that cannot be opened anew, such as that of a socket, stands for the descriptor.
fn open_file(path: &Path) -> io::Result<File> {
    let opened = File::open(path);
    match (&opened, descriptor_number(path)) {
        (Err(_), Some(number)) => inherited_descriptor(number).or(opened),
        _ => opened,
    }
}

/// An opened input.
pub(crate) struct Source {
    pub(crate) file: File,
    pub(crate) metadata: Metadata,
}

/// Bytes that a pipe holds at most, as far as the system lets us: fewer turns between those who share it.
const PIPE_BYTES: usize = 1 << 20;

/// Makes a pipe larger. What is no pipe, or may not grow, stays as it is.
pub(crate) fn enlarge_pipe(file: &File, metadata: &Metadata) {
    if metadata.file_type().is_fifo() {
        let _ = rustix::pipe::fcntl_setpipe_size(file, PIPE_BYTES);
    }
}

impl Source {
    /// Reads what comes next, without owning it.
    pub(crate) fn reader(&self) -> Blocking<&File> {
        Blocking(&self.file)
    }

    /// Whether it can be read twice.
    pub(crate) fn is_seekable(&self) -> bool {
        self.metadata.is_file()
    }

    /// What is still to be read, where that is known.
    pub(crate) fn length(&mut self) -> Option<u64> {
        let place = self
            .is_seekable()
            .then(|| self.file.stream_position())?
            .ok()?;
        Some(self.metadata.len().saturating_sub(place))
    }

    /// Where reading begins: a shell may hand over a file that was partly read.
    pub(crate) fn place(&mut self) -> io::Result<u64> {
        self.file.stream_position()
    }

    /// Goes back to `place`.
    pub(crate) fn rewind(&mut self, place: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(place)).map(drop)
    }

    /// A second descriptor of the file, to compare others with.
    pub(crate) fn twin(&self, input: &Input, verb: &str) -> Result<Self, Failure> {
        let file = self.file.try_clone();
        let file =
            file.map_err(|error| input.cannot(verb, Exit::Failed).reason(io_message(&error)))?;
        Ok(Self {
            file,
            metadata: self.metadata.clone(),
        })
    }

    /// All that is still to come, in an unnamed file that can be read twice. It holds what was sealed, never plaintext.
    pub(crate) fn spooled(self, input: &Input, verb: &str) -> Result<Self, Failure> {
        let spool = || {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut self.reader(), &mut file)?;
            file.rewind()?;
            let metadata = file.metadata()?;
            Ok(Self { file, metadata })
        };
        spool().map_err(|error: io::Error| {
            let because = format!(
                "it cannot be stored in a temporary file: {}",
                io_message(&error)
            );
            input.cannot(verb, Exit::Failed).reason(because)
        })
    }

    /// Whether this is the same file as `other`, under whatever name.
    pub(crate) fn is(&self, other: &Metadata) -> bool {
        self.metadata.is_file()
            && (self.metadata.dev(), self.metadata.ino()) == (other.dev(), other.ino())
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader().read(buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.reader().read_vectored(buffers)
    }
}

/// A file that names files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileList<'a> {
    pub(crate) path: &'a Path,
    /// What stands between two names.
    pub(crate) separator: u8,
}

impl FileList<'_> {
    /// The files that it names; empty lines name none.
    fn read(&self) -> Result<Vec<Input>, Failure> {
        let Self { path, separator } = *self;
        let what = format!("cannot read the list of files {}", shown(path));
        let failed = |error: io::Error| Failure::io(what.clone(), &error).file(path);
        let mut names = Vec::new();
        let source: Box<dyn Read> = if is_dash(path) {
            Box::new(Blocking(stdin::open().map_err(failed)?))
        } else {
            Box::new(File::open(path).map_err(failed)?)
        };
        source
            .take(LIST_BYTES_MAX + 1)
            .read_to_end(&mut names)
            .map_err(failed)?;
        if names.len() as u64 > LIST_BYTES_MAX {
            return Err(Failure::new(Exit::Usage, what).reason("it is longer than 64 MiB"));
        }
        let names = names
            .split(|byte| *byte == separator)
            .filter(|name| !name.is_empty());
        let input =
            |name: &[u8]| Input::parse(Path::new(&std::ffi::OsString::from_vec(name.to_vec())));
        Ok(names.map(input).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(files: &[&str], files_from: Option<&Path>, null: bool) -> Result<Vec<Input>, Failure> {
        let files: Vec<_> = files.iter().map(PathBuf::from).collect();
        let list = files_from.map(|path| FileList {
            path,
            separator: if null { 0 } else { b'\n' },
        });
        Input::all(&files, list.as_ref(), "verify", &StdinGuard::default())
    }

    fn file(name: &str) -> Input {
        Input::File(name.into())
    }

    #[test]
    fn nothing_given_is_standard_input() {
        assert_eq!(given(&[], None, false).unwrap(), [Input::Stdin]);
        assert_eq!(
            given(&["a", "-"], None, false).unwrap(),
            [file("a"), Input::Stdin]
        );
    }

    #[test]
    fn standard_input_is_read_once() {
        assert_eq!(
            given(&["-", "-"], None, false).unwrap_err().exit,
            Exit::Usage
        );
        assert_eq!(
            given(&["-"], Some(Path::new("-")), false).unwrap_err().exit,
            Exit::Usage
        );
    }

    #[test]
    fn lists_have_lines_or_nul_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        std::fs::write(&list, "a\nb c\n\n").unwrap();
        assert_eq!(
            given(&["x"], Some(&list), false).unwrap(),
            [file("x"), file("a"), file("b c")]
        );
        std::fs::write(&list, "a\nb\0c\0").unwrap();
        assert_eq!(
            given(&[], Some(&list), true).unwrap(),
            [file("a\nb"), file("c")]
        );
        std::fs::write(&list, "").unwrap();
        assert_eq!(given(&[], Some(&list), false).unwrap(), []);
    }

    #[test]
    fn a_missing_list_is_a_failure_of_the_system() {
        let failure = given(&[], Some(Path::new("/no/such/list")), false).unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
    }
}
