//! `encl man DIR`: manual pages from the same definitions as `--help`.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Arg, Args, Command, ValueHint};
use clap_mangen::Man;
use encl::atomic_file::{Existing, FileMode};
use serde::Serialize;

use crate::cli::args::help::{closing, topics};
use crate::cli::display::report::{self, Outcome, Words};
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::files::out_file::write;
use crate::cli::terminal::{Stream, Terminal, shown};

/// Write the manual pages to a folder: one for each command and each topic
///
/// `man encl` finds them in ~/.local/share/man/man1 where ~/.local/bin is in PATH, and in /usr/local/share/man/man1.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Exists], "\
  $ encl man ~/.local/share/man/man1
  $ encl man . && ls encl.1 encl-wrap.1 encl-help-trust.1"))]
pub(crate) struct Arguments {
    /// The folder; it is made if it does not exist
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
}

/// What encl reads from the environment, and the files that it keeps.
const ENCL: [(&str, &str); 2] = [
    (
        "ENVIRONMENT",
        "\
ENCL_KEYSTORE          the keystore, if --keystore does not name it
ENCL_IDENTITY          which of your identities acts, if --as does not name it
ENCL_PASSPHRASE_FILE   passphrases, as in --passphrase-file
CREDENTIALS_DIRECTORY  of a systemd service: passphrases in encl-passphrase
XDG_DATA_HOME, XDG_STATE_HOME, HOME
                       where the files are
NO_COLOR, CLICOLOR_FORCE
                       no colours; colours also where there is no terminal",
    ),
    (
        "FILES",
        "\
~/.local/share/encl    the keystore: identities, contacts, groups, invitations
                       ($XDG_DATA_HOME/encl)
~/.local/state/encl    what this machine alone knows: whom you verified or
                       blocked, and which identities are yours
                       ($XDG_STATE_HOME/encl)",
    ),
];

pub(crate) fn run(
    arguments: &Arguments,
    terminal: Terminal,
    tree: fn() -> Command,
) -> CommandResult {
    let folder = &arguments.folder;
    let mut command = tree().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut pages)
        .map_err(|error| Failure::io("cannot write the manual", &error))?;
    let topics = topics::NAMES.iter().filter_map(|name| topic_page(name));
    pages.extend(topics);
    fs::create_dir_all(folder).map_err(|error| {
        let what = format!("cannot make the folder {}", shown(folder));
        Failure::io(what, &error).file(folder)
    })?;
    for (name, page) in &pages {
        write(&folder.join(name), FileMode::Umask, Existing::Replace, page)?;
    }
    let object = Object {
        schema: "encl.man/1",
        folder: folder.to_string_lossy().into_owned(),
        pages: pages.len(),
    };
    let words = Words::Status(format!(
        "{} manual pages written to {}",
        pages.len(),
        shown(folder)
    ));
    Ok(report::show(
        &Outcome { object, words },
        Stream::Stdout,
        terminal,
    )?)
}

/// `encl.man/1`.
#[derive(Serialize)]
struct Object {
    schema: &'static str,
    folder: String,
    pages: usize,
}

/// One page for the command, and one for each command below it.
fn collect(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    pages.push(page(command)?);
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        collect(below, pages)?;
    }
    Ok(())
}

fn page(command: &Command) -> io::Result<(String, Vec<u8>)> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let closing = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let man = Man::new(command.clone().after_help(""))
        .title(name.to_uppercase())
        .manual("encl")
        .source(concat!("encl ", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    writeln!(
        out,
        ".SH SYNOPSIS\n.ad l\n.nh\n{}\n.hy\n.ad b",
        synopsis(command)
    )?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    for (title, text) in sections(&closing) {
        section(&mut out, title, text)?;
    }
    if name == "encl" {
        for (title, text) in ENCL {
            section(&mut out, title, text)?;
        }
        let topics = topics::NAMES.map(|name| format!("encl\\-help\\-{}(1)", escaped(name)));
        writeln!(out, ".SH \"SEE ALSO\"\n{}", topics.join(", "))?;
    }
    Ok((format!("{name}.1"), out))
}

/// The command with its options and their values, those that all commands have left out.
fn synopsis(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut words = vec![format!("\\fB{}\\fR", escaped(name))];
    let own = |argument: &&Arg| !argument.is_global_set() && !argument.is_hide_set();
    let is_help = |argument: &&Arg| ["help", "version"].contains(&argument.get_id().as_str());
    let arguments = command.get_arguments().filter(own);
    words.extend(arguments.filter(|argument| !is_help(argument)).map(word));
    if command.has_subcommands() {
        words.push("\\fICOMMAND\\fR".to_owned());
    }
    words.join("\n")
}

/// `[-o OUT]`, `FILE...`: brackets around what can be left out.
fn word(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let id = argument.get_id().as_str().to_uppercase();
    let values = match names {
        [] => id,
        names => names.join(" "),
    };
    let value = format!("\\fI{}\\fR", escaped(&values));
    let takes_values = argument.get_action().takes_values();
    let option = match (argument.get_short(), argument.get_long()) {
        (Some(short), _) => Some(format!("\\fB\\-{short}\\fR")),
        (None, Some(long)) => Some(format!("\\fB\\-\\-{}\\fR", escaped(long))),
        (None, None) => None,
    };
    let text = match option {
        // A blank that no line ends at.
        Some(option) if takes_values => format!("{option}\\ {value}"),
        Some(option) => option,
        None if argument.is_last_set() => format!("\\-\\-\\ {value}"),
        None => value,
    };
    let is_many = matches!(argument.get_action(), clap::ArgAction::Append);
    let more = if is_many && takes_values { "..." } else { "" };
    match argument.is_required_set() {
        true => format!("{text}{more}"),
        false => format!("[{text}]{more}"),
    }
}

/// A topic of `encl help` as a page of its own.
fn topic_page(topic: &str) -> Option<(String, Vec<u8>)> {
    let text = topics::text(topic)?;
    let (heading, text) = text.split_once("\n\n")?;
    let (text, examples) = text.split_once("Examples:\n")?;
    let name = format!("encl-help-{topic}");
    let mut out = Vec::new();
    let written = writeln!(
        out,
        ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n.TH {} 1 \"\" \"encl {}\" encl\n.SH NAME\n{} \\- {}",
        name.to_uppercase(),
        env!("CARGO_PKG_VERSION"),
        escaped(&name),
        escaped(&heading.to_lowercase())
    );
    let written = written
        .and_then(|()| section(&mut out, "DESCRIPTION", text))
        .and_then(|()| section(&mut out, "EXAMPLES", examples));
    written.is_ok().then_some((format!("{name}.1"), out))
}

/// The two parts that every help text ends with, under the names that manual pages have for them (man-pages(7)).
fn sections(closing: &str) -> Vec<(&'static str, &str)> {
    let (codes, examples) = closing.split_once("Examples:\n").unwrap_or((closing, ""));
    let codes = codes.strip_prefix("Exit codes:\n").unwrap_or(codes);
    let both = [("EXIT STATUS", codes), ("EXAMPLES", examples)];
    both.into_iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .collect()
}

/// Lines as they stand, none of them a request (groff(7): `\&` before a dot). They fill 80 columns, so they begin at the margin.
fn section(out: &mut Vec<u8>, title: &str, text: &str) -> io::Result<()> {
    writeln!(out, ".SH \"{title}\"\n.nf\n.in 0")?;
    for line in text.trim_end().lines() {
        writeln!(out, "\\&{}", escaped(line))?;
    }
    writeln!(out, ".in\n.fi")
}

/// Text that groff shows as it is (groff(7): `\e` is a backslash, `\[u00E9]` a character by its number).
fn escaped(text: &str) -> String {
    let sign = |letter: char| match letter {
        '\\' => "\\e".to_owned(),
        '-' => "\\-".to_owned(),
        '\'' => "\\(aq".to_owned(),
        letter if letter.is_ascii() => letter.to_string(),
        letter => format!("\\[u{:04X}]", u32::from(letter)),
    };
    text.chars().map(sign).collect()
}
