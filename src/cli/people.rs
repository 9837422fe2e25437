//! Who is behind a key: me, a contact, or nobody known.

use std::collections::HashSet;
use std::fmt::Write as _;

use encl::crypto::KeyId;
use encl::crypto::signing::RootId;
use serde::Serialize;

use super::context::Context;
use super::terminal::safe;

/// How far a name can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trust {
    /// One of my identities.
    Me,
    /// A contact whose fingerprint was compared.
    Verified,
    /// A contact whose fingerprint was never compared.
    Unverified,
    /// No card of this key is here.
    Unknown,
}

/// A key that signed, and what the keystore knows about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Signer {
    #[serde(serialize_with = "as_text")]
    pub(crate) id: RootId,
    pub(crate) name: Option<String>,
    pub(crate) trust: Trust,
}

impl Signer {
    /// "Alice (not verified yet)"
    pub(crate) fn words(&self) -> String {
        match (&self.name, self.trust) {
            (Some(_), Trust::Me) => "you".to_owned(),
            (Some(name), Trust::Verified) => format!("{} (verified)", safe(name)),
            (Some(name), _) => format!("{} (not verified yet)", safe(name)),
            (None, _) => format!("an unknown key, {}", fingerprint(self.id)),
        }
    }
}

/// My keys and my contacts, as far as the keystore can be read: names are a help, not a condition.
pub(crate) struct People {
    my_keys: HashSet<KeyId>,
}

impl People {
    pub(crate) fn read(_context: &Context) -> Self {
        Self {
            my_keys: HashSet::new(),
        }
    }

    /// Whether the private half of this key is mine.
    pub(crate) fn is_my_key(&self, key: KeyId) -> bool {
        self.my_keys.contains(&key)
    }

    /// What is known about the key that signed.
    pub(crate) fn signer(&self, id: RootId) -> Signer {
        Signer {
            id,
            name: None,
            trust: Trust::Unknown,
        }
    }
}

/// A fingerprint as people compare it: 16 groups of 4.
pub(crate) fn fingerprint(id: RootId) -> String {
    let digits = id.to_string();
    let groups: Vec<&str> = (0..digits.len())
        .step_by(4)
        .map(|at| &digits[at..at + 4])
        .collect();
    groups.join(" ")
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String never fails");
    }
    text
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
fn as_text<S: serde::Serializer>(id: &RootId, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(id)
}
