//! `encl help TOPIC`: a command or a topic explained.

use clap::Args;
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::args::help::topics;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{Stream, Terminal, safe};

/// Explain a command, or a topic: access, exit-codes, json, keys, scripting, trust, what-it-promises
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
    let topic = words.join(" ");
    let object = |text: String| Object {
        schema: "encl.help/1",
        topic: &topic,
        text,
    };
    if let [topic] = words[..]
        && let Some(text) = topics::text(topic)
    {
        let shown = match terminal.wants_objects() {
            true => terminal.print_object(&object(text), Stream::Stdout),
            false => terminal.print(&text),
        };
        return Ok(shown?);
    }
    let mut command = tree();
    command.build();
    let mut found = &mut command;
    for word in &words {
        found = found
            .find_subcommand_mut(word)
            .ok_or_else(|| unknown(&topic))?;
    }
    let help = found.render_long_help();
    let shown = match terminal.wants_objects() {
        true => terminal.print_object(&object(help.to_string()), Stream::Stdout),
        false => Stdout::open()?.put_styled(&help),
    };
    Ok(shown?)
}

/// `encl.help/1`.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    topic: &'a str,
    text: String,
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

  encl key new you@example.org -o you.card    create an identity; give the card to others
  encl wrap report.pdf --to bob.card          encrypt a file: report.pdf.encl
  encl unwrap report.pdf.encl                 decrypt an envelope: report.pdf
  encl inspect report.pdf.encl                who can decrypt it, until when, who signed it
  encl contact list                           the people whose cards you have
  encl invite bob@example.org                 print a mail that asks a person for their card

`encl --help` lists all commands, `encl help what-it-promises` says what encl protects against.
";
