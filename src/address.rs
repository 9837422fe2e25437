//! A mail address, and the one rule that says when two of them are the same.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use unicode_normalization::UnicodeNormalization as _;

/// A mail address as somebody wrote it. Two are equal when mail to them reaches one mailbox in practice:
///
/// * domains are compared as DNS does, so `bücher.example` is `xn--bcher-kva.example` (RFC 5890 §2.3.2.1);
/// * local parts are compared without regard to case, in Unicode's composed form. RFC 5321 §2.4 lets a server tell `Bob` from
///   `bob`; none in use does, and a person reads both as one.
#[derive(Debug, Clone)]
pub struct Address {
    text: String,
    comparable: String,
}

impl Address {
    /// The address in `text`. Nothing is checked: what has no `@` is equal to itself only.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let comparable = comparable(&text).into_owned();
        Self { text, comparable }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `bob@example.org` of `bob+lists@example.org` (RFC 5233): the address without the detail in its local part.
    #[must_use]
    pub fn without_detail(&self) -> Option<Self> {
        let (local, domain) = split(&self.text);
        let (base, _) = local.split_once('+')?;
        let is_plain = !base.is_empty() && !local.starts_with('"');
        is_plain.then(|| Self::new(format!("{base}@{domain}")))
    }

    /// The address as people see it: its domain in Unicode.
    #[must_use]
    pub fn to_unicode(&self) -> String {
        let (local, domain) = split(&self.text);
        if domain.is_ascii() && !domain.to_ascii_lowercase().contains("xn--") {
            return self.text.clone();
        }
        format!("{local}@{}", idna::domain_to_unicode(domain).0)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.comparable == other.comparable
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.comparable.hash(state);
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether two addresses are the same, without a copy in the ordinary case.
#[must_use]
pub fn is_same_address(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || !(a.is_ascii() && b.is_ascii()) && comparable(a) == comparable(b)
}

/// The form in which addresses are compared. A word without `@`, such as a name, is compared without regard to case.
pub(crate) fn comparable(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    let fold = |text: &str| text.to_lowercase().nfc().collect::<String>();
    Cow::Owned(match text.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{}", fold(local), ascii_domain(domain)),
        None => fold(text),
    })
}

/// A domain in A-labels and small letters, as DNS compares it.
#[must_use]
pub fn ascii_domain(domain: &str) -> String {
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase())
}

fn split(address: &str) -> (&str, &str) {
    address.rsplit_once('@').unwrap_or((address, ""))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn is_same(a: &str, b: &str) -> bool {
        let (first, second) = (Address::new(a), Address::new(b));
        let same = first == second;
        assert_eq!(is_same_address(a, b), same, "{a} {b}");
        assert_eq!(HashSet::from([first, second]).len() == 1, same, "{a} {b}");
        same
    }

    #[test]
    fn case_and_the_form_of_the_domain_make_no_other_address() {
        for (a, b) in [
            ("bob@example.org", "BOB@Example.ORG"),
            ("bob@b\u{fc}cher.example", "bob@xn--bcher-kva.example"),
            ("bob@B\u{dc}CHER.example", "bob@XN--BCHER-KVA.example"),
            ("J\u{d6}RG@example.org", "j\u{f6}rg@example.org"),
            ("jo\u{308}rg@example.org", "j\u{f6}rg@example.org"),
        ] {
            assert!(is_same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn another_mailbox_is_another_address() {
        for (a, b) in [
            ("bob@example.org", "bob@example.com"),
            ("bob@example.org", "bob+lists@example.org"),
            ("bob@b\u{fc}cher.example", "bob@bucher.example"),
            ("m\u{fc}ller@example.org", "muller@example.org"),
            ("\u{430}lice@example.org", "alice@example.org"),
            ("bob", "bob@"),
        ] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn the_detail_of_a_local_part_is_taken_off() {
        let base = |text: &str| {
            Address::new(text)
                .without_detail()
                .map(|base| base.to_string())
        };
        assert_eq!(
            base("Bob+a+b@Example.org").as_deref(),
            Some("Bob@Example.org")
        );
        for text in ["bob@example.org", "+a@example.org", "\"a+b\"@example.org"] {
            assert_eq!(base(text), None, "{text}");
        }
    }
}
