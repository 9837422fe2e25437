//! The fields of a page's body, written and read.

use zeroize::Zeroizing;

use super::PaperError;
use crate::crypto::Secret;
use crate::time::Time;

/// Bytes reserved for a body; every body is shorter: 16 keys, 16 addresses of 320 bytes, 4 predecessors and a name.
const ROOM: usize = 16 << 10;

/// A body that is being written.
pub(super) struct Writer {
    body: Zeroizing<Vec<u8>>,
    /// The previous time field, in seconds since 1970.
    before: u64,
}

/// Reserves the full size at the start: a growing buffer would leave copies of secrets in memory.
impl Default for Writer {
    fn default() -> Self {
        Self {
            body: Zeroizing::new(Vec::with_capacity(ROOM)),
            before: 0,
        }
    }
}

impl Writer {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.body.push(low_bits(number) | 0x80);
            number >>= 7;
        }
        self.body.push(low_bits(number));
    }

    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    pub(super) fn time(&mut self, time: Time) {
        let (now, before) = (time.unix(), self.before);
        self.before = now;
        self.number(match now.checked_sub(before) {
            Some(later) => later * 2,
            None => (before - now) * 2 - 1,
        });
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes(text.as_bytes());
    }

    pub(super) fn end(self) -> Zeroizing<Vec<u8>> {
        self.body
    }
}

fn low_bits(number: u64) -> u8 {
    u8::try_from(number & 0x7f).expect("seven bits")
}

/// A body that is being read.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// The previous time field, in seconds since 1970.
    before: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self {
            rest: body,
            before: 0,
        }
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], PaperError> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(ENDS)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, PaperError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PaperError> {
        let taken = self.take(N)?;
        Ok(*taken.first_chunk().expect("as many as were asked for"))
    }

    pub(super) fn secret(&mut self) -> Result<Secret<32>, PaperError> {
        Secret::from_slice(self.take(32)?).ok_or(ENDS)
    }

    pub(super) fn flag(&mut self) -> Result<bool, PaperError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(PaperError::Malformed("neither yes nor no")),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, PaperError> {
        let mut number = 0;
        // Seven groups are more than any number of a page needs: 2 · 253,402,300,799 has six.
        for place in 0..7 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(PaperError::Malformed("a number that is too large"))
    }

    pub(super) fn count(&mut self, most: usize) -> Result<usize, PaperError> {
        let count = usize::try_from(self.number()?).ok();
        let count = count.filter(|count| *count <= most);
        count.ok_or(PaperError::Malformed("too many of something"))
    }

    pub(super) fn serial(&mut self) -> Result<u32, PaperError> {
        let serial = u32::try_from(self.number()?).ok();
        serial.ok_or(PaperError::Malformed("a serial that is too large"))
    }

    pub(super) fn time(&mut self) -> Result<Time, PaperError> {
        let moved = self.number()?;
        let half = moved / 2;
        let seconds = match moved % 2 {
            0 => Some(self.before + half),
            _ => self.before.checked_sub(half + 1),
        };
        let time = seconds.and_then(Time::from_unix);
        let time = time.ok_or(PaperError::Malformed("a time before 1970 or after 9999"))?;
        self.before = time.unix();
        Ok(time)
    }

    pub(super) fn text(&mut self) -> Result<String, PaperError> {
        let bytes = self.count(self.rest.len())?;
        let text = std::str::from_utf8(self.take(bytes)?);
        let text = text.map_err(|_| PaperError::Malformed("a text that is not UTF-8"))?;
        Ok(text.to_owned())
    }

    pub(super) fn end(self) -> Result<(), PaperError> {
        match self.rest {
            [] => Ok(()),
            _ => Err(PaperError::Malformed("something behind its end")),
        }
    }
}

const ENDS: PaperError = PaperError::Malformed("it ends too early");
