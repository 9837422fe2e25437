//! Tiles of the tree (C2SP tlog-tiles): 256 hashes beside each other on each eighth level, by which anybody can compute all proofs.
//!
//! The log is private, so there are no bundles of entries.

/// Hashes of a full tile.
const WIDTH_MAX: u64 = 256;
/// Levels of the tree between two levels of tiles.
const HEIGHT: u32 = 8;
/// The level of a tile has no larger number.
const LEVEL_MAX: u32 = 63;
/// Digits of an index; more would be beyond 2^64.
const INDEX_PARTS_MAX: usize = 7;

/// Which hashes a tile has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    level: u32,
    index: u64,
    width: u64,
}

impl Tile {
    /// Reads the path behind `/tile/`: `<L>/<N>` or `<L>/<N>.p/<W>`.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.split_once('/')?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, number(width).filter(|width| is_partial(*width))?),
            None => (rest, WIDTH_MAX),
        };
        Some(Self {
            level: u32::try_from(number(level)?).ok()?,
            index: tile_index(index)?,
            width,
        })
        .filter(|tile| tile.level <= LEVEL_MAX)
    }

    /// The level in the tree and the first hash on it, if a log of this size has all hashes of the tile.
    #[must_use]
    pub fn in_tree(&self, size: u64) -> Option<(u32, u64)> {
        let level = self.level * HEIGHT;
        let on_level = size.checked_shr(level).unwrap_or(0);
        let first = self.index.checked_mul(WIDTH_MAX)?;
        let end = first.checked_add(self.width)?;
        (end <= on_level).then_some((level, first))
    }

    /// How many hashes it has.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.width
    }
}

fn is_partial(width: u64) -> bool {
    (1..WIDTH_MAX).contains(&width)
}

/// Decimal digits without a leading zero.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Three digits in each part; all but the last begin with `x`, and the first of several is not zero.
fn tile_index(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.split('/').collect();
    if parts.len() > INDEX_PARTS_MAX || (parts.len() > 1 && parts[0] == "x000") {
        return None;
    }
    let (last, begin) = parts.split_last()?;
    let mut index: u64 = 0;
    let begin = begin.iter().map(|part| part.strip_prefix('x'));
    for part in begin.chain([Some(*last)]) {
        let part = part.filter(|part| part.len() == 3)?;
        let is_digits = part.bytes().all(|digit| digit.is_ascii_digit());
        let digits: u64 = part.parse().ok().filter(|_| is_digits)?;
        index = index.checked_mul(1_000)?.checked_add(digits)?;
    }
    Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_way_to_write_a_tile() {
        let tile = |level, index, width| {
            Some(Tile {
                level,
                index,
                width,
            })
        };
        assert_eq!(Tile::parse("0/000"), tile(0, 0, 256));
        assert_eq!(Tile::parse("1/x001/x234/067"), tile(1, 1_234_067, 256));
        assert_eq!(Tile::parse("63/001.p/255"), tile(63, 1, 255));
        for text in [
            "",
            "0",
            "0/",
            "00/000",
            "64/000",
            "-1/000",
            "+1/000",
            "0/0",
            "0/0000",
            "0/x000",
            "0/x001/1",
            "0/001/002",
            "0/x000/001",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/000.p/1/",
            "entries/000",
            "0/+01",
            "0/000/",
            "0/x018/x446/x744/x073/x709/x551/616",
            "0/x001/x000/x000/x000/x000/x000/x000/000",
        ] {
            assert_eq!(Tile::parse(text), None, "{text}");
        }
    }

    /// The example of the specification.
    #[test]
    fn a_tree_of_70_000_entries() {
        let place = |text: &str, size| Tile::parse(text).unwrap().in_tree(size);
        assert_eq!(place("0/272", 70_000), Some((0, 272 * 256)));
        assert_eq!(place("0/273", 70_000), None);
        assert_eq!(place("0/273.p/112", 70_000), Some((0, 273 * 256)));
        assert_eq!(place("0/273.p/113", 70_000), None);
        assert_eq!(place("1/000", 70_000), Some((8, 0)));
        assert_eq!(place("1/001.p/17", 70_000), Some((8, 256)));
        assert_eq!(place("1/001.p/18", 70_000), None);
        assert_eq!(place("2/000.p/1", 70_000), Some((16, 0)));
        assert_eq!(place("3/000.p/1", 70_000), None);
        assert_eq!(place("63/000.p/1", u64::MAX), None);
        assert_eq!(place("1/000.p/1", 256), Some((8, 0)));
    }
}
