//! The hashes of a gate's log as everybody can fetch them (C2SP tlog-tiles), for comparing two checkpoints of different sizes.

use std::cell::RefCell;
use std::collections::HashMap;

use super::growing::GrowingTree;
use super::transport::{GatePlace, Transport, TransportError};
use crate::gate::log::{Hash, Nodes};

/// Hashes of a whole tile, and levels of the tree in it.
const TILE_HASHES: u64 = 256;
const TILE_LEVELS: u32 = 8;
/// Bytes of a whole tile.
const TILE_BYTES_MAX: usize = 256 * 32;

/// The tree of a log with `size` entries, fetched as far as it is looked at. What comes is not checked: a proof that is made of it
/// is.
pub struct Tiles<'a> {
    transport: &'a dyn Transport,
    place: &'a GatePlace,
    size: u64,
    fetched: RefCell<HashMap<(u32, u64), Vec<Hash>>>,
}

impl<'a> Tiles<'a> {
    /// Of the log of the gate at this place.
    #[must_use]
    pub fn new(transport: &'a dyn Transport, place: &'a GatePlace, size: u64) -> Self {
        Self {
            transport,
            place,
            size,
            fetched: RefCell::default(),
        }
    }

    fn tile(&self, level: u32, number: u64) -> Result<Vec<Hash>, TransportError> {
        if let Some(tile) = self.fetched.borrow().get(&(level, number)) {
            return Ok(tile.clone());
        }
        let all = self.size >> (TILE_LEVELS * level);
        let width = all.saturating_sub(number * TILE_HASHES).min(TILE_HASHES);
        let whole = tile_path(level, number);
        let bytes = match width {
            TILE_HASHES => self.fetch(&whole)?,
            // A log may have no tile of that width any more, once it has the whole one.
            width => match self.fetch(&format!("{whole}.p/{width}")) {
                Err(TransportError::Status(404)) => self.fetch(&whole)?,
                bytes => bytes?,
            },
        };
        let (hashes, _) = bytes.as_chunks::<32>();
        let tile = hashes.to_vec();
        let mut fetched = self.fetched.borrow_mut();
        fetched.insert((level, number), tile.clone());
        Ok(tile)
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, TransportError> {
        self.transport.fetch(self.place, path, TILE_BYTES_MAX)
    }
}

impl Nodes for Tiles<'_> {
    type Error = TransportError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, TransportError> {
        let inside = level % TILE_LEVELS;
        let first = index << inside;
        let tile = self.tile(level / TILE_LEVELS, first / TILE_HASHES)?;
        let begin = usize::try_from(first % TILE_HASHES).expect("below 256");
        let hashes = tile.get(begin..begin + (1 << inside));
        let hashes = hashes.ok_or_else(|| {
            TransportError::Unreachable("it gave fewer hashes of its log than it has".to_owned())
        })?;
        let mut subtree = GrowingTree::default();
        for hash in hashes {
            subtree.push(*hash);
        }
        Ok(subtree.root())
    }
}

/// `/tile/0/x001/x234/067`: the number in groups of three digits, all but the last with an `x`.
fn tile_path(level: u32, number: u64) -> String {
    let mut path = format!("{:03}", number % 1_000);
    let mut rest = number / 1_000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1_000);
        rest /= 1_000;
    }
    format!("/tile/{level}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::card::GateUrl;
    use crate::gate::log::{consistency_proof, leaf_hash, root, verify_consistency};

    /// A log of so many entries, whose tiles are made when they are asked for.
    struct Log(u64);

    impl Log {
        /// The hashes of a level of tiles.
        fn hashes(&self, level: u32) -> Vec<Hash> {
            let mut hashes: Vec<Hash> = (0..self.0).map(leaf).collect();
            for _ in 0..level {
                let whole = hashes.chunks_exact(256);
                hashes = whole.map(|some| root_of(some.iter().copied())).collect();
            }
            hashes
        }
    }

    fn leaf(number: u64) -> Hash {
        leaf_hash(&number.to_be_bytes())
    }

    fn root_of(leaves: impl Iterator<Item = Hash>) -> Hash {
        let mut tree = GrowingTree::default();
        leaves.for_each(|leaf| tree.push(leaf));
        tree.root()
    }

    impl Transport for Log {
        fn post(&self, _: &GatePlace, _: &[u8]) -> Result<Vec<u8>, TransportError> {
            panic!("nothing is asked")
        }

        fn fetch(&self, _: &GatePlace, path: &str, _: usize) -> Result<Vec<u8>, TransportError> {
            let path = path.strip_prefix("/tile/").unwrap();
            let (level, rest) = path.split_once('/').unwrap();
            let (number, width) = match rest.split_once(".p/") {
                Some((number, width)) => (number, width.parse().unwrap()),
                None => (rest, 256),
            };
            let number: usize = number.replace(['x', '/'], "").parse().unwrap();
            let hashes = self.hashes(level.parse().unwrap());
            let begin = number * 256;
            let tile = hashes.get(begin..begin + width);
            let tile = tile.ok_or(TransportError::Status(404))?;
            Ok(tile.concat())
        }
    }

    #[test]
    fn numbers_are_written_in_groups_of_three() {
        assert_eq!(tile_path(0, 7), "/tile/0/007");
        assert_eq!(tile_path(1, 1_234_067), "/tile/1/x001/x234/067");
    }

    #[test]
    fn two_sizes_of_one_log_are_proved_by_its_tiles() {
        let log = Log(70_000);
        let url = GateUrl::parse("http://127.0.0.1:7700").unwrap();
        let place = GatePlace { url, ca: None };
        for (old, new) in [
            (1, 2),
            (255, 256),
            (256, 257),
            (300, 65_536),
            (65_537, 70_000),
        ] {
            let tiles = Tiles::new(&log, &place, new);
            let proof = consistency_proof(&tiles, old, new).unwrap();
            let (before, now) = (root_of((0..old).map(leaf)), root_of((0..new).map(leaf)));
            assert_eq!(root(&tiles, new), Ok(now));
            verify_consistency((old, &before), (new, &now), &proof).unwrap();
            let other = leaf(1);
            assert!(verify_consistency((old, &other), (new, &now), &proof).is_err());
        }
    }
}
