//! `index/PLACE` in the state folder: the names and addresses of all contacts, so that finding one among thousands does not read thousands of files.
//!
//! PLACE is a hash of the keystore's path. It is no part of the keystore, since a forged one could hide that an address has a second
//! owner. The index is a hint, and removing it is always safe. A run that had to read many contacts writes it, by atomic replacement
//! and without a lock. It is valid only as long as the contacts' folder provably did not change since; an index with any fault
//! counts as missing. A contact that is found in it is confirmed by reading its own file; the index alone never decides that
//! a name is unknown, ambiguous or refused.
//!
//! ```text
//! encl-contacts/1 STAMP SUM of all that follows
//! ID TAB name TAB address TAB address…
//! ```

use std::fs::Metadata;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::contacts::CONTACTS;
use super::{ContactHead, Keystore, KeystoreError, folder};
use crate::atomic_file::{AtomicFile, Existing, FileMode};
use crate::crypto::aead::{AeadKey, NONCE_BYTES};
use crate::crypto::signing::RootId;

/// Up to so many contacts are read without an index.
const CONTACTS_MIN: usize = 64;
/// An index of more is not read: 16 addresses of 320 bytes each for 10,000 contacts are less.
const INDEX_BYTES_MAX: u64 = 64 << 20;
const MAGIC: &str = "encl-contacts/1";
const INDEX: &str = "index";
/// A change within one tick of the file system's clock leaves the folder's times as they are. Nothing is concluded from a
/// folder that was changed less than this before it was read; FAT counts in 2 seconds, everything else in less.
const TICK_SECONDS: i64 = 3;

/// The names and addresses of all contacts, from the index.
pub struct ContactIndex {
    lines: String,
}

/// The name and the addresses of one contact, from the index.
#[derive(Debug, Clone, Copy)]
pub struct IndexedContact<'a> {
    id: &'a str,
    words: &'a str,
}

impl ContactIndex {
    /// All contacts, in the order of their ids.
    pub fn contacts(&self) -> impl Iterator<Item = IndexedContact<'_>> {
        self.lines.lines().filter_map(|line| {
            let (id, words) = line.split_once('\t')?;
            Some(IndexedContact { id, words })
        })
    }
}

impl<'a> IndexedContact<'a> {
    /// The root key.
    #[must_use]
    pub fn id(&self) -> Option<RootId> {
        self.id.parse().ok()
    }

    /// The name on the card, then its addresses.
    pub fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.words.split('\t')
    }
}

/// The contacts' folder as it was before its files were read, and the file that will hold what was read.
pub(super) struct Unwritten {
    stamp: String,
    file: AtomicFile,
}

impl Keystore {
    /// The index, if it is valid. A contact that is found in it must be confirmed by its file, and one that is not found must be
    /// searched for in the files.
    ///
    /// # Errors
    /// [`KeystoreError`], when the folder is not private.
    pub fn contact_index(&self) -> Result<Option<ContactIndex>, KeystoreError> {
        let Some(metadata) = self.folder(CONTACTS)? else {
            return Ok(None);
        };
        let Some(path) = self.index_path() else {
            return Ok(None);
        };
        let Ok(Some(mut text)) = folder::read_up_to(&path, INDEX_BYTES_MAX) else {
            return Ok(None);
        };
        // It is no secret: wiping it would take longer than reading it.
        let text = std::mem::take(&mut *text);
        Ok(parse(text, &stamp(&metadata)).map(|lines| ContactIndex { lines }))
    }

    /// Looks at the folder before its files are read, if it is worth an index and has been at rest. Where there is no state
    /// folder, there is no index.
    pub(super) fn begin_index(&self, contacts: usize) -> Option<Unwritten> {
        if contacts <= CONTACTS_MIN {
            return None;
        }
        let path = self.index_path()?;
        folder::make_folder(path.parent()?).ok()?;
        let file = AtomicFile::create(&path, FileMode::OwnerOnly, Existing::Replace);
        let file = file.ok()?;
        // The time as this file system tells it, which may be another machine's.
        let now = file.file().metadata().ok()?.mtime();
        let metadata = self.folder(CONTACTS).ok()??;
        let at_rest = now - metadata.mtime().max(metadata.ctime()) >= TICK_SECONDS;
        at_rest.then(|| Unwritten {
            stamp: stamp(&metadata),
            file,
        })
    }

    /// Writes what was read since [`Keystore::begin_index`], unless the folder changed meanwhile.
    pub(super) fn finish_index(&self, unwritten: Unwritten, heads: &[ContactHead]) {
        let Unwritten {
            stamp: before,
            mut file,
        } = unwritten;
        let now = self.folder(CONTACTS).ok().flatten();
        if now.is_some_and(|metadata| stamp(&metadata) == before) {
            let written = file.write_all(&write(&before, heads));
            // What cannot be written is read again next time.
            let _ = written.is_ok().then(|| file.commit());
        }
    }

    /// Where the index is, if there is a place for it.
    #[must_use]
    pub fn index_path(&self) -> Option<PathBuf> {
        let place = self.place()?;
        Some(self.state.as_ref()?.join(INDEX).join(place.to_string()))
    }
}

/// Changes with every file that is made, replaced, renamed or removed in the folder, and with every touch of its times.
fn stamp(metadata: &Metadata) -> String {
    format!(
        "{}:{}:{}.{:09}:{}.{:09}",
        metadata.dev(),
        metadata.ino(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec()
    )
}

fn write(stamp: &str, heads: &[ContactHead]) -> Vec<u8> {
    let mut lines = String::new();
    for head in heads {
        lines.push_str(&head.id.to_string());
        for word in std::iter::once(&head.name).chain(&head.addresses) {
            lines.push('\t');
            lines.push_str(word); // a card's texts have no controls: no tab, no line feed
        }
        lines.push('\n');
    }
    let sum = sum(&lines);
    format!("{MAGIC} {stamp} {sum}\n{lines}").into_bytes()
}

/// A checksum against damage, not against forgery. GHASH under a public key of zeros, as the tag of an
/// AES-GCM message without plaintext, since it is several times as fast as any hash function here.
fn sum(lines: &str) -> String {
    let tag = AeadKey::new(&[0; 32]).seal(&[0; NONCE_BYTES], lines.as_bytes(), &mut []);
    format!("{:032x}", u128::from_be_bytes(tag))
}

/// The lines, or `None` for anything but an index of the folder with this stamp.
fn parse(text: Vec<u8>, stamp: &str) -> Option<String> {
    let mut text = String::from_utf8(text).ok()?;
    let (head, lines) = text.split_once('\n')?;
    let mut words = head.split(' ');
    let known = (words.next(), words.next()) == (Some(MAGIC), Some(stamp));
    let sum = words.next().filter(|_| known)?;
    if words.next().is_some() || sum != self::sum(lines) {
        return None;
    }
    text.drain(..=head.len());
    Some(text)
}

/// The index as it stands at rest.
#[cfg(test)]
pub(super) fn written(keystore: &Keystore) -> Vec<u8> {
    let metadata = keystore.folder(CONTACTS).expect("readable").expect("there");
    write(
        &stamp(&metadata),
        &keystore.contact_heads().expect("readable"),
    )
}
