//! `encl wrap`: seal files for the people named.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::SystemTime;

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::atomic_file::{self, Existing};
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::SigningKey;
use encl::envelope::{About, Addressee, ArmorWriter, LockRequest, SealError, SealRequest, Sealed};
use encl::identity::Identity;
use encl::policy::{Conditions, Padding};
use encl::time::Time;
use serde::Serialize;

use super::args::{InputFiles, OutputFile};
use super::completions::who as who_completer;
use super::context::Context;
use super::files::{Input, Source};
use super::help::closing;
use super::keys::Keys;
use super::passphrase::Whose;
use super::people::{People, Person, Signer, hex};
use super::progress::Progress;
use super::readers::Readers;
use super::report::{Exit, Failure, Outcome, Tally, system_words};
use super::sink::{Output, Sink};
use super::target::{self, Target, refuse_one_output_for_many};
use super::terminal::{Stream, safe};
use super::{store, terms, who};

/// Manifests of longer contents end at a block border (FORMAT.md advises it over 1 MiB).
const ALIGNED_BYTES_MIN: u64 = 1 << 20;
const ARMOR_BEGIN: &[u8] = b"-----BEGIN ENCL/1-----";

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
    let job = Job {
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
        tally.add(context.terminal, job.wrap(input));
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

/// What all envelopes of one run have in common.
struct Job<'a> {
    arguments: &'a Arguments,
    context: &'a Context,
    conditions: Conditions,
    labels: BTreeMap<String, String>,
    readers: Readers,
    author: Option<&'a Person>,
    signer: Option<&'a SigningKey>,
    passphrase: Option<Passphrase>,
}

impl Job<'_> {
    fn wrap(&self, input: &Input) -> Result<(), Failure> {
        let target = Target::of_wrap(
            input,
            &self.arguments.output,
            self.arguments.name.as_deref(),
        )?;
        if !self.arguments.armor {
            target::refuse_binary_on_terminal(&target, input)?;
        }
        let mut source = input.open("wrap")?;
        let output = Output {
            verb: "wrap",
            input,
            target: &target,
        };
        let existing = if self.arguments.output.force {
            Existing::Replace
        } else {
            Existing::Keep
        };
        let mut sink = output.open(&source, atomic_file::Readers::Umask, existing)?;
        let bytes = source.length();
        let request = self.request(input, &source, bytes);
        let mut content = Progress::new(self.context.terminal, &input.name(), bytes, source);
        let head = self.head(input, &mut content)?;
        let sealed = self.seal(&request, &mut head.as_slice().chain(content), &mut sink);
        let sealed = sealed.map_err(|error| not_sealed(&output, error))?;
        output.commit(sink)?;
        self.report(input, &target, &sealed)
    }

    fn seal(
        &self,
        request: &SealRequest<'_>,
        content: &mut dyn Read,
        sink: &mut Sink,
    ) -> Result<Sealed, SealError> {
        let mut rng = self.context.rng();
        if !self.arguments.armor {
            return encl::envelope::seal(request, content, sink, &mut rng);
        }
        let mut armor = ArmorWriter::new(sink).map_err(SealError::Write)?;
        let sealed = encl::envelope::seal(request, content, &mut armor, &mut rng)?;
        armor.finish().map_err(SealError::Write)?;
        Ok(sealed)
    }

    fn request(&self, input: &Input, source: &Source, bytes: Option<u64>) -> SealRequest<'_> {
        let passphrase = self
            .passphrase
            .as_ref()
            .map(|passphrase| (passphrase, Cost::DEFAULT));
        SealRequest {
            locks: vec![LockRequest {
                recipients: self.readers.addressees.clone(),
                passphrase,
            }],
            signer: self.signer,
            private: self.arguments.private,
            padding: if self.arguments.pad {
                Padding::Padme
            } else {
                Padding::None
            },
            created: Some(self.context.now),
            conditions: self.conditions,
            labels: self.labels.clone(),
            about: self.about(input, source),
            aligned: bytes.is_none_or(|bytes| bytes > ALIGNED_BYTES_MIN),
        }
    }

    fn about(&self, input: &Input, source: &Source) -> About {
        let file_name = match input {
            Input::Stdin => None,
            Input::File(path) => path
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned),
        };
        let seconds = |modified: SystemTime| modified.duration_since(SystemTime::UNIX_EPOCH).ok();
        let modified = source
            .metadata
            .modified()
            .ok()
            .filter(|_| source.is_seekable())
            .and_then(seconds);
        About {
            name: self.arguments.name.clone().or(file_name),
            modified: modified.and_then(|since| Time::from_unix(since.as_secs())),
            ..About::default()
        }
    }

    /// Reads the first bytes, to see whether somebody wraps an envelope once more.
    fn head(&self, input: &Input, content: &mut impl Read) -> Result<Vec<u8>, Failure> {
        let mut head = Vec::new();
        let read = content
            .take(ARMOR_BEGIN.len() as u64)
            .read_to_end(&mut head);
        read.map_err(|error| {
            input
                .cannot("wrap", Exit::Failed)
                .because(system_words(&error))
        })?;
        if head.starts_with(b"encl/1\n") || head == ARMOR_BEGIN {
            self.context.terminal.warning(&format!(
                "{} is an envelope already; wrapped once more",
                input.name()
            ));
        }
        Ok(head)
    }

    fn report(&self, input: &Input, target: &Target, sealed: &Sealed) -> Result<(), Failure> {
        if !self.context.json {
            let signed = if self.signer.is_some() {
                "signed"
            } else {
                "not signed"
            };
            let readers = self.readers.summary(self.passphrase.is_some());
            self.context
                .terminal
                .status(&format!("{}, {readers}; {signed}", target.name()));
            return Ok(());
        }
        let object = Object {
            schema: "encl.wrap/1",
            file: input.typed(),
            output: target.typed(),
            id: sealed.id.to_string(),
            recipients: self
                .readers
                .addressees
                .iter()
                .map(RecipientObject::of)
                .collect(),
            signer: self
                .author
                .filter(|_| self.signer.is_some())
                .map(Person::signer),
        };
        let stream = if *target == Target::Stdout {
            Stream::Stderr
        } else {
            Stream::Stdout
        };
        self.context.terminal.print_object(&object, stream)
    }
}

fn not_sealed(output: &Output<'_>, error: SealError) -> Failure {
    match error {
        SealError::Write(error) => output.not_written(&error),
        SealError::Read(error) => output
            .input
            .cannot("wrap", Exit::Failed)
            .because(system_words(&error)),
        SealError::Passphrase(error) => output.input.cannot("wrap", Exit::Locked).caused_by(&error),
        SealError::Request(reason) => output
            .input
            .cannot("wrap", Exit::Usage)
            .because(safe(&reason)),
    }
}

/// `encl.wrap/1`, in the order of cli.md.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    output: String,
    id: String,
    recipients: Vec<RecipientObject<'a>>,
    signer: Option<Signer>,
}

#[derive(Serialize)]
struct RecipientObject<'a> {
    name: &'a str,
    address: Option<&'a str>,
    id: String,
    key: String,
}

impl<'a> RecipientObject<'a> {
    fn of(addressee: &'a Addressee) -> Self {
        let recipient = &addressee.recipient;
        Self {
            name: &recipient.name,
            address: recipient.address.as_deref(),
            id: recipient.id.to_string(),
            key: hex(&recipient.key.0),
        }
    }
}
