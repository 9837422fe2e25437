//! `encl completions SHELL`, and the answer when a shell asks while somebody types.

use clap::{Args, ValueEnum};
use clap_complete::env::CompleteEnv;
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::args::help::completion::prepared;
use crate::cli::args::help::shells::SHELLS;
use crate::cli::display::report::{self, Report};
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::terminal::stdout::{Stdout, StdoutError};
use crate::cli::terminal::{Stream, Terminal};

/// Print shell completions: commands, options, envelopes, and your contacts, groups and identities
///
/// The examples put them where new shells look for them. bash needs the package bash-completion for that; without it, put
/// `source <(encl completions bash)` into ~/.bashrc. zsh also needs two lines in ~/.zshrc: `fpath+=(~/.zfunc)` and then
/// `autoload -U compinit && compinit`. fish needs nothing else.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage], "\
  $ D=~/.local/share/bash-completion/completions; mkdir -p $D && encl completions bash > $D/encl
  $ mkdir -p ~/.zfunc && encl completions zsh > ~/.zfunc/_encl
  $ D=~/.config/fish/completions; mkdir -p $D && encl completions fish > $D/encl.fish"))]
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
    CompleteEnv::with_factory(|| prepared(tree(), &[]))
        .shells(SHELLS)
        .var(VARIABLE)
        .try_complete(std::env::args_os(), None)
}

pub(crate) fn run(arguments: &Arguments, terminal: Terminal) -> CommandResult {
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
    let script = String::from_utf8_lossy(&script);
    let completions = Completions {
        shell: name,
        script: &script,
    };
    Ok(report::show(&completions, Stream::Stdout, terminal)?)
}

/// A script that was printed.
struct Completions<'a> {
    shell: &'static str,
    script: &'a str,
}

impl Report for Completions<'_> {
    type Object<'o>
        = Object<'o>
    where
        Self: 'o;

    fn object(&self) -> Object<'_> {
        Object {
            schema: "encl.completions/1",
            shell: self.shell,
            script: self.script,
        }
    }

    /// Every byte as it is: it is data.
    fn show_text(&self, _: Terminal) -> Result<(), StdoutError> {
        Stdout::open()?.put(self.script.as_bytes())
    }
}

/// `encl.completions/1`.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    shell: &'static str,
    script: &'a str,
}
