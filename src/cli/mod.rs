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
use clap::{CommandFactory, Parser, Subcommand};

use crate::cli::args::Global;
use crate::cli::commands::program::help::closing;
use crate::cli::commands::program::{completions, help, man, version};
use crate::cli::commands::{Command, mail};
use crate::cli::context::Context;
use crate::cli::errors::sysexits::Sysexit;
use crate::cli::errors::{CommandError, CommandResult, Exit, Failure};
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{OutputMode, Terminal};

/// Encrypt files and mail for named people
#[derive(Debug, Parser)]
#[command(name = "encl", version, disable_help_subcommand = true, after_help = closing(&Exit::ALL, "\
  $ encl key new bob@example.org > bob.card
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
    match completions::answered() {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(_) => return ExitCode::from(Exit::Failed.code()),
    }
    match alone().map_or_else(Cli::try_parse, Ok) {
        Ok(cli) => {
            let terminal = Terminal::new(context::voice(&cli.global));
            ended(terminal, execute(cli, terminal))
        }
        Err(error) => not_parsed(&error),
    }
}

/// One command without the tree of all others, which takes longer to build than a small file takes to wrap.
#[derive(Debug, Parser)]
struct Alone<T: clap::Args> {
    #[command(flatten)]
    global: Global,

    #[command(flatten)]
    arguments: T,
}

/// The same for a command with commands of its own.
#[derive(Debug, Parser)]
struct AloneAbove<T: Subcommand> {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: T,
}

/// The command line, if it begins with a command's name and nothing is wrong with it. Everything else, help and errors too,
/// is answered from the whole tree.
fn alone() -> Option<Cli> {
    fn arguments<T: clap::Args>(command: fn(T) -> Command) -> Option<Cli> {
        let arguments = std::env::args_os().skip(1);
        let alone = help::without_texts(|| Alone::try_parse_from(arguments)).ok()?;
        Some(Cli {
            global: alone.global,
            command: Some(command(alone.arguments)),
        })
    }
    fn above<T: Subcommand>(command: fn(T) -> Command) -> Option<Cli> {
        let arguments = std::env::args_os().skip(1);
        let alone = help::without_texts(|| AloneAbove::try_parse_from(arguments)).ok()?;
        Some(Cli {
            global: alone.global,
            command: Some(command(alone.command)),
        })
    }
    match std::env::args_os().nth(1)?.to_str()? {
        "wrap" => arguments(Command::Wrap),
        "unwrap" => arguments(Command::Unwrap),
        "inspect" => arguments(Command::Inspect),
        "verify" => arguments(Command::Verify),
        "grant" => arguments(Command::Grant),
        "drop" => arguments(Command::Drop),
        "revoke" => arguments(Command::Revoke),
        "rewrap" => arguments(Command::Rewrap),
        "approve" => arguments(Command::Approve),
        "unlock" => arguments(Command::Unlock),
        "lock" => arguments(Command::Lock),
        "backup" => arguments(Command::Backup),
        "restore" => arguments(Command::Restore),
        "doctor" => arguments(Command::Doctor),
        "key" => above(Command::Key),
        "contact" => above(Command::Contact),
        "invite" => arguments(Command::Invite),
        "group" => above(Command::Group),
        "mail" => above(Command::Mail),
        _ => None,
    }
}

fn execute(cli: Cli, terminal: Terminal) -> CommandResult {
    let json = cli.global.json;
    match cli.command {
        None if json => Err(Failure::new(Exit::Usage, "no command was given").into()),
        None => {
            terminal.text(help::EVERYDAY);
            Err(CommandError::Reported(Exit::Usage))
        }
        // These work without a home folder, a clock and a keystore.
        Some(Command::Completions(arguments)) => completions::run(&arguments),
        Some(Command::Man(arguments)) => man::run(&arguments, terminal),
        Some(Command::Help(arguments)) => help::run(&arguments, terminal),
        Some(Command::Version(version::Arguments {})) => version::run(terminal, json),
        Some(command) => {
            let context = Context::new(cli.global, terminal);
            let mut context = context.map_err(|failure| command.coded(failure))?;
            command.run(&mut context)
        }
    }
}

fn ended(terminal: Terminal, outcome: CommandResult) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Reported(exit)) => ExitCode::from(exit.code()),
        Err(CommandError::Code(code)) => ExitCode::from(code),
        Err(CommandError::Failure(failure)) => {
            terminal.failure(&failure);
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
    let failure = |what: &str| {
        let failure = Failure::new(Exit::Usage, what);
        if mail::speak_sysexits(&typed_names()) {
            failure.sysexit(Sysexit::Usage)
        } else {
            failure
        }
    };
    if json {
        let text = error.render().to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        let what = first.strip_prefix("error: ").unwrap_or(first);
        return ended(terminal, Err(failure(what).into()));
    }
    terminal.text(&format!("encl: {}", error.render()));
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
