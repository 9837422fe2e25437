//! `encl contact add`: somebody's card is taken into the contacts, or the end of their identity noted.

use std::path::Path;

use encl::crypto::signing::RootId;
use encl::directory::Trust;
use encl::identity::{Card, Revocation, fingerprint};
use encl::keystore::{AcceptOutcome, AddedBy};
use serde::Serialize;

use crate::cli::commands::key;
use crate::cli::commands::people::contact::{Added, contact, print, trust_in};
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::display::trust::label;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore;
use crate::cli::files::input::{Input, is_dash};
use crate::cli::operations::cards::accept::accept;
use crate::cli::operations::cards::card_source;
use crate::cli::operations::cards::card_source::{CardsFound, OfferedCard};
use crate::cli::operations::cards::invitation_reply::Token;
use crate::cli::terminal::escape::typed;
use crate::cli::terminal::{Stream, safe};
use encl::directory::find_lookalike;

pub(crate) fn run(file: Option<&Path>, yes: bool, context: &Context) -> Result<(), Failure> {
    let input = match file.filter(|path| !is_dash(path)) {
        Some(path) => Input::File(path.to_owned()),
        None => Input::Stdin,
    };
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
        context.terminal.text(&key::described(card));
        if let Some(token) = &token {
            context.terminal.text(&token.fact());
        }
        context.confirm(&format!("Add {name}?"), &what)?;
    }
    // The card first: after a kill the invitation is still open, and everything can be done again.
    let accepted = accept(context, card, AddedBy::Added)?;
    let token = token.map(|token| token.spent(card, context)).transpose()?;
    let trust = Trust::from(trust_in(&context.keystore, card)?);
    if !context.json {
        let (id, words) = (fingerprint(&card.id()), words(accepted, trust, card));
        context
            .terminal
            .status(&format!("{name}: {words}, fingerprint {id}"));
    }
    if let Some(token) = &token {
        token.tell(card, trust, context)?;
    }
    if context.json {
        let added = Added {
            accepted: Some(accepted_word(accepted)),
            invitation: token.as_ref().map(Token::object),
        };
        return print(card, added, context);
    }
    Ok(())
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
        AcceptOutcome::Updated => "updated",
        AcceptOutcome::Successor => "has a new key, signed by the old one",
        AcceptOutcome::Known => "is already here",
    };
    match (accepted, trust.blocks_use()) {
        (_, true) => format!(
            "{done} but {}, so nothing is encrypted for them",
            label(trust)
        ),
        (AcceptOutcome::New, _) => format!("{done}, {}", label(trust)),
        (AcceptOutcome::Successor, _) => {
            let who = typed(&card.addresses()[0], "WHO");
            format!("{done}; compare the safety number again (`encl contact verify {who}`)")
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
    let what = format!("cannot record that {name} is revoked");
    if !yes {
        context.confirm(&format!("Revoke {name} for ever?"), &what)?;
    }
    let noted = context.keystore.accept_revocation(revocation, context.now);
    noted.map_err(|error| keystore::failure(&what, &error))?;
    if context.json {
        return match &known {
            Some(known) => print(&known.card, Added::default(), context),
            None => print_revoked(id, context),
        };
    }
    context.terminal.status(&format!(
        "{name} is revoked: nothing is encrypted for this key any more"
    ));
    Ok(())
}

/// A key whose card is not here.
fn print_revoked(id: RootId, context: &Context) -> Result<(), Failure> {
    let object = RevokedObject {
        schema: "encl.contact/1",
        id: id.to_string(),
        trust: Trust::Revoked,
    };
    context.terminal.print_object(&object, Stream::Stdout)
}

#[derive(Serialize)]
struct RevokedObject {
    schema: &'static str,
    id: String,
    trust: Trust,
}
