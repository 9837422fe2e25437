//! `encl group`: named sets of contacts.

use std::collections::BTreeSet;

use crate::cli::display::names::DisplayName;
use clap::Subcommand;
use encl::crypto::signing::RootId;
use encl::directory::DirectoryError;
use encl::directory::{Names, match_one};
use encl::identity::{fingerprint, parse_fingerprint};
use encl::keystore::{Group, KeystoreError};
use encl::mail::address::parse_list;
use serde::Serialize;

use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::terminal::{Stream, safe};

#[derive(Debug, Subcommand)]
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
            };
            told(keystore.new_group(&name, &group), "make", &name)?;
            context
                .terminal
                .status(&format!("@{name}: created, {}", size(&group)));
        }
        Command::Add { name, who } => {
            let ids = members(&who, context)?;
            told(
                keystore.change_group(&name, |members| members.extend(&ids)),
                "change",
                &name,
            )?;
            say_size(&name, context)?;
            say_rewrap(&name, context);
        }
        Command::Remove { name, who } => {
            let leaving = leaving(&name, &who, context)?;
            told(
                keystore.change_group(&name, |members| members.retain(|id| !leaving.contains(id))),
                "change",
                &name,
            )?;
            say_size(&name, context)?;
            say_rewrap(&name, context);
        }
        Command::List => list(context)?,
        Command::Show { name } => show(&name, context)?,
        Command::Delete { name } => {
            told(keystore.delete_group(&name), "delete", &name)?;
            context
                .terminal
                .status(&format!("@{name}: deleted; its members stay contacts"));
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
            _ => failure,
        }
    })
}

/// One address and nothing beside it.
pub(crate) fn one_address(text: &str) -> Result<String, Failure> {
    let what = format!("cannot use the address `{}`", safe(text));
    let cannot = || Failure::new(Exit::Usage, what.clone());
    let mut list = parse_list(text).map_err(|error| cannot().reason(safe(&error.to_string())))?;
    match (list.pop(), list.is_empty()) {
        (Some(mailbox), true) => Ok(mailbox.address),
        (None, _) => Err(cannot().reason("it contains no address")),
        (Some(_), false) => Err(cannot().reason("it is more than one address")),
    }
}

/// Contacts, or myself, by address, name or fingerprint.
fn members(who: &[String], context: &Context) -> Result<BTreeSet<RootId>, Failure> {
    let people = context.people()?;
    let everybody = people
        .names()
        .map_err(|error| keystore::unreadable(&error))?;
    let ids = who.iter().map(|name| match_one(name, everybody));
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
    let id = |name: &String| match parse_fingerprint(name).filter(|id| here.contains(id)) {
        Some(id) => Ok(id),
        None => match_one(name, &members),
    };
    Ok(who.iter().map(id).collect::<Result<_, DirectoryError>>()?)
}

fn say_size(name: &str, context: &Context) -> Result<(), Failure> {
    let group = context.people()?.group(name)?;
    context
        .terminal
        .status(&format!("@{name}: {}", size(&group)));
    Ok(())
}

/// Envelopes know people, not groups: what was sealed before stays as it is until somebody runs this.
fn say_rewrap(name: &str, context: &Context) {
    context.terminal.notice(&format!(
        "old envelopes do not change; to update those in a folder: encl rewrap -r FOLDER --to @{name}"
    ));
}

/// `2 members  list@example.org`
fn size(group: &Group) -> String {
    let members = match group.members.len() {
        1 => "1 member".to_owned(),
        members => format!("{members} members"),
    };
    match &group.address {
        Some(address) => format!("{members}  {}", safe(address)),
        None => members,
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let names = context.keystore.groups();
    for name in names.map_err(|error| keystore::failure("cannot read the groups", &error))? {
        let group = context.people()?.group(&name)?;
        if context.json {
            print_object(&name, group, context)?;
        } else {
            context
                .terminal
                .print(&format!("@{name}  {}", size(&group)))?;
        }
    }
    Ok(())
}

fn show(name: &str, context: &Context) -> Result<(), Failure> {
    let group = context.people()?.group(name)?;
    if context.json {
        return print_object(name, group, context);
    }
    if let Some(address) = &group.address {
        context
            .terminal
            .print(&format!("mailing list  {}", safe(address)))?;
    }
    for (id, names) in in_order(&group.members, context)? {
        let words = names.map_or_else(
            || "not a contact any more".to_owned(),
            |names| names.display_name(),
        );
        context
            .terminal
            .print(&format!("{words}  {}", fingerprint(&id)))?;
    }
    Ok(())
}

/// Members by name, those whose card is gone at the end.
fn in_order(
    members: &BTreeSet<RootId>,
    context: &Context,
) -> Result<Vec<(RootId, Option<Names>)>, Failure> {
    let people = context.people()?;
    let everybody = people
        .names()
        .map_err(|error| keystore::unreadable(&error))?;
    let names = |id: &RootId| everybody.iter().find(|names| names.id == *id).cloned();
    let mut members: Vec<_> = members.iter().map(|id| (*id, names(id))).collect();
    members.sort_by_key(|(id, names)| (names.is_none(), names.as_ref().map(Names::sort_key), *id));
    Ok(members)
}

fn print_object(name: &str, group: Group, context: &Context) -> Result<(), Failure> {
    let member = |(id, names): (RootId, Option<Names>)| Member {
        id: id.to_string(),
        name: names.map(|names| names.name),
    };
    let object = GroupObject {
        schema: "encl.group/1",
        name,
        members: in_order(&group.members, context)?
            .into_iter()
            .map(member)
            .collect(),
        address: group.address,
    };
    context.terminal.print_object(&object, Stream::Stdout)
}

#[derive(Serialize)]
struct GroupObject<'a> {
    schema: &'static str,
    name: &'a str,
    members: Vec<Member>,
    /// Of its mailing list, if it has one.
    address: Option<String>,
}

#[derive(Serialize)]
struct Member {
    id: String,
    /// `null` when the card is gone.
    name: Option<String>,
}
