//! `encl mail send`: stands where a mail program expects its sendmail.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use clap::{Args, ValueHint};
use encl::directory::{People, Person, Recipients};
use encl::envelope::SealError;
use encl::mail::{Header, Invocation, MaildirPlace, Notice, SealedBy};

use crate::cli::args::sendmail::SendmailArgs;
use crate::cli::commands::mail::wrap;
use crate::cli::commands::program::help::sysexit_closing;
use crate::cli::context::Context;
use crate::cli::errors::sysexits;
use crate::cli::errors::sysexits::Sysexit;
use crate::cli::errors::{CommandResult, Exit, Failure, io_message};
use crate::cli::files::input::Input;
use crate::cli::files::spool::MessageSource;
use crate::cli::operations::mail::outgoing::author::Author;
use crate::cli::operations::mail::outgoing::draft::Draft;
use crate::cli::operations::mail::outgoing::groups::{MessageGroup, MessageGroups};
use crate::cli::operations::mail::outgoing::maildir::PendingDelivery;
use crate::cli::operations::mail::outgoing::{maildir, subprocess};
use crate::cli::operations::mail::seal_message::{MessageSealer, SUBJECT};
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::seal::{SealOptions, Sealing};
use crate::cli::secrets::keyring::Keys;
use crate::cli::terminal::safe;

const WHAT: &str = "cannot send the message";

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
    passed_on: SendmailArgs,

    /// The sendmail program, its options and the recipients; with `-t` also those in the header
    #[arg(last = true, required = true, value_name = "SENDMAIL")]
    sendmail: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    sysexits::ended(|| Ok(send(arguments, context)?))
}

fn send(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let call = Invocation::parse(&arguments.passed_on.before(&arguments.sendmail))
        .map_err(|error| cannot(Exit::Usage).reason(safe(&error.to_string())))?;
    let terms = arguments.seal.terms(context)?;
    let notice = wrap::notice(arguments.notice.as_deref())?;
    context.passphrases.stdin_is_data();
    let source = MessageSource::open(&Input::Stdin, "send", context)?;
    let draft = Draft::read(&source)?;
    let people = context.people()?;
    let author = author(&draft.header, &arguments.seal, &people, context)?;
    let mailings = MessageGroups::of_call(&call, &draft.header, author.reads, &people, context)?;
    if arguments.seal.require_verified {
        mailings.everybody.require_verified()?;
    }
    let keys = Keys::new(context, people.readers());
    let sealing = Sealing::prepare(&arguments.seal, terms, author.signs, &keys, context)?;
    store_cards(&mailings.everybody, &people, context)?;
    let sealer = Sealer {
        draft: &draft,
        sealing: &sealing,
        notice: &notice,
        subject: arguments.subject.as_deref().unwrap_or(SUBJECT),
    };
    sealer.whole().warn(context.terminal);

    // Everything is sealed, and the copy lies in its folder, before anything is sent.
    let sealed = mailings.each.iter().map(|one| sealer.seal(&one.readers));
    let sealed = sealed.collect::<Result<Vec<File>, Failure>>()?;
    let copy = match &arguments.fcc {
        Some(folder) => {
            let mut copy = sealer.copy(author.signs.or(author.reads))?;
            let place = MaildirPlace::Seen;
            Some(maildir::place(folder, place, &mut copy, context)?)
        }
        None => None,
    };
    hand_over(&call, &mailings.each, &sealed, copy)
}

/// "cannot send the message"
pub(crate) fn cannot(exit: Exit) -> Failure {
    Failure::new(exit, WHAT)
}

/// Nothing goes out under my name that I did not sign, unless I say so.
fn author<'a>(
    header: &Header,
    options: &SealOptions,
    people: &'a People,
    context: &Context,
) -> Result<Author<'a>, Failure> {
    let author = Author::of_message(header, options, people, context)
        .map_err(|failure| failure.sysexit(Sysexit::Config))?;
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

/// Seals the message for one set of readers after the other.
struct Sealer<'a> {
    draft: &'a Draft<'a>,
    sealing: &'a Sealing<'a>,
    notice: &'a Notice,
    subject: &'a str,
}

/// Whether a passphrase opens it, if one was asked for.
#[derive(PartialEq, Eq)]
enum Openable {
    AlsoByPassphrase,
    ByItsReadersOnly,
}

impl Sealer<'_> {
    fn whole(&self) -> MessageSealer<'_> {
        let header = &self.draft.header;
        MessageSealer::new(header, self.subject, self.notice, SealedBy::Sender, None)
    }

    fn seal(&self, readers: &Recipients) -> Result<File, Failure> {
        self.sealed(readers, &Openable::AlsoByPassphrase)
    }

    /// My copy: nobody else can read it, and nobody else is named on it.
    fn copy(&self, me: Option<&Person>) -> Result<File, Failure> {
        let me = me.ok_or_else(|| {
            cannot(Exit::Usage)
                .reason("there is no identity to encrypt the copy for")
                .hint("`encl key new ADDRESS` creates an identity")
                .sysexit(Sysexit::Config)
        })?;
        let me = Recipients::new(Vec::new(), Some(me), self.sealing.context.now)?;
        let mut copy = self.sealed(&me, &Openable::ByItsReadersOnly)?;
        let rewound = io::Seek::rewind(&mut copy);
        rewound.map_err(|error| cannot(Exit::Failed).reason(io_message(&error)))?;
        Ok(copy)
    }

    fn sealed(&self, readers: &Recipients, openable: &Openable) -> Result<File, Failure> {
        let whole = self.whole();
        let mut request = self.sealing.request(readers, whole.about());
        if *openable == Openable::ByItsReadersOnly {
            for lock in &mut request.locks {
                lock.passphrase = None;
            }
        }
        let mut rng = self.sealing.context.rng();
        let mut sealed = || {
            let mut file = tempfile::tempfile().map_err(SealError::Write)?;
            let mut content = self.draft.content().map_err(SealError::Read)?;
            whole.seal(&request, &mut content, &mut file, &mut rng)?;
            Ok(file)
        };
        sealed().map_err(not_sealed)
    }
}

fn not_sealed(error: SealError) -> Failure {
    match error {
        SealError::Read(error) | SealError::Write(error) => {
            cannot(Exit::Failed).reason(io_message(&error))
        }
        SealError::Passphrase(error) => cannot(Exit::Locked).caused_by(&error),
        SealError::Request(reason) => cannot(Exit::Usage).reason(safe(&reason)),
    }
}

/// Runs the sendmail once for each message. What was sent before a failure cannot be called back: it is said, and the copy
/// stays.
fn hand_over(
    call: &Invocation,
    mailings: &[MessageGroup],
    sealed: &[File],
    copy: Option<PendingDelivery<'_>>,
) -> Result<(), Failure> {
    for (at, (mailing, message)) in mailings.iter().zip(sealed).enumerate() {
        let mut sendmail = Command::new(&call.program);
        sendmail
            .args(&call.options)
            .arg("--")
            .args(&mailing.recipients);
        let run = subprocess::run(WHAT, &mut sendmail, message, Sysexit::Unavailable);
        let Err(failure) = run else { continue };
        let (sent, unsent) = mailings.split_at(at);
        if sent.is_empty() {
            return Err(failure);
        }
        let failure = failure
            .reason(format!("it was already sent to {}", names(sent)))
            .reason(format!("it was not sent to {}", names(unsent)));
        return Err(match copy.map(PendingDelivery::commit) {
            Some(Err(_)) => failure.reason("no copy of it was stored"),
            _ => failure,
        });
    }
    let kept = copy.map_or(Ok(()), PendingDelivery::commit);
    kept.map_err(|failure| failure.reason("the message itself was sent to everybody"))
}

/// All of them: whoever sends again needs each.
fn names(mailings: &[MessageGroup]) -> String {
    let recipients = mailings.iter().flat_map(|mailing| &mailing.recipients);
    let recipients: Vec<String> = recipients.map(|address| safe(address)).collect();
    recipients.join(", ")
}
