//! `encl group`: named sets of contacts.

mod card;

use std::collections::BTreeSet;

use crate::cli::display::names::DisplayName;
use clap::Subcommand;
use encl::crypto::signing::RootId;
use encl::directory::DirectoryError;
use encl::directory::{Who, WhoForm, WhoUse, match_one};
use encl::identity::fingerprint;
use encl::keystore::{Group, KeystoreError};
use serde::Serialize;

use crate::cli::args::address::one_address;
use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::operations::contacts::group_report::{
    GroupReport, Member, describe_card, is_adopted, say_rewrap, size,
};
use crate::cli::terminal::{Stream, safe};

/// Groups of recipients: new, add, remove, list, show, card, keep, delete
#[derive(Debug, Subcommand)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl group new board bob@example.org carol@example.org
  $ encl wrap report.pdf --to @finance"))]
pub(crate) enum Command {
    /// Create a group of contacts; `--to @NAME` encrypts for all members
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl group new board bob@example.org carol@example.org
  $ encl group new project bob@example.org --address project@lists.example.org"))]
    New {
        /// The name: small letters, digits, `.`, `_`, `-`
        name: String,
        /// Its first members
        who: Vec<String>,
        /// The address of their mailing list: mail to it is encrypted for the group
        #[arg(long)]
        address: Option<String>,
    },
    /// Add contacts to a group
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl group add finance carol@example.org"))]
    Add {
        /// The group
        name: String,
        /// Address, name or fingerprint
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// Remove contacts from a group
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl group remove finance bob@example.org"))]
    Remove {
        /// The group
        name: String,
        /// Address, name or fingerprint
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// List groups
    #[command(after_help = closing(&[Exit::Failed], "  $ encl group list"))]
    List,
    /// Show the members of a group
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl group show finance"))]
    Show {
        /// The group
        name: String,
    },
    /// Print a group to give to others
    Card(card::Arguments),
    /// Keep a group yourself that somebody else gave you
    #[command(
        long_about = "Keep a group yourself that somebody else gave you\n\n\
From then on you can change it, and group cards of its former keeper are not taken for it any more. Those who have it from \
the former keeper delete theirs and add yours.",
        after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl group keep finance")
    )]
    Keep {
        /// The group
        name: String,
    },
    /// Delete a group; its members stay contacts
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl group delete finance"))]
    Delete {
        /// The group
        name: String,
    },
}

pub(crate) fn run(command: Command, context: &mut Context) -> CommandResult {
    let keystore = &context.keystore;
    match command {
        Command::New { name, who, address } => {
            let group = Group {
                address: address.map(|text| one_address(&text)).transpose()?,
                members: members(&who, context)?,
                card: None,
            };
            told(keystore.new_group(&name, &group), "make", &name)?;
            let created = |group: &Group| format!("@{name}: created, {}", size(group));
            report(
                &name,
                group,
                |group, _| Words::Status(created(group)),
                context,
            )?;
        }
        Command::Add { name, who } => {
            let ids = members(&who, context)?;
            told(
                keystore.change_group(&name, |members| members.extend(&ids)),
                "change",
                &name,
            )?;
            report_change(&name, context)?;
            say_what_is_left(&name, context)?;
        }
        Command::Remove { name, who } => {
            let leaving = leaving(&name, &who, context)?;
            told(
                keystore.change_group(&name, |members| members.retain(|id| !leaving.contains(id))),
                "change",
                &name,
            )?;
            report_change(&name, context)?;
            say_what_is_left(&name, context)?;
        }
        Command::List => list(context)?,
        Command::Show { name } => show(&name, context)?,
        Command::Card(arguments) => card::run(&arguments, context)?,
        Command::Keep { name } => {
            told(keystore.keep_group(&name), "keep", &name)?;
            let group = context.people()?.group(&name)?;
            let words = Words::Status(format!(
                "@{name}: you keep it from now on; `encl group card {name}` gives it to others"
            ));
            report(&name, group, |_, _| words, context)?;
        }
        Command::Delete { name } => {
            told(keystore.delete_group(&name), "delete", &name)?;
            let words = Words::Status(format!("@{name}: deleted; its members stay contacts"));
            let object = DeletedGroup {
                schema: "encl.group-delete/1",
                name: &name,
            };
            context.report(&Outcome { object, words }, Stream::Stdout)?;
        }
    }
    Ok(())
}

fn told<T>(result: Result<T, KeystoreError>, verb: &str, name: &str) -> Result<T, Failure> {
    result.map_err(|error| {
        let failure =
            keystore::failure(&format!("cannot {verb} the group @{}", safe(name)), &error);
        match error {
            KeystoreError::Unknown(_) => failure.hint("`encl group list` shows the groups"),
            KeystoreError::GroupOfAnother(_) => failure.hint(format!(
                "ask whoever keeps it for a later group card; or `encl group keep {}` makes it yours",
                safe(name)
            )),
            _ => failure,
        }
    })
}

/// Contacts, or myself, by address, name or fingerprint.
fn members(who: &[String], context: &Context) -> Result<BTreeSet<RootId>, Failure> {
    let people = context.people()?;
    let everybody = people
        .names()
        .map_err(|error| keystore::unreadable(&error))?;
    let id = |name: &String| match_one(&Who::parse(name, WhoUse::Contact)?, everybody);
    let ids = who.iter().map(id);
    Ok(ids.collect::<Result<_, DirectoryError>>()?)
}

/// Members by address, name or fingerprint; a fingerprint also when its card is gone.
fn leaving(group: &str, who: &[String], context: &Context) -> Result<BTreeSet<RootId>, Failure> {
    let people = context.people()?;
    let here = people.group(group)?.members;
    let everybody = people
        .names()
        .map_err(|error| keystore::unreadable(&error))?;
    let members: Vec<_> = everybody
        .iter()
        .filter(|names| here.contains(&names.id))
        .cloned()
        .collect();
    let id = |name: &String| {
        let who = Who::parse(name, WhoUse::Contact)?;
        match who.form() {
            WhoForm::Fingerprint(id) if here.contains(id) => Ok(*id),
            _ => match_one(&who, &members),
        }
    };
    Ok(who.iter().map(id).collect::<Result<_, DirectoryError>>()?)
}

/// The group as it is now.
fn report_change(name: &str, context: &Context) -> Result<(), Failure> {
    let group = context.people()?.group(name)?;
    let words = |group: &Group, _: &[Member]| Words::Status(format!("@{name}: {}", size(group)));
    report(name, group, words, context)
}

/// Neither envelopes nor those who were given the group know of a change.
fn say_what_is_left(name: &str, context: &Context) -> Result<(), Failure> {
    if context.people()?.group(name)?.card.is_some() {
        context.terminal.notice(&format!(
            "others have it as it was; to give it to them as it is: encl group card {name}"
        ));
    }
    say_rewrap(name, context);
    Ok(())
}

fn list(context: &Context) -> Result<(), Failure> {
    let names = context.keystore.groups();
    for name in names.map_err(|error| keystore::failure("cannot read the groups", &error))? {
        let group = context.people()?.group_as_it_stands(&name)?;
        let mut words = vec![format!("@{name}"), size(&group)];
        words.extend(describe_card(&group, context)?);
        if !is_adopted(&name, &group, context)? {
            words.push("not adopted".to_owned());
        }
        let words = Words::Answer(words.join("  "));
        report(&name, group, |_, _| words, context)?;
    }
    Ok(())
}

fn show(name: &str, context: &Context) -> Result<(), Failure> {
    let group = context.people()?.group_as_it_stands(name)?;
    if let Err(DirectoryError::GroupOlder { latest, .. }) = context.people()?.group(name) {
        context.terminal.warning(&format!(
            "this machine knows a later group card of @{}, of {}",
            safe(name),
            time::local(latest)
        ));
    } else if !is_adopted(name, &group, context)? {
        context.terminal.warning(&format!(
            "this machine did not make @{0} as it is; `encl key adopt @{0}` shows who came and who went",
            safe(name)
        ));
    }
    let card = describe_card(&group, context)?;
    let words = |group: &Group, members: &[Member]| Words::Answer(described(group, members, card));
    report(name, group, words, context)
}

fn report(
    name: &str,
    group: Group,
    words: impl FnOnce(&Group, &[Member]) -> Words,
    context: &Context,
) -> Result<(), Failure> {
    let report = GroupReport {
        name,
        group,
        accepted: None,
    };
    report.show(words, context)
}

/// Its card, the mailing list and the members, one a line.
fn described(group: &Group, members: &[Member], card: Option<String>) -> String {
    let list = group.address.iter();
    let list = list.map(|address| format!("mailing list  {}", safe(address)));
    let members = members.iter().map(|(id, names)| {
        let words = names.as_ref().map_or_else(
            || "not a contact any more".to_owned(),
            DisplayName::display_name,
        );
        format!("{words}  {}", fingerprint(id))
    });
    card.into_iter()
        .chain(list)
        .chain(members)
        .collect::<Vec<_>>()
        .join("\n")
}

#[derive(Serialize)]
struct DeletedGroup<'a> {
    schema: &'static str,
    name: &'a str,
}
