//! What gates are told when an envelope is changed: whom to answer beside those who were named, and that the old one is over.

use encl::crypto::PublicKey;
use encl::crypto::signing::RootId;
use encl::directory::{People, ResolvedRecipient, known_person};
use encl::envelope::GateLock;
use encl::gate::rules::Statement;
use encl::keystore::{GateContact, SealedWithGate};
use encl::operations::MyKeys;
use encl::operations::gate::{Owner, find_owner};
use encl::policy::{Gate, GateKind};

use crate::cli::context::Context;
use crate::cli::errors::envelope::unlock_failure;
use crate::cli::errors::gate::unreachable;
use crate::cli::errors::keystore::unreadable;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::gate::gates;

/// The keys of all gates that are known here, and of the people who help.
pub(crate) struct GateKeyBook<'a> {
    servers: Vec<GateContact>,
    people: &'a People,
    context: &'a Context,
}

impl<'a> GateKeyBook<'a> {
    pub(crate) fn read(people: &'a People, context: &'a Context) -> Result<Self, Failure> {
        Ok(Self {
            servers: gates(context)?.known().to_vec(),
            people,
            context,
        })
    }

    /// The key that a gate's slot is sealed to now.
    pub(crate) fn key_of(&self, gate: &Gate) -> Option<PublicKey> {
        if gate.kind == GateKind::Server {
            let mut servers = self.servers.iter();
            let known = servers.find(|known| known.card.id() == gate.id)?;
            return Some(known.card.newest_key().clone());
        }
        let person = self.people.with_id(gate.id).ok().flatten()?;
        let person = ResolvedRecipient::stored(person);
        let known = known_person(&person, self.context.now).ok()?;
        Some(known.current.public)
    }
}

/// Me as an owner of a gate lock.
fn owner<'k>(
    lock: &GateLock,
    people: &People,
    keys: &'k MyKeys<'_>,
) -> Result<Option<Owner<'k>>, Failure> {
    find_owner(lock, people, keys).map_err(unlock_failure)
}

/// Lets newcomers in at the gates, which answer only those whom the author named or an owner allows.
pub(crate) fn allow(
    lock: &GateLock,
    newcomers: impl Iterator<Item = RootId>,
    (people, keys): (&People, &MyKeys<'_>),
    cannot: &Failure,
    context: &Context,
) -> Result<(), Failure> {
    let Some(owner) = owner(lock, people, keys)? else {
        let failure = Failure::new(Exit::Refused, cannot.what.clone())
            .reason("its gates answer only those whom its author named: only an owner can let others in there");
        return Err(failure.hint("ask its author; or encrypt it again under your name: --resign"));
    };
    let gates = gates(context)?;
    let record = SealedWithGate::new(lock.clone(), context.now, None);
    for newcomer in newcomers {
        let told = gates.state(
            &record,
            Statement::Allow(newcomer),
            owner,
            &mut context.rng(),
        );
        let told = told.map_err(|error| unreadable(&error))?;
        if told.acknowledged.known < usize::from(lock.lock().need) {
            let failure = Failure::new(Exit::Failed, cannot.what.clone());
            return Err(unreachable(failure, &told.missing)
                .hint("nothing was written; `encl gate status` shows what the gates know"));
        }
    }
    Ok(())
}

/// Revokes an envelope in whose place there is a new one now. The new one is on the disk, so what fails here is told, and can be done
/// again.
pub(crate) fn revoke_old(
    lock: &GateLock,
    (people, keys): (&People, &MyKeys<'_>),
    name: &str,
    context: &Context,
) {
    let told = owner(lock, people, keys).and_then(|owner| {
        let Some(owner) = owner else {
            return Err(Failure::new(Exit::Refused, "you are no owner of it"));
        };
        let record = SealedWithGate::new(lock.clone(), context.now, None);
        let told = gates(context)?.state(&record, Statement::Revoke, owner, &mut context.rng());
        told.map_err(|error| unreadable(&error))
    });
    let warning = match told {
        Ok(told) if told.missing.is_empty() => return,
        Ok(told) => format!(
            "{} of {} gates know that the old envelope is revoked: `encl gate status` tells the others",
            told.acknowledged.known, told.acknowledged.servers
        ),
        Err(failure) => format!(
            "the old envelope is not revoked at its gate ({}), so copies of it can still be opened",
            failure.what
        ),
    };
    context.terminal.warning(&format!("{name}: {warning}"));
}
