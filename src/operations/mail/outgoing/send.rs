//! A message sealed for each of its groups. All are sealed before the first is handed over.

use std::fs::File;
use std::io::Seek as _;

use super::draft::Draft;
use super::groups::MessageGroup;
use super::seal_message::MessageSealer;
use crate::crypto::CryptoRng;
use crate::directory::{DirectoryError, Person, Recipients};
use crate::envelope::SealError;
use crate::mail::outer::OuterWarning;
use crate::mail::{Notice, SealedBy};
use crate::operations::seal::Sealer;

/// Seals one message for several groups of readers.
pub struct DraftSealer<'a> {
    /// The message.
    pub draft: &'a Draft<'a>,
    /// Who signs, and under which terms.
    pub sealer: &'a Sealer<'a>,
    /// The text in front of the envelope.
    pub notice: &'a Notice,
    /// The subject outside.
    pub subject: &'a str,
}

/// Why a message was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// There is nobody to seal my copy to.
    #[error("there is no identity to encrypt the copy for")]
    NoCopyReader,
    /// My identity cannot be encrypted to.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// Whether a passphrase opens it, if one was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OpenableBy {
    PassphraseToo,
    ReadersOnly,
}

impl DraftSealer<'_> {
    /// Fields that could not be copied outside as they are.
    #[must_use]
    pub fn warnings(&self) -> Vec<OuterWarning> {
        self.message_sealer().warnings().to_vec()
    }

    /// One sealed message for each group, in temporary files.
    ///
    /// # Errors
    /// [`SendError::Seal`].
    pub fn seal_all(
        &self,
        groups: &[MessageGroup],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<File>, SendError> {
        let files = groups
            .iter()
            .map(|group| self.seal(&group.readers, OpenableBy::PassphraseToo, rng));
        Ok(files.collect::<Result<_, SealError>>()?)
    }

    /// My copy, in a temporary file at its first byte: nobody else can read it, and nobody else is named on it.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn seal_copy(
        &self,
        me: Option<&Person>,
        rng: &mut dyn CryptoRng,
    ) -> Result<File, SendError> {
        let me = me.ok_or(SendError::NoCopyReader)?;
        let me = Recipients::new(Vec::new(), Some(me), self.sealer.now)?;
        let mut copy = self.seal(&me, OpenableBy::ReadersOnly, rng)?;
        copy.rewind().map_err(SealError::Read)?;
        Ok(copy)
    }

    fn message_sealer(&self) -> MessageSealer<'_> {
        let header = &self.draft.header;
        MessageSealer::new(header, self.subject, self.notice, SealedBy::Sender, None)
    }

    fn seal(
        &self,
        readers: &Recipients,
        openable: OpenableBy,
        rng: &mut dyn CryptoRng,
    ) -> Result<File, SealError> {
        let message = self.message_sealer();
        let mut request = self.sealer.request(readers, message.info());
        if openable == OpenableBy::ReadersOnly {
            for lock in &mut request.locks {
                lock.passphrase = None;
            }
        }
        let mut file = tempfile::tempfile().map_err(SealError::Write)?;
        let mut content = self.draft.content().map_err(SealError::Read)?;
        message.seal(&request, &mut content, &mut file, rng)?;
        Ok(file)
    }
}
