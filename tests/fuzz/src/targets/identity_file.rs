//! The line that holds somebody's private keys.

use encl::identity::Identity;

/// One input.
pub fn run(input: &[u8]) {
    let Ok(identity) = Identity::from_line(input) else {
        return;
    };
    let line = identity.to_line();
    let again = Identity::from_line(&line);
    assert!(again.is_ok_and(|again| *again.to_line() == *line));
}
