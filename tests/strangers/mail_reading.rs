//! What `mail show` and `mail grep` see of a message that was sealed, and armor in a text.

use std::fs;

use encl::mail::Display;
use encl::operations::mail::mailbox::search::Searched;
use regex::Regex;

use crate::corpus::messages;
use crate::letters::People;
use crate::tell::tell;

const WRAP: [&str; 5] = ["mail", "wrap", "--to", "bob@example.org", "--anonymous"];

fn shown(people: &People, message: &[u8]) -> String {
    let sealed = people.done("alice", &WRAP, message);
    String::from_utf8(people.done("bob", &["mail", "show"], &sealed)).unwrap()
}

/// What `mail grep` finds in a message of these bytes, and what it says.
fn grepped(people: &People, pattern: &str, message: &[u8]) -> (String, String) {
    fs::write(people.path("one.eml"), message).unwrap();
    let output = people.run("bob", &["mail", "grep", pattern, "one.eml"], b"");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn finds(people: &People, message: &[u8]) {
    let (found, said) = grepped(people, "walrus", message);
    assert!(
        found.contains("the walrus"),
        "{said}\n{}",
        String::from_utf8_lossy(message)
    );
}

#[test]
fn entry_16_what_is_there_is_shown_and_found() {
    let people = People::new();
    for message in [
        "the walrus\n",
        "From: a@example.org\rSubject: s\r\rthe walrus\r",
        "From: a@example.org\nSubject: s\n \nthe walrus\n",
        "From: a@example.org\r\r\nSubject: s\r\r\n\r\r\nthe walrus\r\r\n",
        "From: a@example.org\nno field\nthe walrus\n",
        "Content-Type: multipart/mixed; boundary=b\n\n---b\n\nthe walrus\n---b--\n",
        "Content-Type: multipart/mixed\n\nthe walrus\n",
        "Content-Type: text/plain; charset=x-unknown\n\nthe walrus\n",
    ] {
        let shown = shown(&people, message.as_bytes());
        assert!(shown.contains("| the walrus"), "{message:?}: {shown}");
        finds(&people, &people.done("alice", &WRAP, message.as_bytes()));
    }
    let shown = shown(&people, b"From: a@example.org\nSubject: s\n\n");
    assert!(
        shown.contains("[-- encl: there is no text in it --]"),
        "{shown}"
    );
}

#[test]
fn entry_16_what_is_not_shown_or_not_searched_is_said() {
    let people = People::new();
    let message = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=x-none\n\nhi\n--b\n\
        Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\nAAECAwQ=\n--b--\n";
    let shown = shown(&people, message);
    assert!(
        shown.contains("part 1: its character set `x-none` is unknown"),
        "{shown}"
    );
    assert!(
        shown.contains("also encrypted: part 2, image/png `a.png`"),
        "{shown}"
    );
    let (_, said) = grepped(&people, "walrus", &people.done("alice", &WRAP, message));
    assert!(
        said.contains("one.eml: part 1: its character set `x-none` is unknown"),
        "{said}"
    );
    assert!(said.contains("1 part was not searched: no text"), "{said}");
}

fn mixed(parts: &[&str]) -> String {
    format!(
        "From: a@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\n{}\n--b--\n",
        parts.join("\n--b\n")
    )
}

#[test]
fn entry_17_messages_within_bounces_and_attached_texts_are_searched() {
    let people = People::new();
    let inner = "From: c@example.org\nSubject: inner\n\nthe walrus\n";
    let encoded = encl::json::to_b64(inner.as_bytes());
    for part in [
        format!("Content-Type: message/rfc822\n\n{inner}"),
        format!("Content-Type: message/rfc822\nContent-Disposition: attachment\n\n{inner}"),
        format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{encoded}\n"),
        format!(
            "Content-Type: application/octet-stream; name=\"a letter.eml\"\nContent-Transfer-Encoding: base64\n\n{encoded}\n"
        ),
        "Content-Type: message/delivery-status\n\nDiagnostic-Code: the walrus\n".to_owned(),
        "Content-Type: text/rfc822-headers\n\nSubject: the walrus\n".to_owned(),
        "Content-Type: text/plain; name=notes.txt\n\nthe walrus\n".to_owned(),
        "Content-Type: text/csv\nContent-Disposition: attachment; filename=a.csv\n\nthe walrus;1\n"
            .to_owned(),
        "Content-Type: application/json\n\n{\"who\": \"the walrus\"}\n".to_owned(),
        "Content-Type: text/plain\nthe walrus\n".to_owned(),
    ] {
        let message = mixed(&["Content-Type: text/plain\n\nsee below", &part]);
        finds(&people, &people.done("alice", &WRAP, message.as_bytes()));
    }
    let subject = mixed(&[
        "\nhi",
        &format!(
            "Content-Type: message/rfc822\n\n{}",
            inner.replace("inner", "the walrus")
        ),
    ]);
    finds(&people, &people.done("alice", &WRAP, subject.as_bytes()));
}

#[test]
fn entry_17_a_sealed_message_that_is_attached_is_searched() {
    let people = People::new();
    let sealed = people.done(
        "alice",
        &WRAP,
        b"From: a@example.org\nSubject: s\n\nthe walrus\n",
    );
    let text = String::from_utf8(sealed.clone()).unwrap();
    let encoded = encl::json::to_b64(&sealed);
    for part in [
        format!("Content-Type: message/rfc822\n\n{text}"),
        format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{encoded}\n"),
        format!(
            "Content-Type: application/octet-stream; name=a.eml\nContent-Transfer-Encoding: base64\n\n{encoded}\n"
        ),
    ] {
        let forwarded = mixed(&["Content-Type: text/plain\n\nlook at this", &part]);
        // As it arrives, and sealed once more.
        finds(&people, forwarded.as_bytes());
        finds(&people, &people.done("alice", &WRAP, forwarded.as_bytes()));
    }
    // One that is for somebody else is reported.
    let for_alice = people.done(
        "alice",
        &["mail", "wrap", "--to", "alice@example.org"],
        b"Subject: s\n\nhi\n",
    );
    let part = format!(
        "Content-Type: message/rfc822\n\n{}",
        String::from_utf8(for_alice).unwrap()
    );
    let (_, said) = grepped(&people, "walrus", mixed(&["\nhi", &part]).as_bytes());
    assert!(said.contains("was not opened"), "{said}");
}

/// Words of a text that people would look for.
fn words(text: &str) -> Vec<String> {
    // Lines of dashes may be delimiters, which are no text.
    let lines = text.lines().filter(|line| !line.starts_with("--"));
    let words = lines.flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric()));
    let mut words: Vec<String> = words
        .filter(|word| word.len() >= 5)
        .map(str::to_owned)
        .collect();
    words.sort();
    words.dedup();
    words.truncate(40);
    words
}

/// The words of every text part, as another parser sees them.
fn words_of_texts(mail: &mailparse::ParsedMail<'_>, tags: &Regex) -> Vec<String> {
    let mut found: Vec<String> = mail
        .subparts
        .iter()
        .flat_map(|part| words_of_texts(part, tags))
        .collect();
    if let (true, Ok(body)) = (
        mail.subparts.is_empty() && mail.ctype.mimetype.starts_with("text/"),
        mail.get_body(),
    ) {
        found.extend(match &*mail.ctype.mimetype {
            "text/html" => words(&tags.replace_all(&body, " ")),
            _ => words(&body),
        });
    }
    found
}

#[test]
fn entry_17_every_word_of_every_text_of_the_corpus_is_found() {
    let tags = "(?is)<!--.*?-->|<(style|script|head|title)[^>]*>.*?</(style|script|head|title)>|<[^>]*>|&[#a-z0-9]+;?";
    let tags = Regex::new(tags).unwrap();
    let (mut count, mut unreadable, mut missing) = (0, 0, Vec::new());
    for message in messages() {
        let Ok(mail) = mailparse::parse_mail(&message.bytes) else {
            continue;
        };
        let display = Display::of(&message.bytes.as_slice()).unwrap();
        for word in words_of_texts(&mail, &tags) {
            let mut searched = Searched::default();
            searched.add(&display, &|line| line.contains(&word));
            count += 1;
            if !searched.lines.is_empty() {
                continue;
            }
            match searched.unread.is_empty() {
                true => missing.push(format!("{}: {word}", message.name)),
                false => unreadable += 1,
            }
        }
    }
    tell(&format!(
        "strangers: {count} words of texts, {unreadable} in parts that are said to be unreadable"
    ));
    assert!(
        count > 300 && unreadable < count / 20,
        "{count}, {unreadable}"
    );
    assert!(
        missing.is_empty(),
        "{} missing: {:#?}",
        missing.len(),
        &missing[..missing.len().min(30)]
    );
}

#[test]
fn entry_8_armor_below_a_greeting_is_found() {
    let people = People::new();
    fs::write(people.path("a.txt"), "hello\n").unwrap();
    people.done(
        "alice",
        &[
            "wrap",
            "a.txt",
            "--to",
            "bob@example.org",
            "--armor",
            "-o",
            "arm.txt",
        ],
        b"",
    );
    let armor = fs::read_to_string(people.path("arm.txt")).unwrap();
    let quoted = armor.replace('=', "=3D");
    for text in [
        format!("From: a@b.example\nSubject: x\n\nHi Bob,\n\n{armor}"),
        format!("From: a@b.example\nSubject: x\n\nHi Bob,\n\n{armor}-- \nAlice\n"),
        format!(
            "From: a@b.example\r\nSubject: x\r\n\r\nHi Bob,\r\n\r\n{}",
            armor.replace('\n', "\r\n")
        ),
        format!(
            "From: a@b.example\nContent-Transfer-Encoding: quoted-printable\n\nHi B=6Fb,\n\n{quoted}"
        ),
        format!(
            "From: a@b.example\n\n{}\n{armor}",
            "a long greeting\n".repeat(10_000)
        ),
        mixed(&[&format!("Content-Type: text/plain\n\nHi Bob,\n{armor}")]),
    ] {
        let opened = people.run(
            "bob",
            &["mail", "unwrap", "--allow-from-mismatch"],
            text.as_bytes(),
        );
        let said = String::from_utf8_lossy(&opened.stderr);
        assert_eq!(opened.stdout, b"hello\n", "{said}");
        assert!(said.contains("before the envelope in part 1"), "{said}");
        // It is no sealed message: delivery seals it.
        let delivered = people.done(
            "alice",
            &["mail", "deliver", "--for", "bob@example.org"],
            text.as_bytes(),
        );
        assert!(!String::from_utf8(delivered).unwrap().contains("Hi B"));
        let attachments = ["mail", "wrap", "--attachments", "--to", "bob@example.org"];
        let named = text.replacen(
            "From:",
            "Content-Disposition: attachment; filename=a.txt\nFrom:",
            1,
        );
        if !text.contains("multipart") {
            let sealed = people.done("alice", &attachments, named.as_bytes());
            assert!(
                !String::from_utf8(sealed)
                    .unwrap()
                    .contains("greeting\na long")
            );
        }
    }
}

#[test]
fn cr_cr_lf_and_dashes_too_many_are_named() {
    let people = People::new();
    let sealed = String::from_utf8(people.done("alice", &WRAP, b"Subject: s\n\nhi\n")).unwrap();
    for (arrived, reason) in [
        (sealed.replace('\n', "\r\r\n"), "line 1 ends in CR CR LF"),
        (
            sealed.replace("\n--encl-", "\n---encl-"),
            "has other dashes than the boundary in the header",
        ),
    ] {
        let opened = people.run("bob", &["mail", "unwrap"], arrived.as_bytes());
        let said = String::from_utf8_lossy(&opened.stderr);
        assert_eq!(opened.status.code(), Some(4), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn entry_18_a_from_with_a_tag_is_mine() {
    let people = People::new();
    let message = b"From: Alice <alice+lists@example.org>\nTo: bob@example.org\nSubject: s\n\nhi\n";
    let sealed = people.run("alice", &["mail", "wrap"], message);
    let said = String::from_utf8_lossy(&sealed.stderr);
    assert!(!said.contains("not signed"), "{said}");
    let opened = people.run("bob", &["mail", "unwrap"], &sealed.stdout);
    assert_eq!(
        opened.stdout,
        message,
        "{}",
        String::from_utf8_lossy(&opened.stderr)
    );
    // A stranger has no tag of Alice's.
    people.done(
        "mallory",
        &[
            "key",
            "new",
            "mallory@example.org",
            "--name",
            "mallory",
            "--no-passphrase",
        ],
        b"",
    );
    people.done("mallory", &["contact", "add", "bob.card", "--yes"], b"");
    let forged = ["mail", "wrap", "--as", "mallory@example.org"];
    let forged = people.run("mallory", &forged, message).stdout;
    assert_eq!(
        people
            .run("bob", &["mail", "unwrap"], &forged)
            .status
            .code(),
        Some(4)
    );
    // Somebody else's card with that very address comes first.
    let other = people.done(
        "eve",
        &[
            "key",
            "new",
            "alice+lists@example.org",
            "--name",
            "eve",
            "--no-passphrase",
        ],
        b"",
    );
    fs::write(people.path("eve.card"), other).unwrap();
    people.done("bob", &["contact", "add", "eve.card", "--yes"], b"");
    let opened = people.run("bob", &["mail", "unwrap"], &sealed.stdout);
    assert_eq!(opened.status.code(), Some(4));
}
