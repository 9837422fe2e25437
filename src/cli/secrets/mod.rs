//! Passphrases and unlocked keys.

pub(crate) mod cost_gate;
pub(crate) mod kernel_keyring;
pub(crate) mod passphrase;
pub(crate) mod passphrase_source;
pub(crate) mod stored;
