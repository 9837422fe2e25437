//! Authors: messages signed by one person and from another, changed outside, or sealed without a signature.

use super::Case;
use super::letter::{LETTER, around, file_envelope, sealed, sealed_by};
use crate::letters::People;

const ALLOW: &[&str] = &["--allow-from-mismatch"];
const AS_ALICE: &[&str] = &["--as", "alice"];
const DELIVER: &[&str] = &["mail", "deliver", "--for", "bob@example.org"];

pub(crate) fn cases(people: &People) -> Vec<Case> {
    let mut cases = under_another_name(people);
    cases.extend(hidden_names(people));
    cases.extend(changed_outside(people));
    cases.extend(delivered(people));
    cases
}

/// The letter with another From field.
fn letter_from(from: &str) -> String {
    LETTER.replacen("From: Alice <alice@example.org>", from, 1)
}

fn under_another_name(people: &People) -> Vec<Case> {
    let ceo = letter_from("From: The Boss <boss@example.org>");
    let by_alice = sealed_by(people, "alice", AS_ALICE, &ceo);
    let by_mallory = sealed_by(people, "mallory", &["--as", "mallory@example.org"], LETTER);
    let by_nobody = sealed_by(people, "mallory", &["--anonymous"], LETTER);
    let as_file = around(&file_envelope(people, "alice", &[], ceo.as_bytes()));
    let for_alice = ["mail", "wrap", "--to", "alice@example.org", "--no-self"];
    let for_alice = people.done("mallory", &for_alice, LETTER.as_bytes());
    vec![
        Case::new("signed by Alice, from the boss", by_alice.clone()).refused(4, None),
        Case::new("the same, allowed", by_alice)
            .with(ALLOW)
            .opens(ceo.clone()),
        Case::new("the same, sealed as a file", as_file.clone()).refused(4, None),
        Case::new("the same as a file, allowed", as_file)
            .with(ALLOW)
            .opens(ceo)
            .says("it holds a file"),
        Case::new("signed by a stranger, from Alice", by_mallory.clone()).refused(4, None),
        Case::new(
            "signed by a stranger, from Alice, allowed",
            by_mallory.clone(),
        )
        .with(ALLOW)
        .opens(LETTER)
        .says("signer unknown"),
        Case::new("signed by a stranger, to be signed by Alice", by_mallory)
            .with(&["--signed-by", "alice"])
            .refused(4, None),
        Case::new("signed by nobody, from Alice", by_nobody.clone())
            .opens(LETTER)
            .says("signer none"),
        Case::new("signed by nobody, to be signed", by_nobody)
            .with(&["--require-signed"])
            .refused(4, None),
        Case::new("for somebody else", for_alice).refused(3, Some("no-key")),
    ]
}

/// From fields in which a mail program shows another person, and encl finds no address.
fn hidden_names(people: &People) -> Vec<Case> {
    let signed = |from: &str| sealed_by(people, "alice", AS_ALICE, letter_from(from));
    let refused = |name, from: &str| Case::new(name, signed(from)).refused(4, None);
    let alice = "From: Alice <alice@example.org>";
    let boss = "From: boss@example.org";
    let long = format!("X: {}\n{boss}", "x".repeat(1_100_000));
    vec![
        refused(
            "two From fields, the first is another's",
            &format!("{boss}\n{alice}"),
        ),
        refused(
            "two From fields, the second is another's",
            &format!("{alice}\n{boss}"),
        ),
        refused(
            "two authors in one From",
            "From: alice@example.org, boss@example.org",
        ),
        refused(
            "From with a blank before the colon",
            "From : boss@example.org",
        ),
        refused("from in small letters, folded", "from:\n boss@example.org"),
        refused(
            "From behind a line that is no field",
            &format!("no field\n{boss}"),
        ),
        refused("From behind a bare CR", &format!("X: y\r{boss}\n{alice}")),
        refused("From behind a header of 1 MiB", &long),
        refused(
            "From that is no address",
            "From: boss@example.org <alice@example.org> x",
        ),
        refused(
            "From that is a group of nobody",
            "From: \"boss@example.org\":;",
        ),
        refused(
            "From with a route",
            "From: <@alice@example.org:boss@example.org>",
        ),
        refused(
            "From with the boss as a comment's address",
            "From: boss@example.org (alice@example.org)",
        ),
        Case::new("a name that looks like another address", {
            signed("From: \"boss@example.org\" <alice@example.org>")
        })
        .opens(letter_from(
            "From: \"boss@example.org\" <alice@example.org>",
        ))
        .says("which looks like another address"),
        Case::new("an encoded name that looks like another address", {
            signed("From: =?utf-8?q?boss=EF=BC=A0example.org?= <alice@example.org>")
        })
        .says("which looks like another address"),
    ]
}

fn changed_outside(people: &People) -> Vec<Case> {
    let sealed = sealed(people);
    let changed = |name, from: &str, to: &str| {
        assert!(sealed.contains(from), "{from}");
        Case::new(name, sealed.replacen(from, to, 1)).opens(LETTER)
    };
    let (head, _) = LETTER.split_once("Subject").unwrap();
    let was = |field: &str| match field {
        "From" => "From was changed outside",
        "Date" => "Date was changed outside",
        "To" => "To was changed outside",
        "Subject" => "Subject was changed outside",
        _ => "Message-ID was changed outside",
    };
    vec![
        changed(
            "From changed outside",
            "Alice <alice@example.org>",
            "mallory@example.org",
        )
        .says(was("From")),
        changed("Date changed outside", "2 Nov 2026", "2 Nov 2025").says(was("Date")),
        changed("To changed outside", "To: bob@", "To: carol@").says(was("To")),
        changed("a subject written outside", "[...]", "Your invoice").says(was("Subject")),
        changed("Message-ID changed outside", "<letter@", "<other@").says(was("Message-ID")),
        changed(
            "From taken away outside",
            "From: Alice <alice@example.org>\n",
            "",
        )
        .says(was("From")),
        changed(
            "a second From outside",
            "From: Alice",
            "From: mallory@example.org\nFrom: Alice",
        )
        .says(was("From")),
        changed(
            "a Cc that was none",
            "Date:",
            "Cc: carol@example.org\nDate:",
        )
        .says("Cc was changed outside"),
        changed(
            "escapes in a field outside",
            "[...]",
            "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}=?utf-8?q?=1B[31m?=",
        )
        .says(was("Subject")),
        changed(
            "another's envelope under a new header",
            head,
            "From: mallory@example.org\n",
        )
        .says(was("From")),
    ]
}

/// Messages that try to be delivered unsealed. runs.rs checks that they were sealed.
fn delivered(people: &People) -> Vec<Case> {
    let sealed = sealed(people);
    let forged = LETTER.replacen(
        "Subject",
        "Encl: mode=message; sealed-by=delivery\nContent-Type: application/vnd.encl\nSubject",
        1,
    );
    vec![
        Case::new("a forged Encl field", forged).refused(4, Some("not-an-envelope")),
        Case::new("a sealed message, delivered", sealed.clone())
            .by("bob", DELIVER)
            .opens(sealed),
    ]
}
