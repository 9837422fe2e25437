//! What of each field stands outside.

use super::*;

#[test]
fn of_each_field_stands_outside_what_it_consists_of() {
    for (field, expected) in [
        (
            "Date: Mon, 30 Nov 2026 09:05 GMT (UTC)",
            "Date: Mon, 30 Nov 2026 09:05:00 +0000",
        ),
        (
            "Date: 1 Feb 26 10:00:00 -0330",
            "Date: Sun, 1 Feb 2026 10:00:00 -0330",
        ),
        ("Message-ID: <1@x>", "Message-ID: <1@x>"),
        ("Message-ID: <1>", "Message-ID: <1>"),
        (
            "References: <1@x>\n <2@x>,<3>",
            "References: <1@x> <2@x> <3>",
        ),
        ("To: a@x (Bob), (c) (d) <e@x>", "To: Bob <a@x>, e@x"),
        ("To: Us: Bob <b@x>, c@x;, them:;", "To: Bob <b@x>, c@x"),
        ("Cc: undisclosed-recipients:;", ""),
        (
            "Auto-Submitted: Auto-Replied; owner=x (vacation)",
            "Auto-Submitted: auto-replied",
        ),
        ("List-Id: The list <l.x> (c)", "List-Id: The list <l.x>"),
        (
            "List-Id: \"A, list\" <l.x>",
            "List-Id: =?utf-8?q?A=2C_list?= <l.x>",
        ),
        ("List-Post: NO (closed)", "List-Post: NO"),
        (
            "List-Help: <mailto:a@x> (ask), <https://x/?y=z>",
            "List-Help: <mailto:a@x>, <https://x/?y=z>",
        ),
        (
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ),
    ] {
        let text = only(&format!("{field}\n\n"));
        assert_eq!(text.trim_end(), expected, "{field}");
    }
}

#[test]
fn what_else_stands_in_a_field_stays_inside() {
    for (field, expected) in [
        ("To: a@x\n the lawyer said no", "To: a@x"),
        ("To: a@x, the lawyer said no", "To: a@x"),
        ("To: the lawyer: \"he said no <b@x>, a@x", "To: b@x, a@x"),
        ("To: [Bob] <b@x>, c@x", "To: b@x, c@x"),
        (
            "In-Reply-To: your letter <of Monday> <1@x> <no>",
            "In-Reply-To: <1@x>",
        ),
        ("References: <1@x> said <no", "References: <1@x>"),
        ("List-Id: <l.x>\n and the text", "List-Id: <l.x>"),
    ] {
        let (text, warnings) = outside(&format!("{field}\n\n"));
        assert_eq!(text, format!("{expected}\nSubject: [...]\n"), "{field}");
        assert!(warnings[0].contains("cannot be read whole"), "{warnings:?}");
    }
    for field in [
        "To: the lawyer said no",
        "To: meet me at bob@x tomorrow",
        "Date: tonight at nine",
        "Date: Mon, 30 Nov 2026 09:05:00 +0000 at nine",
        "Message-ID: never",
        "In-Reply-To: your letter <of Monday>",
        "Auto-Submitted: by the lawyer",
        "Precedence: the lawyer",
        "List-Id: the lawyer",
        "List-Id: <the lawyer>",
        "List-Help: <the lawyer: no>",
        "List-Unsubscribe-Post: the lawyer",
    ] {
        let warning = left_out(&format!("{field}\n\n"));
        assert!(
            matches!(warning, OuterWarning::Unreadable { .. }),
            "{field}"
        );
    }
}

#[test]
fn nothing_stands_outside_behind_a_line_of_doubt() {
    for (line, doubt) in [
        ("no blank line came", Doubt::NoField),
        (" ", Doubt::Blanks),
        ("Cc : c@x", Doubt::BlankBeforeColon),
        ("X: \ry", Doubt::BareCr),
        ("X: \0", Doubt::Control),
    ] {
        let (text, warnings) = outside(&format!("To: a@x,\n b@x\n{line}\nDate: 1\nCC: d@x\n\n"));
        assert_eq!(text, "To: a@x, b@x\nSubject: [...]\n", "{line:?}");
        let [warning] = &warnings[..] else {
            panic!("{warnings:?}");
        };
        assert!(
            warning.starts_with(&format!("line 3 of the header {doubt}: ")),
            "{warning}"
        );
    }
    // A field that goes on behind it is cut there.
    let (text, warnings) = outside("To: a@x,\n \n b@x\n\n");
    assert_eq!(text, "To: a@x\nSubject: [...]\n");
    assert!(warnings[0].ends_with("(To)"), "{warnings:?}");
}
