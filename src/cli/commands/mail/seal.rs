//! `encl mail seal`: the mail that lies on the server already becomes sealed mail.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::crypto::KeyId;
use encl::crypto::kdf::ContentKey;
use encl::directory::{People, Recipients, resolve};
use encl::envelope::{
    Addressee, Envelope, LockRequest, OpenError, SealError, SealRequest, Workers,
};
use encl::mail::archive::{Decision, Direction, Transform};
use encl::mail::{
    Header, Notice, Outer, Reopen, SealedBy, differences, find, open_body, parse_list,
};
use encl::policy::{Conditions, Padding};
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::cli::commands::mail::wrap;
use crate::cli::commands::program::completions::who as who_completer;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally, io_message};
use crate::cli::operations::mail::compare::CompareWriter;
use crate::cli::operations::mail::is_sealed::{is_sealed_for, sealed_for};
use crate::cli::operations::mail::mailbox;
use crate::cli::operations::mail::mailbox::{ArchiveOptions, Words};
use crate::cli::operations::mail::seal_message::{MessageSealer, SUBJECT};
use crate::cli::operations::recipients::{at_mailboxes, store_cards};
use crate::cli::terminal::safe;

const WORDS: Words = Words {
    verb: "seal",
    done: "sealed",
    schema: "encl.mail-seal/1",
};

/// Encrypt the messages of a mailbox in place
///
/// Needs only the owner's card. Each message is encrypted with its header, read back from the disk and decrypted before its
/// plain file is removed. Messages already encrypted stay as they are, so after an interruption run the same command again.
/// Plain text can still be in freed disk blocks, in backups and in caches of mail programs.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl mail seal mailbox --for bob@example.org --dry-run
  $ encl mail seal mailbox --for alice@example.org --purge-caches
  $ encl mail seal archive.mbox --for alice@example.org --keep-original originals"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: ArchiveOptions,

    /// The owner of the mail: an address, or another name of a person or group in the keystore
    #[arg(long = "for", value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    owners: Vec<String>,

    /// Also remove `dovecot.index.cache` files, which hold unencrypted subjects
    #[arg(long)]
    purge_caches: bool,

    /// Your own notice, shown before each envelope: printable ASCII, at most 78 columns and 4 KiB
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    notice: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let notice = wrap::notice(arguments.notice.as_deref())?;
    let people = context.people()?;
    let readers = owners(&arguments.owners, &people, context)?;
    if !arguments.archive.is_rehearsal() {
        store_cards(&readers, &people, context)?;
    }
    let sealing = Sealing {
        keys: readers
            .addressees
            .iter()
            .map(|reader| reader.recipient.key)
            .collect(),
        addressees: readers.addressees,
        notice,
        now: context.now,
    };
    let sealed = mailbox::run(&arguments.archive, &sealing, &WORDS, context);
    if arguments.purge_caches && !arguments.archive.is_rehearsal() {
        let mut tally = Tally::default();
        for path in arguments.archive.paths() {
            tally.add(context.terminal, mailbox::purge_caches(path, context));
        }
        return sealed.and(tally.end());
    }
    sealed
}

/// Whoever is named: by an address, as mail does, or in any other way.
fn owners(names: &[String], people: &People, context: &Context) -> Result<Recipients, Failure> {
    let mut found = Vec::new();
    for name in names {
        let is_card =
            name.contains('/') || Path::new(name).extension().is_some_and(|e| e == "card");
        let is_address = name.find('@').is_some_and(|at| at > 0) && !is_card;
        found.extend(match parse_list(name) {
            Ok(mailboxes) if is_address => at_mailboxes(&mailboxes, people, context)?,
            _ => resolve(&[name], people)?,
        });
    }
    Ok(Recipients::new(found, None, context.now)?)
}

/// Makes the sealed form.
struct Sealing {
    addressees: Vec<Addressee>,
    /// The keys of those who can read it.
    keys: Vec<KeyId>,
    notice: Notice,
    now: Time,
}

impl Sealing {
    fn request(&self, whole: &MessageSealer<'_>) -> SealRequest<'_> {
        SealRequest {
            locks: vec![LockRequest {
                recipients: self.addressees.clone(),
                ..LockRequest::default()
            }],
            signer: None,
            private: false,
            padding: Padding::None,
            created: Some(self.now),
            conditions: Conditions::default(),
            labels: BTreeMap::new(),
            info: whole.about(),
            aligned: false,
            workers: Workers::ONE,
        }
    }
}

impl Transform for Sealing {
    type Receipt = ContentKey;
    type Error = Failure;

    fn direction(&self) -> Direction {
        Direction::Seal
    }

    fn decide(&self, message: &dyn Reopen) -> Result<Decision, Failure> {
        let is_sealed = is_sealed_for(message, &self.keys).map_err(|error| unreadable(&error))?;
        Ok(if is_sealed {
            Decision::Already
        } else {
            Decision::Change
        })
    }

    fn write(
        &self,
        message: &dyn Reopen,
        out: &mut (dyn Write + Send),
    ) -> Result<ContentKey, Failure> {
        let mut content = BufReader::new(message.open().map_err(|error| unreadable(&error))?);
        let header = Header::read(&mut content).map_err(|error| unreadable(&error))?;
        let whole = MessageSealer::new(&header, SUBJECT, &self.notice, SealedBy::Archive, None);
        let content = &mut header.bytes().chain(content);
        let sealed = whole.seal(&self.request(&whole), content, out, &mut UnwrapErr(SysRng));
        let sealed = sealed.map_err(|error| match error {
            SealError::Read(error) => unreadable(&error),
            SealError::Write(error) => cannot(Exit::Failed).reason(io_message(&error)),
            other => cannot(Exit::Failed).reason(safe(&other.to_string())),
        })?;
        Ok(sealed.key)
    }

    fn verify(
        &self,
        key: ContentKey,
        written: &dyn Reopen,
        message: &dyn Reopen,
    ) -> Result<(), Failure> {
        let wrong = |why: &str| {
            let failure =
                cannot(Exit::Failed).reason("the written file does not read back the same");
            failure.reason(why)
        };
        let mut text = written.open().map_err(|error| unreadable(&error))?;
        let found = find(&mut text).map_err(|error| wrong(&error.to_string()))?;
        let sealed = sealed_for(&found, written, &self.keys).map_err(|error| unreadable(&error))?;
        let sealed = sealed.ok_or_else(|| wrong("it is not recognised as encrypted"))?;
        let body = open_body(written, sealed).map_err(|error| unreadable(&error))?;
        let opened = |error: OpenError| wrong(&safe(&error.to_string()));
        let content = Envelope::read(body).and_then(|envelope| envelope.reopen(&key));
        let original = message.open().map_err(|error| unreadable(&error))?;
        let mut comparing = CompareWriter::with(original);
        content
            .map_err(opened)?
            .copy_to(&mut comparing, Workers::ONE)
            .map_err(opened)?;
        match comparing.same().map_err(|error| unreadable(&error))? {
            true => Ok(()),
            false => Err(wrong("the message in it is a different one")),
        }
    }

    /// Nobody's private key is here to open it: a sealed message for the same readers, with the same fields outside.
    fn is_form_of(&self, other: &dyn Reopen, message: &dyn Reopen) -> Result<bool, Failure> {
        let failed = |error: io::Error| unreadable(&error);
        if !is_sealed_for(other, &self.keys).map_err(failed)? {
            return Ok(false);
        }
        let header = |source: &dyn Reopen| Header::read(&mut BufReader::new(source.open()?));
        let (outside, inside) = (
            header(other).map_err(failed)?,
            header(message).map_err(failed)?,
        );
        let fields = Outer::of(&inside, SUBJECT).fields;
        Ok(differences(&fields, &outside).is_empty())
    }
}

fn cannot(exit: Exit) -> Failure {
    Failure::new(exit, "cannot seal the message")
}

fn unreadable(error: &io::Error) -> Failure {
    cannot(Exit::Failed).reason(format!("it cannot be read: {}", io_message(error)))
}
