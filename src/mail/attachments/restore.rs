//! Restoring attachments to their places in a message, or the reason why it is not possible.
//!
//! A footer under the text, an attachment from another mail, two that changed places: nothing is put back then, since
//! the result would be a message that its sender did not write. The content of each envelope is valid by itself.

use std::collections::HashMap;
use std::io::{self, Read, Write};

use super::super::find::{Findings, Sealed, body, find_in};
use super::super::header::Header;
use super::super::message::Eol;
use super::super::reopen::Reopen;
use super::super::scan::{Nested, ScanError};
use super::passage::{Passage, changed};
use super::skeleton::Skeleton;
use super::text::Text;
use crate::envelope::{LineEnds, Mail};
use crate::policy::Hash;

/// The most mails whose attachments may be in one message, each of which costs a reading. Sealing a message that already has
/// envelopes makes two.
const MAILS_MAX: usize = 4;

/// Opens one envelope: writes the content of the envelope that it reads.
pub type Open<'o, E> =
    dyn FnMut(&Sealed, &mut (dyn Read + Send), &mut (dyn Write + Send)) -> Result<(), E> + 'o;

/// A message that arrived with attachments in envelopes.
pub struct Arrival {
    findings: Findings,
}

/// A message whose attachments can be put back.
#[derive(Debug)]
pub struct Restoration {
    envelopes: Vec<Sealed>,
    /// The line ends that the text had, if it had one kind.
    eol: Option<Eol>,
    skeleton: Hash,
    header: Header,
    body: u64,
}

/// How much of what is put together is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// Everything but what stands in no skeleton: header fields that do not begin with `Content-`, and the number of line ends
    /// at the very end.
    Exact,
    /// The attachments. The text had LF and CRLF, and has the line ends with which it arrived.
    LineEndsOfTextUnknown,
}

/// Why attachments are not put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// None of the envelopes is an attachment.
    #[error("no envelope in the message is an attachment")]
    NoAttachment,
    /// The envelopes are those of more than one mail.
    #[error("the attachments come from different mails")]
    Moved,
    /// One is there twice.
    #[error("attachment {part} is there more than once")]
    Doubled {
        /// Its number.
        part: u32,
    },
    /// One is not there, or was not opened.
    #[error("attachment {part} of {parts} is missing")]
    Missing {
        /// The number of the first that is missing.
        part: u32,
        /// How many there should be.
        parts: u32,
    },
    /// They are not in their order.
    #[error("attachments changed places")]
    Swapped,
    /// Something was glued onto one.
    #[error("{bytes} bytes were added behind attachment {part}")]
    Footer {
        /// Its number.
        part: u32,
        /// How many bytes.
        bytes: u64,
    },
    /// The text is not the one that they were sealed in.
    #[error("the text around the attachments changed in transit, or they come from another mail")]
    TextChanged,
    /// The message could not be read.
    #[error("the message cannot be read")]
    Read(#[from] io::Error),
}

/// What one envelope says of its mail.
#[derive(Clone, Copy)]
struct Place<'f> {
    sealed: &'f Sealed,
    part: u32,
    parts: u32,
    eol: LineEnds,
}

impl Arrival {
    /// Finds the envelopes of a message, except in messages that are attached to it.
    ///
    /// # Errors
    /// Those of [`super::super::scan`].
    pub fn read(message: &dyn Reopen) -> Result<Self, ScanError> {
        let findings = find_in(&mut *message.open()?, Nested::Leaf)?;
        Ok(Self { findings })
    }

    /// All that was found; [`super::super::open_body`] reads an envelope of it.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Decides whether the attachments can be put back. `opened` has what each envelope says inside about itself, in their order;
    /// `None` for one that was not opened, or says nothing.
    ///
    /// An envelope that stood in the message when its attachments were sealed is text like all around it, and stays as it is.
    ///
    /// # Errors
    /// [`RestoreError`] when the answer is no.
    pub fn restoration(
        &self,
        message: &dyn Reopen,
        opened: &[Option<Mail>],
    ) -> Result<Restoration, RestoreError> {
        let mails = self.mails(opened);
        match mails.as_slice() {
            [] => return Err(RestoreError::NoAttachment),
            [(skeleton, places)] => return self.of_one_mail(message, *skeleton, places),
            mails if mails.len() > MAILS_MAX => return Err(RestoreError::Moved),
            _ => {}
        }
        for (skeleton, places) in &mails {
            match self.of_one_mail(message, *skeleton, places) {
                Err(RestoreError::Read(error)) => return Err(error.into()),
                Err(_) => {}
                restoration => return restoration,
            }
        }
        Err(RestoreError::Moved)
    }

    /// The attachments by the mail that they say they are of.
    fn mails(&self, opened: &[Option<Mail>]) -> Vec<(Hash, Vec<Place<'_>>)> {
        let mut numbers = HashMap::new();
        let mut mails: Vec<(Hash, Vec<Place<'_>>)> = Vec::new();
        for (sealed, mail) in self.findings.envelopes.iter().zip(opened) {
            let Some(Mail::Attachment {
                part,
                parts,
                eol,
                skeleton,
            }) = mail
            else {
                continue;
            };
            let number = *numbers.entry(skeleton.0).or_insert(mails.len());
            if number == mails.len() {
                mails.push((*skeleton, Vec::new()));
            }
            mails[number].1.push(Place {
                sealed,
                part: *part,
                parts: *parts,
                eol: *eol,
            });
        }
        mails
    }

    fn of_one_mail(
        &self,
        message: &dyn Reopen,
        skeleton: Hash,
        places: &[Place<'_>],
    ) -> Result<Restoration, RestoreError> {
        let eol = eol(all_in_order(places)?);
        let structure = &self.findings.structure;
        let body = structure.parts[0].body;
        let ranges = places
            .iter()
            .map(|place| (place.sealed.part.start, place.sealed.part.end));
        let (found, _) = Skeleton::of(message, &structure.header, body, ranges)?;
        if found != skeleton {
            return Err(RestoreError::TextChanged);
        }
        Ok(Restoration {
            envelopes: places.iter().map(|place| place.sealed.clone()).collect(),
            eol,
            skeleton,
            header: structure.header.clone(),
            body,
        })
    }
}

/// Checks that every attachment is there once, in its place, with nothing behind it.
fn all_in_order(places: &[Place<'_>]) -> Result<LineEnds, RestoreError> {
    let first = places[0];
    let is_other = |place: &Place<'_>| place.parts != first.parts || place.eol != first.eol;
    if places.iter().any(is_other) {
        return Err(RestoreError::Moved);
    }
    let mut numbers: Vec<u32> = places.iter().map(|place| place.part).collect();
    let in_order = numbers.is_sorted();
    numbers.sort_unstable();
    if let Some(pair) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(RestoreError::Doubled { part: pair[0] });
    }
    let missing = (1..=first.parts).find(|part| numbers.binary_search(part).is_err());
    if let Some(part) = missing {
        return Err(RestoreError::Missing {
            part,
            parts: first.parts,
        });
    }
    if !in_order {
        return Err(RestoreError::Swapped);
    }
    match places
        .iter()
        .find(|place| place.sealed.trailing_bytes > 0 || place.sealed.leading_bytes > 0)
    {
        Some(place) => Err(RestoreError::Footer {
            part: place.part,
            bytes: place.sealed.trailing_bytes + place.sealed.leading_bytes,
        }),
        None => Ok(first.eol),
    }
}

fn eol(line_ends: LineEnds) -> Option<Eol> {
    match line_ends {
        LineEnds::Lf => Some(Eol::Lf),
        LineEnds::CrLf => Some(Eol::CrLf),
        LineEnds::Mixed => None,
    }
}

impl Restoration {
    /// How much of what [`Restoration::write`] writes is as it was.
    #[must_use]
    pub fn fidelity(&self) -> Fidelity {
        match self.eol {
            Some(_) => Fidelity::Exact,
            None => Fidelity::LineEndsOfTextUnknown,
        }
    }

    /// Writes the message with its attachments. `open` reads an envelope and writes its content.
    ///
    /// # Errors
    /// Those of `open` and `out`, and an [`io::Error`] when the message cannot be read or is another than before.
    pub fn write<E: From<io::Error>>(
        &self,
        message: &dyn Reopen,
        out: &mut (dyn Write + Send),
        open: &mut Open<'_, E>,
    ) -> Result<(), E> {
        let mut passage = Passage::new(message)?;
        let mut skeleton = Skeleton::new(&self.header, self.body);
        let mut text = Text::new(self.eol);
        for sealed in &self.envelopes {
            let part = &sealed.part;
            passage.pass_to(part.start, &mut |at, bytes| {
                skeleton.pass(at, bytes);
                text.write(bytes, out)
            })?;
            text.release(out)?;
            passage.pass_to(part.body, &mut |_, _| Ok(()))?;
            open(sealed, &mut *body(passage.stretch(part.end), sealed), out)?;
            passage.pass_to(part.end, &mut |_, _| Ok(()))?;
        }
        passage.pass_to_end(&mut |at, bytes| {
            skeleton.pass(at, bytes);
            text.write(bytes, out)
        })?;
        text.release(out)?;
        if skeleton.finish().0 == self.skeleton {
            Ok(())
        } else {
            Err(changed().into())
        }
    }
}
