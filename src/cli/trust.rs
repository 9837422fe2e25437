//! How far people are trusted, in words: for lists, for who signed, and for why nothing is sealed for somebody.

use encl::identity::{Card, CardKey, fingerprint};
use encl::keystore;
use encl::time::Time;
use serde::Serialize;

use super::escape::typed;
use super::people::Names;
use super::report::{Exit, Failure};
use super::when;

/// How far a name can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trust {
    /// One of my identities.
    #[serde(rename = "own")]
    Me,
    /// A contact whose key was never compared.
    Unverified,
    /// The same, though a record that this machine did not make says otherwise.
    #[serde(rename = "unverified")]
    Unproven,
    Verified,
    /// Another key was offered for it, and nobody has decided yet.
    Changed,
    /// No key on the card can be sealed to any more. Of signatures this is never said.
    Expired,
    Revoked,
    Blocked,
    /// No card of this key is in the keystore.
    Unknown,
}

impl From<keystore::Trust> for Trust {
    fn from(trust: keystore::Trust) -> Self {
        match trust {
            keystore::Trust::Own => Self::Me,
            keystore::Trust::Verified(_) => Self::Verified,
            keystore::Trust::Unproven => Self::Unproven,
            keystore::Trust::Changed { .. } => Self::Changed,
            keystore::Trust::Revoked { .. } => Self::Revoked,
            keystore::Trust::Blocked { .. } => Self::Blocked,
            _ => Self::Unverified,
        }
    }
}

impl Trust {
    /// Of a contact with its card, as lists and objects say it.
    pub(crate) fn of(trust: keystore::Trust, card: &Card, now: Time) -> Self {
        let expired = !trust.blocks_use() && CardKey::current(card.keys(), now).is_none();
        if expired { Self::Expired } else { trust.into() }
    }

    /// One or few words, as they stand in brackets behind a name.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Me => "you",
            Self::Unverified | Self::Unknown => "not verified yet",
            Self::Unproven => "not verified on this machine",
            Self::Verified => "verified",
            Self::Changed => "changed",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Blocked => "blocked",
        }
    }

    /// Whether nothing may be sealed for this key, and nothing of it counts as signed by somebody in particular.
    pub(crate) fn stops(self) -> bool {
        matches!(self, Self::Changed | Self::Revoked | Self::Blocked)
    }

    /// Completes `failure` by why this state stops it and what ends it.
    pub(crate) fn explain(self, failure: Failure, names: &Names) -> Failure {
        let who = names.addresses.first().map_or("", String::as_str);
        let who = typed(who, "WHO");
        match self {
            Self::Changed => failure
                .because("another key or card was offered for this contact, and it is not decided which one is right")
                .because("somebody may be pretending")
                .hint(changed_hint(&who)),
            Self::Revoked => failure
                .because("its owner revoked the key")
                .hint("ask for the card of their new identity, and add it after `encl contact remove`"),
            Self::Blocked => failure
                .because("you blocked this contact")
                .hint(format!("`encl contact unblock {who}` ends that")),
            _ => failure,
        }
    }
}

/// What to do about a contact that is *changed*.
pub(crate) fn changed_hint(who: &str) -> String {
    format!(
        "ask them by another way than the card came: `encl contact verify {who}` if the known key is right; if it was \
         replaced, `encl contact remove {who}` and add the new card"
    )
}

/// Somebody whose state stops what was wanted.
pub(crate) fn stopped(what: String, trust: Trust, names: &Names) -> Failure {
    trust.explain(Failure::new(Exit::Recipient, what), names)
}

/// The line of `contact show`, with the details.
pub(crate) fn described(trust: keystore::Trust, shown: Trust) -> String {
    match trust {
        keystore::Trust::Verified(verified) => {
            let how = match verified.how {
                keystore::Compared::ByEye => "by eye",
                _ => "by its code",
            };
            let expired = if shown == Trust::Expired { ", but expired" } else { "" };
            format!(
                "verified on {} {how}, by {}{expired}",
                when::local(verified.at),
                fingerprint(&verified.by)
            )
        }
        keystore::Trust::Changed { at, offered } => format!(
            "changed on {}: the card that was offered has the key {}",
            when::local(at),
            fingerprint(&offered)
        ),
        keystore::Trust::Revoked { at } => format!("revoked on {}", when::local(at)),
        keystore::Trust::Blocked { at } => format!("blocked on {}", when::local(at)),
        keystore::Trust::Unproven => {
            "not verified on this machine: the record that says so was made by another one, or put here by somebody else"
                .to_owned()
        }
        _ => shown.words().to_owned(),
    }
}
