//! What ties an answer to an invitation: random bytes that are mailed out, and come back beside a card.
//!
//! The token proves that its holder has seen the invitation, which came by mail. It does not prove who the holder is.

use std::fmt;

use super::carrier::{self, CarrierError};
use crate::crypto::{CryptoRng, sha256};

pub(super) const INVITATION: &str = "encl-invitation1:";
pub(super) const ANSWER: &str = "encl-answer1:";
/// 128 bits cannot be guessed.
const TOKEN_BYTES: usize = 16;
/// 16 bytes in base64url, and two check characters.
pub(super) const TOKEN_CHARS: usize = 24;

/// The one-time token of an invitation.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationToken([u8; TOKEN_BYTES]);

/// A text that is no invitation's token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not the token of an invitation: {0}")]
pub struct NotAToken(#[from] CarrierError);

impl InvitationToken {
    /// A new random token.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; TOKEN_BYTES];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Reads `encl-invitation1:…`, or `encl-answer1:…`, which is the same token on its way back.
    ///
    /// # Errors
    /// [`NotAToken`], also when a character is wrong or missing.
    pub fn from_text(text: &str) -> Result<Self, NotAToken> {
        let prefix = match text.trim_start().starts_with(ANSWER) {
            true => ANSWER,
            false => INVITATION,
        };
        Self::carried(prefix, text.as_bytes())
    }

    pub(super) fn carried(prefix: &'static str, text: &[u8]) -> Result<Self, NotAToken> {
        let content = carrier::carried(prefix, text)?;
        let bytes = content.try_into().map_err(|_| CarrierError::Content)?;
        Ok(Self(bytes))
    }

    /// `encl-invitation1:` and 24 characters: as it stands in an invitation.
    #[must_use]
    pub fn to_invitation(&self) -> String {
        carrier::carry(INVITATION, &self.0)
    }

    /// `encl-answer1:` and the same 24 characters: as it stands in an answer.
    #[must_use]
    pub fn to_answer(&self) -> String {
        carrier::carry(ANSWER, &self.0)
    }

    /// Its SHA-256. The inviting side stores this instead of the token.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(&[&self.0])
    }
}

/// Tokens are not shown by chance.
impl fmt::Debug for InvitationToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("InvitationToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rand_core::UnwrapErr;
    use rand::rngs::SysRng;

    #[test]
    fn a_token_is_the_same_on_both_ways() {
        let token = InvitationToken::random(&mut UnwrapErr(SysRng));
        let (there, back) = (token.to_invitation(), token.to_answer());
        assert_eq!(there.len(), INVITATION.len() + TOKEN_CHARS);
        assert_eq!(there[INVITATION.len()..], back[ANSWER.len()..]);
        for text in [&there, &back, &format!("  {there}\n")] {
            assert_eq!(InvitationToken::from_text(text).unwrap(), token);
        }
        assert_ne!(token, InvitationToken::random(&mut UnwrapErr(SysRng)));
    }

    #[test]
    fn a_slip_of_the_finger_is_noticed() {
        let text = InvitationToken([7; TOKEN_BYTES]).to_invitation();
        assert_eq!(text, "encl-invitation1:BwcHBwcHBwcHBwcHBwcHBwO6");
        for wrong in [
            "",
            "encl-invitation1:",
            &text[..text.len() - 1],
            &format!("{text}A"),
            &text.replace("Bwc", "bwc"),
            &text["encl-".len()..],
        ] {
            InvitationToken::from_text(wrong).unwrap_err();
        }
    }
}
