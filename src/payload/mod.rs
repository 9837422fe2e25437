//! The payload: one C2SP message, `chunked-encryption@v1` with AES-256-GCM and SHA-512
//! (<https://c2sp.org/chunked-encryption>), written and read in one pass and constant memory by a pipeline of threads.

mod batch;
mod chunk;
mod open;
mod seal;
mod workers;

pub use batch::{ChunkHash, HashChunk, OpenedChunk, OpenedChunks, ResealedChunk};
pub use chunk::{CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES};
pub use open::{OpenPayloadError, Opener, open_message};
pub use seal::{CopyError, Sealer, SealingKey, seal_message, write_all_vectored};
pub use workers::Workers;
