//! How fast this machine seals and opens, by the number of threads: `cargo run --release --example throughput [MIB]`.
//!
//! From memory to nowhere, so that neither a disk nor the kernel is in the way; the best of three runs, in GB/s (10^9 bytes).
//! What a file costs is shown by the table in the README.

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Instant;

use anyhow::{Context, Result};
use encl::crypto::aead::Backend;
use encl::crypto::{Secret, sha256};
use encl::payload::{HashChunk, OpenPayloadError, Opener, Sealer, Workers};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

const RUNS: usize = 3;
/// What a signature needs: the hash of each chunk.
const HASH: HashChunk = |chunk| sha256(&[chunk]);

fn main() -> Result<()> {
    let mib: u64 = match std::env::args().nth(1) {
        None => 256,
        Some(text) => text.parse().context("MIB is a number")?,
    };
    let processors = available_parallelism()?.get();
    let mut out = io::stdout().lock();
    let backend = Backend::of_this_machine().name();
    writeln!(
        out,
        "{processors} processors, AES by {backend}, {mib} MiB, GB/s"
    )?;
    writeln!(
        out,
        "{:>7} {:>8} {:>8} {:>12} {:>12}",
        "threads", "seal", "open", "seal signed", "open signed"
    )?;
    for threads in 1..=processors + 1 {
        let workers = Workers::Exactly(NonZeroUsize::new(threads).context("at least one")?);
        let mut figures = Vec::new();
        for hash in [None, Some(HASH)] {
            let mut sealed = Vec::new();
            seal(mib << 20, workers, hash, &mut sealed)?;
            figures.push(best(mib, || {
                seal(mib << 20, workers, hash, &mut io::sink())
            })?);
            figures.push(best(mib, || open(&sealed, workers, hash))?);
        }
        let [seal, open, seal_signed, open_signed] = figures[..] else {
            unreachable!("four were measured")
        };
        writeln!(
            out,
            "{threads:>7} {seal:>8.2} {open:>8.2} {seal_signed:>12.2} {open_signed:>12.2}"
        )?;
    }
    Ok(())
}

fn key() -> Secret<32> {
    Secret::new([0x2a; 32])
}

fn seal(
    bytes: u64,
    workers: Workers,
    hash: Option<HashChunk>,
    out: &mut (dyn Write + Send),
) -> Result<()> {
    let rng = &mut UnwrapErr(SysRng);
    let mut sealer = Sealer::new(out, Vec::new(), &key(), b"throughput", rng);
    sealer.copy(&mut io::repeat(7).take(bytes), workers, hash, |_| {})?;
    sealer.finish()?;
    Ok(())
}

fn open(sealed: &[u8], workers: Workers, hash: Option<HashChunk>) -> Result<()> {
    let mut opener = Opener::new(sealed, &key(), b"throughput")?;
    Ok(opener.for_each(workers, hash, None, |_| Ok::<_, OpenPayloadError>(()))?)
}

/// GB/s of the fastest of some runs.
fn best(mib: u64, mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut seconds = f64::INFINITY;
    for _ in 0..RUNS {
        let begun = Instant::now();
        run()?;
        seconds = seconds.min(begun.elapsed().as_secs_f64());
    }
    let bytes = f64::from(u32::try_from(mib)?) * f64::from(1 << 20);
    Ok(bytes / seconds / 1e9)
}
