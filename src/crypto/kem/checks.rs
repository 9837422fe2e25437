//! Checks of a public key before anything is sealed to it. They are cheap, so that a card can be read without expanding its
//! keys.

/// Bytes of t̂, three polynomials of 256 coefficients of 12 bits; the 32 bytes of ρ after it can have any value.
const COEFFICIENT_BYTES: usize = 1_152;
/// ML-KEM's modulus (FIPS 203 §2.4).
const Q: u16 = 3_329;

/// The modulus check of FIPS 203 §7.2: every coefficient of an ML-KEM-768 key is below q.
pub(super) fn is_reduced(ml_kem_key: &[u8]) -> bool {
    // FIPS 203 §4.2.1, ByteDecode₁₂: two coefficients in three bytes, the low bits first.
    let pair = |bytes: &[u8]| {
        let [low, middle, high] = [bytes[0], bytes[1], bytes[2]].map(u16::from);
        [low | (middle & 0x0F) << 8, middle >> 4 | high << 4]
    };
    let coefficients = &ml_kem_key[..COEFFICIENT_BYTES];
    let below = |bytes: &[u8]| pair(bytes).into_iter().all(|number| number < Q);
    coefficients.chunks_exact(3).all(below)
}

/// The u-coordinates of all points whose order divides the cofactor, of Curve25519 and of its twist: 0, 1, the two of order 8,
/// p - 1, and the encodings p and p + 1 of 0 and 1. (RFC 7748 §6.1 checks the result instead; the list is from
/// <https://cr.yp.to/ecdh.html#validate>.)
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    little(1),
    [
        0xE0, 0xEB, 0x7A, 0x7C, 0x3B, 0x41, 0xB8, 0xAE, 0x16, 0x56, 0xE3, 0xFA, 0xF1, 0x9F, 0xC4,
        0x6A, 0xDA, 0x09, 0x8D, 0xEB, 0x9C, 0x32, 0xB1, 0xFD, 0x86, 0x62, 0x05, 0x16, 0x5F, 0x49,
        0xB8, 0x00,
    ],
    [
        0x5F, 0x9C, 0x95, 0xBC, 0xA3, 0x50, 0x8C, 0x24, 0xB1, 0xD0, 0xB1, 0x55, 0x9C, 0x83, 0xEF,
        0x5B, 0x04, 0x44, 0x5C, 0xC4, 0x58, 0x1C, 0x8E, 0x86, 0xD8, 0x22, 0x4E, 0xDD, 0xD0, 0x9F,
        0x11, 0x57,
    ],
    near_p(0xEC),
    near_p(0xED),
    near_p(0xEE),
];

/// Whether a point has small order, which would make the shared secret public. Not in constant time, so for public keys only.
///
/// Clamping makes every scalar a multiple of the cofactor, so exactly these points give zero with every scalar.
pub(super) fn has_small_order(mut point: [u8; 32]) -> bool {
    point[31] &= 0x7F; // RFC 7748 §5: the topmost bit is ignored
    SMALL_ORDER.contains(&point)
}

const fn little(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = number;
    bytes
}

/// p is 2²⁵⁵ - 19: ED, then FF, then 7F.
const fn near_p(lowest: u8) -> [u8; 32] {
    let mut bytes = [0xFF; 32];
    bytes[0] = lowest;
    bytes[31] = 0x7F;
    bytes
}

#[cfg(test)]
mod tests {
    use ml_kem::ml_kem_768::EncapsulationKey;
    use rand::Rng as _;
    use x25519_dalek::{PublicKey, StaticSecret};

    use super::*;

    fn rng() -> impl rand::CryptoRng {
        rand::rand_core::UnwrapErr(rand::rngs::SysRng)
    }

    fn ml_kem_accepts(key: &[u8; 1184]) -> bool {
        EncapsulationKey::new(&(*key).into()).is_ok()
    }

    #[test]
    fn every_coefficient_is_checked_as_ml_kem_checks_it() {
        for place in 0..768 {
            for number in [0, 1, Q - 1, Q, Q + 1, 0x0FFF] {
                let mut key = [0; 1184];
                let [low, high] = number.to_le_bytes();
                let at = place / 2 * 3;
                if place % 2 == 0 {
                    (key[at], key[at + 1]) = (low, high);
                } else {
                    (key[at + 1], key[at + 2]) = (low << 4, high << 4 | low >> 4);
                }
                assert_eq!(is_reduced(&key), number < Q, "{number} at {place}");
                assert_eq!(ml_kem_accepts(&key), number < Q, "{number} at {place}");
            }
        }
    }

    #[test]
    fn random_keys_are_checked_as_ml_kem_checks_them() {
        let mut rng = rng();
        let mut accepted = 0;
        for _ in 0..2_000 {
            // Mostly zeros, since practically no key of random bytes alone would be accepted.
            let mut key = [0; 1184];
            for _ in 0..6 {
                let place = usize::try_from(rng.next_u32() % 1184).unwrap();
                key[place] = rng.next_u32().to_le_bytes()[0];
            }
            assert_eq!(is_reduced(&key), ml_kem_accepts(&key));
            accepted += u32::from(is_reduced(&key));
        }
        assert!((200..1_900).contains(&accepted), "{accepted}");
    }

    #[test]
    fn the_listed_points_and_no_others_give_zero() {
        let mut rng = rng();
        let gives_zero = |point: [u8; 32], scalar: [u8; 32]| {
            let shared = StaticSecret::from(scalar).diffie_hellman(&PublicKey::from(point));
            !shared.was_contributory()
        };
        for point in SMALL_ORDER {
            for top in [0, 0x80] {
                let mut point = point;
                point[31] |= top;
                let mut scalar = [0; 32];
                rng.fill_bytes(&mut scalar);
                assert!(gives_zero(point, scalar) && has_small_order(point));
            }
        }
        // Neighbours of the listed points, and encodings that are not reduced: 2 to 19, and p + 2 to 2^255 - 1.
        let near: Vec<_> = (2..=19)
            .map(little)
            .chain((0xEF..=0xFF).map(near_p))
            .collect();
        let random = (0..200).map(|_| {
            let mut point = [0; 32];
            rng.fill_bytes(&mut point);
            point
        });
        for point in random.chain(near) {
            assert_eq!(
                has_small_order(point),
                gives_zero(point, [7; 32]),
                "{point:x?}"
            );
        }
    }
}
