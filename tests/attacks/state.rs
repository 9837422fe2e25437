//! Who can write to a keystore's folder, and not to the state of the machine, changes it in every way he can think of. What is
//! asked each time: was anybody let in, was anything signed or accepted in somebody else's name, or is anybody more trusted?

mod changes;
mod expected;
mod ground;
mod matrix;
mod memory;
mod readers;
mod stories;
mod writers;
