//! Changed inputs: a seed with a few bytes flipped, removed, repeated, or taken from another seed or from the dictionary.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The dictionary that libFuzzer gets too: a word in quotation marks in each line.
const DICTIONARY: &str = include_str!("../json.dict");

/// How many changes are made at most to one input.
const CHANGES_MAX: u32 = 6;

/// How long an input may become, in bytes.
const INPUT_BYTES_MAX: usize = 1 << 16;

/// Makes inputs out of seeds, the same ones in every run.
pub struct Mutator<'a> {
    seeds: &'a [Vec<u8>],
    words: Vec<Vec<u8>>,
    rng: StdRng,
    input: Vec<u8>,
}

impl<'a> Mutator<'a> {
    #[must_use]
    pub fn new(seeds: &'a [Vec<u8>]) -> Self {
        Self {
            seeds,
            words: words(),
            rng: StdRng::seed_from_u64(1),
            input: Vec::new(),
        }
    }

    /// The next input.
    pub fn changed(&mut self) -> &[u8] {
        self.input
            .clone_from(&self.seeds[self.rng.random_range(..self.seeds.len())]);
        for _ in 0..self.rng.random_range(1..=CHANGES_MAX) {
            self.change();
        }
        self.input.truncate(INPUT_BYTES_MAX);
        &self.input
    }

    fn change(&mut self) {
        let Self { rng, input, .. } = self;
        let start = rng.random_range(..=input.len());
        let end = (start + rng.random_range(0..16)).min(input.len());
        match rng.random_range(0..6) {
            0 if start < input.len() => input[start] ^= 1 << rng.random_range(0..8),
            1 if start < input.len() => input[start] = rng.random(),
            2 => drop(input.drain(start..end)),
            3 => {
                let repeated = input[start..end].to_vec();
                input.splice(end..end, repeated);
            }
            4 => {
                let word = &self.words[rng.random_range(..self.words.len())];
                input.splice(start..end, word.iter().copied());
            }
            _ => {
                let other = &self.seeds[rng.random_range(..self.seeds.len())];
                let from = rng.random_range(..=other.len());
                let to = (from + rng.random_range(0..256)).min(other.len());
                input.splice(start..end, other[from..to].iter().copied());
            }
        }
    }
}

fn words() -> Vec<Vec<u8>> {
    let quoted = DICTIONARY
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    let words: Vec<Vec<u8>> = quoted.map(unescaped).collect();
    assert!(!words.is_empty(), "the dictionary has no word");
    words
}

/// `\"`, `\\` and `\xNN`, as libFuzzer reads them.
fn unescaped(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let [first, tail @ ..] = rest {
        (bytes, rest) = match (first, tail) {
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digits = [*high, *low].map(char::from).iter().collect::<String>();
                bytes.push(u8::from_str_radix(&digits, 16).expect("two hexadecimal digits"));
                (bytes, tail)
            }
            (b'\\', [escaped, tail @ ..]) => {
                bytes.push(*escaped);
                (bytes, tail)
            }
            _ => {
                bytes.push(*first);
                (bytes, tail)
            }
        };
    }
    bytes
}
