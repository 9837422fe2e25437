//! How far the work is, for whoever watches: nothing for a second, then a line with rate and time left.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::{Terminal, safe};

const PATIENCE: Duration = Duration::from_secs(1);

/// A reader that counts what passes, and shows it once the work has taken a second.
pub(crate) struct Progress<R> {
    inner: R,
    name: String,
    bytes: u64,
    /// Of all that is to come, where it is known.
    bytes_total: Option<u64>,
    begun: Instant,
    watched: bool,
    bar: Option<ProgressBar>,
}

impl<R> Progress<R> {
    pub(crate) fn new(terminal: Terminal, name: &str, bytes_total: Option<u64>, inner: R) -> Self {
        Self {
            inner,
            name: safe(name),
            bytes: 0,
            bytes_total,
            begun: Instant::now(),
            watched: terminal.is_watched(),
            bar: None,
        }
    }

    fn passed(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if !self.watched || (self.bar.is_none() && self.begun.elapsed() < PATIENCE) {
            return;
        }
        let (name, total, begun) = (&self.name, self.bytes_total, self.begun);
        let bar = self.bar.get_or_insert_with(|| bar(name, total, begun));
        bar.set_position(self.bytes);
    }
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.passed(bytes);
        Ok(bytes)
    }
}

impl<R> Drop for Progress<R> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(name: &str, bytes_total: Option<u64>, begun: Instant) -> ProgressBar {
    let shape = match bytes_total {
        Some(_) => "{prefix} {percent}% of {total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{prefix} {bytes}, {bytes_per_sec}",
    };
    let target = ProgressDrawTarget::stderr_with_hz(4);
    ProgressBar::with_draw_target(bytes_total, target)
        .with_style(ProgressStyle::with_template(shape).expect("both templates are well formed"))
        .with_prefix(name.to_owned())
        .with_elapsed(begun.elapsed())
}
