//! What wrap does for each of its inputs: one content sealed for all its readers.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::SystemTime;

use encl::atomic_file::{self, Existing};
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::SigningKey;
use encl::envelope::{About, Addressee, ArmorWriter, LockRequest, SealError, SealRequest, Sealed};
use encl::policy::{Conditions, Padding};
use encl::time::Time;
use serde::Serialize;

use super::context::Context;
use super::files::{Input, Source};
use super::people::{Person, Signer, hex};
use super::progress::Progress;
use super::readers::Readers;
use super::report::{Exit, Failure, system_words};
use super::sink::{Output, Sink};
use super::target::{self, Target};
use super::terminal::{Stream, safe};
use super::wrap::Arguments;

/// Manifests of longer contents end at a block border (FORMAT.md advises it over 1 MiB).
const ALIGNED_BYTES_MIN: u64 = 1 << 20;
const ARMOR_BEGIN: &[u8] = b"-----BEGIN ENCL/1-----";

/// What all envelopes of one run have in common.
pub(crate) struct Sealing<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) context: &'a Context,
    pub(crate) conditions: Conditions,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) readers: Readers,
    pub(crate) author: Option<&'a Person>,
    pub(crate) signer: Option<&'a SigningKey>,
    pub(crate) passphrase: Option<Passphrase>,
}

impl Sealing<'_> {
    /// Seals one input, and says what was done.
    pub(crate) fn wrap(&self, input: &Input) -> Result<(), Failure> {
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
