//! Ten changes that transport makes to messages, each applied to every message of the corpus.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::complaints::complaints;
use crate::corpus::messages;
use crate::letters::{People, replaced};
use crate::tell::tell;

/// A sealed message, divided at the places that transport changes.
pub(crate) struct Sealed<'a> {
    head: &'a str,
    boundary: &'a str,
    notice_part: &'a str,
    part_head: &'a str,
    base64: &'a str,
}

impl<'a> Sealed<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap();
        let boundary = head
            .rsplit_once("boundary=\"")
            .unwrap()
            .1
            .trim_end_matches('"');
        let delimiter = format!("--{boundary}");
        let mut parts = body.split(&*delimiter);
        let (notice_part, envelope) = (parts.nth(1).unwrap(), parts.next().unwrap());
        let (part_head, base64) = envelope.trim_start().split_once("\n\n").unwrap();
        Self {
            head,
            boundary,
            notice_part: notice_part.trim_matches('\n'),
            part_head,
            base64: base64.trim_end(),
        }
    }

    fn with(&self, part_head: &str, body: &[u8]) -> Vec<u8> {
        let Self {
            head,
            boundary,
            notice_part,
            ..
        } = self;
        let front =
            format!("{head}\n\n--{boundary}\n{notice_part}\n\n--{boundary}\n{part_head}\n\n");
        [
            front.as_bytes(),
            body,
            format!("\n--{boundary}--\n").as_bytes(),
        ]
        .concat()
    }

    fn encoded(&self, encoding: &str) -> String {
        self.part_head.replace("base64", encoding)
    }

    fn columns(&self, columns: usize) -> Vec<u8> {
        let text = self.base64.replace('\n', "");
        let lines: Vec<&[u8]> = text.as_bytes().chunks(columns).collect();
        lines.join(&b'\n')
    }

    pub(crate) fn envelope(&self) -> Vec<u8> {
        STANDARD.decode(self.base64.replace('\n', "")).unwrap()
    }
}

fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let coded: Vec<String> = bytes.iter().map(|byte| format!("={byte:02X}")).collect();
    let lines: Vec<String> = coded.chunks(25).map(<[String]>::concat).collect();
    lines.join("=\n").into_bytes()
}

/// The message after each change, with the name of the change.
fn changed(sealed: &str) -> Vec<(&'static str, Vec<u8>)> {
    let parts = Sealed::of(sealed);
    let Sealed {
        head,
        boundary,
        base64,
        ..
    } = &parts;
    let (fields, _) = head.split_once("MIME-Version").unwrap();
    let octets = "Content-Type: application/octet-stream; name=\"ATT00001.bin\"\nContent-Transfer-Encoding: base64";
    let banner = format!(
        "{fields}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"outer\"\n\n--outer\n\
         Content-Type: text/html\n\n<b>External sender</b>\n--outer\nContent-Type: multipart/mixed; \
         boundary=\"{boundary}\"\n\n{}\n--outer--\n",
        sealed.split_once("\n\n").unwrap().1
    );
    let closing = format!("--{boundary}--");
    let footer =
        format!("--{boundary}\nContent-Type: text/plain\n\n_______\nlist footer\n{closing}");
    let disclaimer = replaced(
        sealed.as_bytes(),
        b"To read it, open it",
        b"DISCLAIMER: this mail is confidential.\nTo read it, open it",
    );
    vec![
        (
            "type and name changed",
            parts.with(octets, base64.as_bytes()),
        ),
        (
            "64 columns",
            parts.with(parts.part_head, &parts.columns(64)),
        ),
        (
            "one long line",
            parts.with(parts.part_head, &parts.columns(usize::MAX)),
        ),
        (
            "quoted-printable",
            parts.with(
                &parts.encoded("quoted-printable"),
                &quoted_printable(&parts.envelope()),
            ),
        ),
        (
            "binary",
            parts.with(&parts.encoded("binary"), &parts.envelope()),
        ),
        ("CRLF", replaced(sealed.as_bytes(), b"\n", b"\r\n")),
        ("nested under a banner", banner.into_bytes()),
        (
            "list footer as a part",
            sealed.replace(&closing, &footer).into_bytes(),
        ),
        (
            "footer glued to the base64",
            sealed
                .replace(&closing, &format!("Sent by\nthe list\n{closing}"))
                .into_bytes(),
        ),
        ("disclaimer as by altermime", disclaimer),
    ]
}

#[test]
fn a_message_is_exact_after_every_change_of_transport() {
    let people = People::new();
    let messages: Vec<_> = messages().collect();
    let done = std::sync::atomic::AtomicUsize::new(0);
    let complaints = complaints(&messages, |message| {
        let arguments = [
            "mail",
            "wrap",
            "--lf",
            "--bcc",
            "drop",
            "--to",
            "bob@example.org",
        ];
        let sealed = people.run("alice", &arguments, &message.bytes).stdout;
        let sealed = String::from_utf8(sealed).unwrap();
        let original = people.done("bob", &["mail", "unwrap"], sealed.as_bytes());
        for (what, arrived) in changed(&sealed) {
            let opened = people.run("bob", &["mail", "unwrap"], &arrived);
            if opened.stdout != original || !opened.status.success() {
                let said = String::from_utf8_lossy(&opened.stderr);
                return Err(format!("{} after {what}: {said}", message.name));
            }
            done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    });
    tell(&format!(
        "mail: {} messages exact after each of 10 changes, {} times in all, {} not",
        messages.len(),
        done.into_inner(),
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{complaints:#?}");
}
