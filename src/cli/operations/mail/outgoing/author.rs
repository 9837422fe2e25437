//! Which of my identities a message comes from.

use crate::cli::display::names::DisplayName;
use crate::cli::errors::directory::refuse_retired;
use encl::address::is_same_address;
use encl::directory::{People, Person};
use encl::mail::Header;

use crate::cli::context::Context;
use crate::cli::errors::Failure;
use crate::cli::operations::seal::SealOptions;
use crate::cli::terminal::safe;

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
        let named = context.identity_name(options.identity.as_deref());
        let named = named.map(|name| people.my_identity(&name)).transpose()?;
        let signs = match options.identity {
            Some(_) => named,
            None => from(header, named, people),
        };
        if people.active.is_empty() && !(options.anonymous && options.no_self) {
            refuse_retired("cannot wrap as you", people)?;
        }
        let reads = signs.or(named).or(people.active.first());
        let author = Self {
            signs: signs.filter(|_| !options.anonymous),
            reads: reads.filter(|_| !options.no_self),
        };
        author.warn_of_another_name(header, context);
        Ok(author)
    }

    /// Whoever knows my card refuses what I signed and somebody else is said to have written.
    fn warn_of_another_name(&self, header: &Header, context: &Context) {
        let (Some(signs), Some(from)) = (self.signs, header.first("From")) else {
            return;
        };
        let authors = encl::mail::parse_list(&from.text()).unwrap_or_default();
        if authors.is_empty() || !authors.iter().all(|author| carries(signs, &author.address)) {
            context.terminal.warning(&format!(
                "it says that it is from {}, and is signed by {}: a recipient who has that card will refuse it",
                safe(&from.text()),
                signs.display_name()
            ));
        }
    }
}

/// My identity that carries the address in From, if From names one person; the preferred one of several.
fn from<'a>(
    header: &Header,
    preferred: Option<&'a Person>,
    people: &'a People,
) -> Option<&'a Person> {
    let from = encl::mail::parse_list(&header.first("From")?.text()).ok()?;
    let [author] = &from[..] else {
        return None;
    };
    let mut candidates = preferred.into_iter().chain(&people.active);
    candidates.find(|person| carries(person, &author.address))
}

fn carries(person: &Person, address: &str) -> bool {
    let mut addresses = person.card.addresses().iter();
    addresses.any(|known| is_same_address(known, address))
}
