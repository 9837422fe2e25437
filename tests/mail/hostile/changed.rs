//! Sealed messages cut short or changed at random: a message that opens is exact, every other one is refused, and nothing
//! panics.

use super::is_full;
use super::letter::{LETTER, envelope, people, sealed, sealed_by};
use super::texts::harmless;
use crate::complaints::complaints;
use crate::tell::tell;

const DELIVER: &[&str] = &["mail", "deliver", "--for", "bob@example.org"];

#[test]
fn a_sealed_message_cut_at_every_kib_gives_nothing() {
    let people = people();
    let long = format!(
        "{LETTER}{}",
        "All work and no play.\n".repeat(if is_full() { 20_000 } else { 1_000 })
    );
    let sealed = sealed_by(&people, "alice", &[], &long).into_bytes();
    let lengths: Vec<usize> = (0..sealed.len()).step_by(1_024).collect();
    let last = sealed
        .windows(3)
        .rposition(|window| window == b"\n\n-")
        .unwrap();
    let complaints = complaints(&lengths, |length| {
        let run = people.run("bob", &["mail", "unwrap", "--json"], &sealed[..*length]);
        // Only the last delimiter can be missing.
        let is_whole = *length >= last;
        let fits = match run.status.code() {
            Some(0) => is_whole && run.stdout == long.as_bytes(),
            Some(4) => !is_whole && run.stdout.is_empty(),
            _ => false,
        };
        let said = String::from_utf8_lossy(&run.stderr);
        if fits {
            Ok(())
        } else {
            Err(format!("{length}: {:?} {said}", run.status))
        }
    });
    tell(&format!(
        "hostile: cut at {} places, {} answers not as expected",
        lengths.len(),
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A simple pseudorandom generator with the same sequence in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, number: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % number
    }

    /// The message with up to five changes: bits, cuts, copies, and text that is significant to a scanner.
    fn changed(&mut self, message: &[u8]) -> Vec<u8> {
        const PIECES: [&[u8]; 12] = [
            b"\n",
            b"\r\n",
            b"\n\n",
            b"--",
            b"=",
            b"\0",
            b"\r",
            b"Content-Type: multipart/mixed; boundary=b\n",
            b"encl/1\n",
            b"ZW5jbC8xCn",
            b"\"",
            b"(",
        ];
        let mut bytes = message.to_vec();
        for _ in 0..=self.below(5) {
            // Half of the changes are in the structure.
            let room = match self.below(2) {
                0 => bytes.len(),
                _ => bytes.len().min(1_500),
            };
            let at = self.below(room);
            let end = at + self.below((bytes.len() - at).min(200));
            match self.below(5) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let copy = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, copy);
                }
                3 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
                _ => bytes.swap(at, end.min(message.len() / 2)),
            }
            if bytes.is_empty() {
                return bytes;
            }
        }
        bytes
    }
}

#[test]
fn a_changed_message_is_exact_or_refused() {
    let people = people();
    let text = sealed(&people);
    let head = "From: alice@example.org\nContent-Type: application/vnd.encl\nContent-Transfer-Encoding: binary\n\n";
    let binary = [head.as_bytes(), &envelope(&text)].concat();
    let mut dice = Dice(8);
    let number = if is_full() { 3_000 } else { 150 };
    let changed: Vec<(usize, Vec<u8>)> = (0..number)
        .map(|at| {
            (
                at,
                dice.changed(if at % 2 == 0 {
                    text.as_bytes()
                } else {
                    &binary
                }),
            )
        })
        .collect();
    let commands = [
        &["mail", "unwrap"][..],
        &["mail", "show"],
        &["mail", "inspect"],
        DELIVER,
    ];
    let opened = std::sync::atomic::AtomicUsize::new(0);
    let complaints = complaints(&changed, |(at, message)| {
        for command in commands {
            let run = people.run("bob", command, message);
            let code = run.status.code().unwrap_or(100);
            let said = String::from_utf8_lossy(&run.stderr).into_owned();
            harmless("stderr", &run.stderr).map_err(|error| format!("{at}: {error}"))?;
            let is_answer = (0..=9).contains(&code) || (64..=78).contains(&code);
            let is_exact = match (command[1], code) {
                ("unwrap", 0) => run.stdout == LETTER.as_bytes(),
                ("unwrap", _) => run.stdout.is_empty(),
                _ => true,
            };
            if !is_answer || !is_exact {
                return Err(format!("{at} {command:?}: {code} {said}"));
            }
            let is_opened = command[1] == "unwrap" && code == 0;
            opened.fetch_add(usize::from(is_opened), std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    });
    tell(&format!(
        "hostile: {number} changed messages, {} still opened, {} answers not as expected",
        opened.into_inner(),
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
