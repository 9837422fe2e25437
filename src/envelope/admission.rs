//! Who gave the reader access: the author, a reader with a record of the grant, or a reader without one.

use super::access_line::{Access, Grant, KeySlot, Slot};
use super::id::EnvelopeId;
use crate::crypto::KeyId;
use crate::crypto::signing::{Purpose, RootId};
use crate::policy::{Lock, Policy};

/// Grants on the way from the author to a reader.
pub(super) const PATH_MAX: usize = 16;

/// Who gave the reader access. With several locks the worst counts; variants are in that order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Admission {
    /// The author named the reader's key, or gave the passphrase and committed to it.
    Named,
    /// Another reader granted access; the path leads from this reader back to a person whom the author named.
    Granted(Vec<GrantLink>),
    /// Nothing leads back to the author.
    Unrecorded(NoRecord),
}

/// What has no record. A passphrase's slot without one may be the author's, so it is the lesser fault; variants are in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoRecord {
    /// The passphrase: the policy, of an older program, does not commit to it, so any reader may have replaced its slot.
    OfPassphrase,
    /// The reader's key: somebody granted access with the content key and left no record.
    OfKey,
}

/// One grant on the path: `by` gave access to `id` at `at`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantLink {
    /// The newcomer.
    pub id: RootId,
    /// Who let the newcomer in.
    pub by: RootId,
    /// When, as `by` says.
    pub at: crate::time::Time,
}

/// Classifies one slot of an envelope that is not private.
pub(super) fn of_slot(slot: &Slot, policy: &Policy, access: &Access, id: &EnvelopeId) -> Admission {
    let lock = &policy.locks[usize::from(slot.lock())];
    let Slot::Key(slot) = slot else {
        return by_passphrase(lock);
    };
    if lock
        .recipients()
        .iter()
        .any(|recipient| Some(recipient.key) == slot.key)
    {
        return Admission::Named;
    }
    let path = path_to_author(slot, policy, access, id);
    path.map_or(Admission::Unrecorded(NoRecord::OfKey), Admission::Granted)
}

/// Classifies the slot of a lock's passphrase, once it has opened.
pub(super) fn by_passphrase(lock: &Lock) -> Admission {
    match lock.has_unrecorded_passphrase() {
        true => Admission::Unrecorded(NoRecord::OfPassphrase),
        false => Admission::Named,
    }
}

/// The shortest path of valid grants from `slot` to a person whom the author named.
///
/// Breadth first, each slot at most once, so a hostile list of grants costs one signature check per slot.
fn path_to_author(
    slot: &KeySlot,
    policy: &Policy,
    access: &Access,
    id: &EnvelopeId,
) -> Option<Vec<GrantLink>> {
    let named = |by: RootId| {
        policy.signer == Some(by) || policy.recipients().any(|recipient| recipient.id == by)
    };
    let mut unused: Vec<&KeySlot> = access.slots.iter().filter_map(granted_slot).collect();
    unused.retain(|other| (other.lock, other.key) != (slot.lock, slot.key));
    let mut paths = vec![vec![valid_link(slot, id)?]];
    for _ in 0..PATH_MAX {
        if let Some(path) = paths
            .iter()
            .find(|path| path.last().is_some_and(|step| named(step.by)))
        {
            return Some(path.clone());
        }
        let mut longer = Vec::new();
        for path in &paths {
            let by = path.last()?.by;
            let (next, rest): (Vec<_>, Vec<_>) = unused
                .into_iter()
                .partition(|slot| slot.grant.as_ref().is_some_and(|grant| grant.id == by));
            unused = rest;
            let steps = next.into_iter().filter_map(|slot| valid_link(slot, id));
            longer.extend(steps.map(|step| [path.as_slice(), &[step]].concat()));
        }
        paths = longer;
    }
    None
}

fn granted_slot(slot: &Slot) -> Option<&KeySlot> {
    match slot {
        Slot::Key(slot) if slot.grant.is_some() => Some(slot),
        _ => None,
    }
}

/// The slot's grant as a link of the path, if its signature holds.
fn valid_link(slot: &KeySlot, id: &EnvelopeId) -> Option<GrantLink> {
    let (grant, key) = (slot.grant.as_ref()?, slot.key?);
    let message = grant_message(grant, slot.lock, key, id);
    grant
        .by
        .verify(Purpose::Grant, &[&message], &grant.sig)
        .ok()?;
    Some(GrantLink {
        id: grant.id,
        by: grant.by,
        at: grant.at,
    })
}

/// What a grant's signature covers after its label (FORMAT.md, "Grants").
#[must_use]
pub fn grant_message(grant: &Grant, lock: u16, key: KeyId, id: &EnvelopeId) -> Vec<u8> {
    let mut message = [id.0.as_slice(), &lock.to_be_bytes(), &key.0, &grant.id.0].concat();
    for text in [
        &*grant.at.to_string(),
        &grant.name,
        grant.address.as_deref().unwrap_or(""),
    ] {
        let bytes = u32::try_from(text.len()).expect("names and addresses are short");
        message.extend_from_slice(&bytes.to_be_bytes());
        message.extend_from_slice(text.as_bytes());
    }
    message
}
