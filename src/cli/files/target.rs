//! Where a command writes, and which stored names may become file names.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use encl::atomic_file::{Folder, LeftBy, discard_leftovers};
use encl::file_kind::FileKind;
use encl::operations::seal::FileForm;

use crate::cli::errors::files::kind::recognised;
use crate::cli::errors::files::make_folder;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::Input;
use crate::cli::terminal::escape::is_hazard;
use crate::cli::terminal::stdin::is_dash;
use crate::cli::terminal::{Stream, shown};

const SUFFIX: &str = ".encl";
/// Behind [`SUFFIX`] where a page carries the envelope: a name in `.pdf.html` would look like a trick.
const PAGE_SUFFIX: &str = ".html";
/// Standard output as a path.
const STDOUT_NAMES: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
/// `NAME_MAX` of Linux file systems, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Where the outputs of a command go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The only one goes there.
    One(Target),
    /// Into this folder.
    Folder(PathBuf),
    /// Beside their inputs.
    BesideInput,
}

impl Destination {
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::One(_) | Self::BesideInput => None,
        }
    }
}

impl Destination {
    /// Removes the hidden files that killed runs of mine left where outputs of `inputs` go: on file systems without unnamed files
    /// they hold plaintext that was never checked.
    pub(crate) fn clear_leftovers(&self, inputs: &[Input]) {
        let beside = |path: &Path| path.parent().map(Path::to_owned);
        let folder = |input: &Input| match self {
            Self::Folder(folder) => Some(folder.clone()),
            Self::One(Target::Stdout) => None,
            Self::One(Target::File(path)) => beside(path),
            Self::BesideInput => beside(input.path()?),
        };
        let folders: HashSet<PathBuf> = inputs.iter().filter_map(folder).collect();
        for folder in folders {
            if let Ok(folder) = Folder::open_typed(&folder) {
                // A folder that cannot be cleaned can still be written to.
                let _ = discard_leftovers(&folder, LeftBy::Me);
            }
        }
    }
}

/// Where one output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Stdout,
    File(PathBuf),
}

/// Whether a path names a file, and not a pipe, a device or a descriptor. What is not there is an error elsewhere.
fn has_name(path: &Path) -> bool {
    let is_other = |metadata: Metadata| !metadata.is_file() && !metadata.is_dir();
    let descriptors = ["/dev/fd", "/proc/self/fd", "/dev/stdin"];
    let is_descriptor = descriptors.iter().any(|known| path.starts_with(known));
    !is_descriptor && !std::fs::metadata(path).is_ok_and(is_other)
}

impl Target {
    /// The target that a word on the command line names.
    pub(crate) fn parse(path: &Path) -> Self {
        // The descriptor that was handed over, not what it is opened to.
        let is_stdout = STDOUT_NAMES.iter().any(|name| path == Path::new(name));
        match is_dash(path) || is_stdout {
            true => Self::Stdout,
            false => Self::File(path.to_owned()),
        }
    }

    /// Its name for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdout => "standard output".to_owned(),
            Self::File(path) => shown(path),
        }
    }

    /// Its name for programs.
    pub(crate) fn typed(&self) -> String {
        match self {
            Self::Stdout => "-".to_owned(),
            Self::File(path) => path.to_string_lossy().into_owned(),
        }
    }

    /// The file, if it is one.
    pub(crate) fn into_path(self) -> Option<PathBuf> {
        match self {
            Self::Stdout => None,
            Self::File(path) => Some(path),
        }
    }

    /// Where objects about the output go: where data stands on standard output, to stderr.
    pub(crate) fn objects(&self) -> Stream {
        match self {
            Self::Stdout => Stream::Stderr,
            Self::File(_) => Stream::Stdout,
        }
    }

    /// Where the envelope of `input` goes; `name` is the one to store for standard input.
    pub(crate) fn of_wrap(
        input: &Input,
        destination: &Destination,
        name: Option<&str>,
        form: FileForm,
    ) -> Result<Self, Failure> {
        if let Destination::One(target) = destination {
            return Ok(target.clone());
        }
        let file = match input {
            Input::File(path) => path.clone(),
            Input::Stdin => match (destination.folder(), name.and_then(clean)) {
                (None, _) => return Ok(Self::Stdout),
                (Some(_), Some(name)) => name.into(),
                (Some(_), None) => {
                    return Err(input
                        .cannot("wrap", Exit::Usage)
                        .reason("it has no file name for -C")
                        .hint("--name NAME gives it one"));
                }
            },
        };
        if let Input::File(path) = input
            && name.is_none()
            && !has_name(path)
        {
            return Err(input
                .cannot("wrap", Exit::Usage)
                .reason("it is no file that an envelope could be put beside")
                .hint("-o OUT names the output; `-o -` is standard output"));
        }
        let mut sealed = file.into_os_string();
        sealed.push(SUFFIX);
        if form == FileForm::Page {
            sealed.push(PAGE_SUFFIX);
        }
        Ok(Self::File(within(destination.folder(), sealed.into())))
    }

    /// Where the content of `input` goes when its own name says so.
    pub(crate) fn of_unwrap(input: &Input, destination: &Destination) -> Result<Self, Failure> {
        if let Destination::One(target) = destination {
            return Ok(target.clone());
        }
        let usage = |because: &str| {
            let hint = "-o OUT names the output, --use-name takes the name stored inside";
            Err(input
                .cannot("unwrap", Exit::Usage)
                .reason(because)
                .hint(hint))
        };
        let path = match (input, destination.folder()) {
            (Input::Stdin, None) => return Ok(Self::Stdout),
            (Input::Stdin, Some(_)) => return usage("it has no file name for -C"),
            (Input::File(path), _) => path,
        };
        match path
            .file_name()
            .and_then(|name| stripped(name.as_encoded_bytes()))
        {
            Some(name) => {
                let opened = path.with_file_name(OsStr::from_bytes(name));
                Ok(Self::File(within(destination.folder(), opened)))
            }
            // A card or a message is told by what it is, an envelope by its name.
            None => usage("its name does not end in .encl")
                .map_err(|failure| recognised(failure, &[FileKind::Envelope])),
        }
    }

    /// Where the content of `input` goes under the name that is stored inside.
    pub(crate) fn of_stored(
        input: &Input,
        destination: &Destination,
        stored: Option<&str>,
    ) -> Result<Self, Failure> {
        let usage = |because: &str| {
            input
                .cannot("unwrap", Exit::Usage)
                .reason(because)
                .hint("-o OUT names the output")
        };
        let stored = stored.ok_or_else(|| usage("no file name is stored inside"))?;
        let name =
            clean(stored).ok_or_else(|| usage("the name that is stored inside cannot be used"))?;
        let beside = match input {
            Input::File(path) => path.parent().unwrap_or(Path::new("")),
            Input::Stdin => Path::new(""),
        };
        Ok(Self::File(
            destination.folder().unwrap_or(beside).join(name),
        ))
    }
}

/// `-o` names one output, so it takes one input. A folder that is not there is told once, whatever the number of inputs.
pub(crate) fn check_destination(
    inputs: &[Input],
    destination: &Destination,
) -> Result<(), Failure> {
    match destination {
        Destination::Folder(folder) if !folder.exists() => {
            let what = format!("cannot write into {}", shown(folder));
            let failure = Failure::new(Exit::Failed, what).file(folder);
            Err(failure
                .reason("there is no such folder")
                .hint(make_folder(folder)))
        }
        Destination::One(_) if inputs.len() > 1 => Err(Failure::new(
            Exit::Usage,
            "cannot write several outputs to one -o OUT",
        )
        .hint("-C DIR takes a folder")),
        _ => Ok(()),
    }
}

/// Binary data is not for a terminal.
pub(crate) fn refuse_binary_on_terminal(target: &Target, input: &Input) -> Result<(), Failure> {
    match target {
        Target::Stdout if io::stdout().is_terminal() => Err(input
            .cannot("wrap", Exit::Usage)
            .reason("an envelope is binary, and standard output is a terminal")
            .hint("-o OUT, a pipe, or --armor")),
        _ => Ok(()),
    }
}

fn stripped(name: &[u8]) -> Option<&[u8]> {
    let name = name.strip_suffix(PAGE_SUFFIX.as_bytes()).unwrap_or(name);
    name.strip_suffix(SUFFIX.as_bytes())
        .filter(|name| !name.is_empty())
}

/// The file of that name in `folder`, or where it stands.
fn within(folder: Option<&Path>, file: PathBuf) -> PathBuf {
    match (folder, file.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => file,
    }
}

/// A name from inside an envelope, as far as it may become a file name: its last component, if that is no dot name,
/// no device name, not too long, and free of hazards.
pub(crate) fn clean(stored: &str) -> Option<String> {
    let name = stored.rsplit(['/', '\\']).next()?.trim();
    let usable = !name.is_empty()
        && !name.starts_with('.')
        && name.len() <= NAME_BYTES_MAX
        && !name.contains(is_hazard)
        && !is_device(name);
    usable.then(|| name.to_owned())
}

/// Names that some systems take for devices, whatever their extension.
fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    let numbered = |prefix| {
        let number = stem.strip_prefix(prefix);
        number.is_some_and(|n| {
            n.chars().count() == 1 && n.contains(|c: char| c.is_ascii_digit() || "¹²³".contains(c))
        })
    };
    matches!(
        &*stem,
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$"
    ) || numbered("COM")
        || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use encl::operations::seal::Encoding;

    use super::*;

    fn file(name: &str) -> Input {
        Input::File(name.into())
    }

    fn out(output: Option<&str>, directory: Option<&str>) -> Destination {
        match (output, directory) {
            (Some(output), _) => Destination::One(Target::parse(Path::new(output))),
            (None, Some(folder)) => Destination::Folder(folder.into()),
            (None, None) => Destination::BesideInput,
        }
    }

    fn to(name: &str) -> Target {
        Target::File(name.into())
    }

    #[test]
    fn wrap_adds_the_suffix() {
        let of = |input: Input, output: Destination, name| {
            Target::of_wrap(&input, &output, name, FileForm::Envelope(Encoding::Binary))
        };
        assert_eq!(
            of(file("d/a.pdf"), out(None, None), None),
            Ok(to("d/a.pdf.encl"))
        );
        assert_eq!(
            of(file("d/a.pdf"), out(None, Some("e")), None),
            Ok(to("e/a.pdf.encl"))
        );
        assert_eq!(of(file("a"), out(Some("b"), None), None), Ok(to("b")));
        assert_eq!(
            of(file("a"), out(Some("-"), None), None),
            Ok(Target::Stdout)
        );
        assert_eq!(
            of(Input::Stdin, out(None, None), Some("x.tar")),
            Ok(Target::Stdout)
        );
        assert_eq!(
            of(Input::Stdin, out(None, Some("e")), Some("x.tar")),
            Ok(to("e/x.tar.encl"))
        );
        assert_eq!(
            of(Input::Stdin, out(None, Some("e")), None)
                .unwrap_err()
                .exit,
            Exit::Usage
        );
    }

    #[test]
    fn unwrap_takes_the_suffix_off() {
        let of = |input: Input, output: Destination| Target::of_unwrap(&input, &output);
        assert_eq!(of(file("d/a.pdf.encl"), out(None, None)), Ok(to("d/a.pdf")));
        assert_eq!(
            of(file("d/a.pdf.encl"), out(None, Some("e"))),
            Ok(to("e/a.pdf"))
        );
        assert_eq!(of(Input::Stdin, out(None, None)), Ok(Target::Stdout));
        for name in ["a.pdf", ".encl", "d/.encl"] {
            assert_eq!(
                of(file(name), out(None, None)).unwrap_err().exit,
                Exit::Usage,
                "{name}"
            );
        }
    }

    #[test]
    fn stored_names_are_cleaned() {
        let of = |stored| Target::of_stored(&file("d/x.encl"), &out(None, None), stored);
        assert_eq!(of(Some("report.pdf")), Ok(to("d/report.pdf")));
        assert_eq!(of(Some("../../etc/passwd")), Ok(to("d/passwd")));
        assert_eq!(of(Some("C:\\temp\\a.txt")), Ok(to("d/a.txt")));
        assert_eq!(of(Some("Größe 🦀.txt")), Ok(to("d/Größe 🦀.txt")));
        let long = "a".repeat(256);
        let refused = [
            "",
            ".",
            "..",
            "a/..",
            "a/",
            ".bashrc",
            "a\nb",
            "a\u{1b}[0m",
            "\u{202e}fdp",
            "NUL",
            "con.txt",
            "Lpt1.x",
            "com¹",
            &long,
        ];
        for name in refused {
            assert!(of(Some(name)).is_err(), "{name}");
        }
        assert!(of(None).is_err());
        assert!(clean("console.txt").is_some() && clean("com12").is_some());
    }

    #[test]
    fn one_output_is_for_one_input() {
        let two = [file("a"), file("b")];
        assert!(check_destination(&two, &out(Some("c"), None)).is_err());
        assert!(check_destination(&two[..1], &out(Some("c"), None)).is_ok());
    }
}
