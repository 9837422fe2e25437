//! Encoded words (RFC 2047): text of any script in a header of seven bit.
//!
//! mailparse decodes one word at a time here: over a whole value its work grows with the square of the number of words.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::header::is_blank;

/// Characters of one word, `=?utf-8?q?` and `?=` included. RFC 2047 §2 allows 75; this leaves room on a first line of 78
/// columns for the longest field names.
const WORD_CHARS_MAX: usize = 64;
const HULL_CHARS: usize = "=?utf-8?q??=".len();

/// The text with its encoded words decoded. Blanks between two of them are no part of it (RFC 2047 §6.2). What is in a
/// an unknown charset stays as it is.
#[must_use]
pub fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pending: Option<Word> = None;
    let mut at = 0;
    while let Some((start, word)) = next_word(text, at) {
        let between = &text[at..start];
        at = start + word.chars;
        let apart = !between.bytes().all(is_blank);
        match &mut pending {
            Some(before) if !apart && before.goes_on_with(&word) => before.body += &word.body,
            _ => {
                let is_first = pending.is_none();
                out.extend(pending.take().map(Word::decoded));
                if is_first || apart {
                    out.push_str(between);
                }
                pending = Some(word);
            }
        }
    }
    out.extend(pending.map(Word::decoded));
    out.push_str(&text[at..]);
    out
}

/// The text in encoded words, separated by spaces, that may stand in a phrase, a comment or unstructured text.
#[must_use]
pub fn encode(text: &str) -> String {
    let quoted: usize = text.bytes().map(quoted_chars).sum();
    // As long as most of it can be read by people too.
    let encoding = if 2 * quoted <= 5 * text.len() {
        Encoding::Quoted
    } else {
        Encoding::Base64
    };
    let mut words: Vec<String> = Vec::new();
    let mut start = 0;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        if encoding.chars(&text[start..end]) + HULL_CHARS > WORD_CHARS_MAX {
            words.push(encoding.word(&text[start..at]));
            start = at;
        }
    }
    if start < text.len() {
        words.push(encoding.word(&text[start..]));
    }
    words.join(" ")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Quoted,
    Base64,
}

impl Encoding {
    fn chars(self, text: &str) -> usize {
        match self {
            Self::Quoted => text.bytes().map(quoted_chars).sum(),
            Self::Base64 => text.len().div_ceil(3) * 4,
        }
    }

    fn word(self, text: &str) -> String {
        match self {
            Self::Quoted => format!("=?utf-8?q?{}?=", quoted(text)),
            Self::Base64 => format!("=?utf-8?b?{}?=", STANDARD.encode(text)),
        }
    }
}

/// RFC 2047 §5 (3): in a phrase only these stand for themselves.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'*' | b'+' | b'-' | b'/')
}

fn quoted_chars(byte: u8) -> usize {
    if byte == b' ' || is_plain(byte) { 1 } else { 3 }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(3 * text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('_'),
            byte if is_plain(byte) => out.push(char::from(byte)),
            byte => write!(out, "={byte:02X}").expect("a String never fails"),
        }
    }
    out
}

/// `=?charset?encoding?body?=`
struct Word {
    charset: String,
    encoding: Encoding,
    body: String,
    /// All of it, as it stood there.
    chars: usize,
}

impl Word {
    /// A word at the beginning of `text`.
    fn at_start(text: &str) -> Option<Self> {
        let inner = text.strip_prefix("=?")?;
        let (charset, rest) = inner.split_once('?')?;
        let encoding = match rest.get(..2)? {
            "q?" | "Q?" => Encoding::Quoted,
            "b?" | "B?" => Encoding::Base64,
            _ => return None,
        };
        let (body, rest) = rest[2..].split_once('?')?;
        let printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !rest.starts_with('=') || !printable(charset) || !printable(body) {
            return None;
        }
        // RFC 2231 §5: a language may follow the charset.
        let charset_name = charset.split('*').next().unwrap_or_default();
        Some(Self {
            charset: charset_name.to_owned(),
            encoding,
            body: body.to_owned(),
            chars: "=??q??=".len() + charset.len() + body.len(),
        })
    }

    /// Writers that count bytes split characters between two words; together they can be read.
    fn goes_on_with(&self, next: &Self) -> bool {
        let whole = match self.encoding {
            Encoding::Quoted => true,
            Encoding::Base64 => self.body.len().is_multiple_of(4) && !self.body.ends_with('='),
        };
        let same_charset = self.charset.eq_ignore_ascii_case(&next.charset);
        whole && same_charset && self.encoding == next.encoding
    }

    fn decoded(self) -> String {
        let encoding = match self.encoding {
            Encoding::Quoted => 'q',
            Encoding::Base64 => 'b',
        };
        let word = format!("=?{}?{encoding}?{}?=", self.charset, self.body);
        let line = format!("X: {word}");
        match mailparse::parse_header(line.as_bytes()) {
            Ok((field, _)) => field.get_value(),
            Err(_) => word,
        }
    }
}

/// The first encoded word from `at` on. A try that fails ends at the third question mark, so all of them are linear.
fn next_word(text: &str, mut at: usize) -> Option<(usize, Word)> {
    while let Some(found) = text[at..].find("=?") {
        let start = at + found;
        if let Some(word) = Word::at_start(&text[start..]) {
            return Some((start, word));
        }
        at = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_rfc_2047() {
        // RFC 2047 §8, and the three words with a split character that are seen in the wild.
        for (text, expected) in [
            ("=?ISO-8859-1?Q?a?=", "a"),
            ("=?ISO-8859-1?Q?a?= b", "a b"),
            ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?a_b?=", "a b"),
            ("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
            ("=?US-ASCII*EN?Q?Keith_Moore?= <m@x>", "Keith Moore <m@x>"),
            ("=?utf-8?B?w6Q=?=", "ä"),
            ("=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "ä"),
            ("(=?utf-8?q?=C3=A4?=)", "(ä)"),
            ("=?Nobody-Knows?q?a?=", "=?Nobody-Knows?q?a?="),
            (
                "=?utf-8?x?a?= =?utf-8?q?a b?= =? a",
                "=?utf-8?x?a?= =?utf-8?q?a b?= =? a",
            ),
            ("=?iso-2022-jp?B?GyRCJCIbKEI=?=", "あ"),
        ] {
            assert_eq!(decode(text), expected, "{text}");
        }
    }

    #[test]
    fn the_time_does_not_grow_with_the_square() {
        for hostile in ["=?", "=?a?q?", "=?utf-8?q?a?= ", "=?a?q?=?="] {
            let text = hostile.repeat((1 << 20) / hostile.len());
            assert!(decode(&text).len() <= text.len());
        }
    }

    proptest! {
        #[test]
        fn encoded_words_are_short_and_come_back(text in "(\\PC| |\t|[a-z]{1,9}){0,80}") {
            let words = encode(&text);
            prop_assert_eq!(decode(&words), text);
            for word in words.split(' ') {
                prop_assert!(word.len() <= WORD_CHARS_MAX && word.is_ascii());
            }
        }

        #[test]
        fn anything_can_be_decoded(text in "([ =?qQbB_a0]|=\\?utf-8\\?[qb]\\?|\\?=|\\PC){0,60}") {
            let _ = decode(&text);
        }
    }
}
