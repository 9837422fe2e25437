//! Text from outside made harmless: what a terminal would obey, and what would turn the line around, is spelled out.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

/// The longest untrusted text that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 256;

/// One name, label or path as it may be shown: hazards spelled out, cut after 256 characters with `…`.
pub(crate) fn safe(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", spelled_out(&text[..end])),
        None => spelled_out(text).into_owned(),
    }
}

/// A path, with `\u{fffd}` for bytes that are not UTF-8.
pub(crate) fn shown(path: &Path) -> String {
    safe(&path.to_string_lossy())
}

/// A path as it can be typed into a shell when it is short and plain, else the word FILE.
pub(crate) fn quoted(path: Option<&Path>) -> String {
    let text = path.map(Path::to_string_lossy).unwrap_or_default();
    typed(&text, "FILE")
}

/// A word as it can be typed into a shell when it is short and plain, else `otherwise`.
pub(crate) fn typed(text: &str, otherwise: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%=:,".contains(c);
    let as_it_is =
        !text.is_empty() && text.len() <= 100 && !text.starts_with('-') && text.chars().all(plain);
    if as_it_is { text } else { otherwise }.to_owned()
}

/// Hazards as `\u{…}`, nothing cut: every line passes through this before it is written.
pub(crate) fn spelled_out(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hazard) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_hazard(letter) {
            write!(out, "\\u{{{:x}}}", u32::from(letter)).expect("a String never fails");
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// JSON text with hazards as `\uXXXX`: the same strings for every JSON reader, and nothing a terminal obeys.
pub(crate) fn json_spelled_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        if is_hazard(letter) {
            for unit in letter.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").expect("a String never fails");
            }
        } else {
            out.push(letter);
        }
    }
    out
}

/// Controls, line separators, direction changes (Unicode `Bidi_Control`), and characters that only hide text.
pub(crate) fn is_hazard(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazards_are_spelled_out() {
        assert_eq!(safe("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(
            safe("\u{202e}fdp.exe\u{9b}\n"),
            "\\u{202e}fdp.exe\\u{9b}\\u{a}"
        );
        assert_eq!(safe("Größe 🦀 名前"), "Größe 🦀 名前");
    }

    #[test]
    fn long_text_is_cut_with_an_ellipsis() {
        assert_eq!(safe(&"ä".repeat(256)), "ä".repeat(256));
        assert_eq!(safe(&"ä".repeat(300)), format!("{}…", "ä".repeat(256)));
    }

    #[test]
    fn json_keeps_its_meaning() {
        let json = serde_json::to_string("a\u{1b}\u{9b}\u{202e}\u{e0041}\u{7f}").unwrap();
        let shown = json_spelled_out(&json);
        assert!(shown.is_ascii());
        assert_eq!(
            serde_json::from_str::<String>(&shown).unwrap(),
            "a\u{1b}\u{9b}\u{202e}\u{e0041}\u{7f}"
        );
    }
}
