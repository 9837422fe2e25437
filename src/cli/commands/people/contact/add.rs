//! `encl contact add`: somebody's card is taken into the contacts, or the end of their identity noted.

use std::path::Path;

use encl::crypto::signing::RootId;
use encl::directory::Trust;
use encl::identity::{Card, Revocation, fingerprint};
use encl::keystore::{AcceptOutcome, AddedBy};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::display::card::described;
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::trust::label;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore;
use crate::cli::files::input::Input;
use crate::cli::operations::cards::accept::accept;
use crate::cli::operations::cards::card_source;
use crate::cli::operations::cards::card_source::{CardsFound, OfferedCard};
use crate::cli::operations::cards::invitation_reply::Token;
use crate::cli::operations::contact_report::{Added, report};
use crate::cli::operations::contacts::{contact, trust_in};
use crate::cli::terminal::escape::typed;
use crate::cli::terminal::{Stream, safe};
use encl::directory::find_lookalike;

pub(crate) fn run(file: Option<&Path>, yes: bool, context: &Context) -> Result<(), Failure> {
    let input = file.map_or(Input::Stdin, Input::parse);
    match card_source::read(&input, context)? {
        CardsFound::Card(offered) => add(&offered, yes, context),
        CardsFound::Revocation(revocation) => revoke(&revocation, yes, context),
    }
}

fn add(offered: &OfferedCard, yes: bool, context: &Context) -> Result<(), Failure> {
    let card = &offered.card;
    let name = card.display_name();
    let what = format!("cannot add {name}");
    let known = contact(&card.id(), context)?;
    let is_new = known.is_none();
    let known = known.is_some_and(|known| known.card == *card);
    if is_new {
        warn_of_lookalikes(card, context)?;
    }
    let token = Token::beside(offered, context)?;
    if !known && !yes {
        context.terminal.text(&described(card));
        if let Some(token) = &token {
            context.terminal.text(&token.fact());
        }
        context.confirm(&format!("Add {name}?"), &what)?;
    }
    // The card first: after a kill the invitation is still open, and everything can be done again.
    let accepted = accept(context, card, AddedBy::Added)?;
    let token = token.map(|token| token.spent(card, context)).transpose()?;
    let trust = Trust::from(trust_in(&context.keystore, card)?);
    let (id, words) = (fingerprint(&card.id()), words(accepted, trust, card));
    context
        .terminal
        .status(&format!("{name}: {words}, fingerprint {id}"));
    if let Some(token) = &token {
        token.tell(card, trust, context)?;
    }
    let added = Added {
        accepted: Some(accepted_word(accepted)),
        invitation: token.as_ref().map(Token::object),
    };
    report(card, added, Words::Nothing, context)
}

/// Before anything is asked: whoever reads only the address would be misled.
fn warn_of_lookalikes(card: &Card, context: &Context) -> Result<(), Failure> {
    let people = context.people()?;
    let names = people
        .names()
        .map_err(|error| keystore::unreadable(&error))?;
    for address in card.addresses() {
        if let Some((names, known)) = find_lookalike(address, names) {
            let (name, known) = (safe(&names.name), safe(known));
            context.terminal.warning(&format!(
                "{} looks like {known} of {name}, and is another address: some letters are of another script",
                safe(address)
            ));
        }
    }
    Ok(())
}

fn accepted_word(accepted: AcceptOutcome) -> &'static str {
    match accepted {
        AcceptOutcome::New => "added",
        AcceptOutcome::Updated => "updated",
        AcceptOutcome::Successor => "successor",
        AcceptOutcome::Known => "known",
    }
}

/// "added, not verified yet"
fn words(accepted: AcceptOutcome, trust: Trust, card: &Card) -> String {
    let done = match accepted {
        AcceptOutcome::New => "added",
        AcceptOutcome::Updated => "brought up to date",
        AcceptOutcome::Successor => "has a new key, and the old one signed for it",
        AcceptOutcome::Known => "was here already",
    };
    match (accepted, trust.blocks_use()) {
        (_, true) => format!("{done} but {}, so nothing is sealed for them", label(trust)),
        (AcceptOutcome::New, _) => format!("{done}, {}", label(trust)),
        (AcceptOutcome::Successor, _) => {
            let who = typed(&card.addresses()[0], "WHO");
            format!("{done}; the numbers have to be compared again (`encl contact verify {who}`)")
        }
        _ => done.to_owned(),
    }
}

/// Takes note of the end of somebody's identity.
fn revoke(revocation: &Revocation, yes: bool, context: &Context) -> Result<(), Failure> {
    let id = revocation.id();
    let known = contact(&id, context)?;
    let name = known.as_ref().map_or_else(
        || format!("the key {}", fingerprint(&id)),
        |known| known.card.display_name(),
    );
    let what = format!("cannot take note that {name} is revoked");
    if !yes {
        context.confirm(&format!("Revoke {name}, for good?"), &what)?;
    }
    let noted = context.keystore.accept_revocation(revocation, context.now);
    noted.map_err(|error| keystore::failure(&what, &error))?;
    let words = Words::Status(format!(
        "{name} is revoked: nothing is sealed for this key any more"
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
