//! A tamper-evident log: entries only ever follow each other, and whoever saw an earlier state can prove what was changed since.
//!
//! The tree is that of RFC 6962 §2.1, so proofs can be checked by other programs; a checkpoint is a C2SP tlog-checkpoint in a
//! signed note, a receipt a C2SP tlog-proof, its hashes are given out as C2SP tlog-tiles, and witnesses are asked as in C2SP
//! tlog-witness.

mod checkpoint;
mod cosignature;
mod note;
mod receipt;
mod submission;
mod tile;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, is_origin};
pub use cosignature::cosign;
pub use note::{NoteError, NoteKey, SignedNote};
pub use receipt::{Receipt, ReceiptError};
pub use submission::{NotWitnessed, SUBMISSION_BYTES_MAX, Submission, Witnessed};
pub use tile::Tile;
pub use tree::{
    Hash, Nodes, PROOF_HASHES_MAX, ProofError, Store, added_nodes, consistency_proof,
    inclusion_proof, leaf_hash, root, verify_consistency, verify_inclusion,
};

#[cfg(test)]
mod tests;
