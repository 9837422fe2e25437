//! How much is tried: a spread of all cases, or each of them.

/// Whether every case is to be tried, however long that takes: `ENCL_SWEEP=full`.
pub(crate) fn is_full() -> bool {
    std::env::var_os("ENCL_SWEEP").is_some_and(|sweep| sweep == "full")
}
