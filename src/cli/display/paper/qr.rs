//! A QR code as half blocks and as a picture, drawn into memory that is wiped.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

/// Modules of quiet around a code (ISO/IEC 18004).
const QUIET: usize = 4;

/// What a code is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// White: what is printed is the dark.
    Paper,
    /// Dark: what is printed is the light.
    Screen,
}

/// A code of error correction M: 15 of a hundred parts may be unreadable.
pub(crate) struct Code(QrCode);

impl Code {
    /// `text` has at most some 630 characters, far from the most that a code holds.
    pub(crate) fn new(text: &str) -> Self {
        let code = QrCode::with_error_correction_level(text, EcLevel::M);
        Self(code.expect("a page's content is short"))
    }

    /// Modules of a side, quiet included.
    fn side(&self) -> usize {
        self.0.width() + 2 * QUIET
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        let own = QUIET..QUIET + self.0.width();
        own.contains(&x) && own.contains(&y) && self.0[(x - QUIET, y - QUIET)] == Color::Dark
    }

    /// Two rows of modules to a line.
    pub(crate) fn half_blocks(&self, ground: Ground) -> Zeroizing<String> {
        let side = self.side();
        // A block has three bytes.
        let mut text = Zeroizing::new(String::with_capacity(side * side * 2 + side * 4));
        let inked = |x, y| y < side && self.is_dark(x, y) == (ground == Ground::Paper);
        for y in (0..side).step_by(2) {
            for x in 0..side {
                text.push(match (inked(x, y), inked(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            let end = text.trim_end_matches(' ').len();
            text.truncate(end);
            text.push('\n');
        }
        text
    }

    /// An SVG picture, one path.
    pub(crate) fn svg(&self) -> Zeroizing<String> {
        let side = self.side();
        let mut svg = Zeroizing::new(String::with_capacity(side * side * 20 + 200));
        write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\""
        )
        .expect("a String never fails");
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            if self.is_dark(x, y) {
                write!(svg, "M{x} {y}h1v1h-1z").expect("a String never fails");
            }
        }
        svg.push_str("\"/></svg>");
        svg
    }
}
