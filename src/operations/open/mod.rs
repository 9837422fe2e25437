//! Envelopes opened with my keys and with what colleagues approved, and compared with what a reader requires of them.

pub mod approvals;
pub mod page;

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use super::keys::{MyKeys, TypedPassphrase};
use crate::crypto::signing::RootId;
use crate::directory::{People, Trust};
use crate::envelope::{
    Admission, Content, Envelope, Keyring as _, NoRecord, OpenError, Opened, ReaderKey,
    RewriteError, Rewriting,
};
use crate::policy::Policy;
use crate::time::Time;
use approvals::Approvals;

/// What a reader requires of an envelope, beyond that it opens.
#[derive(Clone, Default)]
pub struct Requirements<'a> {
    /// One of these has signed it.
    pub signers: Option<HashSet<RootId>>,
    /// It is signed by one of these people, whose key is not changed, revoked or blocked.
    pub signed_within: Option<&'a People>,
    /// I was named by its author, or let in by a record.
    pub is_recorded: bool,
}

/// A requirement that an envelope does not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// The person who let me in left no record, or an older program recorded no passphrase.
    #[error("the reader's access is not recorded")]
    Unrecorded(NoRecord),
    /// It is not signed, and certain signers are required.
    #[error("it is not signed by the required person")]
    UnsignedByPerson,
    /// It is not signed.
    #[error("it is not signed")]
    Unsigned,
    /// It is signed by this key.
    #[error("it is signed by another key")]
    OtherSigner(RootId),
    /// It is signed by this key, which is nobody's here, or must not be used.
    #[error("it is signed by a key that is not known here, or must not be used")]
    UntrustedSigner(RootId),
}

impl Requirements<'_> {
    /// Compares an opened envelope with them.
    ///
    /// # Errors
    /// The first that is not met.
    pub fn check(&self, opened: &Opened) -> Result<(), Unmet> {
        if let (true, Admission::Unrecorded(what)) = (self.is_recorded, &opened.admission) {
            return Err(Unmet::Unrecorded(*what));
        }
        match (opened.signer(), &self.signers) {
            (None, Some(_)) => Err(Unmet::UnsignedByPerson),
            (None, None) if self.signed_within.is_some() => Err(Unmet::Unsigned),
            (Some(id), Some(required)) if !required.contains(&id) => Err(Unmet::OtherSigner(id)),
            (Some(id), _) => self.check_known(id),
            (None, None) => Ok(()),
        }
    }
}

impl Requirements<'_> {
    /// Anybody can make a key, so a signature counts only if the key is somebody's here.
    fn check_known(&self, signer: RootId) -> Result<(), Unmet> {
        let trust = self.signed_within.map(|people| people.signer(signer).trust);
        let is_refused = |trust: Trust| trust == Trust::Unknown || trust.blocks_use();
        match trust.is_some_and(is_refused) {
            true => Err(Unmet::UntrustedSigner(signer)),
            false => Ok(()),
        }
    }
}

/// Why an envelope did not open, and what is needed to explain it.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailure {
    /// It cannot be read as an envelope.
    #[error(transparent)]
    Unreadable(OpenError),
    /// It cannot be unlocked.
    #[error("{error}")]
    Locked {
        /// The reason.
        #[source]
        error: OpenError,
        /// What it says, not verified, about who may read it.
        policy: Box<Policy>,
        /// The keys of mine that were tried.
        keys: Vec<ReaderKey>,
    },
    /// It opens, and does not meet a requirement.
    #[error(transparent)]
    Unmet(#[from] Unmet),
}

/// Why an envelope cannot be opened for a change of its slots.
#[derive(Debug, thiserror::Error)]
pub enum RewriteFailure {
    /// It does not open.
    #[error(transparent)]
    Open(OpenFailure),
    /// Its slots cannot be changed.
    #[error(transparent)]
    Rewrite(RewriteError),
}

/// Opens envelopes, one after the other or several at once.
#[derive(Clone)]
pub struct Opener<'a> {
    keys: Arc<MyKeys<'a>>,
    approvals: Arc<Approvals>,
    requirements: Arc<Requirements<'a>>,
    now: Time,
}

impl<'a> Opener<'a> {
    /// Opens with these keys and approvals; `now` is what dates are compared with.
    #[must_use]
    pub fn new(
        keys: MyKeys<'a>,
        approvals: Approvals,
        requirements: Requirements<'a>,
        now: Time,
    ) -> Self {
        Self {
            keys: Arc::new(keys),
            approvals: Arc::new(approvals),
            requirements: Arc::new(requirements),
            now,
        }
    }

    /// My keys.
    #[must_use]
    pub fn keys(&self) -> &MyKeys<'a> {
        &self.keys
    }

    /// Reads an envelope and opens it as far as its private line. `name` names it in a question for its passphrase.
    ///
    /// # Errors
    /// [`OpenFailure`].
    pub fn open<R: Read>(
        &self,
        name: &str,
        reader: R,
        typed: &mut TypedPassphrase,
    ) -> Result<Content<R>, OpenFailure> {
        let envelope = Envelope::read(reader).map_err(OpenFailure::Unreadable)?;
        let content = self.unlock(name, envelope, typed)?;
        self.requirements.check(content.metadata())?;
        Ok(content)
    }

    /// Opens an envelope that was read, as far as its private line, without comparing it with the requirements.
    ///
    /// # Errors
    /// [`OpenFailure::Locked`].
    pub fn unlock<R: Read>(
        &self,
        name: &str,
        envelope: Envelope<R>,
        typed: &mut TypedPassphrase,
    ) -> Result<Content<R>, OpenFailure> {
        let mut keyring = self.keys.keyring(name, typed);
        let (policy, keys) = (envelope.manifest().policy.clone(), keyring.keys());
        let approvals = self.approvals.for_envelope(envelope.manifest(), &keys);
        let content = envelope.unlock_with(approvals, &mut keyring, self.now);
        content.map_err(|error| OpenFailure::Locked {
            error,
            policy: Box::new(policy),
            keys,
        })
    }

    /// Reads an envelope whose slots are to change.
    ///
    /// # Errors
    /// [`RewriteFailure`].
    pub fn rewrite<R: Read>(
        &self,
        name: &str,
        reader: R,
        typed: &mut TypedPassphrase,
    ) -> Result<Rewriting<R>, RewriteFailure> {
        let unreadable = |error| RewriteFailure::Open(OpenFailure::Unreadable(error));
        let envelope = Envelope::read(reader).map_err(unreadable)?;
        let mut keyring = self.keys.keyring(name, typed);
        let (policy, keys) = (envelope.manifest().policy.clone(), keyring.keys());
        let approvals = self.approvals.for_envelope(envelope.manifest(), &keys);
        let rewriting = envelope.rewrite(approvals, &mut keyring, self.now);
        rewriting.map_err(|error| match error {
            RewriteError::Open(error) => RewriteFailure::Open(OpenFailure::Locked {
                error,
                policy: Box::new(policy),
                keys,
            }),
            error => RewriteFailure::Rewrite(error),
        })
    }

    /// Reports the approvals that none of several envelopes could use.
    pub fn report_unused_approvals(&self) {
        self.approvals.report_unused();
    }
}
