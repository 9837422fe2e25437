//! The text form of cards, approvals and other small objects: base64url in groups of 60 characters, each with two check characters.
//!
//! The encoding is the same in a file, a chat line and a mail header. The line may be wrapped or quoted; a changed character is
//! reported with its position.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::sha256;
use crate::crypto::signing::Signature;

/// Characters of one group without its check characters.
pub(super) const GROUP: usize = 60;
pub(super) const CHECK: usize = 2;

/// Bytes of a carrier's content: JSON, line feed and, where there is one, the signature.
pub(crate) const CONTENT_BYTES_MAX: usize = 65_536;

/// Bytes of text in which a carrier is looked for.
pub const CARRIER_BYTES_MAX: usize = 256 << 10;

/// Why a text does not carry what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// It does not begin as it should.
    #[error("it does not begin with `{0}`")]
    Prefix(&'static str),
    /// A text editor has turned it into UTF-16.
    #[error("it is in UTF-16: save it as UTF-8")]
    Utf16,
    /// Its text has more than 256 KiB, or its content more than 64 KiB.
    #[error(
        "it is too long: at most {CONTENT_BYTES_MAX} bytes of content, {CARRIER_BYTES_MAX} of text"
    )]
    TooLong,
    /// A group's check characters do not fit.
    #[error("group {group} of {groups} has a wrong or missing character")]
    Group {
        /// The group, from 1.
        group: usize,
        /// How many there are.
        groups: usize,
    },
    /// The groups fit, and still it is not what a writer makes.
    #[error("it is incomplete")]
    Content,
}

/// Writes `line`, a line feed and the signature as one line of text, without a line feed.
pub(crate) fn write(prefix: &str, line: &[u8], signature: &Signature) -> String {
    carry(prefix, &[line, b"\n", &signature.0].concat())
}

/// Writes any content as one line of text, without a line feed.
pub(crate) fn carry(prefix: &str, content: &[u8]) -> String {
    let text = URL_SAFE_NO_PAD.encode(content);
    let mut carrier = prefix.to_owned();
    for (number, group) in (0..).zip(text.as_bytes().chunks(GROUP)) {
        carrier.extend(group.iter().map(|byte| char::from(*byte)));
        carrier.extend(check(number, group));
    }
    carrier
}

/// What a carrier's text holds.
pub(crate) struct Carried {
    /// The line, without its line feed.
    pub(crate) line: Vec<u8>,
    pub(crate) signature: Signature,
    /// The text without wrapping and quoting: what [`write`] makes of line and signature.
    pub(crate) text: String,
}

/// Reads a line and its signature from text that may have been wrapped and quoted.
pub(crate) fn read(prefix: &'static str, text: &[u8]) -> Result<Carried, CarrierError> {
    let (content, text) = bare(prefix, text)?;
    let (line, signature) = content.split_last_chunk().ok_or(CarrierError::Content)?;
    let line = line.strip_suffix(b"\n").ok_or(CarrierError::Content)?;
    let (line, signature) = (line.to_vec(), Signature(*signature));
    Ok(Carried {
        line,
        signature,
        text,
    })
}

/// Reads a content of at most 65,536 bytes from text that may have been wrapped and quoted.
pub(crate) fn carried(prefix: &'static str, text: &[u8]) -> Result<Vec<u8>, CarrierError> {
    bare(prefix, text).map(|(content, _)| content)
}

/// The content, and the text without wrapping and quoting.
fn bare(prefix: &'static str, text: &[u8]) -> Result<(Vec<u8>, String), CarrierError> {
    if text.len() > CARRIER_BYTES_MAX {
        return Err(CarrierError::TooLong);
    }
    let bare = unquoted(text);
    let groups = bare
        .strip_prefix(prefix.as_bytes())
        .ok_or(CarrierError::Prefix(prefix))?;
    let content = URL_SAFE_NO_PAD
        .decode(ungrouped(groups)?)
        .map_err(|_| CarrierError::Content)?;
    if content.len() > CONTENT_BYTES_MAX {
        return Err(CarrierError::TooLong);
    }
    // There is one encoding, and every group of it was compared.
    let text = String::from_utf8(bare).map_err(|_| CarrierError::Content)?;
    Ok((content, text))
}

/// Takes out white space, and quoting at the beginning of lines.
fn unquoted(text: &[u8]) -> Vec<u8> {
    // As writers make it: one line.
    let line = text.strip_suffix(b"\n").unwrap_or(text);
    if line
        .iter()
        .all(|byte| byte.is_ascii_graphic() && *byte != b'>')
    {
        return line.to_vec();
    }
    let line = |line: &[u8]| -> Vec<u8> {
        let quoting = |byte: &u8| matches!(byte, b'>' | b' ' | b'\t');
        line.iter()
            .skip_while(|byte| quoting(byte))
            .filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
            .copied()
            .collect()
    };
    text.split(|byte| *byte == b'\n').flat_map(line).collect()
}

fn ungrouped(text: &[u8]) -> Result<Vec<u8>, CarrierError> {
    let groups = text.len().div_ceil(GROUP + CHECK);
    let mut content = Vec::with_capacity(text.len());
    for (number, group) in text.chunks(GROUP + CHECK).enumerate() {
        let wrong = CarrierError::Group {
            group: number + 1,
            groups,
        };
        let (group, found) = group
            .split_last_chunk::<CHECK>()
            .ok_or_else(|| wrong.clone())?;
        let expected = check(
            u16::try_from(number).map_err(|_| CarrierError::TooLong)?,
            group,
        );
        if group.is_empty() || expected != found.map(char::from) {
            return Err(wrong);
        }
        content.extend_from_slice(group);
    }
    Ok(content)
}

/// How long `groups` may be, if words follow that could be groups too: wherever the check characters of the last one fit.
pub(super) fn ends(groups: &[u8]) -> Vec<usize> {
    let fits = |number: usize, group: &[u8]| {
        let split = group.split_last_chunk::<CHECK>();
        let fits = |(text, found): (&[u8], &[u8; CHECK])| {
            let number = u16::try_from(number).ok()?;
            (!text.is_empty() && check(number, text) == found.map(char::from)).then_some(())
        };
        split.and_then(fits).is_some()
    };
    let mut chunks = groups.chunks(GROUP + CHECK).enumerate();
    let full = chunks
        .by_ref()
        .take_while(|(number, group)| group.len() == GROUP + CHECK && fits(*number, group))
        .count();
    // Words can also look like the rest of the last group: one text in 4,096 does.
    let ends_in = |number: usize| {
        let begin = number * (GROUP + CHECK);
        let rest = &groups[begin..groups.len().min(begin + GROUP + CHECK)];
        let lengths = (0..=rest.len()).filter(move |length| fits(number, &rest[..*length]));
        lengths.map(move |length| begin + length)
    };
    (full.saturating_sub(1)..=full).flat_map(ends_in).collect()
}

/// One group a line, as mail programs leave it alone: what wrapped lines hold is read like one line.
pub(crate) fn wrapped(prefix: &str, text: &str) -> String {
    let groups = &text[prefix.len()..];
    let lines: Vec<&str> = (0..groups.len())
        .step_by(GROUP + CHECK)
        .map(|at| &groups[at..groups.len().min(at + GROUP + CHECK)])
        .collect();
    format!("{prefix}{}", lines.join("\n"))
}

/// The first 12 bits of SHA-256 over a label, the group's number and its text, as two base64url characters.
fn check(number: u16, group: &[u8]) -> [char; CHECK] {
    let hash = sha256(&[b"encl/1 check\0", &number.to_be_bytes(), group]);
    let text = URL_SAFE_NO_PAD.encode(&hash[..2]);
    let mut characters = text.chars();
    std::array::from_fn(|_| characters.next().expect("two bytes are three characters"))
}
