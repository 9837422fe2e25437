//! Building blocks of the hostile messages: a letter, its sealed forms, and hand-made parts.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::letters::People;
use crate::transport::Sealed;

pub(crate) const LETTER: &str = "\
From: Alice <alice@example.org>
To: bob@example.org
Date: Mon, 2 Nov 2026 10:00:00 +0000
Message-ID: <letter@example.org>
Subject: The old bridge

Meet me there at seven.
";

/// Alice and Bob are contacts of each other. Mallory has both as contacts, and neither knows her.
pub(crate) fn people() -> People {
    let people = People::new();
    let arguments = ["key", "new", "mallory@example.org", "--no-passphrase"];
    people.done("mallory", &arguments, b"");
    for known in ["alice.card", "bob.card"] {
        people.done("mallory", &["contact", "add", known, "--yes"], b"");
    }
    people
}

/// A message sealed by `who` for Bob.
pub(crate) fn sealed_by(
    people: &People,
    who: &str,
    options: &[&str],
    message: impl AsRef<[u8]>,
) -> String {
    let arguments = ["mail", "wrap", "--lf", "--to", "bob@example.org"];
    let arguments = [&arguments[..], options].concat();
    let sealed = people.done(who, &arguments, message.as_ref());
    String::from_utf8(sealed).unwrap()
}

/// The letter, from Alice to Bob.
pub(crate) fn sealed(people: &People) -> String {
    sealed_by(people, "alice", &[], LETTER)
}

/// The envelope in a sealed message, and its base64 on lines of 76 columns.
pub(crate) fn envelope(sealed: &str) -> Vec<u8> {
    Sealed::of(sealed).envelope()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&str> = (0..text.len().div_ceil(76))
        .map(|line| &text[line * 76..text.len().min(line * 76 + 76)])
        .collect();
    lines.join("\n")
}

/// A part with an envelope in it.
pub(crate) fn envelope_part(sealed: &str) -> String {
    let encoded = base64(&envelope(sealed));
    format!(
        "Content-Type: application/vnd.encl; name=\"message.eml.encl\"\n\
         Content-Transfer-Encoding: base64\n\n{encoded}\n"
    )
}

/// A message of these parts, with the letter's fields outside.
pub(crate) fn mixed(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
    format!(
        "{}Content-Type: multipart/mixed; boundary=b\n\n{}--b--\n",
        fields(),
        parts.concat()
    )
}

/// The letter's fields as a sealed message shows them.
pub(crate) fn fields() -> String {
    let (head, _) = LETTER.split_once("Subject").unwrap();
    format!("{head}Subject: [...]\nMIME-Version: 1.0\n")
}

/// An envelope of a file, as `encl wrap` makes it.
pub(crate) fn file_envelope(
    people: &People,
    who: &str,
    options: &[&str],
    content: &[u8],
) -> Vec<u8> {
    let path = people.path(&format!("{who}.file"));
    fs::write(&path, content).unwrap();
    let name = path.to_str().unwrap();
    let arguments = ["wrap", name, "--to", "bob@example.org", "-o", "-"];
    people.done(who, &[&arguments[..], options].concat(), b"")
}

/// A message that contains any envelope.
pub(crate) fn around(envelope: &[u8]) -> String {
    let encoded = base64(envelope);
    mixed(&[&format!(
        "Content-Type: application/vnd.encl\nContent-Transfer-Encoding: base64\n\n{encoded}\n"
    )])
}
