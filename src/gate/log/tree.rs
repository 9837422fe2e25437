//! The Merkle tree of RFC 6962 §2.1: hashes, inclusion and consistency proofs.
//!
//! Only the hashes of complete subtrees are stored, each once and for ever; everything else is computed from at most two of them a
//! level.

use crate::crypto::sha256;

/// SHA-256 of a leaf, of a subtree or of the whole tree.
pub type Hash = [u8; 32];

/// A proof in a tree of 2^64 entries has no more hashes: two for each level, and one.
pub const PROOF_HASHES_MAX: usize = 129;

/// The hashes of complete subtrees.
pub trait Nodes {
    /// Why a hash cannot be read.
    type Error;

    /// The hash of the subtree with 2^`level` entries that begins at the entry `index` · 2^`level`.
    ///
    /// # Errors
    /// Those of reading; a hash that should be there is missing.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// A hash of a complete subtree, and where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    /// The subtree has 2^`level` entries.
    pub level: u32,
    /// It is the subtree with this number on its level, from 0.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The entry is not in a tree of that size, or the tree shrank.
    #[error("the sizes do not fit")]
    Size,
    /// The proof has too many or too few hashes.
    #[error("the proof is not as long as it has to be")]
    Length,
    /// The proof leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// The hash of an entry (RFC 6962 §2.1): never that of a node.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root of a tree of `size` entries; that of an empty tree is the hash of nothing.
///
/// # Errors
/// Those of reading.
pub fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    match size {
        0 => Ok(sha256(&[])),
        size => subtree(nodes, 0, size),
    }
}

/// What has to be stored when the entry with this number is appended: its own hash, and that of each subtree that it completes.
///
/// # Errors
/// Those of reading.
pub fn added_nodes<N: Nodes>(nodes: &N, index: u64, leaf: Hash) -> Result<Vec<Store>, N::Error> {
    let mut added = Store {
        level: 0,
        index,
        hash: leaf,
    };
    let mut all = vec![added];
    while added.index % 2 == 1 {
        let left = nodes.node(added.level, added.index - 1)?;
        added = Store {
            level: added.level + 1,
            index: added.index / 2,
            hash: node_hash(&left, &added.hash),
        };
        all.push(added);
    }
    Ok(all)
}

/// The audit path of an entry in a tree of `size` entries (RFC 6962 §2.1.1), from its sibling up.
///
/// # Errors
/// Those of reading.
///
/// # Panics
/// If there is no such entry.
pub fn inclusion_proof<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    assert!(index < size, "there is no entry {index} of {size}");
    let (mut begin, mut end) = (0, size);
    let mut path = Vec::new();
    while end - begin > 1 {
        let middle = begin + largest_power_below(end - begin);
        if index < middle {
            path.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(nodes, begin, middle)?);
            begin = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that a tree of `old` entries is the beginning of one of `new` entries (RFC 6962 §2.1.2).
///
/// # Errors
/// Those of reading.
///
/// # Panics
/// If `old` is more than `new`.
pub fn consistency_proof<N: Nodes>(nodes: &N, old: u64, new: u64) -> Result<Vec<Hash>, N::Error> {
    assert!(old <= new, "a tree does not shrink");
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut begin, mut end) = (0, new);
    let mut path = Vec::new();
    // Whether the old tree, as far as it reaches into this part, is a subtree whose hash the verifier knows.
    let mut is_known = true;
    while end != old {
        let middle = begin + largest_power_below(end - begin);
        if old <= middle {
            path.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(nodes, begin, middle)?);
            begin = middle;
            is_known = false;
        }
    }
    if !is_known {
        path.push(subtree(nodes, begin, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks an audit path (RFC 9162 §2.1.3.2).
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion(
    leaf: &Hash,
    (index, size): (u64, u64),
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Size);
    }
    let (mut number, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if number % 2 == 1 || number == last {
            hash = node_hash(sibling, &hash);
            while number % 2 == 0 && number != 0 {
                (number, last) = (number >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (number, last) = (number >> 1, last >> 1);
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Checks that the tree with the first size and root is the beginning of the tree with the second (RFC 9162 §2.1.4.2).
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Size);
    }
    if old == new || old == 0 {
        // An empty tree is the beginning of every tree.
        let is_same = old_root == if old == 0 { &EMPTY } else { new_root };
        return match (proof.is_empty(), is_same) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let (mut number, mut last) = (old - 1, new - 1);
    while number % 2 == 1 {
        (number, last) = (number >> 1, last >> 1);
    }
    // A complete old tree is a subtree of the new one: its root is the first hash, and not said again.
    let mut hashes = proof.iter();
    let first = match old.is_power_of_two() {
        true => old_root,
        false => hashes.next().ok_or(ProofError::Length)?,
    };
    let (mut from_old, mut from_new) = (*first, *first);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if number % 2 == 1 || number == last {
            from_old = node_hash(sibling, &from_old);
            from_new = node_hash(sibling, &from_new);
            while number % 2 == 0 && number != 0 {
                (number, last) = (number >> 1, last >> 1);
            }
        } else {
            from_new = node_hash(&from_new, sibling);
        }
        (number, last) = (number >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    match from_old == *old_root && from_new == *new_root {
        true => Ok(()),
        false => Err(ProofError::Root),
    }
}

/// SHA-256 of nothing: the root of an empty tree.
const EMPTY: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The hash of the entries from `begin` to before `end`, where `begin` is a multiple of the largest power of two in their number.
fn subtree<N: Nodes>(nodes: &N, begin: u64, end: u64) -> Result<Hash, N::Error> {
    let count = end - begin;
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return nodes.node(level, begin >> level);
    }
    let middle = begin + largest_power_below(count);
    let left = subtree(nodes, begin, middle)?;
    let right = subtree(nodes, middle, end)?;
    Ok(node_hash(&left, &right))
}

/// The largest power of two that is smaller than `count`, which is at least 2.
fn largest_power_below(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}
