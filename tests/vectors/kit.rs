//! The test kit (FORMAT.md, "A test kit"): each file states the answer of a correct reader, and our reader must give it. How
//! the files are made is in `kit_maker`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use encl::crypto::passphrase::{Passphrase, PassphraseError};
use encl::crypto::signing::RootId;
use encl::crypto::{KeyId, PrivateKey, sha256};
use encl::envelope::{
    Admission, Approval, Envelope, Keyring, KeyringError, OpenError, ReaderKey, Workers,
};
use encl::gate::card::GateCard;
use encl::identity::{
    Card, CardError, CarrierError, GroupCard, Identity, IdentityError, Revocation,
};
use encl::json;

use crate::node::node;
use crate::python::python;
use crate::support::process;

/// The folders of cases. The folder `keys` has no cases.
const KINDS: [&str; 7] = [
    "approval",
    "card",
    "envelope",
    "gate",
    "group",
    "identity",
    "revocation",
];

const HEADERS: [&str; 9] = [
    "expect",
    "payload",
    "admission",
    "fingerprint",
    "identity",
    "passphrase",
    "approval",
    "now",
    "comment",
];

/// The folder of the kit.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kit")
}

/// One file of the kit.
struct Case {
    kind: &'static str,
    name: String,
    headers: Vec<(String, String)>,
    bytes: Vec<u8>,
}

impl Case {
    fn read(kind: &'static str, path: &Path) -> Self {
        let file = fs::read(path).unwrap();
        let end = file.windows(2).position(|two| two == b"\n\n").unwrap();
        let headers = String::from_utf8(file[..end].to_vec()).unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            assert!(HEADERS.contains(&name), "{}: {name}", path.display());
            (name.to_owned(), value.to_owned())
        };
        Self {
            kind,
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            headers: headers.lines().map(header).collect(),
            bytes: file[end + 2..].to_vec(),
        }
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().filter(move |header| header.0 == name);
        named.map(|header| header.1.as_str())
    }

    fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let value = values.next();
        assert_eq!(values.next(), None, "{}: {name} twice", self.name);
        value
    }

    /// The answer of a correct reader.
    fn expected(&self) -> Answer {
        let text = |name: &str| self.one(name).map(str::to_owned);
        Answer {
            class: text("expect").unwrap(),
            payload: text("payload"),
            admission: text("admission"),
            fingerprint: text("fingerprint"),
        }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Answer {
    class: String,
    /// For an envelope: the hash of the released content.
    payload: Option<String>,
    admission: Option<String>,
    /// For a card, a group card, a revocation or an identity: the root key.
    fingerprint: Option<String>,
}

impl Answer {
    fn of_class(class: &str) -> Self {
        Self {
            class: class.to_owned(),
            ..Self::default()
        }
    }

    fn of(read: Result<RootId, &str>) -> Self {
        match read {
            Ok(id) => Self {
                class: "success".to_owned(),
                fingerprint: Some(hex::encode(id.0)),
                ..Self::default()
            },
            Err(class) => Self::of_class(class),
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in KINDS {
        let files = fs::read_dir(folder().join(kind)).unwrap();
        let before = cases.len();
        cases.extend(files.map(|file| Case::read(kind, &file.unwrap().path())));
        assert!(cases.len() > before, "no {kind}");
    }
    cases
}

/// The keys that a case gives to the reader.
struct Keys {
    identities: Vec<Identity>,
    passphrase: Option<String>,
}

impl Keys {
    fn of(case: &Case) -> Self {
        let identity = |name: &str| {
            let line = fs::read(folder().join("keys").join(name)).unwrap();
            Identity::from_line(line.strip_suffix(b"\n").unwrap()).unwrap()
        };
        Self {
            identities: case.all("identity").map(identity).collect(),
            passphrase: case.one("passphrase").map(str::to_owned),
        }
    }
}

impl Keyring for Keys {
    fn keys(&self) -> Vec<ReaderKey> {
        let keys = self.identities.iter().flat_map(Identity::keys);
        keys.map(|key| ReaderKey {
            id: key.private.public_key().key_id(),
            kem: key.private.kem(),
        })
        .collect()
    }

    fn private_key(&mut self, id: KeyId) -> Result<&PrivateKey, KeyringError> {
        let mut identities = self.identities.iter();
        let key = identities.find_map(|identity| identity.private_key(id));
        key.ok_or_else(|| "no such key".into())
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        let text = self.passphrase.as_deref().ok_or("nobody knows it")?;
        Ok(Passphrase::new(text)?)
    }
}

/// Opens an envelope as the case describes, and returns the released content.
fn opened(case: &Case) -> (Result<Admission, OpenError>, Vec<u8>) {
    let mut keys = Keys::of(case);
    let approval = |name: &str| {
        let file = Case::read("approval", &folder().join("approval").join(name));
        Approval::from_bytes(&file.bytes).unwrap()
    };
    let approvals: Vec<_> = case.all("approval").map(approval).collect();
    let now = case.one("now").unwrap_or("2026-11-24T12:00:00Z");
    let mut released = Vec::new();
    let about = Envelope::read(case.bytes.as_slice())
        .and_then(|envelope| envelope.unlock_with(&approvals, &mut keys, now.parse().unwrap()))
        .and_then(|content| content.copy_to(&mut released, Workers::ONE));
    (about.map(|(about, _)| about.admission), released)
}

fn class_of(error: &OpenError) -> &'static str {
    match error {
        // Our keyrings create the passphrase, and check its length.
        OpenError::Keyring(cause) if cause.is::<PassphraseError>() => "passphrase",
        error => error
            .class()
            .map_or("no class", encl::envelope::Class::name),
    }
}

fn envelope(case: &Case) -> Answer {
    let (opened, released) = opened(case);
    let (class, admission) = match opened {
        Ok(Admission::Named) => ("success", Some("named")),
        Ok(Admission::Granted(_)) => ("success", Some("granted")),
        Ok(Admission::Unrecorded(_)) => ("success", Some("unrecorded")),
        Err(error) => (class_of(&error), None),
    };
    Answer {
        class: class.to_owned(),
        payload: Some(hex::encode(sha256(&[&released]))),
        admission: admission.map(str::to_owned),
        fingerprint: None,
    }
}

/// The first byte shows whether the identity file is sealed.
fn identity(case: &Case) -> Answer {
    let (opened, line) = match case.bytes.first() {
        Some(b'e') => opened(case),
        _ => (Ok(Admission::Named), case.bytes.clone()),
    };
    let read = match opened {
        Ok(_) => {
            Identity::from_line(line.strip_suffix(b"\n").unwrap()).map_err(|error| match error {
                IdentityError::Line(error) => line_class(&error),
                IdentityError::Id | IdentityError::Full | IdentityError::Differs(_) => "malformed",
            })
        }
        Err(error) => Err(class_of(&error)),
    };
    Answer::of(read.map(|identity| identity.id()))
}

fn line_class(error: &json::Error) -> &'static str {
    match error {
        json::Error::Malformed(_) => "malformed",
        json::Error::OverLimit(_) => "over-limit",
        json::Error::Newer(_) => "newer",
    }
}

/// FORMAT.md, "Cards".
fn card_class(error: &CardError) -> &'static str {
    match error {
        CardError::Carrier(CarrierError::Prefix(_) | CarrierError::Utf16) => "not-a-card",
        CardError::Carrier(CarrierError::TooLong) => "over-limit",
        CardError::Carrier(CarrierError::Group { .. } | CarrierError::Content) => "mangled",
        CardError::Line(error) => line_class(error),
        CardError::Key { .. } => "key",
        CardError::Signature => "signature",
    }
}

fn answer(case: &Case) -> Answer {
    let bytes = &case.bytes;
    match case.kind {
        "approval" => match Approval::from_bytes(bytes) {
            Ok(_) => Answer::of_class("success"),
            Err(error) => Answer::of_class(error.class()),
        },
        "card" => {
            let read = Card::from_text(bytes);
            Answer::of(read.as_ref().map(Card::id).map_err(card_class))
        }
        "gate" => {
            let read = GateCard::from_text(bytes);
            Answer::of(read.as_ref().map(GateCard::id).map_err(card_class))
        }
        "group" => {
            let read = GroupCard::from_text(bytes);
            Answer::of(read.as_ref().map(GroupCard::keeper).map_err(card_class))
        }
        "revocation" => {
            let read = Revocation::from_text(bytes);
            Answer::of(read.as_ref().map(Revocation::id).map_err(card_class))
        }
        "identity" => identity(case),
        _ => envelope(case),
    }
}

#[test]
fn our_reader_answers_as_the_kit_says() {
    let cases = cases();
    assert!(cases.len() >= 1_000, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (expected, found) = (case.expected(), answer(case));
        if expected != found {
            wrong.push(format!(
                "{}/{}: expected {expected:?}, found {found:?}",
                case.kind, case.name
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// Runs another reader over the kit, which has to answer each case as it says.
fn answers_as_the_kit_says(run: &mut Command) {
    let output = process::output(run.arg("--kit").arg(folder()));
    let (answers, errors) = [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text))
        .into();
    assert!(output.status.success(), "{answers}{errors}");
    let count = format!("{} cases, 0 answered otherwise", cases().len());
    assert_eq!(answers.trim_end(), count);
}

#[test]
fn the_second_reader_answers_as_the_kit_says() {
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second_reader/reader.py");
    answers_as_the_kit_says(python().arg(reader));
}

#[test]
fn the_reader_in_the_browser_answers_as_the_kit_says() {
    if let Some(mut node) = node() {
        answers_as_the_kit_says(node.arg("test/run.mjs"));
    }
}

#[test]
fn the_specification_counts_the_cases() {
    let format = include_str!("../../src/envelope/FORMAT.md");
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for case in cases() {
        *counts
            .entry((case.kind, case.expected().class))
            .or_default() += 1;
    }
    let section = format.split("\n# A test kit\n").nth(1).unwrap();
    let all: usize = counts.values().sum();
    assert!(
        section.contains(&format!("holds {all} cases")),
        "{all} cases"
    );
    let of_envelopes = counts.keys().filter(|(kind, _)| *kind == "envelope");
    assert_eq!(of_envelopes.count(), 14 + 1, "all classes, and success");
    for kind in KINDS {
        let of_kind: Vec<_> = counts.iter().filter(|((of, _), _)| *of == kind).collect();
        let classes: Vec<_> = of_kind
            .iter()
            .map(|((_, class), count)| format!("{class} {count}"))
            .collect();
        let all: usize = of_kind.iter().map(|(_, count)| **count).sum();
        let row = format!("| `{kind}` | {all} | {} |", classes.join(", "));
        assert!(section.contains(&row), "FORMAT.md has not this row:\n{row}");
    }
}
