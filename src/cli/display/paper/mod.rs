//! The page itself, as text for any printer and as HTML for one A4 sheet. It says nothing that is not on it: no fonts, no
//! pictures from elsewhere, and what the owner wrote is text.

pub(crate) mod qr;

use encl::identity::{Paper, fingerprint};
use encl::time::Time;
use zeroize::Zeroizing;

use crate::cli::display::names::DisplayName;
use crate::cli::display::paper::qr::{Code, Ground};
use crate::cli::display::time;
use crate::cli::terminal::{Terminal, safe};

/// Lines that printers put on a sheet: 11 inches of 6.
const SHEET_LINES: usize = 66;
/// More than any page: a picture of a code has less than 150 KiB.
const ROOM: usize = 256 << 10;

const SECRET: &str = "SECRET. This page holds private keys, unencrypted. Anybody can use them.";
const HOW: [&str; 3] = [
    "To restore: `encl key paper --restore` asks for the words, line by line, and reports a wrong word at once.",
    "Four letters of a word are enough. A scanner may type the whole code instead.",
    "`encl key paper --restore FILE` reads lines of words, or what a telephone read from the code, from a file.",
];
/// Characters of a line of text.
const WIDTH: usize = 80;

const STYLE: &str = "@page{size:A4;margin:14mm}body{font:10pt/1.35 sans-serif;color:#000;background:#fff;margin:0}\
    h1{font-size:15pt;margin:0 0 2mm}svg{float:right;width:82mm;height:82mm}p{margin:0 0 2mm;overflow-wrap:anywhere}\
    pre{clear:both;margin:3mm 0;font-family:monospace}.few{font-size:10.5pt;line-height:1.5}\
    .many{font-size:8.5pt;line-height:1.25}b{display:block}";

/// What stands on a page.
pub(crate) struct Page {
    /// Whose it is, a fact a line.
    facts: Vec<String>,
    code: Code,
    words: Zeroizing<String>,
}

impl Page {
    pub(crate) fn new(paper: &Paper, now: Time) -> Self {
        let card = paper.card();
        let id = fingerprint(&card.id());
        let (first, second) = id.split_at(id.len() / 2);
        let keys = match card.keys().len() {
            1 => "Has 1 encryption key".to_owned(),
            keys => format!("Has {keys} encryption keys"),
        };
        let revoked = if paper.is_revoked() { ", revoked" } else { "" };
        // No fact begins with a number: what does is a line of words.
        let mut facts = vec![format!("Identity of {}", card.display_name())];
        let others = card.addresses().iter().skip(1);
        facts.extend(others.map(|address| format!("and {}", safe(address))));
        facts.extend([
            "Fingerprint".to_owned(),
            first.trim().to_owned(),
            second.trim().to_owned(),
            format!("{keys}, card {}{revoked}", card.serial()),
            format!("Printed {}", time::local(now)),
        ]);
        Self {
            facts,
            code: Code::new(&paper.code()),
            words: paper.words(),
        }
    }

    /// Text of at most 80 characters a line, but for long names.
    pub(crate) fn text(&self, ground: Ground) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(ROOM));
        text.extend(["encl: an identity on paper\n", SECRET, "\n\n"]);
        for fact in &self.facts {
            text.extend(["    ", fact, "\n"]);
        }
        text.extend([&self.code.half_blocks(ground)[..], "\n"]);
        self.put_words(&mut text);
        text.push('\n');
        for line in wrapped(&HOW.join(" ")) {
            text.extend([&line[..], "\n"]);
        }
        text
    }

    /// One sheet, whatever the page has.
    pub(crate) fn html(&self) -> Zeroizing<String> {
        let mut html = Zeroizing::new(String::with_capacity(ROOM));
        let size = match self.words.lines().count() {
            0..=20 => "few",
            _ => "many",
        };
        html.extend([
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>",
            &escaped(&self.facts[0]),
            ", on paper</title>\n<style>",
            STYLE,
            "</style>\n</head>\n<body>\n",
        ]);
        html.extend([&self.code.svg()[..], "\n<h1>An identity on paper</h1>\n"]);
        html.extend(["<p><b>", SECRET, "</b></p>\n"]);
        for fact in &self.facts {
            html.extend(["<p>", &escaped(fact), "</p>\n"]);
        }
        // HTML leaves out the line end behind the tag.
        html.extend(["<pre class=\"", size, "\">\n"]);
        self.put_words(&mut html);
        html.push_str("</pre>\n");
        for line in HOW {
            html.extend(["<p>", &escaped(line), "</p>\n"]);
        }
        html.push_str("</body>\n</html>\n");
        html
    }

    fn put_words(&self, text: &mut Zeroizing<String>) {
        for (line, number) in self.words.lines().zip(1..) {
            text.extend([&format!("{number:2}. "), line, "\n"]);
        }
    }

    /// Says that a text goes over the end of a sheet.
    pub(crate) fn warn_of_length(&self, terminal: Terminal) {
        let lines = self.text(Ground::Paper).lines().count();
        if lines > SHEET_LINES {
            terminal.notice(&format!(
                "the page has {lines} lines, and printers put {SHEET_LINES} on a sheet; `-o FILE.html` fits on one"
            ));
        }
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Text that HTML shows as it stands.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use encl::crypto::Kem;
    use encl::identity::{Card, CardRequest, Identity, Revocation};

    fn paper(name: &str) -> Paper {
        let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
        let now = "2026-11-24T06:24:00Z".parse().unwrap();
        let identity = Identity::generate(Kem::XWing, now, None, &mut rng);
        let request = CardRequest {
            name: name.to_owned(),
            addresses: vec!["bob@example.org".to_owned()],
            serial: 1,
            created: now,
        };
        let card = Card::new(&identity, request).unwrap();
        let revocation = Revocation::new(identity.root(), now);
        Paper::new(identity, card, revocation, false).unwrap()
    }

    #[test]
    fn a_text_is_read_back_and_one_key_fits_on_a_sheet() {
        let paper = paper("7 of nine");
        let page = Page::new(&paper, paper.card().created());
        for ground in [Ground::Paper, Ground::Screen] {
            let text = page.text(ground);
            let read = Paper::from_text(&text).unwrap();
            assert_eq!(*read.code(), *paper.code());
            assert!(text.lines().count() <= SHEET_LINES, "{}", *text);
            assert!(
                text.lines().all(|line| line.chars().count() <= WIDTH),
                "{}",
                *text
            );
        }
    }

    /// As it was written, as earlier versions wrote it, and as editors and mail programs save it.
    #[test]
    fn a_saved_page_is_read_back_in_every_form() {
        let paper = paper("7 of nine");
        let page = Page::new(&paper, paper.card().created());
        let (html, text) = (page.html(), page.text(Ground::Paper));
        assert!(html.contains("<pre class=\"few\">\n 1. "));
        let earlier = html.replace("<pre class=\"few\">\n", "<pre class=\"few\">");
        let words = paper.words();
        let quoted = format!("> {}", text.replace('\n', "\n> "));
        for saved in [&*html, &earlier, &text, &words, &quoted] {
            for saved in [
                saved.to_owned(),
                format!("\u{feff}{saved}"),
                saved.replace('\n', "\r\n"),
            ] {
                let read = Paper::from_text(&saved);
                let read = read.unwrap_or_else(|error| panic!("{error}\n{saved}"));
                assert_eq!(*read.code(), *paper.code());
            }
        }
    }

    #[test]
    fn what_the_owner_wrote_is_text() {
        let paper = paper("<script>alert('x')</script>&\"");
        let html = Page::new(&paper, paper.card().created()).html();
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
        // Nothing is fetched: the only address is the name of SVG.
        assert_eq!(html.matches("//").count(), 1);
        assert!(!html.contains("src=") && !html.contains("href="));
        for line in paper.words().lines() {
            assert!(html.contains(line));
        }
    }

    /// The picture and the half blocks show the modules of the code, with quiet around them.
    #[test]
    fn a_code_is_drawn_as_it_is() {
        let code = Code::new("ENCL-PAPER1:ABC");
        let text = code.half_blocks(Ground::Screen);
        assert!(
            text.lines()
                .next()
                .unwrap()
                .chars()
                .all(|block| block == '█')
        );
        let paper = code.half_blocks(Ground::Paper);
        assert_eq!(paper.lines().take_while(|line| line.is_empty()).count(), 2);
        assert!(
            paper
                .lines()
                .all(|line| line.is_empty() || line.starts_with("    "))
        );
        let dark: usize = paper
            .chars()
            .map(|block| match block {
                '█' => 2,
                '▀' | '▄' => 1,
                _ => 0,
            })
            .sum();
        assert_eq!(code.svg().matches("h1v1").count(), dark);
    }
}
