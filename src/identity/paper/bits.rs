//! Bytes as groups of bits, the highest bit of each byte first.

use zeroize::Zeroizing;

/// The groups of `width` bits, at most 16; the last one is filled up with zeros.
pub(super) fn groups(bytes: &[u8], width: usize) -> Zeroizing<Vec<u16>> {
    let bit = |at: usize| {
        let byte = bytes.get(at / 8).copied().unwrap_or(0);
        u16::from(byte >> (7 - at % 8) & 1)
    };
    let count = (bytes.len() * 8).div_ceil(width);
    let mut groups = Zeroizing::new(Vec::with_capacity(count));
    for group in 0..count {
        let bits = group * width..(group + 1) * width;
        groups.push(bits.fold(0, |number, at| number << 1 | bit(at)));
    }
    groups
}

/// The whole bytes in groups of `width` bits; remaining bits at the end are left out.
pub(super) fn bytes(groups: &[u16], width: usize) -> Zeroizing<Vec<u8>> {
    let bit = |at: usize| groups[at / width] >> (width - 1 - at % width) & 1 == 1;
    let count = groups.len() * width / 8;
    let mut bytes = Zeroizing::new(Vec::with_capacity(count));
    for byte in 0..count {
        let bits = byte * 8..(byte + 1) * 8;
        bytes.push(bits.fold(0, |number, at| number << 1 | u8::from(bit(at))));
    }
    bytes
}
