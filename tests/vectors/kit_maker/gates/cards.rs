//! Cards of gates (PROTOCOL.md, "A gate's card").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encl::crypto::signing::Purpose;
use encl::json::to_b64;

use super::super::case::Case;
use super::forge::SERVERS;
use crate::kit_maker::carriers::{carried, quoted, signed};
use crate::kit_maker::edits::{decoded, loosened, member};
use crate::kit_maker::people::{ANN, BOB, CREATED, FRANK, Person};

pub(super) fn cases() -> Vec<Case> {
    let cases = [taken(), lines(), urls(), keys(), texts()];
    cases.into_iter().flatten().collect()
}

fn gate() -> &'static Person {
    &SERVERS[0]
}

/// The line of the card; the log's key is that of another server's root.
fn line() -> String {
    let (id, log) = (gate().id(), SERVERS[7].id());
    let key = to_b64(gate().public().as_bytes());
    format!(
        r#"{{"gate":"encl/1","id":"{id}","name":"Gate","url":"https://gate.example.org","serial":1795501440,"created":"{CREATED}","log":"{log}","origin":"gate.example.org/1","keys":[{{"kem":"x-wing","key":"{key}","serial":1,"created":"{CREATED}"}}]}}"#
    )
}

fn card(line: &str) -> String {
    carried("encl-gate1:", &signed(line, gate(), Purpose::GateCard)) + "\n"
}

fn good(name: &str, comment: &str, text: String) -> Case {
    Case::gate(name, comment, text).of(gate().root.id().0)
}

fn refused(name: &str, class: &str, comment: &str, text: String) -> Case {
    Case::gate(name, comment, text).refused(class)
}

#[track_caller]
fn changed(from: &str, to: &str) -> String {
    let line = line();
    assert!(line.contains(from), "{from}");
    card(&line.replacen(from, to, 1))
}

fn taken() -> Vec<Case> {
    let frank = to_b64(FRANK.public().as_bytes());
    let two = format!(
        r#"}},{{"kem":"x-wing","key":"{frank}","serial":2,"created":"{CREATED}","expires":"2026-01-01T00:00:00Z"}}]"#
    );
    vec![
        good("gate", "one key", card(&line())),
        good("quoted", "wrapped and quoted", quoted(&card(&line()))),
        good(
            "two_keys",
            "the newest is the one to seal to",
            changed("}]", &two),
        ),
        good(
            "serial_of_ten_digits",
            "the highest serial",
            changed("1795501440", "9999999999"),
        ),
        good(
            "name_of_256_bytes",
            "the longest name",
            changed("\"Gate\"", &format!("\"{}\"", "\u{e9}".repeat(128))),
        ),
        good(
            "origin_of_255_bytes",
            "the longest origin",
            changed("gate.example.org/1", &"o".repeat(255)),
        ),
        good(
            "origin_in_another_script",
            "an origin is any name",
            changed("gate.example.org/1", "\u{95a2}\u{6240}"),
        ),
    ]
}

fn lines() -> Vec<Case> {
    let mut cases: Vec<_> = LINES.trim().lines().map(row).collect();
    let log = SERVERS[7].id();
    let log_is = |bytes: [u8; 32]| changed(&log, &to_b64(&bytes));
    let mut one = [0; 32];
    one[0] = 1;
    cases.extend([
        refused(
            "name_of_257_bytes",
            "over-limit",
            "a long name",
            changed("\"Gate\"", &format!("\"x{}\"", "\u{e9}".repeat(128))),
        ),
        refused(
            "origin_of_256_bytes",
            "malformed",
            "a long origin",
            changed("gate.example.org/1", &"o".repeat(256)),
        ),
        refused(
            "log_of_small_order",
            "malformed",
            "a key that cannot sign",
            log_is(one),
        ),
        refused(
            "log_not_canonical",
            "malformed",
            "y is not below p",
            log_is([0xff; 32]),
        ),
        refused(
            "log_not_canonical_base64",
            "malformed",
            "a bit too many in the last character",
            changed(&log, &loosened(&log)),
        ),
    ]);
    for name in [
        "gate", "id", "name", "url", "serial", "created", "log", "origin",
    ] {
        let line = line();
        let (front, behind) = line.split_once(&format!("\"{name}\":")).unwrap();
        let line = format!("{front}{}", behind.split_once(',').unwrap().1);
        let comment = format!("{name} is due");
        cases.push(refused(
            &format!("{name}_missing"),
            "malformed",
            &comment,
            card(&line),
        ));
    }
    cases
}

fn row(row: &str) -> Case {
    let mut cells = row.split(" | ");
    let [name, class, from, to, comment] = [0; 5].map(|_| cells.next().unwrap());
    refused(name, class, comment, changed(from, to))
}

/// Name, class, text of the line, replacement, reason.
const LINES: &str = r#"
version_2 | newer | "encl/1" | "encl/2" | encl/2
member_unknown | newer | "name" | "port":1,"name" | a member that there is none of
member_twice | malformed | "name" | "log":"x","name" | a name twice
name_empty | malformed | "Gate" | "" | no text is empty
serial_0 | malformed | 1795501440 | 0 | serials begin at 1
serial_of_eleven_digits | malformed | 1795501440 | 17955014400 | no number has eleven digits
serial_text | malformed | 1795501440 | "1" | a text for a number
created_date_alone | malformed | T06:24:00Z","log" | ","log" | not a time
origin_with_a_blank | malformed | gate.example.org/1 | gate 1 | a blank
origin_with_a_no_break_space | malformed | gate.example.org/1 | gate\u00a01 | a blank of another kind
origin_with_a_plus | malformed | gate.example.org/1 | gate+1 | checkpoints use the plus
"#;

fn urls() -> Vec<Case> {
    let url = "https://gate.example.org";
    let long = |bytes: usize| {
        let host = ["a".repeat(63).as_str(); 4].join(".");
        format!("https://{}", &host[..bytes - "https://".len()])
    };
    let good = |(name, to, comment): &(&str, &str, &str)| {
        good(&format!("url_{name}"), comment, changed(url, to))
    };
    let bad = |(name, to, comment): &(&str, &str, &str)| {
        refused(
            &format!("url_{name}"),
            "malformed",
            comment,
            changed(url, to),
        )
    };
    let mut cases: Vec<_> = GOOD_URLS.iter().map(good).collect();
    cases.extend(BAD_URLS.iter().map(bad));
    cases.push(good(&("of_255_bytes", &long(255), "the longest address")));
    let over = changed(url, &(long(255) + "a"));
    cases.push(refused(
        "url_of_256_bytes",
        "over-limit",
        "a long address",
        over,
    ));
    cases
}

const GOOD_URLS: [(&str, &str, &str); 6] = [
    ("http", "http://gate.example.org", "without TLS"),
    ("port", "https://gate.example.org:7700", "a port"),
    (
        "port_of_the_other",
        "http://gate.example.org:443",
        "the usual port of the other scheme",
    ),
    ("ipv4", "http://127.0.0.1:7700", "four numbers"),
    ("ipv6", "http://[::1]:7700", "an address in brackets"),
    ("one_label", "http://gate", "a host without a dot"),
];

const BAD_URLS: [(&str, &str, &str); 24] = [
    ("scheme_missing", "gate.example.org", "no scheme"),
    ("ftp", "ftp://gate.example.org", "another scheme"),
    (
        "scheme_upper_case",
        "HTTPS://gate.example.org",
        "one way to write it",
    ),
    (
        "host_upper_case",
        "https://Gate.example.org",
        "one way to write it",
    ),
    ("slash", "https://gate.example.org/", "no slash at the end"),
    ("path", "https://gate.example.org/gate", "no path"),
    ("query", "https://gate.example.org?a", "no query"),
    ("user", "https://bob@gate.example.org", "no user"),
    (
        "port_usual",
        "https://gate.example.org:443",
        "the usual port is left out",
    ),
    (
        "port_usual_of_http",
        "http://gate.example.org:80",
        "the usual port is left out",
    ),
    ("port_0", "https://gate.example.org:0", "no port"),
    ("port_65536", "https://gate.example.org:65536", "no port"),
    (
        "port_with_a_zero",
        "https://gate.example.org:0443",
        "one way to write it",
    ),
    (
        "port_empty",
        "https://gate.example.org:",
        "a colon and no port",
    ),
    ("host_empty", "https://", "no host"),
    ("label_empty", "https://gate..example.org", "two dots"),
    (
        "dot_at_end",
        "https://gate.example.org.",
        "a dot at the end",
    ),
    (
        "hyphen_first",
        "https://-gate.example.org",
        "a hyphen in front",
    ),
    (
        "underscore",
        "https://my_gate.example.org",
        "no letter of a host",
    ),
    (
        "not_ascii",
        "https://b\u{fc}cher.example",
        "names of hosts are ASCII",
    ),
    ("ipv4_of_two_numbers", "http://127.1", "one way to write it"),
    (
        "ipv4_with_a_zero",
        "http://127.0.0.01",
        "one way to write it",
    ),
    (
        "ipv6_long",
        "http://[0:0:0:0:0:0:0:1]",
        "one way to write it",
    ),
    ("ipv6_open", "http://[::1", "no closing bracket"),
];

fn keys() -> Vec<Case> {
    let line = line();
    let key = member(&line, "key");
    let classic = to_b64(BOB.public().as_bytes());
    let with_key = |key_bytes: &[u8]| changed(&key, &STANDARD.encode(key_bytes));
    let mut unreduced = decoded(&key);
    unreduced[..3].fill(0xff);
    let mut low_order = decoded(&key);
    low_order[1_184..].fill(0);
    let second = |key: &str, serial: u32| {
        let second = format!(
            r#"}},{{"kem":"x-wing","key":"{key}","serial":{serial},"created":"{CREATED}"}}]"#
        );
        changed("}]", &second)
    };
    let frank = to_b64(FRANK.public().as_bytes());
    let (front, _) = line.split_once("\"keys\":[").unwrap();
    let one = format!(r#"{{"kem":"x25519","key":"{classic}","serial":1,"created":"{CREATED}"}}"#);
    vec![
        refused(
            "keys_empty",
            "malformed",
            "no key",
            card(&format!("{front}\"keys\":[]}}")),
        ),
        refused(
            "key_of_x25519",
            "malformed",
            "servers have X-Wing keys",
            card(&format!("{front}\"keys\":[{one}]}}")),
        ),
        refused(
            "key_of_another_length",
            "key",
            "as long as an X25519 key",
            changed(&key, &classic),
        ),
        refused(
            "key_not_reduced",
            "key",
            "a coefficient of 4095",
            with_key(&unreduced),
        ),
        refused(
            "key_of_low_order",
            "key",
            "the X25519 half is zero",
            with_key(&low_order),
        ),
        refused("key_twice", "malformed", "one key twice", second(&key, 2)),
        refused(
            "serial_twice",
            "malformed",
            "two keys with one serial",
            second(&frank, 1),
        ),
        refused(
            "kem_unknown",
            "newer",
            "a KEM that is not known",
            changed("\"x-wing\"", "\"mlkem\""),
        ),
    ]
}

fn texts() -> Vec<Case> {
    let text = card(&line());
    let by = |who, purpose| carried("encl-gate1:", &signed(&line(), who, purpose)) + "\n";
    let flipped = {
        let mut content = signed(&line(), gate(), Purpose::GateCard);
        *content.last_mut().unwrap() ^= 1;
        carried("encl-gate1:", &content)
    };
    vec![
        refused(
            "signed_by_another",
            "signature",
            "Ann signed",
            by(&ANN, Purpose::GateCard),
        ),
        refused(
            "signed_as_a_card",
            "signature",
            "the label of cards",
            by(gate(), Purpose::Card),
        ),
        refused(
            "signed_by_the_log_key",
            "signature",
            "the key that signs answers",
            by(&SERVERS[7], Purpose::GateCard),
        ),
        refused(
            "signature_changed",
            "signature",
            "a bit of the signature",
            flipped,
        ),
        refused(
            "another_prefix",
            "not-a-card",
            "a card's prefix",
            text.replace("encl-gate1:", "encl-card1:"),
        ),
        refused(
            "cut",
            "mangled",
            "the end is missing",
            text[..text.len() - 40].to_owned(),
        ),
        refused(
            "character_changed",
            "mangled",
            "a character of the first group",
            text.replacen(":ey", ":fy", 1),
        ),
    ]
}
