//! What sealing needs before the first byte, for files and mail alike: who signs, until when, under which labels.

use std::collections::BTreeMap;

use crate::cli::display::names::hex;
use crate::cli::display::recipients::summary;
use crate::cli::errors::directory::refuse_retired;
use clap::Args;
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::SigningKey;
use encl::directory::{People, Person, Recipients, ResolvedQuorum, Signer};
use encl::envelope::{
    Addressee, ContentInfo, EnvelopeId, LockRequest, SealError, SealRequest, Workers,
};
use encl::identity::Identity;
use encl::policy::{Conditions, Padding};
use serde::Serialize;

use crate::cli::args::conditions;
use crate::cli::context::Context;
use crate::cli::errors;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::Input;
use crate::cli::files::output::Output;
use crate::cli::files::target::Target;
use crate::cli::secrets::keyring::Keys;
use crate::cli::secrets::passphrase::PassphraseFor;

/// How an envelope is sealed, beside for whom.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(crate) struct SealOptions {
    /// So may whoever knows a passphrase: asked twice, or seven generated words when left empty
    #[arg(long)]
    pub(crate) passphrase: bool,

    /// Do not add me to those who may read it
    #[arg(long)]
    pub(crate) no_self: bool,

    /// Which of my identities signs [default: $ENCL_IDENTITY, else the default one; of a message the one that From names]
    #[arg(long = "as", value_name = "WHO", conflicts_with = "anonymous")]
    pub(crate) identity: Option<String>,

    /// Do not sign. You are still named as a reader, unless --no-self or --private says otherwise
    #[arg(long)]
    pub(crate) anonymous: bool,

    /// Advisory: well-behaved software opens it only before WHEN: RFC 3339, a date, or a span such as 30d
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,

    /// Advisory: well-behaved software opens it only from WHEN on
    #[arg(long, value_name = "WHEN")]
    pub(crate) not_before: Option<String>,

    /// A handling label, readable by everybody
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) label: Vec<String>,

    /// Seal recipients, signer and their names too
    #[arg(long)]
    pub(crate) private: bool,

    /// Hide the exact size (at most 12 % more)
    #[arg(long)]
    pub(crate) pad: bool,

    /// Refuse contacts that were never verified
    #[arg(long)]
    pub(crate) require_verified: bool,
}

/// What was said about time and handling, checked before anything else is done.
pub(crate) struct SealConditions {
    conditions: Conditions,
    labels: BTreeMap<String, String>,
}

impl SealOptions {
    pub(crate) fn terms(&self, context: &Context) -> Result<SealConditions, Failure> {
        let conditions = conditions::conditions(
            self.not_before.as_deref(),
            self.expires.as_deref(),
            context.now,
        )?;
        let labels = conditions::labels(&self.label)?;
        Ok(SealConditions { conditions, labels })
    }

    /// Which of my identities wraps: the one that was named, else the default one, if there is any.
    pub(crate) fn author<'a>(
        &self,
        people: &'a People,
        context: &Context,
    ) -> Result<Option<&'a Person>, Failure> {
        match context.identity_name(self.identity.as_deref()) {
            Some(name) => Ok(Some(people.my_identity(&name)?)),
            None if people.active.is_empty() && !(self.anonymous && self.no_self) => {
                refuse_retired("cannot wrap as you", people).map(|()| None)
            }
            None => Ok(people.active.first()),
        }
    }

    /// Me as a reader, unless I do not want to be one.
    pub(crate) fn reader<'a>(&self, author: Option<&'a Person>) -> Option<&'a Person> {
        author.filter(|_| !self.no_self)
    }
}

/// What all envelopes of one run have in common.
pub(crate) struct Sealing<'a> {
    pub(crate) context: &'a Context,
    pub(crate) author: Option<&'a Person>,
    options: &'a SealOptions,
    terms: SealConditions,
    signer: Option<&'a SigningKey>,
    passphrase: Option<Passphrase>,
}

impl<'a> Sealing<'a> {
    /// Unlocks the key that signs and asks for a new passphrase, whatever of these is wanted. `author` is who signs.
    pub(crate) fn prepare(
        options: &'a SealOptions,
        terms: SealConditions,
        author: Option<&'a Person>,
        keys: &'a Keys<'_>,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        let signer = author
            .filter(|_| !options.anonymous)
            .map(|author| signer(keys, author))
            .transpose()?;
        let passphrase = options
            .passphrase
            .then(|| {
                context
                    .passphrases
                    .new_one(PassphraseFor::Envelope, "the envelope")
            })
            .transpose()?;
        Ok(Self {
            context,
            author,
            options,
            terms,
            signer,
            passphrase,
        })
    }

    /// The request for one envelope.
    pub(crate) fn request(&self, readers: &Recipients, about: ContentInfo) -> SealRequest<'_> {
        let passphrase = self
            .passphrase
            .as_ref()
            .map(|passphrase| (passphrase, Cost::DEFAULT));
        let first = LockRequest {
            need: 1,
            recipients: readers.addressees.clone(),
            passphrase,
        };
        // A quorum may be all there is.
        let is_empty = first.recipients.is_empty() && passphrase.is_none();
        let quorums = readers.quorums.iter().map(ResolvedQuorum::request);
        let first = Some(first).filter(|_| !is_empty || readers.quorums.is_empty());
        SealRequest {
            locks: first.into_iter().chain(quorums).collect(),
            signer: self.signer,
            private: self.options.private,
            padding: if self.options.pad {
                Padding::Padme
            } else {
                Padding::None
            },
            created: Some(self.context.now),
            conditions: self.terms.conditions,
            labels: self.terms.labels.clone(),
            info: about,
            aligned: false,
            workers: Workers::Processors,
        }
    }

    /// Says what was made of the input, and for whom; or prints the object.
    pub(crate) fn report(
        &self,
        schema: &'static str,
        (input, target): (&Input, &Target),
        made: &SealedOutput,
        readers: &Recipients,
    ) -> Result<(), Failure> {
        if !self.context.json {
            let text = format!("{}, {}", target.name(), self.summary(readers));
            self.context.terminal.status(&text);
            return Ok(());
        }
        let everybody = readers.everybody().into_iter();
        let recipients = everybody.map(|(_, one)| RecipientObject::of(one));
        let (id, parts) = match made {
            SealedOutput::One(id) => (Some(id.to_string()), Vec::new()),
            SealedOutput::Parts(ids) => (None, ids.iter().map(EnvelopeId::to_string).collect()),
        };
        let object = Object {
            schema,
            file: input.typed(),
            output: target.typed(),
            id,
            parts,
            recipients: recipients.collect(),
            locks: self.locks(readers),
            signer: self
                .author
                .filter(|_| self.signer.is_some())
                .map(Person::signer),
        };
        let terminal = self.context.terminal;
        Ok(terminal.print_object(&object, target.objects())?)
    }

    /// Who opens which lock, where there are quorums.
    fn locks(&self, readers: &Recipients) -> Vec<LockObject> {
        if readers.quorums.is_empty() {
            return Vec::new();
        }
        let locks = self.request(readers, ContentInfo::default()).locks;
        locks.iter().map(LockObject::of).collect()
    }

    /// "for 2 people: Bob <bob@example.org> and you; signed"
    pub(crate) fn summary(&self, readers: &Recipients) -> String {
        let signed = if self.signer.is_some() {
            "signed"
        } else {
            "not signed"
        };
        format!("{}; {signed}", summary(readers, self.passphrase.is_some()))
    }
}

/// What was made of one input.
pub(crate) enum SealedOutput {
    /// One envelope.
    One(EnvelopeId),
    /// One for each attachment of a message.
    Parts(Vec<EnvelopeId>),
}

/// `encl.wrap/1` and its like, in the documented order.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    output: String,
    id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
    recipients: Vec<RecipientObject<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locks: Vec<LockObject>,
    signer: Option<Signer>,
}

/// Somebody for whom it was sealed.
#[derive(Serialize)]
pub(crate) struct RecipientObject<'a> {
    name: &'a str,
    address: Option<&'a str>,
    id: String,
    key: String,
}

/// One lock: `need` of these ids, or whoever knows the passphrase.
#[derive(Serialize)]
struct LockObject {
    need: u8,
    passphrase: bool,
    recipients: Vec<String>,
}

impl LockObject {
    fn of(lock: &LockRequest<'_>) -> Self {
        let ids = lock
            .recipients
            .iter()
            .map(|one| one.recipient.id.to_string());
        Self {
            need: lock.need,
            passphrase: lock.passphrase.is_some(),
            recipients: ids.collect(),
        }
    }
}

impl<'a> RecipientObject<'a> {
    pub(crate) fn of(addressee: &'a Addressee) -> Self {
        let recipient = &addressee.recipient;
        Self {
            name: &recipient.name,
            address: recipient.address.as_deref(),
            id: recipient.id.to_string(),
            key: hex(&recipient.key.0),
        }
    }
}

/// The key that signs. Never silently unsigned: without its passphrase nothing is wrapped.
fn signer<'a>(keys: &'a Keys<'_>, author: &Person) -> Result<&'a SigningKey, Failure> {
    let unlocked = keys.identity(author.card.id());
    unlocked.map(Identity::root).map_err(|failure| {
        let what = failure.what.clone();
        let mut failure = Failure {
            what: "cannot sign".to_owned(),
            ..failure
        };
        failure.reasons.insert(0, what);
        match failure.exit {
            Exit::Locked => failure.hint(
                "--anonymous leaves the signature out; --passphrase-file FILE gives the passphrase",
            ),
            _ => failure,
        }
    })
}

/// Why nothing was sealed.
pub(crate) fn not_sealed(output: &Output<'_>, error: SealError) -> Failure {
    match error {
        SealError::Write(error) => output.not_written(&error),
        other => errors::seal::not_sealed(|exit| output.input.cannot(output.verb, exit), other),
    }
}
