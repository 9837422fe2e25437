//! Step 10: faults of the private line, which only an author can make.

use encl::json::to_b64;

use super::case::Case;
use super::edits::content;
use super::forge::{Lock, Wish, plain};
use super::people::{ANN, BOB};

const HELLO: &[u8] = b"hello, encl\n";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = private();
    cases.extend(lines());
    let long = |name: &str, bytes: usize| format!(r#"{{"{name}":"{}"}}"#, "x".repeat(bytes));
    let pairs = vec![r#"["a","b"]"#; 257].join(",");
    let attachment = |part: u32, parts: u32, eol: &str| {
        let skeleton = to_b64(&[7; 32]);
        format!(
            r#"{{"mail":{{"mode":"attachment","part":{part},"parts":{parts},"eol":"{eol}","skeleton":"{skeleton}"}}}}"#
        )
    };
    for (name, class, comment, line) in [
        ("empty", "malformed", "an empty line", String::new()),
        ("no_json", "malformed", "a brace", "{".into()),
        ("list", "malformed", "a list for an object", "[]".into()),
        (
            "cr",
            "malformed",
            "a CR before the line feed",
            "{}\r".into(),
        ),
        (
            "text_behind",
            "malformed",
            "text behind the object",
            "{} x".into(),
        ),
        (
            "member_twice",
            "malformed",
            "a name twice",
            r#"{"name":"a","name":"b"}"#.into(),
        ),
        (
            "name_empty",
            "malformed",
            "an empty text",
            r#"{"name":""}"#.into(),
        ),
        (
            "name_is_a_number",
            "malformed",
            "a number for a text",
            r#"{"name":1}"#.into(),
        ),
        (
            "name_with_line_feed",
            "malformed",
            "a line feed by an escape",
            r#"{"name":"a\nb"}"#.into(),
        ),
        (
            "modified_no_real_date",
            "malformed",
            "30 February",
            r#"{"modified":"2026-02-30T00:00:00Z"}"#.into(),
        ),
        (
            "signer_though_not_private",
            "malformed",
            "signer stands in the policy, if anywhere",
            format!(r#"{{"signer":"{}"}}"#, ANN.id()),
        ),
        (
            "recipients_though_not_private",
            "malformed",
            "recipients stand in the policy",
            r#"{"recipients":[[]]}"#.into(),
        ),
        (
            "unknown_member",
            "newer",
            "a member that the table has not",
            r#"{"mood":"good"}"#.into(),
        ),
        (
            "name_of_256_bytes",
            "over-limit",
            "a long name",
            long("name", 256),
        ),
        (
            "type_of_256_bytes",
            "over-limit",
            "a long type",
            long("type", 256),
        ),
        (
            "subject_of_4097_bytes",
            "over-limit",
            "a long subject",
            long("subject", 4_097),
        ),
        (
            "mail_without_mode",
            "malformed",
            "mode is missing",
            r#"{"mail":{"outer":[]}}"#.into(),
        ),
        (
            "mail_mode_unknown",
            "newer",
            "another mode",
            r#"{"mail":{"mode":"digest"}}"#.into(),
        ),
        (
            "mail_unknown_member",
            "newer",
            "a member that mail has not",
            r#"{"mail":{"mode":"message","outer":[],"x":1}}"#.into(),
        ),
        (
            "mail_without_outer",
            "malformed",
            "outer is due in mode message",
            r#"{"mail":{"mode":"message"}}"#.into(),
        ),
        (
            "mail_member_of_the_other_mode",
            "malformed",
            "part in mode message",
            r#"{"mail":{"mode":"message","outer":[],"part":1}}"#.into(),
        ),
        (
            "mail_pair_of_three",
            "over-limit",
            "a list of at most two: the third text is over the limit",
            r#"{"mail":{"mode":"message","outer":[["a","b","c"]]}}"#.into(),
        ),
        (
            "mail_pair_of_one",
            "malformed",
            "one text for a pair",
            r#"{"mail":{"mode":"message","outer":[["a"]]}}"#.into(),
        ),
        (
            "mail_pairs_257",
            "over-limit",
            "257 pairs",
            format!(r#"{{"mail":{{"mode":"message","outer":[{pairs}]}}}}"#),
        ),
        (
            "mail_part_0",
            "malformed",
            "parts count from 1",
            attachment(0, 1, "lf"),
        ),
        (
            "mail_part_over_parts",
            "malformed",
            "the third of two",
            attachment(3, 2, "lf"),
        ),
        (
            "mail_line_end_unknown",
            "newer",
            "line ends that are not known",
            attachment(1, 1, "cr"),
        ),
    ] {
        let bytes = plain().with_message(&[line.as_bytes(), b"\n", HELLO].concat());
        cases.push(Case::envelope(&format!("private_line_{name}"), comment, bytes).refused(class));
    }
    cases
}

/// The private lines of private envelopes.
fn private() -> Vec<Case> {
    let forge = Wish::of(&[&BOB])
        .private()
        .signed(&ANN)
        .forge("private lines");
    let two = Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[&BOB])])
        .private()
        .forge("private lines of two");
    let line = forge.private_line("");
    let list = format!("\"recipients\":[[{}]]", BOB.recipient());
    let case = |name: &str, class: &str, comment: &str, line: String| {
        let message = forge.message(&[line.as_bytes(), b"\n", HELLO].concat());
        Case::envelope(
            &format!("private_line_{name}"),
            comment,
            forge.with_message(&message),
        )
        .refused(class)
    };
    vec![
        case(
            "recipients_missing",
            "malformed",
            "private, and no recipients",
            line.replace(&format!("{list},"), ""),
        ),
        case(
            "signer_missing",
            "malformed",
            "private and signed, and no signer",
            line.replace(&format!(",\"signer\":\"{}\"", ANN.id()), ""),
        ),
        case(
            "list_too_many",
            "malformed",
            "two lists for one lock",
            line.replace("]]", "],[]]"),
        ),
        case(
            "list_empty",
            "malformed",
            "nobody in a lock without a passphrase",
            line.replace(&list, "\"recipients\":[[]]"),
        ),
        case(
            "recipient_twice",
            "malformed",
            "one key twice",
            line.replace("]]", &format!(",{}]]", BOB.recipient())),
        ),
        case(
            "lists_nine",
            "over-limit",
            "nine lists",
            line.replace("]]", &format!("]{}]", ",[]".repeat(8))),
        ),
        Case::envelope("private_line_list_missing", "one list for two locks", {
            let line = two
                .private_line("")
                .replacen(&format!("[{}],", BOB.recipient()), "", 1);
            two.with_message(&[line.as_bytes(), b"\n", HELLO].concat())
        })
        .refused("malformed"),
    ]
}

/// The end of the private line, and the order of checks at the end of M.
fn lines() -> Vec<Case> {
    let padded = Wish::of(&[&BOB]).padded().forge("private line padded");
    let padded_line = padded.message(b"{}");
    let case = |name: &str, class: &str, comment: &str, bytes: Vec<u8>| {
        Case::envelope(&format!("private_line_{name}"), comment, bytes).refused(class)
    };
    let long = vec![b' '; 16_500];
    vec![
        case(
            "missing",
            "malformed",
            "M is empty",
            plain().with_message(b""),
        ),
        case(
            "without_line_feed",
            "malformed",
            "M ends before a line feed",
            plain().with_message(b"{}"),
        ),
        case(
            "without_line_feed_padded",
            "malformed",
            "the padding is right, and D has no line feed",
            padded.with_message(&padded_line),
        ),
        case(
            "without_line_feed_badly_padded",
            "damaged",
            "the padding counts first",
            padded.with_message(&padded_line[..padded_line.len() - 1]),
        ),
        Case::envelope(
            "private_line_over_two_chunks",
            "16,500 spaces behind the object",
            plain().with_message(&[b"{}", &long[..], b"\n", HELLO].concat()),
        )
        .opens(HELLO),
        case(
            "before_damaged_chunk",
            "newer",
            "an unknown member; chunk 1 is damaged and not looked at",
            {
                let mut bytes =
                    plain().with_message(&[b"{\"x\":1}\n", &content(16_500)[..]].concat());
                *bytes.last_mut().unwrap() ^= 1;
                bytes
            },
        ),
        case(
            "behind_damaged_chunk",
            "damaged",
            "chunk 0 is damaged: its line is not looked at",
            {
                let mut bytes = plain().with_message(b"{\"x\":1}\n");
                *bytes.last_mut().unwrap() ^= 1;
                bytes
            },
        ),
    ]
}
