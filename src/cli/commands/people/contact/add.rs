//! `encl contact add`: adds somebody's card to the contacts, or a group with its members' cards, or records the revocation of
//! somebody's identity.

use std::path::{Path, PathBuf};

use encl::crypto::signing::RootId;
use encl::directory::Trust;
use encl::identity::{Card, Revocation, fingerprint};
use encl::operations::cards::{
    AcceptedCard, CardsFound, FoundCard, InvitationReply, OfferedCard, find_card,
};
use serde::Serialize;

use super::add_group::add_group;
use crate::cli::context::Context;
use crate::cli::display::cards::card::described;
use crate::cli::display::cards::contact::{accepted_word, describe_accepted, describe_lookalike};
use crate::cli::display::cards::invitation::{self, InvitationObject, ReplyMessage};
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::{CommandResult, Exit, Failure, Tally, cards, keystore};
use crate::cli::files::input::Input;
use crate::cli::operations::contacts::contact;
use crate::cli::operations::contacts::contact_report::{Added, report};
use crate::cli::terminal::Stream;

const VERB: &str = "add the card in";

pub(crate) fn run(
    files: &[PathBuf],
    group: Option<&str>,
    yes: bool,
    context: &Context,
) -> CommandResult {
    let stdin = [PathBuf::from("-")];
    let files = match files {
        [] => &stdin[..],
        files => files,
    };
    let mut tally = Tally::default();
    for file in files {
        tally.add(context.terminal, add_one(file, group, yes, context));
    }
    tally.end()
}

fn add_one(file: &Path, group: Option<&str>, yes: bool, context: &Context) -> Result<(), Failure> {
    let input = Input::parse(file);
    let found = find_card(input.open(VERB)?, &context.keystore);
    match found.map_err(|error| cards::not_found(error, |exit| input.cannot(VERB, exit)))? {
        CardsFound::Group(found) => add_group(*found, group, yes, context),
        CardsFound::Card(_) | CardsFound::Revocation(_) if group.is_some() => Err(input
            .cannot(VERB, Exit::Usage)
            .reason("there is no group in it")),
        CardsFound::Card(found) => add(*found, yes, context),
        CardsFound::Revocation(revocation) => revoke(&revocation, yes, context),
    }
}

fn add(found: FoundCard, yes: bool, context: &Context) -> Result<(), Failure> {
    let offered = OfferedCard::compare(found, &context.keystore, context.now)?;
    let card = offered.card().clone();
    let name = card.display_name();
    for lookalike in offered.lookalikes() {
        context.terminal.warning(&describe_lookalike(lookalike));
    }
    if !offered.is_known() && !yes {
        context.terminal.text(&described(&card));
        if let Some(reply) = offered.reply() {
            context.terminal.text(&invitation::fact(reply));
        }
        context.confirm(&format!("Add {name}?"), &format!("cannot add {name}"))?;
    }
    let accepted = offered.accept(&context.keystore, context.now)?;
    let trust = Trust::from(accepted.trust);
    // Silent with --json, where the object says it.
    context.terminal.status(&format!(
        "{name}: {}, fingerprint {}",
        describe_accepted(&accepted, trust, &card),
        fingerprint(&card.id())
    ));
    if let Some(reply) = &accepted.reply {
        show_reply(reply, &card, trust, context)?;
    }
    report(&card, added(&accepted), Words::Nothing, context)
}

fn show_reply(
    reply: &InvitationReply,
    card: &Card,
    trust: Trust,
    context: &Context,
) -> Result<(), Failure> {
    let spent_by = match reply.matched().spent_by() {
        Some(id) => name_of_key(&id, context)?,
        None => String::new(),
    };
    let people = || context.people();
    match invitation::describe_reply(reply, (card, trust), &spent_by, people)? {
        ReplyMessage::Status(text) => context.terminal.status(&text),
        ReplyMessage::Warning(text) => context.terminal.warning(&text),
    }
    Ok(())
}

fn name_of_key(id: &RootId, context: &Context) -> Result<String, Failure> {
    let known = contact(id, context)?;
    Ok(known.map_or_else(
        || format!("the key {}", fingerprint(id)),
        |known| known.card.display_name(),
    ))
}

fn added(accepted: &AcceptedCard) -> Added {
    Added {
        accepted: Some(accepted_word(accepted.outcome)),
        invitation: accepted.reply.as_ref().map(InvitationObject::of),
    }
}

/// Records the revocation of somebody's identity.
fn revoke(revocation: &Revocation, yes: bool, context: &Context) -> Result<(), Failure> {
    let id = revocation.id();
    let known = contact(&id, context)?;
    let name = known.as_ref().map_or_else(
        || format!("the key {}", fingerprint(&id)),
        |known| known.card.display_name(),
    );
    let what = format!("cannot record that {name} is revoked");
    if !yes {
        context.confirm(&format!("Revoke {name} for ever?"), &what)?;
    }
    let noted = context.keystore.accept_revocation(revocation, context.now);
    noted.map_err(|error| keystore::failure(&what, &error))?;
    let words = Words::Status(format!(
        "{name} is revoked: nothing is encrypted for this key any more"
    ));
    match &known {
        Some(known) => report(&known.card, Added::default(), words, context),
        None => report_unknown(id, words, context),
    }
}

/// A key whose card is not here.
fn report_unknown(id: RootId, words: Words, context: &Context) -> Result<(), Failure> {
    let object = RevokedObject {
        schema: "encl.contact/1",
        id: id.to_string(),
        trust: Trust::Revoked,
    };
    context.report(&Outcome { object, words }, Stream::Stdout)
}

#[derive(Serialize)]
struct RevokedObject {
    schema: &'static str,
    id: String,
    trust: Trust,
}
