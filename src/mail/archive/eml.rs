//! A message in a file of its own that keeps its name: folders of .eml.

use super::form::{self, NoSource, Source};
use super::originals::Versions;
use super::run::Task;
use super::{MessageError, MessageOutcome, Skip, Transform};
use crate::atomic_file::{Existing, Folder, Name};

/// Converts the message under `name`, in place.
pub(super) fn change<T: Transform>(
    task: &Task<'_, T>,
    folder: &Folder,
    name: &Name,
) -> MessageOutcome<T::Error> {
    try_change(task, folder, name).unwrap_or_else(MessageOutcome::Failed)
}

fn try_change<T: Transform>(
    task: &Task<'_, T>,
    folder: &Folder,
    name: &Name,
) -> Result<MessageOutcome<T::Error>, MessageError<T::Error>> {
    let source = match Source::open(folder, name) {
        Ok(source) => source,
        Err(NoSource::Skip(reason)) => return Ok(MessageOutcome::Skipped(reason)),
        Err(NoSource::Refusal(refusal)) => return Err(refusal.into()),
    };
    if let Some(settled) = task.settled(&source)? {
        return Ok(settled);
    }
    let path = folder.path_of(name);
    let stored_names = task.originals.as_ref().map_or(0, |originals| {
        originals.names(&source, &path, Versions::One)
    });
    if source.names() > 1 + stored_names {
        return Ok(MessageOutcome::Skipped(Skip::HardLink));
    }
    if task.is_dry_run() {
        return Ok(MessageOutcome::Converted);
    }
    let folder = task.folder_for(&source)?;
    let file = form::make(
        task.transform,
        &source,
        (&folder, name),
        Existing::Overwrite,
    )?;
    if let Some(originals) = &task.originals {
        originals.store(&source, &path, Versions::One)?;
    }
    if !source.is_at(&folder, name) || !source.is_unchanged() {
        return Err(MessageError::Changed);
    }
    file.commit()?;
    Ok(MessageOutcome::Converted)
}
