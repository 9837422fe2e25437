//! `encl help TOPIC`, and what every help text ends with.

use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, CommandFactory};

use crate::cli::Cli;
use crate::cli::commands::program::topics;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{Terminal, safe};

/// Explain a command, or a topic: access, exit-codes, keys, scripting, trust, what-it-promises
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage], "\
  $ encl help what-it-promises
  $ encl help exit-codes
  $ encl help key new"))]
pub(crate) struct Arguments {
    /// A topic, or a command
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

/// Whether help texts are made: not by a command line that is read only for what it asks.
static ARE_WANTED: AtomicBool = AtomicBool::new(true);

/// Does `read` without help texts, which take longer to make than a command line to read.
pub(crate) fn without_texts<T>(read: impl FnOnce() -> T) -> T {
    ARE_WANTED.store(false, Ordering::Relaxed);
    let done = read();
    ARE_WANTED.store(true, Ordering::Relaxed);
    done
}

/// What every help text ends with: the exit codes that the command can give, then examples.
pub(crate) fn closing(exits: &[Exit], examples: &str) -> String {
    if !ARE_WANTED.load(Ordering::Relaxed) {
        return String::new();
    }
    let examples: Vec<_> = examples
        .lines()
        .map(|line| format!("  {}", line.trim()))
        .collect();
    format!(
        "Exit codes:\n{}\nExamples:\n{}",
        exit_codes(exits),
        examples.join("\n")
    )
}

/// The same for a command whose codes mail programs act on.
pub(crate) fn sysexit_closing(examples: &str) -> String {
    let examples: Vec<_> = examples
        .lines()
        .map(|line| format!("  {}", line.trim()))
        .collect();
    format!(
        "Exit codes:\n{}\n\nExamples:\n{}",
        crate::cli::errors::sysexits::TABLE,
        examples.join("\n")
    )
}

/// The table of exit codes, one a line.
pub(crate) fn exit_codes(exits: &[Exit]) -> String {
    let line = |exit: &Exit| format!("  {}  {}\n", exit.code(), exit.means());
    let lines: Vec<String> = exits.iter().map(line).collect();
    format!("  0  done, and safely on disk\n{}", lines.concat())
}

pub(crate) fn run(arguments: &Arguments, terminal: Terminal) -> CommandResult {
    let words: Vec<&str> = arguments.topic.iter().map(String::as_str).collect();
    if let [topic] = words[..]
        && let Some(text) = topics::text(topic)
    {
        return Ok(terminal.print(&text)?);
    }
    let mut command = Cli::command();
    command.build();
    let mut found = &mut command;
    for word in &words {
        found = found
            .find_subcommand_mut(word)
            .ok_or_else(|| unknown(&words.join(" ")))?;
    }
    let help = found.render_long_help();
    Ok(Stdout::open()?.put_styled(&help)?)
}

fn unknown(topic: &str) -> Failure {
    let topics = topics::NAMES.join(", ");
    Failure::new(Exit::Usage, format!("cannot explain `{}`", safe(topic)))
        .reason("there is no such topic and no such command")
        .hint(format!(
            "topics are {topics}; `encl --help` lists the commands"
        ))
}

/// What `encl` alone shows.
pub(crate) const EVERYDAY: &str = "\
encl encrypts files and mail for named people. Every day:

  encl key new you@example.org > you.card     create an identity; give the card to others
  encl wrap report.pdf --to bob.card          encrypt a file: report.pdf.encl
  encl unwrap report.pdf.encl                 decrypt an envelope: report.pdf
  encl inspect report.pdf.encl                who can decrypt it, until when, who signed it
  encl contact list                           the people whose cards you have
  encl invite bob@example.org                 print a mail that asks a person for their card

`encl --help` lists all commands, `encl help what-it-promises` says what encl protects against.
";
