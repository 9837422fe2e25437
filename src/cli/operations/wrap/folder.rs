//! `wrap -r`: the files below a folder that are to be sealed. Whatever is not is named, so that nothing stays in clear in silence.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use encl::atomic_file::{Folder, LeftBy, Name, discard_leftovers};
use encl::envelope::{Envelope, HEAD_BYTES};
use encl::operations::rewrite::{EntryKind, FoundFiles, begins_like_envelope, files_below};

use crate::cli::context::Context;
use crate::cli::errors::files::not_made;
use crate::cli::errors::rewrite::not_walked;
use crate::cli::errors::{Exit, Failure, Tally, io_message};
use crate::cli::files::input::Input;
use crate::cli::files::roots::Roots;
use crate::cli::terminal::Terminal;

/// What was named, with files in place of folders, each once.
#[derive(Default)]
pub(crate) struct FilesToWrap {
    /// Are sealed.
    pub(crate) plain: Vec<Input>,
    /// Are envelopes already; of those that were named themselves nothing is known.
    pub(crate) envelopes: Vec<Input>,
    /// Are named like envelopes and are none: no envelope may take their place.
    pub(crate) only_named: HashSet<PathBuf>,
    /// The folders that were walked.
    pub(crate) roots: Roots,
}

impl FilesToWrap {
    /// Files as they were named.
    pub(crate) fn named(inputs: Vec<Input>) -> Self {
        Self {
            plain: inputs,
            ..Self::default()
        }
    }

    /// Looks into the folders among `named`. What is passed over is a failure.
    pub(crate) fn find(
        named: Vec<Input>,
        context: &Context,
        tally: &mut Tally,
    ) -> Result<Self, Failure> {
        let mut files = Self::default();
        for input in named {
            match input.path() {
                Some(path) if path.is_dir() => {
                    let found = files_below(path, |error| {
                        tally.add(context.terminal, Err(not_walked(&error)));
                    });
                    let found = found
                        .map_err(|error| not_made(input.cannot("wrap", Exit::Failed), &error))?;
                    files.sort(found, context, tally);
                }
                _ => files.plain.push(input),
            }
        }
        let mut seen = HashSet::new();
        files.plain.retain(|input| seen.insert(input.clone()));
        files.envelopes.retain(|input| seen.insert(input.clone()));
        let is_empty = files.plain.is_empty() && files.envelopes.is_empty();
        match is_empty && tally.failures() == 0 {
            true => {
                Err(Failure::new(Exit::Failed, "cannot wrap anything").reason("no file was found"))
            }
            false => Ok(files),
        }
    }

    /// Looks which of the files that were named are envelopes already.
    pub(crate) fn set_envelopes_aside(&mut self) {
        let is_envelope = |input: &Input| {
            let mut head = Vec::new();
            let source = match input {
                Input::Stdin => return false,
                // What cannot be read is told when its turn comes.
                Input::File(_) => input.open("wrap"),
            };
            let read = source.map(|source| source.take(HEAD_BYTES as u64).read_to_end(&mut head));
            matches!(read, Ok(Ok(_))) && Envelope::looks_like(&head)
        };
        let (envelopes, plain) = std::mem::take(&mut self.plain)
            .into_iter()
            .partition::<Vec<_>, _>(is_envelope);
        self.plain = plain;
        self.envelopes.extend(envelopes);
    }

    /// Names those that are left as they are.
    pub(crate) fn tell_envelopes(&self, terminal: Terminal) {
        for input in &self.envelopes {
            terminal.notice(&format!(
                "{} is an envelope already, and is left as it is",
                input.name()
            ));
        }
    }

    fn sort(&mut self, found: FoundFiles, context: &Context, tally: &mut Tally) {
        let FoundFiles { root, files } = found;
        for (within, kind) in files {
            let path = root.path().join(&within);
            let input = Input::File(path.clone());
            let passed_over = match kind {
                EntryKind::Plain => {
                    self.plain.push(input);
                    continue;
                }
                EntryKind::Envelope => {
                    self.envelopes.push(input);
                    continue;
                }
                EntryKind::Named => match begins_like_envelope(&root, &within) {
                    Ok(true) => {
                        self.envelopes.push(input);
                        continue;
                    }
                    Ok(false) => {
                        self.only_named.insert(path);
                        input
                            .cannot("wrap", Exit::Damaged)
                            .reason("it is named like an envelope, and is none")
                            .hint("give it another name, or name it on the command line")
                    }
                    Err(error) => input
                        .cannot("wrap", Exit::Failed)
                        .reason(io_message(&error)),
                },
                EntryKind::Temporary if !is_there(&root, &within) => continue,
                EntryKind::Temporary => input
                    .cannot("wrap", Exit::Failed)
                    .reason("another run of encl is writing it, or left it"),
                EntryKind::Link => input
                    .cannot("wrap", Exit::Failed)
                    .reason("it is a symbolic link, and -r follows none")
                    .hint("name what it leads to"),
                EntryKind::Special => input
                    .cannot("wrap", Exit::Failed)
                    .reason("it is a device, pipe or socket"),
            };
            tally.add(context.terminal, Err(passed_over));
        }
        self.roots.add(root);
    }
}

/// Whether a temporary file is still there once those of killed runs of mine are removed.
fn is_there(root: &Folder, within: &Path) -> bool {
    let Ok(folder) = root.descend(within.parent().unwrap_or(Path::new(""))) else {
        return true;
    };
    // One that cannot be removed is still there.
    let _ = discard_leftovers(&folder, LeftBy::Me);
    let name = within.file_name().and_then(Name::new);
    name.is_none_or(|name| folder.has(&name))
}
