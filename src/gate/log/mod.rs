//! A tamper-evident log: entries only ever follow each other, and whoever saw an earlier state can prove what was changed since.
//!
//! The tree is that of RFC 6962 §2.1, so proofs can be checked by other programs; a checkpoint is a C2SP tlog-checkpoint in a
//! signed note, a receipt a C2SP tlog-proof.

mod checkpoint;
mod note;
mod receipt;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, is_origin};
pub use note::{NoteError, NoteKey, SignedNote};
pub use receipt::{Receipt, ReceiptError};
pub use tree::{
    Hash, Nodes, PROOF_HASHES_MAX, ProofError, Store, added_nodes, consistency_proof,
    inclusion_proof, leaf_hash, root, verify_consistency, verify_inclusion,
};

#[cfg(test)]
mod tests;
