//! `encl reader`: the page that opens envelopes in a browser.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use encl::atomic_file::FileMode;
use encl::envelope::CarryingPage;
use encl::operations::open::page::{self, CheckedPage};
use encl::reader;
use serde::Serialize;

use crate::cli::args::existing;
use crate::cli::args::help::closing;
use crate::cli::display::names::hex;
use crate::cli::display::report::{self, Outcome, Words};
use crate::cli::errors::{CommandResult, Exit, Failure, envelope};
use crate::cli::files::input::Input;
use crate::cli::files::out_file::write;
use crate::cli::files::target::Target;
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{Stream, Terminal, shown};

/// Write the page that opens envelopes in a browser, for recipients who have nothing installed
///
/// Put it on a web server of yours under https, or give it to people as a file: it works from both, and sends nothing. It is the same
/// for everybody, so --check tells whether a copy is still as it was, also that of a server: `curl -s URL | encl reader --check -`.
/// `encl help recipients` says how to host it.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Exists], "\
  $ encl reader -o reader.html
  $ encl reader --hash
  $ encl reader -o reader.html && encl reader --check reader.html"))]
pub(crate) struct Arguments {
    /// Write to OUT (`-`: standard output)
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath, conflicts_with_all = ["hash", "check"])]
    output: Option<PathBuf>,

    /// Replace OUT if it exists
    #[arg(long, requires = "output")]
    force: bool,

    /// Print the SHA-256 of the page
    #[arg(long, conflicts_with = "check")]
    hash: bool,

    /// Tell whether FILE (`-`: standard input) is a page that encl made, alone or with an envelope in it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    check: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, terminal: Terminal) -> CommandResult {
    let done = match &arguments.check {
        Some(file) => check(file, terminal),
        None if arguments.hash => hash(terminal),
        None => write_page(arguments, terminal),
    };
    Ok(done?)
}

fn write_page(arguments: &Arguments, terminal: Terminal) -> Result<(), Failure> {
    let target = arguments.output.as_deref();
    let target = target.map_or(Target::Stdout, Target::parse);
    match &target {
        Target::File(path) => {
            let existing = existing(arguments.force);
            write(path, FileMode::Umask, existing, reader::PAGE)?;
        }
        Target::Stdout if std::io::IsTerminal::is_terminal(&std::io::stdout()) => {
            return Err(Failure::new(Exit::Usage, "cannot write the page")
                .reason("it is for a browser, and standard output is a terminal")
                .hint("-o reader.html, or a pipe"));
        }
        Target::Stdout => Stdout::open()?.put(reader::PAGE)?,
    }
    let name = target.name();
    let words = Words::Status(format!(
        "{name}: the page of encl {}; people open it in a browser, from the file or over https",
        reader::VERSION
    ));
    let object = PageObject {
        output: Some(target.typed()),
        ..PageObject::ours()
    };
    Ok(report::show(
        &Outcome { object, words },
        target.objects(),
        terminal,
    )?)
}

fn hash(terminal: Terminal) -> Result<(), Failure> {
    let object = PageObject::ours();
    let words = Words::Answer(object.sha256.clone());
    Ok(report::show(
        &Outcome { object, words },
        Stream::Stdout,
        terminal,
    )?)
}

/// Anything but a published page is a failure: scripts ask for the exit code.
fn check(file: &Path, terminal: Terminal) -> Result<(), Failure> {
    let input = Input::parse(file);
    let source = input.open("check")?;
    let checked = page::check(source);
    let CheckedPage {
        page,
        version,
        carries,
    } = checked.map_err(|error| envelope::failure(input.cannot("check", Exit::Failed), error))?;
    let Some(version) = version else {
        let failure = input.cannot("check", Exit::Damaged);
        return Err(failure.reason(match carries {
            true => "the page in it is none that encl made",
            false => "it is no page that encl made",
        }));
    };
    let name = match file {
        file if file == Path::new("-") => input.name(),
        file => shown(file),
    };
    let words = Words::Answer(match carries {
        true => format!("{name}: the page of encl {version}, with an envelope in it"),
        false => format!("{name}: the page of encl {version}"),
    });
    let object = PageObject {
        file: Some(input.typed()),
        carries: Some(carries),
        ..PageObject::of(&page, version)
    };
    Ok(report::show(
        &Outcome { object, words },
        Stream::Stdout,
        terminal,
    )?)
}

/// `encl.reader/1`.
#[derive(Serialize)]
struct PageObject {
    schema: &'static str,
    /// What was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Where the page was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    version: &'static str,
    bytes: u64,
    sha256: String,
    /// Whether what was checked has an envelope behind the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    carries: Option<bool>,
}

impl PageObject {
    fn ours() -> Self {
        let page = CarryingPage {
            bytes: reader::PAGE.len() as u64,
            sha256: reader::page_sha256(),
        };
        Self::of(&page, reader::VERSION)
    }

    fn of(page: &CarryingPage, version: &'static str) -> Self {
        Self {
            schema: "encl.reader/1",
            file: None,
            output: None,
            version,
            bytes: page.bytes,
            sha256: hex(&page.sha256),
            carries: None,
        }
    }
}
