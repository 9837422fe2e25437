//! Gates asked while an envelope opens, whatever command opens it.

use std::collections::{BTreeMap, BTreeSet};

use encl::crypto::signing::RootId;
use encl::envelope::{GateFailure, GateLock, GateParts, GateQuestion, HeldQuestion, PUBLIC_BLIND};
use encl::operations::MyKeys;
use encl::operations::gate::{AskError, Asked, Gates, has_kept_parts, kept_parts};

use crate::cli::context::Context;
use crate::cli::context::asking::AskPolicy;
use crate::cli::errors::gate::not_opened;
use crate::cli::errors::keystore::unreadable;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::gate::gates;

/// Whether gates of a lock are asked in this run. Asks nobody.
pub(crate) fn may_ask(context: &Context, lock: &GateLock) -> bool {
    // What may be kept is used also where nobody may be asked.
    has_kept_parts(&context.keystore, lock, context.now)
        || is_allowed(context, lock) && gates(context).is_ok_and(|gates| gates.may_ask(lock))
}

fn is_allowed(context: &Context, lock: &GateLock) -> bool {
    match context.asking.policy {
        AskPolicy::Never => false,
        AskPolicy::KnownOwners => knows_owners(context, lock),
        AskPolicy::Always => true,
    }
}

/// Whether each owner is somebody here. The owner of a private envelope cannot be known.
fn knows_owners(context: &Context, lock: &GateLock) -> bool {
    let keystore = &context.keystore;
    let contacts = keystore.readable_contact_heads();
    let contacts = contacts.map(|heads| heads.found).unwrap_or_default();
    let mine = keystore.readable_identities();
    let mine = mine.map(|mine| mine.found).unwrap_or_default();
    let mine = mine.iter().map(|one| one.card.id());
    let contacts = contacts
        .iter()
        .filter(|head| !head.trust.blocks_use())
        .map(|head| head.id);
    let known: BTreeSet<RootId> = contacts.chain(mine).collect();
    let owned = known.iter().filter(|id| lock.is_owner(**id, &PUBLIC_BLIND));
    owned.count() == lock.terms().owners.len()
}

/// Asks the gates of a lock, once in a run.
pub(crate) fn ask(
    context: &Context,
    question: &GateQuestion<'_>,
    envelope: &str,
    keys: &MyKeys<'_>,
) -> Result<GateParts, GateFailure> {
    let ticket = question.lock.ticket();
    if let Some(parts) = context.asking.answer(ticket, question.missing) {
        return Ok(parts);
    }
    let kept = kept_parts(&context.keystore, question.lock, keys, context.now);
    if kept.len() >= usize::from(question.missing) {
        return Ok(kept);
    }
    let failed = |failure: Failure| GateFailure::Failed(failure.into());
    if !is_allowed(context, question.lock) {
        return Ok(kept);
    }
    let gates = gates(context).map_err(failed)?;
    if context.asking.policy == AskPolicy::Always && !knows_owners(context, question.lock) {
        context.terminal.status(&format!(
            "{envelope}: its author learns from the gate that you opened it, and when"
        ));
    }
    let me = match context.asking.is_unnamed {
        true => None,
        false => signer(question, keys),
    };
    let signing = me.map(|id| keys.signing_key(id)).transpose();
    let signing = signing.map_err(GateFailure::Failed)?;
    let asked = gates.ask(question, signing, &mut context.rng());
    match asked {
        Ok(asked) => Ok(keep(context, &gates, question, asked, (me, keys))),
        Err(error) => Err(failure(&error)),
    }
}

/// Whether any gate can be asked in this run.
pub(crate) fn has_gates(context: &Context) -> bool {
    context.asking.policy != AskPolicy::Never
        && gates(context).is_ok_and(|gates| !gates.known().is_empty())
}

/// Asks about many envelopes with one request for each of my identities, and keeps what was answered. What was not is asked again, one by
/// one, and told then.
pub(crate) fn ask_ahead(context: &Context, questions: &[HeldQuestion], keys: &MyKeys<'_>) {
    let Ok(gates) = gates(context) else { return };
    let questions: Vec<GateQuestion<'_>> = questions.iter().map(HeldQuestion::question).collect();
    let signer = |question: &GateQuestion<'_>| match context.asking.is_unnamed {
        true => None,
        false => signer(question, keys),
    };
    let mut of_signers: BTreeMap<Option<RootId>, Vec<GateQuestion<'_>>> = BTreeMap::new();
    let is_kept =
        |question: &GateQuestion<'_>| has_kept_parts(&context.keystore, question.lock, context.now);
    let questions: Vec<_> = questions.into_iter().filter(|one| !is_kept(one)).collect();
    tell_of_strangers(context, &questions);
    for question in questions {
        of_signers
            .entry(signer(&question))
            .or_default()
            .push(question);
    }
    for (me, questions) in of_signers {
        let Ok(key) = me.map(|id| keys.signing_key(id)).transpose() else {
            continue;
        };
        let answers = gates.ask_all(&questions, key, &mut context.rng());
        for (question, asked) in questions.iter().zip(answers) {
            if let Ok(asked) = asked {
                keep(context, &gates, question, asked, (me, keys));
            }
        }
    }
}

/// Keeps what was answered until the end of the run, and for as long as the author allows.
fn keep(
    context: &Context,
    gates: &Gates<'_>,
    question: &GateQuestion<'_>,
    asked: Asked,
    (me, keys): (Option<RootId>, &MyKeys<'_>),
) -> GateParts {
    let me = (me.or_else(|| keys.ids().next()), keys);
    let kept = gates.keep_parts(question.lock, &asked, me, &mut context.rng());
    if let Err(error) = kept {
        let why = unreadable(&error).what;
        context
            .terminal
            .warning(&format!("the answer cannot be kept for later: {why}"));
    }
    let ticket = question.lock.ticket();
    context.asking.keep(ticket, &asked.parts, asked.receipts);
    asked.parts
}

/// Says of how many envelopes an author who is no contact learns that they are opened.
fn tell_of_strangers(context: &Context, questions: &[GateQuestion<'_>]) {
    if context.asking.policy != AskPolicy::Always {
        return;
    }
    let questions = questions.iter();
    let strangers = questions.filter(|question| !knows_owners(context, question.lock));
    match strangers.count() {
        0 => {}
        1 => context
            .terminal
            .status("the author of one envelope learns from the gate that you opened it, and when"),
        count => context.terminal.status(&format!(
            "the authors of {count} envelopes learn from the gates that you opened them, and when"
        )),
    }
}

/// Which of my identities asks: the one that is listed, else the preferred one.
fn signer(question: &GateQuestion<'_>, keys: &MyKeys<'_>) -> Option<RootId> {
    let is_listed = |id: &RootId| {
        let mut passes = question.passes.into_iter().flatten();
        passes.any(|pass| pass.open(*id, question.holder).is_some())
    };
    keys.ids().find(is_listed).or_else(|| keys.ids().next())
}

fn failure(error: &AskError) -> GateFailure {
    let failure = not_opened(
        Failure::new(Exit::Failed, "its gate did not open it"),
        error,
    );
    match error {
        AskError::Refused(_) => GateFailure::Refused(failure.into()),
        _ => GateFailure::Failed(failure.into()),
    }
}
