//! `encl completions SHELL`, and the answer when a shell asks while somebody types.

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::env::CompleteEnv;

use crate::cli::args::help::closing;
use crate::cli::args::help::shells::SHELLS;
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
    CompleteEnv::with_factory(|| without_files(tree()))
        .shells(SHELLS)
        .var(VARIABLE)
        .try_complete(std::env::args_os(), None)
}

/// The commands with no hint at files, which the shell completes.
fn without_files(command: clap::Command) -> clap::Command {
    let without = |argument: clap::Arg| match argument.get_action().takes_values() {
        true => argument.value_hint(ValueHint::Other),
        false => argument,
    };
    command.mut_args(without).mut_subcommands(without_files)
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let name = match arguments.shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    };
    let shell = SHELLS.completer(name).expect("the three are there");
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, "encl", "encl", "encl", &mut script)
        .map_err(|error| Failure::io("cannot write the completions", &error))?;
    Ok(Stdout::open()?.put(&script)?)
}
