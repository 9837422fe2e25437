//! Invitations: the text that is mailed, and what a token beside a card says.

use encl::crypto::signing::RootId;
use encl::directory::{People, Trust};
use encl::identity::{Card, InvitationToken};
use encl::keystore::Invitation;
use encl::operations::cards::{InvitationMatch, InvitationReply};
use encl::time::Time;
use serde::Serialize;

use crate::cli::display::names::DisplayName;
use crate::cli::display::time;
use crate::cli::terminal::{safe, typed};

/// Characters of a line, as mail programs like them.
const LINE_CHARS_MAX: usize = 72;

/// What a token says, in one line, before the card is added.
pub(crate) fn fact(reply: &InvitationReply) -> String {
    let of = |invitation: &Invitation| {
        format!("your invitation of {}", time::named_day(invitation.made))
    };
    let text = match reply.matched() {
        InvitationMatch::Answers(invitation) => format!("answers {}", of(invitation)),
        InvitationMatch::AnsweredBefore(invitation, _) => {
            format!("answered {} before", of(invitation))
        }
        InvitationMatch::Spent(invitation, _) => {
            format!("{}, which somebody answered already", of(invitation))
        }
        InvitationMatch::Old(invitation) => format!("{}, which is too old", of(invitation)),
        InvitationMatch::OtherAddress(invitation) => {
            format!("{}, to another address", of(invitation))
        }
        InvitationMatch::Unknown => "none of your invitations".to_owned(),
        InvitationMatch::Received => "you are invited".to_owned(),
    };
    format!("token: {text}")
}

/// A line about a token once the card is here.
pub(crate) enum ReplyMessage {
    Status(String),
    Warning(String),
}

/// What a token says once the card is here. `spent_by` names the other key that answered, `people` reads my identities.
pub(crate) fn describe_reply<E>(
    reply: &InvitationReply,
    (card, trust): (&Card, Trust),
    spent_by: &str,
    people: impl FnOnce() -> Result<People, E>,
) -> Result<ReplyMessage, E> {
    let made = |invitation: &Invitation| time::named_day(invitation.made);
    Ok(match reply.matched() {
        InvitationMatch::Answers(invitation) => {
            let hint = match trust.blocks_use() || trust == Trust::Verified {
                true => String::new(),
                false => hint_to_compare(card, invitation, &people()?),
            };
            let day = made(invitation);
            ReplyMessage::Status(format!("this answers your invitation of {day}{hint}"))
        }
        InvitationMatch::AnsweredBefore(invitation, answered) => ReplyMessage::Status(format!(
            "this answered your invitation of {} on {} already",
            made(invitation),
            time::named_day(answered.at)
        )),
        InvitationMatch::Spent(invitation, answered) => ReplyMessage::Warning(format!(
            "this is no answer to your invitation of {}: its token was used on {} already, by {spent_by}",
            made(invitation),
            time::named_day(answered.at),
        )),
        InvitationMatch::Old(invitation) => ReplyMessage::Warning(format!(
            "this is no answer to your invitation of {}, which ended after 90 days",
            made(invitation)
        )),
        InvitationMatch::OtherAddress(invitation) => ReplyMessage::Warning(format!(
            "this is no answer to your invitation of {}: that went to {}, which is not on this card",
            made(invitation),
            safe(&invitation.address)
        )),
        InvitationMatch::Unknown => ReplyMessage::Warning(
            "this is no answer to an invitation of yours: its token is unknown here".to_owned(),
        ),
        InvitationMatch::Received => {
            let first = match people()?.active.is_empty() {
                true => "`encl key new ADDRESS` creates your identity, then ",
                false => "",
            };
            let token = reply.token().to_invitation();
            ReplyMessage::Status(format!(
                "you are invited to send your card: {first}`encl key card --invitation {token}` prints it"
            ))
        }
    })
}

/// How the contact becomes verified. Both sides have to mean the same identity of mine.
fn hint_to_compare(card: &Card, invitation: &Invitation, people: &People) -> String {
    let who = typed(&card.addresses()[0], "WHO");
    let me = as_whom(invitation.from, people);
    format!(
        "; anybody who read that can answer it, so compare the safety number: `encl contact verify {who}{me}`"
    )
}

fn as_whom(from: RootId, people: &People) -> String {
    let mut others = people.active.iter().skip(1);
    let Some(me) = others.find(|me| me.card.id() == from) else {
        return String::new();
    };
    format!(" --as {}", typed(&me.card.addresses()[0], "WHO"))
}

/// What a token says, for programs.
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

impl InvitationObject {
    pub(crate) fn of(reply: &InvitationReply) -> Self {
        let matched = reply.matched();
        let (invitation, answered) = (matched.invitation(), matched.answered());
        let is_received = *matched == InvitationMatch::Received;
        Self {
            state: match matched {
                InvitationMatch::Answers(_) => "answers",
                InvitationMatch::AnsweredBefore(..) => "answered-before",
                InvitationMatch::Spent(..) => "spent",
                InvitationMatch::Old(_) => "old",
                InvitationMatch::OtherAddress(_) => "other-address",
                InvitationMatch::Unknown => "unknown",
                InvitationMatch::Received => "received",
            },
            address: invitation.map(|invitation| invitation.address.clone()),
            made: invitation.map(|invitation| invitation.made),
            answered: answered.map(|answered| answered.at),
            by: answered.map(|answered| answered.by.to_string()),
            token: is_received.then(|| reply.token().to_invitation()),
        }
    }
}

/// The text that is mailed. `page` is where the reader in the browser is, for people who have nothing installed.
pub(crate) fn text(
    me: &Card,
    address: &str,
    token: &InvitationToken,
    (ends, page): (Time, Option<&str>),
) -> String {
    let (name, my_address) = (me.display_name(), &me.addresses()[0]);
    let card = me.to_wrapped_text();
    let you = typed(address, "ADDRESS");
    let verify = typed(my_address, "ADDRESS");
    let token = token.to_invitation();
    let in_browser = page.map(|page| {
        filled(&format!(
            "With a browser alone: open this page, choose \"Answer an invitation\", and paste this whole message into it. \
             Check the address of the page with {name}, by telephone."
        )) + &format!("\n\n    {page}")
    });
    let with_encl = page.map(|_| "With encl:".to_owned());
    let introduction = [
        filled(&format!(
            "{name} asks for your card, to encrypt files and mail for you."
        )),
        filled(&format!(
            "encl is a free command-line program that encrypts files and mail for named people; {name} can tell you \
                 where to get it. A card is what people give each other for that: name, addresses and public keys. Nobody \
                 can decrypt anything with a card."
        )),
    ];
    let steps = [
        filled(
            "1. Create an identity, unless you have one. You are asked for a passphrase; tell it to nobody:",
        ),
        format!("    encl key new {you} -o my.card"),
        filled(&format!(
            "2. Save this message as invitation.txt, and add the card of {name} from it:"
        )),
        "    encl contact add invitation.txt".to_owned(),
        filled(&format!(
            "3. Print your card with the token of this invitation, and mail both to {}:",
            safe(my_address)
        )),
        format!("    encl key card --invitation {token}"),
        filled(&format!(
            "The token works for one answer, until {}. It says which invitation is answered, not who you are. This \
             message, too, can be from anybody: when each of you has the other's card, compare the safety number by \
             telephone or in person:",
            time::day(ends)
        )),
        format!("    encl contact verify {verify}"),
        filled(&format!("The card of {name}:")),
        card,
    ];
    let paragraphs = introduction.into_iter().chain(in_browser).chain(with_encl);
    paragraphs.chain(steps).collect::<Vec<_>>().join("\n\n") + "\n"
}

/// Fills words into lines that mail programs do not wrap.
fn filled(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LINE_CHARS_MAX => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
