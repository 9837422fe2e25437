//! Secret sharing: splits a secret into shares, some of which restore it. Uses Shamir's scheme over GF(2^8) with the polynomial
//! 0x11B, byte by byte (FORMAT.md, "Secrets").
//!
//! Field arithmetic is that of crate `vsss-rs`: constant time, without tables. The crate's `split_bytes` does not wipe its
//! coefficients, so this module splits secrets itself. Joining, with its checks of the share numbers, is the crate's.

use rand::CryptoRng;
use vsss_rs::Gf256;
use zeroize::Zeroizing;

use super::Secret;

/// Bytes of a share: its number x, and y.
pub const SHARE_BYTES: usize = 33;

/// A share: x from 1, then the 32 values of the polynomials at x.
pub type Share = Secret<SHARE_BYTES>;

/// Shares that cannot be joined: fewer than two, the number 0, or one number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these shares cannot be joined")]
pub struct NotJoinable;

/// Splits `secret` into the shares 1 to `of`, any `need` of which join to it; fewer reveal nothing about it.
///
/// The caller must pass a `need` from 1 to `of`. Shares of a larger `need` never join.
#[must_use]
pub fn split(secret: &Secret<32>, need: u8, of: u8, rng: &mut dyn CryptoRng) -> Vec<Share> {
    // One polynomial for each byte: coefficient 0 is the byte, the others are drawn from the whole field, zero included.
    let random: Vec<Secret<32>> = (1..need).map(|_| Secret::random(rng)).collect();
    (1..=of)
        .map(|x| {
            Secret::filled(|share| {
                share[0] = x;
                for (at, y) in share[1..].iter_mut().enumerate() {
                    let horner = |sum, coefficient: &Secret<32>| {
                        sum * Gf256(x) + Gf256(coefficient.expose()[at])
                    };
                    let sum = random.iter().fold(Gf256(0), horner);
                    *y = horner(sum, secret).0;
                }
            })
        })
        .collect()
}

/// Joins shares to the secret that they were split from: Lagrange interpolation at 0.
///
/// Too few shares, or shares of different secrets, give 32 wrong bytes and no error: compare the result with the commitment.
///
/// # Errors
/// [`NotJoinable`].
pub fn join<'a>(shares: impl IntoIterator<Item = &'a Share>) -> Result<Secret<32>, NotJoinable> {
    let shares = shares.into_iter().map(|share| share.expose().to_vec());
    let shares: Zeroizing<Vec<Vec<u8>>> = Zeroizing::new(shares.collect());
    let secret = Gf256::combine_bytes(&*shares).map(Zeroizing::new);
    secret
        .ok()
        .and_then(|secret| Secret::from_slice(&secret))
        .ok_or(NotJoinable)
}

#[cfg(test)]
mod tests {
    use rand::rand_core::UnwrapErr;
    use rand::rngs::SysRng;

    use super::*;

    fn secret() -> Secret<32> {
        Secret::new(std::array::from_fn(|i| u8::try_from(i).unwrap()))
    }

    fn split_it(need: u8, of: u8) -> Vec<Share> {
        split(&secret(), need, of, &mut UnwrapErr(SysRng))
    }

    fn joins(shares: &[&Share]) -> bool {
        join(shares.iter().copied()).is_ok_and(|joined| joined.expose() == secret().expose())
    }

    #[test]
    fn numbers_that_would_give_the_secret_away_are_refused() {
        let shares = split_it(2, 3);
        let zero = Secret::new([0; SHARE_BYTES]);
        for bad in [
            &[][..],
            &[&shares[0]],
            &[&shares[0], &shares[0]],
            &[&shares[0], &zero],
            &[&shares[0], &shares[1], &shares[0]],
        ] {
            assert_eq!(join(bad.iter().copied()).err(), Some(NotJoinable));
        }
    }

    #[test]
    fn coefficients_take_every_value() {
        // y of share 1 is the secret plus the coefficient: over 4,096 bytes each of the 256 values comes up.
        let (mut seen, secret) = ([false; 256], secret());
        for _ in 0..128 {
            let shares = split_it(2, 1);
            for (y, byte) in shares[0].expose()[1..].iter().zip(secret.expose()) {
                seen[usize::from(y ^ byte)] = true;
            }
        }
        assert!(seen.iter().filter(|seen| **seen).count() > 250);
    }

    #[test]
    fn exactly_the_qualified_sets_join() {
        for (need, of) in (1..=5).flat_map(|of| (1..=of).map(move |need| (need, of))) {
            let shares = split_it(need, of);
            for set in 0_u32..1 << of {
                let chosen = shares
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| set >> at & 1 == 1);
                let chosen: Vec<_> = chosen.map(|(_, share)| share).collect();
                // One share is never joined: a secret that needs only one share is not split.
                let should_join = chosen.len() >= usize::from(need).max(2);
                assert_eq!(joins(&chosen), should_join, "{need} of {of}, set {set:b}");
            }
        }
    }

    #[test]
    fn any_two_of_a_hundred_join() {
        let shares = split_it(2, 100);
        for (at, first) in shares.iter().enumerate() {
            for second in &shares[at + 1..] {
                assert!(joins(&[first, second]));
            }
        }
    }
}
