//! block, unblock, erase: what concerns one person.

use std::fs;
use std::path::Path;

use encl::crypto::signing::RootId;
use encl::gate::protocol::EntryOp;
use serde_json::Value;

use super::Gate;
use crate::failure::Failure;
use crate::output::{Output, tell};
use crate::store::{Block, Store, now};

pub(super) fn block(
    gate: &Gate,
    id: RootId,
    sealed_by: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let wanted = if sealed_by {
        Block::SealedBy
    } else {
        Block::Person
    };
    let done = gate.change("block somebody", |transaction, now| {
        // Whoever's envelopes are blocked is blocked too.
        let known = transaction.block_of(id)?;
        if known == Some(wanted) || known == Some(Block::SealedBy) {
            return Ok(Some(false));
        }
        if sealed_by && !transaction.has_room_for_author()? {
            return Ok(None);
        }
        transaction.set_block(id, Some(wanted))?;
        transaction.log(EntryOp::Block, now, |entry| entry.who = Some(id))?;
        Ok(Some(true))
    })?;
    let changed = done.ok_or_else(|| {
        Failure::new(
            "cannot block the author",
            "as many authors are blocked as can be",
        )
    })?;
    told(id, ("blocked", true), changed, output)
}

pub(super) fn unblock(gate: &Gate, id: RootId, output: &mut Output) -> Result<(), Failure> {
    let changed = gate.change("take a block back", |transaction, now| {
        if transaction.block_of(id)?.is_none() {
            return Ok(false);
        }
        transaction.set_block(id, None)?;
        transaction.log(EntryOp::Unblock, now, |entry| entry.who = Some(id))?;
        Ok(true)
    })?;
    told(id, ("blocked", false), changed, output)
}

fn told(
    id: RootId,
    (name, value): (&str, bool),
    changed: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let changed = ("changed", Value::from(changed));
    output.facts(&[("id", id.to_string().into()), (name, value.into()), changed])
}

/// In the log, and in the old logs beside it.
pub(super) fn erase(gate: &Gate, id: RootId, output: &mut Output) -> Result<(), Failure> {
    let (mut erased, mut young) = gate.change("erase entries", |transaction, now| {
        let (erased, young) = transaction.erase(id, now)?;
        if erased > 0 {
            transaction.log(EntryOp::Erase, now, |_| {})?;
        }
        Ok((erased, young))
    })?;
    clean(&gate.dir.database())?;
    for path in gate.dir.leftovers()? {
        fs::remove_file(&path).map_err(|error| Failure::file("remove", &path, error))?;
    }
    // One that cannot be read keeps no other from being erased.
    let mut failures = Vec::new();
    for path in gate.dir.archives()? {
        match erase_in(&path, id) {
            Ok(of_archive) => (erased, young) = (erased + of_archive.0, young + of_archive.1),
            Err(failure) => failures.push(failure),
        }
    }
    output.facts(&[
        ("id", id.to_string().into()),
        ("erased", erased.into()),
        ("too_young", young.into()),
    ])?;
    output.finish()?;
    let Some(last) = failures.pop() else {
        return Ok(());
    };
    for failure in failures {
        tell(&failure.to_string());
    }
    Err(last)
}

/// Erases in an old log. It is at its end: there is no entry that says so.
fn erase_in(path: &Path, id: RootId) -> Result<(u64, u64), Failure> {
    let failure = |error| Failure::file("erase entries in", path, error);
    let mut store = Store::open(path).map_err(failure)?;
    let mut transaction = store.begin().map_err(failure)?;
    let erased = transaction.erase(id, now()).map_err(failure)?;
    transaction.commit().map_err(failure)?;
    clean(path)?;
    Ok(erased)
}

/// Takes what was erased out of the file.
fn clean(path: &Path) -> Result<(), Failure> {
    let vacuumed = Store::open(path).and_then(|store| store.vacuum());
    vacuumed.map_err(|error| {
        Failure::file("clean", path, error).hint(
            "the entries are erased; run the command again when no `backup` and no `export` runs",
        )
    })
}
