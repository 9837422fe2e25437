//! Keys of identity files in a keyring of the Linux kernel (keyrings(7)), for a limited time: never a passphrase, never on a
//! disk, and removed by the kernel's own time-out. Nothing else replaces it where it is missing.

use crate::cli::display::names::hex;
use encl::crypto::Secret;
use encl::crypto::kdf::ContentKey;
use encl::keystore::LockedIdentity;
use encl::time::Time;
use linux_keyutils::{
    Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission,
};
use zeroize::Zeroizing;

use crate::cli::errors::{Exit, Failure};
use crate::cli::terminal::safe;

/// The content key and, in eight bytes, the time when it expires.
const PAYLOAD_BYTES: usize = 32 + 8;

/// The cached key of an identity's file.
pub(crate) struct CachedSecret {
    key: ContentKey,
    pub(crate) until: Time,
}

impl CachedSecret {
    /// The key for the file as it is now, if the kernel has it. What cannot be asked is not there: then the passphrase is asked.
    pub(crate) fn find(locked: &LockedIdentity, now: Time) -> Option<Self> {
        let key = users_keyring().ok()?.search(&description(locked)?).ok()?;
        let mut payload = Zeroizing::new([0; PAYLOAD_BYTES]);
        let bytes = key.read(&mut *payload).ok()?;
        let (key, until) = payload.split_first_chunk::<32>()?;
        let until = Time::from_unix(u64::from_be_bytes(until.try_into().ok()?))?;
        let is_good = bytes == PAYLOAD_BYTES && now < until;
        is_good.then(|| Self {
            key: ContentKey::from_secret(Secret::filled(|own| own.copy_from_slice(key))),
            until,
        })
    }

    pub(crate) fn key(&self) -> &ContentKey {
        &self.key
    }

    /// "unlocked, 11 min left"
    pub(crate) fn words(&self, now: Time) -> String {
        let seconds = self.until.unix().saturating_sub(now.unix());
        match seconds {
            0..60 => format!("unlocked, {seconds} s left"),
            60..7_200 => format!("unlocked, {} min left", seconds.div_ceil(60)),
            _ => format!("unlocked, {} h left", seconds.div_ceil(3_600)),
        }
    }
}

/// Lets the kernel keep a key until then, for all programs of this user.
pub(crate) fn keep(
    locked: &LockedIdentity,
    key: &ContentKey,
    (now, until): (Time, Time),
) -> Result<(), Failure> {
    let description = description(locked).ok_or_else(|| cannot("keep", "its file is damaged"))?;
    let mut payload = Zeroizing::new([0; PAYLOAD_BYTES]);
    payload[..32].copy_from_slice(key.secret().expose());
    payload[32..].copy_from_slice(&until.unix().to_be_bytes());
    let seconds = usize::try_from(until.unix().saturating_sub(now.unix())).unwrap_or(usize::MAX);
    let store = || -> Result<(), KeyError> {
        let user = users_keyring()?;
        if let Ok(before) = user.search(&description) {
            before.invalidate()?;
        }
        // Who may read a key can be changed by its possessor alone, and nobody possesses what is in a user's keyring: it is
        // made in that of this process, and goes into the other when it is as it shall be.
        let process = KeyRing::from_special_id(KeyRingIdentifier::Process, true)?;
        let key = process.add_key(&description, &*payload)?;
        let mine = Permission::VIEW | Permission::READ | Permission::SEARCH | Permission::SETATTR;
        let permissions = KeyPermissionsBuilder::builder()
            .posessor(Permission::ALL)
            .user(mine)
            .build();
        key.set_perms(permissions)?;
        key.set_timeout(seconds)?;
        user.link_key(key)
    };
    store().map_err(|error| cannot("keep", &no_keyring(error)))
}

/// Makes the kernel forget the key for the file as it is now. Says whether there was one.
pub(crate) fn forget(locked: &LockedIdentity) -> Result<bool, Failure> {
    let failed = |error: KeyError| cannot("forget", &no_keyring(error));
    let Some(description) = description(locked) else {
        return Ok(false);
    };
    match users_keyring().and_then(|user| user.search(&description)) {
        Ok(key) => Key::invalidate(&key).map(|()| true).map_err(failed),
        Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn users_keyring() -> Result<KeyRing, KeyError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, true)
}

/// Names one version of a file: after a change of passphrase or keys, the key of the old version is not found.
fn description(locked: &LockedIdentity) -> Option<String> {
    let envelope = locked.envelope().ok()?;
    Some(format!("encl:{}:{}", locked.id(), hex(&envelope.0[..16])))
}

fn no_keyring(error: KeyError) -> String {
    match error {
        KeyError::Unknown(_) | KeyError::OperationNotSupported => {
            "this kernel has no keyring (or this container may not use it)".to_owned()
        }
        KeyError::QuotaExceeded => "this user has no room for more keys in the kernel".to_owned(),
        error => format!("the kernel's keyring refused: {}", safe(&error.to_string())),
    }
}

fn cannot(verb: &str, because: &str) -> Failure {
    Failure::new(Exit::Failed, format!("cannot {verb} the key of an identity"))
        .reason(because)
        .hint("--passphrase-file or --passphrase-command gives the passphrase to scripts; nothing else keeps keys")
}
