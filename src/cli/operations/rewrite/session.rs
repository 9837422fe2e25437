//! Envelopes opened to change who may read them: with my keys, and with what colleagues approved.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use encl::atomic_file::Lock;
use encl::directory::{People, Person};
use encl::envelope::{Content, Envelope, Rewriting};
use encl::operations::MyKeys;
use encl::operations::keys::TypedPassphrase;
use encl::operations::open::{OpenFailure, Opener, Requirements, RewriteFailure};

use crate::cli::args::rewrite::RewriteOptions;
use crate::cli::context::Context;
use crate::cli::errors::envelope;
use crate::cli::errors::quorum::{ApprovalNames, Place, UnlockContext};
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::Input;
use crate::cli::files::parallel::Parallelism;
use crate::cli::files::roots::Roots;
use crate::cli::operations::open::approvals::LoadedApprovals;
use crate::cli::operations::rewrite::envelope_file::{EnvelopeFile, Spool};
use crate::cli::terminal::blocking::Blocking;
use crate::cli::terminal::progress::Progress;

/// What one command changes envelopes with.
pub(crate) struct RewriteSession<'a> {
    verb: &'static str,
    pub(crate) context: &'a Context,
    pub(crate) people: &'a People,
    pub(crate) options: &'a RewriteOptions,
    /// The identity that acts, if one was named.
    named: Option<&'a Person>,
    opener: Opener<'a>,
    approvals: Arc<ApprovalNames>,
    spool: Spool,
    roots: Roots,
}

/// An envelope that was opened as far as its private line.
pub(crate) struct OpenedEnvelope<'s> {
    pub(crate) is_armored: bool,
    pub(crate) content: Content<Progress<Blocking<&'s File>>>,
}

impl<'a> RewriteSession<'a> {
    pub(crate) fn new(
        verb: &'static str,
        inputs: &[Input],
        options: &'a RewriteOptions,
        people: &'a People,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        context.warn_of_clock();
        people.check_me()?;
        let named = match context.identity_name(options.identity.as_deref()) {
            Some(name) => Some(people.my_identity(&name)?),
            None => None,
        };
        let approvals = LoadedApprovals::load(&options.with, inputs, context)?;
        let (approvals, names) = approvals.into_parts(context.terminal);
        let keys = MyKeys::new(context, people.openers());
        Ok(Self {
            verb,
            context,
            people,
            options,
            named,
            opener: Opener::new(keys, approvals, Requirements::default(), context.now),
            approvals: names,
            spool: Spool::default(),
            roots: Roots::default(),
        })
    }

    /// Works below these folders on what was found there.
    pub(crate) fn below(self, roots: Roots) -> Self {
        Self { roots, ..self }
    }

    /// Opens the file of an envelope.
    pub(crate) fn subject<'i>(
        &self,
        input: &'i Input,
        lock: Lock,
    ) -> Result<EnvelopeFile<'i>, Failure> {
        let open = |path: &Path| self.roots.open(path, lock);
        let file = EnvelopeFile::open(self.verb, input, self.options, &self.spool, open)?;
        file.warn_of_lock(self.context.terminal);
        Ok(file)
    }

    /// Opens an envelope whose slots are to change.
    pub(crate) fn rewriting<'s>(
        &self,
        subject: &'s EnvelopeFile<'_>,
        typed: &mut TypedPassphrase,
    ) -> Result<Rewriting<Blocking<&'s File>>, Failure> {
        let name = subject.input.name();
        let rewriting = self.opener.rewrite(&name, subject.source.reader(), typed);
        rewriting.map_err(|failure| match failure {
            RewriteFailure::Open(failure) => self.not_opened(subject.input, failure),
            RewriteFailure::Rewrite(error) => subject.not_rewritten(&error),
        })
    }

    /// Opens an envelope that is to be read.
    pub(crate) fn opened<'s>(
        &self,
        subject: &'s EnvelopeFile<'_>,
        typed: &mut TypedPassphrase,
        parallelism: Parallelism,
    ) -> Result<OpenedEnvelope<'s>, Failure> {
        let (input, source) = (subject.input, &subject.source);
        let terminal = parallelism.progress(self.context.terminal);
        let bytes = source.is_seekable().then_some(source.metadata.len());
        let reader = Progress::new(terminal, &input.name(), bytes, source.reader());
        let failed = |failure| self.not_opened(input, failure);
        let envelope = Envelope::read(reader)
            .map_err(OpenFailure::Unreadable)
            .map_err(failed)?;
        let is_armored = envelope.is_armored();
        let content = self.opener.unlock(&input.name(), envelope, typed);
        Ok(OpenedEnvelope {
            is_armored,
            content: content.map_err(failed)?,
        })
    }

    fn not_opened(&self, input: &Input, failure: OpenFailure) -> Failure {
        let cannot = input.cannot(self.verb, Exit::Failed);
        match failure {
            OpenFailure::Unreadable(error) => envelope::failure(cannot, error),
            OpenFailure::Unmet(unmet) => cannot.reason(unmet.to_string()),
            OpenFailure::Locked {
                error,
                policy,
                keys,
            } => {
                let context = UnlockContext {
                    verb: self.verb,
                    place: Place::File(input.path()),
                    people: self.people,
                    policy: &policy,
                    keys: &keys,
                    approvals: &self.approvals,
                };
                context.failure(cannot, error)
            }
        }
    }

    /// The identity that was named to act.
    pub(crate) fn named(&self) -> Option<&'a Person> {
        self.named
    }

    /// My keys.
    pub(crate) fn keys(&self) -> &MyKeys<'a> {
        self.opener.keys()
    }

    /// Says which approvals were for none of the envelopes.
    pub(crate) fn warn_of_unused_approvals(&self) {
        self.opener.report_unused_approvals();
    }
}
