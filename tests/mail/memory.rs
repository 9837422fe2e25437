//! A long message is sealed and opened through pipes, in memory that does not grow with its length.

use crate::hostile::measured::measured;
use crate::letters::People;
use crate::tell::tell;

/// The most memory of one command, in KiB.
const PEAK_KIB_MAX: u64 = 32 << 10;

/// A message with attachments, of `bytes` bytes or a little more.
fn message(bytes: usize) -> Vec<u8> {
    let head = "From: alice@example.org\nTo: bob@example.org\nSubject: films\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\n\nenclosed\n";
    let part = "--b\nContent-Type: video/mp4; name=film.mp4\nContent-Transfer-Encoding: base64\n\n";
    let mut message = head.as_bytes().to_vec();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    while message.len() < bytes {
        message.extend_from_slice(part.as_bytes());
        for _ in 0..100_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            message.extend(format!("{state:016x}").bytes());
            message.push(b'\n');
        }
    }
    message.extend_from_slice(b"--b--\n");
    message
}

#[test]
fn fifty_megabytes_pass_in_32_mib() {
    let people = People::new();
    let message = message(50_000_000);
    let wrap = ["mail", "wrap"];
    let wrapped = measured(&people, "alice", &wrap, &message.clone().into());
    assert_eq!(wrapped.exit, 0, "{}", wrapped.stderr_text());
    let sealed = wrapped.stdout.into();
    let opened = measured(&people, "bob", &["mail", "unwrap"], &sealed);
    assert_eq!(opened.exit, 0, "{}", opened.stderr_text());
    assert!(opened.stdout == message, "not the same");
    let shown = measured(&people, "bob", &["mail", "show"], &sealed);
    let deliver = ["mail", "deliver", "--for", "bob@example.org"];
    let delivered = measured(&people, "bob", &deliver, &message.into());
    for (what, run) in [
        ("wrap", &wrapped.peak_kib),
        ("unwrap", &opened.peak_kib),
        ("show", &shown.peak_kib),
        ("deliver", &delivered.peak_kib),
    ] {
        tell(&format!("mail: {what} of 50 MB takes {run} KiB"));
        assert!((1..=PEAK_KIB_MAX).contains(run), "{what}: {run} KiB");
    }
}
