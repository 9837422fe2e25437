//! Step 3: members of a gate lock that are missing, of another type, over a limit or unknown.

use super::super::case::Case;
use super::forge::{GateForge, Gates, one_of_two, two_of_three};
use crate::kit_maker::forge::Wish;
use crate::kit_maker::people::{BOB, DAVE};

pub(super) fn cases() -> Vec<Case> {
    let forge = one_of_two();
    let mut cases: Vec<_> = table(EDITS, &forge).collect();
    cases.extend(table(EDITS_OF_SHARES, &two_of_three()));
    cases.extend(missing(&forge));
    cases.extend(other_kinds_members(&forge));
    cases.extend(limits());
    cases
}

/// An envelope that Bob and Dave open, were it not for one fault of its gate lock.
pub(super) fn refused(name: &str, class: &str, comment: &str, forge: &GateForge) -> Case {
    let case = Case::envelope(&format!("gate_{name}"), comment, forge.honest());
    case.by(&["bob", "dave"]).refused(class)
}

fn table<'a>(rows: &'a str, forge: &'a GateForge) -> impl Iterator<Item = Case> + 'a {
    rows.trim().lines().map(|row| {
        let mut cells = row.split(" | ");
        let [name, class, from, to, comment] = [0; 5].map(|_| cells.next().unwrap());
        refused(name, class, comment, &forge.edited(from, to))
    })
}

/// Name, class, text of the lock, replacement, reason.
const EDITS: &str = r#"
kind_unknown | newer | "kind":"gate" | "kind":"gates" | a kind of lock that is not known
kind_number | malformed | "kind":"gate" | "kind":1 | a number for a text
need_0 | malformed | "need":1 | "need":0 | at least one has to come
need_256 | malformed | "need":1 | "need":256 | more than any lock needs
need_over_gates | malformed | "need":1 | "need":3 | and no shares
need_2_without_shares | malformed | "need":1 | "need":2 | shares are due
shares_empty | malformed | "need":1 | "need":1,"shares":[] | an empty list
gates_object | malformed | "gates":[ | "gates":{},"x":[ | an object for a list
gate_text | malformed | "gates":[ | "gates":["gate", | a text for a gate
gate_kind_unknown | newer | "kind":"server" | "kind":"witness" | a kind of gate that is not known
gate_kind_upper_case | newer | "kind":"server" | "kind":"Server" | kinds are compared byte by byte
gate_unknown_member | newer | "kind":"server" | "kind":"server","port":7700 | a member that gates have not
gate_member_twice | malformed | "kind":"server" | "kind":"server","kind":"server" | a name twice
gate_key_of_31_bytes | malformed | "key":" | "key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==","x":" | base64 of another length
gate_name_empty | malformed | "name":"gate0" | "name":"" | no text is empty
gate_name_null | malformed | "name":"gate0" | "name":null | null for an optional member
gate_url_number | malformed | "url":"https://gate0.example.org" | "url":1 | a number for a text
owners_text | malformed | "owners":[ | "owners":"x","x":[ | a text for a list
owner_text | malformed | "owners":[ | "owners":["Ann", | not base64
holder_of_31_bytes | malformed | "holder":" | "holder":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==","x":" | base64 of another length
holder_number | malformed | "holder":" | "holder":1,"x":" | a number for a text
members_true | malformed | "members":" | "members":true,"x":" | a boolean for a text
members_twice | malformed | "members": | "members":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","members": | a name twice
members_twice_by_escape | malformed | "members": | "member\u0073":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","members": | the same name, once written with an escape
holder_twice | malformed | "holder": | "holder":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","holder": | a name twice
not_before_number | malformed | "need":1 | "need":1,"not_before":1764201600 | seconds for a time
expires_date_alone | malformed | "need":1 | "need":1,"expires":"2027-01-01" | not a time
expires_30_february | malformed | "need":1 | "need":1,"expires":"2027-02-30T00:00:00Z" | no real date
lease_0 | malformed | "need":1 | "need":1,"lease":0 | at least a second
lease_over_30_days | malformed | "need":1 | "need":1,"lease":2592001 | a value that the format has not
lease_text | malformed | "need":1 | "need":1,"lease":"3600" | a text for a number
unknown_member | newer | "need":1 | "need":1,"log":"x" | a member that locks have not
unknown_for_a_missing_one | newer | "owners": | "admins": | an unknown member counts before a missing one
unknown_behind_malformed | malformed | "need":1 | "need":0,"x":1 | the order of the line decides
"#;

const EDITS_OF_SHARES: &str = r#"
need_lowered_to_1 | malformed | "need":2 | "need":1 | the shares are still there
need_over_shares | malformed | "need":2 | "need":4 | four of three
share_of_31_bytes | malformed | "shares":[ | "shares":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", | base64 of another length
share_too_many | malformed | "shares":[ | "shares":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", | four shares for three gates
"#;

/// The lock, or its first gate, without one member that is due.
fn missing(forge: &GateForge) -> impl Iterator<Item = Case> + '_ {
    let of_lock = ["kind", "need", "commit", "gates", "owners", "holder"];
    let of_lock = of_lock.map(|name| {
        let lock = without(&forge.lock, name);
        let comment = format!("a gate lock without {name}");
        refused(
            &format!("{name}_missing"),
            "malformed",
            &comment,
            &forge.with_lock(&lock),
        )
    });
    let of_gate = ["kind", "id", "key"].map(|name| {
        let (front, gate) = forge.lock.split_once("\"gates\":[").unwrap();
        let lock = format!("{front}\"gates\":[{}", without(gate, name));
        let comment = format!("a gate without {name}");
        refused(
            &format!("gate_{name}_missing"),
            "malformed",
            &comment,
            &forge.with_lock(&lock),
        )
    });
    of_lock.into_iter().chain(of_gate)
}

/// Takes the first member of this name out.
fn without(object: &str, name: &str) -> String {
    let (front, behind) = object.split_once(&format!("\"{name}\":")).unwrap();
    let end = match behind.as_bytes()[0] {
        b'[' => behind.find("],").unwrap() + 2,
        _ => behind.find(',').unwrap() + 1,
    };
    format!("{front}{}", &behind[end..])
}

/// Members that only the other kind of lock has.
fn other_kinds_members(forge: &GateForge) -> Vec<Case> {
    let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let in_gate = [
        ("recipients", format!("[{}]", BOB.recipient())),
        ("passphrase", "16".to_owned()),
        ("passphrase_commit", format!("\"{hash}\"")),
    ];
    let in_gate = in_gate.map(|(name, value)| {
        let comment = format!("a gate lock with {name}");
        let edited = forge.edited("\"need\"", &format!("\"{name}\":{value},\"need\""));
        refused(&format!("with_{name}"), "malformed", &comment, &edited)
    });
    let in_recipients = [
        ("gates", "[]".to_owned()),
        ("owners", "[]".to_owned()),
        ("holder", format!("\"{hash}\"")),
        ("members", format!("\"{hash}\"")),
        ("not_before", "\"2026-01-01T00:00:00Z\"".to_owned()),
        ("expires", "\"2027-01-01T00:00:00Z\"".to_owned()),
        ("lease", "3600".to_owned()),
    ];
    let in_recipients = in_recipients.map(|(name, value)| {
        let comment = format!("a recipients' lock with {name}");
        let (from, to) = (
            "\"recipients\",",
            format!("\"recipients\",\"{name}\":{value},"),
        );
        let name = format!("{name}_in_recipients_lock");
        refused(&name, "malformed", &comment, &forge.with_policy(from, &to))
    });
    in_gate.into_iter().chain(in_recipients).collect()
}

/// Lists and texts at their limits are in `opened.rs`.
fn limits() -> Vec<Case> {
    let forge = one_of_two();
    let hash = |number: usize| {
        let mut bytes = [0; 32];
        bytes[31] = u8::try_from(number).unwrap();
        format!("\"{}\"", encl::json::to_b64(&bytes))
    };
    let many = |count: usize| (0..count).map(hash).collect::<Vec<_>>().join(",");
    let over =
        |name: &str, comment: &str, forge: &GateForge| refused(name, "over-limit", comment, forge);
    let nine = Gates::of(1, 8, &[&DAVE]).behind(Wish::of(&[&BOB]), "nine gates");
    let shares = Gates::of(2, 2, &[&DAVE]).behind(Wish::of(&[&BOB]), "shares");
    let filled = |bytes: usize| filled(&forge, bytes);
    vec![
        over("nine_gates", "nine gates", &nine),
        over(
            "owners_17",
            "17 owners",
            &forge.edited("\"owners\":[", &format!("\"owners\":[{},", many(16))),
        ),
        over(
            "shares_256",
            "256 shares",
            &shares.edited("\"shares\":[", &format!("\"shares\":[{},", many(253))),
        ),
        over(
            "name_of_257_bytes",
            "129 characters, 257 bytes",
            &forge.edited("\"gate0\"", &format!("\"x{}\"", "\u{e9}".repeat(128))),
        ),
        over(
            "url_of_256_bytes",
            "a long address",
            &forge.edited("https://", &format!("https://{}", "a".repeat(231))),
        ),
        over("lock_of_8193_bytes", "blanks count", &filled(8_193)),
        refused(
            "lock_of_8193_bytes_without_holder",
            "malformed",
            "what is missing counts before the length",
            &filled(8_193).with_lock(&without(&filled(8_300).lock, "holder")),
        ),
        over(
            "nine_gates_before_a_missing_member",
            "a list is judged as it is met",
            &nine.edited("\"owners\":", "\"owner\":"),
        ),
    ]
}

/// The lock with blanks, so that it has this many bytes.
pub(super) fn filled(forge: &GateForge, bytes: usize) -> GateForge {
    let blanks = " ".repeat(bytes - forge.lock.len());
    forge.with_lock(
        &forge
            .lock
            .replacen("\"need\"", &format!("{blanks}\"need\""), 1),
    )
}
