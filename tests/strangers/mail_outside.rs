//! Changed headers of the corpus: what stands outside is header for every reader, and names those for whom a message is sealed.
//!
//! The short form makes 10,000 changed messages; `ENCL_SWEEP=full` makes 1,000,000.

use encl::mail::{Eol, Field, Header, Outer, parse_list, recipients};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::corpus::messages;
use crate::support::sweep;
use crate::tell::tell;

const SHORT: usize = 10_000;
const FULL: usize = 1_000_000;
/// Shorter lines stand in many a header by chance.
const LINE_BYTES_MIN: usize = 12;
const HEADER_BYTES_MAX: usize = 16 << 10;

/// A text that no reader may see outside, some of it in the form of fields.
const BODY: &str = "the body of the letter begins here\nCc: the lawyer said no <eve@example.org>\nDate: tonight at nine o'clock\n\
    References: <the-plan-of-the-house@example.org>\n   an indented line of the letter\nTo: nobody.else@example.org\n";

/// What is put where a line should be, or in its middle.
const LINES: [&[u8]; 16] = [
    b"no blank line came\n",
    b" \n",
    b"\t\t\r\n",
    b"\r\r\n",
    b"\r",
    b"\r\r",
    b"\0\n",
    b"X: \0\n",
    b"X: \x0b\n",
    b" indented words of the writer\n",
    b": nameless\n",
    b"Two words: here\n",
    b"To : carol@example.org\n",
    b"From the lawyer, who said no\n",
    b"From a@example.org Mon Nov 30 09:00:00 2026\n",
    b"T\xF6: latin\n",
];

fn changed(header: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = header.to_vec();
    for _ in 0..rng.random_range(1..=3) {
        let at = rng.random_range(0..=bytes.len());
        let starts = bytes[..at].iter().rposition(|byte| *byte == b'\n');
        let start = starts.map_or(0, |line_feed| line_feed + 1);
        match rng.random_range(0..8) {
            // Before a line.
            0..=2 => splice(
                &mut bytes,
                start,
                0,
                LINES[rng.random_range(0..LINES.len())],
            ),
            3 => splice(&mut bytes, at, 0, LINES[rng.random_range(0..LINES.len())]),
            4 => splice(&mut bytes, start, 0, b" "),
            5 => splice(
                &mut bytes,
                at,
                1,
                &[b'\r', 0, 0xFC, b' ', b'\n', b':', b','][rng.random_range(0..7)..][..1],
            ),
            6 => splice(&mut bytes, at, 1, b""),
            // The empty line at the end.
            _ => {
                let end = bytes.trim_ascii_end().len();
                bytes.truncate(end);
                bytes.extend_from_slice(
                    [&b"\n"[..], b"\r\n", b"\n \n", b"\r", b"\r\r\n"][rng.random_range(0..5)],
                );
            }
        }
    }
    bytes
}

fn splice(bytes: &mut Vec<u8>, at: usize, removed: usize, new: &[u8]) {
    let end = (at + removed).min(bytes.len());
    bytes.splice(at..end, new.iter().copied());
}

/// Where the first of some readers ends the header.
fn header_end(bytes: &[u8]) -> usize {
    let ends = [
        // CPython's feedparser: any line end, and its pattern of a header line.
        end_by(bytes, b"\r\n", |line, number| {
            let colon = line.iter().position(|byte| *byte == b':');
            let name = &line[..colon.unwrap_or(0)];
            line.starts_with(b" ")
                || line.starts_with(b"\t")
                || (number == 0 && line.starts_with(b"From "))
                || (!name.is_empty() && name.iter().all(u8::is_ascii_graphic))
        }),
        // mutt: LF; the first of colon and blank must be a colon.
        end_by(bytes, b"\n", |line, number| {
            let first = line.iter().find(|byte| b": \t".contains(byte));
            (number > 0 && line.first().is_some_and(|byte| b" \t".contains(byte)))
                || (number == 0 && line.starts_with(b"From "))
                || first == Some(&b':')
        }),
        // Whoever trims lines.
        end_by(bytes, b"\n", |line, _| !line.trim_ascii().is_empty()),
        // Whoever reads C strings.
        end_by(bytes, b"\n", |line, _| !line.contains(&0)),
    ];
    ends.into_iter().min().unwrap()
}

fn end_by(bytes: &[u8], line_ends: &[u8], goes_on: impl Fn(&[u8], usize) -> bool) -> usize {
    let (mut at, mut number) = (0, 0);
    while at < bytes.len() {
        let found = bytes[at..].iter().position(|byte| line_ends.contains(byte));
        let end = found.map_or(bytes.len(), |found| at + found);
        let line = &bytes[at..end];
        let line = if line_ends == b"\n" {
            line.strip_suffix(b"\r").unwrap_or(line)
        } else {
            line
        };
        if !goes_on(line, number) {
            return at;
        }
        let is_crlf = bytes[end..].starts_with(b"\r\n") && line_ends.len() > 1;
        (at, number) = (end + if is_crlf { 2 } else { 1 }, number + 1);
    }
    bytes.len()
}

/// The lines behind the header's end that would be recognised outside.
fn lines_behind(bytes: &[u8], end: usize) -> Vec<String> {
    let before = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let lines = bytes[end..].split(|byte| matches!(byte, b'\r' | b'\n'));
    let lines = lines.map(|line| String::from_utf8_lossy(line).trim().to_owned());
    lines
        .filter(|line| line.len() >= LINE_BYTES_MIN && !before.contains(line))
        .collect()
}

/// The fields outside, one on each line.
fn text(outer: &Outer) -> String {
    let fields = outer.fields.iter();
    let lines: Vec<String> = fields
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    lines.join("\n")
}

fn addresses<'f>(fields: impl Iterator<Item = &'f str>) -> Option<Vec<String>> {
    let mut addresses = Vec::new();
    for field in fields {
        addresses.extend(
            parse_list(field)
                .ok()?
                .into_iter()
                .map(|mailbox| mailbox.address),
        );
    }
    addresses.sort();
    Some(addresses)
}

#[test]
fn entry_14_no_line_of_a_body_stands_outside() {
    let mut rng = StdRng::seed_from_u64(14);
    let headers: Vec<Vec<u8>> = messages()
        .map(|message| {
            Header::read(&mut message.bytes.as_slice())
                .unwrap()
                .bytes()
                .to_vec()
        })
        .filter(|header| header.len() < HEADER_BYTES_MAX)
        .collect();
    assert!(headers.len() > 50, "only {} headers", headers.len());
    let count = if sweep::is_full() { FULL } else { SHORT };
    let (mut ended_early, mut named) = (0, 0);
    for number in 0..count {
        let header = &headers[rng.random_range(0..headers.len())];
        let message = [&changed(header, &mut rng), BODY.as_bytes()].concat();
        let read = Header::read(&mut message.as_slice()).unwrap();
        let outer = Outer::of(&read, "");
        let outside = text(&outer);
        let end = header_end(&message);
        // What the header before that end says may be the same.
        let before = Header::read(&mut &message[..end]).unwrap();
        let before = text(&Outer::of(&before, ""));
        ended_early += usize::from(end + 2 < read.bytes().len());
        for line in lines_behind(&message, end) {
            let shown = message.escape_ascii();
            let is_shown = outside.contains(&line) && !before.contains(&line);
            assert!(!is_shown, "{number}: {line:?} of\n{shown}\nin\n{outside}");
        }
        // The fields of a sending on name others than those that stand outside.
        let is_resent = |field: &Field<'_>| field.name.to_lowercase().starts_with("resent-");
        if read.certain_fields().any(|field| is_resent(&field)) {
            continue;
        }
        let visible = recipients::visible(&read);
        let texts: Vec<String> = visible.iter().map(encl::mail::Field::text).collect();
        // A list that is not understood whole is refused, and none is told.
        let Some(sealed) = addresses(texts.iter().map(String::as_str)) else {
            continue;
        };
        let is_told = |field: &&(String, String)| ["to", "cc"].contains(&&*field.0.to_lowercase());
        let told = outer.fields.iter().filter(is_told).map(|field| &*field.1);
        let told = addresses(told).expect("what is written is a list");
        let has_other_form = |address: &String| !address.is_ascii();
        if !sealed.iter().any(has_other_form) {
            named += usize::from(!sealed.is_empty());
            let written = String::from_utf8(outer.rendered(Eol::Lf)).unwrap();
            assert_eq!(sealed, told, "{number}: {written}");
        }
    }
    tell(&format!(
        "strangers: {count} changed headers, of which {ended_early} end earlier for some reader, and {named} name recipients"
    ));
    assert!(ended_early > count / 4 && named > count / 4);
}
