//! Prepares sealing for files and mail alike (who signs, passphrase, terms), and reports what was sealed.

use std::ops::Deref;

use encl::crypto::signing::SigningKey;
use encl::directory::{Person, Recipients, Signer};
use encl::envelope::{
    Addressee, ContentInfo, EnvelopeId, GateAddressee, GateRequest, KeyringError, LockRequest,
    SealError,
};
use encl::operations::MyKeys;
use encl::operations::seal::{SealTerms, Sealer};
use encl::policy::{Conditions, GateKind};
use serde::Serialize;

use crate::cli::args::seal::SealOptions;
use crate::cli::context::Context;
use crate::cli::display::names::{hex, list};
use crate::cli::display::recipients::summary;
use crate::cli::display::report::Report;
use crate::cli::errors;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::envelope::unlock_failure;
use crate::cli::files::input::Input;
use crate::cli::files::output::Output;
use crate::cli::files::target::Target;
use crate::cli::operations::gate::sealing;
use crate::cli::secrets::passphrase::PassphraseFor;
use crate::cli::terminal::stdout::StdoutError;
use crate::cli::terminal::{Terminal, safe};

/// What all envelopes of one run have in common.
pub(crate) struct Sealing<'a> {
    pub(crate) context: &'a Context,
    pub(crate) author: Option<&'a Person>,
    sealer: Sealer<'a>,
}

impl<'a> Deref for Sealing<'a> {
    type Target = Sealer<'a>;

    fn deref(&self) -> &Sealer<'a> {
        &self.sealer
    }
}

impl<'a> Sealing<'a> {
    /// Unlocks the key that signs and asks for a new passphrase, whatever of these is wanted. `author` is who signs.
    pub(crate) fn prepare(
        options: &SealOptions,
        terms: SealTerms,
        author: Option<&'a Person>,
        keys: &'a MyKeys<'_>,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        Self::prepare_called("the envelope", options, terms, (author, keys), context)
    }

    /// The same for an envelope that a question calls otherwise.
    pub(crate) fn prepare_called(
        about: &str,
        options: &SealOptions,
        terms: SealTerms,
        (author, keys): (Option<&'a Person>, &'a MyKeys<'_>),
        context: &'a Context,
    ) -> Result<Self, Failure> {
        context.warn_of_dates(
            author.map(|author| author.card.created()),
            terms.conditions.expires,
        );
        let signer = author
            .filter(|_| !options.anonymous)
            .map(|author| keys.signing_key(author.card.id()).map_err(cannot_sign))
            .transpose()?;
        let gate = sealing::request(&options.gate, &terms, signer.map(SigningKey::id), context)?;
        let terms = match gate {
            // There is none, or whoever prepared the terms has named it.
            None => terms,
            // The gates judge the dates, by their clocks: in the policy they would only be advice.
            gate => SealTerms {
                conditions: Conditions::default(),
                gate,
                ..terms
            },
        };
        let passphrase = options
            .passphrase
            .then(|| context.passphrases.new_one(PassphraseFor::Envelope, about))
            .transpose()?;
        let sealer = Sealer {
            signer,
            passphrase,
            terms,
            now: context.now,
        };
        Ok(Self {
            context,
            author,
            sealer,
        })
    }

    /// Says what was made of the input, and for whom; or prints the object.
    pub(crate) fn report(
        &self,
        schema: &'static str,
        (input, target): (&Input, &Target),
        made: &SealedOutput,
        readers: &Recipients,
    ) -> Result<(), Failure> {
        let report = SealReport {
            schema,
            sealing: self,
            input,
            target,
            made,
            readers,
        };
        self.context.report(&report, target.objects())
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
        let readers = summary(readers, self.passphrase.is_some());
        match &self.terms.gate {
            None => format!("{readers}; {signed}"),
            Some(gate) => format!("{readers}; {signed}; {}", asked(gate)),
        }
    }
}

/// "asks the gate work at each opening"
fn asked(gate: &GateRequest) -> String {
    let names: Vec<String> = gate.gates.iter().map(gate_name).collect();
    match (usize::from(gate.need), names.len()) {
        (1, 1) => format!("asks {} at each opening", list(&names)),
        (need, of) => format!(
            "asks {need} of these {of} at each opening: {}",
            list(&names)
        ),
    }
}

fn gate_name(gate: &GateAddressee) -> String {
    let name = safe(gate.name.as_deref().unwrap_or_default());
    match gate.kind {
        GateKind::Server => format!("the gate {name}"),
        GateKind::Person => format!("{name} as a helper"),
    }
}

/// What was made of one input. Of thousands, only what is shown is worked out.
struct SealReport<'a> {
    schema: &'static str,
    sealing: &'a Sealing<'a>,
    input: &'a Input,
    target: &'a Target,
    made: &'a SealedOutput,
    readers: &'a Recipients,
}

impl Report for SealReport<'_> {
    type Object<'a>
        = Object<'a>
    where
        Self: 'a;

    fn object(&self) -> Object<'_> {
        let Self {
            sealing, readers, ..
        } = self;
        let everybody = readers.everybody().into_iter();
        let recipients = everybody.map(|(_, one)| RecipientObject::of(one));
        let (id, parts) = match self.made {
            SealedOutput::One(id) => (Some(id.to_string()), Vec::new()),
            SealedOutput::Parts(ids) => (None, ids.iter().map(EnvelopeId::to_string).collect()),
        };
        Object {
            schema: self.schema,
            file: self.input.typed(),
            output: self.target.typed(),
            id,
            parts,
            recipients: recipients.collect(),
            locks: sealing.locks(readers),
            gates: sealing
                .terms
                .gate
                .iter()
                .flat_map(|gate| &gate.gates)
                .map(GateObject::of)
                .collect(),
            signer: sealing
                .author
                .filter(|_| sealing.signer.is_some())
                .map(Person::signer),
        }
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        if terminal.shows_status() {
            let summary = self.sealing.summary(self.readers);
            terminal.status(&format!("{}, {summary}", self.target.name()));
        }
        Ok(())
    }
}

/// The envelopes that were made of one input.
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
    /// Who is asked at each opening.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gates: Vec<GateObject>,
    signer: Option<Signer>,
}

/// A recipient.
#[derive(Serialize)]
pub(crate) struct RecipientObject<'a> {
    name: &'a str,
    address: Option<&'a str>,
    id: String,
    key: String,
}

/// One lock: `need` of these ids open it, or the passphrase does.
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

/// A server or a person among the gates.
#[derive(Serialize)]
struct GateObject {
    kind: GateKind,
    name: Option<String>,
    id: String,
}

impl GateObject {
    fn of(gate: &GateAddressee) -> Self {
        Self {
            kind: gate.kind,
            name: gate.name.clone(),
            id: gate.id.to_string(),
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

/// Never silently unsigned: without the passphrase of the signing key nothing is wrapped.
fn cannot_sign(error: KeyringError) -> Failure {
    let failure = unlock_failure(error);
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
}

/// Why nothing was sealed.
pub(crate) fn not_sealed(output: &Output<'_>, error: SealError) -> Failure {
    match error {
        SealError::Write(error) => output.not_written(&error),
        other => errors::seal::not_sealed(|exit| output.input.cannot(output.verb, exit), other),
    }
}
