//! A backup read again: strict about what it is, so that nothing is merged that only looks like one.

use std::collections::BTreeMap;
use std::io::{self, Read};

use tar::{Archive, EntryType};
use zeroize::Zeroizing;

use super::super::contact_file::{self, ContactFile};
use super::super::gates::{GATES, GateContact, SEALED, SEALED_BYTES_MAX, SealedWithGate};
use super::super::groups::Group;
use super::super::identities::ENDED;
use super::super::identity_export::IdentityExport;
use super::super::invitations::{self, INVITATIONS, Invitation};
use super::super::state::decision_list::{self, Decision};
use super::proof::{self, BackupProof, Parts};
use super::{CONTACTS, DEFAULT, GROUPS, HEAD, IDENTITIES, MAGIC, TRUST};
use crate::crypto::signing::RootId;
use crate::identity::Card;
use crate::identity::is_group_name;
use crate::time::Time;

/// No file is longer, but for groups and decisions.
const FILE_BYTES_MAX: u64 = 320 << 10;
const GROUP_BYTES_MAX: u64 = 2 << 20;
const TRUST_BYTES_MAX: u64 = 16 << 20;

/// Why a stream is no backup.
#[derive(Debug, thiserror::Error)]
#[error("it is not a backup of a keystore: {0}")]
pub struct BackupError(String);

/// What was decided about people, by their root keys.
pub struct Decisions(pub(in super::super) BTreeMap<RootId, Decision>);

/// A contact as it was backed up; its card is verified.
pub struct BackedUpContact {
    pub(in super::super) file: ContactFile,
    pub(in super::super) card: Card,
}

impl BackedUpContact {
    /// The card.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }
}

/// One thing that is in a backup, in this order.
pub enum Part {
    /// When it was made. The first part.
    Head(Time),
    /// One of my identities.
    Identity(Box<IdentityExport>),
    /// What was decided about people.
    Decisions(Decisions),
    /// A contact.
    Contact(Box<BackedUpContact>),
    /// A group, by its name.
    Group(String, Group),
    /// An invitation, by the hash of its token.
    Invitation([u8; 32], Invitation),
    /// A gate.
    Gate(Box<GateContact>),
    /// What was sealed with a gate.
    Sealed(Box<SealedWithGate>),
    /// The identity that signs when nothing else is said.
    Default(RootId),
}

/// Reads a backup to its end and hands over its parts, one at a time. Returns what it says of the machine that made it.
///
/// # Errors
/// [`BackupError`] for anything that [`super::Backup`] does not write, and whatever `each` returns.
pub fn read_parts<E: From<BackupError>>(
    reader: impl Read,
    mut each: impl FnMut(Part) -> Result<(), E>,
) -> Result<BackupProof, E> {
    let mut archive = Archive::new(reader);
    let entries = archive.entries().map_err(unreadable)?;
    let (mut parts, mut mac) = (Parts::default(), None);
    let mut half: Option<HalfIdentity> = None;
    let mut stage = Stage::Head;
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(unreadable)?;
        let path = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| wrong("a name in it is not text"))?;
        let kind = entry.header().entry_type();
        if kind == EntryType::Directory {
            // Other folders are made when they are needed.
            if let Some(found) = proof::mac_in(&path) {
                let is_last = stage != Stage::Head && mac.is_none();
                let found = found.ok().filter(|_| is_last);
                mac = Some(found.ok_or_else(|| wrong("its proof is none"))?);
                stage = Stage::End;
            }
            continue;
        }
        if kind != EntryType::Regular {
            return Err(wrong(&format!("{path:?} is no regular file")).into());
        }
        let names: Vec<&str> = path.split('/').collect();
        let (next, max) = match *names {
            [HEAD] => (Stage::Head, FILE_BYTES_MAX),
            [IDENTITIES, _, _] => (Stage::Identities, FILE_BYTES_MAX),
            [TRUST] => (Stage::Decisions, TRUST_BYTES_MAX),
            [CONTACTS, _] => (Stage::Contacts, FILE_BYTES_MAX),
            [GROUPS, _] => (Stage::Groups, GROUP_BYTES_MAX),
            [INVITATIONS, _] => (Stage::Invitations, FILE_BYTES_MAX),
            [GATES, _] => (Stage::Gates, FILE_BYTES_MAX),
            [SEALED, _] => (Stage::Sealed, SEALED_BYTES_MAX),
            [DEFAULT] => (Stage::Default, FILE_BYTES_MAX),
            _ => return Err(newer(&path).into()),
        };
        if next < stage || (stage == Stage::Head && next != stage) {
            return Err(wrong(&format!("{path:?} is out of its order")).into());
        }
        stage = next.after();
        let room = entry.size().min(max);
        let bytes = read(&mut entry, room, max, &path)?;
        parts.add(&path, &bytes);
        let part = match *names {
            [IDENTITIES, id, name] => {
                let mut identity = match half.take() {
                    Some(half) => half,
                    None => HalfIdentity::new(id),
                };
                if identity.id != id {
                    return Err(wrong("an identity is incomplete").into());
                }
                identity.files.push((name.to_owned(), bytes));
                if name == "secret" {
                    Part::Identity(Box::new(identity.complete()?))
                } else {
                    half = Some(identity);
                    continue;
                }
            }
            _ if half.is_some() => return Err(wrong("an identity is incomplete").into()),
            [_, name] => named(name, &bytes, next)?,
            _ => single(&bytes, next)?,
        };
        each(part)?;
    }
    match (half, stage) {
        (_, Stage::Head) => Err(wrong("it is empty").into()),
        (Some(_), _) => Err(wrong("it ends within an identity").into()),
        (None, _) => Ok(parts.proof(mac)),
    }
}

/// Where in a backup something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    Head,
    Identities,
    Decisions,
    Contacts,
    Groups,
    Invitations,
    Gates,
    Sealed,
    Default,
    End,
}

impl Stage {
    /// The first stage that may follow. Head, decisions and default are there once.
    fn after(self) -> Self {
        match self {
            Self::Head => Self::Identities,
            Self::Decisions => Self::Contacts,
            Self::Default => Self::End,
            many => many,
        }
    }
}

/// The files of one identity that were read so far.
struct HalfIdentity {
    id: String,
    files: Vec<(String, Zeroizing<Vec<u8>>)>,
}

impl HalfIdentity {
    fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            files: Vec::new(),
        }
    }

    fn complete(self) -> Result<IdentityExport, BackupError> {
        let named = |due: &str| {
            let found = self.files.iter().find(|(name, _)| name == due);
            found.map(|(_, bytes)| bytes.clone())
        };
        let due = |name: &str| {
            named(name).ok_or_else(|| wrong(&format!("an identity has no {name} in it")))
        };
        let ended = named(ENDED);
        let count = 3 + usize::from(ended.is_some());
        if self.files.len() != count {
            return Err(newer(&format!("{IDENTITIES}/{}/…", self.id)));
        }
        let transfer = IdentityExport::from_files(
            &due("card")?,
            &due("revocation")?,
            ended.as_deref().map(|bytes| &**bytes),
            due("secret")?,
        );
        let transfer = transfer.map_err(|error| wrong(&error.to_string()))?;
        transfer
            .check()
            .map_err(|error| wrong(&error.to_string()))?;
        if transfer.card().id().to_string() == self.id {
            Ok(transfer)
        } else {
            Err(wrong("an identity stands under another name"))
        }
    }
}

fn named(name: &str, bytes: &[u8], stage: Stage) -> Result<Part, BackupError> {
    if stage == Stage::Groups {
        let group = Group::from_text(bytes);
        let group = group.map_err(|reason| wrong(&format!("the group {name:?}: {reason}")))?;
        if !is_group_name(name) {
            return Err(wrong(&format!("{name:?} is no group's name")));
        }
        return Ok(Part::Group(name.to_owned(), group));
    }
    if stage == Stage::Invitations {
        let invitation = invitations::from_bytes(bytes)
            .ok()
            .zip(name.parse::<RootId>().ok());
        let (invitation, place) = invitation.ok_or_else(|| wrong("an invitation in it is none"))?;
        return Ok(Part::Invitation(place.0, invitation));
    }
    if stage == Stage::Gates {
        return gate(name, bytes);
    }
    if stage == Stage::Sealed {
        return sealed(name, bytes);
    }
    let of_contact = |what: &str| wrong(&format!("the contact {name:?}: {what}"));
    let file = contact_file::from_bytes(bytes).map_err(|error| of_contact(&error.to_string()))?;
    let card = Card::from_text(file.card()).map_err(|error| of_contact(&error.to_string()))?;
    if file.id.to_string() != name || !file.is_about(&card) {
        return Err(of_contact("its parts are about different people"));
    }
    Ok(Part::Contact(Box::new(BackedUpContact { file, card })))
}

fn gate(name: &str, bytes: &[u8]) -> Result<Part, BackupError> {
    let gate = GateContact::from_text(bytes);
    let gate = gate.map_err(|reason| wrong(&format!("the gate {name:?}: {reason}")))?;
    match gate.card.id().to_string() == name {
        true => Ok(Part::Gate(Box::new(gate))),
        false => Err(wrong("a gate stands under another name")),
    }
}

fn sealed(name: &str, bytes: &[u8]) -> Result<Part, BackupError> {
    let record = SealedWithGate::from_text(bytes);
    let record = record.map_err(|error| wrong(&format!("the record {name:?}: {error}")))?;
    match RootId(record.lock.ticket().0).to_string() == name {
        true => Ok(Part::Sealed(Box::new(record))),
        false => Err(wrong("a record stands under another name")),
    }
}

fn single(bytes: &[u8], stage: Stage) -> Result<Part, BackupError> {
    let text = || std::str::from_utf8(bytes).map_err(|_| wrong("a file in it is not text"));
    match stage {
        Stage::Head => {
            let rest = text()?.trim_end().strip_prefix(MAGIC);
            let rest = rest.ok_or_else(|| newer(HEAD))?;
            let time = rest.strip_prefix(' ').and_then(|time| time.parse().ok());
            Ok(Part::Head(time.ok_or_else(|| {
                wrong("it does not say when it was made")
            })?))
        }
        Stage::Default => {
            let id = text()?.trim_end().parse();
            Ok(Part::Default(
                id.map_err(|_| wrong("its default identity is none"))?,
            ))
        }
        _ => {
            let decisions = decision_list::from_text(text()?);
            let decisions =
                decisions.map_err(|number| wrong(&format!("line {number} of its decisions")))?;
            Ok(Part::Decisions(Decisions(decisions)))
        }
    }
}

fn read(
    entry: &mut impl Read,
    room: u64,
    max: u64,
    path: &str,
) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let room = usize::try_from(room).expect("at most 16 MiB");
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
    let read = entry.take(max + 1).read_to_end(&mut bytes);
    read.map_err(unreadable)?;
    if bytes.len() as u64 > max {
        return Err(wrong(&format!("{path:?} is too long")));
    }
    Ok(bytes)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is used as a function of errors"
)]
fn unreadable(error: io::Error) -> BackupError {
    wrong(&error.to_string())
}

fn newer(path: &str) -> BackupError {
    wrong(&format!("{path:?} is nothing that this version knows"))
}

fn wrong(what: &str) -> BackupError {
    BackupError(what.to_owned())
}
