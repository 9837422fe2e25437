//! The command list: parse, run, report. The only place that knows terminal, environment and clock.

pub(crate) mod args;
pub(crate) mod commands;
pub(crate) mod context;
pub(crate) mod display;
pub(crate) mod errors;
pub(crate) mod files;
pub(crate) mod operations;
pub(crate) mod process;
pub(crate) mod secrets;
pub(crate) mod terminal;

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser};

use crate::cli::args::Global;
use crate::cli::args::help::{closing, tips, without_closing};
use crate::cli::commands::program::{completions, help};
use crate::cli::commands::{Command, Start, mail};
use crate::cli::display::time;
use crate::cli::errors::sysexits::Sysexit;
use crate::cli::errors::{CommandError, CommandResult, Exit, Failure};
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{OutputMode, Terminal};

/// Encrypt files and mail for named people
#[derive(Debug, Parser)]
#[command(name = "encl", version, disable_help_subcommand = true, after_help = closing(&Exit::ALL, "\
  $ encl key new bob@example.org -o me.card
  $ encl wrap report.pdf --to bob.card
  $ encl unwrap letter.pdf.encl
  $ encl help what-it-promises"))]
struct Cli {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: Option<Command>,
}

/// Runs the program, and says how it ended.
pub(crate) fn run() -> ExitCode {
    process::prepare();
    match completions::answered(Cli::command) {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(_) => return ExitCode::from(Exit::Failed.code()),
    }
    match parse() {
        Ok(cli) => {
            let terminal = Terminal::new(cli.global.output_mode());
            ended(terminal, execute(cli, terminal))
        }
        Err(error) => not_parsed(&error),
    }
}

/// Reads the command line with the options of the command that it begins with. Everything else, help and errors too, is answered
/// with those of all commands.
fn parse() -> Result<Cli, clap::Error> {
    let name = std::env::args_os().nth(1);
    let name = name.as_deref().and_then(OsStr::to_str).unwrap_or_default();
    let one = clap::Command::new("encl").disable_help_subcommand(true);
    let one = Global::augment_args(one);
    let one = without_closing(|| Command::augment_one(one, name));
    match one.map(|one| one.try_get_matches_from(std::env::args_os())) {
        Some(Ok(mut matches)) => Cli::from_arg_matches_mut(&mut matches),
        _ => Cli::try_parse(),
    }
}

fn execute(cli: Cli, terminal: Terminal) -> CommandResult {
    match cli.command {
        None if cli.global.json => Err(Failure::new(Exit::Usage, "no command was given").into()),
        None => {
            terminal.text(help::EVERYDAY);
            Err(CommandError::Reported(Exit::Usage))
        }
        Some(command) => command.run(Start {
            settings: cli.global.into_settings(),
            terminal,
            tree: Cli::command,
        }),
    }
}

fn ended(terminal: Terminal, outcome: CommandResult) -> ExitCode {
    if let Some(warning) = time::warning_of_zone() {
        terminal.warning(&warning);
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Reported(exit)) => ExitCode::from(exit.code()),
        Err(CommandError::Code(code)) => ExitCode::from(code),
        Err(CommandError::Failure(failure)) => {
            terminal.error(&failure.lines(), &failure.object());
            ExitCode::from(failure.code())
        }
    }
}

/// `--help` and `--version` are answers; everything else is a wrong command line.
fn not_parsed(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|word| word == "--json");
    let terminal = Terminal::new(if json {
        OutputMode::Json
    } else {
        OutputMode::Words
    });
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        let shown = Stdout::open().and_then(|mut out| out.put_styled(&error.render()));
        return ended(terminal, shown.map_err(CommandError::from));
    }
    let tip = tips::tip(error, &typed_names());
    let failure = |what: &str| {
        let failure = Failure {
            hint: tip.clone(),
            ..Failure::new(Exit::Usage, what)
        };
        if mail::speak_sysexits(&typed_names()) {
            failure.sysexit(Sysexit::Usage)
        } else {
            failure
        }
    };
    if json {
        // The first paragraph; below it stand the usage and where to find help.
        let text = error.render().to_string();
        let lines = text.lines().map(str::trim);
        let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        let what = lines.join(" ");
        let what = what.strip_prefix("error: ").unwrap_or(&what);
        return ended(terminal, Err(failure(what).into()));
    }
    match &tip {
        Some(_) => {
            let what = tips::first_line(error);
            let failure = failure(&what);
            terminal.error(&failure.lines(), &failure.object());
        }
        None => terminal.text(&format!("encl: {}", error.render())),
    }
    ExitCode::from(failure("").code())
}

/// The names of the command as they were typed, by a rough reading: words that are no option nor an option's value.
fn typed_names() -> Vec<OsString> {
    let cli = Cli::command();
    let takes_next = |word: &OsStr| {
        let mut options = cli
            .get_arguments()
            .filter(|o| o.get_action().takes_values());
        options.any(|option| {
            let long = option.get_long();
            long.is_some_and(|long| *word == *format!("--{long}"))
        })
    };
    let mut words = std::env::args_os().skip(1).take_while(|word| word != "--");
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        if takes_next(&word) {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            names.push(word);
        }
    }
    names
}
