//! How far people are trusted, in words.

use encl::directory::Trust;
use encl::identity::fingerprint;
use encl::keystore;

use crate::cli::display::time;

/// One or few words, as they stand in brackets behind a name.
pub(crate) fn label(trust: Trust) -> &'static str {
    match trust {
        Trust::Me => "you",
        Trust::Unverified | Trust::Unknown => "not verified yet",
        Trust::Unproven => "not verified on this machine",
        Trust::Verified => "verified",
        Trust::Changed | Trust::Older => "changed",
        Trust::Expired => "expired",
        Trust::Revoked => "revoked",
        Trust::Blocked => "blocked",
    }
}

/// The line of `contact show`, with the details.
pub(crate) fn describe(trust: keystore::Trust, shown: Trust) -> String {
    match trust {
        keystore::Trust::Verified(verified) => {
            let how = match verified.how {
                keystore::Compared::ByEye => "by eye",
                _ => "by its code",
            };
            let expired = if shown == Trust::Expired { ", but expired" } else { "" };
            format!(
                "verified on {} {how}, by {}{expired}",
                time::local(verified.at),
                fingerprint(&verified.by)
            )
        }
        keystore::Trust::Changed { at, offered } => format!(
            "changed on {}: the card that was offered has the key {}",
            time::local(at),
            fingerprint(&offered)
        ),
        keystore::Trust::Older { serial, known } => format!(
            "changed: its card is older (serial {serial}) than one that this machine has seen (serial {known})"
        ),
        keystore::Trust::Revoked { at } => format!("revoked on {}", time::local(at)),
        keystore::Trust::Blocked { at } => format!("blocked on {}", time::local(at)),
        keystore::Trust::Unproven => {
            "not verified on this machine: the record was made on another machine, or by somebody else"
                .to_owned()
        }
        _ => label(shown).to_owned(),
    }
}
