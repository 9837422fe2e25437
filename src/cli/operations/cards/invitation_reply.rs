//! What the token beside a card says: that it answers an invitation of mine, that it does not, or that I am invited.
//!
//! It never makes anybody verified: whoever could read the mail has the token.

use encl::crypto::signing::RootId;
use encl::directory::{People, Trust};
use encl::identity::{Card, InvitationToken, fingerprint};
use encl::keystore::{Answered, Invitation, InvitationState, KeystoreError};
use encl::time::Time;
use serde::Serialize;

use crate::cli::commands::people::contact;
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::display::time;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore;
use crate::cli::operations::cards::card_source::OfferedCard;
use crate::cli::terminal::escape::typed;
use crate::cli::terminal::safe;
use encl::address::is_same_address;

/// A token, and how it stands.
pub(crate) struct Token {
    token: InvitationToken,
    standing: Standing,
}

enum Standing {
    /// An open invitation of mine, for an address on the card.
    Answers(Invitation),
    /// This very key answered it before.
    AnsweredBefore(Invitation, Answered),
    /// Another one did.
    Spent(Invitation, Answered),
    Old(Invitation),
    /// Not for an address on the card.
    OtherAddress(Invitation),
    /// An answer to no invitation of mine.
    Unknown,
    /// I am invited.
    Received,
}

impl Token {
    /// The token that says most of those beside a card.
    pub(crate) fn beside(
        offered: &OfferedCard,
        context: &Context,
    ) -> Result<Option<Self>, Failure> {
        let keystore = &context.keystore;
        let mut standing = Vec::new();
        // An answer may quote the invitation, and say nothing more.
        for token in offered.answers.iter().chain(&offered.invitations) {
            let invitation = keystore.invitation(token);
            if let Some(invitation) = invitation.map_err(|error| keystore::unreadable(&error))? {
                let state = invitation.state(context.now);
                let standing_now = Standing::of(invitation, state, &offered.card);
                standing.push(Self {
                    token: token.clone(),
                    standing: standing_now,
                });
            }
        }
        standing.sort_by_key(|token| token.standing.rank());
        let other = |tokens: &[InvitationToken], standing| {
            let token = tokens.first()?.clone();
            Some(Self { token, standing })
        };
        Ok(standing
            .into_iter()
            .next()
            .or_else(|| other(&offered.answers, Standing::Unknown))
            .or_else(|| other(&offered.invitations, Standing::Received)))
    }

    /// Spends the invitation, if this answers one. Somebody else may have been quicker.
    pub(crate) fn spent(self, card: &Card, context: &Context) -> Result<Self, Failure> {
        let Standing::Answers(invitation) = self.standing else {
            return Ok(self);
        };
        let keystore = &context.keystore;
        let state = keystore.answer_invitation(&self.token, card.id(), context.now);
        let what = "cannot record that your invitation was answered";
        let state = state.map_err(|error: KeystoreError| keystore::failure(what, &error))?;
        Ok(Self {
            standing: Standing::of(invitation, state, card),
            ..self
        })
    }

    /// In one line, before the card is added.
    pub(crate) fn fact(&self) -> String {
        let day = |invitation: &Invitation| time::named_day(invitation.made);
        let of = |invitation| format!("your invitation of {}", day(invitation));
        let said = match &self.standing {
            Standing::Answers(invitation) => format!("answers {}", of(invitation)),
            Standing::AnsweredBefore(invitation, _) => {
                format!("answered {} before", of(invitation))
            }
            Standing::Spent(invitation, _) => {
                format!("{}, which somebody answered already", of(invitation))
            }
            Standing::Old(invitation) => format!("{}, which is too old", of(invitation)),
            Standing::OtherAddress(invitation) => {
                format!("{}, to another address", of(invitation))
            }
            Standing::Unknown => "none of your invitations".to_owned(),
            Standing::Received => "you are invited".to_owned(),
        };
        format!("token: {said}")
    }

    /// What is to be known about it once the card is here.
    pub(crate) fn tell(&self, card: &Card, trust: Trust, context: &Context) -> Result<(), Failure> {
        let terminal = context.terminal;
        let made = |invitation: &Invitation| time::named_day(invitation.made);
        match &self.standing {
            Standing::Answers(invitation) => {
                let hint = compare(card, invitation, trust, context)?;
                let day = made(invitation);
                terminal.status(&format!("this answers your invitation of {day}{hint}"));
            }
            Standing::AnsweredBefore(invitation, answered) => terminal.status(&format!(
                "this answered your invitation of {} on {} already",
                made(invitation),
                time::named_day(answered.at)
            )),
            Standing::Spent(invitation, answered) => terminal.warning(&format!(
                "this is no answer to your invitation of {}: its token was used on {} already, by {}",
                made(invitation),
                time::named_day(answered.at),
                called(answered.by, context)?
            )),
            Standing::Old(invitation) => terminal.warning(&format!(
                "this is no answer to your invitation of {}, which ended after 90 days",
                made(invitation)
            )),
            Standing::OtherAddress(invitation) => terminal.warning(&format!(
                "this is no answer to your invitation of {}: that went to {}, which is not on this card",
                made(invitation),
                safe(&invitation.address)
            )),
            Standing::Unknown => {
                terminal.warning("this is no answer to an invitation of yours: its token is unknown here");
            }
            Standing::Received => {
                let people = context.people()?;
                let first = match people.active.is_empty() {
                    true => "`encl key new ADDRESS` creates your identity, then ",
                    false => "",
                };
                let token = self.token.to_invitation();
                terminal.status(&format!(
                    "you are invited to send your card: {first}`encl key card --invitation {token}` prints it"
                ));
            }
        }
        Ok(())
    }

    /// The same for programs.
    pub(crate) fn object(&self) -> InvitationObject {
        let (state, invitation) = match &self.standing {
            Standing::Answers(invitation) => ("answers", Some(invitation)),
            Standing::AnsweredBefore(invitation, _) => ("answered-before", Some(invitation)),
            Standing::Spent(invitation, _) => ("spent", Some(invitation)),
            Standing::Old(invitation) => ("old", Some(invitation)),
            Standing::OtherAddress(invitation) => ("other-address", Some(invitation)),
            Standing::Unknown => ("unknown", None),
            Standing::Received => ("received", None),
        };
        let answered = match &self.standing {
            Standing::AnsweredBefore(_, answered) | Standing::Spent(_, answered) => Some(answered),
            _ => None,
        };
        InvitationObject {
            state,
            address: invitation.map(|invitation| invitation.address.clone()),
            made: invitation.map(|invitation| invitation.made),
            answered: answered.map(|answered| answered.at),
            by: answered.map(|answered| answered.by.to_string()),
            token: matches!(self.standing, Standing::Received).then(|| self.token.to_invitation()),
        }
    }
}

impl Standing {
    fn of(invitation: Invitation, state: InvitationState, card: &Card) -> Self {
        let mut addresses = card.addresses().iter();
        let is_for_it = addresses.any(|address| is_same_address(address, &invitation.address));
        match state {
            InvitationState::Answered(answered) if answered.by == card.id() => {
                Self::AnsweredBefore(invitation, answered)
            }
            InvitationState::Answered(answered) => Self::Spent(invitation, answered),
            InvitationState::Old => Self::Old(invitation),
            InvitationState::Open if is_for_it => Self::Answers(invitation),
            InvitationState::Open => Self::OtherAddress(invitation),
        }
    }

    /// The less, the more it says.
    fn rank(&self) -> u8 {
        match self {
            Self::Answers(_) => 0,
            Self::AnsweredBefore(..) => 1,
            Self::OtherAddress(_) => 2,
            Self::Spent(..) => 3,
            Self::Old(_) => 4,
            Self::Unknown | Self::Received => 5,
        }
    }
}

/// How the contact becomes verified, unless it is or cannot be. Both sides have to mean the same identity of mine.
fn compare(
    card: &Card,
    invitation: &Invitation,
    trust: Trust,
    context: &Context,
) -> Result<String, Failure> {
    if trust.blocks_use() || trust == Trust::Verified {
        return Ok(String::new());
    }
    let who = typed(&card.addresses()[0], "WHO");
    let me = as_whom(invitation.from, &context.people()?);
    Ok(format!(
        "; anybody who read that can answer it, so compare the safety number: `encl contact verify {who}{me}`"
    ))
}

fn as_whom(from: RootId, people: &People) -> String {
    let mut others = people.active.iter().skip(1);
    let Some(me) = others.find(|me| me.card.id() == from) else {
        return String::new();
    };
    format!(" --as {}", typed(&me.card.addresses()[0], "WHO"))
}

fn called(id: RootId, context: &Context) -> Result<String, Failure> {
    let known = contact::contact(&id, context)?;
    Ok(known.map_or_else(
        || format!("the key {}", fingerprint(&id)),
        |known| known.card.display_name(),
    ))
}

/// What the token beside a card says.
#[derive(Serialize)]
pub(crate) struct InvitationObject {
    /// `answers`, `answered-before`, `spent`, `old`, `other-address`, `unknown` or `received`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// The token of an invitation that I got.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}
