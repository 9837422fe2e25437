//! A message in a file of its own that keeps its name: folders of .eml.

use std::path::Path;

use super::form::{self, NoSource, Source};
use super::run::Task;
use super::{MessageError, MessageOutcome, Skip, Transform};
use crate::atomic_file::Existing;

/// Converts the message in `path`, in place.
pub(super) fn change<T: Transform>(task: &Task<'_, T>, path: &Path) -> MessageOutcome<T::Error> {
    try_change(task, path).unwrap_or_else(MessageOutcome::Failed)
}

fn try_change<T: Transform>(
    task: &Task<'_, T>,
    path: &Path,
) -> Result<MessageOutcome<T::Error>, MessageError<T::Error>> {
    let source = match Source::open(path) {
        Ok(source) => source,
        Err(NoSource::Skip(reason)) => return Ok(MessageOutcome::Skipped(reason)),
        Err(NoSource::Refusal(refusal)) => return Err(refusal.into()),
    };
    if let Some(settled) = task.settled(&source)? {
        return Ok(settled);
    }
    let stored_names = task
        .originals
        .as_ref()
        .map_or(0, |originals| originals.names(&source, path));
    if source.names() > 1 + stored_names {
        return Ok(MessageOutcome::Skipped(Skip::HardLink));
    }
    if task.is_dry_run() {
        return Ok(MessageOutcome::Converted);
    }
    let file = form::make(task.transform, &source, path, Existing::Overwrite)?;
    if let Some(originals) = &task.originals {
        originals.store(&source, path)?;
    }
    if !source.is_at(path) || !source.is_unchanged() {
        return Err(MessageError::Changed);
    }
    file.commit()?;
    Ok(MessageOutcome::Converted)
}
