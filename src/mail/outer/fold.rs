//! Header fields on lines (RFC 5322 §2.2.3): folded so that unfolding gives the value again.

use std::io::{self, Write};
use std::ops::Range;

use crate::mail::Eol;

/// Columns that a line should have at most (RFC 5322 §2.1.1).
const COLUMNS: usize = 78;
/// Characters that a line can have at most, its end aside (RFC 5322 §2.1.1).
pub(super) const LINE_CHARS_MAX: usize = 998;

/// Writes a field that came from [`super::Outer`], folded at spaces: on lines of 78 columns where its words are not longer,
/// within a quoted string, comment or angle brackets only where nothing else helps.
///
/// # Errors
/// Those of `out`.
pub fn write_field(out: &mut dyn Write, name: &str, value: &str, eol: Eol) -> io::Result<()> {
    write!(out, "{name}:")?;
    for line in lines(name, value) {
        if line.is_below {
            out.write_all(eol.text().as_bytes())?;
        }
        write!(out, " {}", &value[line.text])?;
    }
    out.write_all(eol.text().as_bytes())
}

/// Whether no line of the field is longer than it should be.
pub(super) fn is_narrow(name: &str, value: &str) -> bool {
    lines(name, value)
        .iter()
        .all(|line| line.columns(name) <= COLUMNS)
}

/// Whether no line of the field becomes too long.
pub(super) fn is_writable(name: &str, value: &str) -> bool {
    lines(name, value)
        .iter()
        .all(|line| line.columns(name) <= LINE_CHARS_MAX)
}

struct Line {
    text: Range<usize>,
    /// Whether it stands below the line of the name.
    is_below: bool,
}

impl Line {
    fn columns(&self, name: &str) -> usize {
        let before = if self.is_below { "" } else { name };
        let sign = if self.is_below { " " } else { ": " };
        before.len() + sign.len() + self.text.len()
    }
}

fn lines(name: &str, value: &str) -> Vec<Line> {
    let breaks = breaks(value);
    let first_room = COLUMNS.saturating_sub(name.len() + ": ".len());
    let room = COLUMNS - " ".len();
    let first = step(&breaks, value.len(), 0, first_room);
    // Better nothing beside the name than a line that is too long, or a string in two.
    let mut is_below = step(&breaks, value.len(), 0, room).rank() < first.rank();
    let mut lines = Vec::new();
    let (mut start, mut next) = (0, 0);
    loop {
        let room = if is_below { room } else { first_room };
        let taken = step(&breaks[next..], value.len(), start, room).breaks();
        next += taken;
        let end = match taken {
            0 => value.len(),
            _ => breaks[next - 1].at,
        };
        lines.push(Line {
            text: start..end,
            is_below,
        });
        if end == value.len() {
            return lines;
        }
        is_below = true;
        start = end + 1;
    }
}

/// How far a line goes: over how many of the breaks that follow, the last of which ends it; over none, to the end.
#[derive(Clone, Copy)]
enum Step {
    /// It fits, and nothing is torn.
    Good(usize),
    /// It fits.
    Torn(usize),
    /// It is too long.
    Long(usize),
}

impl Step {
    fn rank(self) -> u8 {
        match self {
            Self::Good(_) => 0,
            Self::Torn(_) => 1,
            Self::Long(_) => 2,
        }
    }

    fn breaks(self) -> usize {
        match self {
            Self::Good(breaks) | Self::Torn(breaks) | Self::Long(breaks) => breaks,
        }
    }
}

fn step(breaks: &[Break], end: usize, start: usize, room: usize) -> Step {
    if end - start <= room {
        return Step::Good(0);
    }
    let fits = |place: &&Break| place.at - start <= room;
    let fitting = breaks.iter().take_while(fits).count();
    let last = |kind| {
        breaks[..fitting]
            .iter()
            .rposition(|place| place.kind == kind)
    };
    let whole = last(Kind::AfterComma).or_else(|| last(Kind::Plain));
    match (whole, fitting) {
        (Some(at), _) => Step::Good(at + 1),
        (None, 0) => Step::Long(usize::from(!breaks.is_empty())),
        (None, fitting) => Step::Torn(fitting),
    }
}

/// A space at which a line can end.
struct Break {
    at: usize,
    kind: Kind,
}

/// What a line end does there, the best first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    AfterComma,
    Plain,
    /// It stands within a quoted string, a comment or angle brackets.
    Tearing,
}

/// All spaces between two words; of several together none, since unfolding leaves one.
fn breaks(value: &str) -> Vec<Break> {
    let bytes = value.as_bytes();
    let word = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|b| *b != b' ');
    let mut within = Within::default();
    let mut breaks = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        within.take(*byte);
        if *byte == b' ' && word(at.checked_sub(1)) && word(Some(at + 1)) {
            let kind = match bytes[at - 1] {
                _ if within.something() => Kind::Tearing,
                b',' => Kind::AfterComma,
                _ => Kind::Plain,
            };
            breaks.push(Break { at, kind });
        }
    }
    breaks
}

/// What is open. A guess in text that has no structure, where it does no harm.
#[derive(Default)]
struct Within {
    escaped: bool,
    quote: bool,
    comments: usize,
    angle: bool,
}

impl Within {
    fn something(&self) -> bool {
        self.quote || self.angle || self.comments > 0
    }

    fn take(&mut self, byte: u8) {
        if std::mem::take(&mut self.escaped) {
            return;
        }
        match byte {
            b'\\' => self.escaped = self.quote || self.comments > 0,
            b'"' if self.comments == 0 => self.quote = !self.quote,
            b'(' if !self.quote => self.comments += 1,
            b')' if !self.quote => self.comments = self.comments.saturating_sub(1),
            b'<' if !self.quote && self.comments == 0 => self.angle = true,
            b'>' if !self.quote && self.comments == 0 => self.angle = false,
            _ => {}
        }
    }
}
