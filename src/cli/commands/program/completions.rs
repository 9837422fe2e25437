//! `encl completions SHELL`, and the answer when a shell asks while somebody types.

use clap::{Args, ValueEnum};
use clap_complete::env::{CompleteEnv, Shells};

use crate::cli::args::help::closing;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::terminal::stdout::Stdout;

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
pub(crate) fn answered(tree: fn() -> clap::Command) -> Result<bool, clap::Error> {
    let folder = std::env::current_dir().ok();
    CompleteEnv::with_factory(tree)
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
