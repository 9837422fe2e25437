//! Parts of the gate, a server that is asked at each opening of an envelope, keeps a log of all answers, and can read nothing: what
//! needs neither network nor database. The lock in the envelope and the server are not here yet.
//!
//! * [`log`]: the tamper-evident log, a Merkle tree (RFC 6962) with checkpoints and proofs that anybody can check offline.
//! * [`rules`]: what a ticket's state allows; pure functions of the terms, the state and the time.

pub mod log;
pub mod rules;
