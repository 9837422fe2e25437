//! `encl man DIR`: manual pages from the same definitions as `--help`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command, ValueHint};
use clap_mangen::Man;
use encl::atomic_file::{Existing, FileMode};

use crate::cli::args::help::closing;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::files::out_file::write;
use crate::cli::terminal::{Terminal, shown};

/// Write the manual pages to a folder
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Exists], "\
  $ encl man . && ls encl.1 encl-wrap.1"))]
pub(crate) struct Arguments {
    /// The folder; it must exist
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
}

pub(crate) fn run(
    arguments: &Arguments,
    terminal: Terminal,
    tree: fn() -> Command,
) -> CommandResult {
    let mut command = tree().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut pages)
        .map_err(|error| Failure::io("cannot write the manual", &error))?;
    for (name, page) in &pages {
        write(
            &arguments.folder.join(name),
            FileMode::Umask,
            Existing::Replace,
            page,
        )?;
    }
    terminal.status(&format!(
        "{} manual pages written to {}",
        pages.len(),
        shown(&arguments.folder)
    ));
    Ok(())
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
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    for (title, text) in sections(&closing) {
        section(&mut out, title, text)?;
    }
    Ok((format!("{name}.1"), out))
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

/// Lines as they stand, none of them a request (groff(7): `\&` before a dot, `\e` a backslash).
fn section(out: &mut Vec<u8>, title: &str, text: &str) -> io::Result<()> {
    writeln!(out, ".SH \"{title}\"\n.nf")?;
    for line in text.trim_end().lines() {
        let line = line
            .replace('\\', "\\e")
            .replace('-', "\\-")
            .replace('\'', "\\(aq");
        writeln!(out, "\\&{line}")?;
    }
    writeln!(out, ".fi")
}
