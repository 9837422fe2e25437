//! Every message of the corpus, sealed whole and opened again; and what stands outside meanwhile.

use std::fs;
use std::process::Command;

use crate::corpus::messages;
use crate::letters::{People, complaints, forms};
use crate::tell;

/// The one message with a Bcc field, which is refused unless it is said what shall become of it.
const WITH_BCC: &str = "mail/error_emails/content_transfer_encoding_empty.eml";

#[test]
fn every_message_comes_back_byte_for_byte_and_says_nothing_outside() {
    let people = People::new();
    let messages = messages();
    let (outside, originals) = (people.path("outside"), people.path("originals"));
    fs::create_dir(&outside).unwrap();
    fs::create_dir(&originals).unwrap();
    let cases: Vec<_> = messages
        .iter()
        .flat_map(|message| forms(message).map(|(form, bytes)| (message, form, bytes)))
        .enumerate()
        .collect();
    let complaints = complaints(&cases, |(number, (message, form, bytes))| {
        let arguments = ["mail", "wrap", "--to", "bob@example.org"];
        let mut wrapped = people.run("alice", &arguments, bytes);
        if wrapped.status.code() == Some(2) {
            assert_eq!(message.name, WITH_BCC);
            let arguments = [&arguments[..], &["--bcc", "keep"]].concat();
            wrapped = people.run("alice", &arguments, bytes);
        }
        let said = String::from_utf8_lossy(&wrapped.stderr).into_owned();
        if !wrapped.status.success() {
            return Err(format!("{} {form}: not wrapped: {said}", message.name));
        }
        fs::write(outside.join(number.to_string()), &wrapped.stdout).unwrap();
        fs::write(originals.join(number.to_string()), bytes).unwrap();
        let opened = people.run("bob", &["mail", "unwrap"], &wrapped.stdout);
        if opened.stdout == *bytes && opened.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&opened.stderr);
        Err(format!("{} {form}: not the same: {said}", message.name))
    });
    tell(&format!(
        "mail: {} messages in {} forms came back, {} not",
        messages.len(),
        cases.len(),
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{complaints:#?}");

    // What CPython's parser and a look at every line say of the outside.
    let python = std::env::var("ENCL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/outside.py");
    let checked = Command::new(python)
        .arg(script)
        .arg(&outside)
        .arg(&originals)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        checked.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    assert!(
        said.contains(&format!("{} messages", cases.len())),
        "{said}"
    );
    tell(said.trim());
}
