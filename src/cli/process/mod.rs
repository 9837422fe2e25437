//! What a signal, a crash or a limit may do to this process: leave nothing behind, and give nothing away.

pub(crate) mod descriptors;

use std::fs::File;
use std::io::Read;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::Builder;

use encl::atomic_file;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// What is done before a signal ends the program.
static CLEAN_UPS: Mutex<Vec<fn()>> = Mutex::new(Vec::new());

/// Registers what must be done before a signal ends the program. What is registered already stays so.
pub(crate) fn before_end(clean_up: fn()) {
    let mut clean_ups = CLEAN_UPS.lock().unwrap_or_else(PoisonError::into_inner);
    if !clean_ups
        .iter()
        .any(|known| std::ptr::fn_addr_eq(*known, clean_up))
    {
        clean_ups.push(clean_up);
    }
    drop(clean_ups);
    watch();
}

/// Prepares the process before it touches a secret or a file. What cannot be had is done without.
pub(crate) fn prepare() {
    no_core_dump();
    // A file over its size limit is then a failed write, not a death.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    atomic_file::before_names(watch);
}

/// From now on, before a signal ends the program, the terminal is put back and what must not stay is removed. Until then there
/// is nothing to do about signals, and most runs need no thread that waits for them: files in the making have no name. Where no
/// thread can be had, signals end the program as they do any other.
fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let ignored = ignored();
        let ends = [SIGHUP, SIGINT, SIGTERM]
            .into_iter()
            .filter(|signal| ignored >> (signal - 1) & 1 == 0);
        // The thread comes first: signals that are caught and reach nobody would not end the program at all.
        let (sender, caught) = channel::<Signals>();
        let wait = move || {
            let mut signals = caught.recv().ok()?;
            clean_up_and_end(signals.forever().next()?);
            Some(())
        };
        if Builder::new().spawn(wait).is_ok()
            && let Ok(signals) = Signals::new(ends)
        {
            let _ = sender.send(signals);
        }
    });
}

fn clean_up_and_end(signal: i32) {
    let clean_ups = CLEAN_UPS.lock().unwrap_or_else(PoisonError::into_inner);
    clean_ups.iter().for_each(|clean_up| clean_up());
    atomic_file::discard_all();
    let _ = emulate_default_handler(signal);
}

/// Secrets are in memory: no core file, no reading by other processes of the same user.
fn no_core_dump() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
}

/// The signals that were ignored when the program was started, as by `nohup`: bit n - 1 for signal n (proc(5), `SigIgn`).
fn ignored() -> u64 {
    // Room from the start: a file in /proc has no length, and finding it out bit by bit takes eight reads.
    let mut status = Vec::with_capacity(4_096);
    let file = File::open("/proc/self/status");
    let _ = file.and_then(|file| file.take(1 << 20).read_to_end(&mut status));
    let status = std::str::from_utf8(&status).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}
