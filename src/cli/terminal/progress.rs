//! Progress on a terminal: nothing for a second, then one line with rate and time left.

use std::io::{self, IoSliceMut, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use encl::crypto::aead::Backend;

use crate::cli::terminal;
use crate::cli::terminal::blocking::Blocking;
use crate::cli::terminal::{Terminal, safe};

const SHOW_AFTER: Duration = Duration::from_secs(1);
/// Where AES is computed by software, more than this takes long enough to ask why.
const SLOW_BYTES: u64 = 100 << 20;
/// A line that changes more often cannot be read.
const REDRAW_EVERY: Duration = Duration::from_millis(250);

/// A reader that counts what passes, and shows it once the work has taken a second.
pub(crate) struct Progress<R> {
    inner: R,
    terminal: Terminal,
    name: String,
    bytes: u64,
    /// Of all that is to come, where it is known.
    bytes_total: Option<u64>,
    begun: Instant,
    /// When the line is to be shown or redrawn next; never without a terminal.
    due: Option<Instant>,
    line: Line,
}

impl<R> Progress<R> {
    pub(crate) fn new(terminal: Terminal, name: &str, bytes_total: Option<u64>, inner: R) -> Self {
        let begun = Instant::now();
        Self {
            inner,
            terminal,
            name: safe(name),
            bytes: 0,
            bytes_total,
            begun,
            due: terminal.is_watched().then(|| begun + SHOW_AFTER),
            line: Line::default(),
        }
    }

    fn counted(&mut self, bytes: usize) -> usize {
        let before = self.bytes;
        self.bytes += bytes as u64;
        if before <= SLOW_BYTES && self.bytes > SLOW_BYTES {
            warn_of_software(self.terminal);
        }
        if self.due.is_some_and(|due| Instant::now() >= due) {
            self.show();
        }
        bytes
    }

    fn show(&mut self) {
        let line = format!(
            "{} {}",
            self.name,
            shown(self.bytes, self.bytes_total, self.begun.elapsed())
        );
        self.line.show(&line);
        self.due = Some(Instant::now() + REDRAW_EVERY);
    }
}

/// Says once in a run that this machine is slow at it.
fn warn_of_software(terminal: Terminal) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if Backend::of_this_machine() == Backend::Software && !SAID.swap(true, Ordering::Relaxed) {
        terminal.warning(
            "this processor has no instructions for AES, or they are switched off: about 20 times slower than others",
        );
    }
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        Ok(self.counted(bytes))
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let bytes = self.inner.read_vectored(buffers)?;
        Ok(self.counted(bytes))
    }
}

/// How many messages of a mailbox are done, shown once the work has taken a second.
pub(crate) struct ItemProgress {
    watched: bool,
    name: String,
    done: u64,
    total: u64,
    begun: Instant,
    due: Option<Instant>,
    line: Line,
}

impl ItemProgress {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self {
            watched: terminal.is_watched(),
            name: String::new(),
            done: 0,
            total: 0,
            begun: Instant::now(),
            due: None,
            line: Line::default(),
        }
    }

    /// Begins with a folder of so many.
    pub(crate) fn begin(&mut self, name: &str, total: u64) {
        let begun = Instant::now();
        self.name = safe(name);
        (self.done, self.total, self.begun) = (0, total, begun);
        self.due = self.watched.then(|| begun + SHOW_AFTER);
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.due.is_some_and(|due| Instant::now() >= due) {
            let line = format!(
                "{} {}",
                self.name,
                shown_steps(self.done, self.total, self.begun.elapsed())
            );
            self.line.show(&line);
            self.due = Some(Instant::now() + REDRAW_EVERY);
        }
    }
}

/// `300 of 2000 messages, 150 a second, 11 seconds left`
fn shown_steps(done: u64, total: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let rate = (done.saturating_mul(1_000) / millis.max(1)).max(1);
    let left = Duration::from_secs(total.saturating_sub(done) / rate);
    format!(
        "{done} of {total} messages, {rate} a second, {} left",
        rounded(left)
    )
}

/// `45% of 2.00 GiB, 850.00 MiB/s, 3 seconds left`; without a total what has passed and the rate.
fn shown(bytes: u64, total: Option<u64>, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let rate = bytes.saturating_mul(1_000) / millis;
    let speed = format!("{}/s", binary(rate));
    match total.filter(|total| *total > 0) {
        None => format!("{}, {speed}", binary(bytes)),
        Some(total) => {
            let percent = bytes.min(total).saturating_mul(100) / total;
            let left = Duration::from_secs(total.saturating_sub(bytes) / rate.max(1));
            format!(
                "{percent}% of {}, {speed}, {} left",
                binary(total),
                rounded(left)
            )
        }
    }
}

/// `512.00 MiB`
fn binary(bytes: u64) -> String {
    let mut unit = "B";
    let mut hundredths = u128::from(bytes) * 100;
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if hundredths < 1_024 * 100 {
            break;
        }
        (unit, hundredths) = (larger, hundredths / 1_024);
    }
    match unit {
        "B" => format!("{bytes} B"),
        _ => format!("{}.{:02} {unit}", hundredths / 100, hundredths % 100),
    }
}

/// `6 seconds`, in the largest unit of which there are two.
fn rounded(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// One line of a terminal that is overwritten, and erased at the end.
#[derive(Default)]
struct Line {
    is_shown: bool,
}

impl Line {
    /// Shows `text`. What is wider than the terminal is cut by the terminal itself (DECAWM off), which knows how wide it is.
    fn show(&mut self, text: &str) {
        self.is_shown = true;
        write(&format!("{CLEARED}\x1b[?7l{text}\x1b[?7h"));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.is_shown {
            write(CLEARED);
        }
    }
}

/// The cursor at the beginning of its line, and nothing behind it (ECMA-48, CR and EL).
const CLEARED: &str = "\r\x1b[K";

/// Write errors are ignored: without stderr progress cannot be shown.
fn write(text: &str) {
    let _screen = terminal::screen();
    let _ = Blocking(io::stderr()).write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_those_of_all_the_work() {
        let two_seconds = Duration::from_secs(2);
        assert_eq!(
            shown(1 << 30, Some(4 << 30), two_seconds),
            "25% of 4.00 GiB, 512.00 MiB/s, 6 seconds left"
        );
        assert_eq!(rounded(Duration::from_secs(1)), "1 second");
        assert_eq!(rounded(Duration::from_secs(119)), "119 seconds");
        assert_eq!(rounded(Duration::from_secs(7_199)), "119 minutes");
        assert_eq!(rounded(Duration::from_secs(200_000)), "2 days");
        assert_eq!(binary(1_023), "1023 B");
        assert_eq!(binary(u64::MAX), "16383.99 PiB");
        assert_eq!(shown(4096, None, two_seconds), "4.00 KiB, 2.00 KiB/s");
        assert_eq!(shown(0, Some(0), Duration::ZERO), "0 B, 0 B/s");
        assert_eq!(
            shown_steps(300, 2_000, two_seconds),
            "300 of 2000 messages, 150 a second, 11 seconds left"
        );
    }
}
