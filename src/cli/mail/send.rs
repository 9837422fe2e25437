//! `encl mail send`: stands where a mail program expects its sendmail.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::envelope::SealError;
use encl::mail::{
    Header, HeaderEnd, Invocation, Mailbox, MaildirPlace, Notice, Reread, SealedBy, parse_list,
    recipients,
};

use super::super::addressing;
use super::super::context::Context;
use super::super::files::Input;
use super::super::help::sysexit_closing;
use super::super::keys::Keys;
use super::super::people::{People, Person};
use super::super::readers::Readers;
use super::super::report::{Exit, Failure, Outcome, Stop, system_words};
use super::super::sealing::{SealOptions, Sealing};
use super::super::store;
use super::super::terminal::safe;
use super::author::Author;
use super::source::MessageSource;
use super::sysexits::{self, Sysexit};
use super::whole::{SUBJECT, Whole};
use super::{child, maildir, wrap};

/// Fields that a message has once (RFC 5322 §3.6); with two of them readers would not agree on what it says.
const ONCE: [&str; 3] = ["From", "Date", "Message-ID"];

/// Seal a message and hand it to a sendmail
///
/// Takes the message on standard input and the recipients behind the sendmail's options, as mail programs give them. Nothing
/// is sent when one of them is unknown. Recipients whom no header field names are blind: each gets a message of its own.
#[derive(Debug, Args)]
#[command(after_help = sysexit_closing("\
  $ encl mail send -- sendmail -oem -oi -- bob@example.org < letter.eml
  $ encl mail send --fcc sent -- sendmail -t < letter.eml"))]
pub(crate) struct Arguments {
    /// Keep a copy, sealed to me, in this Maildir
    #[arg(long, value_name = "MAILDIR", value_hint = ValueHint::DirPath)]
    fcc: Option<PathBuf>,

    /// The subject outside [default: "[...]"]
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,

    /// An own text in front of the envelope: printable ASCII, at most 78 columns and 4 KiB
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    notice: Option<PathBuf>,

    #[command(flatten)]
    seal: SealOptions,

    /// The sendmail, its options and the recipients; `-t` takes those in the header too
    #[arg(last = true, required = true, value_name = "SENDMAIL")]
    sendmail: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> Outcome {
    sysexits::ended(|| send(arguments, context))
}

fn send(arguments: &Arguments, context: &Context) -> Outcome {
    let call = Invocation::parse(&arguments.sendmail)
        .map_err(|error| cannot(Exit::Usage).because(safe(&error.to_string())))?;
    let terms = arguments.seal.terms(context)?;
    let notice = wrap::notice(arguments.notice.as_deref())?;
    context.passphrases.stdin_is_data();
    let source = MessageSource::open(&Input::Stdin, "send", context)?;
    let letter = Letter::read(&source)?;
    let people = store::people(context)?;
    let author = author(&letter.header, &arguments.seal, &people, context)?;
    let mailings = mailings(&call, &letter.header, author.reads, &people, context)?;
    for mailing in mailings.iter().filter(|_| arguments.seal.require_verified) {
        mailing.readers.require_verified()?;
    }
    let mut keys = Keys::new(context, &people.mine);
    let sealing = Sealing::prepare(&arguments.seal, terms, author.signs, &mut keys, context)?;
    for mailing in &mailings {
        mailing.readers.remember(context)?;
    }
    let sealer = Sealer {
        letter: &letter,
        sealing: &sealing,
        notice: &notice,
        subject: arguments.subject.as_deref().unwrap_or(SUBJECT),
    };
    sealer.whole().warn(context.terminal);

    // Everything is sealed before anything is sent.
    let sealed = mailings.iter().map(|mailing| sealer.seal(&mailing.readers));
    let sealed = sealed.collect::<Result<Vec<File>, Failure>>()?;
    let copy = match &arguments.fcc {
        None => None,
        Some(folder) => Some((folder, sealer.copy(author.signs.or(author.reads))?)),
    };
    let copy = match &copy {
        None => None,
        Some((folder, message)) => {
            let mut message = rewound(message)?;
            Some(maildir::place(
                folder,
                MaildirPlace::Seen,
                &mut message,
                context,
            )?)
        }
    };
    hand_over(&call, &mailings, &sealed, context)?;
    if let Some(copy) = copy {
        let kept = copy.commit();
        kept.map_err(|failure| failure.because("the message itself was sent"))?;
    }
    Ok(())
}

fn cannot(exit: Exit) -> Failure {
    Failure::new(exit, "cannot send the message")
}

/// The message to be sent.
struct Letter<'a> {
    source: &'a MessageSource,
    header: Header,
    /// The header as it is sealed: no reader sees who the blind ones are.
    head: Vec<u8>,
}

impl<'a> Letter<'a> {
    fn read(source: &'a MessageSource) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| {
            cannot(Exit::Failed)
                .because(system_words(&error))
                .sysexit(Sysexit::IoErr)
        };
        let reader = source.reread().map_err(unreadable)?;
        let header = Header::read(&mut BufReader::new(reader)).map_err(unreadable)?;
        if header.end() == HeaderEnd::OverLimit {
            return Err(cannot(Exit::Damaged).because("its header is longer than 1 MiB"));
        }
        if header.fields().next().is_none() {
            return Err(cannot(Exit::Damaged).because("it is no message: it has no header field"));
        }
        if let Some(name) = ONCE.iter().find(|name| header.all(name).count() > 1) {
            return Err(cannot(Exit::Damaged).because(format!("it has two fields {name}")));
        }
        Ok(Self {
            source,
            head: recipients::without_blind(&header),
            header,
        })
    }

    fn content(&self) -> io::Result<impl Read + '_> {
        let mut rest = self.source.reread()?;
        let header_bytes = self.header.bytes().len() as u64;
        io::copy(&mut rest.by_ref().take(header_bytes), &mut io::sink())?;
        Ok(self.head.as_slice().chain(rest))
    }
}

/// Nothing goes out under my name that I did not sign, unless I say so.
fn author<'a>(
    header: &Header,
    options: &SealOptions,
    people: &'a People,
    context: &Context,
) -> Result<Author<'a>, Failure> {
    let author = Author::of_message(header, options, people, context)?;
    if author.signs.is_some() || options.anonymous {
        return Ok(author);
    }
    let from = header.first("From").map(|field| safe(&field.text()));
    let from = from.unwrap_or_else(|| "nobody".to_owned());
    Err(cannot(Exit::Usage)
        .because(format!("it is from {from}, and none of your identities carries that address"))
        .hint("--as WHO signs with another identity, --anonymous does not sign; `encl key list` shows your identities")
        .sysexit(Sysexit::Config))
}

/// One message that goes out: who can read it, and whom the sendmail is told.
struct Mailing {
    readers: Readers,
    recipients: Vec<String>,
}

/// One message for everybody whom the header names, and one for each who is blind.
fn mailings(
    call: &Invocation,
    header: &Header,
    me: Option<&Person>,
    people: &People,
    context: &Context,
) -> Result<Vec<Mailing>, Failure> {
    let visible = mailboxes(&recipients::visible(header))?;
    let mut typed = typed(call)?;
    if call.from_header {
        let mut named = visible.clone();
        named.extend(mailboxes(&recipients::blind(header))?);
        typed.extend(
            named
                .into_iter()
                .map(|mailbox| (mailbox.address.clone(), mailbox)),
        );
    }
    let mut seen: Vec<String> = Vec::new();
    typed.retain(|(_, mailbox)| {
        let known = seen
            .iter()
            .any(|known| addressing::is_same(known, &mailbox.address));
        seen.push(mailbox.address.clone());
        !known
    });
    if typed.is_empty() {
        return Err(cannot(Exit::Usage).because("no recipient is named"));
    }
    // All of them are looked up at once, so that all who are unknown are named at once.
    let everybody: Vec<Mailbox> = typed.iter().map(|(_, mailbox)| mailbox.clone()).collect();
    addressing::people_at(&everybody, people, context)?;

    let is_visible = |mailbox: &Mailbox| {
        visible
            .iter()
            .any(|seen| addressing::is_same(&seen.address, &mailbox.address))
    };
    let (open, blind): (Vec<_>, Vec<_>) = typed
        .into_iter()
        .partition(|(_, mailbox)| is_visible(mailbox));
    let mut groups = Vec::new();
    if !open.is_empty() {
        groups.push(open);
    }
    groups.extend(blind.into_iter().map(|one| vec![one]));
    let mailing = |group: Vec<(String, Mailbox)>| {
        let (recipients, mailboxes): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let found = addressing::people_at(&mailboxes, people, context)?;
        let readers = Readers::of_found(found, me, context)?;
        Ok(Mailing {
            readers,
            recipients,
        })
    };
    groups.into_iter().map(mailing).collect()
}

/// The recipients on the command line, each with its word.
fn typed(call: &Invocation) -> Result<Vec<(String, Mailbox)>, Failure> {
    let one = |word: &String| {
        let mut list = parse_list(word).map_err(|error| malformed(word, &error.to_string()))?;
        match (list.pop(), list.is_empty()) {
            (Some(mailbox), true) => Ok((word.clone(), mailbox)),
            _ => Err(malformed(word, "it is not one address")),
        }
    };
    call.recipients.iter().map(one).collect()
}

fn mailboxes(fields: &[encl::mail::Field<'_>]) -> Result<Vec<Mailbox>, Failure> {
    let mut mailboxes = Vec::new();
    for field in fields {
        let list = parse_list(&field.text());
        mailboxes.extend(list.map_err(|error| malformed(field.name, &error.to_string()))?);
    }
    Ok(mailboxes)
}

fn malformed(what: &str, error: &str) -> Failure {
    cannot(Exit::Recipient)
        .because(format!("the addresses in `{}` cannot be read", safe(what)))
        .because(safe(error))
        .sysexit(Sysexit::DataErr)
}

/// Seals the message for one set of readers after the other.
struct Sealer<'a> {
    letter: &'a Letter<'a>,
    sealing: &'a Sealing<'a>,
    notice: &'a Notice,
    subject: &'a str,
}

impl Sealer<'_> {
    fn whole(&self) -> Whole<'_> {
        Whole::new(
            &self.letter.header,
            self.subject,
            self.notice,
            SealedBy::Sender,
            None,
        )
    }

    fn seal(&self, readers: &Readers) -> Result<File, Failure> {
        let whole = self.whole();
        let request = self.sealing.request(readers, whole.about());
        let mut rng = self.sealing.context.rng();
        let sealed = || {
            let mut file = tempfile::tempfile().map_err(SealError::Write)?;
            let mut content = self.letter.content().map_err(SealError::Read)?;
            whole.seal(&request, &mut content, &mut file, &mut rng)?;
            Ok(file)
        };
        sealed_or(sealed)
    }

    /// My copy: nobody else is named on it.
    fn copy(&self, me: Option<&Person>) -> Result<File, Failure> {
        let me = me.ok_or_else(|| {
            let failure = cannot(Exit::Usage).because("there is nobody to seal the copy to");
            failure
                .hint("`encl key new ADDRESS` makes an identity")
                .sysexit(Sysexit::Config)
        })?;
        self.seal(&Readers::of_found(
            Vec::new(),
            Some(me),
            self.sealing.context,
        )?)
    }
}

fn sealed_or(seal: impl FnOnce() -> Result<File, SealError>) -> Result<File, Failure> {
    seal().map_err(|error| match error {
        SealError::Read(error) | SealError::Write(error) => {
            cannot(Exit::Failed).because(system_words(&error))
        }
        SealError::Passphrase(error) => cannot(Exit::Locked).caused_by(&error),
        SealError::Request(reason) => cannot(Exit::Usage).because(safe(&reason)),
    })
}

fn rewound(file: &File) -> Result<impl Read + use<>, Failure> {
    let mut file = file
        .try_clone()
        .map_err(|error| Failure::io("cannot read the copy", &error))?;
    let start = io::Seek::rewind(&mut file);
    start.map_err(|error| Failure::io("cannot read the copy", &error))?;
    Ok(file)
}

/// Runs the sendmail once for each message. What was sent before a failure cannot be called back, and is said.
fn hand_over(
    call: &Invocation,
    mailings: &[Mailing],
    sealed: &[File],
    context: &Context,
) -> Result<(), Stop> {
    let mut sent: Vec<&str> = Vec::new();
    for (mailing, message) in mailings.iter().zip(sealed) {
        let mut arguments = call.options.clone();
        arguments.push("--".into());
        arguments.extend(mailing.recipients.iter().map(OsString::from));
        if let Err(stop) = child::run(&call.program, &arguments, message) {
            if !sent.is_empty() {
                let sent = safe(&sent.join(", "));
                context
                    .terminal
                    .warning(&format!("it was sent to {sent} before this"));
            }
            return Err(stop);
        }
        sent.extend(mailing.recipients.iter().map(String::as_str));
    }
    Ok(())
}
