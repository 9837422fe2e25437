//! What a person can ask for: one command a file. A command never uses another command.

pub(crate) mod access;
pub(crate) mod envelope;
pub(crate) mod gate;
pub(crate) mod key;
pub(crate) mod keystore;
pub(crate) mod mail;
pub(crate) mod people;
pub(crate) mod program;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use access::{approve, drop, grant, revoke, rewrap};
use envelope::{inspect, unwrap, verify, wrap};
use gate::audit;
use keystore::{backup, doctor, restore, unlock};
use people::{contact, group, invite};
use program::{completions, help, man, reader, version};

use crate::cli::context::{Context, Settings};
use crate::cli::errors::{CommandResult, Failure};
use crate::cli::terminal::Terminal;

/// What a command starts from.
pub(crate) struct Start {
    pub(crate) settings: Settings,
    pub(crate) terminal: Terminal,
    /// Defines all commands with all their options, for help and manual.
    pub(crate) tree: fn() -> clap::Command,
}

impl Start {
    fn context(self) -> Result<Context, Failure> {
        Context::new(self.settings, self.terminal)
    }
}

/// The list of commands: each has its name, its variant, what it is made of, and how it runs. Everything that knows all commands is
/// made from this list.
macro_rules! commands {
    ($($name:literal $kind:ident $variant:ident($arguments:ty): |$given:pat_param, $start:pat_param| $run:expr,)+) => {
        /// A command as it was typed.
        #[derive(Debug)]
        pub(crate) enum Command {
            $($variant($arguments),)+
        }

        impl Command {
            /// Runs the command.
            pub(crate) fn run(self, start: Start) -> CommandResult {
                match self {
                    $(Self::$variant($given) => {
                        let $start = start;
                        $run
                    })+
                }
            }

            /// Adds the command of that name only: to define the options of all takes longer than to wrap a small file.
            pub(crate) fn augment_one(command: clap::Command, name: &str) -> Option<clap::Command> {
                match name {
                    $($name => Some(command.subcommand(augment!($kind $arguments)(clap::Command::new($name)))),)+
                    _ => None,
                }
            }
        }

        impl Subcommand for Command {
            fn augment_subcommands(command: clap::Command) -> clap::Command {
                command $(.subcommand(augment!($kind $arguments)(clap::Command::new($name))))+
            }

            fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
                Self::augment_subcommands(command)
            }

            fn has_subcommand(name: &str) -> bool {
                [$($name),+].contains(&name)
            }
        }

        impl FromArgMatches for Command {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Self::from_arg_matches_mut(&mut matches.clone())
            }

            fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
                let missing = || clap::Error::new(ErrorKind::MissingSubcommand);
                let (name, mut matches) = matches.remove_subcommand().ok_or_else(missing)?;
                match &*name {
                    $($name => FromArgMatches::from_arg_matches_mut(&mut matches).map(Self::$variant),)+
                    _ => Err(clap::Error::new(ErrorKind::InvalidSubcommand)),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

/// What defines a command's options: those of its arguments, or commands of its own.
macro_rules! augment {
    (command $arguments:ty) => {
        <$arguments as Args>::augment_args
    };
    (group $commands:ty) => {
        |command: clap::Command| {
            <$commands as Subcommand>::augment_subcommands(command)
                .subcommand_required(true)
                .arg_required_else_help(true)
        }
    };
}

commands! {
    "wrap" command Wrap(wrap::Arguments): |arguments, start| wrap::run(&arguments, &mut start.context()?),
    "unwrap" command Unwrap(unwrap::Arguments): |arguments, start| unwrap::run(&arguments, &mut start.context()?),
    "inspect" command Inspect(inspect::Arguments): |arguments, start| inspect::run(&arguments, &mut start.context()?),
    "verify" command Verify(verify::Arguments): |arguments, start| verify::run(&arguments, &mut start.context()?),
    "grant" command Grant(grant::Arguments): |arguments, start| grant::run(&arguments, &mut start.context()?),
    "drop" command Drop(drop::Arguments): |arguments, start| drop::run(&arguments, &mut start.context()?),
    "revoke" command Revoke(revoke::Arguments): |arguments, start| revoke::run(&arguments, &mut start.context()?),
    "rewrap" command Rewrap(rewrap::Arguments): |arguments, start| rewrap::run(&arguments, &mut start.context()?),
    "approve" command Approve(approve::Arguments): |arguments, start| approve::run(&arguments, &mut start.context()?),
    "key" group Key(key::Command): |command, start| key::run(command, &mut start.context()?),
    "contact" group Contact(contact::Command): |command, start| contact::run(command, &mut start.context()?),
    "invite" command Invite(invite::Arguments): |arguments, start| invite::run(&arguments, &start.context()?),
    "group" group Group(group::Command): |command, start| group::run(command, &mut start.context()?),
    "gate" group Gate(gate::Command): |command, start| gate::run(command, &start.context()?),
    "audit" command Audit(audit::Arguments): |arguments, start| audit::run(&arguments, &start.context()?),
    "mail" group Mail(mail::Command): |command, start| mail::run(command, || start.context()),
    "unlock" command Unlock(unlock::Unlock): |arguments, start| unlock::unlock(&arguments, &mut start.context()?),
    "lock" command Lock(unlock::Lock): |arguments, start| unlock::lock(&arguments, &mut start.context()?),
    "backup" command Backup(backup::Arguments): |arguments, start| backup::run(&arguments, &mut start.context()?),
    "restore" command Restore(restore::Arguments): |arguments, start| restore::run(&arguments, &mut start.context()?),
    "doctor" command Doctor(doctor::Arguments): |arguments, start| doctor::run(&arguments, &mut start.context()?),
    // The last five work without a home folder, a clock and a keystore.
    "reader" command Reader(reader::Arguments): |arguments, start| reader::run(&arguments, start.terminal),
    "completions" command Completions(completions::Arguments): |arguments, start| completions::run(&arguments, start.terminal),
    "man" command Man(man::Arguments): |arguments, start| man::run(&arguments, start.terminal, start.tree),
    "help" command Help(help::Arguments): |arguments, start| help::run(&arguments, start.terminal, start.tree),
    "version" command Version(version::Arguments): |version::Arguments {}, start| version::run(start.terminal),
}
