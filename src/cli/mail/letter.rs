//! A message as it arrived: the envelopes in it, and what stands beside them.

use std::io::{self, Read};

use encl::mail::{Findings, Header, Notice, Reread, ScanError, Sealed, find, open_body};

use super::super::files::Input;
use super::super::report::{Exit, Failure, system_words};
use super::super::terminal::safe;
use super::source::MessageSource;

const ARMOR_BEGIN: &[u8] = b"-----BEGIN ENCL/1-----";
/// Parts that are listed before "and N more".
const PARTS_SHOWN: usize = 20;

/// One message and what was found in it.
pub(crate) struct Letter<'a> {
    pub(crate) verb: &'static str,
    pub(crate) input: &'a Input,
    pub(crate) source: &'a MessageSource,
    pub(crate) found: Findings,
    /// It is an envelope itself, as mail programs hand over an attachment that they took out.
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

impl<'a> Letter<'a> {
    /// Looks through the whole message.
    pub(crate) fn read(
        verb: &'static str,
        input: &'a Input,
        source: &'a MessageSource,
    ) -> Result<Self, Failure> {
        let found = source.reread().map_err(ScanError::from);
        let found = found.and_then(|mut message| find(&mut message));
        let found = found.map_err(|error| not_scanned(input, verb, error))?;
        let is_bare = is_bare(source).map_err(|error| not_scanned(input, verb, error.into()))?;
        Ok(Self {
            verb,
            input,
            source,
            found,
            is_bare,
        })
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
    pub(crate) fn envelope(&self, place: Place<'_>) -> Result<Box<dyn Read + 'a>, Failure> {
        let opened = match place {
            Place::Part(sealed) => open_body(self.source, sealed),
            Place::Bare => self.source.reread(),
        };
        opened.map_err(|error| {
            let failure = self.input.cannot(self.verb, Exit::Failed);
            failure.because(system_words(&error))
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
        let mut lines: Vec<String> = (self.found.others.iter())
            .filter(|other| !self.is_our_notice(other))
            .map(|other| format!("outside the envelope, not sealed: {}", words(other)))
            .collect();
        let glued = (self.found.envelopes.iter()).filter(|sealed| sealed.leftover_bytes > 0);
        lines.extend(glued.map(|sealed| {
            let (number, bytes) = (&sealed.part.number, sealed.leftover_bytes);
            format!("behind the envelope in part {number}, not sealed: {bytes} bytes")
        }));
        if self.found.between_bytes > 0 {
            let bytes = self.found.between_bytes;
            lines.push(format!("between the parts, not sealed: {bytes} bytes"));
        }
        let more = lines.len().saturating_sub(PARTS_SHOWN);
        if more > 0 {
            lines.truncate(PARTS_SHOWN);
            lines.push(format!("outside the envelope: {more} parts more"));
        }
        lines
    }

    fn is_our_notice(&self, other: &encl::mail::Other) -> bool {
        let ours = Notice::default();
        if other.part.media_type != "text/plain"
            || other.part.body_bytes() > 2 * ours.text().len() as u64
        {
            return false;
        }
        let text = self.part_text(other).unwrap_or_default();
        text.replace("\r\n", "\n").trim() == ours.text().trim()
    }

    fn part_text(&self, other: &encl::mail::Other) -> io::Result<String> {
        let mut text = String::new();
        let mut source = self.source.reread()?;
        io::copy(&mut source.by_ref().take(other.part.body), &mut io::sink())?;
        source
            .take(other.part.body_bytes())
            .read_to_string(&mut text)?;
        Ok(text)
    }

    fn none(&self) -> Failure {
        let mut failure = self
            .input
            .cannot(self.verb, Exit::Damaged)
            .because("there is no envelope in it");
        failure.class = Some("not-an-envelope");
        listed(failure, self.found.others.iter().map(words).collect())
    }

    fn several(&self) -> Failure {
        let number = self.found.envelopes.len();
        let failure = self
            .input
            .cannot(self.verb, Exit::Damaged)
            .because(format!("there are {number} envelopes in it"))
            .hint("--part N takes one of them");
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
            .because(format!("it has no envelope {part}: there are {number}"))
    }
}

/// The failure with at most so many of the parts.
fn listed(mut failure: Failure, mut lines: Vec<String>) -> Failure {
    let more = lines.len().saturating_sub(PARTS_SHOWN);
    lines.truncate(PARTS_SHOWN);
    failure.because.extend(lines);
    if more > 0 {
        failure = failure.because(format!("and {more} more"));
    }
    failure
}

fn is_bare(source: &MessageSource) -> io::Result<bool> {
    let mut head = Vec::new();
    source
        .reread()?
        .take(ARMOR_BEGIN.len() as u64)
        .read_to_end(&mut head)?;
    Ok(head.starts_with(b"encl/") || head == ARMOR_BEGIN)
}

/// A message that is too intricate, or cannot be read.
pub(crate) fn not_scanned(input: &Input, verb: &str, error: ScanError) -> Failure {
    match error {
        ScanError::Read(error) => input
            .cannot(verb, Exit::Failed)
            .because(system_words(&error)),
        limit @ ScanError::OverLimit { .. } => {
            let mut failure = input.cannot(verb, Exit::Damaged).because(limit.to_string());
            failure.class = Some("over-limit");
            failure
        }
    }
}

fn words(other: &encl::mail::Other) -> String {
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
