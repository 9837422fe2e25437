//! `encl mail deliver`: seals what arrives for somebody who has a card here.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::crypto::KeyId;
use encl::directory::{DirectoryError, People, Recipients, WhoUse, resolve_card_file};
use encl::envelope::SealError;
use encl::mail::{Header, MaildirPlace, Reopen, SealedBy};
use encl::operations::MyKeys;
use encl::operations::mail::is_sealed::is_sealed_for;
use encl::operations::mail::outgoing::maildir;
use encl::operations::mail::outgoing::seal_message::{MessageSealer, SUBJECT};
use encl::operations::seal::SealTerms;
use serde::Serialize;

use crate::cli::args::gate::GateOptions;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::help::sysexit_closing;
use crate::cli::args::mail::message::notice;
use crate::cli::args::seal::SealOptions;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::files::not_printed;
use crate::cli::errors::sysexits::Sysexit;
use crate::cli::errors::{CommandResult, Exit, Failure, io_message, mail};
use crate::cli::files::input::Input;
use crate::cli::files::spool::MessageSource;
use crate::cli::operations::gate::sealing;
use crate::cli::operations::mail::subprocess;
use crate::cli::operations::recipients::owners;
use crate::cli::operations::seal::Sealing;
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{Stream, safe, shown};

const WHAT: &str = "cannot deliver the message";

/// Encrypt a message when a mail server delivers it
///
/// Reads the message from standard input and encrypts it for the person to whom the server delivers. Only that person's card is
/// needed. A message already encrypted for that person passes unchanged. If anything fails, nothing is written; unless the
/// failure is certainly permanent, the exit code is 75, and the server tries again.
#[derive(Debug, Args)]
#[command(after_help = sysexit_closing("\
  $ encl mail deliver --for bob@example.org < letter.eml > sealed.eml
  $ encl mail deliver --for bob@example.org --maildir inbox < letter.eml
  $ encl mail deliver --for bob@example.org -- maildrop -d bob < letter.eml"))]
pub(crate) struct Arguments {
    /// The recipient: an address, a fingerprint or a @group; never a name or a path
    // It may come from outside: one that begins with a hyphen is still no option.
    #[arg(long = "for", value_name = "WHO", required_unless_present = "cards", allow_hyphen_values = true, add = ArgValueCompleter::new(who_completer))]
    recipients: Vec<String>,

    /// The file with the recipient's card; need not be in the keystore
    #[arg(long = "for-card", value_name = "FILE", value_hint = ValueHint::FilePath)]
    cards: Vec<PathBuf>,

    /// Deliver into this Maildir instead of to standard output
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "program")]
    maildir: Option<PathBuf>,

    /// Your own notice, shown before the envelope: printable ASCII, at most 78 columns and 4 KiB
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    notice: Option<PathBuf>,

    #[command(flatten)]
    gate: GateOptions,

    /// A program that reads the message from standard input; it starts only after encryption
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> CommandResult {
    Ok(deliver(arguments, context)?)
}

fn deliver(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let notice = notice(arguments.notice.as_deref())
        .map_err(|failure| failure.sysexit(Sysexit::TempFail))?;
    context.stdin.claim()?;
    let source = MessageSource::open(&Input::Stdin, "deliver", &mut context.rng())
        .map_err(|failure| failure.sysexit(Sysexit::TempFail))?;
    refuse_empty(&source)?;
    let people = people(context)?;
    let readers = readers(arguments, &people, context)?;
    let keys: Vec<KeyId> = readers
        .addressees
        .iter()
        .map(|reader| reader.recipient.key)
        .collect();
    let mut sealed = tempfile::tempfile().map_err(|error| not_spooled(&error))?;
    let was_sealed = is_sealed_for(&source, &keys).map_err(|error| unreadable(&error))?;
    if was_sealed {
        let mut message = source.open().map_err(|error| unreadable(&error))?;
        io::copy(&mut message, &mut sealed).map_err(|error| not_spooled(&error))?;
    } else {
        let options = SealOptions {
            anonymous: true,
            ..SealOptions::default()
        };
        let mine = MyKeys::new(context, &[]);
        let ids = readers.addressees.iter().map(|one| one.recipient.id);
        let terms = SealTerms {
            gate: sealing::unsigned(&arguments.gate, ids.collect(), context)?,
            ..options.terms(context)?
        };
        let sealing = Sealing::prepare(&options, terms, None, &mine, context)?;
        let mut message = BufReader::new(source.open().map_err(|error| unreadable(&error))?);
        let header = Header::read(&mut message).map_err(|error| unreadable(&error))?;
        let sealer = MessageSealer::new(&header, SUBJECT, &notice, SealedBy::Delivery, None);
        let request = sealing.request(&readers, sealer.info());
        let content = &mut header.bytes().chain(message);
        sealer
            .seal(&request, content, &mut sealed, &mut context.rng())
            .map_err(|error| not_sealed(&error))?;
    }
    pass_on(arguments, sealed, context)?;
    report(arguments, was_sealed, context);
    Ok(())
}

/// It was delivered, whether or not that can be said: a server that hears of a failure delivers it again.
fn report(arguments: &Arguments, was_sealed: bool, context: &Context) {
    let stream = match arguments.program.is_empty() && arguments.maildir.is_none() {
        true => Stream::Stderr,
        false => Stream::Stdout,
    };
    let maildir = arguments.maildir.as_deref().map(Path::as_os_str);
    let target = arguments
        .program
        .first()
        .map(OsString::as_os_str)
        .or(maildir);
    let object = Delivered {
        schema: "encl.mail-deliver/1",
        output: target.map_or_else(|| "-".into(), |target| target.to_string_lossy()),
        was_encrypted: was_sealed,
    };
    let words = Words::Nothing;
    let _ = context.report(&Outcome { object, words }, stream);
}

/// `encl.mail-deliver/1`.
#[derive(Serialize)]
struct Delivered<'a> {
    schema: &'static str,
    output: Cow<'a, str>,
    was_encrypted: bool,
}

/// To the program, into the Maildir, or to standard output.
fn pass_on(arguments: &Arguments, mut sealed: File, context: &Context) -> Result<(), Failure> {
    if let Some((program, words)) = arguments.program.split_first() {
        let program = &mut Command::new(program);
        // A program that is not there may be so while it is being replaced.
        return subprocess::run(WHAT, program.args(words), &sealed, Sysexit::TempFail);
    }
    sealed.rewind().map_err(|error| not_spooled(&error))?;
    if let Some(folder) = &arguments.maildir {
        let (place, rng) = (MaildirPlace::New, &mut context.rng());
        let pending = maildir::place(folder, place, &mut sealed, context.now, rng);
        let stored = pending.and_then(maildir::PendingDelivery::commit);
        return stored.map_err(|error| mail::not_stored(folder, &error).sysexit(Sysexit::TempFail));
    }
    let mut out =
        Stdout::open().map_err(|error| Failure::from(error).sysexit(Sysexit::TempFail))?;
    let copied = io::copy(&mut sealed, &mut out).and_then(|_| out.flush());
    copied.map_err(|error| not_printed(&error).sysexit(Sysexit::TempFail))
}

/// A keystore that is not there is a disk that is not mounted rather than a person who does not exist.
fn people(context: &Context) -> Result<People, Failure> {
    if !context.keystore.root().is_dir() {
        return Err(cannot(Exit::Failed).reason(format!(
            "there is no keystore at {}",
            shown(context.keystore.root())
        )));
    }
    let people = context.people();
    people.map_err(|failure| failure.sysexit(Sysexit::TempFail))
}

/// The recipients that are named. What --for names may come from outside, so it takes no path and no name.
fn readers(
    arguments: &Arguments,
    people: &People,
    context: &Context,
) -> Result<Recipients, Failure> {
    // What is wrong with a card or its file can be mended before the server tries again.
    let try_again = |error| Failure::from(error).sysexit(Sysexit::TempFail);
    let found = owners(&arguments.recipients, WhoUse::Delivery, people, context);
    let mut found = found.map_err(|error| not_found(error, people))?;
    for card in &arguments.cards {
        found.push(resolve_card_file(card, people).map_err(try_again)?);
    }
    Recipients::new(found, None, context.now).map_err(try_again)
}

/// Who was never known stays unknown. What happened to the keystore of somebody who is known can be mended before the server tries
/// again.
fn not_found(error: DirectoryError, people: &People) -> Failure {
    let is_known = matches!(
        error,
        DirectoryError::VerifiedGone { .. }
            | DirectoryError::GroupNotAdopted(_)
            | DirectoryError::GroupOlder { .. }
            | DirectoryError::MissingMember { .. }
            | DirectoryError::Group { .. }
            | DirectoryError::Keystore(_)
    );
    // A contact whose file cannot be read may be the one.
    let may_be_known = || {
        people
            .unreadable_contacts()
            .is_ok_and(|contacts| contacts > 0)
    };
    let failure = Failure::from(error);
    match is_known || may_be_known() {
        true => failure.sysexit(Sysexit::TempFail),
        false => failure,
    }
}

/// Nothing on standard input is a broken pipe rather than a message.
fn refuse_empty(source: &MessageSource) -> Result<(), Failure> {
    if source.bytes() == 0 {
        return Err(cannot(Exit::Failed).reason("standard input is empty"));
    }
    Ok(())
}

fn cannot(exit: Exit) -> Failure {
    Failure::new(exit, WHAT)
}

fn unreadable(error: &io::Error) -> Failure {
    cannot(Exit::Failed).reason(format!("it cannot be read: {}", io_message(error)))
}

fn not_spooled(error: &io::Error) -> Failure {
    cannot(Exit::Failed).reason(format!(
        "no temporary file can be written: {}",
        io_message(error)
    ))
}

/// Whatever kept it from being sealed may be gone tomorrow.
fn not_sealed(error: &SealError) -> Failure {
    cannot(Exit::Failed)
        .reason(safe(&error.to_string()))
        .caused_by(error)
}
