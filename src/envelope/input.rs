//! Where an envelope comes from: any reader, armored or not, and its lines.

pub(in crate::envelope) mod armor;
pub(in crate::envelope) mod page;

use std::io::{self, BufRead, BufReader, Read};

use armor::ArmorReader;

use super::error::OpenError;
use super::id::MAGIC;

/// For the lines; what is longer than this is read past the buffer.
const BUFFER_BYTES: usize = 64 << 10;

/// The bytes of an envelope behind line 1, with the armor taken off.
pub(super) enum Input<R: Read> {
    Binary(BufReader<R>),
    Armored(Box<BufReader<ArmorReader<BufReader<R>>>>),
}

impl<R: Read> Input<R> {
    /// Reads line 1, or the first line of armor and then line 1: step 1 of reading.
    pub(super) fn new(input: R) -> Result<Self, OpenError> {
        let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
        let head = read_up_to(&mut input, MAGIC.len() + 1)?;
        if head.starts_with(b"-----BE") {
            return Self::armored(input);
        }
        match recognise(&head) {
            Ok(()) => Ok(Self::Binary(input)),
            Err(OpenError::NotAnEnvelope) => Err(below(&head, input)),
            Err(error) => Err(error),
        }
    }

    fn armored(mut input: BufReader<R>) -> Result<Self, OpenError> {
        let rest = &armor::BEGIN[MAGIC.len() + 1..];
        let head = read_up_to(&mut input, rest.len())?;
        if head != rest {
            return Err(not_our_armor(&head));
        }
        let mut input = BufReader::new(ArmorReader::new(input));
        recognise(&read_up_to(&mut input, MAGIC.len() + 1)?)?;
        Ok(Self::Armored(Box::new(input)))
    }

    /// Reads one line of at most `max` bytes without its line feed: step 2 of reading.
    pub(super) fn line(&mut self, name: &str, max: usize) -> Result<Vec<u8>, OpenError> {
        let mut line = Vec::new();
        let mut limited = self.by_ref().take(max as u64 + 1);
        limited
            .read_until(b'\n', &mut line)
            .map_err(OpenError::reading)?;
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            return Err(if line.len() > max {
                OpenError::OverLimit(format!("{name} has more than {max} bytes"))
            } else {
                OpenError::Truncated(format!("it ends within {name}"))
            });
        }
        if line.contains(&b'\r') {
            return Err(OpenError::Mangled(format!(
                "{name} holds a carriage return"
            )));
        }
        Ok(line)
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Binary(input) => input.read(out),
            Self::Armored(input) => input.read(out),
        }
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Binary(input) => input.fill_buf(),
            Self::Armored(input) => input.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self {
            Self::Binary(input) => input.consume(amount),
            Self::Armored(input) => input.consume(amount),
        }
    }
}

fn read_up_to(input: &mut impl Read, bytes: usize) -> Result<Vec<u8>, OpenError> {
    let mut head = Vec::with_capacity(bytes);
    input
        .take(bytes as u64)
        .read_to_end(&mut head)
        .map_err(OpenError::reading)?;
    Ok(head)
}

/// Decides what a file is by its first 7 bytes.
fn recognise(head: &[u8]) -> Result<(), OpenError> {
    let line_1 = [MAGIC, b"\n"].concat();
    if head == line_1 {
        return Ok(());
    }
    let mangled = |what: &str| Err(OpenError::Mangled(what.to_owned()));
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return mangled("it was turned into UTF-16");
    }
    if head.starts_with(b"\xEF\xBB\xBF") {
        return mangled("a byte order mark was put in front");
    }
    if head == [MAGIC, b"\r"].concat() {
        return mangled("its line feeds were turned into carriage returns");
    }
    if names_a_version(head) {
        return Err(OpenError::Newer(
            "its first line names another version".to_owned(),
        ));
    }
    if !head.is_empty() && line_1.starts_with(head) {
        return Err(OpenError::Truncated(
            "it ends within its first line".to_owned(),
        ));
    }
    Err(OpenError::NotAnEnvelope)
}

/// Looks for armor in the first lines of what is no envelope: people write a greeting above it, or quote it.
fn below(head: &[u8], input: impl Read) -> OpenError {
    let mut text = head.to_vec();
    // What cannot be read has no armor; one read may give a few bytes only.
    let _ = input.take(BUFFER_BYTES as u64).read_to_end(&mut text);
    for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
        let bare = line.trim_ascii_start();
        let is_quote = |byte: &u8| matches!(byte, b'>' | b' ' | b'|');
        let quotes = bare.iter().take_while(|byte| is_quote(byte)).count();
        if bare.starts_with(armor::BEGIN) {
            return OpenError::ArmorBelow { line: number };
        }
        if bare[quotes..].starts_with(armor::BEGIN) {
            return OpenError::ArmorQuoted;
        }
    }
    OpenError::NotAnEnvelope
}

/// `encl/` and a number that is not 1: `encl/2`, `encl/10`, `encl/01`.
fn names_a_version(head: &[u8]) -> bool {
    let number = head.strip_prefix(b"encl/").unwrap_or_default();
    let digits = number
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    digits > 0 && number[..digits] != *b"1"
}

/// Decides what a file is that begins like an armor, but not like ours.
fn not_our_armor(rest: &[u8]) -> OpenError {
    let begin = &armor::BEGIN[MAGIC.len() + 1..];
    let version = begin.len() - b"1-----".len();
    if begin.starts_with(rest) {
        OpenError::Truncated("it ends within the first line of its armor".to_owned())
    } else if rest.starts_with(&begin[..version])
        && rest.get(version).is_some_and(u8::is_ascii_digit)
    {
        OpenError::Newer("its armor names another version".to_owned())
    } else {
        OpenError::NotAnEnvelope
    }
}
