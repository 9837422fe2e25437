//! Attachments only: the text of a message stays readable, and each attachment becomes an envelope in its place.
//!
//! What is sealed is the raw part, header and encoded body, as the scanner bounds it. Ranges are replaced and nothing is rendered
//! anew, so that putting them back gives the message byte for byte; [`Arrival`] does that, and only where it is certain.
//!
//! Each envelope says which part it is of how many, the line ends of what stays in the open, and the *skeleton*: the SHA-256 of
//! the `Content-*` fields of the message's own header and everything from its body on, without the sealed ranges, with LF for
//! CRLF, and without line ends at the very end. Other header fields change on the way; none of them is in it.

mod passage;
mod restore;
mod skeleton;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashSet;
use std::io::{self, Read, Write};

pub use self::restore::{Arrival, Fidelity, Open, Restoration, RestoreError};

use self::passage::{Passage, changed};
use self::skeleton::Skeleton;
use super::base64_lines::Base64Lines;
use super::find::{Findings, MEDIA_TYPE, find_in};
use super::header::Header;
use super::message::Eol;
use super::reopen::Reopen;
use super::scan::{Disposition, Nested, Part, ScanError};
use crate::envelope::LineEnds;
use crate::policy::Hash;

/// What is to be sealed of a message. It was read twice for that; [`Plan::write`] reads it once more.
pub struct Plan {
    cuts: Vec<Cut>,
    whole: Whole,
    skeleton: Hash,
    line_ends: LineEnds,
    header: Header,
    body: u64,
}

/// What a message is whose parts are none that are to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    File,
    WithEnvelopes,
    Text,
}

/// How much of a message is to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// These parts of it, as [`Plan::write`] does.
    Parts,
    /// All of it: it has no text to stay in the open, but is itself the file, as scanners and fax gateways send it.
    Whole,
    /// Nothing more: all that is to be sealed are envelopes.
    AlreadySealed,
    /// Nothing: it is text.
    Nothing,
}

/// A part that becomes an envelope.
struct Cut {
    start: u64,
    end: u64,
    name: Option<String>,
    media_type: String,
}

/// One attachment on its way into an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its number, from 1.
    pub part: u32,
    /// How many there are.
    pub parts: u32,
    /// The line ends of what stays in the open.
    pub eol: LineEnds,
    /// The SHA-256 of what stays in the open.
    pub skeleton: Hash,
    /// The file's name, decoded, as it was declared: see [`Part::name`].
    pub name: Option<String>,
    /// Its media type.
    pub media_type: String,
}

/// Seals one attachment: writes an envelope of what it reads.
pub type Seal<'s, E> =
    dyn FnMut(&Attachment, &mut (dyn Read + Send), &mut (dyn Write + Send)) -> Result<(), E> + 's;

/// Finds out what is to be sealed: every part below the top that is to be kept rather than shown, has a file name, or is not
/// text. What is an envelope already stays as it is.
///
/// # Errors
/// Those of [`super::scan`].
pub fn plan(message: &dyn Reopen) -> Result<Plan, ScanError> {
    let findings = find_in(&mut *message.open()?, Nested::Leaf)?;
    let cuts: Vec<Cut> = attachments(&findings).map(Cut::of).collect();
    let body = findings.structure.parts[0].body;
    let whole = whole(&findings);
    let header = findings.structure.header;
    let mut plan = Plan {
        cuts,
        whole,
        skeleton: Hash([0; 32]),
        line_ends: LineEnds::Lf,
        header,
        body,
    };
    let ranges = plan.cuts.iter().map(|cut| (cut.start, cut.end));
    (plan.skeleton, plan.line_ends) = Skeleton::of(message, &plan.header, plan.body, ranges)?;
    Ok(plan)
}

fn whole(findings: &Findings) -> Whole {
    let parts = &findings.structure.parts;
    // A multipart in which no part begins is a file, too.
    if parts.len() == 1 && is_to_be_sealed(&parts[0]) && envelopes(findings).is_empty() {
        Whole::File
    } else if findings.envelopes.is_empty() {
        Whole::Text
    } else {
        Whole::WithEnvelopes
    }
}

fn attachments(findings: &Findings) -> impl Iterator<Item = &Part> {
    let parts = &findings.structure.parts;
    let envelopes = envelopes(findings);
    parts.iter().enumerate().filter_map(move |(at, part)| {
        // A multipart in which no part begins is shown as a file by mail programs.
        let holds_none = || parts.get(at + 1).is_none_or(|next| next.parent != Some(at));
        let is_attachment = part.parent.is_some()
            && (part.is_leaf() || holds_none())
            && is_to_be_sealed(part)
            && !envelopes.contains(part.number.as_str());
        is_attachment.then_some(part)
    })
}

/// The numbers of parts that are envelopes. A text with one below other text is none.
fn envelopes(findings: &Findings) -> HashSet<&str> {
    let envelopes = findings.envelopes.iter();
    let envelopes = envelopes.filter(|sealed| sealed.leading_bytes == 0);
    envelopes
        .map(|sealed| sealed.part.number.as_str())
        .collect()
}

fn is_to_be_sealed(part: &Part) -> bool {
    part.disposition == Some(Disposition::Attachment)
        || part.is_named
        || !part.media_type.starts_with("text/")
}

impl Cut {
    fn of(part: &Part) -> Self {
        Self {
            start: part.start,
            end: part.end,
            name: part.name.clone(),
            media_type: part.media_type.clone(),
        }
    }
}

impl Plan {
    /// How much of the message is to be sealed.
    #[must_use]
    pub fn extent(&self) -> Extent {
        match self.whole {
            _ if !self.cuts.is_empty() => Extent::Parts,
            Whole::File => Extent::Whole,
            Whole::WithEnvelopes => Extent::AlreadySealed,
            Whole::Text => Extent::Nothing,
        }
    }

    /// All attachments, in their order.
    pub fn attachments(&self) -> impl Iterator<Item = Attachment> + '_ {
        let parts = u32::try_from(self.cuts.len()).expect("the scanner finds at most 10,000");
        (1..).zip(&self.cuts).map(move |(part, cut)| Attachment {
            part,
            parts,
            eol: self.line_ends,
            skeleton: self.skeleton,
            name: cut.name.clone(),
            media_type: cut.media_type.clone(),
        })
    }

    /// Writes the message with envelopes in place of its attachments. `seal` writes each as an envelope of what it reads, to the
    /// end.
    ///
    /// # Errors
    /// Those of `seal` and `out`, and one of [`io::Error`] when the message cannot be read, is not the one that was planned, or
    /// an attachment was not read to its end: what was written is then good for nothing.
    pub fn write<E: From<io::Error>>(
        &self,
        message: &dyn Reopen,
        out: &mut (dyn Write + Send),
        seal: &mut Seal<'_, E>,
    ) -> Result<(), E> {
        let mut passage = Passage::new(message)?;
        let mut skeleton = Skeleton::new(&self.header, self.body);
        for (attachment, cut) in self.attachments().zip(&self.cuts) {
            let mut copy = |at, bytes: &[u8]| {
                skeleton.pass(at, bytes);
                out.write_all(bytes)
            };
            passage.pass_to(cut.start, &mut copy)?;
            self.write_envelope(&attachment, &mut passage.stretch(cut.end), out, seal)?;
            if passage.at() != cut.end {
                return Err(io::Error::other("an attachment was not read to its end").into());
            }
        }
        let mut copy = |at, bytes: &[u8]| {
            skeleton.pass(at, bytes);
            out.write_all(bytes)
        };
        passage.pass_to_end(&mut copy)?;
        if skeleton.finish() == (self.skeleton, self.line_ends) {
            Ok(())
        } else {
            Err(changed().into())
        }
    }

    /// Writes a part that is an envelope. An empty line ends it, so that an appended footer is distinguished from base64.
    fn write_envelope<E: From<io::Error>>(
        &self,
        attachment: &Attachment,
        content: &mut (dyn Read + Send),
        out: &mut (dyn Write + Send),
        seal: &mut Seal<'_, E>,
    ) -> Result<(), E> {
        let eol = self.eol();
        let name = format!("attachment-{}.encl", attachment.part);
        for line in [
            &format!("Content-Type: {MEDIA_TYPE}; name=\"{name}\""),
            "Content-Transfer-Encoding: base64",
            &format!("Content-Disposition: attachment; filename=\"{name}\""),
            "",
        ] {
            out.write_all(line.as_bytes())?;
            out.write_all(eol.text().as_bytes())?;
        }
        let mut lines = Base64Lines::new(&mut *out, eol);
        seal(attachment, content, &mut lines)?;
        lines.finish()?;
        out.write_all(eol.text().as_bytes())?;
        Ok(())
    }

    fn eol(&self) -> Eol {
        match self.line_ends {
            LineEnds::CrLf => Eol::CrLf,
            LineEnds::Mixed if self.header.begins_with_crlf() => Eol::CrLf,
            LineEnds::Lf | LineEnds::Mixed => Eol::Lf,
        }
    }
}
