//! Secret bytes that are wiped when they are dropped.

use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes: wiped on drop, never printed, never copied by accident.
///
/// The bytes are on the heap, so that moving the value leaves no copy on the stack.
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Takes over `bytes`. If the caller still holds a copy, the caller must wipe it.
    #[must_use]
    pub fn new(mut bytes: [u8; N]) -> Self {
        let mut secret = Self(Box::new([0; N]));
        secret.0.copy_from_slice(&bytes);
        bytes.zeroize();
        secret
    }

    /// Draws `N` bytes from `rng`.
    #[must_use]
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        Self::filled(|bytes| rng.fill_bytes(bytes))
    }

    /// Lets `fill` write the bytes in place.
    #[must_use]
    pub fn filled(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0[..]);
        secret
    }

    /// Copies `bytes` if they are exactly `N`.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == N).then(|| Self::filled(|own| own.copy_from_slice(bytes)))
    }

    /// Gives access to the bytes for computations.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for Secret<N> {}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    /// Checks the types of keys and passphrases; tests/crash/secrets.rs searches a program's memory for secrets.
    #[test]
    fn secrets_are_wiped_when_they_are_dropped() {
        fn is_wiped<T: ZeroizeOnDrop>() {}
        is_wiped::<Secret<32>>();
        is_wiped::<Zeroizing<String>>();
        is_wiped::<Zeroizing<Vec<u8>>>();
        is_wiped::<ed25519_dalek::SigningKey>();
        is_wiped::<x25519_dalek::StaticSecret>();
    }
}
