//! `clock` in the state folder: the latest time at which a keystore was used, so that a clock that runs backwards is noticed.
//!
//! The file is a hint, and removing it is always safe. A damaged one counts as missing, and where there is no
//! state folder nothing is recorded.

use std::path::PathBuf;
use std::time::Duration;

use super::{Keystore, folder};
use crate::atomic_file::Existing;
use crate::time::Time;

/// Smaller corrections of the clock are not reported.
pub const CLOCK_TOLERANCE: Duration = Duration::from_mins(5);
/// A later time is written only if it is later by this: nearly always the file is only read.
const STEP: Duration = Duration::from_hours(1);
/// A time and a line feed are 21 bytes.
const FILE_BYTES_MAX: u64 = 64;

impl Keystore {
    /// Records the time. Returns the latest recorded time if `now` is earlier than it by more than five minutes.
    ///
    /// A keystore that does not exist is not made; one that cannot be read or written has no recorded time.
    #[must_use]
    pub fn record_time(&self, now: Time) -> Option<Time> {
        if let Some(latest) = self.clock_went_back(now) {
            return Some(latest);
        }
        match self.latest_time() {
            Some(latest) if now.unix() < latest.unix() + STEP.as_secs() => None,
            _ => {
                if let (Some(path), true) = (self.clock_path(), self.root.is_dir()) {
                    let line = format!("{now}\n");
                    // A hint that cannot be written is no reason to stop.
                    let _ = folder::write(&path, line.as_bytes(), Existing::Overwrite);
                }
                None
            }
        }
    }

    /// The latest recorded time, if `now` is earlier than it by more than five minutes. Nothing is written.
    #[must_use]
    pub fn clock_went_back(&self, now: Time) -> Option<Time> {
        self.latest_time()
            .filter(|latest| now.unix() + CLOCK_TOLERANCE.as_secs() < latest.unix())
    }

    fn latest_time(&self) -> Option<Time> {
        let bytes = folder::read_up_to(&self.clock_path()?, FILE_BYTES_MAX).ok()??;
        let line = std::str::from_utf8(&bytes).ok()?;
        line.strip_suffix('\n')?.parse().ok()
    }

    /// The file with the latest time, which the user may have to remove.
    #[must_use]
    pub fn clock_path(&self) -> Option<PathBuf> {
        Some(self.state.as_ref()?.join("clock"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOON: u64 = 1_795_478_400;

    fn at(seconds: u64) -> Time {
        Time::from_unix(seconds).unwrap()
    }

    fn keystore() -> (tempfile::TempDir, Keystore) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("encl");
        let state = folder.path().join("state");
        folder::make_folder(&root).unwrap();
        folder::make_folder(&state).unwrap();
        (folder, Keystore::at(root).with_state(state))
    }

    #[test]
    fn a_clock_that_runs_backwards_is_noticed_and_small_steps_are_not() {
        let (_folder, keystore) = keystore();
        assert_eq!(keystore.record_time(at(NOON)), None);
        assert_eq!(keystore.record_time(at(NOON - 300)), None);
        assert_eq!(keystore.record_time(at(NOON - 301)), Some(at(NOON)));
        // Within the hour nothing is written, after it the later time.
        assert_eq!(keystore.record_time(at(NOON + 3_599)), None);
        assert_eq!(keystore.latest_time(), Some(at(NOON)));
        assert_eq!(keystore.record_time(at(NOON + 3_600)), None);
        assert_eq!(keystore.record_time(at(NOON)), Some(at(NOON + 3_600)));
        assert_eq!(keystore.latest_time(), Some(at(NOON + 3_600)));
        let mode = fs::metadata(keystore.clock_path().unwrap())
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_written_anew() {
        let (_folder, keystore) = keystore();
        for damaged in [
            "",
            "2036",
            "2036-01-01T00:00:00Z",
            "\u{0}",
            &"x".repeat(1000),
        ] {
            fs::write(keystore.clock_path().unwrap(), damaged).unwrap();
            assert_eq!(keystore.record_time(at(NOON)), None);
            assert_eq!(keystore.latest_time(), Some(at(NOON)), "{damaged}");
        }
    }

    #[test]
    fn nothing_is_made_and_nothing_stops() {
        let folder = tempfile::tempdir().unwrap();
        let keystore = Keystore::at(folder.path().join("nowhere"));
        assert_eq!(keystore.record_time(at(NOON)), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // Something else is in its place.
        let (_folder, keystore) = self::keystore();
        fs::create_dir(keystore.clock_path().unwrap()).unwrap();
        assert_eq!(keystore.record_time(at(NOON)), None);
        assert!(keystore.clock_path().unwrap().is_dir());
    }
}
