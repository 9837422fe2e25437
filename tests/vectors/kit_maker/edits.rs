//! Changes of finished files, by text, line or bit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The parts of an envelope.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) policy: Vec<u8>,
    pub(crate) access: Vec<u8>,
    pub(crate) mac: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Parts {
    pub(crate) fn of(envelope: &[u8]) -> Self {
        let mut lines = envelope.splitn(5, |byte| *byte == b'\n').skip(1);
        let [policy, access, mac, payload] = [0; 4].map(|_| lines.next().unwrap().to_vec());
        Self {
            policy,
            access,
            mac,
            payload,
        }
    }

    /// Lines 1 to 4.
    pub(crate) fn head(&self) -> Vec<u8> {
        [b"encl/1", &self.policy[..], &self.access, &self.mac, b""].join(&b'\n')
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.payload.clone()].concat()
    }

    pub(crate) fn with_policy(&self, line: impl Into<Vec<u8>>) -> Vec<u8> {
        let policy = line.into();
        Self {
            policy,
            ..self.clone()
        }
        .bytes()
    }

    pub(crate) fn with_access(&self, line: impl Into<Vec<u8>>) -> Vec<u8> {
        let access = line.into();
        Self {
            access,
            ..self.clone()
        }
        .bytes()
    }

    pub(crate) fn with_mac(&self, line: impl Into<Vec<u8>>) -> Vec<u8> {
        let mac = line.into();
        Self {
            mac,
            ..self.clone()
        }
        .bytes()
    }

    pub(crate) fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        [self.head(), payload.to_vec()].concat()
    }
}

/// Replaces the first `from` by `to`.
#[track_caller]
pub(crate) fn edited(bytes: &[u8], from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Vec<u8> {
    let (from, to) = (from.as_ref(), to.as_ref());
    let at = bytes.windows(from.len()).position(|part| part == from);
    let at = at.unwrap_or_else(|| panic!("{} is not there", String::from_utf8_lossy(from)));
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// Flips the lowest bit of one byte.
pub(crate) fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// The text of the member `"name":"…"`.
pub(crate) fn member(line: &str, name: &str) -> String {
    let rest = line.split_once(&format!("\"{name}\":\"")).unwrap().1;
    rest.split('"').next().unwrap().to_owned()
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The same bytes in base64 that is not canonical: sets an unused bit of the last character before `=`.
pub(crate) fn loosened(base64: &str) -> String {
    let bare = base64.trim_end_matches('=');
    assert!(bare.len() < base64.len(), "no bits are left over");
    let (front, last) = bare.as_bytes().split_at(bare.len() - 1);
    let at = BASE64.iter().position(|byte| *byte == last[0]).unwrap();
    let front = String::from_utf8(front.to_vec()).unwrap();
    let last = char::from(BASE64[at + 1]);
    format!("{front}{last}{}", &base64[bare.len()..])
}

/// Changes one character of base64.
pub(crate) fn changed(base64: &str) -> String {
    let last = if base64.starts_with('A') { 'B' } else { 'A' };
    format!("{last}{}", &base64[1..])
}

/// Armor, 64 columns.
pub(crate) fn armored(envelope: &[u8]) -> String {
    let lines: Vec<_> = envelope.chunks(48).map(encl::json::to_b64).collect();
    format!(
        "-----BEGIN ENCL/1-----\n{}\n-----END ENCL/1-----\n",
        lines.join("\n")
    )
}

/// Content that is not text and does not repeat.
pub(crate) fn content(bytes: u32) -> Vec<u8> {
    (0..bytes)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0])
        .collect()
}

/// Decodes base64.
pub(crate) fn decoded(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}
