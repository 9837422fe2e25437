//! Step 12: signer keys with a part of small order. Cofactored verification takes every signature under them, strict verification
//! only those whose hash is a multiple of eight.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::{EdwardsPoint, Scalar};
use encl::crypto::sha256;
use encl::json::to_b64;
use sha2::{Digest as _, Sha512};

use super::case::Case;
use super::forge::{Forge, Wish};
use super::people::{ANN, BOB, Rng};

const HELLO: &[u8] = b"hello, encl\n";

pub(super) fn cases() -> Vec<Case> {
    let signer = MixedSigner::new();
    let mut forge = Wish::of(&[&BOB]).signed(&ANN).forge("mixed order");
    forge.policy = forge.policy.replace(&ANN.id(), &to_b64(&signer.public));
    let case = |name: &str, comment: &str, hash: Hash| {
        let signature = signer.sign(&signed_bytes(&forge), &hash);
        let bytes = forge.with_message(&[&forge.data(HELLO)[..], &signature].concat());
        Case::envelope(name, comment, bytes)
    };
    let refused = |name: &str, comment: &str, hash: Hash| {
        case(name, comment, hash).refused_after("signature", HELLO)
    };
    vec![
        refused(
            "signer_of_mixed_order_cofactored",
            "the equation holds times eight only",
            Hash {
                reduced_fits: false,
                whole_fits: false,
            },
        ),
        refused(
            "signer_of_mixed_order_not_reduced",
            "the equation holds only with a hash that was not taken modulo L",
            Hash {
                reduced_fits: false,
                whole_fits: true,
            },
        ),
        case(
            "signer_of_mixed_order",
            "the key is not of small order, and the equation holds as it stands",
            Hash {
                reduced_fits: true,
                whole_fits: true,
            },
        )
        .opens(HELLO),
    ]
}

/// Whether eight divides the hash, modulo the group order and as the number of 512 bits that it is.
struct Hash {
    reduced_fits: bool,
    whole_fits: bool,
}

/// What the signature of an envelope covers, label included: FORMAT.md, "Signature".
fn signed_bytes(forge: &Forge) -> Vec<u8> {
    let data = forge.data(HELLO);
    let root = sha256(&[&sha256(&[&data])]);
    let length = (data.len() as u64).to_be_bytes();
    [b"encl/1 signature\0".as_slice(), &forge.p(), &length, &root].concat()
}

/// A = a·B + T, where T has order eight.
struct MixedSigner {
    secret: Scalar,
    public: [u8; 32],
}

impl MixedSigner {
    fn new() -> Self {
        let secret = scalar(&[b"mixed signer"]);
        let torsion = EIGHT_TORSION[1];
        assert!(torsion.is_small_order() && !torsion.is_torsion_free());
        let public = EdwardsPoint::mul_base(&secret) + torsion;
        assert!(!public.is_small_order() && !public.is_torsion_free());
        Self {
            secret,
            public: public.compress().to_bytes(),
        }
    }

    /// S·B = R + h·(A - T): as it stands where eight divides h, and only times eight elsewhere.
    fn sign(&self, message: &[u8], wanted: &Hash) -> [u8; 64] {
        for attempt in 0_u32.. {
            let nonce = scalar(&[message, &attempt.to_be_bytes()]);
            let r = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
            let whole = Sha512::new()
                .chain_update(r)
                .chain_update(self.public)
                .chain_update(message)
                .finalize();
            let reduced = Scalar::from_bytes_mod_order_wide(&whole.into());
            let is_wanted = fits(reduced.to_bytes()[0]) == wanted.reduced_fits
                && fits(whole[0]) == wanted.whole_fits;
            if is_wanted {
                let s = nonce + reduced * self.secret;
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&r);
                signature[32..].copy_from_slice(&s.to_bytes());
                return signature;
            }
        }
        unreachable!("one hash in 64 is of each kind")
    }
}

fn fits(lowest_byte: u8) -> bool {
    lowest_byte.is_multiple_of(8)
}

fn scalar(parts: &[&[u8]]) -> Scalar {
    let low = Rng::of(parts).array::<32>();
    Scalar::from_bytes_mod_order(low)
}
