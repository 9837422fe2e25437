//! X-Wing: ML-KEM-768 (FIPS 203) and X25519 as one mechanism (draft-connolly-cfrg-xwing-kem §5). ML-KEM comes from libcrux: it
//! is formally verified and, with AVX2 or NEON (detected at run time), several times as fast as the alternatives.

use libcrux_ml_kem::mlkem768::{self, MlKem768Ciphertext, MlKem768PrivateKey, MlKem768PublicKey};
use zeroize::{Zeroize, Zeroizing};

use super::{KemError, agree, x25519_public, x25519_secret};
use crate::crypto::Secret;

pub(super) const PUBLIC_BYTES: usize = ML_KEM_PUBLIC_BYTES + 32;
pub(super) const ENC_BYTES: usize = ML_KEM_CT_BYTES + 32;
/// Random bytes of an encapsulation: m for ML-KEM, then an X25519 key.
pub(super) const DRAWN_BYTES: usize = 64;

const ML_KEM_PUBLIC_BYTES: usize = 1_184;
const ML_KEM_PRIVATE_BYTES: usize = 2_400;
const ML_KEM_CT_BYTES: usize = 1_088;
const LABEL: &[u8; 6] = br"\.//^\";

/// Encapsulates to a public key whose ML-KEM half was checked (§5.4).
pub(super) fn encapsulate(
    public: &[u8; PUBLIC_BYTES],
    drawn: &Secret<DRAWN_BYTES>,
) -> Result<(Vec<u8>, Secret<32>), KemError> {
    let (pk_m, pk_x) = halves::<ML_KEM_PUBLIC_BYTES>(public);
    let (m, ek_x) = halves::<32>(drawn.expose());
    let (ct_m, ss_m) = mlkem768::encapsulate(&MlKem768PublicKey::from(pk_m), *m);
    let ek_x = Secret::new(*ek_x);
    let ct_x = x25519_public(&ek_x);
    let ss_x = agree(&x25519_secret(&ek_x), *pk_x)?;
    let shared = combined(&Zeroizing::new(ss_m), &ss_x, &ct_x, pk_x);
    Ok(([ct_m.as_slice(), &ct_x[..]].concat(), shared))
}

/// A private key, expanded from its seed (§5.2).
pub(super) struct Expanded {
    dk_m: MlKem768PrivateKey,
    pk_m: MlKem768PublicKey,
    sk_x: Secret<32>,
    pk_x: [u8; 32],
}

impl Expanded {
    pub(super) fn new(seed: &Secret<32>) -> Self {
        let expanded = Zeroizing::new(libcrux_sha3::shake256::<96>(seed.expose()));
        let (dz, sk_x) = halves::<64>(&*expanded);
        let (dk_m, pk_m) = mlkem768::generate_key_pair(*dz).into_parts();
        let sk_x = Secret::new(*sk_x);
        let pk_x = x25519_public(&sk_x);
        Self {
            dk_m,
            pk_m,
            sk_x,
            pk_x,
        }
    }

    pub(super) fn public(&self) -> Vec<u8> {
        [self.pk_m.as_slice(), &self.pk_x[..]].concat()
    }

    /// Recovers the shared secret (§5.5). An X25519 half that gives the all-zero secret is refused (RFC 7748 §6.1); an ML-KEM
    /// half that was changed gives another secret (FIPS 203 §6.3).
    pub(super) fn decapsulate(&self, enc: &[u8; ENC_BYTES]) -> Result<Secret<32>, KemError> {
        let (ct_m, ct_x) = halves::<ML_KEM_CT_BYTES>(enc);
        let ss_m = mlkem768::decapsulate(&self.dk_m, &MlKem768Ciphertext::from(ct_m));
        let ss_x = agree(&x25519_secret(&self.sk_x), *ct_x)?;
        Ok(combined(&Zeroizing::new(ss_m), &ss_x, ct_x, &self.pk_x))
    }
}

impl Drop for Expanded {
    fn drop(&mut self) {
        self.dk_m[0..ML_KEM_PRIVATE_BYTES].zeroize();
    }
}

/// Combiner (§5.3).
fn combined(ss_m: &[u8; 32], ss_x: &Secret<32>, ct_x: &[u8; 32], pk_x: &[u8; 32]) -> Secret<32> {
    let mut parts = Zeroizing::new([0; 4 * 32 + LABEL.len()]);
    let (secrets, label) = parts.split_at_mut(4 * 32);
    for (place, part) in secrets
        .chunks_exact_mut(32)
        .zip([ss_m, ss_x.expose(), ct_x, pk_x])
    {
        place.copy_from_slice(part);
    }
    label.copy_from_slice(LABEL);
    Secret::new(libcrux_sha3::sha256(&*parts))
}

/// The first `FIRST` bytes and the 32 after them.
fn halves<const FIRST: usize>(bytes: &[u8]) -> (&[u8; FIRST], &[u8; 32]) {
    let (first, last) = bytes.split_at(FIRST);
    let sized = "the caller's array has FIRST and 32 bytes";
    (
        first.try_into().expect(sized),
        last.try_into().expect(sized),
    )
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;
    use x_wing::{Decapsulator as _, KeyExport as _, TryDecapsulate as _, TryKeyInit as _};

    use super::*;

    /// Compares with a second implementation: crate x-wing over crate ml-kem.
    #[test]
    fn another_implementation_agrees() {
        let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
        for _ in 0..50 {
            let seed = Secret::random(&mut rng);
            let ours = Expanded::new(&seed);
            let theirs = x_wing::DecapsulationKeyRejectNonContrib::from(*seed.expose());
            let public: [u8; PUBLIC_BYTES] = ours.public().try_into().unwrap();
            assert_eq!(public, theirs.encapsulation_key().to_bytes().0);

            let drawn = Secret::random(&mut rng);
            let (enc, shared) = encapsulate(&public, &drawn).unwrap();
            let key = x_wing::EncapsulationKey::new(&public.into()).unwrap();
            let (their_enc, their_shared) =
                key.encapsulate_deterministic(&(*drawn.expose()).into());
            assert_eq!(
                (&enc[..], shared.expose()),
                (&their_enc[..], &their_shared.0)
            );

            let mut enc: [u8; ENC_BYTES] = enc.try_into().unwrap();
            assert_eq!(ours.decapsulate(&enc).unwrap().expose(), shared.expose());
            // A changed ciphertext is rejected implicitly: both implementations give the same other secret.
            enc[rng.next_u32() as usize % ENC_BYTES] ^= 1;
            let changed = ours.decapsulate(&enc).unwrap();
            assert_ne!(changed.expose(), shared.expose());
            assert_eq!(
                changed.expose(),
                &theirs.try_decapsulate(&enc.into()).unwrap().0
            );
        }
    }

    #[test]
    fn a_point_of_small_order_is_refused() {
        let seed = Secret::new([7; 32]);
        let ours = Expanded::new(&seed);
        let public: [u8; PUBLIC_BYTES] = ours.public().try_into().unwrap();
        let (enc, _) = encapsulate(&public, &Secret::new([9; 64])).unwrap();
        let mut enc: [u8; ENC_BYTES] = enc.try_into().unwrap();
        enc[ML_KEM_CT_BYTES..].fill(0);
        assert_eq!(ours.decapsulate(&enc).err(), Some(KemError::LowOrder));
    }
}
