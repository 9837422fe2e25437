//! Padmé: the padded length of a content (Nikitin and others, "Reducing Metadata Leakage from Encrypted Files and
//! Communication with PURBs", `PoPETs` 2019, algorithm 1).

/// The length that `bytes` is padded to: at most 12 % more. It reveals about log log `bytes` bits of the length.
pub(super) fn padme(bytes: u64) -> u64 {
    if bytes < 2 {
        return bytes;
    }
    let e = u64::from(bytes.ilog2());
    let s = u64::from(e.checked_ilog2().unwrap_or(0)) + 1;
    let mask = (1 << e.saturating_sub(s)) - 1;
    (bytes + mask) & !mask
}

/// The zeros that follow the marker, for a content of `content` bytes and a signature of `signature`.
pub(super) fn zeros(content: u64, signature: u64) -> u64 {
    let bare = content + 1 + signature;
    padme(bare) - bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_of_the_plan() {
        for (bytes, padded) in [
            (100, 104),
            (1_000, 1_024),
            (16_384, 16_384),
            (16_385, 17_408),
            (1_000_000, 1_015_808),
            (123_456_789, 123_731_968),
        ] {
            assert_eq!(padme(bytes), padded);
        }
    }

    #[test]
    fn it_never_shrinks_and_costs_at_most_an_eighth() {
        for bytes in 0..100_000 {
            let padded = padme(bytes);
            assert!(
                padded >= bytes && (padded - bytes) * 8 <= bytes.max(8),
                "{bytes} -> {padded}"
            );
            assert_eq!(padme(padded), padded);
        }
    }
}
