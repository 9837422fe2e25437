//! `encl inspect`: what an envelope says about itself.

use std::collections::BTreeMap;
use std::io::Read;

use crate::cli::display::names::{DisplayName, hex};
use clap::Args;
use encl::directory::People;
use encl::envelope::{Access, Envelope, Grant, Manifest, Slot};
use encl::policy::{Lock, Padding, Policy, Recipient};
use encl::time::Time;
use serde::Serialize;

use crate::cli::args::InputFiles;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::display::policy;
use crate::cli::display::time;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::operations::open;
use crate::cli::terminal::{Stream, safe};

/// Show who can decrypt an envelope, who signed it, and its dates; needs no key
///
/// Nothing is decrypted, so nothing is verified: what is shown is a claim until the envelope is opened. Dates are advisory.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Newer], "\
  $ encl inspect letter.pdf.encl
  $ encl inspect --json letter.pdf.encl
  $ sed -n 2p letter.pdf.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) inputs: InputFiles,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    // Names are a help here, not a condition: inspect needs no key.
    let people = context
        .people()
        .unwrap_or_else(|_| People::nobody(context.keystore.clone()));
    let mut tally = Tally::default();
    for input in Input::of(&arguments.inputs, "inspect", context)? {
        let inspected = input
            .open("inspect")
            .and_then(|source| inspect((&input, None), source, &people, context));
        tally.add(context.terminal, inspected);
    }
    tally.end()
}

/// Tells what one envelope says; `part` is where in a message it was found.
pub(crate) fn inspect(
    (input, part): (&Input, Option<&str>),
    source: impl Read,
    people: &People,
    context: &Context,
) -> Result<(), Failure> {
    let failed = |error: encl::envelope::OpenError| open::failure(input, "inspect", error);
    let mut envelope = Envelope::read(source).map_err(failed)?;
    let payload_bytes = envelope.payload_bytes().map_err(failed)?;
    let manifest = envelope.manifest();
    if context.json {
        let object = Object {
            part,
            ..Object::of(input, manifest, payload_bytes, people)
        };
        return context.terminal.print_object(&object, Stream::Stdout);
    }
    let mut lines = lines(input, manifest, people);
    lines.push(format!(
        "  size        {} bytes of header, {payload_bytes} bytes of payload",
        manifest.bytes
    ));
    context.terminal.print(&lines.join("\n"))
}

/// `encl.inspect/1`, in the documented order.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'a str>,
    id: String,
    verified: bool,
    signed: bool,
    private: bool,
    padding: Padding,
    signer: Option<String>,
    created: Option<Time>,
    not_before: Option<Time>,
    expires: Option<Time>,
    labels: &'a BTreeMap<String, String>,
    locks: Vec<LockObject<'a>>,
    slots: Vec<SlotObject<'a>>,
    header_bytes: u64,
    payload_bytes: u64,
}

#[derive(Serialize)]
struct LockObject<'a> {
    kind: &'static str,
    need: u8,
    /// What a guess costs: 2^cost KiB; `null` without a passphrase.
    passphrase: Option<u64>,
    /// `null` when they are private.
    recipients: Option<Vec<RecipientObject<'a>>>,
}

#[derive(Serialize)]
struct RecipientObject<'a> {
    name: &'a str,
    address: Option<&'a str>,
    id: String,
    key: String,
    mine: bool,
}

#[derive(Serialize)]
struct SlotObject<'a> {
    lock: u16,
    key: Option<String>,
    grant: Option<GrantObject<'a>>,
}

#[derive(Serialize)]
struct GrantObject<'a> {
    name: &'a str,
    address: Option<&'a str>,
    id: String,
    by: String,
    at: Time,
}

impl<'a> Object<'a> {
    fn of(input: &Input, manifest: &'a Manifest, payload_bytes: u64, people: &People) -> Self {
        let Manifest {
            policy,
            access,
            id,
            bytes,
            ..
        } = manifest;
        Self {
            schema: "encl.inspect/1",
            file: input.typed(),
            part: None,
            id: id.to_string(),
            verified: false,
            signed: policy.signed,
            private: policy.private,
            padding: policy.padding,
            signer: policy.signer.map(|id| id.to_string()),
            created: policy.created,
            not_before: policy.conditions.not_before,
            expires: policy.conditions.expires,
            labels: &policy.labels,
            locks: policy
                .locks
                .iter()
                .map(|lock| LockObject::of(lock, people))
                .collect(),
            slots: access.slots.iter().map(SlotObject::of).collect(),
            header_bytes: *bytes,
            payload_bytes,
        }
    }
}

impl<'a> LockObject<'a> {
    fn of(lock: &'a Lock, people: &People) -> Self {
        let recipient = |recipient: &'a Recipient| RecipientObject {
            name: &recipient.name,
            address: recipient.address.as_deref(),
            id: recipient.id.to_string(),
            key: hex(&recipient.key.0),
            mine: people.is_my_key(recipient.key),
        };
        Self {
            kind: "recipients",
            need: lock.need,
            passphrase: lock.passphrase.map(|cost| cost.log2_kib().into()),
            recipients: lock
                .named
                .as_ref()
                .map(|named| named.iter().map(recipient).collect()),
        }
    }
}

impl<'a> SlotObject<'a> {
    fn of(slot: &'a Slot) -> Self {
        let grant = |grant: &'a Grant| GrantObject {
            name: &grant.name,
            address: grant.address.as_deref(),
            id: grant.id.to_string(),
            by: grant.by.to_string(),
            at: grant.at,
        };
        match slot {
            Slot::Key(slot) => Self {
                lock: slot.lock,
                key: slot.key.map(|key| hex(&key.0)),
                grant: slot.grant.as_deref().map(grant),
            },
            Slot::Passphrase(slot) => Self {
                lock: slot.lock,
                key: None,
                grant: None,
            },
        }
    }
}

/// What people read. Every word of it is the envelope's own claim.
fn lines(input: &Input, manifest: &Manifest, people: &People) -> Vec<String> {
    let Manifest {
        policy, access, id, ..
    } = manifest;
    let mut lines = vec![input.name(), "  the policy, not verified, says:".to_owned()];
    lines.extend(readers(policy, people));
    lines.push(format!("  signed by   {}", author(policy, people)));
    let times = [
        ("created", policy.created, ""),
        ("not before", policy.conditions.not_before, " (advisory)"),
        ("expires", policy.conditions.expires, " (advisory)"),
    ];
    for (word, time, remark) in times {
        lines.extend(time.map(|time| format!("  {word:<11} {}{remark}", time::local(time))));
    }
    let label = |(name, value): (&String, &String)| {
        format!("  label       {} = {}", safe(name), safe(value))
    };
    lines.extend(policy.labels.iter().map(label));
    if policy.padding == Padding::Padme {
        lines.push("  padding     the exact size is hidden".to_owned());
    }
    lines.extend(grants(access));
    lines.push(format!("  slots       {}", access.slots.len()));
    lines.push(format!("  id          {id}"));
    lines
}

fn author(policy: &Policy, people: &People) -> String {
    match (policy.signer, policy.signed) {
        (Some(id), _) => people.signer(id).display_name(),
        (None, true) => "a person named only to the recipients".to_owned(),
        (None, false) => "nobody".to_owned(),
    }
}

fn readers(policy: &Policy, people: &People) -> Vec<String> {
    let many = policy.locks.len() > 1;
    let mut lines = Vec::new();
    if many || policy.locks.iter().any(|lock| lock.need > 1) {
        let rules: Vec<_> = policy.locks.iter().map(|lock| rule(lock, people)).collect();
        lines.push(format!("  to open it  {}", policy::all(&rules)));
    }
    for (number, lock) in policy.locks.iter().enumerate() {
        if many {
            lines.push(format!(
                "  lock {number} of {}, all of which must open",
                policy.locks.len()
            ));
        }
        let need = match lock.need {
            1 => "any of".to_owned(),
            need => format!("{need} of"),
        };
        lines.extend(lock.recipients().iter().map(|recipient| {
            let mine = if people.is_my_key(recipient.key) {
                " (you)"
            } else {
                ""
            };
            format!("  {need:<11} {}{mine}", recipient.display_name())
        }));
        if lock.named.is_none() {
            lines.push("  recipients  named only to each other".to_owned());
        }
        if lock.passphrase.is_some() {
            lines.push(format!("  {need:<11} anybody who knows the passphrase"));
        }
    }
    lines
}

/// Who opens a lock, in words.
pub(crate) fn rule(lock: &Lock, people: &People) -> String {
    let passphrase = lock.passphrase.is_some();
    let word = |one: &Recipient| match people.is_my_key(one.key) {
        true => "you".to_owned(),
        false => safe(&one.name),
    };
    match &lock.named {
        Some(named) => {
            let named: Vec<_> = named.iter().map(word).collect();
            policy::lock(lock.need, &named, passphrase)
        }
        None => policy::private_lock(lock.need, lock.shares.len(), passphrase),
    }
}

fn grants(access: &Access) -> Vec<String> {
    let grant = |slot: &Slot| match slot {
        Slot::Key(slot) => slot.grant.clone(),
        Slot::Passphrase(_) => None,
    };
    let words = |grant: Box<Grant>| {
        format!(
            "  granted to  {} at {}",
            safe(&grant.name),
            time::local(grant.at)
        )
    };
    access.slots.iter().filter_map(grant).map(words).collect()
}
