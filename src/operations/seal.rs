//! What all envelopes of one run have in common: who signs, until when, under which labels.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use crate::crypto::CryptoRng;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::signing::SigningKey;
use crate::directory::{Recipients, ResolvedQuorum};
use crate::envelope::{
    ArmorWriter, ContentInfo, GateRequest, LockRequest, SealError, SealRequest, Sealed, Workers,
    close_page, open_page, seal,
};
use crate::policy::{Conditions, Padding};
use crate::reader;
use crate::time::Time;

/// What an envelope says beside its recipients.
#[derive(Clone, Default)]
pub struct SealTerms {
    /// When it may be opened; advisory.
    pub conditions: Conditions,
    /// Handling labels, readable by everybody.
    pub labels: BTreeMap<String, String>,
    /// Recipients, signer and their names are encrypted too.
    pub is_private: bool,
    /// Whether the exact size is hidden.
    pub padding: Padding,
    /// Gates that have to be asked too. Where a passphrase opens, everybody who knows it is answered.
    pub gate: Option<GateRequest>,
}

/// How an envelope is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As bytes.
    #[default]
    Binary,
    /// As text, for where only text passes.
    Armor,
}

/// The file that an envelope becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// The envelope alone.
    Envelope(Encoding),
    /// A page that opens it in a browser, and the envelope as text behind it.
    Page,
}

/// Seals envelopes with one author and under the same terms.
pub struct Sealer<'a> {
    /// The key that signs.
    pub signer: Option<&'a SigningKey>,
    /// A passphrase that opens them too.
    pub passphrase: Option<Passphrase>,
    /// What they say beside their recipients.
    pub terms: SealTerms,
    /// When they are made.
    pub now: Time,
}

impl Sealer<'_> {
    /// The request for one envelope. Without recipients and passphrase, the quorums are all its locks.
    #[must_use]
    pub fn request(&self, recipients: &Recipients, info: ContentInfo) -> SealRequest<'_> {
        let passphrase = self.passphrase.as_ref();
        let first = LockRequest {
            need: 1,
            recipients: recipients.addressees.clone(),
            passphrase: passphrase.map(|passphrase| (passphrase, Cost::DEFAULT)),
        };
        let is_empty = first.recipients.is_empty() && passphrase.is_none();
        let quorums = recipients.quorums.iter().map(ResolvedQuorum::request);
        let gate = self.terms.gate.clone().map(|gate| GateRequest {
            is_listed: gate.is_listed && passphrase.is_none(),
            ..gate
        });
        let first = Some(first).filter(|_| !is_empty || recipients.quorums.is_empty());
        SealRequest {
            locks: first.into_iter().chain(quorums).collect(),
            gate,
            signer: self.signer,
            private: self.terms.is_private,
            padding: self.terms.padding,
            created: Some(self.now),
            conditions: self.terms.conditions,
            labels: self.terms.labels.clone(),
            info,
            workers: Workers::Processors,
            ..SealRequest::default()
        }
    }
}

/// Writes one envelope.
///
/// # Errors
/// [`SealError`].
pub fn seal_as(
    form: FileForm,
    request: &SealRequest<'_>,
    content: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
    rng: &mut dyn CryptoRng,
) -> Result<Sealed, SealError> {
    match form {
        FileForm::Envelope(Encoding::Binary) => seal(request, content, out, rng),
        FileForm::Envelope(Encoding::Armor) => seal_as_text(request, content, out, rng),
        FileForm::Page => {
            let content = &mut AtMost {
                content,
                left: PAGE_CONTENT_BYTES_MAX,
            };
            open_page(reader::PAGE, out).map_err(SealError::Write)?;
            let sealed = seal_as_text(request, content, out, rng)?;
            close_page(out).map_err(SealError::Write)?;
            Ok(sealed)
        }
    }
}

/// The most content of an envelope in a page (FORMAT.md, "In a page"): a browser holds a whole page in memory, several times.
pub const PAGE_CONTENT_BYTES_MAX: u64 = 64 << 20;

/// Content that may have so many bytes; more is the error [`io::ErrorKind::FileTooLarge`], and the page stays without its end.
struct AtMost<'a> {
    content: &'a mut (dyn Read + Send),
    left: u64,
}

impl Read for AtMost<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.content.read(out)?;
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes)
    }
}

fn seal_as_text(
    request: &SealRequest<'_>,
    content: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
    rng: &mut dyn CryptoRng,
) -> Result<Sealed, SealError> {
    let mut armor = ArmorWriter::new(out).map_err(SealError::Write)?;
    let sealed = seal(request, content, &mut armor, rng)?;
    armor.finish().map_err(SealError::Write)?;
    Ok(sealed)
}
