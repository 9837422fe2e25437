use super::*;

fn header(text: &str) -> Header {
    Header::read(&mut text.as_bytes()).unwrap()
}

#[test]
fn a_message_is_told_by_what_it_begins_with() {
    for message in [
        "From: bob@example.org\n\nhello\n",
        "From: bob@example.org",
        "X-Mailer: something\r\nDate: today\r\n\r\n",
        "From bob@example.org Tue Nov 24 06:24:00 2026\nReceived: by mail\n\n",
        "Subject: my\n card\nMIME-Version: 1.0\n\n",
    ] {
        assert!(is_message(message.as_bytes()), "{message}");
    }
    for text in [
        "",
        "\nFrom: bob@example.org\n\n",
        "Alice asks for your card\nFrom: here\n",
        "Subject: no message has this field alone\n\n",
        "Note: hello\n\nFrom: bob\n",
        "From bob",
        "encl-card1:AAAA",
        "-----\nFrom: x\n",
    ] {
        assert!(!is_message(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_sender_is_one_address_in_one_field() {
    let one = |text: &str| sender(&header(text)).unwrap();
    assert_eq!(one("From: Bob <bob@example.org>\n\n"), "bob@example.org");
    assert_eq!(
        one("To: x@y\nfrom:\n bob@example.org (Bob)\n\n"),
        "bob@example.org"
    );
    for none in [
        "To: bob@example.org\n\n",
        "From: \n\n",
        "From: bob@example.org\nFrom: bob@example.org\n\n",
        "From: bob@example.org, eve@example.org\n\n",
        "From: Bob\n\n",
        "From: people: ;\n\n",
    ] {
        sender(&header(none)).unwrap_err();
    }
}

#[test]
fn html_is_what_stands_between_its_tags() {
    let mut is_in_tag = false;
    let mut text = b"<p title=x>encl-<br>card1:<b >AB</b>\n".to_vec();
    text.retain(|byte| is_text(*byte, &mut is_in_tag));
    assert_eq!(text, b"encl-card1:AB\n");
}

#[test]
fn a_card_that_stands_first_is_no_text_about_cards() {
    assert!(begins_like_a_card(b"\n> encl-card1:eyJ"));
    assert!(!begins_like_a_card(b"see encl-card1:eyJ"));
    assert!(!begins_like_a_card(b""));
}
