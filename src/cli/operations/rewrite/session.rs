//! Envelopes opened by somebody who is about to change who may read them: with my keys, and with what colleagues approved.

use std::fs::File;

use encl::crypto::signing::{RootId, SigningKey};
use encl::directory::{People, Person};
use encl::envelope::{Content, Envelope, Keyring, RewriteError, Rewriting};
use encl::identity::Identity;

use crate::cli::context::Context;
use crate::cli::display::quorum::UnlockContext;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::Input;
use crate::cli::files::parallel::Parallelism;
use crate::cli::operations::open;
use crate::cli::operations::open::approvals::Approvals;
use crate::cli::operations::rewrite::envelope_file::{EnvelopeFile, RewriteOptions, Spool};
use crate::cli::secrets::keyring::{Answers, EnvelopeKeys, Keys};
use crate::cli::terminal::progress::Progress;

/// What one command changes envelopes with.
pub(crate) struct RewriteSession<'a> {
    verb: &'static str,
    pub(crate) context: &'a Context,
    pub(crate) people: &'a People,
    pub(crate) options: &'a RewriteOptions,
    /// Whoever acts, if that was said.
    named: Option<&'a Person>,
    keys: Keys<'a>,
    approvals: Approvals,
    spool: Spool,
}

/// An envelope that was opened as far as its private line.
pub(crate) struct OpenedEnvelope<'s> {
    pub(crate) is_armored: bool,
    pub(crate) content: Content<Progress<&'s File>>,
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
        let named = context.identity_name(options.identity.as_deref());
        Ok(Self {
            verb,
            context,
            people,
            options,
            named: named.map(|name| people.my_identity(&name)).transpose()?,
            keys: Keys::new(context, people.readers()),
            approvals: Approvals::load(&options.with, inputs, context)?,
            spool: Spool::default(),
        })
    }

    /// Opens the file of an envelope.
    pub(crate) fn subject<'i>(&self, input: &'i Input) -> Result<EnvelopeFile<'i>, Failure> {
        EnvelopeFile::open(self.verb, input, self.options, &self.spool)
    }

    /// Opens an envelope whose slots are to change.
    pub(crate) fn rewriting<'s>(
        &self,
        subject: &'s EnvelopeFile<'_>,
        answers: &mut Answers,
    ) -> Result<Rewriting<&'s File>, Failure> {
        let envelope = Envelope::read(&subject.source.file)
            .map_err(|error| open::failure(subject.input, self.verb, error))?;
        let mut keyring = self.keyring(subject, answers);
        let manifest = envelope.manifest();
        let keys = keyring.keys();
        let approvals = self.approvals.for_envelope(manifest, &keys);
        let shut = UnlockContext::of(manifest, keys, self.people, &self.approvals);
        let rewriting = envelope.rewrite(approvals, &mut keyring, self.context.now);
        rewriting.map_err(|error| match error {
            RewriteError::Open(error) => shut.failure(subject.input, self.verb, error),
            error => subject.not_rewritten(&error),
        })
    }

    /// Opens an envelope that is to be read.
    pub(crate) fn opened<'s>(
        &self,
        subject: &'s EnvelopeFile<'_>,
        answers: &mut Answers,
        parallelism: Parallelism,
    ) -> Result<OpenedEnvelope<'s>, Failure> {
        let (input, source) = (subject.input, &subject.source);
        let terminal = parallelism.progress(self.context.terminal);
        let bytes = source.is_seekable().then_some(source.metadata.len());
        let reader = Progress::new(terminal, &input.name(), bytes, &source.file);
        let envelope =
            Envelope::read(reader).map_err(|error| open::failure(input, self.verb, error))?;
        let is_armored = envelope.is_armored();
        let mut keyring = self.keyring(subject, answers);
        let manifest = envelope.manifest();
        let keys = keyring.keys();
        let approvals = self.approvals.for_envelope(manifest, &keys);
        let shut = UnlockContext::of(manifest, keys, self.people, &self.approvals);
        let content = envelope.unlock_with(approvals, &mut keyring, self.context.now);
        Ok(OpenedEnvelope {
            is_armored,
            content: content.map_err(|error| shut.failure(input, self.verb, error))?,
        })
    }

    fn keyring<'k>(
        &'k self,
        subject: &EnvelopeFile<'_>,
        answers: &'k mut Answers,
    ) -> EnvelopeKeys<'k, 'a> {
        answers.keyring(&self.keys, &subject.input.name())
    }

    /// Whoever acts on an envelope: the identity that was named, else one of mine that is `preferred`, else the default one.
    pub(crate) fn actor(&self, preferred: impl Fn(&Person) -> bool) -> Option<&'a Person> {
        let mine = &self.people.active;
        let fitting = || mine.iter().find(|person| preferred(person));
        self.named.or_else(fitting).or_else(|| mine.first())
    }

    /// The key by which one of my identities signs.
    pub(crate) fn signing_key(&self, id: RootId) -> Result<&SigningKey, Failure> {
        self.keys.identity(id).map(Identity::root)
    }

    /// Says which approvals were for none of the envelopes.
    pub(crate) fn warn_of_unused_approvals(&self) {
        self.approvals.warn_of_unused();
    }
}

/// Whoever lets somebody in signs for it.
pub(crate) fn no_identity(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, what)
        .reason("you have no identity, and giving access needs your signature")
        .hint("`encl key new ADDRESS` creates one")
}
