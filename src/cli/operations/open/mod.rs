//! What unwrap and verify share: opening an envelope, what is demanded of it, and what is said about it.

pub(crate) mod approvals;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::sync::Arc;

use crate::cli::display::names::NAMES_SHOWN;
use crate::cli::display::names::{DisplayName, list};
use crate::cli::errors::directory::blocked;
use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::crypto::signing::RootId;
use encl::directory::resolve;
use encl::directory::{People, Signer};
use encl::envelope::{
    Admission, Content, Envelope, GrantLink, Keyring as _, NoKey, OpenError, Opened,
};
use encl::policy::{Policy, Refusal};
use encl::time::Time;
use serde::Serialize;

use crate::cli::commands::program::completions::who as who_completer;
use crate::cli::context::Context;
use crate::cli::display::quorum::UnlockContext;
use crate::cli::display::time;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::parallel::Parallelism;
use crate::cli::files::target::Target;
use crate::cli::operations::open::approvals::Approvals;
use crate::cli::secrets::keyring::{Answers, Keys};
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{Stream, quoted, safe};

/// What a reader demands of an envelope, beyond that it opens.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Requirements {
    /// Refuse an envelope that WHO did not sign
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    pub(crate) signed_by: Option<String>,

    /// Refuse an envelope that is not signed
    #[arg(long)]
    pub(crate) require_signed: bool,

    /// Refuse an envelope to which I was given access without a record
    #[arg(long)]
    pub(crate) strict: bool,

    /// Decrypt with this one of my identities [default: $ENCL_IDENTITY, else all]
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) identity: Option<String>,
}

/// The command that lists the recipients of an envelope in a message.
const IN_MAIL: &str = "encl mail inspect";

/// Opens envelopes, one after the other.
pub(crate) struct Opening<'a> {
    verb: &'static str,
    context: &'a Context,
    people: &'a People,
    keys: Arc<Keys<'a>>,
    answers: Answers,
    demands: &'a Requirements,
    /// The command that lists the recipients.
    inspect: &'static str,
    approvals: Arc<Approvals>,
    /// Who may have signed it, if that was demanded.
    signers: Arc<Option<HashSet<RootId>>>,
}

impl<'a> Opening<'a> {
    pub(crate) fn new(
        verb: &'static str,
        demands: &'a Requirements,
        people: &'a People,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        context.warn_of_clock();
        let signers = |name: &String| {
            let found = resolve(&[name], people)?;
            if let Some(one) = found.iter().find(|one| one.trust.blocks_use()) {
                let what = format!(
                    "cannot accept a signature of {} (--signed-by)",
                    one.names.display_name()
                );
                return Err(blocked(what, one.trust, &one.names));
            }
            Ok(found.iter().map(|found| found.names.id).collect())
        };
        let keys = match context.identity_name(demands.identity.as_deref()) {
            Some(name) => Keys::new(context, std::slice::from_ref(people.my_identity(&name)?)),
            None => Keys::new(context, people.readers()),
        };
        let signers = demands.signed_by.as_ref().map(signers).transpose()?;
        Ok(Self {
            verb,
            context,
            people,
            keys: Arc::new(keys),
            answers: Answers::default(),
            demands,
            inspect: "encl inspect",
            approvals: Arc::default(),
            signers: Arc::new(signers),
        })
    }

    /// The same for another thread: keys that were unlocked are so for both.
    pub(crate) fn another(&self) -> Self {
        Self {
            keys: Arc::clone(&self.keys),
            answers: Answers::default(),
            signers: Arc::clone(&self.signers),
            approvals: Arc::clone(&self.approvals),
            ..*self
        }
    }

    /// The same with what colleagues approved.
    pub(crate) fn with(self, approvals: Approvals) -> Self {
        Self {
            approvals: Arc::new(approvals),
            ..self
        }
    }

    /// Says which approvals were for none of the envelopes.
    pub(crate) fn warn_of_unused_approvals(&self) {
        self.approvals.warn_of_unused();
    }

    /// The same for envelopes in messages.
    pub(crate) fn in_mail(self) -> Self {
        Self {
            inspect: IN_MAIL,
            ..self
        }
    }

    /// Opens an envelope as far as its private line, and holds it against the demands.
    pub(crate) fn open<'s>(
        &mut self,
        input: &Input,
        source: &'s mut Source,
        parallelism: Parallelism,
    ) -> Result<Content<Progress<&'s mut Source>>, Failure> {
        let bytes = source.length();
        let terminal = parallelism.progress(self.context.terminal);
        let source = Progress::new(terminal, &input.name(), bytes, source);
        self.open_reader(input, source)
    }

    /// The same, wherever the envelope comes from. `input` is what failures name.
    pub(crate) fn open_reader<R: Read>(
        &mut self,
        input: &Input,
        reader: R,
    ) -> Result<Content<R>, Failure> {
        let envelope = Envelope::read(reader).map_err(|error| failure(input, self.verb, error))?;
        let is_in_mail = self.inspect == IN_MAIL;
        let manifest = envelope.manifest();
        let named = named(&manifest.policy);
        let mut keyring = self.answers.keyring(&self.keys, &input.name());
        let keys = keyring.keys();
        let approvals = self.approvals.for_envelope(manifest, &keys);
        let shut =
            UnlockContext::of(manifest, keys, self.people, &self.approvals).in_mail(is_in_mail);
        let content = envelope
            .unlock_with(approvals, &mut keyring, self.context.now)
            .map_err(|error| match error {
                OpenError::NoKey(NoKey::NotNamed) => self.not_named(input, &named),
                error => shut.failure(input, self.verb, error),
            })?;
        self.demand(input, content.metadata())?;
        Ok(content)
    }

    /// Reads an envelope to its end, and lets the content go.
    pub(crate) fn check(
        &mut self,
        input: &Input,
        source: &mut Source,
        parallelism: Parallelism,
    ) -> Result<(Opened, u64), Failure> {
        let content = self.open(input, source, parallelism)?;
        content
            .copy_to(&mut io::sink(), parallelism.workers())
            .map_err(|error| failure(input, self.verb, error))
    }

    fn not_named(&self, input: &Input, named: &str) -> Failure {
        let failure = failure(input, self.verb, OpenError::NoKey(NoKey::NotNamed));
        let failure = failure.reason(format!(
            "the policy, not verified, says that it is for {named}"
        ));
        if self.people.active.is_empty() {
            failure.hint("you have no identity: `encl key new ADDRESS` creates one; give its card to the sender")
        } else {
            failure.hint(format!(
                "`{} {}` lists the recipients, `encl key list` your identities",
                self.inspect,
                quoted(input.path())
            ))
        }
    }

    fn demand(&self, input: &Input, about: &Opened) -> Result<(), Failure> {
        let refused = |because: String| Err(input.cannot(self.verb, Exit::Damaged).reason(because));
        if self.demands.strict && about.admission == Admission::Unrecorded {
            return refused("no record says who gave you access (--strict)".to_owned());
        }
        match (about.signer(), &*self.signers) {
            (None, Some(_)) => refused("it is not signed (--signed-by)".to_owned()),
            (None, None) if self.demands.require_signed => {
                refused("it is not signed (--require-signed)".to_owned())
            }
            (Some(id), Some(demanded)) if !demanded.contains(&id) => refused(format!(
                "it names another signer (--signed-by): {}",
                self.people.signer(id).display_name()
            )),
            _ => Ok(()),
        }
    }

    /// Says who sealed it, how far that is known, and who let me in; or prints the object.
    pub(crate) fn report(
        &self,
        input: &Input,
        target: Option<&Target>,
        about: &Opened,
        bytes: u64,
    ) -> Result<(), Failure> {
        let signer = about.signer().map(|id| self.people.signer(id));
        if !self.context.json {
            let name = match target {
                None => format!("{} is intact", input.name()),
                Some(Target::Stdout) => input.name(),
                Some(target) => target.name(),
            };
            let from = from(signer.as_ref());
            let let_in = let_in(about, self.people);
            self.context
                .terminal
                .status(&format!("{name}, {from}{let_in}"));
            return Ok(());
        }
        let object = Object {
            schema: if target.is_some() {
                "encl.unwrap/1"
            } else {
                "encl.verify/1"
            },
            file: input.typed(),
            output: target.map(Target::typed),
            id: about.manifest.id.to_string(),
            signer,
            access: access(&about.admission),
            path: steps(&about.admission).iter().map(StepObject::of).collect(),
            bytes,
        };
        let stream = target.map_or(Stream::Stdout, Target::objects);
        self.context.terminal.print_object(&object, stream)
    }
}

/// "; encrypted for Bob (not verified yet), who gave you access on 2026-11-24 07:24:00 +01:00"
pub(crate) fn let_in(about: &Opened, people: &People) -> String {
    let path = match &about.admission {
        Admission::Named => return String::new(),
        Admission::Unrecorded => return "; no record says who gave you access".to_owned(),
        Admission::Granted(path) => path,
    };
    let name = |id| people.signer(id).display_name();
    let mut let_in = path.iter().rev().peekable();
    let by = let_in.peek().map(|step| step.by);
    let mut text = match by {
        Some(by) if about.signer() != Some(by) => format!("; encrypted for {}, who", name(by)),
        _ => "; its author".to_owned(),
    };
    while let Some(step) = let_in.next() {
        let (who, then) = match let_in.peek() {
            None => ("you".to_owned(), ""),
            Some(_) => (name(step.id), ", who"),
        };
        let when = time::local(step.at);
        write!(text, " gave {who} access on {when}{then}").expect("a String never fails");
    }
    text
}

fn from(signer: Option<&Signer>) -> String {
    match signer {
        Some(signer) => format!("signed by {}", signer.display_name()),
        None => "not signed: the sender is not known".to_owned(),
    }
}

fn access(admission: &Admission) -> &'static str {
    match admission {
        Admission::Named => "named",
        Admission::Granted(_) => "granted",
        Admission::Unrecorded => "unrecorded",
    }
}

fn steps(admission: &Admission) -> &[GrantLink] {
    match admission {
        Admission::Granted(path) => path,
        Admission::Named | Admission::Unrecorded => &[],
    }
}

/// `encl.unwrap/1` and `encl.verify/1`, in the documented order.
#[derive(Serialize)]
struct Object {
    schema: &'static str,
    file: String,
    output: Option<String>,
    id: String,
    signer: Option<Signer>,
    access: &'static str,
    path: Vec<StepObject>,
    bytes: u64,
}

#[derive(Serialize)]
struct StepObject {
    id: String,
    by: String,
    at: Time,
}

impl StepObject {
    fn of(step: &GrantLink) -> Self {
        Self {
            id: step.id.to_string(),
            by: step.by.to_string(),
            at: step.at,
        }
    }
}

/// The people whom a policy names, as it claims.
fn named(policy: &Policy) -> String {
    let mut names: Vec<String> = Vec::new();
    for recipient in policy.recipients() {
        let known = names.len() > NAMES_SHOWN; // beyond these only the number is shown
        names.push(if known {
            String::new()
        } else {
            recipient.display_name()
        });
    }
    if names.is_empty() {
        "no named person".to_owned()
    } else {
        list(&names)
    }
}

/// Why an envelope could not be read, opened or trusted, for people and programs.
pub(crate) fn failure(input: &Input, verb: &str, error: OpenError) -> Failure {
    let class = error.class().map(encl::envelope::Class::name);
    let mut failure = input.cannot(verb, class.map_or(Exit::Failed, Exit::of_class));
    failure.class = class;
    match error {
        OpenError::Keyring(inner) => match inner.downcast::<Failure>() {
            Ok(inner) => locked(failure, *inner),
            Err(inner) => failure.reason(safe(&inner.to_string())),
        },
        OpenError::Read(error) => failure.reason(io_message(&error)),
        OpenError::NoKey(NoKey::SlotRemoved) => failure
            .reason(
                "the policy, not verified, says that you may read it, but your slot was removed",
            )
            .hint("ask the person who sent it"),
        OpenError::Quorum(quorum) => {
            failure.reason(safe(&format!("the policy, not verified, says: {quorum}")))
        }
        OpenError::Refused(Refusal::TooEarly(time)) => {
            failure.reason(format!("it may not be opened before {}", time::local(time)))
        }
        OpenError::Refused(Refusal::Expired(time)) => {
            failure.reason(format!("it expired at {}", time::local(time)))
        }
        other => failure.reason(safe(&other.to_string())),
    }
}

/// A passphrase that could not be had, or is wrong, is the reason why the envelope stays shut.
fn locked(failure: Failure, inner: Failure) -> Failure {
    let mut failure = Failure {
        exit: inner.exit,
        class: inner
            .class
            .or((inner.exit == Exit::Locked).then_some("passphrase")),
        hint: inner.hint,
        ..failure
    };
    failure.reasons.push(inner.what);
    failure.reasons.extend(inner.reasons);
    failure
}
