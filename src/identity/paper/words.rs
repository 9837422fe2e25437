//! Lines of words, each with a check of its own, so that a mistake is found in its line, as soon as that was typed.

use zeroize::Zeroizing;

use super::{CONTENT_BYTES_MAX, HEAD, PAPER_LINES_MAX, Paper, PaperError, bits, content_bytes};

/// Words of a line; the last one is the check.
const WORDS: usize = 8;
const BARE: usize = WORDS - 1;
/// 2^11 words are in the list.
const WIDTH: usize = 11;
/// x^11 + x^2 + 1, which is primitive: the powers of x up to x^2046 differ.
const POLYNOMIAL: u16 = 0b1000_0000_0101;
/// Letters by which no two words of the list are alike.
const LETTERS: usize = 4;
/// Characters of an unknown word that are repeated.
const SHOWN: usize = 20;

/// How many lines a content has.
pub(super) fn lines_of(content_bytes: usize) -> usize {
    (content_bytes * 8).div_ceil(WIDTH * BARE)
}

/// The content's words without checks, in whole lines.
fn bare_words(content: &[u8]) -> Zeroizing<Vec<u16>> {
    let count = lines_of(content.len()) * BARE;
    let mut filled = Zeroizing::new(Vec::with_capacity(
        CONTENT_BYTES_MAX.max(content.len()) + 16,
    ));
    filled.extend_from_slice(content);
    filled.resize((count * WIDTH).div_ceil(8), 0);
    let mut words = bits::groups(&filled, WIDTH);
    words.truncate(count);
    words
}

/// The line's words as a polynomial's coefficients, at x: the number of the line, if the line is right.
fn value(words: &[u16]) -> u16 {
    words.iter().fold(0, |value, word| times_x(value) ^ word)
}

fn times_x(element: u16) -> u16 {
    let moved = element << 1;
    if moved >> WIDTH == 0 {
        moved
    } else {
        moved ^ POLYNOMIAL
    }
}

pub(super) fn write(content: &[u8]) -> Zeroizing<String> {
    let list = bip39::Language::English.word_list();
    let words = bare_words(content);
    // No word has more than eight letters.
    let mut text = Zeroizing::new(String::with_capacity(words.len() / BARE * WORDS * 9));
    for (line, number) in words.chunks(BARE).zip(1..) {
        for word in line {
            text.push_str(list[usize::from(*word)]);
            text.push(' ');
        }
        let check = times_x(value(line)) ^ number;
        text.push_str(list[usize::from(check)]);
        text.push('\n');
    }
    text
}

/// The lines of a page, as they are typed.
pub struct PaperLines {
    /// The words without checks of the lines that were right.
    words: Zeroizing<Vec<u16>>,
    /// Bytes of content, as the first line says.
    content_bytes: Option<usize>,
}

/// No line yet. Room for all: a buffer that grows leaves copies of secrets behind.
impl Default for PaperLines {
    fn default() -> Self {
        Self {
            words: Zeroizing::new(Vec::with_capacity(PAPER_LINES_MAX * BARE)),
            content_bytes: None,
        }
    }
}

impl PaperLines {
    /// The number of the line that comes next, from 1.
    #[must_use]
    pub fn due(&self) -> usize {
        self.words.len() / BARE + 1
    }

    /// How many lines there are, once the first was read.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        self.content_bytes.map(lines_of)
    }

    /// Whether all lines are there.
    #[must_use]
    pub fn are_whole(&self) -> bool {
        self.count().is_some_and(|count| self.due() > count)
    }

    /// Takes the next line: its eight words, in full or their first four letters, with or without its number. A line that is
    /// wrong is not taken.
    ///
    /// # Errors
    /// [`PaperError::Word`], [`PaperError::Count`], [`PaperError::Order`], [`PaperError::Line`], [`PaperError::Behind`]; of the
    /// first line also [`PaperError::Newer`] and [`PaperError::TooLong`].
    pub fn push(&mut self, text: &str) -> Result<(), PaperError> {
        let (number, words) = numbered(text);
        let due = self.due();
        match number {
            Some(found) if found != due => Err(PaperError::Order { found, due }),
            _ => self.push_words(&words.split_whitespace().collect::<Vec<_>>()),
        }
    }

    fn push_words(&mut self, typed: &[&str]) -> Result<(), PaperError> {
        let line = self.due();
        if self.are_whole() {
            return Err(PaperError::Behind { lines: line - 1 });
        }
        let mut words = Zeroizing::new([0; WORDS]);
        // Unknown words first: one blank too many makes two words of one.
        for (place, text) in typed.iter().enumerate() {
            let word = known(text).ok_or_else(|| unknown(line, place + 1, text))?;
            if let Some(own) = words.get_mut(place) {
                *own = word;
            }
        }
        if typed.len() != WORDS {
            return Err(PaperError::Count {
                line,
                found: typed.len(),
            });
        }
        if usize::from(value(&words[..])) != line {
            return Err(PaperError::Line { line });
        }
        if line == 1 {
            let head = bits::bytes(&words[..BARE], WIDTH);
            self.content_bytes = Some(content_bytes(&head[..HEAD])?);
        }
        self.words.extend_from_slice(&words[..BARE]);
        Ok(())
    }

    /// Takes all lines of a text: those that begin with their number if any does, else all words that there are.
    pub(super) fn fill(&mut self, text: &str) -> Result<(), PaperError> {
        if text.lines().any(|line| numbered(line).0.is_some()) {
            for line in text.lines().filter(|line| numbered(line).0.is_some()) {
                self.push(line)?;
            }
        } else {
            let words: Vec<&str> = text.split_whitespace().collect();
            for line in words.chunks(WORDS) {
                self.push_words(line)?;
            }
        }
        match self.are_whole() {
            true => Ok(()),
            false if self.words.is_empty() => Err(PaperError::Nothing),
            false => Err(PaperError::Missing { line: self.due() }),
        }
    }

    /// Checks the checksum of the page.
    ///
    /// # Errors
    /// [`PaperError::Missing`], [`PaperError::Check`], and whatever else no page says.
    pub fn finish(self) -> Result<Paper, PaperError> {
        if !self.are_whole() {
            return Err(PaperError::Missing { line: self.due() });
        }
        let bytes = bits::bytes(&self.words, WIDTH);
        let content = self.content_bytes.and_then(|end| bytes.get(..end));
        let content = content.ok_or(PaperError::Check)?;
        if *bare_words(content) == *self.words {
            Paper::from_content(content)
        } else {
            Err(PaperError::Check)
        }
    }
}

/// A line's number, if it begins with one: one or two digits, then nothing, `.`, `:` or `)`.
fn numbered(line: &str) -> (Option<usize>, &str) {
    let line = line.trim();
    let (first, words) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let digits = first.strip_suffix(['.', ':', ')']).unwrap_or(first);
    let is_number = matches!(digits.len(), 1 | 2) && digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse() {
        Ok(number) if is_number => (Some(number), words),
        _ => (None, line),
    }
}

/// The number of a word, in full or from its first four letters on.
fn known(typed: &str) -> Option<u16> {
    let typed = typed.as_bytes();
    let is = |word: &&str| word.as_bytes().eq_ignore_ascii_case(typed);
    let begins = |word: &&str| {
        let begin = word.as_bytes().get(..typed.len());
        typed.len() >= LETTERS && begin.is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
    };
    let mut list = bip39::Language::English.word_list().iter();
    let found = list.clone().position(is).or_else(|| list.position(begins));
    found.map(|number| u16::try_from(number).expect("there are 2,048"))
}

fn unknown(line: usize, place: usize, typed: &str) -> PaperError {
    let typed: String = typed.chars().take(SHOWN).collect();
    let small = typed.to_lowercase();
    let list = bip39::Language::English.word_list().iter();
    let mut near: Vec<_> = list
        .map(|word| (strsim::damerau_levenshtein(&small, word), *word))
        .collect();
    near.sort_unstable();
    let least = near.first().map_or(0, |(slips, _)| *slips);
    // A word that has nothing left of what was typed is no help.
    near.retain(|(slips, _)| *slips == least && slips * 2 <= small.chars().count());
    near.truncate(3);
    PaperError::Word {
        line,
        place,
        typed,
        near: near.into_iter().map(|(_, word)| word).collect(),
    }
}
