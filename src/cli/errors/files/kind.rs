//! What a file is that a command does not take, and which command takes it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use encl::file_kind::{FileKind, HEAD_BYTES};
use zeroize::Zeroizing;

use crate::cli::errors::Failure;
use crate::cli::terminal::quoted;

/// The failure with what its file is and which command takes that, if the file is of a kind that this program makes. `expected`
/// are the kinds that the command does take: of those it has said already what is wrong.
pub(crate) fn recognised(failure: Failure, expected: &[FileKind]) -> Failure {
    let Some(path) = failure.file.clone() else {
        return failure;
    };
    match kind(&path) {
        Some(kind) if !expected.contains(&kind) => {
            let (what, hint) = described(kind, &quoted(Some(&path)));
            failure.reason(what).hint(hint)
        }
        _ => failure,
    }
}

/// Whatever is no ordinary file is not read: a pipe would wait.
fn kind(path: &Path) -> Option<FileKind> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    // It may hold private keys.
    let mut head = Zeroizing::new(Vec::with_capacity(HEAD_BYTES));
    let file = File::open(path).ok()?;
    file.take(HEAD_BYTES as u64).read_to_end(&mut head).ok()?;
    FileKind::of(&head)
}

/// What it is, and what to do with it.
fn described(kind: FileKind, file: &str) -> (&'static str, String) {
    match kind {
        FileKind::Envelope => (
            "it is an envelope",
            format!("`encl unwrap {file}` opens it; if it is a backup, `encl restore {file}`"),
        ),
        FileKind::Identity => (
            "it holds the private keys of an identity",
            format!("`encl key import {file}` adds them to your identities"),
        ),
        FileKind::Page => (
            "it is an identity on paper",
            format!("`encl key paper --restore {file}` restores it"),
        ),
        FileKind::Card => (
            "it is a card: somebody's public keys",
            format!("`encl contact add {file}` adds it to your contacts"),
        ),
        FileKind::Revocation => (
            "it is the revocation of an identity",
            format!("`encl contact add {file}` records it"),
        ),
        FileKind::Group => (
            "it is a group, with the cards of its members",
            format!("`encl contact add {file}` adds it"),
        ),
        FileKind::Invitation => (
            "it is an invitation, or the answer to one",
            format!("`encl contact add {file}` adds the card in it"),
        ),
        FileKind::TextWithCard => (
            "it is a text with a card in it",
            format!("`encl contact add {file}` adds the card"),
        ),
        FileKind::Approval => (
            "it is an approval for a quorum",
            format!("`encl unwrap ENVELOPE --with {file}` uses it"),
        ),
        FileKind::SealedMail => (
            "it is a message with an envelope in it",
            format!("`encl mail show {file}` shows it, `encl mail unwrap {file}` decrypts it"),
        ),
        FileKind::ReaderPage => (
            "it is a page for browsers; an envelope in one can be opened, but not changed",
            format!("`encl reader --check {file}` tells whether it is as encl made it"),
        ),
        FileKind::OpenedBackup => (
            "it is what a backup contains, decrypted: your private keys",
            "`encl restore BACKUP` takes the backup itself; remove this file".to_owned(),
        ),
    }
}
