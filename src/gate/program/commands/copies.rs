//! backup, restore: copies of the database. A file that is copied by other means lacks what is still in the write-ahead log.

use std::fs;
use std::path::Path;

use encl::gate::answering::GateKeys;
use encl::gate::protocol::EntryOp;

use super::{Gate, checkpoint_lines};
use crate::failure::Failure;
use crate::folder::Dir;
use crate::output::{Output, tell};
use crate::store::{Frozen, LastSeen, Peer, Store, Tx, now};

/// Copies of one log in different states.
const ARCHIVES_MAX: u32 = 100;

pub(super) fn backup(dir: &Dir, file: &Path, output: &mut Output) -> Result<(), Failure> {
    if file.symlink_metadata().is_ok() {
        return Err(Failure::file("write", file, "it exists already"));
    }
    whole_copy(&dir.database(), file)?;
    let bytes = fs::metadata(file).map_or(0, |file| file.len());
    output.facts(&[
        ("backup", file.display().to_string().into()),
        ("bytes", bytes.into()),
    ])
}

/// Copies the old log beside the database, complete or not at all. A copy that is there already counts only if it is one of this state.
pub(super) fn archive(
    dir: &Dir,
    origin: &str,
) -> rusqlite::Result<Result<std::path::PathBuf, Failure>> {
    let database = dir.database();
    let note = |path: &Path| -> rusqlite::Result<String> {
        let mut store = Store::open(path)?;
        let transaction = store.look()?;
        Ok(transaction.note().to_owned())
    };
    let own = note(&database)?;
    let log = origin
        .rsplit('/')
        .next()
        .and_then(|number| number.parse().ok());
    let log: u64 = log.unwrap_or(0);
    for copy in 1..=ARCHIVES_MAX {
        let path = dir.archive(log, copy);
        if path.symlink_metadata().is_ok() {
            if note(&path).is_ok_and(|note| note == own) {
                return Ok(Ok(path));
            }
            continue;
        }
        return Ok(whole_copy(&database, &path).map(|()| path));
    }
    let why = format!("there are {ARCHIVES_MAX} copies of it already");
    Ok(Err(Failure::file("keep the old log of", &database, why)))
}

/// A copy that is under its name only when it is complete and on the disk. Never over another file.
fn whole_copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let hidden = beside(to, "part")?;
    // What a copy that was stopped has left.
    let _ = fs::remove_file(&hidden);
    let copied = Store::copy(from, &hidden)
        .map_err(|error| Failure::file("write", to, error))
        .and_then(|()| {
            let durable = fs::File::open(&hidden).and_then(|copy| copy.sync_all());
            let linked = durable.and_then(|()| fs::hard_link(&hidden, to));
            linked.map_err(|error| Failure::file("write", to, error))
        });
    let _ = fs::remove_file(&hidden);
    copied
}

/// Puts a copy in the place of the database. It is frozen before it is there: nobody is answered from a log that may lack revocations.
pub(super) fn restore(gate: &Gate, file: &Path, output: &mut Output) -> Result<(), Failure> {
    let _lock = gate.dir.serve_lock()?;
    let database = gate.dir.database();
    let failure = |error: rusqlite::Error| Failure::file("restore", file, error);
    let hidden = beside(&database, "restored")?;
    let _ = fs::remove_file(&hidden);
    Store::copy(file, &hidden).map_err(failure)?;
    let keys = gate.keys.to_answer();
    let frozen = {
        let mut store = Store::open(&hidden).map_err(failure)?;
        let head = crate::folder::read(&gate.dir.head()).unwrap_or_default();
        let mut transaction = store.begin().map_err(failure)?;
        if transaction.origin() != keys.origin {
            let other = "it holds another log than the keys name";
            return Err(Failure::file("restore", file, other));
        }
        // The database that is replaced may have more than the head file, which is written a moment later.
        let replaced = Replaced::read(&database);
        let is_whole = transaction.continues(&head, &keys).map_err(failure)?
            && replaced
                .is_continued(&transaction, &keys)
                .map_err(failure)?;
        let frozen = if is_whole {
            Frozen::Operator
        } else {
            Frozen::Loss
        };
        // A witness does not go back, and whoever asked others goes on asking.
        transaction.keep_peers(&replaced.peers).map_err(failure)?;
        for seen in &replaced.witnessed {
            transaction.raise_witnessed(seen).map_err(failure)?;
        }
        // Nothing is appended to a log that lacks entries: it would be a fork.
        if is_whole {
            let logged = transaction.log(EntryOp::Freeze, now(), |_| {});
            logged.map_err(failure)?;
        }
        let set = match frozen {
            Frozen::Loss => transaction.set_lost(
                "the copy that was put back does not have the entries that are known to be lost",
            ),
            frozen => transaction.set_frozen(frozen),
        };
        set.map_err(failure)?;
        transaction.checkpoint(&keys).map_err(failure)?;
        transaction.commit().map_err(failure)?;
        store.vacuum().map_err(failure)?;
        frozen
    };
    let system = |error| Failure::file("restore", file, error);
    fs::File::open(&hidden)
        .and_then(|copy| copy.sync_all())
        .map_err(system)?;
    for end in ["-wal", "-shm"] {
        let mut name = database.clone().into_os_string();
        name.push(end);
        let _ = fs::remove_file(name);
    }
    fs::rename(&hidden, &database).map_err(system)?;
    for end in ["-wal", "-shm"] {
        let mut name = hidden.clone().into_os_string();
        name.push(end);
        let _ = fs::remove_file(name);
    }
    let note = {
        let mut store = Store::open(&database).map_err(failure)?;
        let transaction = store.begin().map_err(failure)?;
        transaction.note().to_owned()
    };
    let (origin, size, _) = checkpoint_lines(&note).unwrap_or_default();
    output.facts(&[
        ("origin", origin.into()),
        ("entries", size.into()),
        ("frozen", true.into()),
        ("lost", (frozen == Frozen::Loss).into()),
    ])
}

/// What is known of the database that a copy replaces. Each part is read on its own: it may be damaged.
#[derive(Default)]
struct Replaced {
    /// Its last checkpoint, how many entries it has, and why it answers nobody.
    last: Option<(String, u64, Frozen)>,
    peers: Vec<Peer>,
    witnessed: Vec<LastSeen>,
}

impl Replaced {
    fn read(database: &Path) -> Self {
        if !database.exists() {
            return Self::default();
        }
        let unread = |what: &str, error: rusqlite::Error| {
            let file = database.display();
            tell(&format!(
                "encl-gate: warning: {what} {file}, which is replaced: {error}"
            ));
        };
        let mut store = match Store::open(database) {
            Ok(store) => store,
            Err(error) => {
                unread("cannot compare the copy with", error);
                return Self::default();
            }
        };
        let last = store.look().map(|transaction| {
            let note = transaction.note().to_owned();
            (note, transaction.size(), transaction.frozen())
        });
        let peers = store.look().and_then(|transaction| transaction.peers());
        let witnessed = store
            .look()
            .and_then(|transaction| transaction.all_witnessed());
        Self {
            last: last
                .map_err(|error| unread("cannot compare the copy with", error))
                .ok(),
            peers: peers.unwrap_or_else(|error| {
                unread("cannot take over the witnesses of", error);
                Vec::new()
            }),
            witnessed: witnessed.unwrap_or_else(|error| {
                unread("cannot take over what was cosigned last from", error);
                Vec::new()
            }),
        }
    }

    /// Whether nothing is lost with the copy. One that is frozen because of a loss, or has no more entries than a database that is,
    /// is not what was lost.
    fn is_continued(&self, copy: &Tx<'_>, keys: &GateKeys) -> rusqlite::Result<bool> {
        if copy.frozen() == Frozen::Loss {
            return Ok(false);
        }
        let Some((note, size, frozen)) = &self.last else {
            return Ok(true);
        };
        let has_more = *frozen != Frozen::Loss || copy.size() > *size;
        Ok(has_more && copy.continues(note.as_bytes(), keys)?)
    }
}

/// A name beside a file.
fn beside(file: &Path, end: &str) -> Result<std::path::PathBuf, Failure> {
    let name = file.file_name();
    let name = name.ok_or_else(|| Failure::file("write", file, "it is not the name of a file"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".");
    hidden.push(end);
    Ok(file.with_file_name(hidden))
}
