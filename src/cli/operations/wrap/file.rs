//! What wrap does for each of its inputs: one content sealed for all its readers.

use std::io::{ErrorKind, Read};
use std::time::SystemTime;

use encl::directory::Recipients;
use encl::envelope::ContentInfo;
use encl::envelope::Envelope;
use encl::envelope::EnvelopeId;
use encl::envelope::GateRequest;
use encl::envelope::HEAD_BYTES;
use encl::envelope::{SealError, SealRequest};
use encl::operations::seal::{Encoding, FileForm, PAGE_CONTENT_BYTES_MAX, seal_as};
use encl::time::Time;

use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::output::Output;
use crate::cli::files::parallel::Parallelism;
use crate::cli::files::placement::{Naming, Placement};
use crate::cli::files::target;
use crate::cli::files::target::Target;
use crate::cli::operations::gate::sealing::keeper;
use crate::cli::operations::seal;
use crate::cli::operations::seal::{SealedOutput, Sealing};
use crate::cli::terminal::progress::Progress;

/// Manifests of longer contents end at a block border (FORMAT.md advises it over 1 MiB).
const ALIGNED_BYTES_MIN: u64 = 1 << 20;
/// Larger pages are slow in browsers, and mail hardly takes them: 1.35 times the content, 1.85 times in mail.
const PAGE_CONTENT_BYTES_GOOD: u64 = 10_000_000;

/// The options of wrap, resolved.
pub(crate) struct Wrapping<'a> {
    pub(crate) placement: Placement,
    /// How envelopes are written.
    pub(crate) form: FileForm,
    pub(crate) sealing: Sealing<'a>,
    pub(crate) readers: Recipients,
}

/// The result for one input.
pub(crate) struct Wrapped {
    id: EnvelopeId,
    target: Target,
    was_envelope: bool,
    content_bytes: u64,
}

impl Wrapping<'_> {
    /// Seals one input.
    pub(crate) fn wrap(&self, input: &Input, parallelism: Parallelism) -> Result<Wrapped, Failure> {
        let target = self.placement.target(input)?;
        if self.form == FileForm::Envelope(Encoding::Binary) {
            target::refuse_binary_on_terminal(&target, input)?;
        }
        let mut source = self.placement.open(input)?;
        let output = Output {
            verb: "wrap",
            input,
            target: &target,
        };
        let mut sink = self.placement.sink(&output, &source)?;
        let bytes = source.length();
        if self.form == FileForm::Page && bytes.is_some_and(|bytes| bytes > PAGE_CONTENT_BYTES_MAX)
        {
            return Err(too_large_for_a_page(input));
        }
        let about = self.about(input, &source);
        let request = self.sealing.request(&self.readers, about);
        let context = self.sealing.context;
        let gate = request.gate.clone().map(|gate| GateRequest {
            keeper: Some(keeper(context, Some(target.typed()))),
            ..gate
        });
        let request = SealRequest {
            gate,
            aligned: bytes.is_none_or(|bytes| bytes > ALIGNED_BYTES_MIN),
            workers: parallelism.workers(),
            ..request
        };
        let terminal = parallelism.progress(self.sealing.context.terminal);
        let mut content = Progress::new(terminal, &input.name(), bytes, source);
        let head = head(input, &mut content)?;
        let mut rng = self.sealing.context.rng();
        let mut content = head.as_slice().chain(content);
        let sealed = seal_as(self.form, &request, &mut content, &mut sink, &mut rng);
        let sealed = sealed.map_err(|error| match error {
            SealError::Read(error) if error.kind() == ErrorKind::FileTooLarge => {
                too_large_for_a_page(input)
            }
            other => seal::not_sealed(&output, other),
        })?;
        if let Some(expected) = bytes.filter(|expected| sealed.content_bytes < *expected) {
            return Err(input
                .cannot("wrap", Exit::Failed)
                .reason(format!(
                    "it became shorter while it was read: {} of {expected} bytes",
                    sealed.content_bytes
                ))
                .hint("nothing was written; run the command again when nobody writes to it"));
        }
        output.commit(sink)?;
        Ok(Wrapped {
            id: sealed.id,
            target,
            was_envelope: Envelope::looks_like(&head),
            content_bytes: sealed.content_bytes,
        })
    }

    /// Says what was done.
    pub(crate) fn tell(&self, input: &Input, wrapped: Wrapped) -> Result<(), Failure> {
        let Wrapped {
            id,
            target,
            was_envelope,
            content_bytes,
        } = wrapped;
        if self.form == FileForm::Page && content_bytes > PAGE_CONTENT_BYTES_GOOD {
            self.sealing.context.terminal.warning(&format!(
                "{} is large for a page: browsers may be slow, and mail servers refuse it",
                target.name()
            ));
        }
        if was_envelope {
            self.sealing.context.terminal.warning(&format!(
                "{} is already an envelope; wrapped again",
                input.name()
            ));
        }
        let made = SealedOutput::One(id);
        self.sealing
            .report("encl.wrap/1", (input, &target), &made, &self.readers)
    }

    fn about(&self, input: &Input, source: &Source) -> ContentInfo {
        let file_name = match input {
            Input::Stdin => None,
            Input::File(path) => path
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned),
        };
        let given = match &self.placement.naming {
            Naming::Sealed(name, _) => name.clone(),
            Naming::Opened => None,
        };
        let seconds = |modified: SystemTime| modified.duration_since(SystemTime::UNIX_EPOCH).ok();
        let modified = source
            .metadata
            .modified()
            .ok()
            .filter(|_| source.is_seekable())
            .and_then(seconds);
        ContentInfo {
            name: given.or(file_name),
            modified: modified.and_then(|since| Time::from_unix(since.as_secs())),
            ..ContentInfo::default()
        }
    }
}

fn too_large_for_a_page(input: &Input) -> Failure {
    input
        .cannot("wrap", Exit::Usage)
        .reason("it is larger than 64 MiB, and a page holds no more")
        .hint("without --html, the recipient opens the envelope in the page that `encl reader` writes")
}

/// Reads the first bytes, to see whether somebody wraps an envelope once more.
fn head(input: &Input, content: &mut impl Read) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::new();
    let read = content.take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(|error| {
        input
            .cannot("wrap", Exit::Failed)
            .reason(io_message(&error))
    })?;
    Ok(head)
}
