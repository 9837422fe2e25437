//! Armor, with faults before, in and after the four lines.

use encl::json::to_b64;

use super::case::Case;
use super::edits::{armored, content, loosened};
use super::forge::{Wish, plain};
use super::people::{ANN, BOB};

pub(super) fn cases() -> Vec<Case> {
    [armor(), armor_payload()].into_iter().flatten().collect()
}

fn refused(name: &str, class: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Case {
    Case::envelope(name, comment, bytes).refused(class)
}

/// Faults of the armor before or in the four lines.
fn armor() -> Vec<Case> {
    let text = armored(&plain().honest(b"hello"));
    let lines: Vec<_> = text.lines().collect();
    let first = lines[1];
    let with = |line: &str| text.replacen(first, line, 1);
    let case =
        |name: &str, class: &str, comment: &str, bytes: &str| refused(name, class, comment, bytes);
    let wrapped = |bytes: usize| {
        let lines: Vec<_> = plain().honest(b"hello").chunks(bytes).map(to_b64).collect();
        format!(
            "-----BEGIN ENCL/1-----\n{}\n-----END ENCL/1-----\n",
            lines.join("\n")
        )
    };
    let inner = armored(text.as_bytes());
    vec![
        case(
            "armor_newer",
            "newer",
            "ENCL/2",
            &text.replace("ENCL/1", "ENCL/2"),
        ),
        case(
            "armor_in_armor",
            "not-an-envelope",
            "armor inside armor",
            &inner,
        ),
        case(
            "armor_of_something_else",
            "not-an-envelope",
            "good armor around a text",
            &armored(b"Dear Bob, this is no envelope\n"),
        ),
        case(
            "armor_lower_case",
            "not-an-envelope",
            "encl/1 on the BEGIN line",
            &text.replace("ENCL", "encl"),
        ),
        case(
            "armor_line_in_front",
            "not-an-envelope",
            "a line of text before BEGIN",
            &format!("Hello\n{text}"),
        ),
        case(
            "armor_cut_in_begin",
            "truncated",
            "the input ends in the BEGIN line",
            &text[..15],
        ),
        case(
            "armor_cut_behind_begin",
            "truncated",
            "the BEGIN line alone, without a line end",
            &text[..22],
        ),
        case(
            "armor_cut_in_base64",
            "truncated",
            "the input ends in line 2's base64",
            &text[..150],
        ),
        case(
            "armor_text_behind_begin",
            "mangled",
            "a space behind BEGIN",
            &text.replacen("1-----\n", "1----- \n", 1),
        ),
        case(
            "armor_65_columns",
            "mangled",
            "a line has a column too many",
            &with(&format!("{first}A")),
        ),
        case(
            "armor_76_columns",
            "mangled",
            "the right bytes in lines of 76 columns",
            &wrapped(57),
        ),
        case(
            "armor_60_columns",
            "mangled",
            "the right bytes in lines of 60 columns",
            &wrapped(45),
        ),
        case(
            "armor_68_columns",
            "mangled",
            "a line has four columns too many",
            &with(&format!("{first}AAAA")),
        ),
        case(
            "armor_line_joined",
            "mangled",
            "a line end is missing",
            &text.replacen(&format!("{first}\n"), first, 1),
        ),
        case(
            "armor_empty_line",
            "mangled",
            "an empty line behind BEGIN",
            &with(&format!("\n{first}")),
        ),
        case(
            "armor_short_line",
            "mangled",
            "a line of 47 bytes, and another behind it",
            &with(&to_b64(&plain().honest(b"hello")[..47])),
        ),
        case(
            "armor_not_base64",
            "mangled",
            "a character that base64 has not",
            &with(&first.replacen('Z', "*", 1)),
        ),
        case(
            "armor_url_alphabet",
            "mangled",
            "a - of base64url inside a line",
            &with(&format!("{}-{}", &first[..5], &first[6..])),
        ),
        case(
            "armor_space_in_line",
            "mangled",
            "a space at the end of a line",
            &with(&format!("{first} ")),
        ),
        case(
            "armor_mixed_line_ends",
            "mangled",
            "one line ends in CR LF, the others in LF",
            &with(&format!("{first}\r")),
        ),
        case(
            "armor_line_of_dashes",
            "mangled",
            "a second BEGIN",
            &with(&format!("-----BEGIN ENCL/1-----\n{first}")),
        ),
        case(
            "armor_end_too_early",
            "truncated",
            "END behind the first line of base64, a part of the policy",
            &format!("{}\n{first}\n{}\n", lines[0], lines[lines.len() - 1]),
        ),
    ]
}

/// Faults after the four lines: the first chunk is released, and the last one needs the whole armor.
fn armor_payload() -> Vec<Case> {
    let content = content(16_601);
    let signed = Wish::of(&[&BOB]).signed(&ANN).forge("armor payload");
    let text = armored(&signed.honest(&content));
    let end = "-----END ENCL/1-----\n";
    let body = text.strip_suffix(end).unwrap();
    let last = body.trim_end().lines().last().unwrap();
    let before = body.trim_end().strip_suffix(last).unwrap();
    // Chunk 0 without the private line's 3 bytes and the 64 bytes that may be the signature.
    let case = |name: &str, class: &str, comment: &str, bytes: String| {
        Case::envelope(name, comment, bytes).refused_after(class, &content[..16_317])
    };
    let small = armored(&plain().honest(b"hello!"));
    let small_body = small.strip_suffix(end).unwrap();
    assert!(
        last.ends_with('=') && small_body.ends_with("=\n"),
        "the last lines have bits to spare"
    );
    vec![
        case(
            "armor_cut_before_end",
            "truncated",
            "no END line",
            body.to_owned(),
        ),
        refused(
            "armor_cut_in_end",
            "truncated",
            "the input ends in the END line",
            format!("{small_body}-----END ENCL"),
        ),
        case(
            "armor_end_with_cr_alone",
            "truncated",
            "a CR at the very end is not a line end",
            format!("{}\r", text.trim_end()).replace('\n', "\r\n"),
        ),
        refused(
            "armor_other_end",
            "mangled",
            "END of something else",
            small.replace("END ENCL", "END PGP"),
        ),
        case(
            "armor_text_behind_end",
            "mangled",
            "text behind END",
            format!("{text}-- \nAnn\n"),
        ),
        refused(
            "armor_twice",
            "mangled",
            "the same armor twice",
            small.repeat(2),
        ),
        case(
            "armor_end_not_canonical",
            "mangled",
            "a bit too many in the last character",
            format!("{before}{}\n{end}", loosened(last)),
        ),
        refused(
            "armor_end_without_padding",
            "mangled",
            "the last line lacks its =",
            format!("{}\n{end}", small_body.trim_end().trim_end_matches('=')),
        ),
        refused(
            "armor_end_line_indented",
            "mangled",
            "a space before END",
            format!("{small_body} {end}"),
        ),
    ]
}
