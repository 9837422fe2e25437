//! `encl mail wrap --attachments`: the text stays readable, each attachment becomes an envelope in its place.

use std::io;

use encl::directory::Recipients;
use encl::envelope::{ContentInfo, EnvelopeId, Mail, SealError};
use encl::mail::attachments::{Attachment, Plan, plan};
use encl::mail::{Reopen, ScanError};

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::Input;
use crate::cli::files::output::{Output, Sink};
use crate::cli::operations::seal;
use crate::cli::operations::seal::{SealedOutput, Sealing};

use crate::cli::files::spool::{MessageSource, not_scanned};

/// A message whose attachments are sealed.
pub(crate) struct AttachmentSealer<'a> {
    pub(crate) input: &'a Input,
    pub(crate) source: &'a MessageSource,
    plan: Plan,
}

/// Why a message could not be written: an error that seal gives, or one in between.
enum AttachError {
    Seal(SealError),
    Between(io::Error),
}

impl From<io::Error> for AttachError {
    fn from(error: io::Error) -> Self {
        Self::Between(error)
    }
}

impl<'a> AttachmentSealer<'a> {
    /// Finds the attachments.
    pub(crate) fn plan(input: &'a Input, source: &'a MessageSource) -> Result<Self, Failure> {
        let plan = plan(source).map_err(|error: ScanError| not_scanned(input, "wrap", error))?;
        Ok(Self {
            input,
            source,
            plan,
        })
    }

    pub(crate) fn has_none(&self) -> bool {
        self.plan.parts() == 0
    }

    /// Passes the message on as it is.
    pub(crate) fn copy(&self, mut sink: Sink, output: &Output<'_>) -> Result<(), Failure> {
        let message = self.source.open();
        let mut message = message.map_err(|error| {
            self.input
                .cannot("wrap", Exit::Failed)
                .reason(io_message(&error))
        })?;
        io::copy(&mut message, &mut sink).map_err(|error| output.not_written(&error))?;
        output.commit(sink)
    }

    /// Writes the message with an envelope for each attachment.
    pub(crate) fn write(
        &self,
        mut sink: Sink,
        output: &Output<'_>,
        sealing: &Sealing<'_>,
        readers: &Recipients,
    ) -> Result<(), Failure> {
        let mut ids: Vec<EnvelopeId> = Vec::new();
        let written = self.plan.write(
            self.source,
            &mut sink,
            &mut |attachment, content, out| -> Result<(), AttachError> {
                let request = sealing.request(readers, about(attachment));
                let mut rng = sealing.context.rng();
                let sealed = encl::envelope::seal(&request, content, out, &mut rng)
                    .map_err(AttachError::Seal)?;
                ids.push(sealed.id);
                Ok(())
            },
        );
        written.map_err(|error| match error {
            AttachError::Seal(error) => seal::not_sealed(output, error),
            AttachError::Between(error) => output.not_written(&error),
        })?;
        output.commit(sink)?;
        let made = SealedOutput::Parts(ids);
        sealing.report(
            "encl.mail-wrap/1",
            (self.input, output.target),
            &made,
            readers,
        )
    }
}

fn about(attachment: &Attachment) -> ContentInfo {
    ContentInfo {
        name: attachment.name.clone(),
        media_type: Some(attachment.media_type.clone()),
        modified: None,
        subject: None,
        mail: Some(Mail::Attachment {
            part: attachment.part,
            parts: attachment.parts,
            eol: attachment.eol,
            skeleton: attachment.skeleton,
        }),
    }
}

/// Nothing was sealed, which is no failure: a text alone is what this mode leaves readable.
pub(crate) fn tell_none(context: &Context) {
    context
        .terminal
        .warning("the message has no attachment: nothing was encrypted");
}
