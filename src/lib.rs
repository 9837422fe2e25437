//! Seal files and mail for the people named on the envelope.
//!
//! An envelope is four lines of text and an encrypted payload. Line 2, the *policy*, names who may read it; line 3, the *access*
//! line, holds the lock's secret sealed to each of them. [`envelope`] specifies the format byte by byte. The program `encl` is a
//! thin layer over this library; `examples/library.rs` uses it in one page.
//!
//! * [`envelope::seal`] writes an envelope in one pass; [`envelope::Envelope::read`], `unlock` and `copy_to` open one.
//! * [`envelope::Envelope::rewrite`] adds and removes slots, [`envelope::Content::reseal`] seals again for the readers who
//!   remain, and [`envelope::CurrentAccess::plan`] tells which of the two is needed. [`envelope::Approval`] brings a quorum together.
//! * [`identity::Identity`] is one person's private keys, [`identity::Card`] the public half, signed.
//! * [`keystore::Keystore`] keeps identities, contacts and groups in one folder.
//! * [`mail`] puts envelopes into messages and finds them again, byte for byte; [`mail::archive`] converts mailboxes.
//! * [`atomic_file::AtomicFile`] is a file that is complete under its name, or not there; [`atomic_file::Folder`] an open folder,
//!   in which names are changed and no link leads elsewhere.
//!
//! The library looks for nothing by itself: readers, writers, folders, the time and randomness are handed to it. A floor
//! uses only the floors below it:
//!
//! ```text
//!                program (cli): terminal, environment, clock, exit codes
//!  ═══════════════════════════════════════════════════════════════════════
//!  6   operations                    use cases: seal, open, rewrite, cards, identities, backup, mail
//!  5   directory                     who is meant by a name, card, address or group
//!  4   file_kind                     what a file is that a command does not take
//!  4   keystore ──────────┬─ mail    identities, contacts, groups; messages and mailboxes
//!  3    gate              │          what is said to a gate, its rules and its log
//!  3       │          envelope       the format: manifest, slots, seal, open
//!  2       │        policy │         pure rules: who may read, and when
//!  1   identity ──────┘ payload      keys and cards; one C2SP message; the page for browsers (reader)
//!  0   address   atomic_file   crypto   json   pipeline   time
//! ```
//!
//! `tests/tidy.rs` holds that picture against the `use` lines.
//!
//! Everything from outside is hostile and bounded: lengths are compared with a named maximum before anything is allocated,
//! over it is an error and never a cut, and what is not known is refused.

pub mod address;
pub mod atomic_file;
pub mod crypto;
pub mod directory;
pub mod envelope;
pub mod file_kind;
pub mod gate;
pub mod identity;
pub mod json;
pub mod keystore;
pub mod mail;
pub mod operations;
pub mod payload;
pub mod pipeline;
pub mod policy;
pub mod reader;
pub mod time;
