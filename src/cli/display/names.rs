//! Names of people for a terminal: one, a list, and a signer. Everything is escaped.

use std::fmt::Write as _;

use encl::directory::{Names, Person, RemovedHolder, ResolvedRecipient, Signer, Trust};
use encl::envelope::Addressee;
use encl::identity::{Card, fingerprint};
use encl::policy::Recipient;

use crate::cli::display::trust;
use crate::cli::terminal::safe;

/// Names shown in a list before "and N more".
pub(crate) const NAMES_SHOWN: usize = 5;

/// A person or a key that has a name for people.
pub(crate) trait DisplayName {
    /// `Bob <bob@example.org>`
    fn display_name(&self) -> String;
}

impl DisplayName for Names {
    fn display_name(&self) -> String {
        with_address(&self.name, self.addresses.first().map(String::as_str))
    }
}

impl DisplayName for Card {
    fn display_name(&self) -> String {
        with_address(self.name(), self.addresses().first().map(String::as_str))
    }
}

impl DisplayName for Person {
    fn display_name(&self) -> String {
        self.card.display_name()
    }
}

impl DisplayName for Recipient {
    fn display_name(&self) -> String {
        with_address(&self.name, self.address.as_deref())
    }
}

impl DisplayName for Addressee {
    fn display_name(&self) -> String {
        self.recipient.display_name()
    }
}

impl DisplayName for ResolvedRecipient {
    /// `you` for myself.
    fn display_name(&self) -> String {
        match self.trust {
            Trust::Me => "you".to_owned(),
            _ => self.names.display_name(),
        }
    }
}

impl DisplayName for Signer {
    /// "Alice (not verified yet)"
    fn display_name(&self) -> String {
        let label = trust::label(self.trust);
        match (&self.name, self.trust) {
            (Some(name), Trust::Me) => format!("you ({})", safe(name)),
            (Some(name), _) => format!("{} ({label})", safe(name)),
            (None, Trust::Unknown) => format!("an unknown key, {}", fingerprint(&self.id)),
            (None, _) => format!("a key ({label}) of no contact, {}", fingerprint(&self.id)),
        }
    }
}

impl DisplayName for RemovedHolder {
    fn display_name(&self) -> String {
        match self {
            Self::Group(name) => safe(&format!("@{name}")),
            Self::Person(names) => names.display_name(),
            Self::Key(id) => fingerprint(id),
        }
    }
}

/// `Bob <bob@example.org>`, or the name alone where the address says the same.
pub(crate) fn with_address(name: &str, address: Option<&str>) -> String {
    match address {
        Some(address) if address != name => format!("{} <{}>", safe(name), safe(address)),
        _ => safe(name),
    }
}

/// A list of people.
pub(crate) fn list_of(people: &[impl DisplayName]) -> String {
    let names: Vec<String> = people.iter().map(DisplayName::display_name).collect();
    list(&names)
}

/// `a`, `a and b`, `a, b, c, d, e and 995 more`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= NAMES_SHOWN => {
            format!("{} and {last}", first.join(", "))
        }
        _ => format!(
            "{} and {} more",
            names[..NAMES_SHOWN].join(", "),
            names.len() - NAMES_SHOWN
        ),
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String never fails");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_counted() {
        let names: Vec<String> = (1..=7).map(|n| n.to_string()).collect();
        assert_eq!(list(&names[..1]), "1");
        assert_eq!(list(&names[..2]), "1 and 2");
        assert_eq!(list(&names[..5]), "1, 2, 3, 4 and 5");
        assert_eq!(list(&names), "1, 2, 3, 4, 5 and 2 more");
    }
}
