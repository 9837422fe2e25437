//! `encl wrap`: seal files for the people named.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::crypto::passphrase::Passphrase;
use encl::crypto::signing::SigningKey;
use encl::identity::Identity;

use super::args::{InputFiles, OutputFile};
use super::completions::who as who_completer;
use super::context::Context;
use super::files::Input;
use super::help::closing;
use super::keys::Keys;
use super::passphrase::Whose;
use super::people::{People, Person};
use super::readers::Readers;
use super::report::{Exit, Failure, Outcome, Tally};
use super::sealing::Sealing;
use super::sink::Output;
use super::target::{self, Target, refuse_one_output_for_many};
use super::terminal::safe;
use super::{store, terms, who};

/// Seal files, or standard input, for the people named
///
/// `encl wrap report.pdf --to bob@example.org` writes report.pdf.encl beside it. The input is never removed. With an
/// identity you sign what you wrap, and can read it yourself.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl wrap report.pdf --to bob@example.org
  $ encl wrap report.pdf notes.txt --to @finance --expires 30d -C sealed
  $ encl wrap report.pdf --to bob.card --private --pad
  $ encl wrap report.pdf --passphrase --anonymous -o for-anybody.encl
  $ tar c photos | encl wrap - --name photos.tar --to bob@example.org > photos.tar.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) inputs: InputFiles,

    #[command(flatten)]
    pub(crate) output: OutputFile,

    /// Somebody who may read it: @GROUP, a card file, a pasted card, an address or a name. Any one of them opens it
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    pub(crate) to: Vec<String>,

    /// So may whoever knows a passphrase: asked twice, or seven generated words when left empty
    #[arg(long)]
    pub(crate) passphrase: bool,

    /// Do not add me to those who may read it
    #[arg(long)]
    pub(crate) no_self: bool,

    /// Which of my identities signs [default: $ENCL_IDENTITY, else the default one]
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

    /// Text form, for where only text passes
    #[arg(long)]
    pub(crate) armor: bool,

    /// The file name to store for standard input
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Refuse contacts that were never verified
    #[arg(long)]
    pub(crate) require_verified: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> Outcome {
    let inputs = Input::of(&arguments.inputs, "wrap", context)?;
    check(arguments, &inputs)?;
    let conditions = terms::conditions(
        arguments.not_before.as_deref(),
        arguments.expires.as_deref(),
        context.now,
    )?;
    let labels = terms::labels(&arguments.label)?;
    let people = store::people(context)?;
    let author = author(arguments, &people, context)?;
    let me = author.filter(|_| !arguments.no_self);
    let readers = Readers::resolve(&arguments.to, me, &people, context)?;
    if arguments.require_verified {
        readers.require_verified()?;
    }
    if let [input] = &inputs[..] {
        refuse_existing(input, arguments)?;
    }
    let mut keys = Keys::new(context, &people.mine);
    let signer = author
        .filter(|_| !arguments.anonymous)
        .map(|author| signer(&mut keys, author))
        .transpose()?;
    let passphrase = arguments
        .passphrase
        .then(|| new_passphrase(context))
        .transpose()?;
    readers.remember(context)?;
    if author.is_none() {
        context
            .terminal
            .notice("not signed, and no copy for you: you have no identity");
    }
    let sealing = Sealing {
        arguments,
        context,
        conditions,
        labels,
        readers,
        author,
        signer,
        passphrase,
    };
    let mut tally = Tally::default();
    for input in &inputs {
        tally.add(context.terminal, sealing.wrap(input));
    }
    tally.end()
}

/// Nobody types a passphrase to hear that the target exists. (Several inputs stand alone, each in its turn.)
fn refuse_existing(input: &Input, arguments: &Arguments) -> Result<(), Failure> {
    let target = Target::of_wrap(input, &arguments.output, arguments.name.as_deref())?;
    let output = Output {
        verb: "wrap",
        input,
        target: &target,
    };
    output.refuse_existing(arguments.output.force)
}

fn check(arguments: &Arguments, inputs: &[Input]) -> Result<(), Failure> {
    refuse_one_output_for_many(inputs, &arguments.output)?;
    if arguments.to.is_empty() && !arguments.passphrase {
        return Err(
            Failure::new(Exit::Usage, "cannot wrap for nobody").hint("--to WHO names a reader")
        );
    }
    match &arguments.name {
        Some(_) if inputs.len() > 1 => Err(Failure::new(
            Exit::Usage,
            "cannot store one --name in several envelopes",
        )),
        Some(name) if target::clean(name).as_ref() != Some(name) => Err(Failure::new(
            Exit::Usage,
            format!("cannot store the name `{}`", safe(name)),
        )
        .because("it is not a plain file name")),
        _ => Ok(()),
    }
}

/// Which of my identities wraps: the one that was named, else the default one, if there is any.
fn author<'a>(
    arguments: &Arguments,
    people: &'a People,
    context: &Context,
) -> Result<Option<&'a Person>, Failure> {
    match context.identity_name(arguments.identity.as_deref()) {
        Some(name) => who::mine(&name, people).map(Some),
        None => Ok(people.mine.first()),
    }
}

/// The key that signs. Never silently unsigned: without its passphrase nothing is wrapped.
fn signer<'a>(keys: &'a mut Keys<'_>, author: &Person) -> Result<&'a SigningKey, Failure> {
    let unlocked = keys.identity(author.card.id());
    unlocked.map(Identity::root).map_err(|failure| {
        let what = failure.what.clone();
        let mut failure = Failure {
            what: "cannot sign".to_owned(),
            ..failure
        };
        failure.because.insert(0, what);
        match failure.exit {
            Exit::Locked => failure.hint(
                "--anonymous leaves the signature out; --passphrase-file FILE gives the passphrase",
            ),
            _ => failure,
        }
    })
}

fn new_passphrase(context: &Context) -> Result<Passphrase, Failure> {
    context.passphrases.new_one(Whose::Envelope, "the envelope")
}
