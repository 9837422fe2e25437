//! How many cases are tried: a spread of them, or all.

/// Whether all cases are tried, however long that takes: `ENCL_SWEEP=full`.
pub(crate) fn is_full() -> bool {
    std::env::var_os("ENCL_SWEEP").is_some_and(|sweep| sweep == "full")
}
