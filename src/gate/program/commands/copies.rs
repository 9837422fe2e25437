//! backup, restore: copies of the database. A file that is copied by other means lacks what is still in the write-ahead log.

use std::fs;
use std::path::Path;

use encl::gate::protocol::EntryOp;

use super::{Gate, checkpoint_lines};
use crate::failure::Failure;
use crate::folder::Dir;
use crate::output::Output;
use crate::store::{Frozen, Store, now};

pub(super) fn backup(dir: &Dir, file: &Path, output: &mut Output) -> Result<(), Failure> {
    if file.symlink_metadata().is_ok() {
        return Err(Failure::file("write", file, "it exists already"));
    }
    let hidden = beside(file, "part")?;
    // What a backup that was stopped has left.
    let _ = fs::remove_file(&hidden);
    let failure = |error| Failure::file("write", file, error);
    let copied = Store::copy(&dir.database(), &hidden)
        .map_err(failure)
        .and_then(|()| {
            let durable = fs::File::open(&hidden).and_then(|copy| copy.sync_all());
            durable.map_err(|error| Failure::file("write", file, error))?;
            // Never over a file that came in the meantime.
            fs::hard_link(&hidden, file).map_err(|error| Failure::file("write", file, error))
        });
    let _ = fs::remove_file(&hidden);
    copied?;
    let bytes = fs::metadata(file).map_or(0, |file| file.len());
    output.facts(&[
        ("backup", file.display().to_string().into()),
        ("bytes", bytes.into()),
    ])
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
        let replaced = Store::open(&database).and_then(|mut store| {
            let transaction = store.begin()?;
            Ok(transaction.note().to_owned())
        });
        let replaced = replaced.unwrap_or_default();
        let mut is_whole = transaction.continues(&head, &keys).map_err(failure)?;
        if !replaced.is_empty() {
            let continues = transaction.continues(replaced.as_bytes(), &keys);
            is_whole &= continues.map_err(failure)?;
        }
        let frozen = if is_whole {
            Frozen::Operator
        } else {
            Frozen::Loss
        };
        transaction
            .log(EntryOp::Freeze, now(), |_| {})
            .map_err(failure)?;
        transaction.set_frozen(frozen).map_err(failure)?;
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
