//! The command list: parse, run, report. The only place that knows terminal, environment and clock.

mod access;
mod adding;
mod addressing;
mod approvals;
mod approve;
mod args;
mod backup;
mod completions;
mod contact;
mod context;
mod differences;
mod doctor;
mod drop;
mod escape;
mod files;
mod grant;
mod group;
mod help;
mod in_place;
mod inspect;
mod invite;
mod invited;
mod kept;
mod key;
mod keys;
mod leavers;
mod lookalikes;
#[cfg(test)]
mod made_up;
mod mail;
mod man;
mod many;
mod merging;
mod offered;
mod opening;
mod passphrase;
mod passphrase_source;
mod people;
mod progress;
mod prompt;
mod quorums;
mod readers;
mod renewal;
mod report;
mod restore;
mod revoke;
mod rewrap;
mod rewriting;
mod rounds;
mod rules;
mod sealing;
mod shut;
mod signals;
mod sink;
mod stdout;
mod store;
mod target;
mod terminal;
mod terms;
mod topics;
mod tree;
mod trust;
mod unlock;
mod unwrap;
mod verification;
mod verify;
mod version;
mod when;
mod who;
mod wrap;
mod wrapping;

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use args::Global;
use context::Context;
use help::closing;
use mail::sysexits::Sysexit;
use report::{Exit, Failure, Outcome, Stop};
use stdout::Stdout;
use terminal::{Terminal, Voice};

/// Seal files for the people named on the envelope
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

#[derive(Debug, Subcommand)]
enum Command {
    Wrap(wrap::Arguments),
    Unwrap(unwrap::Arguments),
    Inspect(inspect::Arguments),
    Verify(verify::Arguments),
    Grant(grant::Arguments),
    Drop(drop::Arguments),
    Revoke(revoke::Arguments),
    Rewrap(rewrap::Arguments),
    Approve(approve::Arguments),
    /// My identities: new, list, show, card, default, passphrase, rotate, renew, replace, revoke, export, import, paper,
    /// remove
    #[command(subcommand, arg_required_else_help = true, after_help = closing(&Exit::ALL, "\
  $ encl key new bob@example.org > bob.card
  $ encl key list"))]
    Key(key::Command),
    /// Other people's cards: add, list, show, verify, block, unblock, remove
    #[command(subcommand, arg_required_else_help = true, after_help = closing(&Exit::ALL, "\
  $ encl contact add bob.card --yes
  $ encl contact list"))]
    Contact(contact::Command),
    Invite(invite::Arguments),
    /// Named sets of contacts: new, add, remove, list, show, delete
    #[command(subcommand, arg_required_else_help = true, after_help = closing(&Exit::ALL, "\
  $ encl group new board bob@example.org carol@example.org
  $ encl wrap report.pdf --to @finance"))]
    Group(group::Command),
    /// Messages: wrap, unwrap, show, inspect, send, deliver, seal, unseal, grep
    #[command(subcommand, arg_required_else_help = true, after_help = closing(&Exit::ALL, "\
  $ encl mail wrap letter.eml > sealed.eml
  $ encl mail unwrap sealed.eml"))]
    Mail(mail::Command),
    Unlock(unlock::Unlock),
    Lock(unlock::Lock),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Doctor(doctor::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    Help(help::Arguments),
    Version(version::Arguments),
}

/// Runs the program, and says how it ended.
pub(crate) fn run() -> ExitCode {
    signals::prepare();
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

fn execute(cli: Cli, terminal: Terminal) -> Outcome {
    let json = cli.global.json;
    match cli.command {
        None if json => Err(Failure::new(Exit::Usage, "no command was given").into()),
        None => {
            terminal.text(help::EVERYDAY);
            Err(Stop::Told(Exit::Usage))
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

impl Command {
    fn run(self, context: &mut Context) -> Outcome {
        match self {
            Self::Wrap(arguments) => wrap::run(&arguments, context),
            Self::Unwrap(arguments) => unwrap::run(&arguments, context),
            Self::Inspect(arguments) => inspect::run(&arguments, context),
            Self::Verify(arguments) => verify::run(&arguments, context),
            Self::Grant(arguments) => grant::run(&arguments, context),
            Self::Drop(arguments) => drop::run(&arguments, context),
            Self::Revoke(arguments) => revoke::run(&arguments, context),
            Self::Rewrap(arguments) => rewrap::run(&arguments, context),
            Self::Approve(arguments) => approve::run(&arguments, context),
            Self::Key(command) => key::run(command, context),
            Self::Contact(command) => contact::run(command, context),
            Self::Invite(arguments) => invite::run(&arguments, context),
            Self::Group(command) => group::run(command, context),
            Self::Mail(command) => mail::run(command, context),
            Self::Unlock(arguments) => unlock::unlock(&arguments, context),
            Self::Lock(arguments) => unlock::lock(&arguments, context),
            Self::Backup(arguments) => backup::run(&arguments, context),
            Self::Restore(arguments) => restore::run(&arguments, context),
            Self::Doctor(arguments) => doctor::run(&arguments, context),
            Self::Completions(_) | Self::Man(_) | Self::Help(_) | Self::Version(_) => Ok(()),
        }
    }
}

impl Command {
    /// A failure before the command began, with the code that whoever runs it acts on.
    fn coded(&self, failure: Failure) -> Failure {
        match self {
            Self::Mail(command) if command.speaks_sysexits() => mail::sysexits::coded(failure),
            _ => failure,
        }
    }
}

fn ended(terminal: Terminal, outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Told(exit)) => ExitCode::from(exit.code()),
        Err(Stop::Code(code)) => ExitCode::from(code),
        Err(Stop::Failure(failure)) => {
            terminal.failure(&failure);
            ExitCode::from(failure.code())
        }
    }
}

/// `--help` and `--version` are answers; everything else is a wrong command line.
fn not_parsed(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|word| word == "--json");
    let terminal = Terminal::new(if json { Voice::Json } else { Voice::Words });
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        let shown = Stdout::open().and_then(|mut out| out.put_styled(&error.render()));
        return ended(terminal, shown.map_err(Stop::from));
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
