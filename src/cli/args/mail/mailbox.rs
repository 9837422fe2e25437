//! Which mailboxes a command works on, and how.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use encl::mail::archive::Mode;

/// How many messages are converted at once, whatever the processors: each waits for the disk most of the time, since it must be
/// durable before its old form is removed, and syncs that are requested together are done together.
const JOBS: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");

/// Which mailboxes, and how.
#[derive(Debug, Args)]
pub(crate) struct ArchiveOptions {
    /// Maildirs, mboxes, messages, or folders of them (also of Thunderbird, Apple Mail exports, MH)
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// How many messages are worked on at once [default: 8]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Move the originals below DIR instead of removing them
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    keep_original: Option<PathBuf>,
}

impl ArchiveOptions {
    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.dry_run {
            true => Mode::DryRun,
            false => Mode::Apply,
        }
    }

    pub(crate) fn jobs(&self) -> NonZeroUsize {
        self.jobs.unwrap_or(JOBS)
    }

    pub(crate) fn originals(&self) -> Option<&Path> {
        self.keep_original.as_deref()
    }
}

/// How many messages are searched at once, where nothing waits for the disk: one for each processor.
pub(crate) fn jobs_to_read() -> NonZeroUsize {
    std::thread::available_parallelism().map_or(NonZeroUsize::MIN, |number| number.min(JOBS))
}
