//! What is looked at while the gate runs: new keys after `rotate`, a new list of who may ask, and the last checkpoint, which is written
//! beside the database.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use encl::atomic_file::{Existing, FileMode};
use tokio::sync::watch as channel;
use tokio::task::spawn_blocking;

use super::engine::Engine;
use super::first::{First, first};
use crate::commands::checkpoint_lines;
use crate::failure::Failure;
use crate::folder;
use crate::keys::Keys;
use crate::output::tell;
use crate::store::{Frozen, Store};

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(250);

/// Which file with which content is under a name.
type Version = Option<(u64, u64, i64, i64)>;

fn version(path: &Path) -> Version {
    let file = fs::metadata(path).ok()?;
    Some((file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
}

/// Looks until the server ends.
pub(super) async fn watch(engine: Arc<Engine>, mut is_ending: channel::Receiver<bool>) {
    let mut known = Known {
        card: version(&engine.dir.card_path()),
        only: engine.only_path.as_deref().and_then(version),
        note: String::new(),
    };
    loop {
        let pause = tokio::time::sleep(PAUSE);
        let ended = first(pause, is_ending.changed()).await;
        if matches!(ended, First::Other(_)) {
            return;
        }
        let looking = Arc::clone(&engine);
        let looked = spawn_blocking(move || {
            known.look(&looking);
            known
        });
        let Ok(now_known) = looked.await else {
            return;
        };
        known = now_known;
    }
}

struct Known {
    card: Version,
    only: Version,
    note: String,
}

impl Known {
    fn look(&mut self, engine: &Engine) {
        let note = engine.shared.note();
        if note != self.note {
            write_head(engine, &note);
            self.note = note;
        }
        // `rotate` writes the keys first and the card last.
        let card = version(&engine.dir.card_path());
        if card != self.card && card.is_some() {
            self.card = card;
            told(take_over(engine));
        }
        let only = engine.only_path.as_deref().and_then(version);
        if only != self.only && only.is_some() {
            self.only = only;
            told(engine.read_only());
        }
    }
}

/// What was before stays where something cannot be read.
fn told(result: Result<(), Failure>) {
    if let Err(failure) = result {
        tell(&failure.to_string());
    }
}

fn take_over(engine: &Engine) -> Result<(), Failure> {
    let keys = Keys::read(&engine.dir, &engine.source)?;
    let card = engine.dir.card()?;
    engine.replace(keys.to_answer(), card.to_text().to_owned());
    // After `thaw --accept-loss` it is the first checkpoint of another log.
    let path = engine.dir.database();
    let failure = |error| Failure::file("read", &path, error);
    let mut store = Store::open(&path).map_err(failure)?;
    let transaction = store.look().map_err(failure)?;
    engine
        .shared
        .take_over(transaction.note(), transaction.frozen() != Frozen::No);
    Ok(())
}

/// Writes the last checkpoint beside the database. An older one is a beginning of it too, so a failure loses nothing. One of another
/// log, or of more entries, stays: it shows what was lost.
pub(super) fn write_head(engine: &Engine, note: &str) {
    let path = engine.dir.head();
    let there = folder::read(&path).unwrap_or_default();
    let there = String::from_utf8_lossy(&there).into_owned();
    if let (Some((origin, size, _)), Some((other, entries, _))) =
        (checkpoint_lines(note), checkpoint_lines(&there))
        && (origin != other || entries > size)
    {
        return;
    }
    told(folder::write(
        &path,
        note.as_bytes(),
        FileMode::Umask,
        Existing::Replace,
    ));
}
