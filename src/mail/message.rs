//! A whole message in an envelope: the message of two parts around it, a text that says what this is, and the envelope.

use std::io::{self, Write};

use super::base64_lines::Base64Lines;
use super::find::MEDIA_TYPE;

/// The longest text that an organisation may put in front of an envelope, in bytes. A longer one could not be distinguished from a
/// message whose text was never sealed.
pub const NOTICE_BYTES_MAX: usize = 4_096;
/// RFC 5322 §2.1.1 asks for lines of at most 78 characters.
const NOTICE_COLUMNS_MAX: usize = 78;
const BOUNDARY_RANDOM_BYTES: usize = 12;

/// The line ends that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eol {
    /// LF, as files on Unix have it.
    Lf,
    /// CRLF, as transport has it.
    CrLf,
}

impl Eol {
    /// The bytes.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// On which occasion a message was sealed. A hint for filters, never trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedBy {
    /// By its sender.
    Sender,
    /// When it was delivered.
    Delivery,
    /// Where it lay.
    Archive,
}

/// The text that stands in front of an envelope, for readers whose program does not know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice(String);

/// Why a text cannot stand in front of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Over [`NOTICE_BYTES_MAX`].
    #[error("it has more than 4,096 bytes")]
    TooLong,
    /// Everything outside is 7-bit text.
    #[error("line {line} holds something else than printable ASCII")]
    NotAscii {
        /// Its number, from 1.
        line: usize,
    },
    /// Over 78 columns.
    #[error("line {line} has more than 78 columns")]
    TooWide {
        /// Its number, from 1.
        line: usize,
    },
    /// It would begin a message in an mbox.
    #[error("line {line} begins with `From `")]
    FromLine {
        /// Its number, from 1.
        line: usize,
    },
}

impl Notice {
    /// An organisation's own text.
    ///
    /// # Errors
    /// [`NoticeError`].
    pub fn new(text: &str) -> Result<Self, NoticeError> {
        if text.len() > NOTICE_BYTES_MAX {
            return Err(NoticeError::TooLong);
        }
        for (line, text) in (1..).zip(text.lines()) {
            let printable = |byte: u8| matches!(byte, b'\t' | 0x20..=0x7e);
            match text {
                _ if !text.bytes().all(printable) => return Err(NoticeError::NotAscii { line }),
                _ if text.len() > NOTICE_COLUMNS_MAX => return Err(NoticeError::TooWide { line }),
                _ if text.starts_with("From ") => return Err(NoticeError::FromLine { line }),
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The text, its lines ended by LF.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Default for Notice {
    fn default() -> Self {
        Self(
            "\
This message is sealed: its subject, its text and its attachments are in
the attached file message.eml.encl, encrypted for the people who may read
it.

To read it, open it with encl, a free program for the command line. Whoever
sent this message can tell you where to get it.

    encl mail show message.eml.encl

or save this whole message as a file and open that:

    encl mail show FILE
"
            .to_owned(),
        )
    }
}

/// What stands around one envelope.
pub struct Frame<'a> {
    /// The header fields outside, rendered with these line ends.
    pub head: &'a [u8],
    /// The occasion.
    pub sealed_by: SealedBy,
    /// The text in front.
    pub notice: &'a Notice,
    /// The line ends.
    pub eol: Eol,
    /// Makes the boundary; base64 has no `-`, and the notice is chosen before the boundary is known.
    pub boundary: Boundary,
}

/// The boundary between the two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary(String);

impl Boundary {
    /// A boundary of 96 random bits.
    #[must_use]
    pub fn random(rng: &mut dyn crate::crypto::CryptoRng) -> Self {
        let mut bytes = [0; BOUNDARY_RANDOM_BYTES];
        rng.fill_bytes(&mut bytes);
        let digit =
            |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16));
        let digits = bytes.iter().flat_map(digit).flatten();
        Self(format!("encl-{}", digits.collect::<String>()))
    }
}

impl Frame<'_> {
    /// Writes what stands in front of the envelope. What is then written to the [`Body`] is the envelope.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn begin<W: Write>(&self, mut out: W) -> io::Result<Body<W>> {
        out.write_all(self.head)?;
        out.write_all(self.lines(&self.front()).as_bytes())?;
        let end = self.lines(&format!("\n\n--{}--\n", self.boundary.0));
        Ok(Body {
            base64: Base64Lines::new(out, self.eol),
            end,
        })
    }

    fn front(&self) -> String {
        let boundary = &self.boundary.0;
        let sealed_by = match self.sealed_by {
            SealedBy::Sender => "sender",
            SealedBy::Delivery => "delivery",
            SealedBy::Archive => "archive",
        };
        let notice = self.notice.text();
        let notice_end = if notice.ends_with('\n') || notice.is_empty() {
            ""
        } else {
            "\n"
        };
        format!(
            "\
Encl: mode=message; sealed-by={sealed_by}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"{boundary}\"

--{boundary}
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit
Content-Disposition: inline

{notice}{notice_end}
--{boundary}
Content-Type: {MEDIA_TYPE}; name=\"message.eml.encl\"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename=\"message.eml.encl\"

"
        )
    }

    fn lines(&self, text: &str) -> String {
        match self.eol {
            Eol::Lf => text.to_owned(),
            Eol::CrLf => text
                .lines()
                .fold(String::new(), |lines, line| lines + line + "\r\n"),
        }
    }
}

/// Takes the bytes of the envelope.
pub struct Body<W: Write> {
    base64: Base64Lines<W>,
    end: String,
}

impl<W: Write> Body<W> {
    /// Ends the message: an empty line, so that an appended footer is distinguished from base64, and the last boundary, to which one
    /// more line end belongs.
    ///
    /// # Errors
    /// Those of `out`, which comes back, not flushed.
    pub fn finish(self) -> io::Result<W> {
        let mut out = self.base64.finish()?;
        out.write_all(self.end.as_bytes())?;
        Ok(out)
    }
}

impl<W: Write> Write for Body<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.base64.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.base64.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(eol: Eol) -> String {
        let frame = Frame {
            head: match eol {
                Eol::Lf => b"To: bob@example.org\n",
                Eol::CrLf => b"To: bob@example.org\r\n",
            },
            sealed_by: SealedBy::Sender,
            notice: &Notice::default(),
            eol,
            boundary: Boundary("encl-0123456789abcdef01234567".to_owned()),
        };
        let mut body = frame.begin(Vec::new()).unwrap();
        body.write_all(b"encl/1\n and so on").unwrap();
        String::from_utf8(body.finish().unwrap()).unwrap()
    }

    #[test]
    fn a_message_has_two_parts_in_narrow_lines() {
        let text = written(Eol::Lf);
        assert_eq!(text.matches("\n--encl-0123456789abcdef01234567").count(), 3);
        assert!(
            text.ends_with("ZW5jbC8xCiBhbmQgc28gb24=\n\n\n--encl-0123456789abcdef01234567--\n")
        );
        assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 78));
        assert_eq!(written(Eol::CrLf), text.replace('\n', "\r\n"));
    }

    #[test]
    fn boundaries_differ() {
        let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
        let (one, two) = (Boundary::random(&mut rng), Boundary::random(&mut rng));
        assert!(one != two && one.0.len() == 29 && one.0.is_ascii());
    }

    #[test]
    fn notices_are_short_plain_text() {
        assert_eq!(
            Notice::new("ask the help desk\n").unwrap().text(),
            "ask the help desk\n"
        );
        let refused = [
            ("a\nGr\u{f6}\u{df}e", NoticeError::NotAscii { line: 2 }),
            ("\u{1b}[2J", NoticeError::NotAscii { line: 1 }),
            ("From here on", NoticeError::FromLine { line: 1 }),
        ];
        for (text, error) in refused {
            assert_eq!(Notice::new(text), Err(error));
        }
        assert_eq!(
            Notice::new(&"a".repeat(79)),
            Err(NoticeError::TooWide { line: 1 })
        );
        assert_eq!(Notice::new(&"a\n".repeat(2049)), Err(NoticeError::TooLong));
    }
}
