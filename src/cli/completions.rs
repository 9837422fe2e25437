//! `encl completions SHELL`, and the answers that the shell asks for while somebody types.

use std::ffi::OsStr;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Shells};

use super::help::closing;
use super::report::{Exit, Failure, Outcome};
use super::{Cli, context, stdout::Stdout};

/// Print the shell's completions: commands, options, and for --to your contacts and groups
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

pub(crate) fn run(arguments: &Arguments) -> Outcome {
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

/// Contacts and groups that begin with what was typed. A keystore that cannot be read offers nothing.
pub(crate) fn who(typed: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(typed), Ok(keystore)) = (typed.to_str(), context::keystore(None)) else {
        return Vec::new();
    };
    let names = groups(&keystore);
    names
        .into_iter()
        .filter(|name| name.starts_with(typed))
        .map(CompletionCandidate::new)
        .collect()
}

fn groups(keystore: &std::path::Path) -> Vec<String> {
    let files = std::fs::read_dir(keystore.join("groups"))
        .into_iter()
        .flatten()
        .flatten();
    files
        .filter_map(|file| file.file_name().into_string().ok())
        .map(|name| format!("@{name}"))
        .collect()
}
