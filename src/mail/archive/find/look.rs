//! What a file in a folder is, by its beginning: a message, an mbox, something that looks like mail, or nothing of ours.
//!
//! Folders hold other files too, and what is no mail must never be sealed. A message has a whole header in which all readers
//! agree, with an address in From and a field that only mail has. In a file whose name is a number, as MH and many programs since
//! have it, less is enough.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::super::Skip;
use super::super::separators::LEADING_LINES_BYTES_MAX;
use super::super::walk::is_eml;
use crate::mail::{Header, HeaderEnd};

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::mail::archive) enum Look {
    /// One message.
    Message,
    /// An mbox.
    Mbox,
    /// Mail that is not converted.
    Left(Skip),
    /// No mail.
    Other,
}

/// Fields of which mail has at least one beside From.
const OF_MAIL: [&str; 7] = [
    "Date",
    "Received",
    "Message-ID",
    "Return-Path",
    "Delivered-To",
    "X-Mozilla-Status",
    "Encl",
];
/// Fields that letters to be have too.
const OF_LETTERS: [&str; 4] = ["To", "Cc", "Bcc", "Subject"];
/// Names of files that hold mail in another format, how each begins, and whose format it is.
const FORMATS: [(&str, &[u8], &str); 5] = [
    ("emlx", b"", "Apple Mail (.emlx)"),
    ("msg", b"\xD0\xCF\x11\xE0", "Outlook (.msg)"),
    ("pst", b"!BDN", "Outlook (.pst)"),
    ("ost", b"!BDN", "Outlook (.ost)"),
    ("dbx", b"\xCF\xAD\x12\xFE", "Outlook Express (.dbx)"),
];
/// Web pages are saved with the header of a message.
const WEB_PAGES: [&str; 2] = ["mht", "mhtml"];
/// The date in the first line of a patch that git made, whenever that was.
const OF_GIT: &[u8] = b" Mon Sep 17 00:00:00 2001";
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Bytes that are looked at before it is decided to read a header.
const HEAD_BYTES: u64 = 64;

/// Looks at a file of this name.
pub(in crate::mail::archive) fn look(name: &Path, file: &File) -> io::Result<Look> {
    if is_eml(name) {
        return Ok(Look::Message);
    }
    let has_ending = |ending: &str| {
        let extension = name.extension();
        extension.is_some_and(|found| found.eq_ignore_ascii_case(ending))
    };
    let mut reader = BufReader::new(super::super::file_range::FileRange::all(file));
    let mut head = Vec::new();
    reader.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let mut formats = FORMATS.iter();
    if let Some(format) = formats.find(|format| has_ending(format.0) && head.starts_with(format.1))
    {
        return Ok(Look::Left(Skip::Format(format.2)));
    }
    if WEB_PAGES.iter().any(|ending| has_ending(ending)) || head.contains(&0) {
        return Ok(Look::Other);
    }
    let mut text = BufReader::new(head.as_slice().chain(reader));
    if !is_at_from_line(&mut text)? {
        return look_at_message(name, &mut text);
    }
    let mut from_line = Vec::new();
    text.by_ref()
        .take(1_000)
        .read_until(b'\n', &mut from_line)?;
    if from_line.trim_ascii_end().ends_with(OF_GIT) {
        return Ok(Look::Other);
    }
    let header = Header::read(&mut text)?;
    Ok(if is_mail(&header, &[&OF_MAIL[..], &OF_LETTERS].concat()) {
        Look::Mbox
    } else if has_date(&from_line) {
        Look::Left(Skip::Unclear)
    } else {
        Look::Other
    })
}

/// Whether a line `From …` comes, with empty lines before it; those are then read.
fn is_at_from_line(text: &mut impl BufRead) -> io::Result<bool> {
    let mut leading = 0;
    loop {
        let begin = text.fill_buf()?;
        match begin {
            [b'\r' | b'\n', ..] if leading < LEADING_LINES_BYTES_MAX => {
                text.consume(1);
                leading += 1;
            }
            _ => {
                return Ok(begin
                    .strip_prefix(b"\xEF\xBB\xBF")
                    .unwrap_or(begin)
                    .starts_with(b"From "));
            }
        }
    }
}

/// Whether a line ends in a date as an mbox has it: `Mon Nov 30 09:00:00 2026`, perhaps with a zone.
fn has_date(from_line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(from_line);
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(4).any(|four| {
        WEEKDAYS.contains(&four[0]) && four[2].parse::<u8>().is_ok() && four[3].contains(':')
    })
}

fn look_at_message(name: &Path, text: &mut impl BufRead) -> io::Result<Look> {
    let header = Header::read(text)?;
    let is_whole = header.end() == HeaderEnd::EmptyLine && header.doubtful_line().is_none();
    let all = [&OF_MAIL[..], &OF_LETTERS].concat();
    Ok(if is_whole && is_mail(&header, &OF_MAIL) {
        Look::Message
    } else if !is_mail(&header, &all) {
        Look::Other
    } else if is_number(name) {
        Look::Message
    } else {
        Look::Left(Skip::Unclear)
    })
}

/// Whether a header has an address in From, and one of these fields beside it.
fn is_mail(header: &Header, beside: &[&str]) -> bool {
    let has = |name: &str| {
        let mut fields = header.certain_fields();
        fields.any(|field| field.name.eq_ignore_ascii_case(name))
    };
    let mut fields = header.certain_fields();
    let has_author = fields.any(|field| {
        let is_author = ["From", "Sender", "Return-Path"]
            .iter()
            .any(|name| field.name.eq_ignore_ascii_case(name));
        is_author && field.value.contains(&b'@')
    });
    (has_author || has("Encl")) && beside.iter().any(|name| has(name))
}

/// Whether a file's name is a number; MH puts a comma or `#` before that of a deleted one.
fn is_number(name: &Path) -> bool {
    let name = name.file_name().unwrap_or_default().as_encoded_bytes();
    let digits = name
        .strip_prefix(b",")
        .or_else(|| name.strip_prefix(b"#"))
        .unwrap_or(name);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn seen(name: &str, bytes: &[u8]) -> Look {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        look(Path::new(name), &file).unwrap()
    }

    #[test]
    fn mail_is_recognised_by_its_header() {
        let letter = "From: a@example.org\nTo: b@example.org\nSubject: s\n";
        let dated = format!("{letter}Date: Mon, 30 Nov 2026 09:00:00 +0000\n\nhi\n");
        let mbox = format!("From a@example.org Mon Nov 30 09:00:00 2026\n{letter}\nhi\n");
        for (name, text, expected) in [
            ("letter", dated.clone(), Look::Message),
            ("12", format!("{letter}\nhi\n"), Look::Message),
            (",12", format!("{letter}\nhi\n"), Look::Message),
            ("12", format!("{letter}no blank line\n"), Look::Message),
            (
                "letter",
                format!("{letter}\nhi\n"),
                Look::Left(Skip::Unclear),
            ),
            (
                "letter",
                dated.replace("\n\n", "\nhi\n\n"),
                Look::Left(Skip::Unclear),
            ),
            ("Inbox", mbox.clone(), Look::Mbox),
            ("Inbox", format!("\r\n\n{mbox}"), Look::Mbox),
            ("Inbox", format!("\u{feff}{mbox}"), Look::Mbox),
            (
                "Inbox",
                mbox.replace("a@example.org Mon", "- Mon"),
                Look::Mbox,
            ),
            (
                "Inbox",
                "From - Mon Nov 30 09:00:00 2026\n\nno header\n".to_owned(),
                Look::Left(Skip::Unclear),
            ),
            ("1.eml", "anything".to_owned(), Look::Message),
            (
                "1.emlx",
                format!("123\n{dated}"),
                Look::Left(Skip::Format("Apple Mail (.emlx)")),
            ),
            ("1.msg", "\u{1}text".to_owned(), Look::Other),
        ] {
            assert_eq!(seen(name, text.as_bytes()), expected, "{name}: {text}");
        }
    }

    #[test]
    fn what_is_no_mail_is_left_alone() {
        let dated = "Date: Mon, 30 Nov 2026 09:00:00 +0000\n\n";
        for (name, text) in [
            ("12", String::new()),
            ("12", "\n\n".to_owned()),
            ("notes", "From the lawyer\n\nhe said no\n".to_owned()),
            (
                "notes",
                "From the lawyer: a@example.org\nTo: buy milk\n".to_owned(),
            ),
            ("page.mht", format!("From: a@example.org\n{dated}")),
            ("page", format!("From: <Saved by Blink>\n{dated}")),
            (
                "package",
                "Package: encl\nMaintainer: a@example.org\n\n".to_owned(),
            ),
            (
                "0001-x.patch",
                format!(
                    "From {} Mon Sep 17 00:00:00 2001\nFrom: a@example.org\n{dated}",
                    "0".repeat(40)
                ),
            ),
            ("image", "\u{0}From: a@example.org\n".to_owned()),
            ("code.rs", "//! From: a@example.org\n".to_owned()),
        ] {
            assert_eq!(seen(name, text.as_bytes()), Look::Other, "{name}: {text}");
        }
    }
}
