//! WHO as it was typed: what its form alone says, and which forms an option accepts.

use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization as _;

use super::error::DirectoryError;
use crate::address::Address;
use crate::crypto::signing::RootId;
use crate::identity::{Card, FINGERPRINT_DIGITS, fingerprint_digits, parse_fingerprint};
use crate::mail::{NotOneAddress, parse_address};

/// How a URI of an address begins.
const MAILTO: &str = "mailto:";

/// Somebody as they were named on a command line: a word whose form was read once, and that the option accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    typed: String,
    form: WhoForm,
}

/// What a word means by its form alone, whoever is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoForm {
    /// `@group`: a group by its name.
    Group(String),
    /// `encl-card1:…`: a card.
    Card,
    /// 64 hexadecimal digits: a key, never a name.
    Fingerprint(RootId),
    /// A path, or what ends in `.card`: the file of a card.
    File(PathBuf),
    /// What has an `@`: an address.
    Address(Address),
    /// What has a `/`: the name of somebody who is known, else the file of a card.
    NameOrFile,
    /// A name.
    Name,
}

/// What somebody is named for, which decides what is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhoUse {
    /// To encrypt for: --to, --quorum.
    Recipient,
    /// To take access from: --from.
    Removal,
    /// To have signed: --signed-by.
    Signer,
    /// To be one of my identities: --as, $`ENCL_IDENTITY`.
    Own,
    /// To be shown or decided on: `contact`, members of a group.
    Contact,
    /// To get mail from a server, which may hand on what outsiders wrote: `mail deliver --for`.
    Delivery,
}

impl WhoUse {
    /// The forms that are accepted, in one place. Everybody can be named by fingerprint and address.
    fn accepts(self, form: &WhoForm) -> bool {
        let (group, name, card) = match self {
            Self::Recipient | Self::Signer => (true, true, true),
            Self::Removal => (true, true, false),
            Self::Own | Self::Contact => (false, true, false),
            Self::Delivery => (true, false, false),
        };
        match form {
            WhoForm::Fingerprint(_) | WhoForm::Address(_) => true,
            WhoForm::Group(_) => group,
            WhoForm::Name | WhoForm::NameOrFile => name,
            WhoForm::Card | WhoForm::File(_) => card,
        }
    }
}

impl Who {
    /// Reads a word.
    ///
    /// # Errors
    /// [`DirectoryError::NotAFingerprint`], [`DirectoryError::NotAnAddress`], and [`DirectoryError::NotAccepted`] for a form that
    /// the option does not accept.
    pub fn parse(typed: &str, wanted: WhoUse) -> Result<Self, DirectoryError> {
        let mut form = form(typed)?;
        if form == WhoForm::NameOrFile && !wanted.accepts(&WhoForm::Card) {
            form = WhoForm::Name;
        }
        if wanted.accepts(&form) {
            let typed = typed.to_owned();
            Ok(Self { typed, form })
        } else {
            Err(DirectoryError::NotAccepted {
                who: typed.to_owned(),
                form,
                wanted,
            })
        }
    }

    /// The word, as it was typed.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// What it means by its form.
    #[must_use]
    pub fn form(&self) -> &WhoForm {
        &self.form
    }
}

/// The first form that fits, in the order of [`WhoForm`].
fn form(typed: &str) -> Result<WhoForm, DirectoryError> {
    if let Some(group) = typed.strip_prefix('@') {
        return Ok(WhoForm::Group(group.to_owned()));
    }
    if Card::is_text(typed) {
        return Ok(WhoForm::Card);
    }
    if let Some(digits) = fingerprint_digits(typed) {
        let id = (digits == FINGERPRINT_DIGITS).then(|| parse_fingerprint(typed));
        return id.flatten().map(WhoForm::Fingerprint).ok_or_else(|| {
            DirectoryError::NotAFingerprint {
                who: typed.to_owned(),
                digits,
            }
        });
    }
    let is_path = ["/", "./", "../"]
        .iter()
        .any(|begin| typed.starts_with(begin));
    if is_path
        || Path::new(typed)
            .extension()
            .is_some_and(|end| end == "card")
    {
        return Ok(WhoForm::File(PathBuf::from(typed)));
    }
    if is_like_an_address(typed) {
        return Ok(WhoForm::Address(address(typed)?));
    }
    Ok(match typed.contains('/') {
        true => WhoForm::NameOrFile,
        false => WhoForm::Name,
    })
}

/// Whether it has an `@`, one of the characters that look like it too, or is written like an address in another way.
fn is_like_an_address(typed: &str) -> bool {
    let in_brackets = typed.trim_end().ends_with('>') && typed.contains('<');
    in_brackets || without_scheme(typed).is_some() || typed.nfkc().any(|letter| letter == '@')
}

fn without_scheme(typed: &str) -> Option<&str> {
    let (scheme, rest) = typed.split_at_checked(MAILTO.len())?;
    scheme.eq_ignore_ascii_case(MAILTO).then_some(rest)
}

/// The one address in a word. Words before `<` count for nothing.
fn address(typed: &str) -> Result<Address, DirectoryError> {
    let text = without_scheme(typed).unwrap_or(typed);
    let reason = match parse_address(text) {
        Ok(mailbox) => return Ok(Address::new(mailbox.address)),
        Err(reason) => reason,
    };
    let found = match (&reason, in_brackets(text)) {
        (NotOneAddress::Malformed(_), Some(inner)) => parse_address(inner).ok(),
        _ => None,
    };
    match found {
        Some(mailbox) => Ok(Address::new(mailbox.address)),
        // A card of old may carry one that no message can.
        None if is_shaped_like_one(text) => Ok(Address::new(text)),
        None => Err(DirectoryError::NotAnAddress {
            who: typed.to_owned(),
            reason,
        }),
    }
}

/// What stands between the only two angle brackets, behind words that are no list.
fn in_brackets(text: &str) -> Option<&str> {
    let (words, rest) = text.trim_end().strip_suffix('>')?.split_once('<')?;
    let is_one = !words.contains([',', ';', '>']) && !rest.contains(['<', '>']);
    is_one.then_some(rest)
}

/// As cards have it: one `@` with something on both sides, no blanks.
fn is_shaped_like_one(text: &str) -> bool {
    let parts = text.split_once('@');
    let is_filled = |(local, domain): (&str, &str)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    };
    parts.is_some_and(is_filled) && !text.contains(|c: char| c.is_whitespace() || c == ',')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn address(text: &str) -> WhoForm {
        WhoForm::Address(Address::new(text))
    }

    fn form_of(typed: &str) -> WhoForm {
        form(typed).unwrap_or_else(|error| panic!("{typed}: {error}"))
    }

    #[test]
    fn the_first_form_that_fits_decides() {
        let key = || WhoForm::Fingerprint(DIGITS.parse().unwrap());
        let file = |path: &str| WhoForm::File(path.into());
        for (typed, form) in [
            ("@finance", WhoForm::Group("finance".into())),
            ("@bob@example.org", WhoForm::Group("bob@example.org".into())),
            ("encl-card1:abc/d@f", WhoForm::Card),
            (DIGITS, key()),
            (&DIGITS.to_uppercase(), key()),
            (&DIGITS.replace('f', "f "), key()),
            (&DIGITS.replace('f', "f:"), key()),
            (&DIGITS.replace('f', "f-"), key()),
            ("/a/bob", file("/a/bob")),
            ("./bob@example.org", file("./bob@example.org")),
            ("../bob", file("../bob")),
            ("bob.card", file("bob.card")),
            ("a/b.card", file("a/b.card")),
            ("bob@example.org", address("bob@example.org")),
            ("keys/bob@example.org", address("keys/bob@example.org")),
            ("a$b@example.org", address("a$b@example.org")),
            ("a;b@example.org", address("a;b@example.org")),
            ("<bob@example.org>", address("bob@example.org")),
            ("Bob B. <bob@example.org>", address("bob@example.org")),
            (
                "Bob <bob@example.org> (verified)",
                address("bob@example.org"),
            ),
            (
                "\"Bob (CEO)\" <bob@example.org>",
                address("bob@example.org"),
            ),
            (
                "cfo@corp.example <m@evil.example>",
                address("m@evil.example"),
            ),
            (
                "\"cfo@corp.example\" <m@evil.example>",
                address("m@evil.example"),
            ),
            (
                "\u{2039}name not shown\u{203a} <m@evil.example>",
                address("m@evil.example"),
            ),
            ("mailto:bob@example.org", address("bob@example.org")),
            ("MAILTO:bob@example.org", address("bob@example.org")),
            ("R/D", WhoForm::NameOrFile),
            ("cards/bob", WhoForm::NameOrFile),
            ("Bob", WhoForm::Name),
            ("Ada Bee", WhoForm::Name),
            ("0123456789abcde", WhoForm::Name),
            ("", WhoForm::Name),
        ] {
            assert_eq!(form_of(typed), form, "{typed}");
        }
    }

    #[test]
    fn half_a_fingerprint_is_no_name() {
        for typed in [
            &DIGITS[..63],
            &DIGITS[..16],
            &format!("{DIGITS}0"),
            "0123-4567-89ab-cdef",
        ] {
            let error = form(typed).unwrap_err();
            assert!(
                matches!(error, DirectoryError::NotAFingerprint { .. }),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_looks_like_an_address_and_holds_none_is_no_name() {
        for typed in [
            "bob\u{ff20}example.org",
            "bob\u{fe6b}example.org",
            "Bob <Robert>",
            "mailto:bob",
            "bob@",
            "a@b@c",
            "bob @ example . org x",
            "bob@example.org, eve@example.org",
            "bob@example.org,eve",
            "Bob, Eve <eve@example.org>",
            "Bob <bob@example.org> <eve@example.org>",
            "mailto:bob@example.org,eve@example.org",
        ] {
            let error = form(typed)
                .map(|form| panic!("{typed}: {form:?}"))
                .unwrap_err();
            assert!(
                matches!(error, DirectoryError::NotAnAddress { .. }),
                "{typed}"
            );
        }
    }

    #[test]
    fn each_use_accepts_its_forms() {
        use WhoUse::{Contact, Delivery, Own, Recipient, Removal, Signer};
        for (typed, accepted) in [
            (
                DIGITS,
                &[Recipient, Removal, Signer, Own, Contact, Delivery][..],
            ),
            (
                "bob@example.org",
                &[Recipient, Removal, Signer, Own, Contact, Delivery],
            ),
            ("Bob", &[Recipient, Removal, Signer, Own, Contact]),
            ("R/D", &[Recipient, Removal, Signer, Own, Contact]),
            ("@finance", &[Recipient, Removal, Signer, Delivery]),
            ("encl-card1:abc", &[Recipient, Signer]),
            ("bob.card", &[Recipient, Signer]),
        ] {
            for wanted in [Recipient, Removal, Signer, Own, Contact, Delivery] {
                let is_accepted = Who::parse(typed, wanted).is_ok();
                assert_eq!(
                    is_accepted,
                    accepted.contains(&wanted),
                    "{typed} {wanted:?}"
                );
            }
        }
        let name = Who::parse("R/D", Contact).unwrap();
        assert_eq!(name.form(), &WhoForm::Name);
    }
}
