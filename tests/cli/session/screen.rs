//! The output of a terminal while a test types on it.

use std::io::Read;
use std::process::ChildStdout;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::process::limit;

/// Collects the output of a terminal as it appears.
pub(super) struct Screen {
    shown: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Screen {
    pub(super) fn of(mut stdout: ChildStdout) -> Self {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let copy = Arc::clone(&shown);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(bytes @ 1..) = stdout.read(&mut buffer) {
                copy.lock().unwrap().extend_from_slice(&buffer[..bytes]);
            }
        });
        Self { shown, reader }
    }

    /// Waits for a question, since input that is typed before a question does not answer it.
    pub(super) fn wait_for_a_question(&self) {
        let asks = |shown: &[u8]| {
            let text = String::from_utf8_lossy(shown);
            let last = text.rsplit('\n').next().unwrap_or_default();
            last.ends_with("[y/N] ")
                || last.ends_with(": ")
                    && ["assphrase of", "Repeat the passphrase", "Line "]
                        .iter()
                        .any(|question| last.contains(question))
        };
        let begun = Instant::now();
        while !self.reader.is_finished() && !asks(&self.shown.lock().unwrap()) {
            let shown = || String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned();
            assert!(begun.elapsed() < limit(), "no question: {}", shown());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.shown.lock().unwrap().push(b'\n');
    }

    pub(super) fn all(self) -> Vec<u8> {
        let begun = Instant::now();
        while !self.reader.is_finished() {
            assert!(begun.elapsed() < limit(), "the terminal stays open");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::mem::take(&mut *self.shown.lock().unwrap())
    }
}
