//! A tree that grows entry by entry, of which only the latest hash of each level is kept.

use std::convert::Infallible;

use crate::gate::log::{Hash, Nodes, added_nodes, root};

/// The root of a log at each size that it passes through, in the memory of one hash a level.
#[derive(Default)]
pub struct GrowingTree {
    size: u64,
    /// For each level the number and the hash of its latest complete subtree.
    latest: Vec<(u64, Hash)>,
}

impl Nodes for GrowingTree {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let level = usize::try_from(level).expect("a tree has at most 64 levels");
        let (latest, hash) = self.latest[level];
        assert_eq!(latest, index, "a root and a new entry need the latest only");
        Ok(hash)
    }
}

impl GrowingTree {
    /// Appends an entry by its leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let Ok(added) = added_nodes(self, self.size, leaf);
        for node in added {
            let level = usize::try_from(node.level).expect("a tree has at most 64 levels");
            self.latest
                .resize(self.latest.len().max(level + 1), (0, [0; 32]));
            self.latest[level] = (node.index, node.hash);
        }
        self.size += 1;
    }

    /// How many entries it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its root now.
    #[must_use]
    pub fn root(&self) -> Hash {
        let Ok(hash) = root(self, self.size);
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::log::{consistency_proof, leaf_hash, verify_consistency};

    struct All(Vec<Vec<Hash>>);

    impl Nodes for All {
        type Error = Infallible;

        fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
            let level = &self.0[usize::try_from(level).unwrap()];
            Ok(level[usize::try_from(index).unwrap()])
        }
    }

    #[test]
    fn each_root_is_that_of_the_whole_tree() {
        let (mut growing, mut all) = (GrowingTree::default(), All(Vec::new()));
        let mut before = growing.root();
        for size in 0..300_u64 {
            let leaf = leaf_hash(&size.to_be_bytes());
            let Ok(added) = added_nodes(&all, size, leaf);
            for node in added {
                let level = usize::try_from(node.level).unwrap();
                all.0.resize_with(all.0.len().max(level + 1), Vec::new);
                all.0[level].push(node.hash);
            }
            growing.push(leaf);
            let Ok(expected) = root(&all, size + 1);
            assert_eq!(growing.root(), expected);
            if size > 0 {
                let Ok(proof) = consistency_proof(&all, size, size + 1);
                let now = growing.root();
                verify_consistency((size, &before), (size + 1, &now), &proof).unwrap();
            }
            before = growing.root();
        }
        assert_eq!(growing.size(), 300);
    }
}
