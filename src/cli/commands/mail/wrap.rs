//! `encl mail wrap`: a message becomes a message around an envelope.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::atomic_file;
use encl::directory::{People, Recipients};
use encl::mail::{Eol, Header, NOTICE_BYTES_MAX, Notice, Reopen, SealedBy, recipients};

use crate::cli::args::message::{MailOutput, OneMessage};
use crate::cli::commands::program::completions::who as who_completer;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit, Failure, io_message};
use crate::cli::files::input::Input;
use crate::cli::files::output::Output;
use crate::cli::files::spool::MessageSource;
use crate::cli::operations::mail::outgoing::author::Author;
use crate::cli::operations::mail::outgoing::header_recipients;
use crate::cli::operations::mail::seal_attachments;
use crate::cli::operations::mail::seal_attachments::AttachmentSealer;
use crate::cli::operations::mail::seal_message::{MessageSealer, SUBJECT};
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::seal;
use crate::cli::operations::seal::{SealOptions, SealedOutput, Sealing};
use crate::cli::secrets::keyring::Keys;
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::shown;

/// Encrypt a message for the people in its To and Cc
///
/// Subject, text and attachments are encrypted, every byte of them. Only the fields that mail servers need stay readable. The
/// result goes to standard output.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl mail wrap letter.eml > sealed.eml
  $ encl mail wrap letter.eml --to bob@example.org -o for-bob.eml
  $ encl mail wrap - --crlf < letter.eml | wc -c"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    message: OneMessage,

    #[command(flatten)]
    output: MailOutput,

    /// Encrypt only the attachments, each in its place; text and header stay readable
    #[arg(long, conflicts_with_all = ["subject", "notice", "crlf", "lf"])]
    attachments: bool,

    /// A recipient, instead of the people in To and Cc
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    to: Vec<String>,

    /// A further recipient
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    also: Vec<String>,

    /// What to do with a Bcc field, which every reader would see. Without this option the message is refused
    #[arg(long, value_name = "WHAT")]
    bcc: Option<Bcc>,

    /// The subject that stays unencrypted [default: "[...]"]
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,

    /// Your own notice, shown before the envelope: printable ASCII, at most 78 columns and 4 KiB
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    notice: Option<PathBuf>,

    /// Write CRLF line ends [default: those of the message's first line]
    #[arg(long, conflicts_with = "lf")]
    crlf: bool,

    /// Write LF line ends
    #[arg(long)]
    lf: bool,

    #[command(flatten)]
    seal: SealOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bcc {
    /// Remove the field
    Drop,
    /// Keep the field, for all readers to see
    Keep,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    if arguments.attachments {
        return attachments(arguments, context);
    }
    let input = arguments.message.input("wrap", context)?;
    let terms = arguments.seal.terms(context)?;
    let notice = notice(arguments.notice.as_deref())?;
    let people = context.people()?;
    let target = arguments.output.target();
    let mut source = input.open("wrap")?;
    let output = Output {
        verb: "wrap",
        input: &input,
        target: &target,
    };
    let existing = arguments.output.existing();
    let mut sink = output.open(&source, atomic_file::FileMode::Umask, existing)?;

    let bytes = source.length();
    let content = Progress::new(context.terminal, &input.name(), bytes, &mut source);
    let mut content = BufReader::new(content);
    let header = Header::read(&mut content);
    let header = header.map_err(|error| unreadable(&input, &error))?;
    let head = head(&header, arguments, &input)?;
    let author = Author::of_message(&header, &arguments.seal, &people, context)?;
    let readers = arguments.readers(&header, &author, &people, &input, context)?;
    let keys = Keys::new(context, people.readers());
    let sealing = Sealing::prepare(&arguments.seal, terms, author.signs, &keys, context)?;
    store_cards(&readers, &people, context)?;
    if author.signs.is_none() && !arguments.seal.anonymous {
        context.terminal.notice(unsigned(&author));
    }

    let subject = arguments.subject.as_deref().unwrap_or(SUBJECT);
    let whole = MessageSealer::new(&header, subject, &notice, SealedBy::Sender, arguments.eol());
    whole.warn(context.terminal);
    let request = sealing.request(&readers, whole.about());
    let message = &mut head.as_slice().chain(content);
    let sealed = whole.seal(&request, message, &mut sink, &mut context.rng());
    let sealed = sealed.map_err(|error| seal::not_sealed(&output, error))?;
    output.commit(sink)?;
    Ok(sealing.report(
        "encl.mail-wrap/1",
        (&input, &target),
        &SealedOutput::One(sealed.id),
        &readers,
    )?)
}

/// The same with the attachments only: nothing else of the message is changed.
fn attachments(arguments: &Arguments, context: &Context) -> CommandResult {
    let input = arguments.message.input("wrap", context)?;
    let terms = arguments.seal.terms(context)?;
    let people = context.people()?;
    let target = arguments.output.target();
    let source = MessageSource::open(&input, "wrap", context)?;
    let output = Output {
        verb: "wrap",
        input: &input,
        target: &target,
    };
    let existing = arguments.output.existing();
    let sink = output.open(source.input(), atomic_file::FileMode::Umask, existing)?;
    let attaching = AttachmentSealer::plan(&input, &source)?;
    if attaching.has_none() {
        seal_attachments::tell_none(context);
        return Ok(attaching.copy(sink, &output)?);
    }
    let reader = source.open().map_err(|error| unreadable(&input, &error))?;
    let header = Header::read(&mut BufReader::new(reader));
    let header = header.map_err(|error| unreadable(&input, &error))?;
    if arguments.bcc != Some(Bcc::Keep) && !recipients::blind(&header).is_empty() {
        return Err(input
            .cannot("wrap", Exit::Usage)
            .reason("it has a Bcc field, whose recipients could not open the attachments")
            .hint("--bcc keep leaves the field as it is; `encl mail send` encrypts for Bcc recipients separately")
            .into());
    }
    let author = Author::of_message(&header, &arguments.seal, &people, context)?;
    let readers = arguments.readers(&header, &author, &people, &input, context)?;
    let keys = Keys::new(context, people.readers());
    let sealing = Sealing::prepare(&arguments.seal, terms, author.signs, &keys, context)?;
    store_cards(&readers, &people, context)?;
    if author.signs.is_none() && !arguments.seal.anonymous {
        context.terminal.notice(unsigned(&author));
    }
    Ok(attaching.write(sink, &output, &sealing, &readers)?)
}

impl Arguments {
    fn readers(
        &self,
        header: &Header,
        author: &Author<'_>,
        people: &People,
        input: &Input,
        context: &Context,
    ) -> Result<Recipients, Failure> {
        let readers = if self.to.is_empty() {
            header_recipients::of_header(header, &self.also, author.reads, people, context, input)?
        } else {
            let names = [&self.to[..], &self.also[..]].concat();
            Recipients::resolve(&names, author.reads, people, context.now)?
        };
        if self.seal.require_verified {
            readers.require_verified()?;
        }
        Ok(readers)
    }

    fn eol(&self) -> Option<Eol> {
        match (self.crlf, self.lf) {
            (true, _) => Some(Eol::CrLf),
            (_, true) => Some(Eol::Lf),
            _ => None,
        }
    }
}

/// The header block as it is sealed.
fn head(header: &Header, arguments: &Arguments, input: &Input) -> Result<Vec<u8>, Failure> {
    if recipients::blind(header).is_empty() {
        return Ok(header.bytes().to_vec());
    }
    match arguments.bcc {
        Some(Bcc::Drop) => Ok(recipients::without_blind(header)),
        Some(Bcc::Keep) => Ok(header.bytes().to_vec()),
        None => Err(input
            .cannot("wrap", Exit::Usage)
            .reason("it has a Bcc field, which every recipient would see")
            .hint(
                "`encl mail send` encrypts for Bcc recipients separately; --bcc drop takes the field out",
            )),
    }
}

fn unsigned(author: &Author<'_>) -> &'static str {
    if author.reads.is_none() {
        "not signed, and you cannot open it yourself: you have no identity for it"
    } else {
        "not signed: none of your identities has the address in From"
    }
}

/// The text in front of the envelope.
pub(crate) fn notice(file: Option<&Path>) -> Result<Notice, Failure> {
    let Some(path) = file else {
        return Ok(Notice::default());
    };
    let what = format!("cannot use the notice {}", shown(path));
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| {
        file.take(NOTICE_BYTES_MAX as u64 + 1)
            .read_to_string(&mut text)
    });
    match read {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Failure::new(Exit::Usage, what).reason("it is not printable ASCII"))
        }
        Err(error) => Err(Failure::io(what, &error).file(path)),
        Ok(_) => Notice::new(&text)
            .map_err(|error| Failure::new(Exit::Usage, what).reason(error.to_string())),
    }
}

fn unreadable(input: &Input, error: &io::Error) -> Failure {
    input.cannot("wrap", Exit::Failed).reason(io_message(error))
}
