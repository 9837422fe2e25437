//! The structure of a message: any bytes, whole and in small pieces. Parts nest, leaves are in order, nothing is lost.

use std::io::{self, Read};

use encl::mail::{Nested, Part, ScanError, Structure, Visitor, find, open_body, scan};

/// How many bytes of each leaf, and how many outside all leaves, were seen.
#[derive(Default, Debug, PartialEq)]
struct Passed {
    bodies: Vec<u64>,
    current: u64,
    outside: u64,
}

impl Visitor for Passed {
    fn body(&mut self, _: &Part, bytes: &[u8]) {
        self.current += bytes.len() as u64;
    }

    fn leaf_ended(&mut self, part: &Part) {
        assert_eq!(self.current, part.end - part.body);
        self.bodies.push(std::mem::take(&mut self.current));
    }

    fn outside(&mut self, bytes: &[u8]) {
        self.outside += bytes.len() as u64;
    }
}

struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}

/// One input.
pub fn run(input: &[u8]) {
    for nested in [Nested::Leaf, Nested::Enter] {
        let mut whole = Passed::default();
        let scanned = scan(&mut &*input, nested, &mut whole);
        let mut pieces = Passed::default();
        let again = scan(&mut Pieces(input, 1 + input.len() % 7), nested, &mut pieces);
        match (scanned, again) {
            (Ok(scanned), Ok(again)) => {
                check(&scanned, input);
                assert_eq!(scanned.parts, again.parts);
                assert_eq!(scanned.line_ends, again.line_ends);
                assert_eq!(whole, pieces);
            }
            (
                Err(ScanError::OverLimit { what, .. }),
                Err(ScanError::OverLimit { what: again, .. }),
            ) => {
                assert_eq!(what, again);
            }
            (whole, again) => panic!("{:?} and {:?}", whole.err(), again.err()),
        }
    }
    for found in find(&mut &*input).iter().flat_map(|found| &found.envelopes) {
        let mut head = [0; 5];
        let mut body = open_body(&input, found).expect("bytes can be read");
        body.read_exact(&mut head)
            .expect("an envelope begins there");
        assert!([b"encl/", b"-----"].contains(&&head));
    }
}

fn check(structure: &Structure, input: &[u8]) {
    let parts = &structure.parts;
    assert_eq!(structure.bytes, input.len() as u64);
    assert_eq!((parts[0].start, parts[0].end), (0, structure.bytes));
    assert!(input.starts_with(structure.header.bytes()));
    let mut last_end = 0;
    for (at, part) in parts.iter().enumerate() {
        assert!(part.start <= part.body && part.body <= part.end);
        if part.is_leaf() {
            assert!(last_end <= part.start);
            last_end = part.end;
        }
        if let Some(parent) = part.parent {
            assert!(parent < at && !parts[parent].is_leaf());
            assert!(parts[parent].body <= part.start && part.end <= parts[parent].end);
        }
    }
}
