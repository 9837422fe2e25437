//! A group, for people and for programs.

use std::collections::BTreeSet;

use encl::crypto::signing::RootId;
use encl::directory::Names;
use encl::identity::GroupCard;
use encl::keystore::{Group, GroupStanding};
use encl::time::Time;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time;
use crate::cli::errors::{Failure, keystore};
use crate::cli::terminal::{Stream, safe};

/// A member, by name if there is a card.
pub(crate) type Member = (RootId, Option<Names>);

/// A group with its members by name.
pub(crate) struct GroupReport<'a> {
    pub(crate) name: &'a str,
    pub(crate) group: Group,
    /// `new`, `updated` or `known`, where it was taken.
    pub(crate) accepted: Option<&'static str>,
}

impl GroupReport<'_> {
    /// Shows the group in the words that `words` finds for it.
    pub(crate) fn show(
        self,
        words: impl FnOnce(&Group, &[Member]) -> Words,
        context: &Context,
    ) -> Result<(), Failure> {
        let members = in_order(&self.group.members, context)?;
        let words = words(&self.group, &members);
        let member = |(id, names): Member| MemberObject {
            id: id.to_string(),
            name: names.map(|names| names.name),
        };
        let object = GroupObject {
            schema: "encl.group/1",
            name: self.name,
            adopted: is_adopted(self.name, &self.group, context)?,
            accepted: self.accepted,
            members: members.into_iter().map(member).collect(),
            address: self.group.address,
            card: self.group.card.as_ref().map(CardFacts::of),
        };
        context.report(&Outcome { object, words }, Stream::Stdout)
    }
}

/// Whether this machine made the group as it is, or the user adopted it.
pub(crate) fn is_adopted(name: &str, group: &Group, context: &Context) -> Result<bool, Failure> {
    let standing = context.keystore.group_standing(name, group);
    let standing = standing.map_err(|error| keystore::unreadable(&error))?;
    Ok(standing == GroupStanding::Known)
}

/// `2 members  list@example.org`
pub(crate) fn size(group: &Group) -> String {
    let members = match group.members.len() {
        1 => "1 member".to_owned(),
        members => format!("{members} members"),
    };
    match &group.address {
        Some(address) => format!("{members}  {}", safe(address)),
        None => members,
    }
}

/// Who keeps the group, and of when its card is; nothing for a group that has none.
pub(crate) fn describe_card(group: &Group, context: &Context) -> Result<Option<String>, Failure> {
    let Some(card) = &group.card else {
        return Ok(None);
    };
    let of = time::local(card.created());
    let is_mine = context.keystore.keeps(group);
    if is_mine.map_err(|error| keystore::unreadable(&error))? {
        let changed = match Group::from(card) == *group {
            true => "",
            false => "; changed here since",
        };
        return Ok(Some(format!("kept by you, group card of {of}{changed}")));
    }
    let keeper = context.people()?.signer(card.keeper());
    let name = keeper.display_name();
    Ok(Some(format!("kept by {name}, group card of {of}")))
}

/// Envelopes know people, not groups: what was sealed before stays as it is until somebody runs this.
pub(crate) fn say_rewrap(name: &str, context: &Context) {
    context.terminal.notice(&format!(
        "old envelopes do not change; to update those in a folder: encl rewrap -r FOLDER --to @{name}"
    ));
}

/// Members by name, those whose card is gone at the end.
fn in_order(members: &BTreeSet<RootId>, context: &Context) -> Result<Vec<Member>, Failure> {
    let people = context.people()?;
    let everybody = people
        .names()
        .map_err(|error| keystore::unreadable(&error))?;
    let names = |id: &RootId| everybody.iter().find(|names| names.id == *id).cloned();
    let mut members: Vec<_> = members.iter().map(|id| (*id, names(id))).collect();
    members.sort_by_key(|(id, names)| (names.is_none(), names.as_ref().map(Names::sort_key), *id));
    Ok(members)
}

#[derive(Serialize)]
struct GroupObject<'a> {
    schema: &'static str,
    name: &'a str,
    adopted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'static str>,
    members: Vec<MemberObject>,
    /// Of its mailing list, if it has one.
    address: Option<String>,
    /// The card that it came with, or the last one that was given.
    card: Option<CardFacts>,
}

#[derive(Serialize)]
struct MemberObject {
    id: String,
    /// `null` when the card is gone.
    name: Option<String>,
}

/// What a group card says beside the members.
#[derive(Serialize)]
pub(crate) struct CardFacts {
    keeper: String,
    name: String,
    serial: u64,
    created: Time,
}

impl CardFacts {
    pub(crate) fn of(card: &GroupCard) -> Self {
        Self {
            keeper: card.keeper().to_string(),
            name: card.name().to_owned(),
            serial: card.serial(),
            created: card.created(),
        }
    }
}
