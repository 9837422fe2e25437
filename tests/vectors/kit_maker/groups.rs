//! Group cards.

use encl::crypto::signing::Purpose;
use encl::json::to_b64;

use super::carriers::{carried, quoted, signed};
use super::case::Case;
use super::people::{ANN, BOB, CAROL, CREATED, DAVE};

pub(super) fn cases() -> Vec<Case> {
    [taken(), lines(), texts()].into_iter().flatten().collect()
}

/// Ann keeps @team: Bob and Carol.
fn line() -> String {
    format!(
        r#"{{"group":"encl/1","keeper":"{}","name":"team","address":"team@lists.example.org","serial":1795501440,"created":"{CREATED}","members":["{}","{}"]}}"#,
        ANN.id(),
        BOB.id(),
        CAROL.id()
    )
}

/// A group card with this line, signed by Ann.
fn group(line: &str) -> String {
    carried("encl-group1:", &signed(line, &ANN, Purpose::Group)) + "\n"
}

fn good(name: &str, comment: &str, text: String) -> Case {
    Case::group(name, comment, text).of(ANN.root.id().0)
}

fn refused(name: &str, class: &str, comment: &str, text: String) -> Case {
    Case::group(name, comment, text).refused(class)
}

fn changed(from: &str, to: &str) -> String {
    let line = line();
    let changed = line.replacen(from, to, 1);
    assert_ne!(line, changed, "{from}");
    group(&changed)
}

/// A list of so many members who are nobody.
fn members(count: usize) -> String {
    let member = |number: usize| {
        let id = encl::crypto::sha256(&[b"member", &number.to_be_bytes()]);
        format!("\"{}\"", to_b64(&id))
    };
    (0..count).map(member).collect::<Vec<_>>().join(",")
}

fn listed() -> String {
    format!("\"{}\",\"{}\"", BOB.id(), CAROL.id())
}

fn taken() -> Vec<Case> {
    let address = r#","address":"team@lists.example.org""#;
    vec![
        good("ann", "Bob and Carol, with a mailing list", group(&line())),
        good("quoted", "wrapped and quoted", quoted(&group(&line()))),
        good("without_address", "no mailing list", changed(address, "")),
        good(
            "keeper_as_member",
            "Ann is in it as well",
            changed(&BOB.id(), &ANN.id()),
        ),
        good(
            "members_1024",
            "as many as there may be",
            changed(&listed(), &members(1_024)),
        ),
        good(
            "name_of_64",
            "a name of 64 bytes, with all that a name can have",
            changed("\"team\"", &format!("\"0.a_b-{}\"", "z".repeat(58))),
        ),
    ]
}

fn lines() -> Vec<Case> {
    let bob_twice = format!("\"{0}\",\"{0}\"", BOB.id());
    [
        (
            "members_none",
            "malformed",
            "nobody is in it",
            listed(),
            String::new(),
        ),
        (
            "member_twice",
            "malformed",
            "Bob twice",
            listed(),
            bob_twice,
        ),
        (
            "members_1025",
            "over-limit",
            "one too many",
            listed(),
            members(1_025),
        ),
        (
            "name_empty",
            "malformed",
            "no name",
            "\"team\"".into(),
            "\"\"".into(),
        ),
        (
            "name_upper_case",
            "malformed",
            "a capital letter",
            "\"team\"".into(),
            "\"Team\"".into(),
        ),
        (
            "name_begins_with_a_dot",
            "malformed",
            "a dot first",
            "\"team\"".into(),
            "\".team\"".into(),
        ),
        (
            "name_of_65",
            "over-limit",
            "a name of 65 bytes",
            "\"team\"".into(),
            format!("\"{}\"", "z".repeat(65)),
        ),
        (
            "address_without_at",
            "malformed",
            "no `@`",
            "team@".into(),
            "team.".into(),
        ),
        (
            "address_with_blank",
            "malformed",
            "a blank",
            "team@".into(),
            "a team@".into(),
        ),
        (
            "serial_0",
            "malformed",
            "serials begin at 1",
            "1795501440".into(),
            "0".into(),
        ),
        (
            "version_2",
            "newer",
            "encl/2",
            "encl/1".into(),
            "encl/2".into(),
        ),
        (
            "member_unknown",
            "newer",
            "a member that there is none of",
            "\"name\"".into(),
            "\"note\":1,\"name\"".into(),
        ),
        (
            "keeper_missing",
            "malformed",
            "nobody keeps it",
            format!("\"keeper\":\"{}\",", ANN.id()),
            String::new(),
        ),
        (
            "keeper_of_31_bytes",
            "malformed",
            "a root key that is too short",
            ANN.id(),
            to_b64(&[7; 31]),
        ),
    ]
    .into_iter()
    .map(|(name, class, comment, from, to)| refused(name, class, comment, changed(&from, &to)))
    .collect()
}

fn texts() -> Vec<Case> {
    let text = group(&line());
    let by = |who, purpose| carried("encl-group1:", &signed(&line(), who, purpose)) + "\n";
    vec![
        refused(
            "signed_by_another",
            "signature",
            "Dave signed in Ann's name",
            by(&DAVE, Purpose::Group),
        ),
        refused(
            "signed_as_a_card",
            "signature",
            "the label of cards",
            by(&ANN, Purpose::Card),
        ),
        refused(
            "another_prefix",
            "not-a-card",
            "a card's prefix",
            text.replace("encl-group1:", "encl-card1:"),
        ),
        refused(
            "cut",
            "mangled",
            "the end is missing",
            text[..text.len() - 40].to_owned(),
        ),
    ]
}
