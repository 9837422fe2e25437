//! A message as it arrived: the envelopes in it, and what stands beside them.

use std::collections::HashSet;
use std::io::{self, Read};

use encl::mail::{Findings, Header, Notice, Other, Reopen, ScanError, Sealed, find, open_body};

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::Input;
use crate::cli::files::spool::MessageSource;
use crate::cli::terminal::safe;

const ARMOR_BEGIN: &[u8] = b"-----BEGIN ENCL/1-----";
/// Parts that are listed before "and N more".
const PARTS_SHOWN: usize = 20;

/// A message that came, and what was found in it while it came.
pub(crate) struct FoundEnvelope {
    pub(crate) source: MessageSource,
    found: Findings,
    /// It is an envelope itself, as mail programs hand over an attachment that they took out.
    is_bare: bool,
}

impl FoundEnvelope {
    /// Looks through all of `input`.
    pub(crate) fn open(input: &Input, verb: &str, context: &Context) -> Result<Self, Failure> {
        let (source, (found, is_bare)) =
            MessageSource::open_looking(input, verb, context, look_through)?;
        Ok(Self {
            source,
            found,
            is_bare,
        })
    }
}

impl FoundEnvelope {
    /// Whether there are envelopes in the message, which is none itself.
    pub(crate) fn holds_envelopes(&self) -> bool {
        !self.is_bare && !self.found.envelopes.is_empty()
    }
}

/// An envelope has no structure of a message, and only looks as if its header never ended.
fn look_through(message: &mut dyn Read) -> Result<(Findings, bool), ScanError> {
    let mut head = Vec::new();
    message
        .take(ARMOR_BEGIN.len() as u64)
        .read_to_end(&mut head)?;
    let is_bare = head.starts_with(b"encl/") || head == ARMOR_BEGIN;
    let found = match is_bare {
        true => find(&mut io::empty()),
        false => find(&mut head.as_slice().chain(message)),
    };
    Ok((found?, is_bare))
}

/// One message and what was found in it.
pub(crate) struct ReceivedMessage<'a> {
    pub(crate) verb: &'static str,
    pub(crate) input: &'a Input,
    source: &'a MessageSource,
    pub(crate) found: &'a Findings,
    is_bare: bool,
}

/// Where the envelope is that is opened.
#[derive(Clone, Copy)]
pub(crate) enum Place<'l> {
    /// In one part of the message.
    Part(&'l Sealed),
    /// There is no message around it.
    Bare,
}

impl<'a> ReceivedMessage<'a> {
    pub(crate) fn new(verb: &'static str, input: &'a Input, arrived: &'a FoundEnvelope) -> Self {
        Self {
            verb,
            input,
            source: &arrived.source,
            found: &arrived.found,
            is_bare: arrived.is_bare,
        }
    }

    /// The one envelope, or the one that `--part` names.
    pub(crate) fn one(&self, part: Option<usize>) -> Result<Place<'_>, Failure> {
        match (&self.found.envelopes[..], part) {
            (_, None | Some(1)) if self.is_bare => Ok(Place::Bare),
            ([], _) => Err(self.none()),
            (envelopes, Some(part)) => (part.checked_sub(1))
                .and_then(|at| envelopes.get(at))
                .map(Place::Part)
                .ok_or_else(|| self.no_such_part(part)),
            ([one], None) => Ok(Place::Part(one)),
            (_, None) => Err(self.several()),
        }
    }

    /// The bytes of one envelope.
    pub(crate) fn envelope(&self, place: Place<'_>) -> Result<Box<dyn Read + Send + 'a>, Failure> {
        let opened = match place {
            Place::Part(sealed) => open_body(self.source, sealed),
            Place::Bare => self.source.open(),
        };
        opened.map_err(|error| {
            let failure = self.input.cannot(self.verb, Exit::Failed);
            failure.reason(io_message(&error))
        })
    }

    /// The header that arrived, if there is a message around the envelope.
    pub(crate) fn header(&self) -> Option<&Header> {
        (!self.is_bare).then_some(&self.found.structure.header)
    }

    /// What stands outside the envelope, one line each; our own text in front is expected there.
    pub(crate) fn outside(&self) -> Vec<String> {
        if self.is_bare {
            return Vec::new();
        }
        let ours = self.notices().unwrap_or_default();
        let mut lines: Vec<String> = (self.found.others.iter())
            .filter(|other| !ours.contains(&other.part.body))
            .map(|other| format!("outside the envelope, not encrypted: {}", words(other)))
            .collect();
        let glued = (self.found.envelopes.iter()).filter(|sealed| sealed.trailing_bytes > 0);
        lines.extend(glued.map(|sealed| {
            let (number, bytes) = (&sealed.part.number, sealed.trailing_bytes);
            format!("after the envelope in part {number}, not encrypted: {bytes} bytes")
        }));
        if self.found.outside_bytes > 0 {
            let bytes = self.found.outside_bytes;
            lines.push(format!("between the parts, not encrypted: {bytes} bytes"));
        }
        let more = lines.len().saturating_sub(PARTS_SHOWN);
        if more > 0 {
            lines.truncate(PARTS_SHOWN);
            lines.push(format!("outside the envelope: {more} more parts"));
        }
        lines
    }

    /// Where the bodies begin that hold our own text. Found in one pass: a message may have thousands of texts.
    fn notices(&self) -> io::Result<HashSet<u64>> {
        let ours = Notice::default();
        let bytes_max = 2 * ours.text().len() as u64;
        let is_likely = |other: &&Other| {
            other.part.media_type == "text/plain" && other.part.body_bytes() <= bytes_max
        };
        let mut message = self.source.open()?;
        let (mut at, mut found) = (0, HashSet::new());
        for part in (self.found.others.iter().filter(is_likely)).map(|other| &other.part) {
            let mut text = Vec::new();
            io::copy(&mut message.by_ref().take(part.body - at), &mut io::sink())?;
            message
                .by_ref()
                .take(part.body_bytes())
                .read_to_end(&mut text)?;
            at = part.end;
            let text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
            if text.trim() == ours.text().trim() {
                found.insert(part.body);
            }
        }
        Ok(found)
    }

    fn none(&self) -> Failure {
        let mut failure = self
            .input
            .cannot(self.verb, Exit::Damaged)
            .reason("there is no envelope in it");
        failure.class = Some("not-an-envelope");
        listed(failure, self.found.others.iter().map(words).collect())
    }

    fn several(&self) -> Failure {
        let number = self.found.envelopes.len();
        let failure = self
            .input
            .cannot(self.verb, Exit::Damaged)
            .reason(format!("there are {number} envelopes in it"))
            .hint("--part N opens one of them");
        let line =
            |(n, sealed): (usize, &Sealed)| format!("{n}: in part {}", place(&sealed.part.number));
        listed(
            failure,
            (1..).zip(&self.found.envelopes).map(line).collect(),
        )
    }

    fn no_such_part(&self, part: usize) -> Failure {
        let number = self.found.envelopes.len();
        (self.input.cannot(self.verb, Exit::Usage))
            .reason(format!("it has no envelope {part}: there are {number}"))
    }
}

/// The failure with at most so many of the parts.
fn listed(mut failure: Failure, mut lines: Vec<String>) -> Failure {
    let more = lines.len().saturating_sub(PARTS_SHOWN);
    lines.truncate(PARTS_SHOWN);
    failure.reasons.extend(lines);
    if more > 0 {
        failure = failure.reason(format!("and {more} more"));
    }
    failure
}

fn words(other: &Other) -> String {
    let part = &other.part;
    let name = part.name.as_ref();
    let name = name.map_or_else(String::new, |name| format!(" `{}`", safe(name)));
    let fake = if other.is_declared {
        ", labelled as an envelope, which it is not"
    } else {
        ""
    };
    let (number, media_type) = (place(&part.number), safe(&part.media_type));
    format!(
        "part {number}, {media_type}{name}, {} bytes{fake}",
        part.body_bytes()
    )
}

fn place(number: &str) -> &str {
    if number.is_empty() { "1" } else { number }
}
