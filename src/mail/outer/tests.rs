use super::*;
use proptest::prelude::*;

mod values;

fn outer(header: &str) -> Outer {
    Outer::of(&read(header.as_bytes()), "[...]")
}

fn read(mut header: &[u8]) -> Header {
    Header::read(&mut header).unwrap()
}

fn written(fields: &[(String, String)], eol: Eol) -> String {
    let outer = Outer {
        fields: fields.to_vec(),
        warnings: Vec::new(),
    };
    String::from_utf8(outer.rendered(eol)).unwrap()
}

/// The fields as they are written, and the warnings.
fn outside(header: &str) -> (String, Vec<String>) {
    let outer = outer(header);
    let warnings = outer.warnings.iter().map(ToString::to_string).collect();
    (written(&outer.fields, Eol::Lf), warnings)
}

fn only(header: &str) -> String {
    let (text, warnings) = outside(header);
    assert_eq!(warnings, [""; 0], "{header}");
    text.strip_suffix("Subject: [...]\n").unwrap().to_owned()
}

fn left_out(header: &str) -> OuterWarning {
    let mut outer = outer(header);
    assert_eq!(outer.fields.len(), 1, "{:?}", outer.fields);
    assert_eq!(outer.warnings.len(), 1, "{:?}", outer.warnings);
    outer.warnings.remove(0)
}

#[test]
fn only_what_is_on_the_list_stands_outside() {
    let header = "Received: x\nFrom: a@x\nThread-Topic: secret\nSubject: secret\nBcc: b@x\nResent-Bcc: b@x\n\
        to: c@x,\n\td@x\nList-Id: <l.x>\nlist-secret-thing: 1\nList_X: 1\nX-List-Id: 2\nCc: \nPrecedence: bulk\n\
        Keywords: secret\nComments: secret\nIn-Reply-To:\n\t<1@x>\nReply-To: \t\n\n";
    let outer = outer(header);
    let names: Vec<&str> = outer.fields.iter().map(|field| field.0.as_str()).collect();
    let expected = [
        "From",
        "to",
        "List-Id",
        "Precedence",
        "In-Reply-To",
        "Subject",
    ];
    assert_eq!(names, expected);
    assert_eq!(outer.fields[1].1, "c@x, d@x");
    assert_eq!(outer.fields[5].1, "[...]");
    assert!(outer.warnings.is_empty());
    assert!(!written(&outer.fields, Eol::Lf).contains("secret"));
}

#[test]
fn a_subject_can_always_be_written() {
    let none = read(b"\n");
    for (given, expected) in [
        ("[...]", "Subject: [...]\n"),
        ("Größe", "Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\n"),
        (
            "a\r\nBcc: eve@y",
            "Subject: =?utf-8?q?a=0D=0ABcc=3A_eve=40y?=\n",
        ),
        ("  ", ""),
    ] {
        assert_eq!(written(&Outer::of(&none, given).fields, Eol::Lf), expected);
    }
    let long = "x".repeat(2_000);
    let text = written(&Outer::of(&none, &long).fields, Eol::Lf);
    assert!(text.lines().all(|line| line.len() <= 78));
    assert_eq!(
        words::decode(&read(text.as_bytes()).first("subject").unwrap().text()),
        long
    );
}

#[test]
fn of_two_the_first_is_shown() {
    let (one, two) = (
        "Mon, 30 Nov 2026 09:05:00 +0000",
        "Mon, 30 Nov 2026 10:05:00 +0000",
    );
    let (text, warnings) = outside(&format!(
        "From: a@x\nDate: {one}\nTo: b@x\nFROM: c@x\nDate: {two}\nTo: d@x\n\n"
    ));
    assert_eq!(
        text,
        format!("From: a@x\nDate: {one}\nTo: b@x\nTo: d@x\nSubject: [...]\n")
    );
    assert_eq!(
        warnings,
        [
            "FROM stands there twice; only the first is shown outside",
            "Date stands there twice; only the first is shown outside"
        ]
    );
    let bad_first = outer("From: a@\nFrom: b@x\n\n");
    assert_eq!(bad_first.fields.len(), 1);
    assert_eq!(only("From: \nFrom: b@x\n\n"), "From: b@x\n");
}

#[test]
fn a_name_that_cannot_be_read_costs_the_name() {
    let latin = b"From: J\xF6rg <j@x>\nTo: \"J\xFCrgen\" <b@x>, Bob <c@x>, d@x (\xE4)\n\n";
    let outer = Outer::of(&read(latin), "[...]");
    assert_eq!(
        written(&outer.fields, Eol::Lf),
        "From: j@x\nTo: b@x, Bob <c@x>, d@x\nSubject: [...]\n"
    );
    assert_eq!(outer.warnings.len(), 2);
    for name in [
        "a\x1Bb",
        "a\x7Fb",
        "a\u{85}b",
        "a\u{202E}b",
        "\u{FEFF}a",
        &"a".repeat(600),
    ] {
        let (text, warnings) = outside(&format!("To: {name} <b@x>\n\n"));
        assert_eq!(text, "To: b@x\nSubject: [...]\n", "{name:?}");
        assert!(warnings[0].contains("a name in To"), "{warnings:?}");
    }
}

#[test]
fn what_cannot_be_written_is_left_out_with_a_warning() {
    for field in [
        "To: j\u{f6}rg@x",
        "To: \u{feff}a@x",
        "Message-ID: <\u{f6}@x>",
        "Date: M\u{e4}rz",
        "List-Post: \u{f6}",
        "To: a@\u{f6}..x",
    ] {
        let warning = left_out(&format!("{field}\n\n"));
        let is_right = match field {
            "To: j\u{f6}rg@x" => matches!(warning, OuterWarning::Address { .. }),
            _ => matches!(warning, OuterWarning::Unreadable { .. }),
        };
        assert!(is_right, "{field}: {warning}");
    }
    let long = format!("References: <{}@x>\n\n", "a".repeat(1_000));
    assert!(matches!(left_out(&long), OuterWarning::LongWord { .. }));
}

#[test]
fn too_many_fields_are_left_out_with_one_warning() {
    let many = format!("{}\n", "To: a@x\n".repeat(OUTER_FIELDS_MAX + 5));
    let outer_fields = outer(&many);
    assert_eq!(outer_fields.fields.len(), OUTER_FIELDS_MAX / 2);
    assert_eq!(
        outer_fields.warnings,
        [OuterWarning::OverLimit {
            fields: 6 + OUTER_FIELDS_MAX / 2
        }]
    );
    let flood = format!("{}From: a@x\n\n", "List-Id: <y>\n".repeat(OUTER_FIELDS_MAX));
    let fields = outer(&flood).fields;
    assert!(fields.iter().any(|(name, _)| name == "From"));
    let bad = format!("{}\n", "List-Id: y\n".repeat(90_000));
    assert!(outer(&bad).warnings.len() <= OUTER_FIELDS_MAX);
    let big = format!(
        "{}\n",
        format!("To: {}a@x\n", "a@x, ".repeat(9_000)).repeat(20)
    );
    let outer_fields = outer(&big);
    assert!(written(&outer_fields.fields, Eol::CrLf).len() < HEADER_BYTES_MAX);
    assert!(matches!(
        outer_fields.warnings[..],
        [OuterWarning::OverLimit { .. }]
    ));
}

#[test]
fn names_become_encoded_words_and_domains_a_labels() {
    for (value, expected) in [
        ("Jörg <j@x>", "=?utf-8?q?J=C3=B6rg?= <j@x>"),
        (
            "Jörg<j@x>,Bob<b@x>",
            "=?utf-8?q?J=C3=B6rg?= <j@x>, Bob <b@x>",
        ),
        (
            "Bob <b@x>,\"Jörg, B.\" B<j@x>",
            "Bob <b@x>, =?utf-8?q?J=C3=B6rg=2C_B=2E_B?= <j@x>",
        ),
        (
            "j@x (Jörg (B)), b@x (B)",
            "=?utf-8?q?J=C3=B6rg_=28B=29?= <j@x>, B <b@x>",
        ),
        ("(ä)j@x", "j@x"),
        ("J (ä) B <j@x>", "J B <j@x>"),
        ("Ä: j@x, Bob <b@x>;, ö: ;", "j@x, Bob <b@x>"),
        ("j@exämple.org", "j@xn--exmple-cua.org"),
        (
            "Bob <j @ (ä) exämple . org (b)>",
            "Bob <j@xn--exmple-cua.org>",
        ),
        ("=?utf-8?q?=C3=84?= ö <j@x>", "=?utf-8?b?w4Qgw7Y=?= <j@x>"),
        ("用户 <j@x>", "=?utf-8?b?55So5oi3?= <j@x>"),
    ] {
        let text = only(&format!("To: {value}\n\n"));
        let field = read(text.as_bytes()).first("To").unwrap().text();
        assert_eq!(field, expected, "{value}");
    }
    assert_eq!(
        only("List-Id: Öl <l.x>\n\n"),
        "List-Id: =?utf-8?q?=C3=96l?= <l.x>\n"
    );
}

#[test]
fn lines_are_folded_where_nothing_is_torn() {
    let to = |count: usize| {
        format!(
            "To: {}z@x\n\n",
            "\"Bob, the builder\" <bob@example.org>, ".repeat(count)
        )
    };
    let text = only(&to(4));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "To: \"Bob, the builder\" <bob@example.org>,");
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2], " \"Bob, the builder\" <bob@example.org>, z@x");
    // A long id goes below its name, a longer one stays beside it.
    let id = |chars: usize| format!("Message-ID: <{}>\n\n", "i".repeat(chars - 2));
    assert_eq!(only(&id(66)).lines().count(), 1);
    assert_eq!(
        only(&id(67)),
        format!("Message-ID:\n <{}>\n", "i".repeat(65))
    );
    assert_eq!(only(&id(77)).lines().count(), 2);
    assert_eq!(only(&id(78)).lines().count(), 1);
    assert_eq!(only(&id(986)).lines().next().unwrap().len(), 998);
    assert!(matches!(left_out(&id(987)), OuterWarning::LongWord { .. }));
    // A string of more than a line is torn, since a line that is too long is worse.
    let text = only(&format!("From: \"{}b\" <b@x>\n\n", "a ".repeat(60)));
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    // A list without blanks gets some.
    let text = only(&format!("Cc: {}b@x\n\n", "bob@example.org,".repeat(400)));
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
}

#[test]
fn what_did_not_change_is_no_difference() {
    let inner = "From: Jörg <j@exämple.org>\nTo: \"Bob\" <bob@X.org>, c@x (C)\nTo: d@x\nDate: Mon, 30 Nov 2026 09:05:00 +0000\nList-Id: <l>\n\n";
    let fields = outer(inner).fields;
    for arrived in [
        written(&fields, Eol::CrLf) + "Received: a\nDKIM-Signature: b\nList-Post: c\nX: d\nCc:\n",
        "subject: [...]\nDATE:\n Mon,\n\t30\n Nov 2026 09:05:00 +0000\nTO:d@x\nTo:Bob <bob@x.ORG>,\n (,) \"C\" <c@x>\n\
            From: =?iso-8859-1?q?J=F6rg?= <j@EXÄMPLE.org>\nlist-id: <l>\n"
            .to_owned(),
    ] {
        assert_eq!(
            differences(&fields, &read(arrived.as_bytes())),
            [],
            "{arrived}"
        );
    }
}

#[test]
fn what_changed_is_told() {
    let date = "Mon, 30 Nov 2026 09:05:00 +0000";
    let fields = outer(&format!("From: a@x\nTo: b@x\nTo: c@x\nDate: {date}\n\n")).fields;
    let arrived = format!(
        "Subject: [list] [...]\nFrom: =?utf-8?q?via=20list?= <l@x>\nTo: c@x\nDate: {date}\nDate: {date}\nReply-To: l@x\nList-Id: l\n\n"
    );
    let told: Vec<_> = differences(&fields, &read(arrived.as_bytes()))
        .into_iter()
        .map(|told| {
            (
                told.name,
                told.inside.unwrap_or_default(),
                told.outside.unwrap_or_default(),
            )
        })
        .collect();
    let row = |name: &str, inside: &str, outside: &str| {
        (name.to_owned(), inside.to_owned(), outside.to_owned())
    };
    assert_eq!(
        told,
        [
            row("From", "a@x", "via list <l@x>"),
            row("To", "b@x", ""),
            row("Date", "", date),
            row("Subject", "[...]", "[list] [...]"),
            row("Reply-To", "", "l@x"),
        ]
    );
}

#[test]
fn hostile_headers_are_compared_in_no_time() {
    let fields = vec![("To".to_owned(), "a@x".to_owned()); 256];
    let begun = std::time::Instant::now();
    for name in ["To", "A", "From"] {
        let line = format!("{name}: b\n");
        let arrived = line.repeat(HEADER_BYTES_MAX / line.len());
        let _ = differences(&fields, &read(arrived.as_bytes()));
        let _ = outer(&arrived);
    }
    let blanks = format!("To: {}\n\n", "a ".repeat(HEADER_BYTES_MAX / 2 - 10));
    let _ = outer(&blanks);
    assert!(begun.elapsed().as_secs() < 10);
}

proptest! {
    #[test]
    fn unfolding_gives_the_value_again(
        name in "[A-Za-z-]{1,20}",
        value in "([!-~]{0,90} {1,2}|[!-~]{0,9} |\"[a-z ]{0,100}\" |<[a-z ]{0,100}>){0,20}[!-~]",
        crlf: bool,
    ) {
        let value = value.trim().to_owned();
        prop_assume!(fold::is_writable(&name, &value));
        let text = written(&[(name.clone(), value.clone())], if crlf { Eol::CrLf } else { Eol::Lf });
        let header = read(text.as_bytes());
        prop_assert_eq!(header.fields().count(), 1);
        prop_assert_eq!(header.first(&name).unwrap().text(), value);
        for (at, line) in text.lines().enumerate() {
            prop_assert!(!line.trim().is_empty() && line.len() <= 998);
            // Longer than it should be only with a single word.
            let words = line.split(' ').filter(|word| !word.is_empty()).count();
            let spread = line.trim().contains("  ");
            prop_assert!(line.len() <= 78 || spread || words <= if at == 0 { 2 } else { 1 }, "{}", line);
        }
    }

    #[test]
    fn anything_outside_is_ascii_and_reads_back(value in "([ab@<>(),;:.\"\\\\ ä=?]|Jö <a@b>,|a@bö|\\(ö\\)|=\\?utf-8\\?q\\?a\\?=|\\PC|\\p{Cc}){0,40}") {
        let header = format!("From: {value}\nTo: {value}\nReferences: {value}\nList-Id: {value}\n\n");
        let header = read(header.as_bytes());
        let outer = Outer::of(&header, &value);
        let text = written(&outer.fields, Eol::Lf);
        prop_assert!(text.is_ascii());
        let arrived = read(text.as_bytes());
        let read_back: Vec<_> = arrived.fields().map(|field| (field.name.to_owned(), field.text())).collect();
        prop_assert_eq!(&read_back, &outer.fields);
        prop_assert_eq!(differences(&outer.fields, &arrived), []);
        let names = |header: &Header| crate::mail::address::parse_list(&header.certain_fields().find(|field| field.name == "To")?.text())
            .ok()
            .map(|list| list.into_iter().map(|mailbox| mailbox.name).collect::<Vec<_>>());
        let is_whole = outer.warnings.iter().all(|warning| matches!(warning, OuterWarning::Doubtful { .. }));
        if let (Some(outside), Some(inside), true) = (names(&arrived), names(&header), is_whole) {
            prop_assert_eq!(inside, outside);
        }
    }
}
