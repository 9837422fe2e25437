//! The private keys of a gate at rest: an envelope that a passphrase opens, or the plain lines.
//!
//! Two lines: that of an identity (the root key and the KEM keys), and one with the log key and what the card says.

use std::path::{Path, PathBuf};

use encl::atomic_file::{Existing, FileMode};
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::{RootId, SigningKey};
use encl::crypto::{CryptoRng, Kem, PrivateKey, Secret};
use encl::envelope::{Envelope, LockRequest, OnlyPassphrase, SealRequest, Workers, seal};
use encl::gate::answering::GateKeys;
use encl::gate::card::{GateCard, GateCardRequest, GateUrl};
use encl::gate::log::NoteKey;
use encl::identity::{CardKey, Identity};
use encl::json::{self, Error, Text, Value};
use encl::time::Time;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::folder::{self, Dir};
use crate::store::rng;

/// Former log keys, and KEM keys that do not fit on the card any more.
const FORMER_MAX: usize = 1_024;
const RETIRED_MAX: usize = 1_024;

/// All private keys of a gate, and what its card says beside them.
pub(crate) struct Keys {
    pub(crate) identity: Identity,
    pub(crate) log: SigningKey,
    pub(crate) former: Vec<RootId>,
    /// KEM keys that are not on the card any more; older envelopes are sealed to them.
    retired: Vec<PrivateKey>,
    pub(crate) url: GateUrl,
    pub(crate) name: String,
    /// Which log of this gate it is, from 1.
    pub(crate) number: u64,
    /// The serial of the last card.
    pub(crate) serial: u64,
}

/// Where a passphrase comes from.
pub(crate) struct PassphraseSource(Option<PathBuf>);

impl PassphraseSource {
    /// The file that was named, or the credential of systemd.
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        let credential = || {
            let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
            let path = Path::new(&folder).join("passphrase");
            path.is_file().then_some(path)
        };
        Self(file.or_else(credential))
    }

    /// The passphrase, if there is one.
    pub(crate) fn passphrase(&self) -> Result<Option<Passphrase>, Failure> {
        let Some(path) = &self.0 else {
            return Ok(None);
        };
        let bytes = folder::read(path)?;
        let line = bytes
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let text = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line));
        let text = text.map_err(|error| Failure::file("read", path, error))?;
        let passphrase = Passphrase::new(text);
        passphrase
            .map(Some)
            .map_err(|error| Failure::file("read", path, error))
    }
}

impl Keys {
    /// Draws all keys of a new gate.
    pub(crate) fn generate(
        (url, name): (GateUrl, String),
        now: Time,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        Self {
            identity: Identity::generate(Kem::XWing, now, None, rng),
            log: SigningKey::generate(rng),
            former: Vec::new(),
            retired: Vec::new(),
            url,
            name,
            number: 1,
            serial: 0,
        }
    }

    /// The name of the log that is written.
    pub(crate) fn origin(&self) -> String {
        let address = self.url.as_str();
        let host = address.split_once("://").map_or(address, |(_, host)| host);
        format!("{host}/{}", self.number)
    }

    /// Draws a new KEM key. The card has room for 16: then the oldest one leaves it, and is kept beside.
    pub(crate) fn rotate_kem(&mut self, now: Time) -> Result<(), Failure> {
        let failure = |why: String| Failure::new("cannot rotate the KEM key", why);
        if self.retired.len() >= RETIRED_MAX {
            return Err(failure(format!(
                "{RETIRED_MAX} old keys are kept, which is as many as can be"
            )));
        }
        self.retired.extend(self.identity.make_room());
        let rotated = self.identity.rotate(Kem::XWing, now, None, &mut rng());
        rotated.map_err(|error| failure(error.to_string()))
    }

    /// Draws a new log key.
    pub(crate) fn rotate_log(&mut self) -> Result<(), Failure> {
        if self.former.len() >= FORMER_MAX {
            let why = format!("{FORMER_MAX} old keys are kept, which is as many as can be");
            return Err(Failure::new("cannot rotate the log key", why));
        }
        let former = std::mem::replace(&mut self.log, SigningKey::generate(&mut rng()));
        self.former.push(former.id());
        Ok(())
    }

    /// Whether this is the card of these keys, and the last one.
    pub(crate) fn fits(&self, card: &GateCard) -> bool {
        card.serial() == self.serial && card.log_key().key == self.log.id()
    }

    /// What is needed to answer.
    pub(crate) fn to_answer(&self) -> GateKeys {
        let copied = |secret: &Secret<32>| Secret::new(*secret.expose());
        let kem = self.identity.keys().iter().map(|key| &key.private);
        let kem = kem.chain(&self.retired).map(|key| {
            let own = PrivateKey::new(key.kem(), copied(key.secret()));
            (own.public_key().key_id(), own)
        });
        GateKeys {
            id: self.identity.id(),
            log: SigningKey::new(copied(self.log.seed())),
            origin: self.origin(),
            former: self.former.clone(),
            kem: kem.collect(),
        }
    }

    /// Signs a card with all these keys, whose serial is higher than the last one's.
    pub(crate) fn new_card(&mut self, now: Time) -> Result<GateCard, Failure> {
        let keys: Vec<CardKey> = self.identity.keys().iter().map(CardKey::from).collect();
        let log = NoteKey {
            name: self.origin(),
            key: self.log.id(),
        };
        let request = GateCardRequest {
            name: &self.name,
            url: &self.url,
            after: self.serial,
            created: now,
            log: &log,
            keys: &keys,
        };
        let card = GateCard::new(self.identity.root(), &request);
        let card = card.map_err(|error| Failure::new("cannot make the card", error))?;
        self.serial = card.serial();
        Ok(card)
    }

    /// Reads the keys of a gate.
    pub(crate) fn read(dir: &Dir, source: &PassphraseSource) -> Result<Self, Failure> {
        let path = dir.keys();
        let bytes = folder::read(&path)?;
        let failure = |error: Error| Failure::file("read", &path, error);
        if bytes.first() == Some(&b'{') {
            return Self::parse(&bytes).map_err(failure);
        }
        let passphrase = source.passphrase()?.ok_or_else(|| {
            Failure::file(
                "read",
                &path,
                "the keys are under a passphrase, and none was given",
            )
            .hint("--passphrase-file FILE, or the credential `passphrase` of systemd")
        })?;
        let lines = unsealed(&bytes, &passphrase);
        let lines = lines.map_err(|error| Failure::file("read", &path, error))?;
        Self::parse(&lines).map_err(failure)
    }

    /// Writes the keys of a gate, for its owner only; under the passphrase if there is one.
    pub(crate) fn write(
        &self,
        dir: &Dir,
        (source, existing): (&PassphraseSource, Existing),
        rng: &mut dyn CryptoRng,
    ) -> Result<(), Failure> {
        let lines = self.to_lines();
        let bytes = match source.passphrase()? {
            Some(passphrase) => sealed(&lines, &passphrase, rng)?,
            None => lines,
        };
        folder::write(&dir.keys(), &bytes, FileMode::OwnerOnly, existing)
    }

    fn to_lines(&self) -> Zeroizing<Vec<u8>> {
        let seed = Zeroizing::new(json::to_b64(self.log.seed().expose()));
        let retired = self.retired.iter();
        let retired = retired.map(|key| Zeroizing::new(json::to_b64(key.secret().expose())));
        let retired: Vec<Zeroizing<String>> = retired.collect();
        let line = LogLine {
            gate_keys: VERSION,
            log: &seed,
            former: &self.former,
            retired: retired.iter().map(|seed| seed.as_str()).collect(),
            url: self.url.as_str(),
            name: &self.name,
            number: self.number,
            serial: self.serial,
        };
        let identity = self.identity.to_line();
        let room = identity.len() + 2_048 + 48 * (self.former.len() + retired.len());
        let mut lines = Zeroizing::new(Vec::with_capacity(room));
        lines.extend_from_slice(&identity);
        lines.push(b'\n');
        serde_json::to_writer(&mut *lines, &line).expect("a Vec takes every write");
        lines.push(b'\n');
        lines
    }

    fn parse(lines: &[u8]) -> Result<Self, Error> {
        let mut lines = lines.split(|byte| *byte == b'\n');
        let identity = lines.next().unwrap_or_default();
        let identity =
            Identity::from_line(identity).map_err(|error| Error::Malformed(error.to_string()))?;
        let line = lines.next().unwrap_or_default();
        let (mut version, mut log, mut former, mut url) = (None, None, None, None);
        let mut retired = None;
        let (mut title, mut number, mut serial) = (None, None, None);
        Text::check(line)?.object(|name, value| {
            match name {
                "gate_keys" => version = Some(value.text(16)?).filter(|text| text == VERSION),
                "log" => log = Some(Secret::new(value.base64()?)),
                "former" => {
                    former = Some(value.array(FORMER_MAX, |key| key.base64().map(RootId))?);
                }
                "retired" => retired = Some(value.array(RETIRED_MAX, retired_key)?),
                "url" => url = GateUrl::parse(&value.text(255)?).ok(),
                "name" => title = Some(value.text(256)?.into_owned()),
                "number" => number = Some(value.number()?),
                "serial" => serial = Some(value.number()?),
                other => return Err(Error::unknown(other)),
            }
            Ok(())
        })?;
        version.ok_or_else(|| Error::missing("gate_keys"))?;
        Ok(Self {
            identity,
            log: SigningKey::new(log.ok_or_else(|| Error::missing("log"))?),
            former: former.ok_or_else(|| Error::missing("former"))?,
            retired: retired.unwrap_or_default(),
            url: url.ok_or_else(|| Error::missing("url"))?,
            name: title.ok_or_else(|| Error::missing("name"))?,
            number: number.ok_or_else(|| Error::missing("number"))?,
            serial: serial.ok_or_else(|| Error::missing("serial"))?,
        })
    }
}

const VERSION: &str = "encl/1";

fn retired_key(value: Value<'_>) -> Result<PrivateKey, Error> {
    Ok(PrivateKey::new(Kem::XWing, Secret::new(value.base64()?)))
}

#[derive(Serialize)]
struct LogLine<'a> {
    gate_keys: &'static str,
    log: &'a str,
    former: &'a [RootId],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    retired: Vec<&'a str>,
    url: &'a str,
    name: &'a str,
    number: u64,
    serial: u64,
}

fn sealed(
    lines: &[u8],
    passphrase: &Passphrase,
    rng: &mut dyn CryptoRng,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let request = SealRequest {
        locks: vec![LockRequest {
            passphrase: Some((passphrase, Cost::default())),
            ..LockRequest::default()
        }],
        ..SealRequest::default()
    };
    let mut envelope = Zeroizing::new(Vec::new());
    let mut lines = lines;
    let sealed = seal(&request, &mut lines, &mut *envelope, rng);
    sealed.map_err(|error| Failure::new("cannot seal the keys", error))?;
    Ok(envelope)
}

fn unsealed(envelope: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut keyring = OnlyPassphrase(passphrase);
    // The envelope has no dates; one that has was not made by this program.
    let now = Time::from_unix(0).expect("1970 is a year of the format");
    let mut lines = Zeroizing::new(Vec::with_capacity(envelope.len()));
    let content = Envelope::read(envelope).and_then(|read| read.unlock(&mut keyring, now));
    let copied = content.and_then(|content| content.copy_to(&mut *lines, Workers::ONE));
    copied.map(|_| lines).map_err(|error| error.to_string())
}
