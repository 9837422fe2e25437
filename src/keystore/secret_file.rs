//! Private keys at rest: an envelope that a passphrase opens, or by the owner's choice the plain line.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Keystore, KeystoreError, folder};
use crate::crypto::CryptoRng;
use crate::crypto::kdf::ContentKey;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::signing::RootId;
use crate::envelope::{
    Envelope, EnvelopeId, LockRequest, OnlyPassphrase, OpenError, RewriteError, SealError,
    SealRequest, Workers, seal,
};
use crate::identity::Identity;
use crate::time::Time;

/// How private keys are protected.
#[derive(Clone, Copy)]
pub enum Protection<'a> {
    /// Sealed to a passphrase.
    Passphrase(&'a Passphrase, Cost),
    /// Not encrypted: the file gives its reader the keys.
    Plain,
}

/// The private keys of an identity as they are stored.
pub enum StoredSecret {
    /// They need a passphrase.
    Locked(LockedIdentity),
    /// They are not encrypted.
    Plain(Identity),
}

/// Private keys that a passphrase opens.
pub struct LockedIdentity {
    id: RootId,
    path: PathBuf,
    envelope: Zeroizing<Vec<u8>>,
}

impl Keystore {
    /// Reads an identity's private keys as they are stored.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], or the fault of the file.
    pub fn secret(&self, id: &RootId) -> Result<StoredSecret, KeystoreError> {
        let path = self.secret_path(id);
        let bytes = folder::read(&path)?.ok_or(KeystoreError::Unknown("identity"))?;
        stored(&path, id, bytes)
    }
}

/// What the bytes of a `secret` file are.
pub(super) fn stored(
    path: &Path,
    id: &RootId,
    bytes: Zeroizing<Vec<u8>>,
) -> Result<StoredSecret, KeystoreError> {
    if bytes.first() == Some(&b'{') {
        return identity(path, id, &bytes).map(StoredSecret::Plain);
    }
    Ok(StoredSecret::Locked(LockedIdentity {
        id: *id,
        path: path.to_owned(),
        envelope: bytes,
    }))
}

/// Opens the bytes of a `secret` file that is protected so.
pub(super) fn open(
    path: &Path,
    id: &RootId,
    bytes: Zeroizing<Vec<u8>>,
    protection: Protection<'_>,
) -> Result<Identity, KeystoreError> {
    match (stored(path, id, bytes)?, protection) {
        (StoredSecret::Plain(identity), Protection::Plain) => Ok(identity),
        (StoredSecret::Locked(locked), Protection::Passphrase(passphrase, _)) => {
            locked.unlock(passphrase)
        }
        _ => Err(KeystoreError::damaged(path, &"it is not what was written")),
    }
}

impl LockedIdentity {
    /// Whose they are.
    #[must_use]
    pub fn id(&self) -> RootId {
        self.id
    }

    /// The envelope that holds them: another one after every change of the keys or of their passphrase.
    ///
    /// # Errors
    /// [`KeystoreError::Damaged`].
    pub fn envelope(&self) -> Result<EnvelopeId, KeystoreError> {
        Ok(self.read()?.manifest().id)
    }

    /// What a guess at the passphrase costs.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let envelope = Envelope::read(&self.envelope[..]);
        let cost = envelope.map(|envelope| {
            let mut locks = envelope.manifest().policy.locks.iter();
            locks.find_map(crate::policy::Lock::passphrase)
        });
        cost.ok().flatten().unwrap_or_default()
    }

    /// Opens the private keys.
    ///
    /// # Errors
    /// [`KeystoreError::WrongPassphrase`], [`KeystoreError::Passphrase`] or [`KeystoreError::Damaged`].
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Identity, KeystoreError> {
        self.unlock_with(&self.key(passphrase)?)
    }

    /// The key of the content, which opens it without the passphrase.
    ///
    /// # Errors
    /// [`KeystoreError::WrongPassphrase`], [`KeystoreError::Passphrase`] or [`KeystoreError::Damaged`].
    pub fn key(&self, passphrase: &Passphrase) -> Result<ContentKey, KeystoreError> {
        let mut keyring = OnlyPassphrase(passphrase);
        // These envelopes have no dates; one that has was not made by a keystore.
        let now = Time::from_unix(0).expect("1970 is a year of the format");
        match self.read()?.rewrite(&[], &mut keyring, now) {
            Ok(opened) => Ok(opened.into_key()),
            Err(RewriteError::Open(OpenError::Passphrase)) => Err(KeystoreError::WrongPassphrase),
            Err(RewriteError::Open(OpenError::PassphraseUnusable(error))) => {
                Err(KeystoreError::Passphrase(error))
            }
            Err(error) => Err(KeystoreError::damaged(&self.path, &error)),
        }
    }

    /// Opens the private keys with the key of the content.
    ///
    /// # Errors
    /// [`KeystoreError::Damaged`], also when it is the key of another envelope.
    pub fn unlock_with(&self, key: &ContentKey) -> Result<Identity, KeystoreError> {
        // Room for all: a buffer that grows leaves copies of secrets behind.
        let mut line = Zeroizing::new(Vec::with_capacity(self.envelope.len()));
        let opened = self.read()?.reopen(key);
        let opened = opened.and_then(|content| content.copy_to(&mut *line, Workers::ONE));
        opened.map_err(|error| KeystoreError::damaged(&self.path, &error))?;
        identity(&self.path, &self.id, &line)
    }

    fn read(&self) -> Result<Envelope<&[u8]>, KeystoreError> {
        Envelope::read(&self.envelope[..])
            .map_err(|error| KeystoreError::damaged(&self.path, &error))
    }
}

/// Reads the identity line, whose keys must be those that the file's place promises.
fn identity(path: &Path, id: &RootId, line: &[u8]) -> Result<Identity, KeystoreError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let identity =
        Identity::from_line(line).map_err(|error| KeystoreError::damaged(path, &error))?;
    if identity.id() == *id {
        Ok(identity)
    } else {
        Err(KeystoreError::damaged(
            path,
            &"it belongs to another identity",
        ))
    }
}

/// The bytes of a `secret` file.
pub(super) fn bytes(
    identity: &Identity,
    protection: Protection<'_>,
    rng: &mut dyn CryptoRng,
) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let mut line = identity.to_line();
    line.push(b'\n');
    let Protection::Passphrase(passphrase, cost) = protection else {
        return Ok(line);
    };
    let request = SealRequest {
        locks: vec![LockRequest {
            need: 1,
            recipients: Vec::new(),
            passphrase: Some((passphrase, cost)),
        }],
        ..SealRequest::default()
    };
    let mut envelope = Zeroizing::new(Vec::new());
    match seal(&request, &mut line.as_slice(), &mut *envelope, rng) {
        Ok(_) => Ok(envelope),
        Err(SealError::Passphrase(error)) => Err(KeystoreError::Passphrase(error)),
        Err(error) => unreachable!("a passphrase lock in memory cannot fail otherwise: {error}"),
    }
}
