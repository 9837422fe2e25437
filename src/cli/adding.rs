//! `encl contact add`: somebody's card is taken into the contacts, or the end of their identity noted.

use std::path::Path;

use encl::crypto::signing::RootId;
use encl::identity::{Card, Revocation, fingerprint};
use encl::keystore::{AcceptOutcome, AddedBy};
use serde::Serialize;

use super::contact::{Added, contact, print, trust_in};
use super::context::Context;
use super::escape::typed;
use super::files::{Input, is_dash};
use super::invited::Token;
use super::offered::{self, Offered, OfferedCard};
use super::people::Trust;
use super::report::Failure;
use super::terminal::{Stream, safe};
use super::{key, lookalikes, store};

pub(crate) fn run(file: Option<&Path>, yes: bool, context: &Context) -> Result<(), Failure> {
    let input = match file.filter(|path| !is_dash(path)) {
        Some(path) => Input::File(path.to_owned()),
        None => Input::Stdin,
    };
    match offered::read(&input, context)? {
        Offered::Card(offered) => add(&offered, yes, context),
        Offered::Revocation(revocation) => revoke(&revocation, yes, context),
    }
}

fn add(offered: &OfferedCard, yes: bool, context: &Context) -> Result<(), Failure> {
    let card = &offered.card;
    let name = key::person(card);
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
    let accepted = store::accept(context, card, AddedBy::Added)?;
    let token = token.map(|token| token.spent(card, context)).transpose()?;
    let trust = Trust::from(trust_in(&store::keystore(context), card)?);
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
    let people = store::people(context)?;
    let names = people.names().map_err(|error| store::unreadable(&error))?;
    for address in card.addresses() {
        if let Some((names, known)) = lookalikes::like(address, names) {
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
    match (accepted, trust.stops()) {
        (_, true) => format!(
            "{done} but {}, so nothing is sealed for them",
            trust.words()
        ),
        (AcceptOutcome::New, _) => format!("{done}, {}", trust.words()),
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
        |known| key::person(&known.card),
    );
    let what = format!("cannot take note that {name} is revoked");
    if !yes {
        context.confirm(&format!("Revoke {name}, for good?"), &what)?;
    }
    let noted = store::keystore(context).accept_revocation(revocation, context.now);
    noted.map_err(|error| store::failure(&what, &error))?;
    if context.json {
        return match &known {
            Some(known) => print(&known.card, Added::default(), context),
            None => print_revoked(id, context),
        };
    }
    context.terminal.status(&format!(
        "{name} is revoked: nothing is sealed for this key any more"
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
