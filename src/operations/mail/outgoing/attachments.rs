//! Attachments sealed, each in its place; everything else of the message stays readable.

use std::io::{self, Write};

use crate::crypto::CryptoRng;
use crate::directory::Recipients;
use crate::envelope::{ContentInfo, EnvelopeId, Mail, SealError, seal};
use crate::mail::attachments::{Attachment, Extent, Plan, plan};
use crate::mail::{Reopen, ScanError};
use crate::operations::seal::Sealer;

/// A message whose attachments are sealed.
pub struct AttachmentSealer<'a> {
    message: &'a dyn Reopen,
    plan: Plan,
}

/// Why a message could not be written.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentSealError {
    /// An attachment cannot be sealed.
    #[error(transparent)]
    Seal(SealError),
    /// What stands between the attachments cannot be copied.
    #[error("the message cannot be copied")]
    Copy(#[from] io::Error),
}

impl<'a> AttachmentSealer<'a> {
    /// Finds the attachments.
    ///
    /// # Errors
    /// Those of [`plan`].
    pub fn plan(message: &'a dyn Reopen) -> Result<Self, ScanError> {
        Ok(Self {
            message,
            plan: plan(message)?,
        })
    }

    /// How much of the message is to be sealed.
    #[must_use]
    pub fn extent(&self) -> Extent {
        self.plan.extent()
    }

    /// Writes the message with an envelope for each attachment; gives their ids.
    ///
    /// # Errors
    /// [`AttachmentSealError`].
    pub fn seal(
        &self,
        sealer: &Sealer<'_>,
        readers: &Recipients,
        out: &mut (dyn Write + Send),
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<EnvelopeId>, AttachmentSealError> {
        let mut ids: Vec<EnvelopeId> = Vec::new();
        self.plan
            .write(self.message, out, &mut |attachment, content, out| {
                let request = sealer.request(readers, info(attachment));
                let sealed =
                    seal(&request, content, out, rng).map_err(AttachmentSealError::Seal)?;
                ids.push(sealed.id);
                Ok::<(), AttachmentSealError>(())
            })?;
        Ok(ids)
    }
}

fn info(attachment: &Attachment) -> ContentInfo {
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
