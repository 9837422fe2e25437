//! `encl mail wrap`: a message becomes a message around an envelope.

use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::atomic_file;
use encl::directory::{People, Recipients};
use encl::mail::attachments::Extent;
use encl::mail::{Eol, Header, Reopen, SealedBy, decoded_words, recipients};
use encl::operations::MyKeys;
use encl::operations::mail::outgoing::attachments::AttachmentSealError;
use encl::operations::mail::outgoing::attachments::AttachmentSealer;
use encl::operations::mail::outgoing::author::Author;
use encl::operations::mail::outgoing::recipients::recipients_of_header;
use encl::operations::mail::outgoing::seal_message::MessageSealer;
use encl::operations::mail::outgoing::seal_message::SUBJECT;

use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::mail::message::MailOutput;
use crate::cli::args::mail::message::OneMessage;
use crate::cli::args::mail::message::notice;
use crate::cli::args::seal::SealOptions;
use crate::cli::context::Context;
use crate::cli::display::mail::{show_address_notice, show_outer_warnings};
use crate::cli::errors::{CommandResult, Exit, Failure, io_message, mail};
use crate::cli::files::input::Input;
use crate::cli::files::output::{Output, Sink};
use crate::cli::files::spool::{MessageSource, not_scanned};
use crate::cli::operations::mail::author::author_of_message;
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::seal;
use crate::cli::operations::seal::{SealedOutput, Sealing};
use crate::cli::terminal::progress::Progress;
use encl::operations::seal::SealTerms;

/// Encrypt a message for the people in its To and Cc
///
/// Subject, text and attachments are encrypted, every byte of them. Only the fields that mail servers need stay readable. The
/// result goes to standard output.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl mail wrap letter.eml > sealed.eml
  $ encl mail wrap letter.eml --to bob@example.org -o for-bob.eml
  $ encl mail wrap - --crlf < letter.eml | wc -c"))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one switch of the command line"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    message: OneMessage,

    #[command(flatten)]
    output: MailOutput,

    /// Encrypt only the attachments, each in its place; text and header stay readable. A message that is itself a file, without
    /// a text, is encrypted as a whole
    #[arg(long, conflicts_with_all = ["subject", "notice", "crlf", "lf"])]
    attachments: bool,

    /// With --attachments, pass a message without attachments on as it is. Without this option it is refused
    #[arg(long, requires = "attachments")]
    if_any: bool,

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
    // Before anything is written: the file may be missing.
    notice(arguments.notice.as_deref())?;
    let people = context.people()?;
    let target = arguments.output.target();
    let mut source = input.open("wrap")?;
    let output = Output {
        verb: "wrap",
        input: &input,
        target: &target,
    };
    let existing = arguments.output.existing();
    let sink = output.open(&source, atomic_file::FileMode::Umask, existing)?;

    let bytes = source.length();
    let content = Progress::new(context.terminal, &input.name(), bytes, &mut source);
    let job = Job {
        arguments,
        input: &input,
        output: &output,
        terms,
        people: &people,
    };
    let subject = |_: &Header| arguments.subject.clone();
    job.seal_whole(content, subject, sink, context)
}

/// A message that is wrapped.
struct Job<'a> {
    arguments: &'a Arguments,
    input: &'a Input,
    output: &'a Output<'a>,
    terms: SealTerms,
    people: &'a People,
}

impl Job<'_> {
    /// Seals all of `content`. `subject` gives the one that stands outside.
    fn seal_whole(
        self,
        content: impl Read + Send,
        subject: impl FnOnce(&Header) -> Option<String>,
        mut sink: Sink,
        context: &Context,
    ) -> CommandResult {
        let Self {
            arguments,
            input,
            output,
            people,
            ..
        } = self;
        let notice = notice(arguments.notice.as_deref())?;
        let mut content = BufReader::new(content);
        let header = Header::read(&mut content);
        let header = header.map_err(|error| unreadable(input, &error))?;
        let head = head(&header, arguments, input)?;
        let author = author_of_message(&header, &arguments.seal, people, context)?;
        let readers = arguments.readers(&header, &author, people, input, context)?;
        let keys = MyKeys::new(context, people.readers());
        let sealing = Sealing::prepare(&arguments.seal, self.terms, author.signs, &keys, context)?;
        store_cards(&readers, people, context)?;
        if author.signs.is_none() && !arguments.seal.anonymous {
            context.terminal.notice(unsigned(&author));
        }
        let subject = subject(&header);
        let subject = subject.as_deref().unwrap_or(SUBJECT);
        let eol = arguments.eol();
        let sealer = MessageSealer::new(&header, subject, &notice, SealedBy::Sender, eol);
        show_outer_warnings(sealer.warnings(), context.terminal);
        let request = sealing.request(&readers, sealer.info());
        let message = &mut head.as_slice().chain(content);
        let sealed = sealer.seal(&request, message, &mut sink, &mut context.rng());
        let sealed = sealed.map_err(|error| seal::not_sealed(output, error))?;
        output.commit(sink)?;
        Ok(sealing.report(
            "encl.mail-wrap/1",
            (input, output.target),
            &SealedOutput::One(sealed.id),
            &readers,
        )?)
    }
}

/// Seals the attachments only; nothing else of the message is changed.
fn attachments(arguments: &Arguments, context: &Context) -> CommandResult {
    let input = arguments.message.input("wrap", context)?;
    let terms = arguments.seal.terms(context)?;
    let people = context.people()?;
    let target = arguments.output.target();
    let source = MessageSource::open(&input, "wrap", &mut context.rng())?;
    let output = Output {
        verb: "wrap",
        input: &input,
        target: &target,
    };
    let existing = arguments.output.existing();
    let mut sink = output.open(source.input(), atomic_file::FileMode::Umask, existing)?;
    let sealer = AttachmentSealer::plan(&source);
    let sealer = sealer.map_err(|error| not_scanned(&input, "wrap", error))?;
    match sealer.extent() {
        Extent::Parts => {}
        Extent::Whole => {
            context.terminal.notice(
                "the message is itself the file: it is encrypted as a whole, except its subject",
            );
            let job = Job {
                arguments,
                input: &input,
                output: &output,
                terms,
                people: &people,
            };
            let content = source.open().map_err(|error| unreadable(&input, &error))?;
            return job.seal_whole(content, subject, sink, context);
        }
        extent => return passed_on(arguments, &source, extent, (&output, sink), context),
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
    let author = author_of_message(&header, &arguments.seal, &people, context)?;
    let readers = arguments.readers(&header, &author, &people, &input, context)?;
    let keys = MyKeys::new(context, people.readers());
    let sealing = Sealing::prepare(&arguments.seal, terms, author.signs, &keys, context)?;
    store_cards(&readers, &people, context)?;
    if author.signs.is_none() && !arguments.seal.anonymous {
        context.terminal.notice(unsigned(&author));
    }
    let sealed = sealer.seal(&sealing, &readers, &mut sink, &mut context.rng());
    let ids = sealed.map_err(|error| match error {
        AttachmentSealError::Seal(error) => seal::not_sealed(&output, error),
        AttachmentSealError::Copy(error) => output.not_written(&error),
    })?;
    output.commit(sink)?;
    Ok(sealing.report(
        "encl.mail-wrap/1",
        (&input, &target),
        &SealedOutput::Parts(ids),
        &readers,
    )?)
}

/// The subject as it is, where only attachments are to be encrypted.
fn subject(header: &Header) -> Option<String> {
    let mut fields = header.certain_fields();
    let subject = fields.find(|field| field.name.eq_ignore_ascii_case("Subject"));
    subject.map(|field| decoded_words(&field.text()))
}

/// Nothing of the message is to be encrypted.
fn passed_on(
    arguments: &Arguments,
    source: &MessageSource,
    extent: Extent,
    (output, mut sink): (&Output<'_>, Sink),
    context: &Context,
) -> CommandResult {
    let input = output.input;
    if extent == Extent::AlreadySealed {
        context
            .terminal
            .notice("its attachments are encrypted already: nothing was changed");
    } else if arguments.if_any {
        context
            .terminal
            .warning("the message has no attachment: nothing was encrypted");
    } else {
        return Err(input
            .cannot("wrap", Exit::Usage)
            .reason("the message has no attachment, so nothing would be encrypted")
            .hint("--if-any passes such a message on as it is; without --attachments all of it is encrypted")
            .into());
    }
    let mut message = source.open().map_err(|error| unreadable(input, &error))?;
    io::copy(&mut message, &mut sink).map_err(|error| output.not_written(&error))?;
    Ok(output.commit(sink)?)
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
            let show = &mut |notice| show_address_notice(&notice, context.terminal);
            recipients_of_header(header, &self.also, author.reads, people, context.now, show)
                .map_err(|error| mail::no_recipients(error, &|exit| input.cannot("wrap", exit)))?
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

fn unreadable(input: &Input, error: &io::Error) -> Failure {
    input.cannot("wrap", Exit::Failed).reason(io_message(error))
}
