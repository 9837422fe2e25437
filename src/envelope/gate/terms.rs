//! The members of a gate lock, read and checked (FORMAT.md, "Gate locks").

use std::collections::HashSet;

use crate::crypto::KeyId;
use crate::crypto::signing::RootId;
use crate::envelope::policy_line::{limit, require};
use crate::identity::NAME_BYTES_MAX;
use crate::json::{Error, Value};
use crate::policy::{
    Conditions, GATES_MAX, Gate, GateKind, GateTerms, Hash, LEASE_SECONDS_MAX, Lock, OWNERS_MAX,
    TERMS_BYTES_MAX, URL_BYTES_MAX,
};

/// The members that only a gate lock has.
#[derive(Default)]
pub(in crate::envelope) struct GateMembers {
    gates: Option<Vec<Gate>>,
    owners: Option<Vec<Hash>>,
    holder: Option<RootId>,
    members: Option<RootId>,
    conditions: Conditions,
    lease: Option<u32>,
}

impl GateMembers {
    /// Takes a member, which no other kind of lock has.
    pub(in crate::envelope) fn take(&mut self, name: &str, value: Value<'_>) -> Result<(), Error> {
        match name {
            "gates" => self.gates = Some(value.array(GATES_MAX, gate)?),
            "owners" => {
                self.owners = Some(value.array(OWNERS_MAX, |owner| owner.base64().map(Hash))?);
            }
            "holder" => self.holder = Some(RootId(value.base64()?)),
            "members" => self.members = Some(RootId(value.base64()?)),
            "not_before" => self.conditions.not_before = Some(value.time()?),
            "expires" => self.conditions.expires = Some(value.time()?),
            "lease" => self.lease = Some(lease(value)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    }

    pub(in crate::envelope) fn is_empty(&self) -> bool {
        let Self {
            gates,
            owners,
            holder,
            members,
            conditions,
            lease,
        } = self;
        gates.is_none()
            && owners.is_none()
            && (holder, members) == (&None, &None)
            && *conditions == Conditions::default()
            && lease.is_none()
    }

    /// The terms, once the lock has closed; `bytes` is its length as it was written.
    pub(in crate::envelope) fn terms(self, bytes: usize) -> Result<GateTerms, Error> {
        let terms = GateTerms {
            gates: self.gates.ok_or_else(|| Error::missing("gates"))?,
            owners: self.owners.ok_or_else(|| Error::missing("owners"))?,
            holder: self.holder.ok_or_else(|| Error::missing("holder"))?,
            members: self.members,
            conditions: self.conditions,
            lease: self.lease,
        };
        require(!terms.gates.is_empty(), "`gates` is empty")?;
        limit(bytes <= TERMS_BYTES_MAX, "a gate lock")?;
        Ok(terms)
    }
}

fn lease(value: Value<'_>) -> Result<u32, Error> {
    let seconds = u32::try_from(value.number()?).ok();
    seconds
        .filter(|seconds| (1..=LEASE_SECONDS_MAX).contains(seconds))
        .ok_or_else(|| Error::malformed("`lease` is not 1 to 2592000"))
}

fn gate(value: Value<'_>) -> Result<Gate, Error> {
    let (mut kind, mut id, mut key, mut name, mut url) = (None, None, None, None, None);
    value.object(|member, value| {
        match member {
            "kind" => kind = Some(gate_kind(value)?),
            "id" => id = Some(RootId(value.base64()?)),
            "key" => key = Some(KeyId(value.base64()?)),
            "name" => name = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "url" => url = Some(value.text(URL_BYTES_MAX)?.into_owned()),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(Gate {
        kind: kind.ok_or_else(|| Error::missing("kind"))?,
        id: id.ok_or_else(|| Error::missing("id"))?,
        key: key.ok_or_else(|| Error::missing("key"))?,
        name,
        url,
    })
}

fn gate_kind(value: Value<'_>) -> Result<GateKind, Error> {
    match &*value.text(usize::MAX)? {
        "server" => Ok(GateKind::Server),
        "person" => Ok(GateKind::Person),
        other => Err(Error::newer(format!("gate kind {other:?}"))),
    }
}

/// Whether a gate is described to people.
pub(in crate::envelope) fn is_described(gate: &Gate) -> bool {
    gate.name.is_some() || gate.url.is_some()
}

/// The rules between the members of one gate lock.
pub(in crate::envelope) fn check(lock: &Lock, terms: &GateTerms) -> Result<(), Error> {
    let gates = terms.gates.len();
    limit(gates <= GATES_MAX, "gates")?;
    limit(terms.owners.len() <= OWNERS_MAX, "owners")?;
    require(
        lock.need == 1 || lock.shares.len() == gates,
        "not one gate for each share",
    )?;
    let ids: HashSet<_> = terms.gates.iter().map(|gate| gate.id).collect();
    require(ids.len() == gates, "one gate twice")?;
    let keys: HashSet<_> = terms.gates.iter().map(|gate| gate.key).collect();
    require(keys.len() == gates, "one key of two gates")?;
    let owners: HashSet<_> = terms.owners.iter().map(|owner| owner.0).collect();
    require(owners.len() == terms.owners.len(), "one owner twice")?;
    for gate in &terms.gates {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        limit(length(&gate.name) <= NAME_BYTES_MAX, "a gate's name")?;
        limit(length(&gate.url) <= URL_BYTES_MAX, "a gate's address")?;
    }
    Ok(())
}
