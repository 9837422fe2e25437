//! Names of people for a terminal: one, a list, and a signer. Everything is escaped.

use std::fmt::Write as _;

use encl::crypto::signing::RootId;
use encl::directory::{
    Distinction, Names, Person, RemovedHolder, ResolvedRecipient, Signer, Trust,
};
use encl::envelope::Addressee;
use encl::identity::{Card, fingerprint, name_fault, short_fingerprint};
use encl::policy::Recipient;

use crate::cli::display::trust;
use crate::cli::terminal::{safe, typed};

/// The command that renews my expired key, as it can be run. The addresses are those on my card.
pub(crate) fn renewal(addresses: &[String]) -> String {
    let who = addresses.first().map_or("", String::as_str);
    format!("encl key renew {} --expires 730d", typed(who, "WHO"))
}

/// Names shown in a list before "and N more".
pub(crate) const NAMES_SHOWN: usize = 5;

/// In place of a name that could be taken for something else.
pub(crate) const NOT_SHOWN: &str = "\u{2039}name not shown\u{203a}";
/// What stands in a name that is shown in quotation marks.
const QUOTED_FOR: [char; 12] = [
    '(', ')', '<', '>', '[', ']', '"', '\\', ',', ';', '\u{2039}', '\u{203a}',
];

/// A person or a key that has a name for people.
pub(crate) trait DisplayName {
    /// `Bob <bob@example.org>`
    fn display_name(&self) -> String;
}

impl DisplayName for Names {
    /// With as much of the fingerprint as tells the person from others.
    fn display_name(&self) -> String {
        let address = self.addresses.first().map(String::as_str);
        let digits = distinguishing(self.distinction, &self.id);
        one_of(self.fit_name(), address) + &digits
    }
}

impl DisplayName for Card {
    fn display_name(&self) -> String {
        Names::of_card(self).display_name()
    }
}

impl DisplayName for Person {
    fn display_name(&self) -> String {
        self.names().display_name()
    }
}

impl DisplayName for Recipient {
    fn display_name(&self) -> String {
        match &self.address {
            None if name_fault(&self.name, &[]).is_some() => {
                format!("{NOT_SHOWN} [{}]", fingerprint(&self.id))
            }
            address => with_address(&self.name, address.as_deref()),
        }
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
    /// "Alice <alice@example.org> (not verified yet)"
    fn display_name(&self) -> String {
        let label = match &self.claimed_name {
            Some(name) => calls_itself(trust::label(self.trust), name),
            None => trust::label(self.trust).to_owned(),
        };
        match (&self.address, self.trust) {
            (Some(_), _) => {
                let who = one_of(self.name.as_deref(), self.address.as_deref());
                let digits = distinguishing(self.distinction, &self.id);
                format!("{who}{digits} ({label})")
            }
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

/// `verified; calls itself "Carol CEO" now`
pub(crate) fn calls_itself(label: &str, claimed_name: &str) -> String {
    let escaped = claimed_name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("{label}; calls itself \"{}\" now", safe(&escaped))
}

/// `Bob <bob@example.org>`, or the name alone where the address says the same. A name that could be taken for something else is
/// not shown.
pub(crate) fn with_address(name: &str, address: Option<&str>) -> String {
    let addresses: Vec<String> = address.map(str::to_owned).into_iter().collect();
    let fit = name_fault(name, &addresses).is_none();
    one_of(fit.then_some(name), address)
}

fn one_of(name: Option<&str>, address: Option<&str>) -> String {
    let shown = name.map_or_else(|| NOT_SHOWN.to_owned(), shown_name);
    match address {
        Some(address) if name != Some(address) => format!("{shown} <{}>", safe(address)),
        _ => shown,
    }
}

/// A name, in quotation marks where a part of it could be taken for an address or for what the program says about it.
pub(crate) fn shown_name(name: &str) -> String {
    if !name.contains(QUOTED_FOR) {
        return safe(name);
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", safe(&escaped))
}

fn distinguishing(distinction: Distinction, id: &RootId) -> String {
    match distinction {
        Distinction::Name => String::new(),
        Distinction::Short => format!(" [{}]", short_fingerprint(id)),
        Distinction::Whole => format!(" [{}]", fingerprint(id)),
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
