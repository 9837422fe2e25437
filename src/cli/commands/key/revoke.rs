//! `encl key revoke`: the end of an identity, which was signed when the identity was made.

use crate::cli::display::names::DisplayName;
use crate::cli::display::report::Report;
use clap::Args;
use encl::crypto::signing::RootId;
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::find::find;
use crate::cli::terminal::stdout::{Stdout, StdoutError};
use crate::cli::terminal::{Stream, Terminal};

/// Revoke one of my identities for ever; the signed statement goes to standard output
///
/// The statement was signed when the identity was created, so neither the passphrase nor the private keys are needed. From now
/// on the identity only decrypts what was encrypted for it. Send the statement to your contacts: they add it with `encl contact
/// add`.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient], "\
  $ encl key revoke alice@example.org --yes > alice.revocation"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    Stdout::check()?;
    let card = find(arguments.who.as_deref(), context)?.card;
    let who = card.display_name();
    let what = format!("cannot revoke your identity {who}");
    let keystore = &context.keystore;
    let revocation = keystore
        .revocation(&card.id())
        .map_err(|error| keystore::failure(&what, &error))?;
    if !arguments.yes {
        let question = format!("Revoke {who} for ever? Nobody should encrypt for it any more");
        context.confirm(&question, &what)?;
    }
    let marked = keystore.mark_revoked(&card.id());
    marked.map_err(|error| keystore::failure(&what, &error))?;
    context.terminal.status(&format!(
        "{who} is revoked, and only decrypts old envelopes from now on; give the statement to everybody who has its card"
    ));
    let statement = RevocationReport {
        id: card.id(),
        text: revocation.to_text(),
    };
    context
        .report(&statement, Stream::Stdout)
        .map_err(|failure| {
            failure.hint("it is marked as revoked; the same command prints the statement again")
        })
}

struct RevocationReport<'a> {
    id: RootId,
    text: &'a str,
}

impl Report for RevocationReport<'_> {
    type Object<'o>
        = RevocationObject<'o>
    where
        Self: 'o;

    fn object(&self) -> RevocationObject<'_> {
        RevocationObject {
            schema: "encl.revocation/1",
            id: self.id.to_string(),
            revocation: self.text,
        }
    }

    fn show_text(&self, _: Terminal) -> Result<(), StdoutError> {
        Stdout::open()?.put(format!("{}\n", self.text).as_bytes())
    }
}

#[derive(Serialize)]
struct RevocationObject<'a> {
    schema: &'static str,
    id: String,
    revocation: &'a str,
}
