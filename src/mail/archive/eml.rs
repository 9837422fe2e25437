//! A message in a file of its own that keeps its name: folders of .eml.

use std::path::Path;

use super::form::{self, NoSource, Source};
use super::run::Task;
use super::{MessageError, Outcome, Skip, Transform};
use crate::atomic_file::Existing;

/// Gives the message in `path` its other form, in place.
pub(super) fn change<T: Transform>(task: &Task<'_, T>, path: &Path) -> Outcome<T::Error> {
    try_change(task, path).unwrap_or_else(Outcome::Failed)
}

fn try_change<T: Transform>(
    task: &Task<'_, T>,
    path: &Path,
) -> Result<Outcome<T::Error>, MessageError<T::Error>> {
    let source = match Source::open(path) {
        Ok(source) => source,
        Err(NoSource::Skip(reason)) => return Ok(Outcome::Skipped(reason)),
        Err(NoSource::Refusal(refusal)) => return Err(refusal.into()),
    };
    if let Some(settled) = task.settled(&source)? {
        return Ok(settled);
    }
    let kept_names = task
        .keep
        .as_ref()
        .map_or(0, |keep| keep.names(&source, path));
    if source.names() > 1 + kept_names {
        return Ok(Outcome::Skipped(Skip::HardLink));
    }
    if task.is_rehearsal() {
        return Ok(Outcome::Done);
    }
    let file = form::make(task.transform, &source, path, Existing::Overwrite)?;
    if let Some(keep) = &task.keep {
        keep.keep(&source, path)?;
    }
    if !source.is_at(path) || !source.is_unchanged() {
        return Err(MessageError::Changed);
    }
    file.commit()?;
    Ok(Outcome::Done)
}
