//! The structure of lines: which members are allowed where, how often and how long. Writer and reader have the same limits.

use std::collections::BTreeMap;

use encl::crypto::Kem;
use encl::crypto::passphrase::Passphrase;
use encl::envelope::{Admission, Class, LockRequest, NoRecord, SealError, seal};
use encl::json::to_b64;

use crate::kit::{Forge, Keys, Person, access, cheap, lock, opens, refused, request, rng, sealed};

fn b64(bytes: usize) -> String {
    to_b64(&vec![7; bytes])
}

/// An envelope under a rewritten policy, everything else honest.
fn under(bob: &Person, rewrite: impl Fn(String) -> String) -> Vec<u8> {
    let mut forge = Forge::new(&[bob], "");
    forge.policy = rewrite(forge.policy);
    forge.envelope(&forge.slots(&[bob]), b"{}\nx")
}

type Rewrite = Box<dyn Fn(String) -> String>;

#[test]
#[expect(clippy::too_many_lines, reason = "one list of cases")]
fn policies_that_are_refused() {
    let bob = Person::classic("Bob");
    let signer = format!(r#""signer":"{}","#, b64(32));
    let add = |member: &str| {
        let member = member.to_owned();
        move |policy: String| policy.replacen('{', &format!("{{{member}"), 1)
    };
    let lock_part = |member: &'static str| {
        move |policy: String| policy.replacen("\"need\":1", &format!("\"need\":1,{member}"), 1)
    };
    let change = |from: &'static str, to: &str| {
        let to = to.to_owned();
        move |policy: String| policy.replacen(from, &to, 1)
    };
    let nine = vec![lock(&[1; 32], &[&bob]); 9].join(",");
    let cases: Vec<(&str, Rewrite, Class)> = vec![
        (
            "signer though unsigned",
            Box::new(add(&signer)),
            Class::Malformed,
        ),
        (
            "signed without signer",
            Box::new(change("\"signed\":false", "\"signed\":true")),
            Class::Malformed,
        ),
        (
            "private with recipients",
            Box::new(change("\"private\":false", "\"private\":true")),
            Class::Malformed,
        ),
        (
            "another padding",
            Box::new(change("\"none\"", "\"pkcs7\"")),
            Class::Newer,
        ),
        (
            "another kind of lock",
            Box::new(change("\"kind\":\"recipients\"", "\"kind\":\"door\"")),
            Class::Newer,
        ),
        (
            "need 0",
            Box::new(change("\"need\":1", "\"need\":0")),
            Class::Malformed,
        ),
        (
            "need 256",
            Box::new(change("\"need\":1", "\"need\":256")),
            Class::Malformed,
        ),
        (
            "need 2 without shares",
            Box::new(change("\"need\":1", "\"need\":2")),
            Class::Malformed,
        ),
        (
            "shares though need 1",
            Box::new(lock_part(
                r#""shares":["BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="]"#,
            )),
            Class::Malformed,
        ),
        (
            "no shares at all",
            Box::new(lock_part(r#""shares":[]"#)),
            Class::Malformed,
        ),
        (
            "passphrase without a slot",
            Box::new(lock_part(r#""passphrase":16"#)),
            Class::Malformed,
        ),
        (
            "passphrase cost 15",
            Box::new(lock_part(r#""passphrase":15"#)),
            Class::Malformed,
        ),
        (
            "passphrase cost 21",
            Box::new(lock_part(r#""passphrase":21"#)),
            Class::Malformed,
        ),
        (
            "a commitment without a passphrase",
            Box::new(lock_part(
                r#""passphrase_commit":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=""#,
            )),
            Class::Malformed,
        ),
        (
            "passphrase cost as text",
            Box::new(lock_part(r#""passphrase":"16""#)),
            Class::Malformed,
        ),
        (
            "no lock",
            Box::new(|_| {
                r#"{"signed":false,"private":false,"padding":"none","locks":[]}"#.to_owned()
            }),
            Class::Malformed,
        ),
        (
            "nine locks",
            Box::new(move |_| {
                format!(r#"{{"signed":false,"private":false,"padding":"none","locks":[{nine}]}}"#)
            }),
            Class::OverLimit,
        ),
        (
            "no labels",
            Box::new(add(r#""labels":{},"#)),
            Class::Malformed,
        ),
        (
            "signed as a number",
            Box::new(change("\"signed\":false", "\"signed\":0")),
            Class::Malformed,
        ),
    ];
    for (what, rewrite, class) in &cases {
        refused(&under(&bob, rewrite), &mut Keys::of(&[&bob]), *class, what);
    }
    assert_eq!(cases.len(), 19);
}

#[test]
fn limits_hold_and_one_more_is_too_many() {
    let bob = Person::classic("Bob");
    let named = |name: String, address: String| {
        under(&bob, |policy| {
            policy
                .replace("\"Bob\"", &format!("\"{name}\""))
                .replace("bob@example.org", &address)
        })
    };
    let long = |bytes: usize| "x".repeat(bytes);
    opens(
        &named(long(256), long(320)),
        &mut Keys::of(&[&bob]),
        b"x",
        "a name of 256 and an address of 320",
    );
    refused(
        &named(long(257), long(1)),
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "a name of 257",
    );
    refused(
        &named("é".repeat(129), long(1)),
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "bytes count, not characters",
    );
    refused(
        &named(long(1), long(321)),
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "an address of 321",
    );
    let labels = |count: usize, name: usize, value: usize| {
        let label = |i: usize| format!("\"{i:0>name$}\":\"{}\"", long(value));
        let labels: Vec<_> = (0..count).map(label).collect();
        under(&bob, |policy| {
            policy.replacen('{', &format!("{{\"labels\":{{{}}},", labels.join(",")), 1)
        })
    };
    opens(
        &labels(64, 64, 4_096),
        &mut Keys::of(&[&bob]),
        b"x",
        "64 labels",
    );
    for (count, name, value) in [(65, 2, 1), (1, 65, 1), (1, 1, 4_097)] {
        refused(
            &labels(count, name, value),
            &mut Keys::of(&[&bob]),
            Class::OverLimit,
            "labels",
        );
    }
    let shares = |count: usize| {
        let shares = vec![format!("\"{}\"", b64(32)); count].join(",");
        under(&bob, |policy| {
            policy.replacen(
                "\"need\":1",
                &format!("\"need\":2,\"shares\":[{shares}]"),
                1,
            )
        })
    };
    refused(
        &shares(256),
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "256 shares",
    );
    refused(
        &shares(255),
        &mut Keys::of(&[&bob]),
        Class::Malformed,
        "255 shares and one recipient",
    );
    refused(
        &shares(1),
        &mut Keys::of(&[&bob]),
        Class::Malformed,
        "need 2 of 1",
    );
}

#[test]
fn slots_that_are_refused() {
    let (bob, hybrid) = (Person::classic("Bob"), Person::new("Hybrid", Kem::XWing));
    let forge = Forge::new(&[&bob, &hybrid], "");
    let (slot, other) = (forge.slot(&bob), forge.slot(&hybrid));
    let part = |slot: &str, name: &str| {
        let value: serde_json::Value = serde_json::from_str(slot).unwrap();
        value[name].as_str().unwrap().to_owned()
    };
    let with = |from: &str, to: &str| {
        forge.envelope(&access(&[slot.replace(from, to), other.clone()]), b"{}\nx")
    };
    let keys = || Keys::of(&[&bob]);
    let (enc, ct, key) = (part(&slot, "enc"), part(&slot, "ct"), part(&slot, "key"));
    let salt = format!(r#""lock":0,"salt":"{}""#, b64(16));
    for (what, envelope, class) in [
        (
            "a slot for lock 1 of 1",
            with("\"lock\":0", "\"lock\":1"),
            Class::Malformed,
        ),
        (
            "a slot for lock 65,536",
            with("\"lock\":0", "\"lock\":65536"),
            Class::Malformed,
        ),
        ("enc one short", with(&enc, &b64(31)), Class::Malformed),
        ("enc one long", with(&enc, &b64(33)), Class::Malformed),
        (
            "enc of X-Wing for X25519",
            with(&enc, &part(&other, "enc")),
            Class::Slot,
        ),
        ("ct one short", with(&ct, &b64(47)), Class::Malformed),
        ("ct of a share", with(&ct, &b64(49)), Class::Malformed),
        ("ct of a passphrase", with(&ct, &b64(104)), Class::Malformed),
        ("key one short", with(&key, &b64(31)), Class::Malformed),
        (
            "the same key twice",
            with(&key, &part(&other, "key")),
            Class::Malformed,
        ),
        (
            "a salt in a key slot",
            with("\"lock\":0", &salt),
            Class::Malformed,
        ),
        (
            "base64 without padding",
            with(&enc, enc.trim_end_matches('=')),
            Class::Malformed,
        ),
        (
            "base64 with other last bits",
            with(&enc, &not_canonical(&enc)),
            Class::Malformed,
        ),
        ("base64url", with(&enc, &"_".repeat(44)), Class::Malformed),
        (
            "an unknown member",
            with("\"lock\":0", "\"lock\":0,\"hint\":\"x\""),
            Class::Newer,
        ),
        (
            "a low-order enc",
            with(&enc, &to_b64(&[0; 32])),
            Class::Slot,
        ),
    ] {
        refused(&envelope, &mut keys(), class, what);
    }
    let passphrase = format!(r#"{{"lock":0,"salt":"{}","ct":"{}"}}"#, b64(16), b64(104));
    let envelope = forge.envelope(&access(&[slot, passphrase]), b"{}\nx");
    refused(
        &envelope,
        &mut keys(),
        Class::Malformed,
        "a passphrase slot in a lock without passphrase",
    );
}

/// The same bytes in base64 that is not canonical: unused bits are set.
fn not_canonical(text: &str) -> String {
    let last = text.trim_end_matches('=').len() - 1;
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = alphabet.find(&text[last..=last]).unwrap();
    format!(
        "{}{}{}",
        &text[..last],
        &alphabet[value + 1..value + 2],
        &text[last + 1..]
    )
}

#[test]
fn private_envelopes_reveal_nothing_and_require_their_own_structure() {
    let (bob, eve) = (Person::classic("Bob"), Person::new("Eve", Kem::XWing));
    let mut wish = request(&[&bob, &eve], Some(&eve.root));
    wish.private = true;
    let envelope = sealed(&wish, b"secret");
    let parts = crate::kit::Parts::of(&envelope);
    let text = format!("{}{}", parts.policy, parts.access);
    for word in [
        "name",
        "example.org",
        "created",
        "signer",
        "\"key\"",
        &to_b64(&bob.key_id().0),
    ] {
        assert!(!text.contains(word), "{word} stands in a private envelope");
    }
    for person in [&bob, &eve] {
        opens(&envelope, &mut Keys::of(&[person]), b"secret", "private");
    }
    refused(
        &envelope,
        &mut Keys::of(&[&Person::classic("Mallory")]),
        Class::NoKey,
        "a stranger",
    );

    let mut forge = Forge::new(&[&bob], "");
    forge.policy = format!(
        r#"{{"signed":false,"private":true,"padding":"none","locks":[{{"kind":"recipients","need":1,"commit":"{}"}}]}}"#,
        to_b64(&encl::crypto::kdf::lock_commitment(
            &encl::crypto::Secret::new(forge.secrets[0])
        ))
    );
    let bare = |person: &Person| {
        let slot = forge.slot(person);
        slot.replace(&format!(r#""key":"{}","#, to_b64(&person.key_id().0)), "")
    };
    let list = |people: &[&Person]| {
        let people: Vec<_> = people.iter().map(|person| person.json()).collect();
        format!("{{\"recipients\":[[{}]]}}\nx", people.join(","))
    };
    let keys = || Keys::of(&[&bob]);
    let private = |slots: &[String], m: &str| forge.envelope(&access(slots), m.as_bytes());
    opens(
        &private(&[bare(&bob)], &list(&[&bob])),
        &mut keys(),
        b"x",
        "as a writer makes it",
    );
    let decoys: Vec<_> = (0..5)
        .map(|_| bare(&Person::classic("Nobody")))
        .chain([bare(&bob)])
        .collect();
    opens(
        &private(&decoys, &list(&[&bob])),
        &mut keys(),
        b"x",
        "decoys first",
    );
    let unlisted = opens(
        &private(&[bare(&bob)], &list(&[&eve])),
        &mut keys(),
        b"x",
        "not in the list",
    );
    assert_eq!(unlisted, Admission::Unrecorded(NoRecord::OfKey));
    refused(
        &private(&[forge.slot(&bob)], &list(&[&bob])),
        &mut keys(),
        Class::Malformed,
        "a key in a private slot",
    );
    for (what, line) in [
        ("no recipients", "{}\nx".to_owned()),
        ("an empty list", "{\"recipients\":[[]]}\nx".to_owned()),
        ("no list per lock", "{\"recipients\":[]}\nx".to_owned()),
        (
            "two lists for one lock",
            list(&[&bob]).replace("[[", "[[],["),
        ),
        ("a key twice", list(&[&bob, &bob])),
        (
            "signer though unsigned",
            list(&[&bob]).replacen('{', &format!("{{\"signer\":\"{}\",", b64(32)), 1),
        ),
    ] {
        refused(
            &private(&[bare(&bob)], &line),
            &mut keys(),
            Class::Malformed,
            what,
        );
    }
    // In a public envelope the private line names nobody.
    let open_forge = Forge::new(&[&bob], "");
    let named = open_forge.envelope(&open_forge.slots(&[&bob]), list(&[&bob]).as_bytes());
    refused(
        &named,
        &mut keys(),
        Class::Malformed,
        "recipients in the private line of an open envelope",
    );
}

#[test]
fn the_private_line_has_limits_and_may_describe_mail() {
    let bob = Person::classic("Bob");
    let forge = Forge::new(&[&bob], "");
    let slots = forge.slots(&[&bob]);
    let with = |line: &str| forge.envelope(&slots, format!("{line}\nx").as_bytes());
    let text = |name: &str, bytes: usize| format!("{{\"{name}\":\"{}\"}}", "x".repeat(bytes));
    for (name, max) in [("name", 255), ("type", 255), ("subject", 4_096)] {
        opens(&with(&text(name, max)), &mut Keys::of(&[&bob]), b"x", name);
        refused(
            &with(&text(name, max + 1)),
            &mut Keys::of(&[&bob]),
            Class::OverLimit,
            name,
        );
    }
    let outer = |pairs: usize| {
        format!(
            r#"{{"mail":{{"mode":"message","outer":[{}]}}}}"#,
            vec![r#"["To","Bob"]"#; pairs].join(",")
        )
    };
    let attachment = |part: u32| {
        format!(
            r#"{{"mail":{{"mode":"attachment","part":{part},"parts":2,"eol":"crlf","skeleton":"{}"}}}}"#,
            b64(32)
        )
    };
    for good in [outer(0), outer(256), attachment(1), attachment(2)] {
        opens(&with(&good), &mut Keys::of(&[&bob]), b"x", &good);
    }
    for (bad, class) in [
        (outer(257), Class::OverLimit),
        (attachment(0), Class::Malformed),
        (attachment(3), Class::Malformed),
        (attachment(1).replace("crlf", "cr"), Class::Newer),
        (attachment(1).replace("attachment", "part"), Class::Newer),
        (
            attachment(1).replace("attachment", "message"),
            Class::Malformed,
        ),
        (
            outer(1).replace("[\"To\",\"Bob\"]", "[\"To\"]"),
            Class::Malformed,
        ),
        (
            outer(1).replace("[\"To\",\"Bob\"]", "[\"To\",\"a\",\"b\"]"),
            Class::OverLimit,
        ),
        (
            r#"{"mail":{"mode":"message"}}"#.to_owned(),
            Class::Malformed,
        ),
    ] {
        refused(&with(&bad), &mut Keys::of(&[&bob]), class, &bad);
    }
}

#[test]
fn the_passphrase_slot_belongs_to_its_lock() {
    let bob = Person::classic("Bob");
    let words = Passphrase::new("correct horse").unwrap();
    let mut wish = request(&[&bob], None);
    wish.locks[0].passphrase = Some(cheap(&words));
    let parts = crate::kit::Parts::of(&sealed(&wish, b"x"));
    let slots: serde_json::Value = serde_json::from_str(&parts.access).unwrap();
    let (of_bob, of_words) = (&slots["slots"][0], &slots["slots"][1]);
    let with = |slots: &[&serde_json::Value]| {
        let mut parts = parts.clone();
        parts.access = access(&slots.iter().map(ToString::to_string).collect::<Vec<_>>());
        parts.bytes()
    };
    let mut short_salt = of_words.clone();
    short_salt["salt"] = b64(15).into();
    let mut short_ct = of_words.clone();
    short_ct["ct"] = b64(103).into();
    let mut of_key = of_words.clone();
    of_key["enc"] = b64(32).into();
    for (what, envelope) in [
        ("two passphrase slots", with(&[of_bob, of_words, of_words])),
        ("no passphrase slot", with(&[of_bob])),
        ("a salt one short", with(&[of_bob, &short_salt])),
        ("a ct one short", with(&[of_bob, &short_ct])),
        ("members of both", with(&[of_bob, &of_key])),
    ] {
        refused(&envelope, &mut Keys::of(&[&bob]), Class::Malformed, what);
    }
    let wrong = || Keys {
        keys: Vec::new(),
        passphrase: Some("wrong horse"),
    };
    refused(
        &parts.bytes(),
        &mut wrong(),
        Class::Passphrase,
        "a wrong passphrase",
    );
    let right = || Keys {
        keys: Vec::new(),
        passphrase: Some("correct horse"),
    };
    opens(&parts.bytes(), &mut right(), b"x", "the right passphrase");
    let two = parts.policy.replacen(
        "[{",
        &format!(
            "[{},{{",
            lock(&[1; 32], &[&bob]).replacen("\"need\":1", "\"need\":1,\"passphrase\":16", 1)
        ),
        1,
    );
    let mut twice = parts.clone();
    twice.policy = two;
    refused(
        &twice.bytes(),
        &mut right(),
        Class::Malformed,
        "two passphrases",
    );
}

#[test]
fn the_writer_keeps_the_readers_limits() {
    let bob = Person::classic("Bob");
    let refusal = |request: &encl::envelope::SealRequest<'_>| {
        let mut out = Vec::new();
        let error = seal(request, &mut b"x".as_slice(), &mut out, &mut rng()).unwrap_err();
        assert!(matches!(error, SealError::Request(_)), "{error}");
        assert!(out.is_empty(), "something was written");
    };
    let mut none = request(&[], None);
    refusal(&none);
    none.locks.clear();
    refusal(&none);
    refusal(&request(&[&bob, &bob], None));
    let mut nine = request(&[], None);
    nine.locks = (0..9)
        .map(|_| LockRequest {
            recipients: vec![bob.addressee()],
            ..LockRequest::default()
        })
        .collect();
    refusal(&nine);
    let mut labels = request(&[&bob], None);
    labels.labels = BTreeMap::from([("x".repeat(65), "y".to_owned())]);
    refusal(&labels);
    labels.labels = BTreeMap::from([("x".to_owned(), "\u{1b}[2J".to_owned())]);
    refusal(&labels);
    labels.labels = BTreeMap::from([("x".to_owned(), String::new())]);
    refusal(&labels);
    labels.labels = (0..65).map(|i| (i.to_string(), "y".to_owned())).collect();
    refusal(&labels);
    let mut long = request(&[&bob], None);
    long.locks[0].recipients[0].recipient.name = "x".repeat(257);
    refusal(&long);
    // An invalid file name or subject is left out instead.
    let mut about = request(&[&bob], None);
    about.info.name = Some("x".repeat(256));
    about.info.subject = Some("\u{202e}gnp.exe".to_owned());
    opens(
        &sealed(&about, b"x"),
        &mut Keys::of(&[&bob]),
        b"x",
        "unfit names are left out",
    );
}
