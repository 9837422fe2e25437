//! Shamir's scheme over GF(2^8), compared with crate `shamirsecretsharing` (a port of Sprenkels' `sss`), whose key shares have
//! the same field and form, and with the shares in FORMAT.md, which were made in Python.

use encl::crypto::Secret;
use encl::crypto::sharing::{Share, join, split};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use shamirsecretsharing::hazmat::{combine_keyshares, create_keyshares};

const FORMAT: &str = include_str!("../../src/envelope/FORMAT.md");

fn key(first: u8) -> [u8; 32] {
    std::array::from_fn(|i| first.wrapping_mul(7).wrapping_add(u8::try_from(i).unwrap()))
}

fn ours(share: &[u8]) -> Share {
    Secret::from_slice(share).unwrap()
}

/// All quorums up to 5 of 5, and some large ones.
fn quorums() -> Vec<(u8, u8)> {
    let small = (2..=5).flat_map(|of| (2..=of).map(move |need| (need, of)));
    small
        .chain([(2, 100), (100, 100), (128, 255), (255, 255)])
        .collect()
}

#[test]
fn another_implementation_joins_our_shares() {
    for (need, of) in quorums() {
        let shares = split(&Secret::new(key(need)), need, of, &mut UnwrapErr(SysRng));
        let last = &shares[usize::from(of - need)..];
        let theirs: Vec<_> = last.iter().map(|share| share.expose().to_vec()).collect();
        assert_eq!(
            combine_keyshares(&theirs).unwrap(),
            key(need),
            "{need} of {of}"
        );
    }
}

#[test]
fn we_join_the_shares_of_another_implementation() {
    for (need, of) in quorums() {
        let theirs = create_keyshares(&key(need), of, need).unwrap();
        let shares: Vec<_> = theirs[usize::from(of - need)..]
            .iter()
            .map(|share| ours(share))
            .collect();
        assert_eq!(
            join(&shares).unwrap().expose(),
            &key(need),
            "{need} of {of}"
        );
    }
}

#[test]
fn the_shares_of_the_specification() {
    let share = |number| {
        let label = format!("share_{number} = ");
        let line = FORMAT.lines().find_map(|line| line.strip_prefix(&label));
        ours(&hex::decode(line.unwrap()).unwrap())
    };
    let shares = [1, 2, 3].map(share);
    let secret: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    for pair in [[0, 1], [0, 2], [1, 2], [2, 0]] {
        let joined = join(pair.map(|at| &shares[at])).unwrap();
        assert_eq!(joined.expose(), &secret);
    }
    assert_eq!(join(&shares).unwrap().expose(), &secret);
}
