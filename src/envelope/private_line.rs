//! The first line of the plaintext: what only readers may know about the content.

use serde::Serialize;

use super::error::OpenError;
use super::policy_line::{check_recipients, recipients};
use crate::crypto::signing::RootId;
use crate::json::{self, Error, Text, Value};
use crate::policy::{Hash, LOCKS_MAX, Policy, RECIPIENTS_MAX, Recipient};
use crate::time::Time;

/// Bytes of the private line, without its line feed.
pub(super) const PRIVATE_BYTES_MAX: usize = 8 << 20;
const NAME_BYTES_MAX: usize = 255;
const TYPE_BYTES_MAX: usize = 255;
const SUBJECT_BYTES_MAX: usize = 4_096;
const OUTER_HEADERS_MAX: usize = 256;

/// What is known about the content, sealed with it. Every member is optional; see [`ContentInfo::drop_unfit`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ContentInfo {
    /// The file's name: advice, at most 255 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The media type, at most 255 bytes.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// When the file was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Time>,
    /// A message's subject, at most 4,096 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How the content stands in a mail message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
}

impl ContentInfo {
    /// Drops texts that are over a limit or hold a character that the format refuses: a file must be sealable
    /// whatever its name is.
    #[must_use]
    pub fn drop_unfit(mut self) -> Self {
        let fits =
            |text: &String, max| !text.is_empty() && text.len() <= max && json::is_clean(text);
        self.name = self.name.filter(|text| fits(text, NAME_BYTES_MAX));
        self.media_type = self.media_type.filter(|text| fits(text, TYPE_BYTES_MAX));
        self.subject = self.subject.filter(|text| fits(text, SUBJECT_BYTES_MAX));
        self
    }
}

/// How the content stands in a mail message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum Mail {
    /// A whole message.
    Message {
        /// The headers as they were written outside.
        outer: Vec<(String, String)>,
    },
    /// One attachment of a message.
    Attachment {
        /// Its number, from 1.
        part: u32,
        /// How many there are.
        parts: u32,
        /// The message's line ends.
        eol: LineEnds,
        /// SHA-256 of the message without its attachments.
        skeleton: Hash,
    },
}

/// The line ends of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnds {
    /// LF.
    Lf,
    /// CRLF.
    CrLf,
    /// Both.
    Mixed,
}

/// The private line: [`ContentInfo`], and in private envelopes what stands in the policy otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PrivateLine {
    /// About the content.
    #[serde(flatten)]
    pub info: ContentInfo,
    /// When the envelope was made, if that is private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// One list per lock, exactly when private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<Vec<Vec<Recipient>>>,
    /// The author's key, exactly when private and signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<RootId>,
}

/// Reads a private line and checks it against the policy.
pub(super) fn parse(line: &[u8], policy: &Policy) -> Result<PrivateLine, OpenError> {
    Text::check(line)
        .and_then(|text| private_line(&text))
        .and_then(|private| check(&private, policy).map(|()| private))
        .map_err(|error| OpenError::in_line("the private line (first of the content)", &error))
}

/// Writes a private line, without the line feed, after the checks that a reader makes.
pub(super) fn write(private: &PrivateLine, policy: &Policy) -> Result<Vec<u8>, Error> {
    check(private, policy)?;
    let line =
        serde_json::to_vec(private).expect("a private line has only text, numbers and lists");
    if line.len() > PRIVATE_BYTES_MAX {
        return Err(Error::over_limit("the private line has more than 8 MiB"));
    }
    let text = Text::check(&line)?;
    private_line(&text)?; // the limits of its texts
    Ok(line)
}

fn private_line(text: &Text<'_>) -> Result<PrivateLine, Error> {
    let mut line = PrivateLine::default();
    text.object(|name, value| {
        match name {
            "name" => line.info.name = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "type" => line.info.media_type = Some(value.text(TYPE_BYTES_MAX)?.into_owned()),
            "modified" => line.info.modified = Some(value.time()?),
            "subject" => line.info.subject = Some(value.text(SUBJECT_BYTES_MAX)?.into_owned()),
            "created" => line.created = Some(value.time()?),
            "recipients" => line.recipients = Some(value.array(LOCKS_MAX, recipients)?),
            "signer" => line.signer = Some(RootId(value.base64()?)),
            "mail" => line.info.mail = Some(mail(value)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(line)
}

fn mail(value: Value<'_>) -> Result<Mail, Error> {
    let (mut mode, mut outer, mut part, mut parts, mut eol, mut skeleton) =
        (None, None, None, None, None, None);
    value.object(|name, value| {
        match name {
            "mode" => mode = Some(value.text(usize::MAX)?.into_owned()),
            "outer" => outer = Some(value.array(OUTER_HEADERS_MAX, header)?),
            "part" => part = Some(ordinal(value)?),
            "parts" => parts = Some(ordinal(value)?),
            "eol" => eol = Some(line_ends(value)?),
            "skeleton" => skeleton = Some(Hash(value.base64()?)),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    match (mode.as_deref(), outer, part, parts, eol, skeleton) {
        (Some("message"), Some(outer), None, None, None, None) => Ok(Mail::Message { outer }),
        (Some("attachment"), None, Some(part), Some(parts), Some(eol), Some(skeleton))
            if part <= parts =>
        {
            Ok(Mail::Attachment {
                part,
                parts,
                eol,
                skeleton,
            })
        }
        (Some("message" | "attachment"), ..) => {
            Err(Error::malformed("`mail` has not the members of its mode"))
        }
        (Some(other), ..) => Err(Error::newer(format!("mail mode {other:?}"))),
        (None, ..) => Err(Error::missing("mode")),
    }
}

fn header(value: Value<'_>) -> Result<(String, String), Error> {
    let mut pair = value.array(2, |text| {
        text.text(usize::MAX).map(std::borrow::Cow::into_owned)
    })?;
    match (pair.pop(), pair.pop()) {
        (Some(value), Some(name)) => Ok((name, value)),
        _ => Err(Error::malformed("a pair in `outer` is not two texts")),
    }
}

fn ordinal(value: Value<'_>) -> Result<u32, Error> {
    let number = u32::try_from(value.number()?)
        .ok()
        .filter(|number| *number > 0);
    number.ok_or_else(|| Error::malformed("a part's number is not 1 to 4,294,967,295"))
}

fn line_ends(value: Value<'_>) -> Result<LineEnds, Error> {
    match &*value.text(usize::MAX)? {
        "lf" => Ok(LineEnds::Lf),
        "crlf" => Ok(LineEnds::CrLf),
        "mixed" => Ok(LineEnds::Mixed),
        other => Err(Error::newer(format!("line ends {other:?}"))),
    }
}

/// What the private line has to do with the policy (FORMAT.md, "The private line").
fn check(private: &PrivateLine, policy: &Policy) -> Result<(), Error> {
    let signer_due = policy.signed && policy.private;
    if private.signer.is_some() != signer_due {
        return Err(Error::malformed(
            "`signer` stands exactly when private and signed",
        ));
    }
    match &private.recipients {
        None if policy.private => Err(Error::missing("recipients")),
        Some(_) if !policy.private => Err(Error::malformed(
            "`recipients` though the envelope is not private",
        )),
        None => Ok(()),
        Some(lists) if lists.len() != lists_due(policy) => {
            Err(Error::malformed("not one list of recipients per lock"))
        }
        Some(lists) => check_lists(lists, policy),
    }
}

/// One list for each lock but that of gates, which is the last.
fn lists_due(policy: &Policy) -> usize {
    policy.locks.len() - usize::from(policy.gate().is_some())
}

fn check_lists(lists: &[Vec<Recipient>], policy: &Policy) -> Result<(), Error> {
    if lists.iter().map(Vec::len).sum::<usize>() > RECIPIENTS_MAX {
        return Err(Error::over_limit("recipients"));
    }
    policy
        .locks
        .iter()
        .zip(lists)
        .try_for_each(|(lock, list)| check_recipients(lock, list))
}
