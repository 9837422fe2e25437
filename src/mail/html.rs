//! Converts HTML to readable text: the text between the tags. It is enough to know what a message says; nothing is run or
//! fetched.

/// Elements whose content is not shown.
const SILENT: [&str; 4] = ["script", "style", "head", "title"];
/// Elements that begin a new line.
const LINES: [&str; 12] = [
    "br",
    "p",
    "div",
    "tr",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "blockquote",
    "ul",
    "table",
];
const ENTITIES: [(&str, char); 7] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("shy", '\u{ad}'),
];
/// The longest entity that is decoded: `&#x10ffff;`.
const ENTITY_BYTES_MAX: usize = 10;

/// The text of an HTML document, in one pass.
pub(super) fn text(html: &str) -> String {
    let mut out = Out::default();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.text(&rest[..at]);
        rest = &rest[at..];
        rest = match rest.strip_prefix('<') {
            Some(tag) => after_tag(tag, &mut out),
            None => after_entity(&rest[1..], &mut out),
        };
    }
    out.text(rest);
    out.text.trim().to_owned() + "\n"
}

#[derive(Default)]
struct Out {
    text: String,
}

impl Out {
    /// Appends text. Consecutive blanks and line ends become one space.
    fn text(&mut self, text: &str) {
        for letter in text.chars() {
            if !letter.is_whitespace() {
                self.text.push(letter);
            } else if !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
        }
    }

    fn line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push('\n');
        }
    }
}

fn after_tag<'a>(tag: &'a str, out: &mut Out) -> &'a str {
    if let Some(comment) = tag.strip_prefix("!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let Some((inside, rest)) = tag.split_once('>') else {
        return "";
    };
    let is_end = inside.starts_with('/');
    let name = inside
        .trim_start_matches('/')
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next();
    let name = name.unwrap_or_default().to_ascii_lowercase();
    if LINES.contains(&&*name) && !(is_end && name == "p") {
        out.line();
    }
    if SILENT.contains(&&*name) && !is_end {
        return after_element(rest, &name);
    }
    rest
}

/// The text after the end tag of a silent element.
fn after_element<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, tag)) = rest.split_once("</") {
        if tag
            .get(..name.len())
            .is_some_and(|tag| tag.eq_ignore_ascii_case(name))
        {
            return tag.split_once('>').map_or("", |(_, rest)| rest);
        }
        rest = tag;
    }
    ""
}

fn after_entity<'a>(text: &'a str, out: &mut Out) -> &'a str {
    let end = text
        .bytes()
        .take(ENTITY_BYTES_MAX)
        .position(|byte| byte == b';');
    let known = end.and_then(|end| Some((entity(text.get(..end)?)?, &text[end + 1..])));
    if let Some((letter, rest)) = known {
        out.text.push(letter);
        return rest;
    }
    out.text.push('&');
    text
}

fn entity(name: &str) -> Option<char> {
    let number = name.strip_prefix('#');
    if let Some(number) = number {
        let hex = number.strip_prefix(['x', 'X']);
        let code = hex.map_or_else(
            || number.parse().ok(),
            |hex| u32::from_str_radix(hex, 16).ok(),
        );
        return code.and_then(char::from_u32);
    }
    let known = ENTITIES.iter().find(|(known, _)| *known == name);
    known.map(|(_, letter)| *letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_removed_and_text_stays() {
        let cases = [
            ("a<br>b", "a\nb\n"),
            (
                "<html><head><title>t</title></head><body><p>one</p><p>two  \n three</p>",
                "one\ntwo three\n",
            ),
            ("x<!-- <b> -->y", "xy\n"),
            ("<style>p{}</style>z<SCRIPT>if(a<b){}</Script>!", "z!\n"),
            (
                "&lt;&#252;&#xdf;&nbsp;&unknown; & &",
                "<\u{fc}\u{df} &unknown; & &\n",
            ),
            ("open <a href", "open\n"),
            ("<", "\n"),
        ];
        for (html, expected) in cases {
            assert_eq!(text(html), expected, "{html}");
        }
    }
}
