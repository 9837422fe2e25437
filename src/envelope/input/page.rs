//! An envelope that a page carries (FORMAT.md, "In a page"): the page is set aside, and the armor behind it is read on.

use std::io::{self, BufRead, BufReader, Chain, Cursor, IoSliceMut, Read, Write};

use super::armor;
use crate::crypto::sha256;
use crate::envelope::error::OpenError;

/// What every page begins with.
const DOCTYPE: &[u8] = b"<!doctype html>";
/// What stands between page and armor; a line feed follows.
const TAG: &[u8] = b"<script type=\"text/plain\" id=\"envelope\">";
/// What stands behind the armor.
const CLOSING: &[u8] = b"</script>\n";
/// The most bytes of a page.
pub const PAGE_BYTES_MAX: u64 = 1 << 20;

/// The most bytes of a file with a page and an envelope: browsers hold all of it in memory.
const FILE_BYTES_MAX: u64 = 128 << 20;

/// The page that stood in front of an envelope. Whoever wrote the file could put any page there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarryingPage {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

/// Why the armor behind a page cannot be read. It travels through [`Read`] inside an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::envelope) enum PageError {
    #[error("the page that carries it has no end")]
    Truncated,
    #[error("a page with an envelope has more than {FILE_BYTES_MAX} bytes")]
    TooLong,
    #[error(
        "something else than armor stands behind the page's tag, or something behind the armor"
    )]
    Other,
}

impl From<PageError> for io::Error {
    fn from(error: PageError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Reads what is no page as it is, and of a page the armor behind it.
pub struct PageReader<R: Read>(State<R>);

enum State<R: Read> {
    Plain(Chain<Cursor<Vec<u8>>, R>),
    Carried(Carried<R>),
}

impl<R: Read> PageReader<R> {
    /// Looks at the beginning of `input`, and if it is that of a page, reads as far as the armor.
    ///
    /// # Errors
    /// [`OpenError::NotAnEnvelope`] for a page without an envelope, and what `input` answers.
    pub fn new(mut input: R) -> Result<(Option<CarryingPage>, Self), OpenError> {
        let mut head = Vec::with_capacity(DOCTYPE.len());
        let read = input.by_ref().take(DOCTYPE.len() as u64);
        { read }
            .read_to_end(&mut head)
            .map_err(OpenError::reading)?;
        if head != DOCTYPE {
            return Ok((None, Self(State::Plain(Cursor::new(head).chain(input)))));
        }
        let mut input = BufReader::new(input);
        let page = page(head, &mut input)?;
        let carried = Carried {
            input,
            left: FILE_BYTES_MAX - page.bytes - TAG.len() as u64 - 1,
            tail: Vec::new(),
            place: Place::First,
        };
        Ok((Some(page), Self(State::Carried(carried))))
    }
}

/// Reads to the line feed behind the tag.
fn page(head: Vec<u8>, input: &mut impl BufRead) -> Result<CarryingPage, OpenError> {
    let mut page = head;
    let bytes_max = PAGE_BYTES_MAX + TAG.len() as u64;
    let mut input = input.take(bytes_max + 1);
    while !page.ends_with(TAG) {
        let read = input.read_until(b'>', &mut page);
        if read.map_err(OpenError::reading)? == 0 || page.len() as u64 > bytes_max {
            return Err(OpenError::NotAnEnvelope);
        }
    }
    let mut line_end = [0];
    match input.read_exact(&mut line_end) {
        Ok(()) if line_end == *b"\n" => {}
        Ok(()) => return Err(OpenError::NotAnEnvelope),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(OpenError::reading(PageError::Truncated.into()));
        }
        Err(error) => return Err(OpenError::reading(error)),
    }
    page.truncate(page.len() - TAG.len());
    Ok(CarryingPage {
        bytes: page.len() as u64,
        sha256: sha256(&[&page]),
    })
}

impl<R: Read> Read for PageReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            State::Plain(input) => input.read(out),
            State::Carried(input) => input.read(out),
        }
    }

    fn read_vectored(&mut self, out: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match &mut self.0 {
            State::Plain(input) => input.read_vectored(out),
            State::Carried(input) => match out.iter_mut().find(|part| !part.is_empty()) {
                Some(part) => input.read(part),
                None => Ok(0),
            },
        }
    }
}

/// The armor, as far as the tag that closes it.
struct Carried<R: Read> {
    input: BufReader<R>,
    /// So many bytes may still come, with those behind the armor.
    left: u64,
    /// The last bytes that were handed out: at the end they have to be the armor's END line.
    tail: Vec<u8>,
    place: Place,
}

#[derive(PartialEq, Eq)]
enum Place {
    First,
    Within,
    Ended,
}

impl<R: Read> Carried<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.place == Place::Ended || out.is_empty() {
            return Ok(0);
        }
        let available = self.input.fill_buf()?;
        let Some(first) = available.first() else {
            return Err(PageError::Truncated.into());
        };
        // Armor in the text form alone, as a writer makes it: a line end of the other kind is no armor here.
        if (self.place == Place::First && *first != b'-') || *first == b'\r' {
            return Err(PageError::Other.into());
        }
        let bytes = memchr::memchr2(b'<', b'\r', available).unwrap_or(available.len());
        if bytes == 0 {
            return self.end();
        }
        let bytes = bytes.min(out.len());
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or(PageError::TooLong)?;
        out[..bytes].copy_from_slice(&available[..bytes]);
        self.input.consume(bytes);
        self.place = Place::Within;
        self.remember(&out[..bytes]);
        Ok(bytes)
    }

    fn remember(&mut self, bytes: &[u8]) {
        let kept = armor::END_LINE.len();
        self.tail.extend(&bytes[bytes.len().saturating_sub(kept)..]);
        self.tail.drain(..self.tail.len().saturating_sub(kept));
    }

    /// Nothing but the closing tag follows.
    fn end(&mut self) -> io::Result<usize> {
        let mut rest = Vec::new();
        let longest = CLOSING.len() as u64 + 1;
        self.input.by_ref().take(longest).read_to_end(&mut rest)?;
        if self.tail != armor::END_LINE || !CLOSING.starts_with(&rest) {
            return Err(PageError::Other.into());
        }
        if rest.len() < CLOSING.len() {
            return Err(PageError::Truncated.into());
        }
        if self.left < CLOSING.len() as u64 {
            return Err(PageError::TooLong.into());
        }
        self.place = Place::Ended;
        Ok(0)
    }
}

/// Writes what stands in front of the armor.
///
/// # Errors
/// Those of `out`.
pub fn open_page(page: &[u8], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page)?;
    out.write_all(TAG)?;
    out.write_all(b"\n")
}

/// Writes what stands behind the armor.
///
/// # Errors
/// Those of `out`.
pub fn close_page(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(CLOSING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Class;

    const ARMOR: &str = "-----BEGIN ENCL/1-----\nZW5jbC8xCg==\n-----END ENCL/1-----\n";
    const PAGE: &str = "<!doctype html>\n<title>A page</title>\n<script>1>2</script>\n";
    const TAG_LINE: &str = "<script type=\"text/plain\" id=\"envelope\">\n";

    fn read(file: &str) -> Result<(Option<CarryingPage>, String), OpenError> {
        let (page, mut reader) = PageReader::new(file.as_bytes())?;
        let mut text = String::new();
        reader
            .read_to_string(&mut text)
            .map_err(OpenError::reading)?;
        Ok((page, text))
    }

    fn class(file: &str) -> Class {
        read(file).unwrap_err().class().unwrap()
    }

    #[test]
    fn what_is_no_page_comes_as_it_is() {
        for file in [
            "",
            "<",
            "<!doctype",
            "encl/1\n{}",
            ARMOR,
            " <!doctype html>",
        ] {
            assert_eq!(read(file).unwrap(), (None, file.to_owned()));
        }
    }

    #[test]
    fn the_armor_behind_a_page_comes_alone() {
        let file = [PAGE, TAG_LINE, ARMOR, "</script>\n"].concat();
        let (page, text) = read(&file).unwrap();
        assert_eq!(text, ARMOR);
        let page = page.unwrap();
        assert_eq!(page.bytes, PAGE.len() as u64);
        assert_eq!(page.sha256, sha256(&[PAGE.as_bytes()]));
    }

    #[test]
    fn a_page_that_ends_early_is_truncated() {
        let file = [PAGE, TAG_LINE, ARMOR, "</script>\n"].concat();
        let tagged = PAGE.len() + TAG_LINE.len() - 1;
        for end in tagged..file.len() {
            assert_eq!(class(&file[..end]), Class::Truncated, "{end}");
        }
        for end in 15..tagged {
            assert_eq!(class(&file[..end]), Class::NotAnEnvelope, "{end}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let file = |armor: &str, behind: &str| [PAGE, TAG_LINE, armor, behind].concat();
        let end = "</script>\n";
        for file in [
            file(ARMOR, "</script>\n<meta>"),
            file(ARMOR, "</script>\n\n"),
            file(ARMOR, "</script>\r\n"),
            file(ARMOR, "</SCRIPT>\n"),
            file(ARMOR, "\n</script>\n"),
            file(ARMOR, " </script>\n"),
            file(&ARMOR.replace('\n', "\r\n"), end),
            file(&["\n", ARMOR].concat(), end),
            file(&["<!--\n", ARMOR, "-->\n", ARMOR].concat(), end),
            file(ARMOR, &[end, TAG_LINE, ARMOR, end].concat()),
            file("encl/1\n", end),
            file("", end),
            PAGE.to_owned(),
        ] {
            assert_eq!(class(&file), Class::NotAnEnvelope, "{file}");
        }
    }

    #[test]
    fn a_file_over_its_limit_is_refused() {
        let around = PAGE.len() + TAG_LINE.len() + "</script>\n".len();
        let most = usize::try_from(FILE_BYTES_MAX).unwrap() - around - ARMOR.len();
        let filled = |bytes: usize| {
            let (begin, rest) = ARMOR.split_at(23);
            let armor = [begin, &"A".repeat(bytes), rest].concat();
            read(&[PAGE, TAG_LINE, &armor, "</script>\n"].concat()).map(drop)
        };
        filled(most).unwrap();
        assert_eq!(
            filled(most + 1).unwrap_err().class(),
            Some(Class::OverLimit)
        );
    }

    #[test]
    fn a_page_over_its_limit_is_refused() {
        let long = |bytes: usize| {
            let filling = "x".repeat(bytes - DOCTYPE.len());
            ["<!doctype html>", &filling, TAG_LINE, ARMOR, "</script>\n"].concat()
        };
        let most = usize::try_from(PAGE_BYTES_MAX).unwrap();
        assert_eq!(read(&long(most)).unwrap().1, ARMOR);
        assert_eq!(class(&long(most + 1)), Class::NotAnEnvelope);
    }
}
