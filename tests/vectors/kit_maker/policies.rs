//! Step 3: faults of line 2.

use super::case::Case;
use super::edits::{Parts, edited, loosened, member};
use super::forge::{Forge, Lock, Wish, plain};
use super::people::{ANN, BOB, CAROL};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for some in [whole_lines(), locks(), quorums(), limits(), orders()] {
        cases.extend(some);
    }
    let policy = plain().policy;
    for row in EDITS.trim().lines() {
        let mut cells = row.split(" | ");
        let [name, class, from, to, comment] = [0; 5].map(|_| cells.next().unwrap());
        let mut forge = plain();
        assert!(forge.policy.contains(from), "{name}");
        forge.policy = forge.policy.replacen(from, to, 1);
        let bytes = forge.honest(b"hello");
        cases.push(Case::envelope(&format!("policy_{name}"), comment, bytes).refused(class));
    }
    for (name, to, comment) in BYTES {
        let edited = edited(policy.as_bytes(), "Bob", to);
        cases.push(refused(name, "malformed", comment, edited));
    }
    cases
}

/// An envelope with another line 2. Nothing else is adapted, since line 2 is checked first.
fn refused(name: &str, class: &str, comment: &str, policy: impl Into<Vec<u8>>) -> Case {
    let bytes = Parts::of(&plain().honest(b"hello")).with_policy(policy);
    Case::envelope(&format!("policy_{name}"), comment, bytes).refused(class)
}

/// Name, class, text, replacement, reason.
const EDITS: &str = r#"
no_json | malformed | "signed" | signed | a name without quotes
comma_missing | malformed | false,"private" | false "private" | a space for a comma
colon_missing | malformed | "need":1 | "need" 1 | a space for a colon
comma_twice | malformed | , | ,, | two commas
comma_at_end | malformed | ]}]} | ]}],} | a comma before the end
member_twice | malformed | "private" | "private":false,"private" | a name twice, with the same value
member_twice_by_escape | malformed | "private" | "\u0070rivate":true,"private" | the same name, once written with an escape
null | malformed | "created":"2026-11-24T06:24:00Z" | "created":null | null for an optional member
nine_levels | malformed | { | {"x":[[[[[[[[1]]]]]]]], | an array on the ninth level, under an unknown name
eight_levels | newer | { | {"x":[[[[[[[1]]]]]]], | eight levels are allowed, so the name counts
fraction | malformed | "need":1 | "need":1.0 | a number with a point
exponent | malformed | "need":1 | "need":1e0 | a number with an exponent
minus | malformed | "need":1 | "need":-1 | a number with a sign
leading_zero | malformed | "need":1 | "need":01 | a number with a zero in front
eleven_digits | malformed | { | {"x":10000000000, | a number of eleven digits under an unknown name
ten_digits | newer | { | {"x":9999999999, | a number of ten digits is allowed, so the name counts
text_empty | malformed | "Bob" | "" | an empty text
name_empty | malformed | { | {"":1, | an empty name of a member
lone_surrogate | malformed | Bob | B\ud83dob | an escape that is half a pair
surrogates_swapped | malformed | Bob | B\ude00\ud83d | the halves of a pair in the wrong order
bad_escape | malformed | Bob | B\x6fb | an escape that JSON has not
line_feed_by_escape | malformed | Bob | Bob\n | U+000A by an escape
right_to_left_override_by_escape | malformed | Bob | Bob\u202E | U+202E by an escape
forbidden_character_in_unknown_member | malformed | { | {"x":"\u0000", | the text of the whole line is judged before its members
single_quotes | malformed | "none" | 'none' | a text in single quotes
signed_is_a_number | malformed | "signed":false | "signed":0 | a number for a boolean
signed_is_a_text | malformed | "signed":false | "signed":"false" | a text for a boolean
need_is_a_text | malformed | "need":1 | "need":"1" | a text for a number
need_0 | malformed | "need":1 | "need":0 | nobody is needed
need_256 | malformed | "need":1 | "need":256 | a value that the format has not
need_2_without_shares | malformed | "need":1 | "need":2 | two are needed, and no share has a hash
cost_15 | malformed | "need":1 | "need":1,"passphrase":15 | a cost below the range
cost_21 | malformed | "need":1 | "need":1,"passphrase":21 | a cost above the range
shares_for_need_1 | malformed | "need":1 | "need":1,"shares":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] | shares where one is enough
shares_empty | malformed | "need":1 | "need":1,"shares":[] | an empty list of shares
signer_though_not_signed | malformed | { | {"signer":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", | a signer and signed is false
signer_missing | malformed | "signed":false | "signed":true | signed, and no signer
signed_missing | malformed | "signed":false, |  | a due member is missing
private_missing | malformed | "private":false, |  | a due member is missing
padding_missing | malformed | "padding":"none", |  | a due member is missing
need_missing | malformed | "need":1, |  | a due member of a lock is missing
kind_missing | malformed | "kind":"recipients", |  | a due member of a lock is missing
name_missing | malformed | "name":"Bob", |  | a due member of a recipient is missing
labels_empty | malformed | { | {"labels":{}, | labels without a label
label_is_a_number | malformed | { | {"labels":{"a":1}, | a label that is no text
labels_is_a_list | malformed | { | {"labels":["a"], | a list for an object
time_no_real_date | malformed | 2026-11-24T | 2026-02-30T | 30 February
time_no_leap_year | malformed | 2026-11-24T | 2100-02-29T | 29 February of 2100
time_hour_24 | malformed | T06:24:00Z | T24:00:00Z | hour 24
time_leap_second | malformed | T06:24:00Z | T23:59:60Z | second 60
time_with_fraction | malformed | T06:24:00Z | T06:24:00.5Z | half a second
time_with_offset | malformed | T06:24:00Z | T06:24:00+00:00 | an offset for Z
time_lower_case | malformed | T06:24:00Z | t06:24:00z | t and z
time_before_1970 | malformed | 2026-11-24T | 1969-12-31T | a year before 1970
time_is_a_number | malformed | "2026-11-24T06:24:00Z" | 1795501440 | seconds for a time
recipient_is_a_text | malformed | "recipients":[ | "recipients":["Bob", | a text for a recipient
recipients_is_an_object | malformed | "recipients":[ | "recipients":{},"x":[ | an object for a list, before an unknown member
unknown_member | newer | { | {"quantum":true, | a member that the table has not
unknown_member_of_a_lock | newer | {"kind" | {"after":"2027","kind" | a member that locks have not
unknown_member_of_a_recipient | newer | {"name" | {"nick":"B","name" | a member that recipients have not
padding_unknown | newer | "none" | "blocks" | a padding that is not known
member_constructor | newer | { | {"constructor":1, | a name that objects of JavaScript have from the start
member_proto | newer | { | {"__proto__":{}, | a name that sets an object's prototype in JavaScript
label_proto_twice | malformed | { | {"labels":{"__proto__":"a","__proto__":"b"}, | one label twice
member_upper_case | newer | "created" | "Created" | names are compared byte by byte
unknown_for_a_missing_one | newer | "padding":"none" | "filling":"none" | an unknown member counts before a missing one
unknown_before_malformed | newer | "signed":false | "x":1,"signed":0 | the order of the line decides
unknown_behind_malformed | malformed | "signed":false | "signed":0,"x":1 | the order of the line decides
"#;

/// Edits with bytes that are not allowed in text.
const BYTES: [(&str, &[u8], &str); 9] = [
    ("delete_character", b"B\x7fob", "the byte 7F in a text"),
    ("invalid_utf_8", b"B\xffob", "a byte that UTF-8 has not"),
    ("overlong_utf_8", b"B\xc0\xafob", "an overlong form"),
    (
        "surrogate_in_utf_8",
        b"B\xed\xa0\x80ob",
        "a surrogate as three bytes",
    ),
    ("c1_control", b"Bob\xc2\x85", "U+0085"),
    (
        "right_to_left_override",
        b"Bob\xe2\x80\xae",
        "U+202E as it is",
    ),
    ("isolate", b"Bob\xe2\x81\xa6", "U+2066"),
    ("line_separator", b"Bob\xe2\x80\xa8", "U+2028"),
    (
        "zero_width_no_break_space",
        b"Bob\xef\xbb\xbf",
        "U+FEFF inside a text",
    ),
];

fn whole_lines() -> Vec<Case> {
    let policy = plain().policy;
    let commit = member(&policy, "commit");
    let with_commit = |to: &str| policy.replace(&commit, to);
    vec![
        refused("empty", "malformed", "an empty line", ""),
        refused("list", "malformed", "a list for an object", "[1]"),
        refused(
            "tab",
            "malformed",
            "a TAB between tokens",
            policy.replacen(',', ",\t", 1),
        ),
        refused(
            "byte_order_mark",
            "malformed",
            "EF BB BF in front of the object",
            format!("\u{feff}{policy}"),
        ),
        refused(
            "text_behind",
            "malformed",
            "text behind the object",
            format!("{policy} x"),
        ),
        refused(
            "text_not_closed",
            "malformed",
            "the line ends inside a text",
            &policy[..policy.len() - 8],
        ),
        refused("twice", "malformed", "two objects", policy.repeat(2)),
        refused("no_member", "malformed", "an object without members", "{}"),
        refused(
            "cut",
            "malformed",
            "the object does not close",
            &policy[..policy.len() - 1],
        ),
        refused(
            "base64_not_canonical",
            "malformed",
            "a bit too many in the last character of commit",
            with_commit(&loosened(&commit)),
        ),
        refused(
            "base64_without_padding",
            "malformed",
            "commit lacks its =",
            with_commit(&commit[..43]),
        ),
        refused(
            "base64_url_alphabet",
            "malformed",
            "- and _ in commit",
            with_commit(&format!("-_{}", &commit[2..])),
        ),
        refused(
            "base64_with_a_space",
            "malformed",
            "a space in commit",
            with_commit(&format!(" {commit}")),
        ),
        refused(
            "base64_of_31_bytes",
            "malformed",
            "commit is short",
            with_commit(&encl::json::to_b64(&[7; 31])),
        ),
        refused(
            "base64_of_33_bytes",
            "malformed",
            "commit is long",
            with_commit(&encl::json::to_b64(&[7; 33])),
        ),
    ]
}

/// An envelope that breaks a rule between members. Everything else is correct, so that a reader without the rule opens it.
fn made(name: &str, comment: &str, forge: &Forge) -> Case {
    Case::envelope(&format!("policy_{name}"), comment, forge.honest(b"hello")).refused("malformed")
}

/// An envelope that breaks a rule between members by one edit of its policy.
fn made_with(name: &str, comment: &str, wish: Wish, from: &str, to: &str) -> Case {
    let mut forge = wish.forge("policies");
    assert!(forge.policy.contains(from), "{name}");
    forge.policy = forge.policy.replacen(from, to, 1);
    made(name, comment, &forge)
}

fn locks() -> Vec<Case> {
    let words = || Lock::of(1, &[&BOB]).or("words");
    let locks = |locks: &[Lock]| Wish::locks(locks).forge("policies");
    let private = || Wish::of(&[&BOB]).private();
    let signer = format!("{{\"signer\":\"{}\",", ANN.id());
    vec![
        made("no_lock", "an empty list of locks", &locks(&[])),
        made(
            "two_passphrases",
            "two locks with a passphrase",
            &locks(&[words(), words()]),
        ),
        made(
            "lock_for_nobody",
            "no recipients and no passphrase",
            &locks(&[Lock::of(1, &[])]),
        ),
        made(
            "lock_for_nobody_of_two",
            "the second lock has neither recipients nor a passphrase",
            &locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[])]),
        ),
        made_with(
            "recipient_twice",
            "one key twice in one lock",
            Wish::of(&[&BOB]),
            &BOB.recipient(),
            &format!("{0},{0}", BOB.recipient()),
        ),
        made_with(
            "private_with_recipients",
            "private, and recipients stand in the policy",
            private(),
            "}]}",
            &format!(",\"recipients\":[{}]}}]}}", BOB.recipient()),
        ),
        made_with(
            "recipients_missing",
            "not private, and a lock without recipients",
            Wish::of(&[&BOB]),
            &format!(",\"recipients\":[{}]", BOB.recipient()),
            "",
        ),
        made_with(
            "private_with_signer",
            "private, and the signer stands in the policy",
            private().signed(&ANN),
            "{",
            &signer,
        ),
    ]
}

fn quorums() -> Vec<Case> {
    let wish = || Wish::locks(&[Lock::of(2, &[&ANN, &BOB, &CAROL])]);
    let words = Wish::locks(&[Lock::of(2, &[&ANN, &BOB, &CAROL]).or("words")]);
    let policy = wish().forge("policies").policy;
    let (_, hashes) = policy.split_once("\"shares\":[").unwrap();
    let third = &hashes[93..140]; // 44 characters and two quotes each, after a comma
    let recipient = format!(",{}", CAROL.recipient());
    vec![
        made_with(
            "need_2_lowered_to_1",
            "the shares are still there",
            wish(),
            "\"need\":2",
            "\"need\":1",
        ),
        made_with(
            "need_over_shares",
            "four of three",
            wish(),
            "\"need\":2",
            "\"need\":4",
        ),
        made_with(
            "quorum_person_twice",
            "two keys of one person",
            wish(),
            &CAROL.id(),
            &BOB.id(),
        ),
        made_with(
            "quorum_recipient_missing",
            "three shares for two people",
            wish(),
            &recipient,
            "",
        ),
        made_with(
            "quorum_share_missing",
            "two shares for three people",
            wish(),
            third,
            "",
        ),
        made(
            "quorum_with_passphrase",
            "a passphrase where two are needed",
            &words.forge("policies"),
        ),
    ]
    .into_iter()
    .map(|case| case.by(&["ann", "bob"]))
    .collect()
}

fn limits() -> Vec<Case> {
    let policy = plain().policy;
    let in_front = |members: &str| policy.replacen('{', &format!("{{{members},"), 1);
    let label = |name: usize, value: usize| {
        in_front(&format!(
            r#""labels":{{"{}":"{}"}}"#,
            "n".repeat(name),
            "v".repeat(value)
        ))
    };
    let many: Vec<_> = (0..65).map(|number| format!("\"{number}\":1")).collect();
    let hash = encl::json::to_b64(&[7; 32]);
    let shares = vec![format!("\"{hash}\""); 256].join(",");
    let over =
        |name: &str, comment: &str, policy: String| refused(name, "over-limit", comment, policy);
    vec![
        over(
            "nine_locks",
            "nine locks",
            Wish::locks(&vec![Lock::of(1, &[&BOB]); 9])
                .forge("policies")
                .policy,
        ),
        over(
            "name_of_257_bytes",
            "129 characters, 257 bytes",
            policy.replace("\"Bob\"", &format!("\"x{}\"", "\u{e9}".repeat(128))),
        ),
        over(
            "address_of_321_bytes",
            "a long address",
            policy.replace("bob@", &format!("{}@", "b".repeat(309))),
        ),
        over(
            "label_name_of_65_bytes",
            "a long name of a label",
            label(65, 1),
        ),
        over(
            "label_value_of_4097_bytes",
            "a long value of a label",
            label(1, 4_097),
        ),
        over(
            "labels_65",
            "65 labels: so many members has no object",
            in_front(&format!("\"labels\":{{{}}}", many.join(","))),
        ),
        over(
            "members_65",
            "65 unknown members in front: their number counts first",
            in_front(&many.join(",")),
        ),
        over(
            "shares_256",
            "256 shares",
            policy.replace("\"need\":1", &format!("\"need\":2,\"shares\":[{shares}]")),
        ),
        refused(
            "control_character_before_limits",
            "malformed",
            "65 members, and then a TAB: the whole line is judged first",
            in_front(&many.join(",")) + "\t",
        ),
        refused(
            "invalid_utf_8_before_limits",
            "malformed",
            "65 members, and then a byte that UTF-8 has not",
            [in_front(&many.join(",")).as_bytes(), b"\xff"].concat(),
        ),
        refused(
            "members_65th_is_a_repeat",
            "malformed",
            "a name that already stands there, were it not one too many",
            in_front(&many.join(",").replace("\"64\"", "\"0\"")),
        ),
        refused(
            "label_name_before_value",
            "over-limit",
            "a name too long, whose value is no text",
            in_front(&format!(r#""labels":{{"{}":1}}"#, "n".repeat(65))),
        ),
    ]
}

/// Two faults, of which the first in order counts.
fn orders() -> Vec<Case> {
    let parts = Parts::of(&plain().honest(b"hello"));
    let newer = edited(&parts.policy, "{", "{\"x\":1,");
    let both = Parts {
        policy: newer,
        access: b"{".to_vec(),
        ..parts
    };
    let two_rules = Wish::locks(&[Lock::of(1, &[&BOB, &BOB])])
        .forge("policies")
        .policy;
    vec![
        Case::envelope(
            "policy_before_access_line",
            "line 2 is newer, line 3 no JSON: line 2 comes first",
            both.bytes(),
        )
        .refused("newer"),
        refused(
            "rules_behind_members",
            "newer",
            "one key twice, and an unknown member at the end",
            two_rules.replace("]}]}", "]}],\"x\":1}"),
        ),
    ]
}
