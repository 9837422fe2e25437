//! What grant, drop, revoke and rewrap share: an envelope that is read, and the one that takes its place.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueHint};
use encl::atomic_file::{AtomicFile, Existing, FileMode, discard_leftovers};
use encl::envelope::{OpenError, RewriteError, Rewriting};

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, Source, is_dash};
use crate::cli::files::output::{Output, Sink};
use crate::cli::files::replace::InPlace;
use crate::cli::files::target::Target;
use crate::cli::operations::open;
use crate::cli::operations::open::approvals::With;
use crate::cli::terminal::Stream;

/// How an envelope is rewritten.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RewriteOptions {
    /// Write to OUT (`-`: standard output) and leave FILE as it is; for one FILE only
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Replace OUT if it exists
    #[arg(long, requires = "output")]
    force: bool,

    /// Which lock, counted from 0, if there are several: `encl inspect` shows them
    #[arg(long, value_name = "N")]
    pub(crate) lock: Option<u16>,

    /// Dry run: show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Which of my identities acts, and signs [default: $ENCL_IDENTITY, else the author's if that is me, else the default identity]
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) identity: Option<String>,

    #[command(flatten)]
    pub(crate) with: With,
}

impl RewriteOptions {
    /// Whether the new envelope is another file than the old one.
    pub(crate) fn goes_elsewhere(&self, input: &Input) -> bool {
        self.output.is_some() || *input == Input::Stdin
    }

    /// Where the new envelope goes.
    pub(crate) fn target(&self, input: &Input) -> Target {
        match (&self.output, input) {
            (Some(output), _) if is_dash(output) => Target::Stdout,
            (Some(output), _) => Target::File(output.clone()),
            (None, Input::Stdin) => Target::Stdout,
            (None, Input::File(path)) => Target::File(path.clone()),
        }
    }

    /// Checks what can be known before the first envelope is opened, and cleans up where a killed run left something.
    pub(crate) fn begin(&self, inputs: &[Input]) -> Result<(), Failure> {
        if self.output.is_some() && inputs.len() > 1 {
            return Err(
                Failure::new(Exit::Usage, "cannot write several outputs to one -o OUT")
                    .hint("without -o each file is changed in place"),
            );
        }
        if !self.dry_run {
            let written = inputs.iter().map(|input| self.target(input));
            let folders: HashSet<PathBuf> = written.filter_map(folder).collect();
            for folder in folders {
                let _ = discard_leftovers(&folder); // whoever cannot be cleaned up after is told by its own error
            }
        }
        Ok(())
    }
}

/// Where a target's folder is.
fn folder(target: Target) -> Option<PathBuf> {
    let path = target.into_path()?;
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() {
        ".".into()
    } else {
        parent.to_owned()
    })
}

/// What came from standard input, kept: it is sealed, and some commands read an envelope twice.
#[derive(Default)]
pub(crate) struct Spool(Mutex<Option<Source>>);

/// An envelope that is being rewritten.
pub(crate) struct EnvelopeFile<'a> {
    pub(crate) verb: &'static str,
    pub(crate) input: &'a Input,
    pub(crate) source: Source,
    pub(crate) target: Target,
    force: bool,
    /// The file itself, where that is what changes.
    in_place: Option<InPlace>,
}

impl<'a> EnvelopeFile<'a> {
    /// Opens an envelope to be read from its beginning. `spool` is where standard input is kept.
    pub(crate) fn open(
        verb: &'static str,
        input: &'a Input,
        options: &RewriteOptions,
        spool: &Spool,
    ) -> Result<Self, Failure> {
        let target = options.target(input);
        let failed = |error: std::io::Error| {
            let failure = input.cannot(verb, Exit::Failed);
            failure.reason(io_message(&error))
        };
        let (source, in_place) = match input {
            Input::Stdin => (spool.source(input, verb)?, None),
            Input::File(_) if options.output.is_some() => (input.open(verb)?, None),
            Input::File(path) => {
                let in_place = InPlace::open(input, path, verb)?;
                let source = Source {
                    file: in_place.file().map_err(failed)?,
                    metadata: in_place.metadata().clone(),
                };
                (source, Some(in_place))
            }
        };
        Ok(Self {
            verb,
            input,
            source,
            target,
            force: options.force,
            in_place,
        })
    }

    /// Whether the new envelope is another file, which shall be there even if nothing changes.
    pub(crate) fn goes_elsewhere(&self) -> bool {
        self.in_place.is_none()
    }

    pub(crate) fn cannot(&self, exit: Exit) -> Failure {
        self.input.cannot(self.verb, exit)
    }

    /// Begins the new envelope.
    pub(crate) fn sink(&self) -> Result<Sink, Failure> {
        let output = self.output();
        let (Some(in_place), Target::File(path)) = (&self.in_place, &self.target) else {
            let existing = if self.force {
                Existing::Replace
            } else {
                Existing::Keep
            };
            return output.open(&self.source, FileMode::Umask, existing);
        };
        // The old one gets no second name, not for a moment: whoever loses access would find it there after a kill.
        let file = AtomicFile::create(path, FileMode::OwnerOnly, Existing::Overwrite)
            .map_err(|error| output.not_made(&error))?;
        let handed_down = in_place.hand_down(file.file());
        handed_down.map_err(|error| output.not_written(&error))?;
        Ok(Sink::File(Box::new(file)))
    }

    /// Puts the new envelope in its place, on disk.
    pub(crate) fn commit(&self, sink: Sink) -> Result<(), Failure> {
        if let (Some(in_place), Target::File(path)) = (&self.in_place, &self.target)
            && !in_place.is_unchanged(path)
        {
            return Err(self
                .cannot(Exit::Failed)
                .reason("another program changed it in the meantime; it was not overwritten"));
        }
        self.output().commit(sink)
    }

    /// An error while writing.
    pub(crate) fn not_written(&self, error: &std::io::Error) -> Failure {
        self.output().not_written(error)
    }

    fn output(&self) -> Output<'_> {
        Output {
            verb: self.verb,
            input: self.input,
            target: &self.target,
        }
    }

    /// Writes what slots alone change: the payload is copied as it is, by the system where it can.
    pub(crate) fn write<R: std::io::Read>(&self, rewriting: Rewriting<R>) -> Result<(), Failure> {
        let rewritten = rewriting
            .finish()
            .map_err(|error| self.not_rewritten(&error))?;
        let mut sink = self.sink()?;
        match &mut sink {
            Sink::File(file) if self.source.is_seekable() && !rewritten.is_armored() => {
                std::io::Write::write_all(&mut **file, rewritten.manifest())
                    .and_then(|()| file.append_rest(&self.source.file, rewritten.payload_at()))
                    .map_err(|error| self.not_written(&error))?;
            }
            sink => {
                rewritten.copy_to(sink).map_err(|error| match error {
                    OpenError::Write(error) => self.not_written(&error),
                    error => open::failure(self.input, self.verb, error),
                })?;
            }
        }
        self.commit(sink)
    }

    /// Why an access line stays as it is.
    pub(crate) fn not_rewritten(&self, error: &RewriteError) -> Failure {
        let because = error.to_string();
        let (exit, hint) = match error {
            RewriteError::Private => (
                Exit::Refused,
                "`encl rewrap FILE --to …` sets all its readers, `encl revoke` removes one",
            ),
            RewriteError::WhichLock { .. } | RewriteError::NoSuchLock { .. } => (
                Exit::Usage,
                "`encl inspect` shows the locks, --lock N chooses one",
            ),
            RewriteError::NoShare { .. } => (
                Exit::Refused,
                "a person who holds a share in it can do that",
            ),
            RewriteError::NobodyLeft { .. } => (
                Exit::Refused,
                "`encl rewrap FILE --to …` encrypts it again for others",
            ),
            // An envelope that does not open is told about where it was opened.
            RewriteError::Open(_) | RewriteError::Request(_) => {
                return self.cannot(Exit::Usage).reason(because);
            }
        };
        self.cannot(exit).reason(because).hint(hint)
    }
}

impl Spool {
    /// Standard input from its beginning, as often as it is asked for.
    fn source(&self, input: &Input, verb: &str) -> Result<Source, Failure> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spooled = match kept.take() {
            Some(spooled) => spooled,
            None => input.open(verb)?.spooled(input, verb)?,
        };
        let mut source = kept.insert(spooled).twin(input, verb)?;
        let rewound = source.rewind(0);
        rewound.map_err(|error| {
            let failure = input.cannot(verb, Exit::Failed);
            failure.reason(io_message(&error))
        })?;
        Ok(source)
    }
}

/// Says what was done; what would be done is data, and goes to standard output unless an envelope does.
pub(crate) fn said(
    line: &str,
    target: &Target,
    dry_run: bool,
    context: &Context,
) -> Result<(), Failure> {
    if dry_run && target.objects() == Stream::Stdout {
        return context.terminal.print(line);
    }
    context.terminal.status(line);
    Ok(())
}
