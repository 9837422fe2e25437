//! `encl key paper`: one identity on one printed page, and back.

pub(crate) mod restore;

use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::cli::display::names::DisplayName;
use clap::{Args, ValueHint};
use encl::atomic_file::FileMode;
use encl::crypto::passphrase::Cost;
use encl::crypto::signing::RootId;
use encl::identity::Paper;
use encl::keystore::StoredIdentity;
use serde::Serialize;

use crate::cli::args::existing;
use crate::cli::args::help::closing;
use crate::cli::args::identity::cost;
use crate::cli::context::Context;
use crate::cli::display::paper::Page;
use crate::cli::display::paper::qr::Ground;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::files::not_printed;
use crate::cli::errors::keystore::identity;
use crate::cli::files::input::is_dash;
use crate::cli::files::out_file::write;
use crate::cli::files::target::Target;
use crate::cli::operations::identity::Ask;
use crate::cli::operations::identity::find::find;
use crate::cli::terminal::shown;
use crate::cli::terminal::stdout::Stdout;

/// Print one of my identities on a page of paper, as words and as a QR code; or restore it from the page
///
/// Keep the page safe: the private keys on it are unencrypted, without any passphrase. The page holds all keys, name,
/// addresses, card and revocation statement. It restores the identity when everything else is lost. Every line of words has its
/// own checksum, so a typing mistake is found at once, in its line.
///
/// A restored identity signs a new card, with a higher serial number than every card since the page was printed, so contacts
/// accept it as the newest. Keys that were created after printing are not on the page.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Locked, Exit::Recipient, Exit::Exists, Exit::Newer], "\
  $ encl key paper -o page.html
  $ encl key paper -o page && encl key paper --restore page --keystore elsewhere"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// Write to OUT (file mode 0600); a name ending in .html gives one A4 sheet [default: standard output]
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Replace OUT if it exists
    #[arg(long, requires = "output")]
    force: bool,
    /// Show the page on a terminal, although the terminal may keep its text
    #[arg(long, conflicts_with = "output")]
    show: bool,
    /// Restore an identity from FILE (`-`: standard input), words or QR code text; without FILE, type or scan them
    #[arg(long, value_name = "FILE", num_args = 0..=1, value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["who", "output", "force", "show"])]
    restore: Option<Vec<PathBuf>>,
    /// Store the restored private keys unencrypted (file mode 0600)
    #[arg(long, requires = "restore")]
    no_passphrase: bool,
    /// Memory that one guess at the passphrase costs: 2^COST KiB, 16 to 20
    #[arg(long, value_name = "COST", requires = "restore", conflicts_with = "no_passphrase", value_parser = cost)]
    cost: Option<Cost>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    if let Some(file) = &arguments.restore {
        let cost = match arguments.no_passphrase {
            true => None,
            false => Some(arguments.cost.unwrap_or_default()),
        };
        return restore::run(file.first().map(PathBuf::as_path), cost, context);
    }
    let out = out(arguments)?;
    let stored = find(arguments.who.as_deref(), context)?;
    let (who, id) = (stored.card.display_name(), stored.card.id());
    let paper = paper(stored, context)?;
    let page = Page::new(&paper, context.now);
    let warning = "the page holds your private keys, unencrypted: keep it safe";
    let Some(mut out) = out else {
        let path = arguments.output.as_deref().unwrap_or("-".as_ref());
        let is_html = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("html"));
        let text = match is_html {
            true => page.html(),
            false => page.text(Ground::Paper),
        };
        write(
            path,
            FileMode::OwnerOnly,
            existing(arguments.force),
            text.as_bytes(),
        )?;
        let words = Words::Status(format!("{who}: written to {}; {warning}", shown(path)));
        report(id, &Target::parse(path), words, context)?;
        if !is_html {
            page.warn_of_length(context.terminal);
        }
        return Ok(());
    };
    if out.file().is_terminal() {
        out.put(page.text(Ground::Screen).as_bytes())?;
        return report(id, &Target::Stdout, Words::Nothing, context);
    }
    warn_of_readers(&out, context)?;
    out.put(page.text(Ground::Paper).as_bytes())?;
    let words = Words::Status(format!("{who}: {warning}"));
    report(id, &Target::Stdout, words, context)?;
    page.warn_of_length(context.terminal);
    Ok(())
}

fn report(id: RootId, target: &Target, words: Words, context: &Context) -> Result<(), Failure> {
    let object = Object {
        schema: "encl.key-paper/1",
        id: id.to_string(),
        output: target.typed(),
    };
    context.report(&Outcome { object, words }, target.objects())
}

/// `encl.key-paper/1`.
#[derive(Serialize)]
struct Object {
    schema: &'static str,
    id: String,
    output: String,
}

/// Standard output, unless a file is named.
fn out(arguments: &Arguments) -> Result<Option<Stdout>, Failure> {
    if arguments
        .output
        .as_deref()
        .is_some_and(|path| !is_dash(path))
    {
        return Ok(None);
    }
    let out = Stdout::open()?;
    if out.file().is_terminal() && !arguments.show {
        let failure = Failure::new(Exit::Usage, "cannot print an identity on paper");
        return Err(failure.reason("standard output is a terminal").hint(
            "`-o page.html` writes the page to a file, `| lp` prints it, --show shows it here",
        ));
    }
    Ok(Some(out))
}

/// The identity, unlocked, as it goes onto the page.
fn paper(stored: StoredIdentity, context: &Context) -> Result<Paper, Failure> {
    let who = stored.card.display_name();
    let (mut ask, mut rng) = (Ask::new(context), context.rng());
    let paper = ask.identities(&mut rng).paper(stored);
    paper.map_err(|error| {
        identity::failure(&format!("cannot print your identity {who} on paper"), error)
    })
}

/// A shell makes files that others can read.
fn warn_of_readers(out: &Stdout, context: &Context) -> Result<(), Failure> {
    let file = out.file().metadata();
    let file = file.map_err(|error| not_printed(&error))?;
    if file.is_file() && file.mode() & 0o077 != 0 {
        context
            .terminal
            .warning("other users can read the file that holds the page; `-o FILE` creates it with mode 0600");
    }
    Ok(())
}
