use std::fmt::Write as _;

use super::*;

fn shown(message: &str) -> Display {
    Display::of(&message.as_bytes()).unwrap()
}

#[test]
fn texts_are_decoded_and_attachments_listed() {
    let display = shown(
        "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
         Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
         f=FCr dich\n--b\nContent-Type: application/pdf; name=a.pdf\n\nxxxx\n--b--\n",
    );
    assert_eq!(display.field("subject").unwrap(), "Gr\u{fc}\u{df}e");
    assert_eq!(display.texts[0].text.trim(), "f\u{fc}r dich");
    assert_eq!(display.others[0].name.as_deref(), Some("a.pdf"));
    assert_eq!(display.others[0].bytes, 4);
}

#[test]
fn of_two_forms_the_plain_one_is_shown() {
    let display = shown(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\n\
         Content-Type: text/html\n\n<p>rich\n--b--\n",
    );
    assert_eq!(display.texts.len(), 1);
    assert_eq!(display.texts[0].text.trim(), "plain");
    assert!(display.others.is_empty());
    assert_eq!(display.attached[0].text.trim(), "rich");
}

#[test]
fn html_alone_is_read_as_text() {
    let display = shown("Content-Type: text/html\n\n<p>a &amp; b<br>c<script>x()</script>\n");
    assert_eq!(display.texts[0].text.trim(), "a & b\nc");
}

#[test]
fn an_unknown_charset_and_bad_base64_are_shown_as_they_stand() {
    let display = shown(
        "Content-Type: text/plain; charset=\"x; y\"\nContent-Transfer-Encoding: base64\n\n%%%\n",
    );
    assert!(display.texts[0].text.contains("%%%"));
}

#[test]
fn a_message_beyond_the_limits_is_text() {
    let mut deep = String::new();
    for depth in 0..150 {
        writeln!(
            deep,
            "Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}"
        )
        .unwrap();
    }
    let display = shown(&deep);
    assert!(display.texts[0].text.contains("--b1"));
    assert!(matches!(display.unread[0].why, Why::Intricate { .. }));
}

#[test]
fn what_is_said_of_a_charset_and_an_encoding() {
    let display = shown("Content-Type: text/plain; charset=x-none\n\nabc\n");
    assert_eq!(display.texts[0].text.trim(), "abc");
    assert_eq!(
        display.unread[0].to_string(),
        "part 1: its character set `x-none` is unknown"
    );
    let display = shown("Content-Transfer-Encoding: base64\n\naGVsbG8=\n-- \nfooter\n");
    assert_eq!(display.texts[0].text, "hello");
    assert_eq!(display.unread[0].why, Why::Undecodable);
}

#[test]
fn a_text_is_shown_wherever_the_header_ends() {
    for message in [
        "hello there\n",
        "From: a@x\rSubject: s\r\rhello there\r",
        "From: a@x\n \nhello there\n",
        "From: a@x\r\r\n\r\r\nhello there\r\r\n",
        "From: a@x\nSubject: s\nhello there\nCc: b@x\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--other\n\nhello there\n--other--\n",
        "Content-Type: multipart/mixed\n\nhello there\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nhello there\n--b--\n",
    ] {
        let display = shown(message);
        let texts: Vec<&str> = display.texts.iter().map(|text| &*text.text).collect();
        assert!(
            texts.concat().lines().any(|line| line == "hello there"),
            "{message:?}: {texts:?}"
        );
    }
}

#[test]
fn messages_within_are_read() {
    let inner = "From: c@x\nSubject: inner\n\nthe walrus\n";
    let encoded = crate::json::to_b64(inner.as_bytes());
    for part in [
        format!("Content-Type: message/rfc822\n\n{inner}"),
        format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{encoded}\n"),
        format!(
            "Content-Type: application/octet-stream; name=a.EML\nContent-Transfer-Encoding: base64\n\n{encoded}\n"
        ),
    ] {
        let display = shown(&format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n{part}\n--b--\n"
        ));
        let texts: Vec<&str> = display.texts.iter().map(|text| text.text.trim()).collect();
        assert_eq!(texts, ["From: c@x\nSubject: inner", "the walrus"], "{part}");
    }
    let mut deep = inner.to_owned();
    for _ in 0..12 {
        let encoded = crate::json::to_b64(deep.as_bytes());
        deep = format!(
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{encoded}\n"
        );
    }
    assert_eq!(shown(&deep).unread[0].why, Why::TooDeep);
}

#[test]
fn what_is_text_by_its_bytes_is_searched_and_binaries_are_not() {
    let display = shown(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/x-log; name=a.log\n\nthe walrus\n--b\n\
         Content-Type: text/plain; name=b.txt\n\nthe carpenter\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n\
         AAECAwQ=\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n--b--\n",
    );
    let attached: Vec<&str> = display
        .attached
        .iter()
        .map(|text| text.text.trim())
        .collect();
    assert_eq!(attached, ["the walrus", "the carpenter"]);
    assert_eq!(display.texts[0].text.trim(), "Action: failed");
    assert_eq!(display.others.len(), 3);
    assert_eq!(display.unread.len(), 1);
    assert_eq!(
        (&*display.unread[0].number, &display.unread[0].why),
        ("3", &Why::Binary)
    );
}
