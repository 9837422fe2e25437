//! An approval: the share or secret of one holder of a lock, sealed to a colleague, so that a quorum does not have to meet.
//!
//! It is one JSON line, and travels as a card does: as a file, as one line of text, in a message (FORMAT.md, "Approvals").

mod approve;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::crypto::{CryptoRng, KeyId, PrivateKey, PublicKey, hpke, kdf};
use crate::envelope::access_line::{ENC_BYTES, SECRET_CT_BYTES, SHARE_CT_BYTES};
use crate::envelope::id::EnvelopeId;
use crate::envelope::open::Manifest;
use crate::envelope::unlock::ReaderKey;
use crate::identity::{CARRIER_BYTES_MAX, CONTENT_BYTES_MAX, CarrierError, carried, carry};
use crate::json::{Error, Text};
use crate::policy::LOCKS_MAX;

/// How an approval begins as text.
const PREFIX: &str = "encl-approval1:";
const VERSION: &str = "encl/1";

/// A share, or the secret, of one lock of one envelope, sealed to one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    #[serde(rename = "approval")]
    version: &'static str,
    policy: EnvelopeId,
    lock: u16,
    key: KeyId,
    #[serde(serialize_with = "crate::json::b64")]
    enc: Vec<u8>,
    #[serde(serialize_with = "crate::json::b64")]
    ct: Vec<u8>,
}

/// Why bytes are not an approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// The text does not carry one.
    #[error("{0}")]
    Carrier(#[from] CarrierError),
    /// The line is not as the format demands, or newer.
    #[error("{0}")]
    Line(#[from] Error),
}

impl ApprovalError {
    /// The word for scripts, as FORMAT.md has it under "Cards" and "Approvals".
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Carrier(CarrierError::Prefix(_) | CarrierError::Utf16) => "not-an-approval",
            Self::Carrier(CarrierError::TooLong) | Self::Line(Error::OverLimit(_)) => "over-limit",
            Self::Carrier(CarrierError::Group { .. } | CarrierError::Content) => "mangled",
            Self::Line(Error::Malformed(_)) => "malformed",
            Self::Line(Error::Newer(_)) => "newer",
        }
    }
}

/// Why an approval cannot be used with an envelope: it is ignored, and the program reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It was made for another envelope.
    #[error("it is for another envelope, {0}")]
    OtherEnvelope(EnvelopeId),
    /// It names a lock that the envelope has not.
    #[error("it is for lock {0}, which the envelope does not have")]
    NoSuchLock(u16),
    /// It is sealed to a key that is not the reader's.
    #[error("it is encrypted for somebody else's key")]
    NotForYou,
}

impl Approval {
    /// Seals what a slot held to a colleague's key.
    pub(in crate::envelope) fn seal(
        to: &PublicKey,
        lock: u16,
        id: &EnvelopeId,
        part: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let sealed = hpke::seal(to, &kdf::approval_info(&id.0, lock), part, rng)
            .expect("a key that was accepted gives no all-zero secret");
        Self {
            version: VERSION,
            policy: *id,
            lock,
            key: to.key_id(),
            enc: sealed.enc,
            ct: sealed.ct,
        }
    }

    /// What was sealed; `None` when it does not open with this key.
    pub(in crate::envelope) fn open(&self, reader: &PrivateKey) -> Option<Zeroizing<Vec<u8>>> {
        let info = kdf::approval_info(&self.policy.0, self.lock);
        hpke::open(reader, &self.enc, &info, &self.ct).ok()
    }

    /// Reads an approval: its line, or the text form, however that was wrapped or quoted.
    ///
    /// # Errors
    /// [`ApprovalError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ApprovalError> {
        if bytes.len() > CARRIER_BYTES_MAX {
            return Err(CarrierError::TooLong.into());
        }
        if bytes.first() != Some(&b'{') {
            let content = carried(PREFIX, bytes)?;
            let line = content.strip_suffix(b"\n").ok_or(CarrierError::Content)?;
            return Ok(parse(line)?);
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if line.len() > CONTENT_BYTES_MAX {
            return Err(CarrierError::TooLong.into());
        }
        Ok(parse(line)?)
    }

    /// The JSON line, without a line feed.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("an approval has only texts and a number")
    }

    /// One line of text, without a line feed: what goes into a file, a chat or a message.
    #[must_use]
    pub fn to_text(&self) -> String {
        carry(PREFIX, &[self.to_line().as_bytes(), b"\n"].concat())
    }

    /// Says whether `text` begins like an approval in its text form.
    #[must_use]
    pub fn is_text(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The envelope that it is for.
    #[must_use]
    pub fn envelope(&self) -> EnvelopeId {
        self.policy
    }

    /// The lock that it is for, from 0.
    #[must_use]
    pub fn lock(&self) -> u16 {
        self.lock
    }

    /// The key that it is sealed to.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// Whether it counts for this envelope and these keys; what does not is passed over when the envelope is opened.
    ///
    /// # Errors
    /// [`Unusable`], to be reported to the reader.
    pub fn usable(&self, manifest: &Manifest, keys: &[ReaderKey]) -> Result<(), Unusable> {
        if self.policy != manifest.id {
            Err(Unusable::OtherEnvelope(self.policy))
        } else if usize::from(self.lock) >= manifest.policy.locks.len() {
            Err(Unusable::NoSuchLock(self.lock))
        } else if keys.iter().all(|key| key.id != self.key) {
            Err(Unusable::NotForYou)
        } else {
            Ok(())
        }
    }
}

fn parse(line: &[u8]) -> Result<Approval, Error> {
    let (mut version, mut policy, mut lock, mut key, mut enc, mut ct) =
        (None, None, None, None, None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "approval" => {
                let text = value.text(usize::MAX)?;
                if text != VERSION {
                    return Err(Error::newer(format!("version {text:?}")));
                }
                version = Some(VERSION);
            }
            "policy" => policy = Some(EnvelopeId(value.base64()?)),
            "lock" => {
                let number = u16::try_from(value.number()?).ok();
                lock = number.filter(|number| usize::from(*number) < LOCKS_MAX);
                lock.ok_or_else(|| Error::malformed("a lock that no envelope has"))?;
            }
            "key" => key = Some(KeyId(value.base64()?)),
            "enc" => enc = Some(value.base64_of(&ENC_BYTES)?),
            "ct" => ct = Some(value.base64_of(&[SECRET_CT_BYTES, SHARE_CT_BYTES])?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(Approval {
        version: version.ok_or_else(|| Error::missing("approval"))?,
        policy: policy.ok_or_else(|| Error::missing("policy"))?,
        lock: lock.ok_or_else(|| Error::missing("lock"))?,
        key: key.ok_or_else(|| Error::missing("key"))?,
        enc: enc.ok_or_else(|| Error::missing("enc"))?,
        ct: ct.ok_or_else(|| Error::missing("ct"))?,
    })
}

#[cfg(test)]
mod tests {
    use rand::rand_core::UnwrapErr;
    use rand::rngs::SysRng;

    use super::*;
    use crate::crypto::Kem;

    fn approval(kem: Kem) -> (Approval, PrivateKey) {
        let reader = PrivateKey::generate(kem, &mut UnwrapErr(SysRng));
        let id = EnvelopeId([7; 32]);
        let approval = Approval::seal(
            &reader.public_key(),
            3,
            &id,
            &[9; 33],
            &mut UnwrapErr(SysRng),
        );
        (approval, reader)
    }

    #[test]
    fn it_comes_back_from_its_line_and_from_text_that_was_quoted_and_wrapped() {
        for kem in [Kem::X25519, Kem::XWing] {
            let (approval, reader) = approval(kem);
            assert_eq!(*approval.open(&reader).unwrap(), [9; 33]);
            let (line, text) = (approval.to_line(), approval.to_text());
            let wrapped: Vec<_> = text.as_bytes().chunks(70).collect();
            let quoted = [b"> ".as_slice(), &wrapped.join(&b"\r\n>  "[..])].concat();
            for bytes in [
                line.as_bytes(),
                format!("{line}\n").as_bytes(),
                text.as_bytes(),
                format!("{text}\n").as_bytes(),
                &quoted,
            ] {
                assert_eq!(Approval::from_bytes(bytes).as_ref(), Ok(&approval));
            }
            assert!(Approval::is_text(&text) && !Approval::is_text(&line));
        }
    }

    #[test]
    fn what_is_not_an_approval_is_refused_with_its_class() {
        let (line, text) = (
            approval(Kem::X25519).0.to_line(),
            approval(Kem::X25519).0.to_text(),
        );
        let long = format!("{line}{}", " ".repeat(CONTENT_BYTES_MAX));
        for (what, bytes, class) in [
            ("nothing", String::new(), "not-an-approval"),
            (
                "a card",
                text.replace("approval1", "card1"),
                "not-an-approval",
            ),
            ("cut", text[..text.len() - 1].to_owned(), "mangled"),
            (
                "a character changed",
                text.replacen(":ey", ":fy", 1),
                "mangled",
            ),
            ("two line feeds", format!("{line}\n\n"), "malformed"),
            ("too long", long, "over-limit"),
            ("another version", line.replace("encl/1", "encl/2"), "newer"),
            (
                "a member more",
                line.replace("\"lock\"", "\"x\":1,\"lock\""),
                "newer",
            ),
            (
                "a member less",
                line.replace("\"lock\":3,", ""),
                "malformed",
            ),
            (
                "a ninth lock",
                line.replace("\"lock\":3", "\"lock\":8"),
                "malformed",
            ),
            ("no line", "{".to_owned(), "malformed"),
        ] {
            let error = Approval::from_bytes(bytes.as_bytes()).unwrap_err();
            assert_eq!(error.class(), class, "{what}: {error}");
        }
    }
}
