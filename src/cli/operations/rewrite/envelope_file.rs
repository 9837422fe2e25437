//! What grant, drop, revoke and rewrap share: an envelope that is read, and the one that takes its place.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use encl::atomic_file::{Existing, FileMode, ReplaceError, ReplacedFile};
use encl::envelope::{OpenError, RewriteError, Rewriting};

use crate::cli::args::rewrite::RewriteOptions;
use crate::cli::errors::envelope;
use crate::cli::errors::rewrite::{not_replaced, not_rewritten};
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::output::{Output, Sink};
use crate::cli::files::target::Target;
use crate::cli::terminal::Terminal;

/// A copy of standard input, since some commands read an envelope twice. The copy is as encrypted as the envelope.
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
    in_place: Option<ReplacedFile>,
}

impl<'a> EnvelopeFile<'a> {
    /// Opens an envelope to be read from its beginning, by `open` if it is to be replaced. Standard input is copied to `spool`.
    pub(crate) fn open(
        verb: &'static str,
        input: &'a Input,
        options: &RewriteOptions,
        spool: &Spool,
        open: impl FnOnce(&Path) -> Result<ReplacedFile, ReplaceError>,
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
                let in_place = open(path);
                let in_place = in_place.map_err(|error| refused(verb, input, &error))?;
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

    /// Says that another program holds the lock, and that it is not waited for any longer.
    pub(crate) fn warn_of_lock(&self, terminal: Terminal) {
        let in_place = self.in_place.as_ref();
        if let Some(holder) = in_place.and_then(ReplacedFile::lock_holder) {
            let by = holder.map_or_else(String::new, |process| format!(" by process {process}"));
            terminal.warning(&format!(
                "{} is locked{by}; it is changed without waiting any longer",
                self.input.name()
            ));
        }
    }

    pub(crate) fn cannot(&self, exit: Exit) -> Failure {
        self.input.cannot(self.verb, exit)
    }

    /// Begins the new envelope.
    pub(crate) fn sink(&self) -> Result<Sink, Failure> {
        let output = self.output();
        let Some(in_place) = &self.in_place else {
            let existing = if self.force {
                Existing::Replace
            } else {
                Existing::Keep
            };
            return output.open(&self.source, FileMode::Umask, existing);
        };
        // The old file is never linked under a temporary name: after a kill a removed reader would find it there.
        let file = in_place.successor();
        let file = file.map_err(|error| output.not_made(&error))?;
        Ok(Sink::File(Box::new(file)))
    }

    /// Puts the new envelope in its place, on disk.
    pub(crate) fn commit(&self, sink: Sink) -> Result<(), Failure> {
        match (&self.in_place, sink) {
            (Some(in_place), Sink::File(file)) => {
                let replaced = in_place.replace(*file);
                replaced.map_err(|error| refused(self.verb, self.input, &error))
            }
            (_, sink) => self.output().commit(sink),
        }
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
                    error => envelope::failure(self.cannot(Exit::Failed), error),
                })?;
            }
        }
        self.commit(sink)
    }

    /// Why an access line stays as it is.
    pub(crate) fn not_rewritten(&self, error: &RewriteError) -> Failure {
        not_rewritten(self.cannot(Exit::Failed), error)
    }
}

fn refused(verb: &str, input: &Input, error: &ReplaceError) -> Failure {
    not_replaced(input.cannot(verb, Exit::Failed), error)
}

impl Spool {
    /// Standard input from its beginning, as often as it is asked for.
    fn source(&self, input: &Input, verb: &str) -> Result<Source, Failure> {
        let mut spool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spooled = match spool.take() {
            Some(spooled) => spooled,
            None => input.open(verb)?.spooled(input, verb)?,
        };
        let mut source = spool.insert(spooled).twin(input, verb)?;
        let rewound = source.rewind(0);
        rewound.map_err(|error| {
            let failure = input.cannot(verb, Exit::Failed);
            failure.reason(io_message(&error))
        })?;
        Ok(source)
    }
}
