//! `encl mail unseal`: a sealed mailbox becomes plain again.

use crate::cli::args::gate::AskOptions;
use crate::cli::args::help::closing;
use crate::cli::args::mail::mailbox::ArchiveOptions;
use crate::cli::args::mail::message::FromOption;
use crate::cli::context::Context;
use crate::cli::context::asking::AskPolicy;
use crate::cli::errors::CommandResult;
use crate::cli::errors::Exit;
use crate::cli::operations::mail::mailbox;
use crate::cli::operations::mail::mailbox::Words;
use crate::cli::operations::mail::mailbox::unlocked_keys;
use clap::Args;
use encl::operations::mail::mailbox::ask_ahead::AskAhead;
use encl::operations::mail::mailbox::unseal::{MailboxOpener, MailboxUnsealer, TracePolicy};

static WORDS: Words = Words {
    verb: "unseal",
    done: "unsealed",
    schema: "encl.mail-unseal/1",
    leaves_clear: false,
};

/// Decrypt the messages of a mailbox in place
///
/// Every message encrypted for me, by any sender, is replaced by the original message, byte for byte. In one that its sender
/// encrypted, only a sender can have written the trace fields (Received, Authentication-Results and others) inside: they are
/// renamed, such as X-Sealed-Received, and those that servers added outside are put on top. A message that cannot be decrypted stays as it is.
///
/// Root works on another user's mail with that user's rights, and skips what belongs to another user than its folder.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl mail unseal mailbox --dry-run
  $ encl mail unseal mailbox --keep-original sealed-originals"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: ArchiveOptions,

    /// Decrypt with this one of my identities [default: $ENCL_IDENTITY, else all]
    #[arg(long = "as", value_name = "WHO")]
    identity: Option<String>,

    #[command(flatten)]
    from: FromOption,

    #[command(flatten)]
    gates: AskOptions,

    /// Give every message as it was sealed, also if servers added trace fields outside. For mail that another program delivers
    /// after encl has encrypted it (LMTP)
    #[arg(long)]
    keep_trace: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    arguments.gates.apply(AskPolicy::KnownOwners, context);
    let people = context.people()?;
    let identity = arguments.identity.as_deref();
    let keys = unlocked_keys("unseal", identity, &people, context)?;
    let opener = MailboxOpener {
        keys: &keys,
        people: &people,
        rule: arguments.from.rule(),
        now: context.now,
    };
    for path in arguments.archive.paths() {
        // A mailbox that cannot be read is told when it is unsealed.
        let _ = AskAhead::new(&opener).mailbox(path, arguments.archive.jobs());
    }
    let policy = match arguments.keep_trace {
        true => TracePolicy::Inside,
        false => TracePolicy::Servers,
    };
    let unsealer = MailboxUnsealer::new(opener, policy);
    let result = mailbox::run(&arguments.archive, &unsealer, &WORDS, context);
    let travelled = match unsealer.travelled() {
        0 => return result,
        1 => "1 message was".to_owned(),
        number => format!("{number} messages were"),
    };
    context.terminal.notice(&format!(
        "{travelled} sent encrypted: the servers' trace fields (Received and others) now stand on top, and those that the sender \
         wrote have names such as X-Sealed-Received"
    ));
    result
}
