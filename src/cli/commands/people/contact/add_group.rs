//! A group that somebody gave: its members become contacts, and it gets a name here.

use encl::directory::{Member, Names};
use encl::identity::fingerprint;
use encl::keystore::AcceptOutcome;
use encl::operations::cards::{FoundGroup, OfferedGroup};

use crate::cli::context::Context;
use crate::cli::display::cards::contact::describe_lookalike;
use crate::cli::display::cards::group::describe_change;
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::Words;
use crate::cli::display::{time, trust};
use crate::cli::errors::Failure;
use crate::cli::errors::cards::group_not_taken;
use crate::cli::operations::contacts::group_report::{GroupReport, say_rewrap, size};
use crate::cli::terminal::safe;

pub(crate) fn add_group(
    found: FoundGroup,
    name: Option<&str>,
    yes: bool,
    context: &Context,
) -> Result<(), Failure> {
    let called = name.unwrap_or(found.card.name()).to_owned();
    let people = context.people()?;
    let offered = OfferedGroup::compare(found, name, &people);
    let offered = offered.map_err(|error| group_not_taken(error, &called))?;
    for lookalike in offered.lookalikes() {
        context.terminal.warning(&describe_lookalike(lookalike));
    }
    if !offered.is_known() && !yes {
        context.terminal.text(&described(&offered));
        context.confirm(
            &format!("Add the group @{called}?"),
            &format!("cannot add the group @{called}"),
        )?;
    }
    let new_people = offered.new_people().len();
    let change = offered.change().clone();
    let (keeper, _) = offered.keeper();
    let keeper = keeper.display_name();
    let taken = offered.take(&people, context.now);
    let taken = taken.map_err(|error| group_not_taken(error, &called))?;
    let (accepted, word) = match taken.outcome {
        AcceptOutcome::New => ("new", "added"),
        AcceptOutcome::Known => ("known", "known already"),
        AcceptOutcome::Updated | AcceptOutcome::Successor => ("updated", "updated"),
    };
    let contacts = match new_people {
        0 => String::new(),
        1 => ", 1 new contact".to_owned(),
        more => format!(", {more} new contacts"),
    };
    let words = format!(
        "@{called}: {word}, {}{contacts}, kept by {keeper}",
        size(&taken.group)
    );
    let report = GroupReport {
        name: &called,
        group: taken.group,
        accepted: Some(accepted),
    };
    report.show(|_, _| Words::Status(words), context)?;
    let is_update = taken.outcome == AcceptOutcome::Updated;
    for line in describe_change(&change).iter().filter(|_| is_update) {
        context.terminal.status(&format!("@{called}: {line}"));
    }
    let has_other_members = !change.came.is_empty() || !change.went.is_empty();
    if has_other_members && is_update {
        say_rewrap(&called, context);
    }
    Ok(())
}

/// Who keeps it, who comes and who goes, and who becomes a contact.
fn described(offered: &OfferedGroup) -> String {
    let (keeper, of_keeper) = offered.keeper();
    let mut lines = vec![format!(
        "group: @{}, kept by {} ({})",
        safe(offered.name()),
        keeper.display_name(),
        trust::label(of_keeper)
    )];
    if let Some(card) = &offered.group().card {
        lines.push(format!("group card of {}", time::local(card.created())));
    }
    let change = offered.change();
    let address = change.address.iter();
    lines.extend(address.map(|address| match address {
        Some(address) => format!("mailing list: {}", safe(address)),
        None => "it has no mailing list any more".to_owned(),
    }));
    let member = |sign: char, member: &Member| format!("{sign} {}", member.display_name());
    lines.extend(change.came.iter().map(|came| member('+', came)));
    lines.extend(change.went.iter().map(|went| member('-', went)));
    lines.extend(offered.new_people().iter().map(new_contact));
    lines.join("\n")
}

/// `new contact: Bob <bob@example.org>, bob@example.net` and the fingerprint.
fn new_contact(names: &Names) -> String {
    let others = names.addresses.iter().skip(1);
    let others = others.map(|address| safe(address));
    let called: Vec<String> = std::iter::once(names.display_name())
        .chain(others)
        .collect();
    let id = fingerprint(&names.id);
    format!("new contact: {}\n  fingerprint {id}", called.join(", "))
}
