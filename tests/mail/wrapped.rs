//! Every message of the corpus, sealed as a whole and opened again, and the outer part of the sealed message.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;

use crate::complaints::complaints;
use crate::corpus::{messages, names_in_use};
use crate::forms::forms;
use crate::letters::People;
use crate::python::python;
use crate::support::process;
use crate::tell::tell;

/// The messages whose Bcc field names a person; they are refused without `--bcc`.
const WITH_BCC: [&str; 4] = [
    "outside/mail/error_emails/content_transfer_encoding_empty.eml",
    "own/address/bcc.eml",
    "own/address/bcc_only.eml",
    "own/address/resent_bcc.eml",
];

#[test]
fn every_message_opens_byte_for_byte_and_reveals_nothing_outside() {
    let people = People::new();
    let messages: Vec<_> = messages().collect();
    let (outside, originals) = (people.path("outside"), people.path("originals"));
    fs::create_dir(&outside).unwrap();
    fs::create_dir(&originals).unwrap();
    let cases: Vec<_> = messages
        .iter()
        .flat_map(|message| forms(message).map(|(form, bytes)| (message, form, bytes)))
        .enumerate()
        .collect();
    let refused = Mutex::new(BTreeSet::new());
    let complaints = complaints(&cases, |(number, (message, form, bytes))| {
        let arguments = ["mail", "wrap", "--to", "bob@example.org"];
        let mut wrapped = people.run("alice", &arguments, bytes);
        if wrapped.status.code() == Some(2) {
            refused.lock().unwrap().insert(message.name.as_str());
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
    let refused = refused.into_inner().unwrap();
    assert!(
        refused.iter().copied().eq(names_in_use(&WITH_BCC)),
        "{refused:?}"
    );

    // Check the outer parts with CPython's parser and line by line.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/outside.py");
    let mut command = python();
    command.arg(script).arg(&outside).arg(&originals);
    let checked = process::output(&mut command);
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
