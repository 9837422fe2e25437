//! Whose backup it is. What lies in a keystore's folder shows nothing: cards, revocations and private keys behind a passphrase can
//! be copied by whoever reads it, and the user's own passphrase would open them.

use std::collections::{BTreeSet, HashSet};
use std::io::Read;

use serde::Serialize;

use super::MergeError;
use super::read::read_all;
use crate::crypto::KeyId;
use crate::crypto::signing::RootId;
use crate::envelope::{Content, Opened, Slot, Workers};
use crate::keystore::{
    BackupProof, IdentityExport, Keystore, KeystoreError, KnownBackup, Part, StoredSecret,
};

/// Whose backup it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Mine: this shows it.
    Mine(Proof),
    /// This machine knows no identity of mine, and only a passphrase opens the backup: the user has to say whether all of it is
    /// taken as mine.
    Unclaimed,
    /// Nothing shows that it is mine.
    Unknown,
}

/// What shows that a backup is mine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// One of my identities signed it.
    Signature,
    /// This machine made it.
    Machine,
    /// Private keys of mine are in it in the clear, and it is for nobody else.
    Keys,
    /// The user took it as his own before.
    Claim,
}

impl Origin {
    /// Whether it is restored as mine.
    #[must_use]
    pub fn is_mine(self) -> bool {
        self != Self::Unknown
    }
}

/// A backup that was read to its end, and whose it is.
pub struct SeenBackup {
    /// Whose it is.
    pub origin: Origin,
    pub(super) proof: BackupProof,
}

impl SeenBackup {
    /// Reads all of a backup, to the end of its signature, and changes nothing.
    ///
    /// # Errors
    /// [`MergeError`]. A damaged envelope is reported as that, whatever its content is.
    pub fn read<R: Read + Send>(
        keystore: &Keystore,
        content: Content<R>,
        workers: Workers,
    ) -> Result<(Self, Opened), MergeError> {
        let mine = Mine::read(keystore)?;
        let mut has_keys = false;
        let (opened, proof) = read_all(content, workers, |part| {
            if let Part::Identity(export) = part {
                has_keys |= mine.has_keys_of(&export)?;
            }
            Ok(())
        })?;
        let signer = opened.signer();
        let slots = &opened.manifest.access.slots;
        let by_passphrase = slots.iter().all(|slot| matches!(slot, Slot::Passphrase(_)));
        let origin = if signer.is_some_and(|id| mine.ids.contains(&id)) {
            Origin::Mine(Proof::Signature)
        } else if let Some(known) = keystore.known_backup(&proof)? {
            Origin::Mine(match known {
                KnownBackup::Made => Proof::Machine,
                KnownBackup::Taken => Proof::Claim,
            })
        } else if has_keys && mine.is_for_nobody_else(&opened) {
            Origin::Mine(Proof::Keys)
        } else if mine.is_nobody && by_passphrase {
            Origin::Unclaimed
        } else {
            Origin::Unknown
        };
        Ok((Self { origin, proof }, opened))
    }
}

/// My identities, as far as they can show that a backup is mine.
struct Mine {
    /// Those that have not ended, in this keystore or another one of mine.
    ids: BTreeSet<RootId>,
    /// The keys of those that are here.
    keys: HashSet<KeyId>,
    /// Whether there is none, not even one that has ended.
    is_nobody: bool,
}

impl Mine {
    fn read(keystore: &Keystore) -> Result<Self, KeystoreError> {
        let mut ids = keystore.own_ids()?;
        let is_nobody = ids.is_empty();
        let mut keys = HashSet::new();
        for id in ids.clone() {
            if keystore.has_ended(&id)? {
                ids.remove(&id);
            } else if let Some(card) = keystore.own_card(&id)? {
                keys.extend(card.keys().iter().map(|key| key.public.key_id()));
            }
        }
        Ok(Self {
            ids,
            keys,
            is_nobody,
        })
    }

    /// Whether the private keys of one of these identities are here to be read. Whoever has them is me.
    fn has_keys_of(&self, export: &IdentityExport) -> Result<bool, KeystoreError> {
        let is_plain = matches!(export.secret()?, StoredSecret::Plain(_));
        Ok(is_plain && self.ids.contains(&export.card().id()))
    }

    /// Whether nobody but me can open the envelope, without a passphrase.
    fn is_for_nobody_else(&self, opened: &Opened) -> bool {
        let mut recipients = opened.manifest.policy.recipients();
        let mut slots = opened.manifest.access.slots.iter();
        recipients.all(|recipient| self.keys.contains(&recipient.key))
            && slots.all(|slot| match slot {
                Slot::Passphrase(_) => true,
                Slot::Gate(_) => false,
                Slot::Key(slot) => slot.key.is_some_and(|key| self.keys.contains(&key)),
            })
    }
}
