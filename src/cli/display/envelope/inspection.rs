//! What an envelope says about itself. Nothing of it is verified.

use std::collections::BTreeMap;

use encl::directory::People;
use encl::envelope::{Access, Grant, Manifest, Slot};
use encl::policy::{Lock, Padding, Policy, Recipient};
use encl::time::Time;
use serde::Serialize;

use crate::cli::display::envelope::gate::{self, GateTermsObject};
use crate::cli::display::envelope::policy;
use crate::cli::display::names::{DisplayName, hex, shown_name};
use crate::cli::display::report::Report;
use crate::cli::display::time;
use crate::cli::terminal::stdout::StdoutError;
use crate::cli::terminal::{Terminal, safe};

/// One envelope that was looked at.
pub(crate) struct Inspection<'a> {
    /// Its name for people.
    pub(crate) name: String,
    /// Its name as it was typed.
    pub(crate) file: String,
    /// Where in a message it was found.
    pub(crate) part: Option<&'a str>,
    pub(crate) manifest: &'a Manifest,
    pub(crate) payload_bytes: u64,
    pub(crate) people: &'a People,
}

impl Report for Inspection<'_> {
    type Object<'o>
        = InspectionObject<'o>
    where
        Self: 'o;

    fn object(&self) -> InspectionObject<'_> {
        InspectionObject::of(self)
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        let mut lines = lines(&self.name, self.manifest, self.people);
        lines.push(format!(
            "  size        {} bytes of encrypted content, behind {} bytes that say all this",
            self.payload_bytes, self.manifest.bytes
        ));
        terminal.print(&lines.join("\n"))
    }
}

/// `encl.inspect/1`, in the documented order.
#[derive(Serialize)]
pub(crate) struct InspectionObject<'a> {
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
    /// Absent but for a lock of gates.
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<GateTermsObject<'a>>,
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

impl<'a> InspectionObject<'a> {
    fn of(inspection: &'a Inspection<'_>) -> Self {
        let Inspection { people, .. } = inspection;
        let Manifest {
            policy,
            access,
            id,
            bytes,
            ..
        } = inspection.manifest;
        Self {
            schema: "encl.inspect/1",
            file: inspection.file.clone(),
            part: inspection.part,
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
            payload_bytes: inspection.payload_bytes,
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
            kind: match lock.gate() {
                Some(_) => "gate",
                None => "recipients",
            },
            need: lock.need,
            passphrase: lock.passphrase().map(|cost| cost.log2_kib().into()),
            recipients: lock
                .named()
                .map(|named| named.iter().map(recipient).collect()),
            gate: lock.gate().map(GateTermsObject::of),
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
            Slot::Passphrase(_) | Slot::Gate(_) => Self {
                lock: slot.lock(),
                key: None,
                grant: None,
            },
        }
    }
}

/// What people read. Every word of it is the envelope's own claim.
fn lines(name: &str, manifest: &Manifest, people: &People) -> Vec<String> {
    let Manifest {
        policy, access, id, ..
    } = manifest;
    let mut lines = vec![
        name.to_owned(),
        "  the policy, not verified, says:".to_owned(),
    ];
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
    lines.push(format!(
        "  slots       {} (the envelope's key, encrypted for each reader)",
        access.slots.len()
    ));
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
        let rules: Vec<_> = policy
            .locks
            .iter()
            .map(|lock| policy::rule(lock, people))
            .collect();
        lines.push(format!("  to open it  {}", policy::all(&rules)));
    }
    for (number, lock) in policy.locks.iter().enumerate() {
        if many {
            lines.push(format!(
                "  lock {number} of {}, all of which must open",
                policy.locks.len()
            ));
        }
        if let Some(terms) = lock.gate() {
            let gates = terms.gates.iter().map(|one| gate::name(one, people));
            lines.extend(labelled(
                (lock.need, lock.shares.len()),
                "gates",
                gates.collect(),
            ));
            lines.extend(gate::lines(terms));
            continue;
        }
        let mut readers: Vec<String> = lock
            .recipients()
            .iter()
            .map(|recipient| {
                let is_mine = people.is_my_key(recipient.key);
                let mine = if is_mine { " (you)" } else { "" };
                format!("{}{mine}", recipient.display_name())
            })
            .collect();
        if lock.named().is_none() {
            readers.push(match lock.need {
                1 => "named only to each other".to_owned(),
                _ => format!("{} people, named only to each other", lock.shares.len()),
            });
        }
        if lock.passphrase().is_some() {
            readers.push("anybody who knows the passphrase".to_owned());
        }
        lines.extend(labelled((lock.need, lock.shares.len()), "readers", readers));
    }
    lines
}

/// One below the other: each alone, or so many of them together.
fn labelled((need, of): (u8, usize), word: &str, names: Vec<String>) -> Vec<String> {
    let label = match usize::from(need) {
        1 => word.to_owned(),
        need if need == of => format!("all {need} of"),
        need => format!("any {need} of"),
    };
    let labels = std::iter::once(&*label).chain(std::iter::repeat(""));
    let lines = labels.zip(names);
    let lines = lines.map(|(label, name)| format!("  {label:<11} {name}"));
    lines.collect()
}

fn grants(access: &Access) -> Vec<String> {
    let grant = |slot: &Slot| match slot {
        Slot::Key(slot) => slot.grant.clone(),
        Slot::Passphrase(_) | Slot::Gate(_) => None,
    };
    let words = |grant: Box<Grant>| {
        format!(
            "  granted to  {} at {}",
            shown_name(&grant.name),
            time::local(grant.at)
        )
    };
    access.slots.iter().filter_map(grant).map(words).collect()
}
