//! Sending what was written to the disk while more is being written, so that the last fsync finds little to do.

use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Bytes after which the disk is set to work.
const STEP_BYTES: u64 = 16 << 20;

/// Counts what is written; from 16 MiB on a thread of its own calls fdatasync after every 16 MiB.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    /// Bytes since the thread was last called.
    bytes: u64,
    thread: Option<Thread>,
}

#[derive(Debug)]
struct Thread {
    call: SyncSender<()>,
    ended: JoinHandle<io::Result<()>>,
}

impl Flusher {
    /// Some more bytes were written to `file`.
    pub(super) fn wrote(&mut self, bytes: usize, file: &File) {
        self.bytes += bytes as u64;
        if self.bytes < STEP_BYTES {
            return;
        }
        self.bytes = 0;
        if self.thread.is_none() {
            self.thread = Thread::start(file);
        }
        if let Some(thread) = &self.thread {
            // A thread that is still busy with the last step flushes the new bytes in the next one.
            let _ = thread.call.try_send(());
        }
    }

    /// Waits for the thread. Its error must be heard: the system tells of each failed write-back only once for all descriptors
    /// of an opened file, so that the caller's own fsync would succeed.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let Some(Thread { call, ended }) = self.thread.take() else {
            return Ok(());
        };
        drop(call);
        ended
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Thread {
    /// `None` where the system has no descriptor or thread left: the last fsync does all of the work then.
    fn start(file: &File) -> Option<Self> {
        let file = file.try_clone().ok()?;
        let (call, calls) = sync_channel(1);
        let flush = move || calls.iter().try_for_each(|()| file.sync_data());
        let ended = Builder::new().spawn(flush).ok()?;
        Some(Self { call, ended })
    }
}
