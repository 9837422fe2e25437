//! The four lines in front of the payload, as anybody reads them.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = encl_fuzz::read(input);
});
