//! Envelopes with gates that are sealed again: what owners took away at the gates is not given back.

use super::update::{AccessUpdate, UpdateError};
use crate::directory::DirectoryError;
use crate::envelope::{GateLock, GateRequest, Opened, Plan};
use crate::gate::rules::TicketState;
use crate::operations::gate::StateUnknown;
use crate::policy::{Conditions, Gate};

impl AccessUpdate<'_> {
    /// The envelope's gates with their keys of today. Whoever seals again is the owner.
    pub(super) fn gate(&self, opened: &Opened) -> Result<Option<GateRequest>, UpdateError> {
        let Some(lock) = &opened.manifest.gate else {
            return Ok(None);
        };
        let owner = self.acting(opened.signer()).map(|one| one.card.id());
        let key_of = |gate: &Gate| self.options.gate_key.and_then(|key_of| key_of(gate));
        let request = lock.request(owner.into_iter().collect(), key_of);
        let request = request.map_err(UpdateError::UnknownGate)?;
        let state = self.gate_state(lock)?;
        let ends = request.conditions.expires.into_iter().chain(state.until);
        Ok(Some(GateRequest {
            conditions: Conditions {
                expires: ends.min(),
                ..request.conditions
            },
            keeper: self.options.gate_keeper.cloned(),
            ..request
        }))
    }

    /// What owners have restricted at the gates of an envelope. What is revoked stays revoked: for the gates a new envelope would be
    /// another one, which nobody has revoked.
    fn gate_state(&self, lock: &GateLock) -> Result<TicketState, UpdateError> {
        let state = match self.options.gate_state {
            Some(state) => state(lock).map_err(UpdateError::GateState)?,
            None => return Err(UpdateError::GateState(StateUnknown::NotAsked)),
        };
        match state.revoked {
            true => Err(UpdateError::GateRevoked),
            false => Ok(state),
        }
    }

    /// Whoever was denied does not come back because the envelope is sealed again, also with a key that replaced the one that was
    /// denied.
    pub(super) fn refuse_denied(&self, plan: &Plan, opened: &Opened) -> Result<(), UpdateError> {
        let Some(lock) = opened.manifest.gate.as_ref() else {
            return Ok(());
        };
        let denied = self.gate_state(lock)?.denied;
        let mut names = Vec::new();
        for one in plan.remaining.iter().flat_map(|lock| &lock.people) {
            let ids = self.people.ids_of(one.recipient.id);
            let ids = ids.map_err(DirectoryError::from)?;
            if ids.iter().any(|id| denied.contains(id)) {
                names.push(one.recipient.name.clone());
            }
        }
        match names.is_empty() {
            true => Ok(()),
            false => Err(UpdateError::Denied(names)),
        }
    }
}
