//! Reading a backup to its end: what is decrypted passes through a pipe or memory, never through a file.

use std::io::{self, Cursor, Read};
use std::thread;
use std::thread::Builder;

use zeroize::Zeroizing;

use super::MergeError;
use crate::envelope::{Content, OpenError, Opened, Workers};
use crate::keystore::{BACKUP_TYPE, BackupProof, Part, read_parts};

/// The longest content that is decrypted into memory. It is allocated at once: a buffer that grows leaves copies of secrets behind.
const IN_MEMORY_BYTES_MAX: usize = 64 << 20;

/// The results of decrypting and of reading what was decrypted.
type Both = (
    Result<(Opened, u64), OpenError>,
    Result<BackupProof, MergeError>,
);

/// Reads a backup and hands over its parts.
pub(super) fn read_all<R: Read + Send>(
    content: Content<R>,
    workers: Workers,
    mut each: impl FnMut(Part) -> Result<(), MergeError> + Send,
) -> Result<(Opened, BackupProof), MergeError> {
    let opened = content.metadata();
    if opened.private.info.media_type.as_deref() != Some(BACKUP_TYPE) {
        return Err(MergeError::NotABackup);
    }
    let mut content = Some(content);
    let (copied, parsed) = match piped(&mut content, workers, &mut each)? {
        Some(both) => both,
        None => in_memory(content.take().expect("nothing took it"), workers, each),
    };
    let (opened, _) = copied.map_err(MergeError::Open)?;
    parsed.map(|proof| (opened, proof))
}

/// Reads in a thread what this one decrypts. `None`: the system starts no thread, and `content` is still there.
fn piped<R: Read + Send>(
    content: &mut Option<Content<R>>,
    workers: Workers,
    each: &mut (impl FnMut(Part) -> Result<(), MergeError> + Send),
) -> Result<Option<Both>, MergeError> {
    let (mut reader, mut writer) = io::pipe().map_err(MergeError::Pipe)?;
    Ok(thread::scope(|scope| {
        let parse = move || {
            let parsed = read_parts(&mut reader, each);
            // The envelope is read to its end even if the content is wrong.
            let _ = io::copy(&mut reader, &mut io::sink());
            parsed
        };
        let parsing = Builder::new().spawn_scoped(scope, parse).ok()?;
        let copied = content.take()?.copy_to(&mut writer, workers);
        drop(writer);
        let parsed = parsing.join();
        let parsed = parsed.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Some((copied, parsed))
    }))
}

fn in_memory<R: Read + Send>(
    content: Content<R>,
    workers: Workers,
    each: impl FnMut(Part) -> Result<(), MergeError>,
) -> Both {
    let mut buffer = Zeroizing::new(vec![0; IN_MEMORY_BYTES_MAX]);
    let mut decrypted = Cursor::new(&mut buffer[..]);
    let copied = content.copy_to(&mut decrypted, workers);
    let length = decrypted.position();
    let parsed = read_parts((&buffer[..]).take(length), each);
    (copied, parsed)
}
