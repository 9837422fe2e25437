//! `encl key export`: one identity as one file.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::atomic_file::FileMode;

use super::super::context::Context;
use super::super::files::is_dash;
use super::super::help::closing;
use super::super::report::{Exit, Failure};
use super::super::stdout::Stdout;
use super::super::store;
use super::super::terminal::shown;
use super::card::write;
use super::{find, person};

/// Write one of my identities to a file, to be kept elsewhere or brought to another machine
///
/// The file holds private keys, card and revocation as they stand in the keystore: what is behind a passphrase stays behind it,
/// what is in the clear is in the clear there too. It is mode 0600.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl key export -o alice.identity
  $ encl key export alice@example.org -o - | wc -l"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// Write to OUT (`-`: standard output, if it is no terminal)
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let card = find(arguments.who.as_deref(), context)?.card;
    let who = person(&card);
    let what = format!("cannot export your identity {who}");
    let export = store::keystore(context).export_identity(&card.id());
    let export = export.map_err(|error| store::failure(&what, &error))?;
    let text = export.to_text();
    if is_dash(&arguments.output) {
        let mut out = Stdout::open()?;
        if out.file().is_terminal() {
            let failure = Failure::new(Exit::Usage, what).because("it is a terminal");
            return Err(failure.hint("private keys are not shown; `-o FILE` writes them to a file"));
        }
        return out.put(text.as_bytes());
    }
    write(
        &arguments.output,
        FileMode::OwnerOnly,
        arguments.force,
        text.as_bytes(),
    )?;
    context.terminal.status(&format!(
        "{who}: exported to {}; whoever has it has your private keys, or what your passphrase opens",
        shown(&arguments.output)
    ));
    Ok(())
}
