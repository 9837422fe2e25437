//! Opens envelopes for unwrap, verify and mail, checks the requirements, and reports who sealed them.

pub(crate) mod approvals;
pub(crate) mod inspect;

use std::io::{self, Read};
use std::sync::Arc;

use encl::directory::People;
use encl::envelope::{CarryingPage, Content, NoKey, NoRecord, OpenError, Opened, PageReader};
use encl::keystore::BACKUP_TYPE;
use encl::operations::MyKeys;
use encl::operations::keys::TypedPassphrase;
use encl::operations::open::page::version_of;
use encl::operations::open::{OpenFailure, Opener, Unmet};
use encl::policy::Policy;

use crate::cli::args::open::RequirementArgs;
use crate::cli::context::Context;
use crate::cli::display::envelope::opened::{OpenedEnvelope, no_record};
use crate::cli::display::names::{DisplayName, NAMES_SHOWN, list};
use crate::cli::errors::envelope;
use crate::cli::errors::keystore::NO_IDENTITY;
use crate::cli::errors::quorum::{ApprovalNames, Place, UnlockContext};
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::parallel::Parallelism;
use crate::cli::files::target::Target;
use crate::cli::operations::open::approvals::LoadedApprovals;
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::safe;
use crate::cli::terminal::{Stream, quoted};

/// What is said of an envelope in a page that the project did not publish.
pub(crate) const FOREIGN_PAGE: &str =
    "the page in this file is none that encl made: give it no passphrase";

/// So many gate locks fit into one request.
const ASKED_TOGETHER: usize = 256;

/// Opens envelopes, one after the other.
pub(crate) struct Opening<'a> {
    pub(crate) verb: &'static str,
    context: &'a Context,
    people: &'a People,
    opener: Opener<'a>,
    typed: TypedPassphrase,
    approvals: Arc<ApprovalNames>,
    is_in_mail: bool,
    /// Whether the page of this envelope was looked at already: some are read twice.
    page_judged: bool,
}

/// The content of an input, read with its progress shown, a page in front of it set aside.
pub(crate) type InputContent<R> = Content<PageReader<Progress<R>>>;

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
            None => MyKeys::new(context, people.openers()),
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
            page_judged: false,
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

    /// Asks the gates of several envelopes with one request for 256 of them, and not with one for each. What cannot be asked for so is
    /// asked for, and told, when the envelope is opened.
    pub(crate) fn ask_ahead<'i>(
        &self,
        inputs: impl Iterator<Item = &'i Input>,
        open: impl Fn(&Input) -> Result<Source, Failure>,
    ) {
        let keys = self.opener.keys();
        if !keys.has_gates() {
            return;
        }
        let mut questions = Vec::new();
        for input in inputs.filter(|input| input.path().is_some()) {
            let source = open(input).ok().filter(Source::is_seekable);
            let question = source.and_then(|source| keys.gate_question(source).ok().flatten());
            questions.extend(question);
            if questions.len() == ASKED_TOGETHER {
                keys.ask_ahead(&questions);
                questions.clear();
            }
        }
        // One alone is asked for when it is opened.
        if questions.len() > 1 {
            keys.ask_ahead(&questions);
        }
    }

    /// Opens an envelope as far as its private line, and compares it with the requirements.
    pub(crate) fn open<'s>(
        &mut self,
        input: &Input,
        source: &'s mut Source,
        parallelism: Parallelism,
    ) -> Result<InputContent<&'s mut Source>, Failure> {
        let bytes = source.length();
        self.open_sized(input, source, bytes, parallelism)
    }

    /// Opens an envelope of which so many bytes are to come.
    pub(crate) fn open_sized<R: Read>(
        &mut self,
        input: &Input,
        reader: R,
        bytes: Option<u64>,
        parallelism: Parallelism,
    ) -> Result<InputContent<R>, Failure> {
        let terminal = parallelism.progress(self.context.terminal);
        let reader = Progress::new(terminal, &input.name(), bytes, reader);
        let (page, reader) = PageReader::new(reader).map_err(|error| self.cannot(input, error))?;
        if let Some(page) = page {
            self.judge_page(input, &page)?;
        }
        self.open_reader(input, reader)
    }

    /// A page that is not ours may have been made to take the passphrase. Whoever only checks the file has to hear that as a failure.
    fn judge_page(&mut self, input: &Input, page: &CarryingPage) -> Result<(), Failure> {
        if version_of(page).is_some() {
            return Ok(());
        }
        if self.verb == "verify" {
            return Err(input.cannot(self.verb, Exit::Damaged).reason(FOREIGN_PAGE));
        }
        if !std::mem::replace(&mut self.page_judged, true) {
            self.context
                .terminal
                .warning(&format!("{}: {FOREIGN_PAGE}", input.name()));
        }
        Ok(())
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
                    verb: self.verb,
                    place: match self.is_in_mail {
                        true => Place::Message,
                        false => Place::File(input.path()),
                    },
                    people: self.people,
                    policy: &policy,
                    keys: &keys,
                    approvals: &self.approvals,
                };
                context.failure(input.cannot(self.verb, Exit::Failed), error)
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
        // It may be for an identity whose card cannot be read: nothing is wrong with the envelope.
        if let Some(fault) = self.people.identity_faults().first() {
            let failure = input.cannot(self.verb, Exit::Failed);
            return failure
                .reason("none of your identities that can be read is named in its policy")
                .reason(safe(&fault.to_string()))
                .hint("`encl doctor` says what is wrong, and what to do about it");
        }
        let failure = envelope::failure(
            input.cannot(self.verb, Exit::NotForYou),
            OpenError::NoKey(NoKey::NotNamed),
        );
        let failure = failure.reason(format!(
            "the policy, not verified, says that it is for {named}"
        ));
        if self.people.active.is_empty() {
            failure.reason("you have no identity").hint(format!(
                "{NO_IDENTITY}, for what is encrypted for it from then on"
            ))
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
            Unmet::Unrecorded(what) => format!("{} (--strict)", no_record(what)),
            Unmet::UnsignedByPerson => "it is not signed (--signed-by)".to_owned(),
            Unmet::Unsigned => "it is not signed (--require-signed)".to_owned(),
            Unmet::OtherSigner(id) => format!(
                "it names another signer (--signed-by): {}",
                self.people.signer(id).display_name()
            ),
            Unmet::UntrustedSigner(id) => format!(
                "it is signed by {} (--require-signed)",
                self.people.signer(id).display_name()
            ),
        };
        let failure = input.cannot(self.verb, Exit::Damaged).reason(reason);
        match unmet {
            Unmet::Unrecorded(NoRecord::OfPassphrase) if !self.is_in_mail => failure.hint(format!(
                "`encl rewrap {}` by its author asks for the passphrase and records it",
                quoted(input.path())
            )),
            _ => failure,
        }
    }

    /// Shows who signed it, how far that is known, and who gave me access.
    pub(crate) fn report(
        &self,
        input: &Input,
        target: Option<&Target>,
        opened: &Opened,
        bytes: u64,
    ) -> Result<(), Failure> {
        let shown = OpenedEnvelope {
            name: match target {
                None => format!("{} is intact", input.name()),
                Some(Target::Stdout) => input.name(),
                Some(target) => target.name(),
            },
            file: input.typed(),
            output: target.map(Target::typed),
            opened,
            people: self.people,
            bytes,
        };
        let stream = target.map_or(Stream::Stdout, Target::objects);
        self.context.report(&shown, stream)?;
        let media_type = opened.private.info.media_type.as_deref();
        if target.is_some() && media_type == Some(BACKUP_TYPE) {
            self.context.terminal.warning(
                "it was a backup, and what was written holds your private keys: remove it; `encl restore` merges the backup itself",
            );
        }
        Ok(())
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
