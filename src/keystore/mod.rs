//! One folder of small files that holds a person's identities, contacts and groups.
//!
//! ```text
//! identities/ID/secret       the private keys: an envelope for a passphrase, or the plain identity line
//! identities/ID/card         the public half, in the clear: "not for you" is decided without a passphrase
//! identities/ID/revocation   the signed end of the identity, to be published if the key is lost
//! identities/ID/ended        `revoked`, once the identity is not used any more
//! contacts/ID                one line of trust, one line of card
//! contacts.index             a hint, written when many contacts are read; may be removed at any time
//! groups/NAME                `address` and its address if it has one, `card` and its group card if it has one, then the ids of its
//!                            members, one a line
//! gates/ID                   one line of what the user said of a gate, one line of its card
//! gate-leases/TICKET         what gates gave out to be kept for a time
//! gate-sealed/TICKET         what was sealed with a gate, and the statements about it
//! backed-up                  a hint: when all of this was backed up last
//! invitations/HASH           who was invited and when, and who answered; HASH is the SHA-256 of the token, which is not stored
//! clock                      a hint: the latest time at which the keystore was used; may be removed at any time
//! default                    the id of the identity that signs when nothing else is said
//! lock                       held by the process that writes
//! ```
//!
//! ID is the root key in 64 hexadecimal digits. Every file is replaced atomically, so readers need no lock. Folders are
//! 0700 and files 0600; what others could read is refused.
//!
//! The user's decisions to verify or block are remembered in a second folder, which no other machine writes to:
//! [`Keystore::with_state`]. The content of the keystore alone can lower trust and never raise it.

mod backup;
mod changes;
mod clock;
mod contacts;
mod decisions;
mod error;
mod folder;
mod gates;
mod groups;
mod health;
mod identities;
mod identity_export;
mod index;
mod invitations;
mod restore;
mod safety_number;
mod secret_file;
mod self_test;
mod state;
mod trust;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use state::MachineState;

pub use backup::{
    BACKUP_TYPE, BackedUpContact, Backup, BackupCounts, BackupError, BackupProof, Decisions, Part,
    read_parts,
};
pub use changes::{IdentityChange, SecretState};
pub use clock::CLOCK_TOLERANCE;
use contacts::contact_file;
pub use contacts::{AcceptOutcome, AddedBy, Contact, ContactHead, KnownAs};
pub use decisions::AddressOfVerified;
pub use error::KeystoreError;
pub use gates::{
    CA_BYTES_MAX, EVIDENCE_MAX, Evidence, GateChange, GateContact, GateOffer, GateStanding,
    KeptOutcome, KeptStatement, Lease, STATEMENTS_MAX, SealedWithGate, is_gate_name,
};
pub use groups::Group;
pub use health::Finding;
pub use identities::{Adoption, Standing, StoredIdentity};
pub use identity_export::{IdentityExport, IdentityExportError, ImportOutcome};
pub use index::{ContactIndex, IndexedContact};
pub use invitations::{Answered, INVITATION_SECONDS_MAX, Invitation, InvitationState};
pub use restore::{BackupOwner, Restore, RestoreMode, RestoreOutcome, Verifications};
pub use safety_number::SafetyNumber;
pub use secret_file::{LockedIdentity, Protection, StoredSecret};
pub use self_test::self_test;
pub use state::{Acquaintance, GroupStanding, KnownBackup, LatestGroupCard, VerifiedAs};
pub use trust::{Compared, Trust, Verified};

/// Those of many who can be read, and what is wrong with the others: they stop nobody.
pub struct Readable<T> {
    /// Those who can be read.
    pub found: Vec<T>,
    /// What is wrong with each of the others.
    pub faults: Vec<KeystoreError>,
}

impl<T> Readable<T> {
    fn of(each: impl IntoIterator<Item = Result<Option<T>, KeystoreError>>) -> Self {
        let (mut found, mut faults) = (Vec::new(), Vec::new());
        for one in each {
            match one {
                Ok(one) => found.extend(one),
                Err(fault) => faults.push(fault),
            }
        }
        Self { found, faults }
    }

    /// All of them, or the first fault.
    fn all(self) -> Result<Vec<T>, KeystoreError> {
        let fault = self.faults.into_iter().next();
        fault.map_or(Ok(self.found), Err)
    }
}

/// A keystore in the folder that the caller names. Nothing is read before it is asked for; a folder that is not there
/// is an empty keystore.
#[derive(Clone)]
pub struct Keystore {
    root: PathBuf,
    /// The folder for the state of this machine.
    state: Option<PathBuf>,
    machine_state: Arc<RwLock<Option<Arc<MachineState>>>>,
    /// Whether it is also read where others can read its folder.
    is_examined: bool,
}

impl fmt::Debug for Keystore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keystore = out.debug_struct("Keystore");
        let keystore = keystore.field("root", &self.root);
        keystore.field("state", &self.state).finish_non_exhaustive()
    }
}

impl Keystore {
    /// The keystore in `root`. Without [`Keystore::with_state`] no contact can be verified.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            state: None,
            machine_state: Arc::default(),
            is_examined: false,
        }
    }

    /// This keystore, which is also read where others can read its folder: to see what else is wrong.
    #[must_use]
    pub fn examined(self) -> Self {
        Self {
            is_examined: true,
            ..self
        }
    }

    /// A keystore in which nothing is, and nothing can be stored: below a device there are no folders.
    #[must_use]
    pub fn none() -> Self {
        Self::at("/dev/null/encl/none")
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

#[cfg(test)]
mod tests;
