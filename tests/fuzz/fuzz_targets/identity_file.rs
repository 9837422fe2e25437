//! The line that holds somebody's private keys.

#![no_main]

use encl::identity::Identity;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(identity) = Identity::from_line(input) else {
        return;
    };
    let line = identity.to_line();
    let again = Identity::from_line(&line);
    assert!(again.is_ok_and(|again| *again.to_line() == *line));
});
