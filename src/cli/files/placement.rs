//! Where a command reads and writes: files as they were typed, and files below the folders that were walked.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use encl::atomic_file::{
    AtomicFileError, Existing, FileMode, Folder, LeftBy, Name, discard_leftovers,
};
use encl::operations::rewrite::open_found;
use encl::operations::seal::FileForm;

use crate::cli::errors::files::not_made;
use crate::cli::errors::{Exit, Failure, Tally, io_message};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::output::{Output, Sink};
use crate::cli::files::roots::Roots;
use crate::cli::files::target::{Destination, Target};
use crate::cli::terminal::{Terminal, shown};

/// What to do about an output of a whole tree that exists.
const TREE_HINT: &str = "--force replaces it, -C DIR puts the tree elsewhere";

/// How outputs are called after their inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Naming {
    /// With `.encl` behind it, and `.html` where a page carries it; standard input has the name that is given.
    Sealed(Option<String>, FileForm),
    /// Without it.
    Opened,
}

/// Where the outputs of a run go.
pub(crate) struct Placement {
    pub(crate) verb: &'static str,
    pub(crate) naming: Naming,
    pub(crate) mode: FileMode,
    pub(crate) destination: Destination,
    pub(crate) existing: Existing,
    /// The folders that were walked. What was found below them is opened below them, and no link on the way is followed.
    pub(crate) roots: Roots,
    /// The folder of `-C`, where folders were walked: their trees are kept in it.
    pub(crate) into: Option<Folder>,
}

/// Opens the folder of `-C`, in which trees are kept.
pub(crate) fn open_into(folder: &Path) -> Result<Folder, Failure> {
    let what = format!("cannot write into {}", shown(folder));
    let failed = |error| not_made(Failure::new(Exit::Failed, what).file(folder), &error);
    Folder::open_typed(folder).map_err(failed)
}

impl Placement {
    /// Whether the output of one input can be written, as far as that shows before it is.
    pub(crate) fn is_free(&self, input: &Input) -> bool {
        let target = self.target(input).ok();
        let path = target.and_then(Target::into_path);
        path.is_some_and(|path| self.existing != Existing::Keep || path.symlink_metadata().is_err())
    }

    /// Where the output of one input goes.
    pub(crate) fn target(&self, input: &Input) -> Result<Target, Failure> {
        let (Some((root, within)), Some(into)) = (self.found(input), &self.into) else {
            return self.named(input, &self.destination);
        };
        self.named(input, &Destination::BesideInput)?;
        let in_tree = Input::File(into.path().join(in_tree(root, within)));
        self.named(&in_tree, &Destination::BesideInput)
    }

    fn named(&self, input: &Input, destination: &Destination) -> Result<Target, Failure> {
        match &self.naming {
            Naming::Sealed(name, form) => {
                Target::of_wrap(input, destination, name.as_deref(), *form)
            }
            Naming::Opened => Target::of_unwrap(input, destination),
        }
    }

    /// Opens an input.
    pub(crate) fn open(&self, input: &Input) -> Result<Source, Failure> {
        let Some((root, within)) = self.found(input) else {
            return input.open(self.verb);
        };
        let failed = |error| {
            let failure = input.cannot(self.verb, Exit::Failed);
            failure.reason(io_message(&error))
        };
        let file = open_found(root, within).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        match metadata.is_file() {
            true => Ok(Source { file, metadata }),
            false => Err(input
                .cannot(self.verb, Exit::Failed)
                .reason("it is no regular file any more")),
        }
    }

    /// Begins the output of an input.
    pub(crate) fn sink(&self, output: &Output<'_>, source: &Source) -> Result<Sink, Failure> {
        match (self.found(output.input), output.target) {
            (Some((root, within)), Target::File(path)) => {
                let begun = self.begin(root, within, path);
                begun.map_err(|error| {
                    let failure = output.not_made(&error);
                    match error {
                        AtomicFileError::Exists(_) => failure.hint(TREE_HINT),
                        _ => failure,
                    }
                })
            }
            _ => output.open(source, self.mode, self.existing),
        }
    }

    fn begin(&self, root: &Folder, within: &Path, path: &Path) -> Result<Sink, AtomicFileError> {
        let folder = match &self.into {
            None => root.descend(parent(within)),
            Some(into) => into.make_below(parent(&in_tree(root, within))),
        };
        let folder = folder.map_err(|error| AtomicFileError::System {
            action: "open the folder of",
            path: path.to_owned(),
            source: error.into(),
        })?;
        let name = path.file_name().and_then(Name::new);
        let name = name.ok_or_else(|| AtomicFileError::NoName(path.to_owned()))?;
        let file = folder.create(&name, self.mode, self.existing)?;
        Ok(Sink::File(Box::new(file)))
    }

    /// Removes the hidden files that killed runs of mine left where outputs of what was found go.
    pub(crate) fn clear_leftovers(&self, inputs: &[Input]) {
        let mut cleared = HashSet::new();
        for (root, within) in inputs.iter().filter_map(|input| self.found(input)) {
            let (base, within) = match &self.into {
                None => (root, within.to_owned()),
                Some(into) => (into, in_tree(root, within)),
            };
            let within = parent(&within);
            if cleared.insert(base.path().join(within))
                && let Ok(folder) = base.descend(within)
            {
                // A folder that cannot be cleaned can still be written to.
                let _ = discard_leftovers(&folder, LeftBy::Me);
            }
        }
    }

    /// Leaves out inputs whose output would take the place of another one's, or of something that is not to be replaced, also
    /// with `--force`.
    pub(crate) fn refuse_shared_targets(
        &self,
        inputs: &mut Vec<Input>,
        kept: &HashSet<PathBuf>,
        terminal: Terminal,
        tally: &mut Tally,
    ) {
        let mut owners: HashMap<PathBuf, Input> = HashMap::new();
        inputs.retain(|input| {
            // What has no target is told when its turn comes.
            let Some(path) = self.target(input).ok().and_then(Target::into_path) else {
                return true;
            };
            let cannot = || input.cannot(self.verb, Exit::Exists);
            let failure = match owners.get(&path) {
                _ if kept.contains(&path) => {
                    cannot().reason(format!("{} is there, and is no envelope", shown(&path)))
                }
                Some(owner) if owner != input => cannot()
                    .reason(format!(
                        "its output would be {}, as that of {}",
                        shown(&path),
                        owner.name()
                    ))
                    .hint(format!("{} it alone, to another place", self.verb)),
                _ => {
                    owners.insert(path, input.clone());
                    return true;
                }
            };
            tally.add(terminal, Err(failure));
            false
        });
    }

    /// The folder that an input was found below, and the way from there.
    fn found<'p>(&self, input: &'p Input) -> Option<(&Folder, &'p Path)> {
        self.roots.find(input.path()?)
    }
}

/// A walked folder keeps its own name, so that two of them do not mix.
fn in_tree(root: &Folder, within: &Path) -> PathBuf {
    let name = root.path().file_name().unwrap_or_default();
    Path::new(name).join(within)
}

fn parent(within: &Path) -> &Path {
    within.parent().unwrap_or(Path::new(""))
}
