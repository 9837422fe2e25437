//! An envelope sealed again for the remaining readers: opened, verified and sealed in one pass (FORMAT.md, "Rewriting", revoke).

use std::io::{Read, Write};

use super::error::{Class, OpenError, SealError};
use super::gate::seal::GateRequest;
use super::open::{Content, Opened};
use super::seal::{ALIGNMENT, BodyWriter, Created, Front, LockRequest, SealRequest, Sealed};
use crate::crypto::CryptoRng;
use crate::crypto::signing::SigningKey;
use crate::payload::Workers;

/// Who may read the new envelope, and who signs it. Everything else is copied from the old one.
pub struct ResealRequest<'a> {
    /// The locks, in their order.
    pub locks: Vec<LockRequest<'a>>,
    /// The gates, as [`GateLock::request`](super::GateLock::request) takes them over from the old one.
    pub gate: Option<GateRequest>,
    /// Who signs. The former author's signature cannot come along.
    pub signer: Option<&'a SigningKey>,
    /// How many threads share the work on the content.
    pub workers: Workers,
}

/// Why an envelope was not sealed again.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// The old one does not open to its end, or its signature does not hold.
    #[error(transparent)]
    Open(OpenError),
    /// The new one cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl ResealError {
    /// The class, where the old envelope is to blame.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Open(error) => error.class(),
            Self::Seal(_) => None,
        }
    }
}

/// What is written here is the new envelope.
impl From<OpenError> for ResealError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Write(error) => Self::Seal(SealError::Write(error)),
            other => Self::Open(other),
        }
    }
}

impl<R: Read + Send> Content<R> {
    /// Reads the content to its end, with steps 9, 11 and 12, and seals it for others into a new envelope on `out`, which is
    /// flushed. Name, type, subject, dates, labels, conditions, padding, the form in mail, and whether it is private stay as they
    /// are.
    ///
    /// Whether the old envelope is genuine is known only at its end, so the new one gets its own end after that and not before:
    /// after an error, the output on `out` cannot be opened to its end by anybody, and the caller has to discard it.
    ///
    /// # Errors
    /// [`ResealError`].
    pub fn reseal(
        self,
        request: &ResealRequest<'_>,
        out: &mut (dyn Write + Send),
        rng: &mut dyn CryptoRng,
    ) -> Result<(Opened, Sealed), ResealError> {
        let (mut body, opened) = self.into_parts();
        let new_request = opened.seal_request(request);
        let created = Created {
            in_policy: opened.manifest.policy.created,
            inside: opened.private.created,
        };
        let front = Front::new(&new_request, created, rng)?;
        let (id, key, head, gate) = (front.id, front.key, front.head, front.gate);
        let mut writer = BodyWriter::new(&mut *out, front.manifest, (&key, &id), rng);
        let content_bytes = body.reseal(&head, &mut writer, &new_request)?;
        body.verify(opened.signer(), &opened.manifest.id)?;
        writer.finish(head.len() as u64 + content_bytes, &new_request, &id)?;
        out.flush().map_err(SealError::Write)?;
        let sealed = Sealed {
            id,
            content_bytes,
            key,
            gate,
        };
        Ok((opened, sealed))
    }
}

impl Opened {
    fn seal_request<'a>(&self, request: &ResealRequest<'a>) -> SealRequest<'a> {
        let policy = &self.manifest.policy;
        SealRequest {
            locks: request.locks.iter().map(LockRequest::duplicate).collect(),
            gate: request.gate.clone(),
            signer: request.signer,
            private: policy.private,
            padding: policy.padding,
            created: self.created(),
            conditions: policy.conditions,
            labels: policy.labels.clone(),
            info: self.private.info.clone(),
            aligned: self.manifest.bytes.is_multiple_of(ALIGNMENT as u64),
            workers: request.workers,
        }
    }
}
