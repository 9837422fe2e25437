//! Strict JSON, in each of the three objects and at every place.

use encl::envelope::Class;

use crate::kit::{Forge, Keys, Person, access, opens, refused};

/// Which of the three objects a case is about.
#[derive(Clone, Copy, Debug)]
enum Line {
    Policy,
    Access,
    Private,
}

/// An honest envelope with one line rewritten. Everything that depends on the line is made again.
fn with(line: Line, bob: &Person, rewrite: &dyn Fn(&str) -> String) -> Vec<u8> {
    let mut forge = Forge::new(
        &[bob],
        r#""created":"2026-11-24T06:24:00Z","labels":{"d":"x"},"#,
    );
    if let Line::Policy = line {
        forge.policy = rewrite(&forge.policy);
    }
    let mut access = forge.slots(&[bob]);
    if let Line::Access = line {
        access = rewrite(&access);
    }
    let private = r#"{"name":"a.txt","modified":"2026-11-24T06:24:00Z"}"#;
    let private = if let Line::Private = line {
        rewrite(private)
    } else {
        private.to_owned()
    };
    forge.envelope(&access, format!("{private}\nx").as_bytes())
}

/// Texts of each line that faults replace.
fn places(line: Line) -> &'static [&'static str] {
    match line {
        Line::Policy => &[
            "\"none\"",
            "\"x\"",
            "\"Bob\"",
            "false",
            "\"2026-11-24T06:24:00Z\"",
        ],
        Line::Access => &["\"lock\":0"],
        Line::Private => &["\"a.txt\"", "\"2026-11-24T06:24:00Z\""],
    }
}

const LINES: [Line; 3] = [Line::Policy, Line::Access, Line::Private];

#[test]
fn different_spellings_are_accepted() {
    let bob = Person::classic("Bob");
    for line in LINES {
        for rewrite in [
            (|text: &str| text.to_owned()) as fn(&str) -> String,
            |text| text.replace(',', " , ").replace('{', "{ "),
            |text| format!("  {text}   "),
            |text| {
                text.replace("\"Bob\"", "\"\\u0042ob\"")
                    .replace("\"lock\"", "\"\\u006cock\"")
            },
        ] {
            opens(
                &with(line, &bob, &rewrite),
                &mut Keys::of(&[&bob]),
                b"x",
                "spelled differently",
            );
        }
    }
}

#[test]
fn each_refusal_of_the_text_in_each_object() {
    let bob = Person::classic("Bob");
    let values = [
        "null",
        "1.0",
        "1e0",
        "-0",
        "-1",
        "01",
        "10000000000",
        "[]",
        "\"\"",
        "\"\\u0000\"",
        "\"\\u001b[2J\"",
        "\"\\u007f\"",
        "\"\\u0085\"",
        "\"\\u2028\"",
        "\"\\u202e\"",
        "\"\\u2066\"",
        "\"\\ufeff\"",
        "\"\u{202e}\"",
        "\"\u{feff}\"",
        "\"\u{2029}\"",
        "\"\\ud800\"",
        "\"\\udc00x\"",
        "\"\t\"",
        "\"\u{1b}\"",
        "\"\u{7f}\"",
        "\"\u{0}\"",
        "nan",
        "'x'",
    ];
    let mut cases = 0;
    for line in LINES {
        for place in places(line) {
            for value in values {
                let fault = if *place == "\"lock\":0" {
                    format!("\"lock\":{value}")
                } else {
                    value.to_owned()
                };
                let envelope = with(line, &bob, &|text| text.replacen(place, &fault, 1));
                refused(
                    &envelope,
                    &mut Keys::of(&[&bob]),
                    Class::Malformed,
                    &format!("{line:?}: {fault} for {place}"),
                );
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 8 * values.len());
}

#[test]
fn frames_that_are_not_one_object() {
    let bob = Person::classic("Bob");
    for line in LINES {
        let rewrites: [&dyn Fn(&str) -> String; 11] = [
            &|text| format!("[{text}]"),
            &|text| format!("{text}{text}"),
            &|text| format!("{text},"),
            &|text| format!("{text}x"),
            &|text| format!("\u{feff}{text}"),
            &|text| format!("\t{text}"),
            &|text| text.replacen('{', "", 1),
            &|text| text[..text.len() - 1].to_owned(),
            &|_| String::new(),
            &|_| "[]".to_owned(),
            &|text| text.replacen(':', "=", 1),
        ];
        for (number, rewrite) in rewrites.iter().enumerate() {
            let envelope = with(line, &bob, rewrite);
            refused(
                &envelope,
                &mut Keys::of(&[&bob]),
                Class::Malformed,
                &format!("{line:?}, frame {number}"),
            );
        }
    }
}

#[test]
fn repeated_unknown_missing_and_too_deep_members() {
    let bob = Person::classic("Bob");
    let first = |line: Line| match line {
        Line::Policy => "\"signed\":false",
        Line::Access => "\"slots\":[",
        Line::Private => "\"name\":\"a.txt\"",
    };
    for line in LINES {
        let keys = || Keys::of(&[&bob]);
        let case = |rewrite: &dyn Fn(&str) -> String, class, what: &str| {
            refused(
                &with(line, &bob, rewrite),
                &mut keys(),
                class,
                &format!("{line:?}: {what}"),
            );
        };
        let add =
            |member: &'static str| move |text: &str| text.replacen('{', &format!("{{{member},"), 1);
        case(
            &add(r#""signed":true,"slots":[],"name":"b","signed":true,"slots":[],"name":"b""#),
            Class::Malformed,
            "twice",
        );
        case(
            &add(r#""x":1,"\u0078":1"#),
            Class::Malformed,
            "twice by an escape",
        );
        case(&add(r#""colour":"red""#), Class::Newer, "an unknown member");
        case(
            &add(r#""Signed":true,"Slots":[],"Name":"b""#),
            Class::Newer,
            "another case",
        );
        case(
            &add(r#""x":[[[[[[[1]]]]]]]"#),
            Class::Newer,
            "eight levels, and unknown",
        );
        case(
            &add(r#""x":[[[[[[[[1]]]]]]]]"#),
            Class::Malformed,
            "nine levels",
        );
        let many: Vec<_> = (0..65).map(|i| format!("\"m{i}\":1,")).collect();
        let many = many.concat();
        case(
            &|text| text.replacen('{', &format!("{{{many}"), 1),
            Class::OverLimit,
            "over 64 members",
        );
        case(
            &|text| text.replacen(first(line), &first(line).replacen('"', "\"x", 1), 1),
            Class::Newer,
            "renamed",
        );
    }
}

#[test]
fn each_missing_member_is_malformed() {
    let bob = Person::classic("Bob");
    let without = |line: Line, name: &str| {
        with(line, &bob, &|text| {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            strip(value, name).to_string()
        })
    };
    let policy = [
        "locks",
        "signed",
        "private",
        "padding",
        "kind",
        "need",
        "commit",
        "recipients",
        "name",
        "id",
    ];
    let mut cases = 0;
    for name in policy {
        refused(
            &without(Line::Policy, name),
            &mut Keys::of(&[&bob]),
            Class::Malformed,
            name,
        );
        cases += 1;
    }
    for name in ["slots", "lock", "key", "enc", "ct"] {
        refused(
            &without(Line::Access, name),
            &mut Keys::of(&[&bob]),
            Class::Malformed,
            name,
        );
        cases += 1;
    }
    let no_key = with(Line::Policy, &bob, &|text| {
        let at = text.find(",\"key\":").unwrap();
        let end = text[at + 7..].find(']').unwrap() + at + 6;
        format!("{}{}", &text[..at], &text[end..])
    });
    refused(
        &no_key,
        &mut Keys::of(&[&bob]),
        Class::Malformed,
        "a recipient without key",
    );
    assert_eq!(cases + 1, 16);
    // Every member of the private line is optional.
    for name in ["name", "modified"] {
        opens(
            &without(Line::Private, name),
            &mut Keys::of(&[&bob]),
            b"x",
            name,
        );
    }
}

/// The value without any member of this name, at every depth.
fn strip(value: serde_json::Value, name: &str) -> serde_json::Value {
    match value {
        serde_json::Value::Object(members) => {
            let kept = members.into_iter().filter(|(member, _)| member != name);
            kept.map(|(member, value)| (member, strip(value, name)))
                .collect()
        }
        serde_json::Value::Array(items) => {
            items.into_iter().map(|item| strip(item, name)).collect()
        }
        other => other,
    }
}

#[test]
fn an_array_instead_of_an_object_at_every_depth() {
    let bob = Person::classic("Bob");
    // Parsers that also read records from arrays would accept these.
    for (what, from, to) in [
        (
            "a lock",
            "[{\"kind\":\"recipients\",\"need\":1,",
            "[[\"recipients\",1,",
        ),
        ("labels", "{\"d\":\"x\"}", "[\"d\",\"x\"]"),
        ("a recipient", "{\"name\":\"Bob\"", "[\"Bob\""),
    ] {
        let envelope = with(Line::Policy, &bob, &|text| text.replacen(from, to, 1));
        refused(&envelope, &mut Keys::of(&[&bob]), Class::Malformed, what);
    }
    let forge = Forge::new(&[&bob], "");
    let slot = forge.slot(&bob);
    let values: serde_json::Value = serde_json::from_str(&slot).unwrap();
    let listed: Vec<_> = ["lock", "key", "enc", "ct"]
        .iter()
        .map(|name| values[name].to_string())
        .collect();
    let envelope = forge.envelope(&access(&[format!("[{}]", listed.join(","))]), b"{}\nx");
    refused(
        &envelope,
        &mut Keys::of(&[&bob]),
        Class::Malformed,
        "a slot",
    );
}

#[test]
fn times_are_real_and_in_one_shape() {
    let bob = Person::classic("Bob");
    for time in [
        "2026-02-30T00:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T06:24:60Z",
        "1969-12-31T23:59:59Z",
        "2026-11-24T06:24:00",
        "2026-11-24t06:24:00z",
        "2026-11-24 06:24:00Z",
        "2026-11-24T06:24:00+00:00",
        "2026-11-24T06:24:00.0Z",
    ] {
        for line in [Line::Policy, Line::Private] {
            let envelope = with(line, &bob, &|text| {
                text.replace("2026-11-24T06:24:00Z", time)
            });
            refused(&envelope, &mut Keys::of(&[&bob]), Class::Malformed, time);
        }
    }
}
