//! `encl mail unseal`: a sealed mailbox becomes plain again.

use std::io::{self, Write};

use clap::Args;
use encl::crypto::passphrase::Passphrase;
use encl::crypto::{KeyId, PrivateKey};
use encl::directory::{People, Person};
use encl::envelope::{Content, Envelope, Keyring, KeyringError, OpenError, ReaderKey, Workers};
use encl::identity::Identity;
use encl::mail::archive::{Decision, Direction, Transform};
use encl::mail::{Reopen, find, open_body};
use encl::time::Time;

use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit, Failure, io_message};
use crate::cli::files::input::Input;
use crate::cli::operations::mail::compare::CompareWriter;
use crate::cli::operations::mail::is_sealed::sealed_for;
use crate::cli::operations::mail::mailbox;
use crate::cli::operations::mail::mailbox::{ArchiveOptions, Words};
use crate::cli::operations::open;
use crate::cli::secrets::keyring;

const WORDS: Words = Words {
    verb: "unseal",
    done: "unsealed",
    schema: "encl.mail-unseal/1",
};

/// Decrypt the messages of a mailbox in place
///
/// Every message encrypted for me, by any sender, is replaced by the original message, byte for byte. A message that cannot be
/// decrypted stays as it is.
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
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let people = context.people()?;
    let identity = arguments.identity.as_deref();
    let unsealing = Unsealing::with_my_keys("unseal", identity, &people, context)?;
    mailbox::run(&arguments.archive, &unsealing, &WORDS, context)
}

fn mine<'a>(
    verb: &str,
    identity: Option<&str>,
    people: &'a People,
    context: &Context,
) -> Result<Vec<&'a Person>, Failure> {
    if people.readers().next().is_none() {
        let what = format!("cannot {verb} anything");
        return Err(Failure::new(Exit::NotForYou, what).reason("you have no identity"));
    }
    match context.identity_name(identity) {
        Some(name) => Ok(vec![people.my_identity(&name)?]),
        None => Ok(people.readers().collect()),
    }
}

fn reader_keys(mine: &[&Person]) -> Vec<ReaderKey> {
    let keys = mine.iter().flat_map(|person| person.card.keys());
    keys.map(|key| ReaderKey {
        id: key.public.key_id(),
        kem: key.public.kem(),
    })
    .collect()
}

/// Why a message with an envelope in it stays as it is.
const OTHER: &str = "the envelope in it is not for you, or covers only part of the message";

/// A message, as whoever has these keys sees it.
pub(crate) enum Look<'m> {
    /// No envelope is in it.
    Plain,
    /// Another message is sealed in it, opened as far as its private line.
    Mine(Box<Content<Box<dyn io::Read + Send + 'm>>>),
    /// An envelope is in it that is somebody else's, or an attachment.
    Other,
}

/// Makes the plain form.
pub(crate) struct Unsealing {
    keys: Vec<ReaderKey>,
    identities: Vec<Identity>,
    now: Time,
}

/// The same keys for every thread.
struct Unlocked<'a>(&'a Unsealing);

impl Keyring for Unlocked<'_> {
    fn keys(&self) -> Vec<ReaderKey> {
        self.0.keys.clone()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        let mut found = self
            .0
            .identities
            .iter()
            .filter_map(|identity| identity.private_key(key));
        Ok(found
            .next()
            .ok_or("the identity file does not have the key that its card names")?)
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Err("only a passphrase opens it; `encl mail unwrap` asks for it".into())
    }
}

impl Unsealing {
    /// With one of my identities, or all of them; each is unlocked now.
    pub(crate) fn with_my_keys(
        verb: &str,
        identity: Option<&str>,
        people: &People,
        context: &Context,
    ) -> Result<Self, Failure> {
        let mine = mine(verb, identity, people, context)?;
        let identities = mine.iter().map(|person| keyring::unlock(context, person));
        Ok(Self {
            keys: reader_keys(&mine),
            identities: identities.collect::<Result<_, _>>()?,
            now: context.now,
        })
    }

    /// What a message is to me.
    pub(crate) fn look<'m>(&self, message: &'m dyn Reopen) -> Result<Look<'m>, Failure> {
        let mut text = message.open().map_err(|error| unreadable(&error))?;
        let Ok(found) = find(&mut text) else {
            return Ok(Look::Plain);
        };
        let ids: Vec<KeyId> = self.keys.iter().map(|key| key.id).collect();
        let sealed = sealed_for(&found, message, &ids).map_err(|error| unreadable(&error))?;
        let Some(sealed) = sealed else {
            let holds_none = found.envelopes.is_empty();
            return Ok(if holds_none { Look::Plain } else { Look::Other });
        };
        let body = open_body(message, sealed).map_err(|error| unreadable(&error))?;
        let content = Envelope::read(body)
            .and_then(|envelope| envelope.unlock(&mut Unlocked(self), self.now))
            .map_err(not_opened)?;
        let is_message =
            crate::cli::operations::mail::incoming::sender_check::is_message(content.metadata());
        Ok(if is_message {
            Look::Mine(Box::new(content))
        } else {
            Look::Other
        })
    }

    fn opened<'m>(
        &self,
        message: &'m dyn Reopen,
    ) -> Result<Content<Box<dyn io::Read + Send + 'm>>, Failure> {
        match self.look(message)? {
            Look::Mine(content) => Ok(*content),
            _ => Err(cannot(Exit::Damaged).reason("it is not encrypted for you")),
        }
    }

    fn holds(&self, sealed: &dyn Reopen, plain: &dyn Reopen) -> Result<bool, Failure> {
        let plain = plain.open().map_err(|error| unreadable(&error))?;
        let mut comparing = CompareWriter::with(plain);
        self.opened(sealed)?
            .copy_to(&mut comparing, Workers::ONE)
            .map_err(not_opened)?;
        comparing.same().map_err(|error| unreadable(&error))
    }
}

impl Transform for Unsealing {
    type Receipt = ();
    type Error = Failure;

    fn direction(&self) -> Direction {
        Direction::Unseal
    }

    fn decide(&self, message: &dyn Reopen) -> Result<Decision, Failure> {
        Ok(match self.look(message)? {
            Look::Mine(_) => Decision::Change,
            Look::Plain => Decision::Already,
            Look::Other => Decision::Skip(OTHER.to_owned()),
        })
    }

    fn write(&self, message: &dyn Reopen, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
        self.opened(message)?
            .copy_to(out, Workers::ONE)
            .map(drop)
            .map_err(|error| match error {
                OpenError::Write(error) => cannot(Exit::Failed).reason(io_message(&error)),
                other => not_opened(other),
            })
    }

    fn verify(&self, (): (), written: &dyn Reopen, message: &dyn Reopen) -> Result<(), Failure> {
        match self.holds(message, written)? {
            true => Ok(()),
            false => {
                Err(cannot(Exit::Failed).reason("the written file does not read back the same"))
            }
        }
    }

    fn is_form_of(&self, other: &dyn Reopen, message: &dyn Reopen) -> Result<bool, Failure> {
        self.holds(message, other)
    }
}

fn cannot(exit: Exit) -> Failure {
    Failure::new(exit, "cannot unseal the message")
}

fn unreadable(error: &io::Error) -> Failure {
    cannot(Exit::Failed).reason(format!("it cannot be read: {}", io_message(error)))
}

/// Why a sealed message stays shut.
pub(crate) fn not_opened(error: OpenError) -> Failure {
    open::failure(&Input::File("the message".into()), "unseal", error)
}
