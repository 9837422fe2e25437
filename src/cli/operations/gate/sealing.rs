//! The gates of an envelope that is to be sealed: found, and described for line 2.

use std::sync::Arc;

use encl::crypto::signing::RootId;
use encl::directory::{People, WhoUse, resolve};
use encl::envelope::{GateAddressee, GateKeeper, GateLock, GateRequest};
use encl::keystore::SealedWithGate;
use encl::operations::seal::SealTerms;
use encl::policy::{Conditions, GateKind};

use crate::cli::args::gate::{GateOptions, NamedGates};
use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::gate::known_gate;
use crate::cli::terminal::safe;

/// The gates of what an author seals, if any are named. The author is an owner.
pub(crate) fn request(
    options: &GateOptions,
    terms: &SealTerms,
    author: Option<RootId>,
    context: &Context,
) -> Result<Option<GateRequest>, Failure> {
    if terms.is_private && !options.owner.is_empty() {
        let failure = Failure::new(Exit::Usage, "cannot use --owner with --private");
        return Err(failure.reason(
            "owners could be recognised; of a private envelope its author is the only one",
        ));
    }
    let owners = author.into_iter().collect();
    let Some(request) = named(options, owners, context)? else {
        return Ok(None);
    };
    let request = GateRequest {
        conditions: terms.conditions,
        keeper: Some(keeper(context, None)),
        ..request
    };
    tell(&request, context);
    Ok(Some(request))
}

/// The gates of what nobody signs: `owners` can revoke it.
pub(crate) fn unsigned(
    options: &GateOptions,
    owners: Vec<RootId>,
    context: &Context,
) -> Result<Option<GateRequest>, Failure> {
    let request = named(options, owners, context)?;
    if let Some(request) = &request {
        tell(request, context);
    }
    Ok(request)
}

fn named(
    options: &GateOptions,
    mut owners: Vec<RootId>,
    context: &Context,
) -> Result<Option<GateRequest>, Failure> {
    let Some(named) = options.named()? else {
        return Ok(None);
    };
    let people = &context.people()?;
    let mut gates = servers(&named, context)?;
    gates.extend(helpers(&options.helper, people, context)?);
    if usize::from(named.need) > gates.len() {
        return Err(
            Failure::new(Exit::Usage, "cannot use --gates").reason(format!(
                "{} of {} gates and helpers cannot answer",
                named.need,
                gates.len()
            )),
        );
    }
    for name in &options.owner {
        let found = resolve(&[name], WhoUse::Signer, people)?;
        owners.extend(found.iter().map(|found| found.names.id));
    }
    Ok(Some(GateRequest {
        need: named.need,
        gates,
        owners,
        is_listed: !options.unlisted,
        conditions: Conditions::default(),
        lease: options.lease_seconds()?,
        keeper: None,
    }))
}

fn servers(named: &NamedGates, context: &Context) -> Result<Vec<GateAddressee>, Failure> {
    let server = |name: &String| {
        let gate = known_gate(name, context)?;
        Ok(GateAddressee {
            kind: GateKind::Server,
            id: gate.card.id(),
            name: Some(gate.card.name().to_owned()),
            url: Some(gate.card.url().to_string()),
            public: gate.card.newest_key().clone(),
        })
    };
    named.names.iter().map(server).collect()
}

fn helpers(
    names: &[String],
    people: &People,
    context: &Context,
) -> Result<Vec<GateAddressee>, Failure> {
    let mut helpers = Vec::new();
    for name in names {
        for found in encl::directory::Recipients::resolve(
            std::slice::from_ref(name),
            None,
            people,
            context.now,
        )?
        .addressees
        {
            helpers.push(GateAddressee {
                kind: GateKind::Person,
                id: found.recipient.id,
                name: Some(found.recipient.name.clone()),
                url: None,
                public: found.public.clone(),
            });
        }
    }
    Ok(helpers)
}

/// Keeps the gate lock in the keystore, before the envelope is written.
pub(crate) fn keeper(context: &Context, file: Option<String>) -> GateKeeper {
    let (keystore, now) = (context.keystore.clone(), context.now);
    Arc::new(move |lock: &GateLock| {
        let record = SealedWithGate::new(lock.clone(), now, file.as_deref());
        keystore.record_sealed(&record)?;
        Ok(())
    })
}

/// What whoever seals should know before.
fn tell(request: &GateRequest, context: &Context) {
    let terminal = context.terminal;
    if request.owners.is_empty() {
        terminal.warning(
            "nobody signs, so nobody can revoke it or read who opened it: only --expires ends it",
        );
    }
    // Where more are needed than one, each of them is one that nobody may lose.
    if request.gates.len() > usize::from(request.need) {
        return;
    }
    for gate in &request.gates {
        let contact = context.keystore.gate(&gate.id).ok().flatten();
        if let Some(contact) = contact.filter(|contact| !contact.is_backed_up()) {
            terminal.warning(&format!(
                "if the gate {0} loses its keys, nobody can open this any more: add --helper WHO or another gate, or record that its operator has a copy of them: `encl gate add {1} --backed-up`",
                safe(&contact.name),
                contact.card.url()
            ));
        }
    }
}
