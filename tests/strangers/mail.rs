//! Mail as people have it: broken headers, messages that are files, other mailboxes, forwarded messages.

use crate::letters::People;

/// The header that stands outside of a wrapped message.
fn outside(people: &People, message: &[u8]) -> String {
    let sealed = people.done(
        "alice",
        &["mail", "wrap", "--to", "bob@example.org"],
        message,
    );
    let text = String::from_utf8(sealed).unwrap();
    text.split("\n\n").next().unwrap().to_owned()
}

const HEAD: &str = "From: alice@example.org\nTo: bob@example.org\nSubject: s\n";

#[test]
fn entry_14_text_after_a_broken_end_of_the_header_stays_inside() {
    let people = People::new();
    let body = "Cc: the lawyer said no <bob@example.org>\nDate: tonight at nine\nIn-Reply-To: <he-said@no>\n";
    for line in [
        "no blank line came\n",
        " \n",
        "\t\n",
        "X : y\n",
        "X: y\r\r\n",
        "\0\n",
        "a line\rwith CR\n",
        "\x0c\n",
        ":\n",
    ] {
        let message = format!("{HEAD}{line}{body}");
        let outside = outside(&people, message.as_bytes());
        assert!(
            outside.starts_with("From: alice@example.org\nTo: bob@example.org\nSubject: [...]\n"),
            "{outside}"
        );
        for word in ["lawyer", "tonight", "he-said", "Cc:", "Date:"] {
            assert!(!outside.contains(word), "{line:?}: {outside}");
        }
        // Every byte comes back.
        let sealed = people.done(
            "alice",
            &["mail", "wrap", "--to", "bob@example.org"],
            message.as_bytes(),
        );
        assert_eq!(
            people.done("bob", &["mail", "unwrap"], &sealed),
            message.as_bytes()
        );
    }
}

#[test]
fn entry_14_what_is_lost_is_said() {
    let people = People::new();
    let message = format!("{HEAD}no blank line came\nCc: carol@example.org\n");
    let wrapped = people.run("alice", &["mail", "wrap"], message.as_bytes());
    let said = String::from_utf8_lossy(&wrapped.stderr);
    assert!(wrapped.status.success(), "{said}");
    assert!(
        said.contains("line 4 of the header is no header field") && said.contains("(Cc)"),
        "{said}"
    );
    // Nobody is found: why is said too.
    let message = "From: alice@example.org\nhello\nTo: bob@example.org\n";
    let wrapped = people.run("alice", &["mail", "wrap"], message.as_bytes());
    let said = String::from_utf8_lossy(&wrapped.stderr);
    assert_eq!(wrapped.status.code(), Some(7), "{said}");
    assert!(
        said.contains("line 2 of its header is no header field"),
        "{said}"
    );
    // A mail program has to know for whom it writes.
    let sent = people.run(
        "alice",
        &["mail", "send", "--", "true", "-t"],
        message.as_bytes(),
    );
    let said = String::from_utf8_lossy(&sent.stderr);
    assert_eq!(sent.status.code(), Some(65), "{said}");
}

#[test]
fn entry_14_an_unfolded_field_takes_along_no_text() {
    let people = People::new();
    let message = "From: alice@example.org\n  and the lawyer said no\nTo: bob@example.org\n the plan is off\nDate: tonight at nine\n\
                   In-Reply-To: he said <no>\n\nhi\n";
    assert_eq!(
        outside(&people, message.as_bytes())
            .lines()
            .take(3)
            .collect::<Vec<_>>(),
        [
            "From: alice@example.org",
            "To: bob@example.org",
            "Subject: [...]"
        ]
    );
}

#[test]
fn entry_18_a_name_in_latin_1_costs_the_name() {
    let people = People::new();
    let message = b"From: \"J\xF6rg\" <alice@example.org>\nReply-To: \xC4 <a@x.example>\nSender: \xE9 <b@x.example>\n\
        To: \"J\xFCrgen\" <bob@example.org>\nCc: Bob <bob@example.org>, \xFC <bob@example.org>\nSubject: s\n\nhi\n";
    let sealed = people.done("alice", &["mail", "wrap"], message);
    let text = String::from_utf8(sealed.clone()).unwrap();
    assert!(
        text.starts_with(
            "From: alice@example.org\nReply-To: a@x.example\nSender: b@x.example\nTo: bob@example.org\n\
             Cc: Bob <bob@example.org>, bob@example.org\n"
        ),
        "{text}"
    );
    assert_eq!(people.done("bob", &["mail", "unwrap"], &sealed), message);
}

#[test]
fn entry_15_a_message_that_is_itself_the_attachment_is_sealed() {
    let people = People::new();
    let wrap = ["mail", "wrap", "--attachments", "--to", "bob@example.org"];
    for kind in [
        "Content-Type: application/pdf; name=plan.pdf\nContent-Disposition: attachment; filename=plan.pdf\n",
        "Content-Type: image/tiff\n",
        "Content-Type: text/plain; name=plan.txt\n",
        "Content-Type: text/plain\nContent-Disposition: attachment\n",
        "Content-Type: multipart/mixed; boundary=b\n",
    ] {
        let message = format!(
            "From: alice@example.org\nSubject: the plan\nMIME-Version: 1.0\n{kind}Content-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n"
        );
        let sealed = people.done("alice", &wrap, message.as_bytes());
        let text = String::from_utf8(sealed.clone()).unwrap();
        assert!(!text.contains("JVBERi0xLjQK"), "{kind}");
        assert!(text.contains("\nSubject: the plan\n"), "{text}");
        assert_eq!(
            people.done("bob", &["mail", "unwrap"], &sealed),
            message.as_bytes(),
            "{kind}"
        );
        // What is sealed already is passed on.
        assert_eq!(people.done("alice", &wrap, &sealed), sealed);
    }
}

#[test]
fn entry_15_attachments_of_a_message_without_any_are_an_error() {
    let people = People::new();
    let wrap = ["mail", "wrap", "--attachments", "--to", "bob@example.org"];
    for message in [
        "From: alice@example.org\nSubject: s\n\nhello\n",
        "From: alice@example.org\nContent-Type: text/html\n\n<p>hello\n",
        "From: alice@example.org\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nhello\n--b--\n",
    ] {
        let refused = people.run("alice", &wrap, message.as_bytes());
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(
            refused.stdout.is_empty() && said.contains("--if-any"),
            "{said}"
        );
        let passed = people.done(
            "alice",
            &[&wrap[..], &["--if-any"]].concat(),
            message.as_bytes(),
        );
        assert_eq!(passed, message.as_bytes());
    }
}
