//! The attachments of every message of the corpus, sealed and restored: as they are, with LF and with CRLF, and after a
//! transport that changed all line ends. Sealing is replaced by a stand-in: the first line of an envelope and the content in
//! hexadecimal digits.

use std::io::{self, Read, Write};

use encl::envelope::{LineEnds, Mail};
use encl::mail::attachments::{Arrival, Attachment, Fidelity, RestoreError, plan};

use crate::corpus::{Corpus, Source, corpora};
use crate::forms::{forms, with_crlf, with_lf};

fn seal(message: &[u8]) -> (Vec<u8>, Vec<Attachment>) {
    let (mut out, mut sealed) = (Vec::new(), Vec::new());
    plan(&message)
        .unwrap()
        .write(&message, &mut out, &mut |attachment, content, out| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            sealed.push(attachment.clone());
            out.write_all(b"encl/1\n")?;
            out.write_all(hex::encode(bytes).as_bytes())
        })
        .unwrap();
    (out, sealed)
}

fn open(envelope: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    envelope.read_to_string(&mut text)?;
    out.write_all(&hex::decode(text.strip_prefix("encl/1\n").unwrap()).unwrap())
}

fn restore(message: &[u8], sealed: &[Attachment]) -> Result<(Vec<u8>, Fidelity), RestoreError> {
    let arrival = Arrival::read(&message).unwrap();
    let opened: Vec<_> = sealed
        .iter()
        .map(|attachment| {
            Some(Mail::Attachment {
                part: attachment.part,
                parts: attachment.parts,
                eol: attachment.eol,
                skeleton: attachment.skeleton,
            })
        })
        .collect();
    let restoration = arrival.restoration(&message, &opened)?;
    let mut out = Vec::new();
    restoration
        .write(&message, &mut out, &mut |_, envelope, out| {
            open(envelope, out)
        })
        .unwrap();
    Ok((out, restoration.fidelity()))
}

#[test]
fn every_attachment_of_the_corpus_is_restored() {
    for corpus in corpora() {
        let expected = match corpus.source {
            Source::Own => (237, 525, 235),
            Source::Outside => (228, 372, 228),
        };
        assert_eq!(there_and_back(corpus), expected, "{:?}", corpus.source);
    }
}

/// Seals and restores all messages. Returns how many were sealed, how many attachments they have, and how many were restored
/// exactly.
fn there_and_back(corpus: &Corpus) -> (usize, usize, usize) {
    let (mut sealed_messages, mut attachments, mut exact) = (0, 0, 0);
    for message in &corpus.messages {
        for (_, bytes) in forms(message) {
            let (sealed, found) = seal(&bytes);
            if found.is_empty() {
                assert!(sealed == bytes, "{}", message.name);
                continue;
            }
            sealed_messages += 1;
            attachments += found.len();
            let (restored, fidelity) = restore(&sealed, &found).unwrap();
            assert!(restored == bytes, "{}", message.name);
            exact += usize::from(fidelity == Fidelity::Exact);
            let is_mixed = found[0].eol == LineEnds::Mixed;
            assert_eq!(fidelity == Fidelity::Exact, !is_mixed, "{}", message.name);
            after_transport(&message.name, &bytes, &sealed, &found);
        }
    }
    (sealed_messages, attachments, exact)
}

/// Restores a message after transport changed its line ends and added a footer to the last text.
fn after_transport(name: &str, original: &[u8], sealed: &[u8], found: &[Attachment]) {
    for arrived in [with_lf(sealed), with_crlf(sealed)] {
        let (restored, fidelity) = restore(&arrived, found).unwrap();
        assert!(
            restored == original || fidelity != Fidelity::Exact,
            "{name}"
        );
    }
    let footer = [sealed, b"\n-- \nfooter\n"].concat();
    let error = restore(&footer, found).unwrap_err();
    let is_known = matches!(
        error,
        RestoreError::TextChanged | RestoreError::Footer { .. }
    );
    assert!(is_known, "{name}: {error}");
}
