//! A message as it arrived: the envelopes in it, and what stands beside them.

use std::collections::HashSet;
use std::io::{self, Read};

use crate::mail::{
    Fault, Findings, Header, Notice, Other, Reopen, ScanError, Sealed, fault, find, open_body,
};

const ARMOR_BEGIN: &[u8] = b"-----BEGIN ENCL/1-----";

/// What was found in a message.
pub struct Contents {
    /// Its parts, envelopes and others. Empty for an envelope without a message around it.
    pub findings: Findings,
    /// It is an envelope itself, as mail programs hand over an attachment.
    is_bare: bool,
}

impl Contents {
    /// Reads all of a message. An envelope has no structure of a message, and looks like a header without end.
    ///
    /// # Errors
    /// Those of [`find`].
    pub fn find(message: &mut dyn Read) -> Result<Self, ScanError> {
        let mut head = Vec::new();
        message
            .take(ARMOR_BEGIN.len() as u64)
            .read_to_end(&mut head)?;
        let is_bare = head.starts_with(b"encl/") || head == ARMOR_BEGIN;
        let findings = match is_bare {
            true => find(&mut io::empty()),
            false => find(&mut head.as_slice().chain(message)),
        };
        Ok(Self {
            findings: findings?,
            is_bare,
        })
    }

    /// Whether it is a message with envelopes in it.
    #[must_use]
    pub fn holds_envelopes(&self) -> bool {
        !self.is_bare && !self.findings.envelopes.is_empty()
    }
}

/// One message and what was found in it.
#[derive(Clone, Copy)]
pub struct ReceivedMessage<'a> {
    message: &'a dyn Reopen,
    contents: &'a Contents,
}

/// Where an envelope is.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In one part of the message.
    Part(&'a Sealed),
    /// There is no message around it.
    Bare,
}

/// Why no envelope of a message was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// There is none.
    #[error("there is no envelope in it")]
    None {
        /// Its parts.
        others: Vec<Other>,
        /// Why they may not be all.
        fault: Option<Fault>,
    },
    /// There are several, in the parts of these numbers.
    #[error("there are {} envelopes in it", .0.len())]
    Several(Vec<String>),
    /// There is none of this number.
    #[error("it has no envelope {part}: there are {envelopes}")]
    NoSuchPart {
        /// The number, from 1.
        part: usize,
        /// How many there are.
        envelopes: usize,
    },
}

/// What stands outside the envelopes of a message, and is not encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside<'a> {
    /// A part.
    Part(&'a Other),
    /// Bytes before the envelope in a part.
    Before {
        /// The number of the part.
        part: &'a str,
        /// How many.
        bytes: u64,
    },
    /// Bytes behind the envelope in a part.
    Behind {
        /// The number of the part.
        part: &'a str,
        /// How many.
        bytes: u64,
    },
    /// Bytes between the parts.
    Between {
        /// How many.
        bytes: u64,
    },
}

impl<'a> ReceivedMessage<'a> {
    /// The message with what [`Contents::find`] found in it.
    #[must_use]
    pub fn new(message: &'a dyn Reopen, contents: &'a Contents) -> Self {
        Self { message, contents }
    }

    /// What was found in it.
    #[must_use]
    pub fn findings(&self) -> &'a Findings {
        &self.contents.findings
    }

    /// The only envelope, or the one of number `part`, from 1.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn envelope(&self, part: Option<usize>) -> Result<Place<'a>, PlaceError> {
        let findings = self.findings();
        match (&findings.envelopes[..], part) {
            (_, None | Some(1)) if self.contents.is_bare => Ok(Place::Bare),
            ([], _) => Err(PlaceError::None {
                others: findings.others.clone(),
                fault: fault(self.message, &findings.structure.header).unwrap_or_default(),
            }),
            (envelopes, Some(part)) => (part.checked_sub(1))
                .and_then(|at| envelopes.get(at))
                .map(Place::Part)
                .ok_or(PlaceError::NoSuchPart {
                    part,
                    envelopes: envelopes.len(),
                }),
            ([one], None) => Ok(Place::Part(one)),
            (envelopes, None) => {
                let parts = envelopes.iter().map(|sealed| sealed.part.number.clone());
                Err(PlaceError::Several(parts.collect()))
            }
        }
    }

    /// The bytes of one envelope.
    ///
    /// # Errors
    /// When the message cannot be read.
    pub fn open(&self, place: Place<'_>) -> io::Result<Box<dyn Read + Send + 'a>> {
        match place {
            Place::Part(sealed) => open_body(self.message, sealed),
            Place::Bare => self.message.open(),
        }
    }

    /// The header that arrived, if there is a message around the envelope.
    #[must_use]
    pub fn header(&self) -> Option<&'a Header> {
        (!self.contents.is_bare).then_some(&self.findings().structure.header)
    }

    /// What stands outside the envelopes, except our own text in front of one.
    #[must_use]
    pub fn outside(&self) -> Vec<Outside<'a>> {
        if self.contents.is_bare {
            return Vec::new();
        }
        let findings = self.findings();
        let notices = self.notices().unwrap_or_default();
        let others = findings.others.iter();
        let others = others.filter(|other| !notices.contains(&other.part.body));
        let trailing = findings.envelopes.iter();
        let trailing = trailing.filter(|sealed| sealed.trailing_bytes > 0);
        let behind = trailing.map(|sealed| Outside::Behind {
            part: &sealed.part.number,
            bytes: sealed.trailing_bytes,
        });
        let leading = findings.envelopes.iter();
        let leading = leading.filter(|sealed| sealed.leading_bytes > 0);
        let before = leading.map(|sealed| Outside::Before {
            part: &sealed.part.number,
            bytes: sealed.leading_bytes,
        });
        let bytes = findings.outside_bytes;
        let between = (bytes > 0).then_some(Outside::Between { bytes });
        others
            .map(Outside::Part)
            .chain(before)
            .chain(behind)
            .chain(between)
            .collect()
    }

    /// Where the bodies begin that hold our own text. Found in one pass: a message may have thousands of texts.
    fn notices(&self) -> io::Result<HashSet<u64>> {
        let notice = Notice::default();
        let bytes_max = 2 * notice.text().len() as u64;
        let is_likely = |other: &&Other| {
            other.part.media_type == "text/plain" && other.part.body_bytes() <= bytes_max
        };
        let others = self.findings().others.iter().filter(is_likely);
        let mut message = self.message.open()?;
        let (mut at, mut found) = (0, HashSet::new());
        for part in others.map(|other| &other.part) {
            let mut text = Vec::new();
            io::copy(&mut message.by_ref().take(part.body - at), &mut io::sink())?;
            message
                .by_ref()
                .take(part.body_bytes())
                .read_to_end(&mut text)?;
            at = part.end;
            let text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
            if text.trim() == notice.text().trim() {
                found.insert(part.body);
            }
        }
        Ok(found)
    }
}
