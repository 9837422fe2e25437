//! Cards, and faults of their text form.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use encl::crypto::signing::Purpose;

use super::carriers::{bit_more, card, carried, carried_text, quoted, signed};
use super::case::Case;
use super::people::{BOB, everybody};

pub(super) fn cases() -> Vec<Case> {
    [cards(), card_texts()].into_iter().flatten().collect()
}

fn cards() -> Vec<Case> {
    let mut cases: Vec<Case> = everybody()
        .into_iter()
        .map(|person| {
            let comment = format!("the card of {}", person.name);
            Case::card(&person.file(), &comment, card(&person.card(), person))
                .of(person.root.id().0)
        })
        .collect();
    let good = |name: &str, comment: &str, text: String| {
        Case::card(name, comment, text).of(BOB.root.id().0)
    };
    let line = BOB.card();
    let text = card(&line, &BOB);
    let addresses: Vec<_> = (0..16)
        .map(|number| format!("\"bob{number}@example.org\""))
        .collect();
    cases.extend([
        good(
            "quoted",
            "wrapped with CR LF, and quoted twice",
            quoted(&text),
        ),
        good(
            "one_character_a_line",
            "white space is taken away wherever it stands",
            text.trim()
                .chars()
                .flat_map(|character| [character, ' ', '\n'])
                .collect(),
        ),
        good(
            "without_line_end",
            "no line feed behind it",
            text.trim().to_owned(),
        ),
        good(
            "spaces_in_json",
            "spaces between tokens",
            card(&line.replace(",\"", " , \""), &BOB),
        ),
        good(
            "addresses_kelvin",
            "two addresses that are the same only if case is not that of ASCII",
            card(
                &line.replace(
                    "\"bob@example.org\"",
                    "\"k@example.org\",\"\u{212a}@example.org\"",
                ),
                &BOB,
            ),
        ),
        good(
            "addresses_16",
            "as many as there may be",
            card(
                &line.replace("\"bob@example.org\"", &addresses.join(",")),
                &BOB,
            ),
        ),
    ]);
    cases
}

fn refused(name: &str, class: &str, comment: &str, text: impl Into<Vec<u8>>) -> Case {
    Case::card(name, comment, text).refused(class)
}

fn card_texts() -> Vec<Case> {
    let line = BOB.card();
    let content = signed(&line, &BOB, Purpose::Card);
    let text = card(&line, &BOB);
    let at = text.find(':').unwrap() + 100;
    let typo = if &text[at..=at] == "A" { "B" } else { "A" };
    let mangled = |name: &str, comment: &str, text: String| refused(name, "mangled", comment, text);
    let groups = text.trim().strip_prefix("encl-card1:").unwrap();
    let swapped = format!(
        "encl-card1:{}{}{}",
        &groups[62..124],
        &groups[..62],
        &groups[124..]
    );
    // One byte more than whole groups of three: two characters with four unused bits.
    let padded = [&content[..], &vec![0; (4 - content.len() % 3) % 3]].concat();
    let spare = URL_SAFE_NO_PAD.encode(&padded);
    vec![
        refused("empty", "not-a-card", "no byte at all", ""),
        refused(
            "another_prefix",
            "not-a-card",
            "a revocation's prefix",
            text.replace("encl-card1:", "encl-revocation1:"),
        ),
        refused(
            "prefix_upper_case",
            "not-a-card",
            "ENCL-CARD1:",
            text.replace("encl-card1:", "ENCL-CARD1:"),
        ),
        refused(
            "version_2",
            "not-a-card",
            "encl-card2:",
            text.replace("encl-card1:", "encl-card2:"),
        ),
        refused(
            "text_in_front",
            "not-a-card",
            "a text before the prefix",
            format!("My card: {text}"),
        ),
        mangled(
            "character_changed",
            "a wrong character in group 2",
            format!("{}{typo}{}", &text[..at], &text[at + 1..]),
        ),
        mangled(
            "character_missing",
            "a character of group 2 is missing",
            format!("{}{}", &text[..at], &text[at + 1..]),
        ),
        mangled("groups_swapped", "groups 1 and 2", swapped),
        mangled(
            "last_group_missing",
            "whole groups, but the end is missing",
            format!("encl-card1:{}", &groups[..groups.len() / 62 * 62]),
        ),
        mangled(
            "last_group_of_one_character",
            "a group shorter than its check characters",
            format!("{}A", text.trim()),
        ),
        mangled("prefix_alone", "no group", "encl-card1:\n".into()),
        mangled(
            "text_behind",
            "a signature of a mail behind it",
            format!("{text}-- \nBob\n"),
        ),
        mangled(
            "no_break_space",
            "U+00A0 is no white space here",
            format!("{}\u{a0}{}", &text[..at], &text[at..]),
        ),
        mangled(
            "form_feed",
            "nor is a form feed",
            format!("{}\x0c{}", &text[..at], &text[at..]),
        ),
        mangled(
            "base64_not_canonical",
            "the check characters fit, a bit is too many",
            carried_text("encl-card1:", &bit_more(&spare)),
        ),
        mangled(
            "base64_of_one_character",
            "the check characters fit, a character is left over",
            carried_text(
                "encl-card1:",
                &format!(
                    "{}A",
                    URL_SAFE_NO_PAD.encode(&content[..content.len() / 3 * 3])
                ),
            ),
        ),
        mangled(
            "no_line_feed_before_signature",
            "a space stands there",
            carried("encl-card1:", &{
                let mut content = content.clone();
                content[line.len()] = b' ';
                content
            }),
        ),
        mangled(
            "shorter_than_a_signature",
            "64 bytes of content",
            carried("encl-card1:", &content[content.len() - 64..]),
        ),
        refused(
            "content_of_65537_bytes",
            "over-limit",
            "spaces behind the object",
            card(
                &format!("{line}{}", " ".repeat(65_537 - 65 - line.len())),
                &BOB,
            ),
        ),
    ]
}
