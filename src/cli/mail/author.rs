//! Which of my identities a message comes from.

use encl::mail::Header;

use super::super::addressing;
use super::super::context::Context;
use super::super::people::{People, Person};
use super::super::report::Failure;
use super::super::sealing::SealOptions;
use super::super::who;

/// Me, as far as a message is concerned.
pub(crate) struct Author<'a> {
    /// Who signs: the identity that was named, else the one that carries the address in From.
    pub(crate) signs: Option<&'a Person>,
    /// Who can read it besides: who signs, else my default identity.
    pub(crate) reads: Option<&'a Person>,
}

impl<'a> Author<'a> {
    pub(crate) fn of_message(
        header: &Header,
        options: &SealOptions,
        people: &'a People,
        context: &Context,
    ) -> Result<Self, Failure> {
        let signs = match context.identity_name(options.identity.as_deref()) {
            Some(name) => Some(who::mine(&name, people)?),
            None => from(header, people),
        };
        let reads = signs.or(people.mine.first());
        Ok(Self {
            signs: signs.filter(|_| !options.anonymous),
            reads: reads.filter(|_| !options.no_self),
        })
    }
}

/// My identity that carries the address in From, if From names one person.
fn from<'a>(header: &Header, people: &'a People) -> Option<&'a Person> {
    let from = encl::mail::parse_list(&header.first("From")?.text()).ok()?;
    let [author] = &from[..] else {
        return None;
    };
    let carries = |person: &&Person| {
        let mut addresses = person.card.addresses().iter();
        addresses.any(|address| addressing::is_same(address, &author.address))
    };
    people.mine.iter().find(carries)
}
