//! One whole identity on one page of paper: as words, and as the text of a QR code. The page gives its holder the private keys.
//!
//! Words and code encode the same content. It holds everything that cannot be computed: the seeds of all keys, also of rotated
//! ones, and the fields of card and revocation. Card and revocation are signed again when the page is read. This gives the same
//! bytes, since Ed25519 signatures are deterministic (RFC 8032 §5.1.6).
//!
//! ```text
//! content = version ‖ u16(bytes of body) ‖ body ‖ check
//! version = 0x01
//! check   = the first 8 bytes of SHA-256("encl/1 paper\0" ‖ version ‖ u16(bytes of body) ‖ body)
//! body    = seed ‖ n(keys) ‖ key ‖ … ‖ n(serial of the card) ‖ t(created of the card) ‖ t(created of the revocation)
//!           ‖ state ‖ text(name) ‖ n(addresses) ‖ text(address) ‖ … ‖ n(predecessors) ‖ predecessor ‖ …
//! key     = kem ‖ secret ‖ n(serial) ‖ t(created) ‖ end          in the order of the identity file and the card
//! kem     = 0x01 for x25519, 0x02 for x-wing
//! end     = 0x00 for none, or 0x01 ‖ t(expires)
//! state   = 0x00 for an identity in use, 0x01 for a revoked one
//! predecessor = id ‖ signature                                   32 and 64 bytes, as the card has them
//! seed, secret: 32 bytes, as the identity file has them
//! n(x)    = x in groups of 7 bits, the lowest first, each but the last plus 0x80; as few groups as hold x
//! t(x)    = n(2d) or, if d < 0, n(-2d - 1), where d is x in seconds since 1970 less the t before it, at first less 0
//! text(s) = n(bytes of s) ‖ s in UTF-8
//! ```
//!
//! An identity has exactly one content: a content that would be written differently is refused. It has at most 385 bytes, which
//! are 40 lines of words and fit on one sheet. This is enough for seven keys with a usual name and address.
//!
//! Words: the content's bits, the highest of each byte first, are filled up with zeros to a multiple of 77 and cut into groups
//! of 11 bits. Each group is the number of a word in the English list of BIP-39, from 0. A line is seven words and their check
//! word. With the eight words w1 … w8 as elements of GF(2^11) modulo x^11 + x^2 + 1, the check word is the one for which
//!
//! ```text
//! w1·x^7 + w2·x^6 + … + w7·x + w8 = the number of the line, from 1
//! ```
//!
//! The check word detects with certainty one wrong word, two swapped words of a line, and a line in the wrong place. The check
//! over the whole content detects other mistakes.
//!
//! The code's text is `ENCL-PAPER1:` and the content in base32 (RFC 4648 §6) without padding. QR codes have a short form for
//! its capitals, digits, `-` and `:`. Readers also accept small letters and white space.

mod bits;
mod code;
mod fields;
mod words;

use zeroize::Zeroizing;

pub use code::is_code;
pub use words::PaperLines;

use super::card::CardError;
use super::{Card, CardRequest, Identity, KEYS_MAX, KemKey, Predecessor, Revocation};
use crate::crypto::signing::{RootId, Signature, SigningKey};
use crate::crypto::{Kem, PrivateKey, sha256};
use crate::time::Time;
use fields::{Reader, Writer};

/// Lines of words on a page.
pub const PAPER_LINES_MAX: usize = 40;
/// Bytes of a text in which words or a code are searched for.
pub const PAPER_BYTES_MAX: usize = 64 << 10;

/// Bytes of content that 40 lines of seven words hold.
const CONTENT_BYTES_MAX: usize = PAPER_LINES_MAX * 77 / 8;
const FORM: u8 = 1;
/// Version and length.
const HEAD: usize = 3;
const CHECK: usize = 8;
const LABEL: &[u8] = b"encl/1 paper\0";

/// The least difference between the highest known serial and the serial of a card that is signed after restoring.
const SERIALS_AHEAD: u32 = 1_000;

/// An identity, with its card and its revocation as the page restores them.
pub struct Paper {
    identity: Identity,
    card: Card,
    revocation: Revocation,
    is_revoked: bool,
}

/// Why no page can be written, or why typed or scanned text is not a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    /// The identity does not fit on one page.
    #[error("it has {lines} lines of words, and a page has room for {PAPER_LINES_MAX}")]
    TooLong {
        /// The number of lines it would have.
        lines: usize,
    },
    /// The card or the revocation is not what the keys sign now, so a page cannot restore it.
    #[error("its {0} is not what its keys sign now")]
    Differs(&'static str),
    /// A word that is not in the list.
    #[error("line {line}, word {place}: `{typed}` is not in the list{}", did_you_mean(.near))]
    Word {
        /// The line, from 1.
        line: usize,
        /// The word's place in the line, from 1.
        place: usize,
        /// What was typed, at most 20 characters of it.
        typed: String,
        /// The words of the list that are most like it, at most three.
        near: Vec<&'static str>,
    },
    /// A line of fewer or more than eight words.
    #[error("line {line} has {found} words instead of 8")]
    Count {
        /// The line, from 1.
        line: usize,
        /// Its words.
        found: usize,
    },
    /// A line whose check word is wrong.
    #[error("line {line} is wrong: a word is another, two changed places, or it is another line")]
    Line {
        /// The line, from 1.
        line: usize,
    },
    /// A numbered line that is not the next line.
    #[error("this is line {found}, and line {expected} comes next")]
    Order {
        /// The number of the line.
        found: usize,
        /// The number of the next line.
        expected: usize,
    },
    /// The words end too early.
    #[error("line {line} is missing")]
    Missing {
        /// The first missing line.
        line: usize,
    },
    /// There is text after the last line of the page.
    #[error("something stands behind its last line, {lines}")]
    Behind {
        /// How many lines the page has.
        lines: usize,
    },
    /// There are neither words nor a code.
    #[error("there are no words and no code in it")]
    Nothing,
    /// The text of the code has a character that codes do not have.
    #[error("character {0} behind `ENCL-PAPER1:` is none of a code's")]
    Character(usize),
    /// Each part is well formed, but the checksum of the page is wrong.
    #[error("the checksum of the page is wrong: a part is missing or different")]
    Check,
    /// The checksum is right, but the content is not that of a page.
    #[error("it is not what a page says: {0}")]
    Malformed(&'static str),
    /// A newer form of the page.
    #[error("it was printed by a newer encl (form {0})")]
    Newer(u8),
    /// The card cannot be made again.
    #[error("its card cannot be made again: {0}")]
    Card(#[from] CardError),
}

fn did_you_mean(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        words => format!("; did you mean {}?", words.join(" or ")),
    }
}

impl Paper {
    /// Makes the page of an identity. Card and revocation must be byte for byte what its keys sign: otherwise the restored
    /// identity would have a different card with the same serial.
    ///
    /// # Errors
    /// [`PaperError::TooLong`], and [`PaperError::Differs`] when the card has other keys or was written by another program.
    pub fn new(
        identity: Identity,
        card: Card,
        revocation: Revocation,
        is_revoked: bool,
    ) -> Result<Self, PaperError> {
        let paper = Self {
            identity,
            card,
            revocation,
            is_revoked,
        };
        let content = paper.content();
        if content.len() > CONTENT_BYTES_MAX {
            let lines = words::lines_of(content.len());
            return Err(PaperError::TooLong { lines });
        }
        let read = Self::from_body(&content[HEAD..content.len() - CHECK])?;
        if read.card != paper.card {
            return Err(PaperError::Differs("card"));
        }
        if read.revocation != paper.revocation {
            return Err(PaperError::Differs("revocation"));
        }
        Ok(paper)
    }

    /// Reads typed or scanned text: a code, numbered lines of words with other lines between them, or only words.
    ///
    /// # Errors
    /// [`PaperError`] of the first mistake.
    pub fn from_text(text: &str) -> Result<Self, PaperError> {
        if is_code(text) {
            return Self::from_content(&code::read(text)?);
        }
        let mut lines = PaperLines::default();
        lines.fill(text)?;
        lines.finish()
    }

    /// The lines of words, eight in each, without their numbers and with a line feed after each.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        words::write(&self.content())
    }

    /// The text of the QR code.
    #[must_use]
    pub fn code(&self) -> Zeroizing<String> {
        code::write(&self.content())
    }

    /// The private keys.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns the private keys and drops the rest.
    #[must_use]
    pub fn into_identity(self) -> Identity {
        self.identity
    }

    /// The card as it was when the page was printed.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The revocation that was signed when the identity was made.
    #[must_use]
    pub fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// Whether it was revoked when the page was printed.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.is_revoked
    }

    fn content(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Writer::default();
        self.write(&mut out);
        let body = out.end();
        // A body over 65,535 bytes does not fit on a page; `new` refuses it by its length.
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
        let mut content = Zeroizing::new(Vec::with_capacity(HEAD + body.len() + CHECK));
        content.push(FORM);
        content.extend_from_slice(&length.to_be_bytes());
        content.extend_from_slice(&body);
        let check = check(&content);
        content.extend_from_slice(&check);
        content
    }

    fn write(&self, out: &mut Writer) {
        let Self {
            identity,
            card,
            revocation,
            is_revoked,
        } = self;
        out.bytes(identity.root.seed().expose());
        out.count(identity.keys.len());
        for key in &identity.keys {
            out.bytes(&[kem_number(key.private.kem())]);
            out.bytes(key.private.secret().expose());
            out.number(key.serial.into());
            out.time(key.created);
            out.bytes(&[u8::from(key.expires.is_some())]);
            if let Some(expires) = key.expires {
                out.time(expires);
            }
        }
        out.number(card.serial().into());
        out.time(card.created());
        out.time(revocation.created());
        out.bytes(&[u8::from(*is_revoked)]);
        out.text(card.name());
        out.count(card.addresses().len());
        for address in card.addresses() {
            out.text(address);
        }
        out.count(card.replaces().len());
        for predecessor in card.replaces() {
            out.bytes(&predecessor.id().0);
            out.bytes(&predecessor.signature().0);
        }
    }

    /// Checks the checksum of the page, and that the content is in its only valid form.
    fn from_content(content: &[u8]) -> Result<Self, PaperError> {
        if content.len() < HEAD + CHECK || content.len() != content_bytes(content)? {
            return Err(PaperError::Check);
        }
        let (checked, found) = content.split_at(content.len() - CHECK);
        if check(checked) != found {
            return Err(PaperError::Check);
        }
        let paper = Self::from_body(&checked[HEAD..])?;
        if *paper.content() == content {
            Ok(paper)
        } else {
            Err(PaperError::Malformed("another form of the same"))
        }
    }

    fn from_body(body: &[u8]) -> Result<Self, PaperError> {
        let mut body = Reader::new(body);
        let root = SigningKey::new(body.secret()?);
        let keys = (0..body.count(KEYS_MAX)?).map(|_| key(&mut body));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let identity = Identity { root, keys };
        let serial = body.serial()?;
        let created = body.time()?;
        let revocation = Revocation::new(&identity.root, body.time()?);
        let is_revoked = body.flag()?;
        let name = body.text()?;
        let addresses = (0..body.count(CONTENT_BYTES_MAX)?).map(|_| body.text());
        let addresses = addresses.collect::<Result<_, _>>()?;
        let replaces = (0..body.count(CONTENT_BYTES_MAX)?).map(|_| predecessor(&mut body));
        let replaces = replaces.collect::<Result<Vec<_>, _>>()?;
        body.end()?;
        let request = CardRequest {
            name,
            addresses,
            serial,
            created,
        };
        Ok(Self {
            card: Card::replacing(&identity, request, &replaces)?,
            identity,
            revocation,
            is_revoked,
        })
    }
}

/// The serial for the card of a restored identity. Contacts refuse a card that is not newer than theirs, and cards that were
/// signed after the page was printed are not known here. `known` is the highest known serial.
///
/// The serial is the number of minutes since 1970, which fits 32 bits up to the year 9999. So it is above the serials that
/// followed an earlier restore from the same page, unless more than one card per minute was signed. It is at least 1,000 above
/// `known`, for slow clocks. `None` when no such serial is left.
#[must_use]
pub fn serial_ahead(known: u32, now: Time) -> Option<u32> {
    let minutes = u32::try_from(now.unix() / 60).ok()?;
    Some(minutes.max(known.checked_add(SERIALS_AHEAD)?))
}

fn key(body: &mut Reader<'_>) -> Result<KemKey, PaperError> {
    let kem = match body.byte()? {
        1 => Kem::X25519,
        2 => Kem::XWing,
        _ => return Err(PaperError::Malformed("an unknown kind of key")),
    };
    Ok(KemKey {
        private: PrivateKey::new(kem, body.secret()?),
        serial: body.serial()?,
        created: body.time()?,
        expires: match body.flag()? {
            true => Some(body.time()?),
            false => None,
        },
    })
}

fn kem_number(kem: Kem) -> u8 {
    match kem {
        Kem::X25519 => 1,
        Kem::XWing => 2,
    }
}

fn predecessor(body: &mut Reader<'_>) -> Result<Predecessor, PaperError> {
    let id = RootId(body.array()?);
    Ok(Predecessor::signed(id, Signature(body.array()?)))
}

/// The number of bytes of a content, read from its first three bytes.
fn content_bytes(head: &[u8]) -> Result<usize, PaperError> {
    let Some(&[form, high, low]) = head.first_chunk::<HEAD>() else {
        return Err(PaperError::Check);
    };
    if form != FORM {
        return Err(PaperError::Newer(form));
    }
    let bytes = HEAD + usize::from(u16::from_be_bytes([high, low])) + CHECK;
    if bytes > CONTENT_BYTES_MAX {
        let lines = words::lines_of(bytes);
        return Err(PaperError::TooLong { lines });
    }
    Ok(bytes)
}

fn check(content: &[u8]) -> [u8; CHECK] {
    let hash = sha256(&[LABEL, content]);
    std::array::from_fn(|at| hash[at])
}

#[cfg(test)]
mod tests;
