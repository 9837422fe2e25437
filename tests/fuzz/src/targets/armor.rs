//! Armor: any text behind the BEGIN line, and any bytes within a whole armor, which must read as they do without it.

use std::io::Write;

use encl::envelope::ArmorWriter;

const LINE_1: &[u8] = b"encl/1\n";

/// One input.
pub fn run(input: &[u8]) {
    let _ = crate::read([b"-----BEGIN ENCL/1-----", input].concat().as_slice());

    let bare = [LINE_1, input].concat();
    let mut writer = ArmorWriter::new(Vec::new()).expect("a Vec takes every write");
    writer.write_all(&bare).expect("a Vec takes every write");
    let armored = writer.finish().expect("a Vec takes every write");
    assert_eq!(crate::read(&armored[..]), crate::read(&bare[..]));
}
