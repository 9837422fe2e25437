//! How an envelope is sealed, beside for whom: options as they are typed, and the terms that they give.

use clap::Args;
use encl::directory::{People, Person};
use encl::operations::seal::SealTerms;
use encl::policy::Padding;

use crate::cli::args::conditions;
use crate::cli::args::gate::GateOptions;
use crate::cli::context::Context;
use crate::cli::errors::Failure;
use crate::cli::errors::directory::refuse_retired;

/// How an envelope is sealed, beside for whom.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(crate) struct SealOptions {
    /// Also allow opening with a passphrase. You type it twice; leave it empty to get seven generated words
    #[arg(long)]
    pub(crate) passphrase: bool,

    /// Do not add me to the recipients
    #[arg(long)]
    pub(crate) no_self: bool,

    /// Which of my identities signs [default: $ENCL_IDENTITY, else the default identity; for a message, the one in From]
    #[arg(long = "as", value_name = "WHO", conflicts_with = "anonymous")]
    pub(crate) identity: Option<String>,

    /// Do not sign. You are still named as a recipient, except with --no-self or --private
    #[arg(long)]
    pub(crate) anonymous: bool,

    /// Opening ends at WHEN: RFC 3339, a date, or a span such as 30d. Advisory: only well-behaved software obeys it
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,

    /// Opening begins at WHEN. Advisory: only well-behaved software obeys it
    #[arg(long, value_name = "WHEN")]
    pub(crate) not_before: Option<String>,

    /// A label, such as class=internal. Anybody can read it, also with --private
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) label: Vec<String>,

    /// Hide the names of recipients and signer from everybody but the recipients
    #[arg(long)]
    pub(crate) private: bool,

    /// Hide the exact size (at most 12 % more)
    #[arg(long)]
    pub(crate) pad: bool,

    /// Refuse contacts that are not verified
    #[arg(long)]
    pub(crate) require_verified: bool,

    #[command(flatten)]
    pub(crate) gate: GateOptions,
}

impl SealOptions {
    /// What the envelope says beside its recipients, checked before anything else is done.
    pub(crate) fn terms(&self, context: &Context) -> Result<SealTerms, Failure> {
        Ok(SealTerms {
            conditions: conditions::conditions(
                self.not_before.as_deref(),
                self.expires.as_deref(),
                context.now,
            )?,
            labels: conditions::labels(&self.label)?,
            is_private: self.private,
            padding: match self.pad {
                true => Padding::Padme,
                false => Padding::None,
            },
            gate: None,
        })
    }

    /// Which of my identities wraps: the one that was named, else the default one, if there is any.
    pub(crate) fn author<'a>(
        &self,
        people: &'a People,
        context: &Context,
    ) -> Result<Option<&'a Person>, Failure> {
        if !(self.anonymous && self.no_self) {
            people.check_me()?;
        }
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
