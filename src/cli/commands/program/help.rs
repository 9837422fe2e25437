//! `encl help TOPIC`: a command or a topic explained.

use clap::Args;

use crate::cli::args::help::closing;
use crate::cli::args::topics;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{Terminal, safe};

/// Explain a command, or a topic: exit-codes, scripting, trust, what-it-promises
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

pub(crate) fn run(
    arguments: &Arguments,
    terminal: Terminal,
    tree: fn() -> clap::Command,
) -> CommandResult {
    let words: Vec<&str> = arguments.topic.iter().map(String::as_str).collect();
    if let [topic] = words[..]
        && let Some(text) = topics::text(topic)
    {
        return Ok(terminal.print(&text)?);
    }
    let mut command = tree();
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
encl seals files for the people named on the envelope. Every day:

  encl key new you@example.org > you.card     make an identity; give the card to others
  encl wrap report.pdf --to bob.card          seal a file: report.pdf.encl
  encl unwrap report.pdf.encl                 open an envelope: report.pdf
  encl inspect report.pdf.encl                who may read it, until when, from whom
  encl contact list                           whose cards are here
  encl invite bob@example.org                 a text to be mailed, that asks for a card

`encl --help` lists all commands, `encl help what-it-promises` what they are good for.
";
