//! What wrap does for each of its inputs: one content sealed for all its readers.

use std::io::Read;
use std::time::SystemTime;

use encl::atomic_file::{self, Existing};
use encl::directory::Recipients;
use encl::envelope::{ArmorWriter, ContentInfo, EnvelopeId, SealError, SealRequest, Sealed};
use encl::time::Time;

use crate::cli::commands::envelope::wrap::Arguments;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::output::{Output, Sink};
use crate::cli::files::parallel::Parallelism;
use crate::cli::files::target;
use crate::cli::files::target::Target;
use crate::cli::operations::seal;
use crate::cli::operations::seal::{SealedOutput, Sealing};
use crate::cli::terminal::progress::Progress;

/// Manifests of longer contents end at a block border (FORMAT.md advises it over 1 MiB).
const ALIGNED_BYTES_MIN: u64 = 1 << 20;
const ARMOR_BEGIN: &[u8] = b"-----BEGIN ENCL/1-----";

/// What wrap was told, resolved.
pub(crate) struct Wrapping<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) sealing: Sealing<'a>,
    pub(crate) readers: Recipients,
}

/// What became of one input.
pub(crate) struct Wrapped {
    id: EnvelopeId,
    target: Target,
    was_envelope: bool,
}

impl Wrapping<'_> {
    /// Seals one input.
    pub(crate) fn wrap(&self, input: &Input, parallelism: Parallelism) -> Result<Wrapped, Failure> {
        let target = Target::of_wrap(
            input,
            &self.arguments.output,
            self.arguments.name.as_deref(),
        )?;
        if !self.arguments.armor {
            target::refuse_binary_on_terminal(&target, input)?;
        }
        let mut source = input.open("wrap")?;
        let output = Output {
            verb: "wrap",
            input,
            target: &target,
        };
        let existing = if self.arguments.output.force {
            Existing::Replace
        } else {
            Existing::Keep
        };
        let mut sink = output.open(&source, atomic_file::FileMode::Umask, existing)?;
        let bytes = source.length();
        let about = self.about(input, &source);
        let request = SealRequest {
            aligned: bytes.is_none_or(|bytes| bytes > ALIGNED_BYTES_MIN),
            workers: parallelism.workers(),
            ..self.sealing.request(&self.readers, about)
        };
        let terminal = parallelism.progress(self.sealing.context.terminal);
        let mut content = Progress::new(terminal, &input.name(), bytes, source);
        let head = head(input, &mut content)?;
        let sealed = self.seal(&request, &mut head.as_slice().chain(content), &mut sink);
        let sealed = sealed.map_err(|error| seal::not_sealed(&output, error))?;
        output.commit(sink)?;
        Ok(Wrapped {
            id: sealed.id,
            target,
            was_envelope: looks_like_an_envelope(&head),
        })
    }

    /// Says what was done.
    pub(crate) fn tell(&self, input: &Input, wrapped: Wrapped) -> Result<(), Failure> {
        let Wrapped {
            id,
            target,
            was_envelope,
        } = wrapped;
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

    fn seal(
        &self,
        request: &SealRequest<'_>,
        content: &mut (dyn Read + Send),
        sink: &mut Sink,
    ) -> Result<Sealed, SealError> {
        let mut rng = self.sealing.context.rng();
        if !self.arguments.armor {
            return encl::envelope::seal(request, content, sink, &mut rng);
        }
        let mut armor = ArmorWriter::new(sink).map_err(SealError::Write)?;
        let sealed = encl::envelope::seal(request, content, &mut armor, &mut rng)?;
        armor.finish().map_err(SealError::Write)?;
        Ok(sealed)
    }

    fn about(&self, input: &Input, source: &Source) -> ContentInfo {
        let file_name = match input {
            Input::Stdin => None,
            Input::File(path) => path
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned),
        };
        let seconds = |modified: SystemTime| modified.duration_since(SystemTime::UNIX_EPOCH).ok();
        let modified = source
            .metadata
            .modified()
            .ok()
            .filter(|_| source.is_seekable())
            .and_then(seconds);
        ContentInfo {
            name: self.arguments.name.clone().or(file_name),
            modified: modified.and_then(|since| Time::from_unix(since.as_secs())),
            ..ContentInfo::default()
        }
    }
}

/// Whether these first bytes are those of an envelope.
pub(crate) fn looks_like_an_envelope(head: &[u8]) -> bool {
    head.starts_with(b"encl/1\n") || head.starts_with(ARMOR_BEGIN)
}

/// Reads the first bytes, to see whether somebody wraps an envelope once more.
fn head(input: &Input, content: &mut impl Read) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::new();
    let read = content
        .take(ARMOR_BEGIN.len() as u64)
        .read_to_end(&mut head);
    read.map_err(|error| {
        input
            .cannot("wrap", Exit::Failed)
            .reason(io_message(&error))
    })?;
    Ok(head)
}
