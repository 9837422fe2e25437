//! One identity as one file, to be stored elsewhere or moved to another keystore.
//!
//! It is text, and holds what the identity's folder holds, each file in a line of its own: nothing is decrypted or
//! encrypted, so private keys that are protected by a passphrase stay protected.
//!
//! ```text
//! encl-identity-export1
//! card encl-card1:…
//! revocation encl-revocation1:…
//! ended revoked                  only if it is not used any more
//! secret BASE64
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::folder::WriteLock;
use super::identities::{Adoption, ENDED, REVOKED, line};
use super::secret_file::{self, Protection, StoredSecret};
use super::trust::Trust;
use super::{Keystore, KeystoreError, Standing, folder};
use crate::atomic_file::Existing;
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;
use crate::identity::{Card, Identity, Revocation};

const HEAD: &str = "encl-identity-export1";
/// Longer than any that is written: three files of at most 320 KiB, one of them in base64.
const BYTES_MAX: usize = 2 << 20;

/// An exported identity.
pub struct IdentityExport {
    card: Card,
    revocation: Revocation,
    ended: Option<String>,
    secret: Zeroizing<Vec<u8>>,
}

/// Why a file is not an exported identity.
#[derive(Debug, thiserror::Error)]
#[error("it is not an exported identity: {0}")]
pub struct IdentityExportError(String);

/// The result of importing an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It was added.
    New,
    /// It was here with an earlier card, not marked as ended, or without one of its files, and was updated.
    Updated,
    /// It was here already.
    Known,
    /// It is here with other private keys, or with another protection. Nothing was changed.
    KeysDiffer,
}

impl IdentityExport {
    /// The most bytes that such a file can have.
    pub const BYTES_MAX: usize = BYTES_MAX;

    /// Makes an export of an identity, with its private keys protected again.
    ///
    /// # Errors
    /// [`KeystoreError::Passphrase`].
    pub fn new(
        identity: &Identity,
        (card, revocation): (Card, Revocation),
        standing: Standing,
        protection: Protection<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, KeystoreError> {
        Ok(Self {
            card,
            revocation,
            ended: (standing == Standing::Revoked).then(|| REVOKED.to_owned()),
            secret: secret_file::bytes(identity, protection, rng)?,
        })
    }

    /// Reads an exported identity; card and revocation are verified, and belong to one identity.
    ///
    /// # Errors
    /// [`IdentityExportError`].
    pub fn from_text(text: &[u8]) -> Result<Self, IdentityExportError> {
        if text.len() > BYTES_MAX {
            return Err(wrong("it is too long"));
        }
        let text = std::str::from_utf8(text).map_err(|_| wrong("it is not text"))?;
        let mut lines = text.lines().peekable();
        if lines.next() != Some(HEAD) {
            return Err(IdentityExportError(format!(
                "it does not begin with {HEAD}"
            )));
        }
        let card = labelled(lines.next(), "card")?;
        let card = Card::from_text(card.as_bytes()).map_err(|error| of_part("card", &error))?;
        let revocation = labelled(lines.next(), "revocation")?;
        let revocation = Revocation::from_text(revocation.as_bytes());
        let revocation = revocation.map_err(|error| of_part("revocation", &error))?;
        let ended = lines
            .next_if(|line| line.starts_with(ENDED))
            .map(|line| labelled(Some(line), ENDED).map(str::to_owned))
            .transpose()?;
        let secret = STANDARD.decode(labelled(lines.next(), "secret")?);
        let secret = Zeroizing::new(secret.map_err(|_| wrong("its private keys are mangled"))?);
        match lines.next() {
            None => Self::of_parts(card, revocation, ended, secret),
            Some(_) => Err(wrong("something stands behind its end")),
        }
    }

    /// Makes an export from the files of an identity's folder.
    pub(super) fn from_files(
        card: &[u8],
        revocation: &[u8],
        ended: Option<&[u8]>,
        secret: Zeroizing<Vec<u8>>,
    ) -> Result<Self, IdentityExportError> {
        let card = Card::from_text(card).map_err(|error| of_part("card", &error))?;
        let revocation = Revocation::from_text(revocation);
        let revocation = revocation.map_err(|error| of_part("revocation", &error))?;
        let ended = ended.map(|text| String::from_utf8_lossy(text).trim_end().to_owned());
        Self::of_parts(card, revocation, ended, secret)
    }

    fn of_parts(
        card: Card,
        revocation: Revocation,
        ended: Option<String>,
        secret: Zeroizing<Vec<u8>>,
    ) -> Result<Self, IdentityExportError> {
        // Another word would make the whole keystore unreadable.
        if ended.as_deref().is_some_and(|word| word != REVOKED) {
            return Err(wrong("its line `ended` says nothing known"));
        }
        if revocation.id() != card.id() {
            return Err(wrong("its parts belong to different identities"));
        }
        Ok(Self {
            card,
            revocation,
            ended,
            secret,
        })
    }

    /// The files of the identity's folder, the private keys last.
    pub(super) fn files(&self) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
        let mut files = vec![
            ("card", line(self.card.to_text())),
            ("revocation", line(self.revocation.to_text())),
        ];
        files.extend(self.ended.as_deref().map(|ended| (ENDED, line(ended))));
        files.push(("secret", self.secret.to_vec()));
        let file = |(name, bytes)| (name, Zeroizing::new(bytes));
        files.into_iter().map(file).collect()
    }

    /// Writes it as text, which contains the private keys, protected or not.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // Room for all from the start: a buffer that grows leaves copies of secrets behind.
        let mut text = Zeroizing::new(String::with_capacity(BYTES_MAX));
        for (label, value) in [
            ("card", Some(self.card.to_text())),
            ("revocation", Some(self.revocation.to_text())),
            (ENDED, self.ended.as_deref()),
        ] {
            if text.is_empty() {
                text.push_str(HEAD);
                text.push('\n');
            }
            if let Some(value) = value {
                text.extend([label, " ", value, "\n"]);
            }
        }
        text.push_str("secret ");
        STANDARD.encode_string(&*self.secret, &mut text);
        text.push('\n');
        text
    }

    /// The identity's card.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The statement that ends it, which holds once its owner gives it away.
    #[must_use]
    pub fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// Whether it is not used any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Checks that the private keys are those of an identity.
    ///
    /// # Errors
    /// [`KeystoreError::Damaged`].
    pub fn check(&self) -> Result<(), KeystoreError> {
        match self.secret()? {
            StoredSecret::Locked(locked) => locked.envelope().map(drop),
            StoredSecret::Plain(_) => Ok(()),
        }
    }

    /// The private keys as they are stored.
    ///
    /// # Errors
    /// [`KeystoreError::Damaged`] when they stand in the clear and are not this identity's.
    pub fn secret(&self) -> Result<StoredSecret, KeystoreError> {
        let path = std::path::Path::new("the exported file");
        secret_file::stored(path, &self.card.id(), self.secret.clone())
    }
}

fn wrong(what: &str) -> IdentityExportError {
    IdentityExportError(what.to_owned())
}

fn of_part(part: &str, error: &dyn std::fmt::Display) -> IdentityExportError {
    IdentityExportError(format!("its {part}: {error}"))
}

fn labelled<'a>(line: Option<&'a str>, label: &str) -> Result<&'a str, IdentityExportError> {
    let value = line.and_then(|line| line.strip_prefix(label)?.strip_prefix(' '));
    value.ok_or_else(|| IdentityExportError(format!("its line `{label}` is missing")))
}

impl Keystore {
    /// One of my identities, to be written to a file.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn export_identity(&self, id: &RootId) -> Result<IdentityExport, KeystoreError> {
        // No other run changes one of the files meanwhile.
        let _lock = self.lock()?;
        let unknown = || KeystoreError::Unknown("identity");
        let ended = folder::read(&self.ended_path(id))?;
        Ok(IdentityExport {
            card: self.identity_card(id)?.ok_or_else(unknown)?,
            revocation: self.revocation(id)?,
            ended: ended.map(|text| String::from_utf8_lossy(&text).trim_end().to_owned()),
            secret: folder::read(&self.secret_path(id))?.ok_or_else(unknown)?,
        })
    }

    /// Imports an identity, complete and on disk when this returns, or a later card of one that is here with the same private
    /// keys. Newer local data is never replaced by older data.
    ///
    /// One that is [`Adoption::Foreign`] waits to be adopted, unless it is known as one of the user's own: it opens what was sealed
    /// to it, and nothing else. If it is here already, nothing is changed.
    ///
    /// # Errors
    /// [`KeystoreError::AddressTaken`], and what the system refuses; [`KeystoreError::NoState`] for a foreign one where nothing can
    /// be remembered.
    pub fn import_identity(
        &self,
        transfer: &IdentityExport,
        adoption: Adoption,
    ) -> Result<ImportOutcome, KeystoreError> {
        let lock = self.lock()?;
        if adoption == Adoption::Foreign {
            let outcome = self.dry_run_foreign_import(transfer)?;
            if outcome == ImportOutcome::New {
                self.place_import(&lock, transfer, adoption)?;
            }
            return Ok(outcome);
        }
        let outcome = self.dry_run_import(transfer)?;
        if outcome != ImportOutcome::New {
            // Whoever imports it takes it as an own one, also if it was put here by somebody else.
            self.remember_own(&lock, transfer.card())?;
        }
        match outcome {
            ImportOutcome::New => self.place_import(&lock, transfer, adoption)?,
            ImportOutcome::Updated => self.update_import(transfer)?,
            ImportOutcome::Known | ImportOutcome::KeysDiffer => {}
        }
        Ok(outcome)
    }

    /// The result that importing an identity that may be somebody else's now would have. Nothing is changed.
    ///
    /// # Errors
    /// [`KeystoreError::AddressTaken`]; [`KeystoreError::NoState`] where nothing can be remembered, since the identity would then
    /// be the user's own; and what the system refuses.
    pub fn dry_run_foreign_import(
        &self,
        transfer: &IdentityExport,
    ) -> Result<ImportOutcome, KeystoreError> {
        match self.dry_run_import(transfer)? {
            ImportOutcome::New if !self.remembers()? => Err(KeystoreError::NoState),
            ImportOutcome::New => Ok(ImportOutcome::New),
            _ => Ok(ImportOutcome::Known),
        }
    }

    /// The result that importing an identity now would have. Nothing is changed.
    ///
    /// # Errors
    /// [`KeystoreError::AddressTaken`], and what the system refuses.
    pub fn dry_run_import(
        &self,
        transfer: &IdentityExport,
    ) -> Result<ImportOutcome, KeystoreError> {
        let IdentityExport {
            card,
            secret,
            ended,
            ..
        } = transfer;
        let id = card.id();
        if !self.identity_folder(&id).exists() {
            if ended.is_none() {
                self.refuse_taken_addresses(card)?;
            }
            return Ok(ImportOutcome::New);
        }
        let known = self.identity_card(&id)?;
        let is_later = known.is_none_or(|known| card.serial() > known.serial());
        let ends = ended.is_some() && folder::read(&self.ended_path(&id))?.is_none();
        let lacks = folder::read(&self.revocation_path(&id))?.is_none();
        Ok(match folder::read(&self.secret_path(&id))? {
            Some(here) if here != *secret => ImportOutcome::KeysDiffer,
            Some(_) if !is_later && !ends && !lacks => ImportOutcome::Known,
            _ => ImportOutcome::Updated,
        })
    }

    /// Adds missing files, a later card, and the mark that the identity has ended. The caller holds the lock.
    fn update_import(&self, transfer: &IdentityExport) -> Result<(), KeystoreError> {
        let IdentityExport {
            card,
            ended,
            secret,
            revocation,
        } = transfer;
        let id = card.id();
        for (path, bytes) in [
            (self.secret_path(&id), &secret[..]),
            (self.revocation_path(&id), &line(revocation.to_text())),
        ] {
            if folder::read(&path)?.is_none() {
                folder::write(&path, bytes, Existing::Keep)?;
            }
        }
        if let Some(ended) = ended {
            folder::write(
                &self.ended_path(&card.id()),
                &line(ended),
                Existing::Replace,
            )?;
        }
        match self.identity_card(&card.id())? {
            Some(known) if known.serial() >= card.serial() => Ok(()),
            _ => self.replace_card(card),
        }
    }

    fn place_import(
        &self,
        lock: &WriteLock,
        transfer: &IdentityExport,
        adoption: Adoption,
    ) -> Result<(), KeystoreError> {
        let IdentityExport {
            card,
            revocation,
            ended,
            secret,
        } = transfer;
        let (card_line, revocation) = (line(card.to_text()), line(revocation.to_text()));
        // A revocation that came here from elsewhere counts for my own key too.
        let is_revoked = matches!(self.remembered_trust(&card.id())?, Trust::Revoked { .. });
        let ended = ended.as_deref().or(is_revoked.then_some(REVOKED));
        let ended = ended.map(line);
        let mut files = vec![
            ("secret", &secret[..]),
            ("card", &card_line),
            ("revocation", &revocation),
        ];
        files.extend(ended.as_deref().map(|ended| (ENDED, ended)));
        self.place_identity(lock, card, &files, adoption)
    }
}
