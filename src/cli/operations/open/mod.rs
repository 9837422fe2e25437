//! Opens envelopes for unwrap, verify and mail, checks the requirements, and reports who sealed them.

pub(crate) mod approvals;

use std::fmt::Write as _;
use std::io::{self, Read};
use std::sync::Arc;

use encl::directory::{People, Signer};
use encl::envelope::{Admission, Content, GrantLink, NoKey, OpenError, Opened};
use encl::operations::MyKeys;
use encl::operations::keys::TypedPassphrase;
use encl::operations::open::{OpenFailure, Opener, Unmet};
use encl::policy::Policy;
use encl::time::Time;
use serde::Serialize;

use crate::cli::args::open::RequirementArgs;
use crate::cli::context::Context;
use crate::cli::display::names::{DisplayName, NAMES_SHOWN, list};
use crate::cli::display::time;
use crate::cli::errors::envelope;
use crate::cli::errors::quorum::{self, ApprovalNames, Place, UnlockContext};
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::parallel::Parallelism;
use crate::cli::files::target::Target;
use crate::cli::operations::open::approvals::LoadedApprovals;
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{Stream, quoted};

/// Opens envelopes, one after the other.
pub(crate) struct Opening<'a> {
    pub(crate) verb: &'static str,
    context: &'a Context,
    people: &'a People,
    opener: Opener<'a>,
    typed: TypedPassphrase,
    approvals: Arc<ApprovalNames>,
    is_in_mail: bool,
}

impl<'a> Opening<'a> {
    pub(crate) fn new(
        verb: &'static str,
        requirements: &RequirementArgs,
        approvals: LoadedApprovals,
        people: &'a People,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        context.warn_of_clock();
        let keys = match context.identity_name(requirements.identity.as_deref()) {
            Some(name) => MyKeys::new(context, std::slice::from_ref(people.my_identity(&name)?)),
            None => MyKeys::new(context, people.readers()),
        };
        let requirements = requirements.resolve(people)?;
        let (approvals, names) = approvals.into_parts(context.terminal);
        Ok(Self {
            verb,
            context,
            people,
            opener: Opener::new(keys, approvals, requirements, context.now),
            typed: TypedPassphrase::default(),
            approvals: names,
            is_in_mail: false,
        })
    }

    /// A copy for another thread; unlocked keys are shared.
    pub(crate) fn for_thread(&self) -> Self {
        Self {
            opener: self.opener.clone(),
            typed: TypedPassphrase::default(),
            approvals: Arc::clone(&self.approvals),
            ..*self
        }
    }

    /// Opens envelopes that lie in messages.
    pub(crate) fn in_mail(self) -> Self {
        Self {
            is_in_mail: true,
            ..self
        }
    }

    /// What opens envelopes, with the passphrase that was typed last.
    pub(crate) fn opener(&mut self) -> (&Opener<'a>, &mut TypedPassphrase) {
        (&self.opener, &mut self.typed)
    }

    /// Warns of the approvals that none of several envelopes could use.
    pub(crate) fn warn_of_unused_approvals(&self) {
        self.opener.report_unused_approvals();
    }

    /// Opens an envelope as far as its private line, and compares it with the requirements.
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

    /// Opens an envelope, wherever it comes from. `input` is what failures name.
    pub(crate) fn open_reader<R: Read>(
        &mut self,
        input: &Input,
        reader: R,
    ) -> Result<Content<R>, Failure> {
        let opened = self.opener.open(&input.name(), reader, &mut self.typed);
        opened.map_err(|failure| self.not_opened(input, failure))
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
            .map_err(|error| self.cannot(input, error))
    }

    /// Why an opened envelope was not read to its end.
    pub(crate) fn cannot(&self, input: &Input, error: OpenError) -> Failure {
        envelope::failure(input.cannot(self.verb, Exit::Failed), error)
    }

    /// Why an envelope was not opened.
    pub(crate) fn not_opened(&self, input: &Input, failure: OpenFailure) -> Failure {
        match failure {
            OpenFailure::Unreadable(error) => self.cannot(input, error),
            OpenFailure::Unmet(unmet) => self.unmet(input, unmet),
            OpenFailure::Locked {
                error: OpenError::NoKey(NoKey::NotNamed),
                policy,
                ..
            } => self.not_named(input, &named(&policy)),
            OpenFailure::Locked {
                error,
                policy,
                keys,
            } => {
                let context = UnlockContext {
                    people: self.people,
                    policy: &policy,
                    keys: &keys,
                    approvals: &self.approvals,
                };
                let envelope = quorum::Envelope {
                    verb: self.verb,
                    place: match self.is_in_mail {
                        true => Place::Message,
                        false => Place::File(input.path()),
                    },
                };
                context.failure(&envelope, input.cannot(self.verb, Exit::Failed), error)
            }
        }
    }

    /// The command that lists the recipients.
    fn inspect(&self) -> &'static str {
        match self.is_in_mail {
            true => "encl mail inspect",
            false => "encl inspect",
        }
    }

    fn not_named(&self, input: &Input, named: &str) -> Failure {
        let failure = envelope::failure(
            input.cannot(self.verb, Exit::NotForYou),
            OpenError::NoKey(NoKey::NotNamed),
        );
        let failure = failure.reason(format!(
            "the policy, not verified, says that it is for {named}"
        ));
        if self.people.active.is_empty() {
            failure.hint("you have no identity: `encl key new ADDRESS` creates one; give its card to the sender")
        } else {
            failure.hint(format!(
                "`{} {}` lists the recipients, `encl key list` your identities",
                self.inspect(),
                quoted(input.path())
            ))
        }
    }

    fn unmet(&self, input: &Input, unmet: Unmet) -> Failure {
        let reason = match unmet {
            Unmet::Unrecorded => "no record says who gave you access (--strict)".to_owned(),
            Unmet::UnsignedByPerson => "it is not signed (--signed-by)".to_owned(),
            Unmet::Unsigned => "it is not signed (--require-signed)".to_owned(),
            Unmet::OtherSigner(id) => format!(
                "it names another signer (--signed-by): {}",
                self.people.signer(id).display_name()
            ),
        };
        input.cannot(self.verb, Exit::Damaged).reason(reason)
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
            let let_in = describe_grants(about, self.people);
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
        Ok(self.context.terminal.print_object(&object, stream)?)
    }
}

/// "; encrypted for Bob (not verified yet), who gave you access on 2026-11-24 07:24:00 +01:00"
pub(crate) fn describe_grants(about: &Opened, people: &People) -> String {
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
