//! Whom a message says it is from.

use crate::address::Address;
use crate::directory::Person;
use crate::mail::{Header, Mailbox, parse_list};

/// Authors of one From whose names are examined.
const AUTHORS_MAX: usize = 12;

/// A mailbox whose name looks like another address, which misleads a person who sees only the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MisleadingName {
    /// The address of the mailbox.
    pub address: String,
    /// The address that the name looks like.
    pub looks_like: String,
}

/// Whether an address is on the person's card, with or without its `+detail`, as recipients are found.
#[must_use]
pub fn is_address_of(person: &Person, address: &str) -> bool {
    let base = || Address::new(address).without_detail();
    person.has_address(address) || base().is_some_and(|base| person.has_address(base.as_str()))
}

/// Whether the text of a From field names at least one author, and every author has an address on the person's card.
#[must_use]
pub fn is_from(person: &Person, from: &str) -> bool {
    let is_person = |author: &Mailbox| is_address_of(person, &author.address);
    parse_list(from).is_ok_and(|authors| !authors.is_empty() && authors.iter().all(is_person))
}

/// The author, if the first From names exactly one.
#[must_use]
pub fn only_author(header: &Header) -> Option<Mailbox> {
    let mut authors = parse_list(&header.first("From")?.text()).ok()?;
    let author = authors.pop()?;
    authors.is_empty().then_some(author)
}

/// Authors whose name looks like another address.
#[must_use]
pub fn misleading_authors(header: &Header) -> Vec<MisleadingName> {
    let from = header.first("From").map(|field| field.text());
    let authors = from.and_then(|from| parse_list(&from).ok());
    let authors = authors.unwrap_or_default();
    misleading_names(authors.iter().take(AUTHORS_MAX)).collect()
}

/// Those whose name looks like another address.
pub fn misleading_names<'m>(
    mailboxes: impl IntoIterator<Item = &'m Mailbox>,
) -> impl Iterator<Item = MisleadingName> {
    let misleading = |mailbox: &Mailbox| {
        let looks_like = mailbox.poses_as()?;
        Some(MisleadingName {
            address: mailbox.address.clone(),
            looks_like,
        })
    };
    mailboxes.into_iter().filter_map(misleading)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header {
        Header::read(&mut text.as_bytes()).unwrap()
    }

    #[test]
    fn an_author_is_only_one_that_stands_alone() {
        let author = |text: &str| only_author(&header(text)).map(|author| author.address);
        assert_eq!(author("From: Bob <b@c.d>\n\n").as_deref(), Some("b@c.d"));
        for text in [
            "From: b@c.d, e@f.g\n\n",
            "From: \n\n",
            "From: b@\n\n",
            "To: b@c.d\n\n",
        ] {
            assert_eq!(author(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_that_is_another_address_misleads() {
        let misleading = misleading_authors(&header("From: \"eve@e.f\" <b@c.d>, Bob <b@c.d>\n\n"));
        let [name] = &misleading[..] else {
            panic!("{misleading:?}");
        };
        assert_eq!((&*name.address, &*name.looks_like), ("b@c.d", "eve@e.f"));
    }
}
