//! `encl completions SHELL`, and the answers that the shell asks for while somebody types.

use std::ffi::OsStr;

use clap::builder::StyledStr;
use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::CompletionCandidate;
use clap_complete::engine::{PathCompleter, ValueCompleter};
use clap_complete::env::{CompleteEnv, Shells};
use encl::keystore::Keystore;

use crate::cli::commands::program::help::closing;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::terminal::escape::{is_hazard, safe};
use crate::cli::terminal::stdout::Stdout;
use crate::cli::{Cli, context};

/// Print shell completions: commands, options, and your contacts and groups for --to
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage], "\
  $ encl completions bash > encl.bash
  $ encl completions fish > encl.fish"))]
pub(crate) struct Arguments {
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The variable by which a shell asks.
const VARIABLE: &str = "COMPLETE";

/// Answers a shell that asks by `$COMPLETE`. True when it did.
pub(crate) fn answered() -> Result<bool, clap::Error> {
    let folder = std::env::current_dir().ok();
    CompleteEnv::with_factory(Cli::command)
        .var(VARIABLE)
        .try_complete(std::env::args_os(), folder.as_deref())
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let name = match arguments.shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    };
    let shells = Shells::builtins();
    let shell = shells
        .completer(name)
        .expect("clap_complete knows the three");
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, "encl", "encl", "encl", &mut script)
        .map_err(|error| Failure::io("cannot write the completions", &error))?;
    Ok(Stdout::open()?.put(&script)?)
}

/// For `N:WHO,WHO,…`: the same for the last name.
pub(crate) fn quorum(typed: &OsStr) -> Vec<CompletionCandidate> {
    let text = typed.to_str().unwrap_or_default();
    let Some((_, names)) = text.split_once(':') else {
        return Vec::new();
    };
    let last = names.rsplit(',').next().unwrap_or_default();
    let before = &text[..text.len() - last.len()];
    let candidates = who(OsStr::new(last)).into_iter();
    candidates.map(|one| one.add_prefix(before)).collect()
}

/// Contacts, groups and card files that begin with what was typed. A keystore that cannot be read offers nothing.
pub(crate) fn who(typed: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(typed), Ok(folder)) = (typed.to_str(), context::keystore(None)) else {
        return Vec::new();
    };
    let keystore = Keystore::at(folder);
    let contacts = keystore.contact_heads().unwrap_or_default();
    let groups = keystore.groups().unwrap_or_default();
    let addresses = contacts.iter().flat_map(|contact| {
        let help = StyledStr::from(safe(&contact.name));
        contact
            .addresses
            .iter()
            .map(move |address| (address.clone(), Some(help.clone())))
    });
    let groups = groups.iter().map(|name| (format!("@{name}"), None));
    let cards =
        PathCompleter::file().filter(|path| path.extension().is_some_and(|end| end == "card"));
    addresses
        .chain(groups)
        // A shell types what is offered: nothing that it, or the terminal, would take for more than text.
        .filter(|(word, _)| word.starts_with(typed) && !word.contains(is_hazard))
        .map(|(word, help)| CompletionCandidate::new(word).help(help))
        .chain(cards.complete(typed.as_ref()))
        .collect()
}
