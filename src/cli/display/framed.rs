//! A decrypted message between lines of ours. Each line of the message is marked, also where the terminal would fold it, so that
//! none of them looks like one of ours.

use encl::mail::Display;

use crate::cli::terminal::escape::spelled_out;
use crate::cli::terminal::{Terminal, stdout};

/// What begins a line of ours.
const OURS: &str = "[-- encl:";
/// What begins a further line of ours, where one is folded.
const CONTINUED: &str = "    ";
/// What begins a line of the message.
const MARK: &str = "| ";
/// A terminal with fewer columns folds as it will.
const COLUMNS_MIN: usize = 16;

/// A text to be read, of which each line is known to be the message's or ours.
#[derive(Default)]
pub(crate) struct FramedText(Vec<Line>);

enum Line {
    Ours(String),
    Message(String),
}

impl FramedText {
    /// A line of ours.
    pub(crate) fn say(&mut self, text: &str) {
        self.0.push(Line::Ours(text.to_owned()));
    }

    /// A line of the message: controls made harmless, tabs spread.
    pub(crate) fn message(&mut self, text: &str) {
        let text = text.trim_end_matches('\r').replace('\t', "        ");
        self.0.push(Line::Message(spelled_out(&text).into_owned()));
    }

    /// The header fields of a message and its texts.
    pub(crate) fn content(&mut self, display: &Display) {
        for name in Display::FIELDS {
            if let Some(value) = display.field(name) {
                // Encoded words can hold line ends.
                self.message(&format!("{name}: {}", spelled_out(&value)));
            }
        }
        for text in &display.texts {
            self.message("");
            text.text.lines().for_each(|line| self.message(line));
            if text.is_cut {
                self.say("the text is longer; `encl mail unwrap` writes all of it");
            }
        }
    }

    /// Everything, each line marked; on a terminal folded to its columns.
    pub(crate) fn framed(&self) -> String {
        self.folded(stdout::columns())
    }

    /// The message alone. Our lines go to stderr.
    pub(crate) fn without_frame(&self, terminal: Terminal) -> String {
        let mut lines = Vec::new();
        for line in &self.0 {
            match line {
                Line::Ours(text) => terminal.status(text),
                Line::Message(text) => lines.push(text.as_str()),
            }
        }
        lines.join("\n")
    }

    fn folded(&self, columns: Option<usize>) -> String {
        let columns = columns.filter(|columns| *columns >= COLUMNS_MIN);
        let room = |mark: &str| columns.map_or(usize::MAX, |columns| columns - mark.len());
        let mut lines = Vec::new();
        for line in &self.0 {
            match line {
                // A name in it may be the sender's.
                Line::Ours(text) => {
                    let text = format!("{OURS} {} --]", spelled_out(text));
                    lines.push(pieces(&text, room(CONTINUED)).join(&format!("\n{CONTINUED}")));
                }
                Line::Message(text) => {
                    let pieces = pieces(text, room(MARK)).into_iter();
                    lines
                        .extend(pieces.map(|piece| format!("{MARK}{piece}").trim_end().to_owned()));
                }
            }
        }
        lines.join("\n")
    }
}

/// The text in pieces that fit. Whatever is not ASCII is taken for two columns, which none exceeds.
fn pieces(text: &str, room: usize) -> Vec<&str> {
    let (mut pieces, mut begin, mut used) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices() {
        let columns = if letter.is_ascii() { 1 } else { 2 };
        if columns > room - used {
            pieces.push(&text[begin..at]);
            (begin, used) = (at, 0);
        }
        used += columns;
    }
    pieces.push(&text[begin..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(lines: &[&str], columns: Option<usize>) -> String {
        let mut text = FramedText::default();
        for line in lines {
            text.message(line);
        }
        text.folded(columns)
    }

    #[test]
    fn no_line_of_the_message_looks_like_one_of_ours() {
        for line in [
            "[-- encl: x --]",
            "\u{ff3b}-- encl: x",
            "\u{200c}[-- encl: x",
            "x\r[-- encl: y",
            "\u{85}[-- encl: y",
        ] {
            assert!(framed(&[line], None).starts_with("| "), "{line:?}");
            assert!(
                !framed(&[line], None).contains(['\r', '\n', '\u{85}']),
                "{line:?}"
            );
        }
        assert_eq!(framed(&["a\tb\r", ""], None), "| a        b\n|");
    }

    #[test]
    fn what_a_terminal_would_fold_is_folded_and_marked() {
        let line = " ".repeat(14) + "[-- encl: signed by the pope --]";
        let shown = framed(&[&line], Some(16));
        assert!(
            shown
                .lines()
                .all(|line| line.starts_with('|') && line.len() <= 16),
            "{shown}"
        );
        let wide = "\u{4e00}".repeat(30);
        let shown = framed(&[&wide], Some(20));
        assert!(
            shown
                .lines()
                .all(|line| line.starts_with('|') && 2 * line.chars().count() - 2 <= 20),
            "{shown}"
        );
        let mut ours = FramedText::default();
        ours.say(&format!(
            "also encrypted: `{}[-- encl: signed --]`",
            "x".repeat(20)
        ));
        let shown = ours.folded(Some(40));
        assert_eq!(shown.matches("\n    ").count(), shown.lines().count() - 1);
        assert!(shown.lines().all(|line| line.len() <= 40), "{shown}");
        assert_eq!(framed(&[&"x".repeat(14)], Some(16)).lines().count(), 1);
        assert_eq!(framed(&[&"x".repeat(15)], Some(16)).lines().count(), 2);
        assert_eq!(framed(&[&"x".repeat(99)], Some(3)).lines().count(), 1);
    }
}
