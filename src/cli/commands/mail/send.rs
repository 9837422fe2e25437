//! `encl mail send`: stands where a mail program expects its sendmail.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueHint};
use encl::directory::People;
use encl::mail::{Header, Invocation, MaildirPlace};
use encl::operations::MyKeys;
use encl::operations::mail::outgoing::author::Author;
use encl::operations::mail::outgoing::draft::Draft;
use encl::operations::mail::outgoing::groups::{MessageGroup, MessageGroups};
use encl::operations::mail::outgoing::maildir::{self, PendingDelivery};
use encl::operations::mail::outgoing::seal_message::SUBJECT;
use encl::operations::mail::outgoing::send::DraftSealer;
use serde::Serialize;

use crate::cli::args::help::sysexit_closing;
use crate::cli::args::mail::message::notice;
use crate::cli::args::mail::sendmail::SendmailArgs;
use crate::cli::args::seal::SealOptions;
use crate::cli::context::Context;
use crate::cli::display::mail::show_address_notice;
use crate::cli::display::mail::show_outer_warnings;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::CommandResult;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::mail;
use crate::cli::errors::sysexits::CANNOT_SEND;
use crate::cli::errors::sysexits::Sysexit;
use crate::cli::errors::sysexits::cannot_send as cannot;
use crate::cli::files::input::Input;
use crate::cli::files::spool::MessageSource;
use crate::cli::operations::mail::author::author_of_message;
use crate::cli::operations::mail::subprocess;
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::seal::Sealing;
use crate::cli::terminal::{Stream, safe};

/// Encrypt a message and pass it to sendmail
///
/// Reads the message from standard input, and the recipients after sendmail's options, as mail programs give them. If one
/// recipient is unknown, nothing is sent. Recipients that no header field names (Bcc) each get a separate message.
#[derive(Debug, Args)]
#[command(after_help = sysexit_closing("\
  $ encl mail send -- sendmail -oem -oi -- bob@example.org < letter.eml
  $ encl mail send --fcc sent -- sendmail -t < letter.eml"))]
pub(crate) struct Arguments {
    /// Keep a copy, encrypted for me, in this Maildir
    #[arg(long, value_name = "MAILDIR", value_hint = ValueHint::DirPath)]
    fcc: Option<PathBuf>,

    /// The subject that stays unencrypted [default: "[...]"]
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,

    /// Your own notice, shown before the envelope: printable ASCII, at most 78 columns and 4 KiB
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    notice: Option<PathBuf>,

    #[command(flatten)]
    seal: SealOptions,

    #[command(flatten)]
    sendmail_args: SendmailArgs,

    /// The sendmail program, its options and the recipients; with `-t` also those in the header
    #[arg(last = true, required = true, value_name = "SENDMAIL")]
    sendmail: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> CommandResult {
    Ok(send(arguments, context)?)
}

fn send(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let call = Invocation::parse(&arguments.sendmail_args.before(&arguments.sendmail))
        .map_err(|error| cannot(Exit::Usage).reason(safe(&error.to_string())))?;
    let terms = arguments.seal.terms(context)?;
    let notice = notice(arguments.notice.as_deref())?;
    context.stdin.claim()?;
    let source = MessageSource::open(&Input::Stdin, "send", &mut context.rng())?;
    let draft = Draft::read(&source).map_err(|error| mail::not_a_draft(&error, &cannot))?;
    let people = context.people()?;
    let author = author(&draft.header, &arguments.seal, &people, context)?;
    let show = &mut |notice| show_address_notice(&notice, context.terminal);
    let now = context.now;
    let groups = MessageGroups::of_call(&call, &draft.header, author.reads, &people, now, show);
    let groups = groups.map_err(|error| mail::no_recipients_to_send(error, &cannot))?;
    if arguments.seal.require_verified {
        groups.everybody.require_verified()?;
    }
    let keys = MyKeys::new(context, people.readers());
    let sealing = Sealing::prepare(&arguments.seal, terms, author.signs, &keys, context)?;
    store_cards(&groups.everybody, &people, context)?;
    let sealer = DraftSealer {
        draft: &draft,
        sealer: &sealing,
        notice: &notice,
        subject: arguments.subject.as_deref().unwrap_or(SUBJECT),
    };
    show_outer_warnings(&sealer.warnings(), context.terminal);

    // Everything is sealed, and the copy lies in its folder, before anything is sent.
    let sealed = sealer.seal_all(&groups.each, &mut context.rng());
    let sealed = sealed.map_err(|error| mail::not_sealed(error, &cannot))?;
    let copy = match &arguments.fcc {
        Some(folder) => Some(Copy::store(folder, &sealer, &author, context)?),
        None => None,
    };
    hand_over(&call, &groups.each, &sealed, copy)?;
    let recipients = groups.each.iter().flat_map(|group| &group.recipients);
    let object = SentMessage {
        schema: "encl.mail-send/1",
        messages: groups.each.len(),
        recipients: recipients.cloned().collect(),
        copy: arguments
            .fcc
            .as_ref()
            .map(|folder| folder.to_string_lossy().into_owned()),
    };
    // It was sent, whether or not that can be said: a mail program that hears of a failure sends it again.
    let words = Words::Nothing;
    let _ = context.report(&Outcome { object, words }, Stream::Stdout);
    Ok(())
}

/// `encl.mail-send/1`.
#[derive(Serialize)]
struct SentMessage {
    schema: &'static str,
    messages: usize,
    recipients: Vec<String>,
    copy: Option<String>,
}

/// Nothing goes out under my name that I did not sign, unless I say so.
fn author<'a>(
    header: &Header,
    options: &SealOptions,
    people: &'a People,
    context: &Context,
) -> Result<Author<'a>, Failure> {
    let author = author_of_message(header, options, people, context);
    // What cannot be read can be mended before the mail program tries again.
    let author = author.map_err(|failure| match failure.exit {
        Exit::Failed => failure.sysexit(Sysexit::TempFail),
        _ => failure.sysexit(Sysexit::Config),
    })?;
    if author.signs.is_some() || options.anonymous {
        return Ok(author);
    }
    let from = header.first("From").map(|field| safe(&field.text()));
    let from = from.unwrap_or_else(|| "nobody".to_owned());
    Err(cannot(Exit::Usage)
        .reason(format!("it is from {from}"))
        .reason("none of your identities has that address")
        .hint("--as WHO signs with another identity, --anonymous does not sign; `encl key list` shows your identities")
        .sysexit(Sysexit::Config))
}

/// My copy, in its Maildir without a name yet.
struct Copy<'a> {
    maildir: &'a Path,
    pending: PendingDelivery,
}

impl<'a> Copy<'a> {
    fn store(
        maildir: &'a Path,
        sealer: &DraftSealer<'_>,
        author: &Author<'_>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let rng = &mut context.rng();
        let copy = sealer.seal_copy(author.signs.or(author.reads), rng);
        let mut copy = copy.map_err(|error| mail::not_sealed(error, &cannot))?;
        let pending = maildir::place(maildir, MaildirPlace::Seen, &mut copy, context.now, rng);
        let pending = pending.map_err(|error| mail::not_stored(maildir, &error))?;
        Ok(Self { maildir, pending })
    }

    fn commit(self) -> Result<(), Failure> {
        let Self { maildir, pending } = self;
        pending
            .commit()
            .map_err(|error| mail::not_stored(maildir, &error))
    }
}

/// Runs the sendmail once for each message. What was sent before a failure cannot be called back: it is said, and the copy
/// stays.
fn hand_over(
    call: &Invocation,
    groups: &[MessageGroup],
    sealed: &[File],
    copy: Option<Copy<'_>>,
) -> Result<(), Failure> {
    for (at, (group, message)) in groups.iter().zip(sealed).enumerate() {
        let mut sendmail = Command::new(&call.program);
        sendmail
            .args(&call.options)
            .arg("--")
            .args(&group.recipients);
        let run = subprocess::run(CANNOT_SEND, &mut sendmail, message, Sysexit::Unavailable);
        let Err(failure) = run else { continue };
        let (sent, unsent) = groups.split_at(at);
        if sent.is_empty() {
            return Err(failure);
        }
        let failure = failure
            .reason(format!("it was already sent to {}", names(sent)))
            .reason(format!("it was not sent to {}", names(unsent)));
        return Err(match copy.map(Copy::commit) {
            Some(Err(_)) => failure.reason("no copy of it was stored"),
            _ => failure,
        });
    }
    let committed = copy.map_or(Ok(()), Copy::commit);
    committed.map_err(|failure| failure.reason("the message itself was sent to everybody"))
}

/// All recipients: a person who sends again needs each of them.
fn names(groups: &[MessageGroup]) -> String {
    let recipients = groups.iter().flat_map(|group| &group.recipients);
    let recipients: Vec<String> = recipients.map(|address| safe(address)).collect();
    recipients.join(", ")
}
