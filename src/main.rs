//! The `encl` program.
fn main() {}
