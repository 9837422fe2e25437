//! The four lines in front of the payload, as anybody reads them.

/// One input.
pub fn run(input: &[u8]) {
    let _ = crate::read(input);
}
