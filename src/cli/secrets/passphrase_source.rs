//! What a passphrase file, descriptor or command gives: one line or two, bounded, wiped after use.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::process::{Command, Stdio};

use close_fds::CloseFdsBuilder;
use encl::atomic_file::{inherited_descriptor, is_own_descriptor};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::process::descriptors::Standard;
use crate::cli::terminal::blocking::Blocking;

/// More than two of the longest passphrases (1,024 bytes each) with their line ends.
const SOURCE_BYTES_MAX: usize = 4096;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Which question a passphrase answers: of two lines the first is the identity's, the second the envelope's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassphraseFor {
    Identity,
    Envelope,
}

/// What is known of the first line when something new needs a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstLine {
    /// It is the passphrase of an identity that was needed.
    Used,
    /// Its source was named on this command line, and no identity needed it.
    Typed,
    /// No identity needed it so far; it comes from the environment.
    Ambient,
}

/// One line that answers every question, or the identity's and the envelope's.
pub(crate) struct Lines {
    first: Zeroizing<String>,
    second: Option<Zeroizing<String>>,
}

impl Lines {
    /// Takes what a source gave. A byte order mark in front is an editor's; an empty line at the end is none.
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text")?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = match text.strip_suffix('\r').unwrap_or(text).strip_suffix('\n') {
            Some(first) if !first.is_empty() => first,
            _ => text,
        };
        let mut lines = text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line));
        let mut next = || lines.next().map(|line| Zeroizing::new(line.to_owned()));
        let (first, second) = (next().unwrap_or_default(), next());
        match next() {
            None => Ok(Self { first, second }),
            Some(_) => Err("more than two lines were given".into()),
        }
    }

    /// The line that answers for something new: the second, or the first if that is free for it. The first is an identity's.
    pub(crate) fn of_new(&self, whose: PassphraseFor, first: FirstLine) -> Option<&str> {
        let is_free = match whose {
            PassphraseFor::Identity => first != FirstLine::Used,
            PassphraseFor::Envelope => first == FirstLine::Typed && self.second.is_none(),
        };
        match is_free {
            true => Some(&self.first),
            false => self.second.as_ref().map(|second| second.as_str()),
        }
    }

    /// The line that answers this question.
    pub(crate) fn of(&self, whose: PassphraseFor) -> &str {
        match (whose, &self.second) {
            (PassphraseFor::Envelope, Some(second)) => second,
            _ => &self.first,
        }
    }
}

/// Reads all, or says that it is too much. The buffer never moves, so no copy is left behind.
pub(crate) fn bounded(source: impl Read + AsFd) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut source = Blocking(source);
    let mut buffer = Zeroizing::new(vec![0; SOURCE_BYTES_MAX + 1]);
    let mut end = 0;
    while end < buffer.len() {
        match source.read(&mut buffer[end..]) {
            Ok(0) => break,
            Ok(bytes) => end += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("it cannot be read: {}", io_message(&error))),
        }
    }
    if end > SOURCE_BYTES_MAX {
        return Err(format!("more than {SOURCE_BYTES_MAX} bytes were given"));
    }
    buffer.truncate(end);
    Ok(buffer)
}

/// What a shell command prints. It shares our stderr and has no stdin: that may be data.
pub(crate) fn run(command: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let child = Command::new("sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| format!("sh cannot be run: {}", io_message(&error)))?;
    let text = bounded(child.stdout.take().expect("stdout was asked to be a pipe"));
    let status = child.wait().map_err(|error| io_message(&error))?;
    if status.success() {
        text
    } else {
        Err(format!("the passphrase command failed ({status})"))
    }
}

/// Opens an inherited descriptor again, from its beginning; what cannot be opened again, such as a socket or a file that only who
/// opened it may open, is read as it is. Without `O_NONBLOCK` a named pipe whose writer has gone would never open.
pub(crate) fn inherited(number: u32) -> Result<File, Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            Exit::Locked,
            format!("cannot read the passphrase from descriptor {number}"),
        )
        .reason(match error.kind() {
            io::ErrorKind::NotFound => "it is not open".into(),
            _ => io_message(&error),
        })
    };
    if number == 0 && Standard::Input.was_closed() {
        return Err(failed(io::ErrorKind::NotFound.into()));
    }
    let descriptor = i32::try_from(number).map_err(|_| failed(io::ErrorKind::NotFound.into()))?;
    let opened = opened_again(descriptor).or_else(|_| inherited_descriptor(descriptor));
    let file = opened.map_err(failed)?;
    close_in_children(descriptor).map_err(failed)?;
    Ok(file)
}

fn opened_again(descriptor: i32) -> io::Result<File> {
    if is_own_descriptor(descriptor) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).expect("an open(2) flag is an int");
    let file = File::options()
        .read(true)
        .custom_flags(nonblocking)
        .open(format!("/dev/fd/{descriptor}"))?;
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    Ok(file)
}

/// No program that is started from now on inherits this descriptor; it inherits the others as before.
fn close_in_children(number: i32) -> io::Result<()> {
    let standard = 0..=2;
    if standard.contains(&number) {
        return Ok(());
    }
    let mut others = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        others.extend(name.to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    others.retain(|other| *other != number);
    CloseFdsBuilder::new().keep_fds(&others).cloexecfrom(number);
    Ok(())
}

pub(crate) fn is_stdin(file: &File) -> bool {
    let stdin = rustix::fs::fstat(io::stdin());
    match (file.metadata(), stdin) {
        (Ok(file), Ok(stdin)) => (file.dev(), file.ino()) == (stdin.st_dev, stdin.st_ino),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    /// What answers for the identity, and for the envelope.
    fn lines(text: &str) -> Option<[String; 2]> {
        let lines = Lines::new(text.as_bytes()).ok()?;
        Some(
            [PassphraseFor::Identity, PassphraseFor::Envelope]
                .map(|whose| lines.of(whose).to_owned()),
        )
    }

    #[test]
    fn one_line_answers_every_question_and_two_are_shared_out() {
        for (text, identity, envelope) in [
            ("one", "one", "one"),
            ("one\n", "one", "one"),
            ("one\r\n", "one", "one"),
            ("\u{feff}one\r\n", "one", "one"),
            ("one\n\n", "one", "one"),
            ("one\r\n\r\n", "one", "one"),
            ("one\ntwo\n\n", "one", "two"),
            ("one\ntwo", "one", "two"),
            (" one \r\ntwo\r\n", " one ", "two"),
            ("", "", ""),
        ] {
            assert_eq!(lines(text).unwrap(), [identity, envelope], "{text:?}");
        }
        assert_eq!(lines("one\ntwo\nthree"), None);
    }

    #[test]
    fn the_passphrase_of_an_identity_is_not_taken_for_an_envelope() {
        let [one, two] = ["one", "one\ntwo"].map(|text| Lines::new(text.as_bytes()).unwrap());
        for (first, identity, envelope) in [
            (FirstLine::Used, [None, Some("two")], [None, Some("two")]),
            (
                FirstLine::Typed,
                [Some("one"); 2],
                [Some("one"), Some("two")],
            ),
            (FirstLine::Ambient, [Some("one"); 2], [None, Some("two")]),
        ] {
            let of = |whose| [&one, &two].map(|lines| lines.of_new(whose, first));
            assert_eq!(of(PassphraseFor::Identity), identity, "{first:?}");
            assert_eq!(of(PassphraseFor::Envelope), envelope, "{first:?}");
        }
    }

    #[test]
    fn sources_are_bounded() {
        let given = |bytes: usize| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&vec![b'a'; bytes]).unwrap();
            file.rewind().unwrap();
            bounded(file)
        };
        assert_eq!(given(SOURCE_BYTES_MAX).unwrap().len(), SOURCE_BYTES_MAX);
        assert!(given(SOURCE_BYTES_MAX + 1).is_err());
    }

    #[test]
    fn a_command_speaks_or_fails() {
        assert_eq!(run("echo secret").unwrap().as_slice(), b"secret\n");
        assert!(run("echo secret; exit 3").is_err());
    }

    #[test]
    fn descriptors_of_our_own_are_not_inherited() {
        use std::os::fd::AsRawFd;
        let ours = File::open("/dev/null").unwrap();
        assert!(is_own_descriptor(ours.as_raw_fd()));
        assert!(!is_own_descriptor(0));
    }
}
