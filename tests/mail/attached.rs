//! Attachments that the program seals in place: every multipart message of the corpus, and changed messages that must not be
//! restored.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::complaints::complaints;
use crate::corpus::messages;
use crate::forms::forms;
use crate::letters::{People, replaced};
use crate::tell::tell;

const WRAP: [&str; 5] = ["mail", "wrap", "--attachments", "--to", "bob@example.org"];

#[test]
fn every_message_with_attachments_is_restored() {
    let people = People::new();
    let messages: Vec<_> = messages().collect();
    let cases: Vec<_> = messages
        .iter()
        .flat_map(|message| forms(message).map(|(form, bytes)| (message, form, bytes)))
        .collect();
    let (sealed_count, plain_count) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let complaints = complaints(&cases, |(message, form, bytes)| {
        let arguments = [&WRAP[..], &["--bcc", "keep", "--if-any"]].concat();
        let sealed = people.done("alice", &arguments, bytes);
        if sealed == *bytes {
            plain_count.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        sealed_count.fetch_add(1, Ordering::Relaxed);
        let opened = people.run("bob", &["mail", "unwrap"], &sealed);
        if opened.stdout == *bytes && opened.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&opened.stderr);
        Err(format!("{} {form}: not the same: {said}", message.name))
    });
    let (sealed, plain) = (sealed_count.into_inner(), plain_count.into_inner());
    tell(&format!(
        "mail: {sealed} messages with attachments put together again, {plain} without any passed on, {} not",
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(sealed > 200, "only {sealed}");
}

/// A message with a text and two files, one of which has every byte.
fn message(text: &str) -> Vec<u8> {
    let octets: Vec<u8> = (0..=255).collect();
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, octets);
    format!(
        "From: alice@example.org\nTo: bob@example.org\nSubject: files\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n{text}\n--b\n\
         Content-Type: application/octet-stream; name=octets.bin\nContent-Transfer-Encoding: base64\n\n\
         {base64}\n--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename*=utf-8''t%C3%A4g.csv\n\
         Content-Transfer-Encoding: quoted-printable\n\na=3Db;c\n--b--\n"
    )
    .into_bytes()
}

/// The two envelopes in a sealed message, with their part headers.
fn envelopes(sealed: &[u8]) -> Vec<String> {
    let text = String::from_utf8(sealed.to_vec()).unwrap();
    let parts = text.split("\n--b").skip(2).take(2);
    parts
        .map(|part| part.trim_start_matches('\n').to_owned())
        .collect()
}

#[test]
fn a_changed_message_is_never_restored() {
    let people = People::new();
    let sealed = people.done("alice", &WRAP, &message("see both"));
    let other = people.done("alice", &WRAP, &message("see both of these"));
    let [first, second] = &envelopes(&sealed)[..] else {
        panic!("not two envelopes");
    };
    let foreign = &envelopes(&other)[0];
    let put = |from: &str, to: &str| replaced(&sealed, from.as_bytes(), to.as_bytes());
    let swapped = replaced(&put(first, "@1@"), second.as_bytes(), first.as_bytes());
    let swapped = replaced(&swapped, b"@1@", second.as_bytes());
    let cases = [
        ("moved here from another mail", put(first, foreign)),
        ("swapped", swapped),
        ("doubled", put(second, first)),
        ("one left out", put(&format!("--b\n{first}\n"), "")),
        (
            "a footer under the text",
            put("see both", "see both\n-- \nlist footer"),
        ),
        (
            "another type outside",
            put("multipart/mixed", "multipart/related"),
        ),
        (
            "glued on behind one",
            put(first, &format!("{first}\nfooter of a list\n")),
        ),
    ];
    for (what, arrived) in cases {
        assert_ne!(arrived, sealed, "{what}");
        let opened = people.run("bob", &["mail", "unwrap"], &arrived);
        let said = String::from_utf8_lossy(&opened.stderr);
        assert_eq!(opened.status.code(), Some(4), "{what}: {said}");
        assert!(opened.stdout.is_empty(), "{what}");
        assert!(said.contains("--extract DIR"), "{what}: {said}");
    }
    let crlf = replaced(&sealed, b"\n", b"\r\n");
    assert_eq!(
        people.done("bob", &["mail", "unwrap"], &crlf),
        message("see both")
    );
}

#[test]
fn two_authors_are_not_mixed() {
    let people = People::new();
    let original = message("see both");
    let by_alice = people.done("alice", &WRAP, &original);
    let arguments = [&WRAP[..], &["--as", "bob"]].concat();
    let by_bob = people.done("bob", &arguments, &original);
    let mixed = replaced(
        &by_alice,
        envelopes(&by_alice)[1].as_bytes(),
        envelopes(&by_bob)[1].as_bytes(),
    );
    let opened = people.run("bob", &["mail", "unwrap"], &mixed);
    assert_eq!(opened.status.code(), Some(4));
    assert!(opened.stdout.is_empty());
}

#[test]
fn files_are_extracted_as_they_were_attached() {
    let people = People::new();
    let sealed = people.done("alice", &WRAP, &message("see both"));
    let footered = replaced(&sealed, b"see both", b"see both\nlist footer");
    for (folder, arrived) in [("whole", sealed), ("footered", footered)] {
        fs::create_dir(people.path(folder)).unwrap();
        people.done("bob", &["mail", "unwrap", "--extract", folder], &arrived);
        let octets: Vec<u8> = (0..=255).collect();
        assert_eq!(
            fs::read(people.path(folder).join("octets.bin")).unwrap(),
            octets
        );
        assert_eq!(
            fs::read(people.path(folder).join("t\u{e4}g.csv")).unwrap(),
            b"a=b;c"
        );
        let again = people.run("bob", &["mail", "unwrap", "--extract", folder], &arrived);
        assert_eq!(again.status.code(), Some(8), "nothing is overwritten");
    }
}
