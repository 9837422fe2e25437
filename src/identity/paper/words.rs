//! Lines of words. Each line has its own check word, so that a mistake is found as soon as its line is typed.

use zeroize::Zeroizing;

use super::{CONTENT_BYTES_MAX, HEAD, PAPER_LINES_MAX, Paper, PaperError, bits, content_bytes};

/// Words of a line; the last one is the check.
const WORDS: usize = 8;
const BARE: usize = WORDS - 1;
/// Bits of a word's number: the list has 2^11 words.
const WIDTH: usize = 11;
/// x^11 + x^2 + 1, which is primitive: the powers of x up to x^2046 differ.
const POLYNOMIAL: u16 = 0b1000_0000_0101;
/// Letters that identify a word: no two words of the list begin with the same four letters.
const LETTERS: usize = 4;
/// Characters of an unknown word that an error shows.
const SHOWN: usize = 20;

/// The number of lines of a content.
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

/// Evaluates the polynomial whose coefficients are the line's words, at x. For a correct line this is its number.
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
    /// The words of the accepted lines, without check words.
    words: Zeroizing<Vec<u16>>,
    /// Bytes of content, as the first line says.
    content_bytes: Option<usize>,
}

/// Has no lines yet, and reserves the full size: a growing buffer would leave copies of secrets in memory.
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
    pub fn next_line(&self) -> usize {
        self.words.len() / BARE + 1
    }

    /// How many lines the page has; known once the first line was taken.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        self.content_bytes.map(lines_of)
    }

    /// Whether all lines were taken.
    #[must_use]
    pub fn are_complete(&self) -> bool {
        self.count().is_some_and(|count| self.next_line() > count)
    }

    /// Takes the next line: eight words, in full or their first four letters, with or without the line number. A wrong line is
    /// not taken.
    ///
    /// # Errors
    /// [`PaperError::Word`], [`PaperError::Count`], [`PaperError::Order`], [`PaperError::Line`], [`PaperError::Behind`]; of the
    /// first line also [`PaperError::Newer`] and [`PaperError::TooLong`].
    pub fn push(&mut self, text: &str) -> Result<(), PaperError> {
        let (number, words) = numbered(text);
        let expected = self.next_line();
        match number {
            Some(found) if found != expected => Err(PaperError::Order { found, expected }),
            _ => self.push_words(&words.split_whitespace().collect::<Vec<_>>()),
        }
    }

    fn push_words(&mut self, typed: &[&str]) -> Result<(), PaperError> {
        let line = self.next_line();
        if self.are_complete() {
            return Err(PaperError::Behind { lines: line - 1 });
        }
        let mut words = Zeroizing::new([0; WORDS]);
        // Unknown words are reported before a wrong number of words: an additional blank splits a word in two.
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

    /// Takes all lines of a text. If any line begins with a number, only numbered lines are taken; otherwise all words are.
    /// Quoting and HTML tags before them do not count.
    pub(super) fn fill(&mut self, text: &str) -> Result<(), PaperError> {
        let text = text.trim_start_matches('\u{feff}');
        let lines = text.lines().map(behind_tags);
        if lines.clone().any(|line| numbered(line).0.is_some()) {
            for line in lines.filter(|line| numbered(line).0.is_some()) {
                self.push(line)?;
            }
        } else {
            let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
            for line in words.chunks(WORDS) {
                self.push_words(line)?;
            }
        }
        match self.are_complete() {
            true => Ok(()),
            false if self.words.is_empty() => Err(PaperError::Nothing),
            false => Err(PaperError::Missing {
                line: self.next_line(),
            }),
        }
    }

    /// Checks the checksum of the page.
    ///
    /// # Errors
    /// [`PaperError::Missing`], [`PaperError::Check`], [`PaperError::Malformed`] or [`PaperError::Card`].
    pub fn finish(self) -> Result<Paper, PaperError> {
        if !self.are_complete() {
            return Err(PaperError::Missing {
                line: self.next_line(),
            });
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

/// What stands behind the last `>` of a line: a page as HTML has tags there, a quoted one a sign of quoting.
fn behind_tags(line: &str) -> &str {
    line.rsplit_once('>').map_or(line, |(_, behind)| behind)
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

/// The number of a word that is typed in full, or abbreviated to four letters or more.
fn known(typed: &str) -> Option<u16> {
    let typed = typed.as_bytes();
    let is = |word: &&str| word.as_bytes().eq_ignore_ascii_case(typed);
    let begins = |word: &&str| {
        let begin = word.as_bytes().get(..typed.len());
        typed.len() >= LETTERS && begin.is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
    };
    let mut list = bip39::Language::English.word_list().iter();
    let found = list.clone().position(is).or_else(|| list.position(begins));
    found.map(|number| u16::try_from(number).expect("the list has 2,048 words"))
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
    // A word that differs in more than half of the typed letters is no help.
    near.retain(|(slips, _)| *slips == least && slips * 2 <= small.chars().count());
    near.truncate(3);
    PaperError::Word {
        line,
        place,
        typed,
        near: near.into_iter().map(|(_, word)| word).collect(),
    }
}
