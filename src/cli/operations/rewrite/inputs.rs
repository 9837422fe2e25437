//! The envelopes that a command changes: those that were named, and with `-r` all below the folders that were named.

use std::collections::HashSet;
use std::io::ErrorKind;

use encl::atomic_file::AtomicFileError;
use encl::operations::rewrite::{FoundEnvelopes, envelopes_below};

use crate::cli::args::InputFiles;
use crate::cli::context::Context;
use crate::cli::context::asking::AskPolicy;
use crate::cli::errors::files::not_made;
use crate::cli::errors::rewrite::not_walked;
use crate::cli::errors::{Exit, Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::files::roots::Roots;
use crate::cli::terminal::shown;

/// Whether the contents of a folder are meant when the folder is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// A folder is a mistake.
    Files,
    /// All files below it are meant.
    Recursive,
}

impl From<bool> for Depth {
    /// `-r`.
    fn from(recursive: bool) -> Self {
        match recursive {
            true => Self::Recursive,
            false => Self::Files,
        }
    }
}

impl Depth {
    /// For which envelopes gates are asked: what lies below a folder was not named one by one.
    pub(crate) fn asks(self) -> AskPolicy {
        match self {
            Self::Files => AskPolicy::Always,
            Self::Recursive => AskPolicy::KnownOwners,
        }
    }

    /// Refuses `-r` without a folder: standard input has none.
    pub(crate) fn check(self, verb: &str, files: &InputFiles) -> Result<(), Failure> {
        let is_none_named = files.files.is_empty() && files.files_from.is_none();
        match self == Self::Recursive && is_none_named {
            true => Err(
                Failure::new(Exit::Usage, format!("cannot {verb} without a folder"))
                    .hint(format!("`encl {verb} -r .` is about the current folder")),
            ),
            false => Ok(()),
        }
    }
}

/// A file, or nothing at all, which is told when its turn comes.
fn is_no_folder(error: &AtomicFileError) -> bool {
    let kinds = [ErrorKind::NotADirectory, ErrorKind::NotFound];
    matches!(error, AtomicFileError::System { source, .. } if kinds.contains(&source.kind()))
}

/// The envelopes of a command, each once, and the folders in which some were found.
pub(crate) fn envelopes(
    verb: &'static str,
    files: &InputFiles,
    depth: Depth,
    context: &Context,
    tally: &mut Tally,
) -> Result<(Vec<Input>, Roots), Failure> {
    depth.check(verb, files)?;
    let named = files.all(verb, context)?;
    if depth == Depth::Files {
        return Ok((named, Roots::default()));
    }
    let (mut inputs, mut roots, mut seen) = (Vec::new(), Roots::default(), HashSet::new());
    for input in named {
        let Some(path) = input.path() else {
            inputs.push(input);
            continue;
        };
        let found = envelopes_below(path, |error| {
            tally.add(context.terminal, Err(not_walked(&error)));
        });
        let FoundEnvelopes { root, paths, links } = match found {
            Ok(found) => found,
            Err(error) if is_no_folder(&error) => {
                inputs.push(input);
                continue;
            }
            Err(error) => return Err(not_made(input.cannot(verb, Exit::Failed), &error)),
        };
        for link in links {
            context.terminal.warning(&format!(
                "{} is a symbolic link, which was not followed",
                shown(&root.path().join(link))
            ));
        }
        let paths = paths.iter().map(|within| root.path().join(within));
        inputs.extend(paths.map(Input::File));
        roots.add(root);
    }
    inputs.retain(|input| seen.insert(input.clone()));
    Ok((inputs, roots))
}
