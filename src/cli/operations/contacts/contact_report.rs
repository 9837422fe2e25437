//! A contact that was asked for or changed, in words and as an object.

use encl::directory::Trust;
use encl::identity::Card;
use encl::keystore::{self as library, VerifiedAs};
use encl::time::Time;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::display::cards::card::CardFacts;
use crate::cli::display::cards::invitation::InvitationObject;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::Failure;
use crate::cli::operations::contacts::trust_in;
use crate::cli::terminal::Stream;

/// Shows a contact with the trust that the keystore has now.
pub(crate) fn report(
    card: &Card,
    added: Added,
    words: Words,
    context: &Context,
) -> Result<(), Failure> {
    let trust = trust_in(&context.keystore, card)?;
    report_as(card, trust, added, words, context)
}

/// Shows a contact with a trust that is known, and what it was verified for.
pub(crate) fn report_as(
    card: &Card,
    (trust, verified_as): (library::Trust, Option<VerifiedAs>),
    added: Added,
    words: Words,
    context: &Context,
) -> Result<(), Failure> {
    let object = ContactObject {
        schema: "encl.contact/1",
        card: CardFacts::of(card),
        trust: Trust::of_card(trust, card, context.now),
        verified: VerifiedObject::of(trust, verified_as),
        added,
    };
    context.report(&Outcome { object, words }, Stream::Stdout)
}

#[derive(Serialize)]
struct ContactObject<'a> {
    schema: &'static str,
    #[serde(flatten)]
    card: CardFacts<'a>,
    trust: Trust,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<VerifiedObject>,
    #[serde(flatten)]
    added: Added,
}

/// The outcome of a card that was added.
#[derive(Default, Serialize)]
pub(crate) struct Added {
    /// `added`, `updated`, `successor` or `known`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accepted: Option<&'static str>,
    /// What the token beside it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invitation: Option<InvitationObject>,
}

/// By which of my identities, when, how, and for which name and addresses.
#[derive(Serialize)]
struct VerifiedObject {
    by: String,
    at: Time,
    how: &'static str,
    #[serde(flatten)]
    names: VerifiedAs,
}

impl VerifiedObject {
    fn of(trust: library::Trust, verified_as: Option<VerifiedAs>) -> Option<Self> {
        let library::Trust::Verified(verified) = trust else {
            return None;
        };
        Some(Self {
            by: verified.by.to_string(),
            at: verified.at,
            how: verified.how.word(),
            names: verified_as.unwrap_or_default(),
        })
    }
}
