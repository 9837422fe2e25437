use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::envelope::Mail;

/// A stand-in for sealing: the content in hexadecimal digits behind the first line of an envelope.
fn seal(message: &[u8]) -> (Vec<u8>, Vec<Attachment>) {
    let (mut out, mut sealed) = (Vec::new(), Vec::new());
    plan(&message)
        .unwrap()
        .write(&message, &mut out, &mut |attachment, content, out| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            sealed.push(attachment.clone());
            out.write_all(format!("encl/1\n{}", hex::encode(bytes)).as_bytes())
        })
        .unwrap();
    (out, sealed)
}

fn open(envelope: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    envelope.read_to_string(&mut text)?;
    let digits = text.strip_prefix("encl/1\n").unwrap();
    out.write_all(&hex::decode(digits).unwrap())
}

fn mail(attachment: &Attachment) -> Mail {
    Mail::Attachment {
        part: attachment.part,
        parts: attachment.parts,
        eol: attachment.eol,
        skeleton: attachment.skeleton,
    }
}

/// What comes out, or why nothing does; each of `opened` is what one envelope of the message says.
fn restore(message: &[u8], opened: &[Attachment]) -> Result<(Vec<u8>, Fidelity), RestoreError> {
    let arrival = Arrival::read(&message).unwrap();
    assert_eq!(arrival.findings().envelopes.len(), opened.len());
    let opened: Vec<_> = opened
        .iter()
        .map(|attachment| Some(mail(attachment)))
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

const MESSAGE: &str = "Received: x\nContent-Type: multipart/mixed; boundary=b\nSubject: y\n\npreamble\n\
    --b\n\ntext\n--b\nContent-Type: text/html\n\n<p>\n--b\nContent-Type: image/png; name=\"=?utf-8?q?=C3=BC=2Epng?=\"\n\
    Content-Transfer-Encoding: base64\n\nAAAA\n\n--b\nContent-Disposition: attachment\n\nsecret\n--b--\nepilogue\n";

fn crlf(text: &[u8]) -> Vec<u8> {
    String::from_utf8(text.to_vec())
        .unwrap()
        .replace('\n', "\r\n")
        .into_bytes()
}

#[test]
fn an_envelope_stands_in_the_place_of_each_attachment() {
    let (sealed, attachments) = seal(MESSAGE.as_bytes());
    let found = |at: usize| {
        let attachment = &attachments[at];
        let (name, media_type) = (attachment.name.as_deref(), attachment.media_type.as_str());
        (
            attachment.part,
            attachment.parts,
            attachment.eol,
            name,
            media_type,
        )
    };
    assert_eq!(attachments.len(), 2);
    assert_eq!(
        found(0),
        (1, 2, LineEnds::Lf, Some("\u{fc}.png"), "image/png")
    );
    assert_eq!(found(1), (2, 2, LineEnds::Lf, None, "text/plain"));
    let content = "Content-Disposition: attachment\n\nsecret";
    let base64 = STANDARD.encode(format!("encl/1\n{}", hex::encode(content)));
    let entity = format!(
        "--b\nContent-Type: application/vnd.encl; name=\"attachment-2.encl\"\nContent-Transfer-Encoding: base64\n\
         Content-Disposition: attachment; filename=\"attachment-2.encl\"\n\n{}\n{}\n\n\n--b--\nepilogue\n",
        &base64[..76],
        &base64[76..]
    );
    let sealed = String::from_utf8(sealed).unwrap();
    assert!(sealed.ends_with(&entity), "{sealed}");
    assert!(sealed.starts_with(MESSAGE.split_once("Content-Type: image").unwrap().0));
    assert_eq!(
        restore(sealed.as_bytes(), &attachments).unwrap(),
        (MESSAGE.into(), Fidelity::Exact)
    );
}

#[test]
fn transport_may_change_line_ends_and_the_header() {
    let original = MESSAGE.as_bytes();
    for message in [original.to_vec(), crlf(original)] {
        let (sealed, attachments) = seal(&message);
        let lf = String::from_utf8(sealed).unwrap().replace("\r\n", "\n");
        for arrived in [lf.clone().into_bytes(), crlf(lf.as_bytes())] {
            let found = restore(&arrived, &attachments).unwrap();
            assert_eq!(found, (message.clone(), Fidelity::Exact));
        }
        // Other fields come and go, empty lines are added at the end.
        let arrived = lf.replacen("Received: x", "Received: z\nReceived: x", 1) + "\n\n";
        let expected = MESSAGE.replacen("Received: x", "Received: z\nReceived: x", 1) + "\n\n";
        let (found, _) = restore(arrived.as_bytes(), &attachments).unwrap();
        assert_eq!(
            String::from_utf8(found).unwrap().replace("\r\n", "\n"),
            expected
        );
    }
}

#[test]
fn mixed_line_ends_cannot_be_certain() {
    let message = MESSAGE.replacen("text\n", "text\r\n", 1);
    let (sealed, attachments) = seal(message.as_bytes());
    let (found, fidelity) = restore(&sealed, &attachments).unwrap();
    assert_eq!(
        (found, fidelity),
        (message.into_bytes(), Fidelity::LineEndsOfTextUnknown)
    );
    // In an attachment they are as they were.
    let message = MESSAGE.replacen("secret", "sec\r\nret", 1);
    let (sealed, attachments) = seal(message.as_bytes());
    let (found, fidelity) = restore(&crlf(&sealed), &attachments).unwrap();
    assert_eq!((found, fidelity), (message.into_bytes(), Fidelity::Exact));
}

#[test]
fn nothing_is_put_back_into_another_text() {
    let (sealed, attachments) = seal(MESSAGE.as_bytes());
    let sealed = String::from_utf8(sealed).unwrap();
    let refusal =
        |message: &str, opened: &[Attachment]| restore(message.as_bytes(), opened).unwrap_err();
    for (from, to) in [
        ("\ntext\n", "\ntext\n-- \nlist\n"),
        ("boundary=b", "boundary=\"b\""),
        ("preamble", "preamblE"),
        ("epilogue", "epilogue\nfooter"),
        ("--b--", "--b--\nx"),
        ("\n<p>", "\n<p> "),
        ("\n<p>\n", "\n<p>\n--b\n\nmore\n"),
        ("Subject: y", "Content-Language: en"),
    ] {
        let changed = sealed.replacen(from, to, 1);
        assert_ne!(changed, sealed);
        assert!(
            matches!(refusal(&changed, &attachments), RestoreError::TextChanged),
            "{from}"
        );
    }
    let footer = sealed.replacen("\n\n\n--b--", "\n\n____\nlist\n\n--b--", 1);
    assert!(matches!(
        refusal(&footer, &attachments),
        RestoreError::Footer { part: 2, bytes: 9 }
    ));
    let footer = sealed.replacen("\n\n\n--b--", "\n\nfooter\n--b--", 1);
    assert!(matches!(
        refusal(&footer, &attachments),
        RestoreError::Footer { part: 2, bytes: 6 }
    ));
}

/// The text before the attachments, both of them, and the text behind.
fn in_four(sealed: &str) -> [&str; 4] {
    let cuts: Vec<_> = sealed
        .match_indices("Content-Type: application/vnd.encl")
        .collect();
    let (first, second) = (cuts[0].0, cuts[1].0);
    let end = sealed.rfind("--b--").unwrap();
    [
        &sealed[..first],
        &sealed[first..second],
        &sealed[second..end],
        &sealed[end..],
    ]
}

#[test]
fn moved_swapped_doubled_and_missing_attachments_are_refused() {
    let (sealed, all) = seal(MESSAGE.as_bytes());
    let sealed = String::from_utf8(sealed).unwrap();
    let [before, first, second, end] = in_four(&sealed);
    let [one, two] = <[Attachment; 2]>::try_from(all).unwrap();
    let refusal = |pieces: &[&str], opened: &[&Attachment]| {
        let opened: Vec<_> = opened.iter().copied().cloned().collect();
        restore(pieces.concat().as_bytes(), &opened).unwrap_err()
    };
    let second_between = format!("{second}--b\n");
    let first_last = first.strip_suffix("--b\n").unwrap();
    assert!(matches!(
        refusal(&[before, &second_between, first_last, end], &[&two, &one]),
        RestoreError::Swapped
    ));
    assert!(matches!(
        refusal(&[before, first, first, second, end], &[&one, &one, &two]),
        RestoreError::Doubled { part: 1 }
    ));
    assert!(matches!(
        refusal(&[before, first_last, end], &[&one]),
        RestoreError::Missing { part: 2, parts: 2 }
    ));
    assert!(matches!(
        refusal(&[before, second, end], &[&two]),
        RestoreError::Missing { part: 1, parts: 2 }
    ));

    let other = MESSAGE
        .replace("\ntext\n", "\nother text\n")
        .replace("secret", "other secret");
    let (other, others) = seal(other.as_bytes());
    let other = String::from_utf8(other).unwrap();
    let [_, _, other_second, _] = in_four(&other);
    // One of another mail instead of, or beside, its own; and all of them in another text.
    assert!(matches!(
        refusal(&[before, first, other_second, end], &[&one, &others[1]]),
        RestoreError::Moved
    ));
    let pieces = [before, first, second, "--b\n", other_second, end];
    assert!(matches!(
        refusal(&pieces, &[&one, &two, &others[1]]),
        RestoreError::Moved
    ));
    let [_, other_first, ..] = in_four(&other);
    assert!(matches!(
        refusal(
            &[before, other_first, other_second, end],
            &[&others[0], &others[1]]
        ),
        RestoreError::TextChanged
    ));
    let false_parts = Attachment {
        parts: 3,
        ..two.clone()
    };
    assert!(matches!(
        refusal(&[before, first, second, end], &[&one, &false_parts]),
        RestoreError::Moved
    ));
}

#[test]
fn what_is_not_opened_is_missing_or_text() {
    let (sealed, attachments) = seal(MESSAGE.as_bytes());
    let arrival = Arrival::read(&&sealed[..]).unwrap();
    let error = |opened: &[Option<Mail>]| arrival.restoration(&&sealed[..], opened).unwrap_err();
    assert!(matches!(error(&[None, None]), RestoreError::NoAttachment));
    let message = Some(Mail::Message { outer: Vec::new() });
    assert!(matches!(
        error(&[message, None]),
        RestoreError::NoAttachment
    ));
    assert!(matches!(
        error(&[Some(mail(&attachments[0]))]),
        RestoreError::Missing { part: 2, .. }
    ));
}

#[test]
fn envelopes_that_were_there_before_are_text() {
    let (sealed, inner) = seal(MESSAGE.as_bytes());
    assert_eq!(plan(&&sealed[..]).unwrap().extent(), Extent::AlreadySealed);
    let with_more = String::from_utf8(sealed).unwrap().replacen(
        "--b--",
        "--b\nContent-Type: a/b\n\nnew\n--b--",
        1,
    );
    let (again, outer) = seal(with_more.as_bytes());
    assert_eq!(outer.len(), 1);
    let opened = [&inner[..], &outer].concat();
    let (found, fidelity) = restore(&again, &opened).unwrap();
    assert_eq!((found, fidelity), (with_more.into_bytes(), Fidelity::Exact));
}

#[test]
fn what_has_no_attachment_stays_as_it_is() {
    for text in [
        "",
        "\ntext",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b--\n",
        "Content-Type: multipart/mixed; boundary=b\n\nnothing",
    ] {
        let (same, attachments) = seal(text.as_bytes());
        assert!(same == text.as_bytes() && attachments.is_empty(), "{text}");
    }
}

#[test]
fn odd_parts_come_back_as_well() {
    for parts in [
        "--b\nContent-Type: a/b\n--b--",
        "--b\nContent-Type: a/b\n\n--b\nContent-Type: a/b",
        "--b\nContent-Type: a/b\n\n\n\n--b--\n\n\n",
        "--b\nContent-Type: a/b\n\nno end",
        "--b\nContent-Type: message/rfc822\n\nSubject: x\n\n--b  \n\n--b-- ",
        "--b\nContent-Type: multipart/mixed; boundary=c\n\nnothing here\n--b--\n",
        "--b\nContent-Type: multipart/digest; boundary=c\n\n--c\n\n--c--\n--b--\n",
    ] {
        let text = format!("Content-Type: multipart/mixed; boundary=b\n\n{parts}");
        for message in [text.clone().into_bytes(), crlf(text.as_bytes())] {
            let (sealed, attachments) = seal(&message);
            assert!(!attachments.is_empty(), "{text}");
            let (found, _) = restore(&sealed, &attachments).unwrap();
            assert_eq!(
                String::from_utf8_lossy(&found),
                String::from_utf8_lossy(&message)
            );
        }
    }
}

#[test]
fn a_message_that_changes_and_a_part_that_is_not_read_are_errors() {
    let plan = plan(&MESSAGE.as_bytes()).unwrap();
    let mut read = |_: &Attachment, content: &mut (dyn Read + Send), _: &mut (dyn Write + Send)| {
        io::copy(content, &mut io::sink()).map(|_| ())
    };
    let mut leave = |_: &Attachment, _: &mut (dyn Read + Send), _: &mut (dyn Write + Send)| {
        Ok::<_, io::Error>(())
    };
    let message = MESSAGE.as_bytes();
    assert!(plan.write(&message, &mut io::sink(), &mut read).is_ok());
    assert!(plan.write(&message, &mut io::sink(), &mut leave).is_err());
    let other = MESSAGE.replace("epilogue", "epilogUe");
    assert!(
        plan.write(&other.as_bytes(), &mut io::sink(), &mut read)
            .is_err()
    );
    assert!(
        plan.write(&&message[..200], &mut io::sink(), &mut read)
            .is_err()
    );
}

proptest! {
    #[test]
    fn anything_like_a_message_comes_back(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "--b", "--b", "--c", "--", "\n", "\n", "\r\n", "\r", " ", "x", "Content-Type: a/b\n", "Content-Disposition: attachment\n",
            "Content-Type: multipart/mixed; boundary=c\n\n", "Content-Type: multipart/digest; boundary=b\n\n",
        ]),
        0..40,
    )) {
        let message = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", pieces.concat());
        let (sealed, attachments) = seal(message.as_bytes());
        if attachments.is_empty() {
            prop_assert_eq!(sealed, message.as_bytes());
        } else {
            let (found, _) = restore(&sealed, &attachments).unwrap();
            prop_assert_eq!(String::from_utf8(found).unwrap(), message);
        }
    }
}
