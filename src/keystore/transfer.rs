//! One identity as one file, to be kept elsewhere or brought to another keystore.
//!
//! It is text, and holds what the identity's folder holds, each file in a line of its own: nothing is opened or locked on the
//! way, so private keys behind a passphrase stay behind it.
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

use super::identities::{ENDED, REVOKED, line};
use super::secret_file::{self, Protection, StoredSecret};
use super::{Keystore, KeystoreError, Standing, folder};
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;
use crate::identity::{Card, Identity, Revocation};

const HEAD: &str = "encl-identity-export1";
/// Longer than any that is written: three files of at most 320 KiB, one of them in base64.
const BYTES_MAX: usize = 2 << 20;

/// An identity on its way from one keystore to another.
pub struct Transfer {
    card: Card,
    revocation: Revocation,
    ended: Option<String>,
    secret: Zeroizing<Vec<u8>>,
}

/// Why a file is no identity that was exported.
#[derive(Debug, thiserror::Error)]
#[error("it is no exported identity: {0}")]
pub struct TransferError(String);

/// What became of an identity that was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// It is here now.
    New,
    /// It was here, with an earlier card.
    Updated,
    /// It was here.
    Known,
    /// It is here with other private keys, or locked differently. Nothing was changed.
    Differs,
}

impl Transfer {
    /// The most bytes that such a file can have.
    pub const BYTES_MAX: usize = BYTES_MAX;

    /// An identity that comes from elsewhere, with its private keys protected anew.
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
    /// [`TransferError`].
    pub fn from_text(text: &[u8]) -> Result<Self, TransferError> {
        let wrong = |what: &str| TransferError(what.to_owned());
        if text.len() > BYTES_MAX {
            return Err(wrong("it is too long"));
        }
        let text = std::str::from_utf8(text).map_err(|_| wrong("it is no text"))?;
        let mut lines = text.lines().peekable();
        if lines.next() != Some(HEAD) {
            return Err(TransferError(format!("it does not begin with {HEAD}")));
        }
        let card = labelled(lines.next(), "card")?;
        let card = Card::from_text(card.as_bytes())
            .map_err(|error| TransferError(format!("its card: {error}")))?;
        let revocation = labelled(lines.next(), "revocation")?;
        let revocation = Revocation::from_text(revocation.as_bytes())
            .map_err(|error| TransferError(format!("its revocation: {error}")))?;
        let ended = lines
            .next_if(|line| line.starts_with(ENDED))
            .map(|line| labelled(Some(line), ENDED).map(str::to_owned))
            .transpose()?;
        // Another word would make the whole keystore unreadable.
        if ended.as_deref().is_some_and(|word| word != REVOKED) {
            return Err(wrong("its line `ended` says nothing known"));
        }
        let secret = STANDARD.decode(labelled(lines.next(), "secret")?);
        let secret = Zeroizing::new(secret.map_err(|_| wrong("its private keys are mangled"))?);
        if revocation.id() != card.id() {
            return Err(wrong("its parts belong to different identities"));
        }
        match lines.next() {
            None => Ok(Self {
                card,
                revocation,
                ended,
                secret,
            }),
            Some(_) => Err(wrong("something stands behind its end")),
        }
    }

    /// Writes it as text. Whoever reads it has the private keys, or what a passphrase opens.
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

    /// The private keys as they are kept.
    ///
    /// # Errors
    /// [`KeystoreError::Damaged`] when they stand in the clear and are not this identity's.
    pub fn secret(&self) -> Result<StoredSecret, KeystoreError> {
        let path = std::path::Path::new("the exported file");
        secret_file::stored(path, &self.card.id(), self.secret.clone())
    }
}

fn labelled<'a>(line: Option<&'a str>, label: &str) -> Result<&'a str, TransferError> {
    let value = line.and_then(|line| line.strip_prefix(label)?.strip_prefix(' '));
    value.ok_or_else(|| TransferError(format!("its line `{label}` is missing")))
}

impl Keystore {
    /// One of my identities, to be written to a file.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn export_identity(&self, id: &RootId) -> Result<Transfer, KeystoreError> {
        // No other run changes one of the files meanwhile.
        let _lock = self.lock()?;
        let unknown = || KeystoreError::Unknown("identity");
        let ended = folder::read(&self.identity_folder(id).join(ENDED))?;
        Ok(Transfer {
            card: self.own_card(id)?.ok_or_else(unknown)?,
            revocation: self.revocation(id)?,
            ended: ended.map(|text| String::from_utf8_lossy(&text).trim_end().to_owned()),
            secret: folder::read(&self.secret_path(id))?.ok_or_else(unknown)?,
        })
    }

    /// Takes an identity in, whole and on disk when this returns, or a later card of one that is here with the same private
    /// keys. Nothing that is here gives way to something earlier.
    ///
    /// # Errors
    /// [`KeystoreError::AddressTaken`], and what the system refuses.
    pub fn import_identity(&self, transfer: &Transfer) -> Result<Imported, KeystoreError> {
        let Transfer { card, secret, .. } = transfer;
        let _lock = self.lock()?;
        let Some(known) = self.own_card(&card.id())? else {
            self.place_import(transfer)?;
            return Ok(Imported::New);
        };
        if folder::read(&self.secret_path(&card.id()))?.as_ref() != Some(secret) {
            return Ok(Imported::Differs);
        }
        if card.serial() <= known.serial() {
            return Ok(Imported::Known);
        }
        self.replace_card(card)?;
        Ok(Imported::Updated)
    }

    fn place_import(&self, transfer: &Transfer) -> Result<(), KeystoreError> {
        let Transfer {
            card,
            revocation,
            ended,
            secret,
        } = transfer;
        if ended.is_none() {
            self.refuse_taken_addresses(card)?;
        }
        let (card_line, revocation) = (line(card.to_text()), line(revocation.to_text()));
        let ended = ended.as_deref().map(line);
        let mut files = vec![
            ("secret", &secret[..]),
            ("card", &card_line),
            ("revocation", &revocation),
        ];
        files.extend(ended.as_deref().map(|ended| (ENDED, ended)));
        self.place_identity(&card.id(), &files)
    }
}
