//! `encl key card`: the card of one of my identities, to be given to others.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::identity::InvitationToken;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::cards::card::CardReport;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::contacts::text_out;
use crate::cli::operations::identity::find::find;
use crate::cli::terminal::safe;

/// Print the card of one of my identities: the public key that others encrypt for
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl key card -o me.card
  $ encl key card --invitation encl-invitation1:BwcHBwcHBwcHBwcHBwcHBwO6"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
    /// Answer an invitation: print TOKEN before the card; mail both back
    #[arg(long, value_name = "TOKEN")]
    invitation: Option<String>,
    /// Write to OUT
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let token = arguments.invitation.as_deref().map(token).transpose()?;
    let card = find(arguments.who.as_deref(), context)?.card;
    let report = CardReport {
        card: &card,
        token: token.as_ref(),
    };
    let output = (arguments.output.as_deref(), arguments.force);
    text_out::put(&report, &report.text(), output, context)
}

fn token(text: &str) -> Result<InvitationToken, Failure> {
    InvitationToken::from_text(text).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("cannot answer the invitation `{}`", safe(text)),
        )
        .reason(error.to_string())
        .hint("copy the complete word that begins with `encl-invitation1:` from the invitation")
    })
}
