#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| encl_fuzz::targets::gate::run(input));
