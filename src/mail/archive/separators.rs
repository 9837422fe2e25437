//! Where the messages of an mbox begin: at a line `From …` at its start or after an empty line. Nothing else is believed, no
//! `Content-Length` and no date in the line, and `>From ` is left as it is.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use memchr::memmem::Finder;

const FROM: &[u8] = b"From ";
/// Some programs write one (a byte order mark, UTF-8) at the start of a file.
const MARK: &[u8] = b"\xEF\xBB\xBF";
/// The longest line that begins a message, in bytes with its line end: a longer one would leave too much of what follows in
/// the clear, and no program writes one. RFC 5322 §2.1.1 has 998.
const FROM_LINE_BYTES_MAX: usize = 1000;
/// Empty lines in front of the first message, in bytes: they stand in the clear.
pub(super) const LEADING_LINES_BYTES_MAX: usize = 1000;
/// An empty line before, with the end of the line before that: `\n\r\n`.
const BEHIND_BYTES: usize = 3;
/// Bytes that are searched at once.
const WINDOW_BYTES: usize = 1 << 18;

/// One message of an mbox: its `From ` line, and everything up to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) from_line: Range<u64>,
    pub(super) message: Range<u64>,
}

/// The messages of an mbox, one after the other. Reads the file once, in constant memory.
pub(super) struct Places<'a> {
    separators: Separators<'a>,
    next: Option<Range<u64>>,
    end: u64,
}

impl<'a> Places<'a> {
    /// Begins at the start of a file of `bytes`. A file that is not empty and does not begin with a `From ` line is no mbox.
    pub(super) fn new(file: &'a File, bytes: u64) -> io::Result<Option<Self>> {
        let mut separators = Separators::new(file, 0, bytes);
        let first = separators.at_start()?;
        let is_mbox = first.is_some() || bytes == 0;
        Ok(is_mbox.then_some(Self {
            separators,
            next: first,
            end: bytes,
        }))
    }
}

impl Iterator for Places<'_> {
    type Item = io::Result<Place>;

    fn next(&mut self) -> Option<Self::Item> {
        let from_line = self.next.take()?;
        match self.separators.next(from_line.end) {
            Ok(next) => self.next = next,
            Err(error) => return Some(Err(error)),
        }
        let end = self.next.as_ref().map_or(self.end, |next| next.start);
        Some(Ok(Place {
            message: from_line.end..end,
            from_line,
        }))
    }
}

/// Searches a piece of a file for lines that begin a message.
pub(super) struct Separators<'a> {
    file: &'a File,
    begin: u64,
    end: u64,
    window: Vec<u8>,
    /// Where the window begins in the file.
    at: u64,
    finder: Finder<'static>,
}

impl<'a> Separators<'a> {
    pub(super) fn new(file: &'a File, begin: u64, end: u64) -> Self {
        Self {
            file,
            begin,
            end,
            window: Vec::new(),
            at: begin,
            finder: Finder::new(b"\nFrom "),
        }
    }

    /// The line that begins the first message, with what stands before it: empty lines, or a mark.
    fn at_start(&mut self) -> io::Result<Option<Range<u64>>> {
        self.load(self.begin)?;
        let is_text = |byte: &u8| !matches!(byte, b'\r' | b'\n');
        let leading = self.window.iter().position(is_text).unwrap_or_default();
        let leading = Some(leading).filter(|bytes| *bytes <= LEADING_LINES_BYTES_MAX);
        let leading = leading.unwrap_or_default();
        let mark_bytes = match self.window[leading..].starts_with(MARK) {
            true => leading + MARK.len(),
            false => leading,
        };
        let line_bytes = from_line_bytes(&self.window[mark_bytes..]);
        Ok(line_bytes.map(|bytes| self.begin..self.begin + (mark_bytes + bytes) as u64))
    }

    /// Whether any line begins with `From `, also in the middle of a paragraph.
    pub(super) fn any(mut self) -> io::Result<bool> {
        self.load(self.begin)?;
        if self.window.starts_with(FROM) {
            return Ok(true);
        }
        while self.finder.find(&self.window).is_none() {
            if self.is_last() {
                return Ok(false);
            }
            // What is looked for may begin in this window and end in the next.
            let overlap = self.finder.needle().len() - 1;
            self.load(self.at + (self.window.len() - overlap) as u64)?;
        }
        Ok(true)
    }

    /// The first such line whose line feed before it stands at `from - 1` or later.
    pub(super) fn next(&mut self, from: u64) -> io::Result<Option<Range<u64>>> {
        let mut from = from.saturating_sub(1).max(self.begin);
        while from < self.end {
            if !self.holds(from) {
                self.load(from.saturating_sub(BEHIND_BYTES as u64).max(self.begin))?;
            }
            let skipped = offset(from - self.at);
            match self.finder.find(&self.window[skipped..]) {
                Some(found) if !self.holds(from + found as u64) => from += found as u64,
                Some(found) => {
                    let line_feed = skipped + found;
                    if let Some(line) = self.line_after(line_feed) {
                        return Ok(Some(line));
                    }
                    from = self.at + line_feed as u64 + 1;
                }
                None if self.is_last() => return Ok(None),
                None => from = self.searched_to(),
            }
        }
        Ok(None)
    }

    /// Whether what may follow a line feed at `from` or later is in the window, as far as there is any.
    fn holds(&self, from: u64) -> bool {
        let behind = from.saturating_sub(BEHIND_BYTES as u64).max(self.begin);
        !self.window.is_empty()
            && behind >= self.at
            && (from < self.searched_to() || self.is_last() && from < self.end)
    }

    fn is_last(&self) -> bool {
        self.at + self.window.len() as u64 >= self.end
    }

    /// From here on a whole line may not be in the window any more.
    fn searched_to(&self) -> u64 {
        self.at + self.window.len().saturating_sub(FROM_LINE_BYTES_MAX + 2) as u64
    }

    fn load(&mut self, at: u64) -> io::Result<()> {
        let bytes = offset((self.end - at).min(WINDOW_BYTES as u64));
        self.window.resize(bytes, 0);
        self.file.read_exact_at(&mut self.window, at)?;
        self.at = at;
        Ok(())
    }

    fn line_after(&self, line_feed: usize) -> Option<Range<u64>> {
        let before = &self.window[..line_feed];
        let is_empty = before.ends_with(b"\n") || before.ends_with(b"\n\r");
        let start = line_feed + 1;
        let bytes = from_line_bytes(&self.window[start..]).filter(|_| is_empty)?;
        let start = self.at + start as u64;
        Some(start..start + bytes as u64)
    }
}

/// The length of a `From ` line with its end: LF, CRLF, or a CR alone, as programs of the old Macintosh wrote it.
fn from_line_bytes(text: &[u8]) -> Option<usize> {
    if !text.starts_with(FROM) {
        return None;
    }
    let line = &text[..text.len().min(FROM_LINE_BYTES_MAX)];
    let end = memchr::memchr2(b'\r', b'\n', line)?;
    let is_crlf = text[end] == b'\r' && text.get(end + 1) == Some(&b'\n');
    Some(end + 1 + usize::from(is_crlf))
}

fn offset(bytes: u64) -> usize {
    usize::try_from(bytes).expect("within a window")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn messages(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        let file = file(bytes);
        let places = Places::new(&file, bytes.len() as u64).unwrap()?;
        let mut at = 0;
        let messages = places.map(|place| {
            let place = place.unwrap();
            assert_eq!(
                (place.from_line.start, place.from_line.end),
                (at, place.message.start)
            );
            at = place.message.end;
            bytes[offset(place.message.start)..offset(place.message.end)].to_vec()
        });
        let messages = messages.collect();
        assert_eq!(at, bytes.len() as u64);
        Some(messages)
    }

    #[test]
    fn a_message_begins_at_the_start_or_after_an_empty_line() {
        let table: [(&str, &[&str]); 14] = [
            ("", &[]),
            ("From a\n", &[""]),
            ("\n\r\nFrom a\nx", &["x"]),
            ("\n\u{feff}From a\nx\n\nFrom b\n", &["x\n\n", ""]),
            ("From a\nx", &["x"]),
            ("From a\nx\n\nFrom b\ny\n", &["x\n\n", "y\n"]),
            ("From a\r\nx\r\n\r\nFrom b\r\ny", &["x\r\n\r\n", "y"]),
            ("From a\nx\nFrom b\ny", &["x\nFrom b\ny"]),
            ("From a\nFrom b\ny", &["From b\ny"]),
            ("From a\n\nFrom b\ny", &["\n", "y"]),
            (
                "From a\n\n>From b\n\nFromage\n",
                &["\n>From b\n\nFromage\n"],
            ),
            ("From a\rTo: b\r\rFrom c\r", &["To: b\r\rFrom c\r"]),
            ("\u{feff}From a\nx\n\n\nFrom b\n", &["x\n\n\n", ""]),
            ("From a\nx\n\nFrom end", &["x\n\nFrom end"]),
        ];
        for (mbox, expected) in table {
            let found = messages(mbox.as_bytes()).unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|bytes| std::str::from_utf8(bytes).unwrap())
                .collect();
            assert_eq!(found, expected, "{mbox:?}");
        }
        for other in ["x", "\n", "\n From a\n", "From", "From a", "from a\n"] {
            assert_eq!(messages(other.as_bytes()), None, "{other:?}");
        }
    }

    #[test]
    fn a_line_too_long_begins_nothing() {
        let long = |bytes: usize| format!("From {}\n", "a".repeat(bytes - 6));
        let fits = long(FROM_LINE_BYTES_MAX);
        assert_eq!(messages(fits.as_bytes()).unwrap().len(), 1);
        assert_eq!(messages(long(FROM_LINE_BYTES_MAX + 1).as_bytes()), None);
        let both = format!("{fits}x\n\n{}", long(FROM_LINE_BYTES_MAX + 1));
        assert_eq!(messages(both.as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn edges_of_the_window_hide_nothing() {
        let end = "\r\n\r\nFrom b\r\n";
        for bytes in WINDOW_BYTES - 1100..WINDOW_BYTES + 12 {
            let mbox = format!("From a\r\n{}{end}y", "x".repeat(bytes - 8 - end.len()));
            assert_eq!(messages(mbox.as_bytes()).unwrap().len(), 2, "{bytes}");
        }
        let many = "From a\nx\n\n".repeat(3 * WINDOW_BYTES / 11);
        assert_eq!(
            messages(many.as_bytes()).unwrap().len(),
            3 * WINDOW_BYTES / 11
        );
        let none = "\nFrom a\r".repeat(3 * WINDOW_BYTES / 8);
        assert_eq!(
            messages(format!("From a\nx{none}").as_bytes())
                .unwrap()
                .len(),
            1
        );
    }
}
