//! Which of my identities a message comes from.

use crate::directory::{DirectoryError, People, Person};
use crate::mail::Header;
use crate::operations::mail::from::{is_address_of, is_from, only_author};

/// What I want of my part in a message.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuthorRequest<'r> {
    /// The identity that signs, whatever From says.
    pub identity: Option<&'r str>,
    /// The identity that is preferred where From and `identity` leave a choice.
    pub preferred: Option<&'r str>,
    /// The message is not signed.
    pub is_anonymous: bool,
    /// I cannot read the sealed message.
    pub without_me: bool,
}

/// Me, as far as a message is concerned.
#[derive(Clone, Copy)]
pub struct Author<'a> {
    /// The identity that signs.
    pub signs: Option<&'a Person>,
    /// The identity that can read the message too.
    pub reads: Option<&'a Person>,
}

/// Why a message can have no author.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// The requested identity is not one of mine.
    #[error(transparent)]
    Identity(#[from] DirectoryError),
    /// All my identities were revoked or replaced.
    #[error("all your identities were revoked or replaced")]
    OnlyRetired,
}

impl<'a> Author<'a> {
    /// The identity that was requested signs, or else the one whose address is in From. The default identity reads where none
    /// signs.
    ///
    /// # Errors
    /// [`AuthorError`].
    pub fn of_message(
        header: &Header,
        request: &AuthorRequest<'_>,
        people: &'a People,
    ) -> Result<Self, AuthorError> {
        let needs_none = request.is_anonymous && request.without_me;
        if !needs_none {
            people.check_me()?;
        }
        let name = request.identity.or(request.preferred);
        let named = name.map(|name| people.my_identity(name)).transpose()?;
        let signs = match request.identity {
            Some(_) => named,
            None => by_from(header, named, people),
        };
        if people.active.is_empty() && !people.retired.is_empty() && !needs_none {
            return Err(AuthorError::OnlyRetired);
        }
        let reads = signs.or(named).or(people.active.first());
        Ok(Self {
            signs: signs.filter(|_| !request.is_anonymous),
            reads: reads.filter(|_| !request.without_me),
        })
    }

    /// The text of From, if it does not name the signer: readers who know the card of the signer refuse such a message.
    #[must_use]
    pub fn contradicting_from(&self, header: &Header) -> Option<String> {
        let signs = self.signs?;
        let from = header.first("From")?.text();
        (!is_from(signs, &from)).then_some(from)
    }
}

/// My identity with the address in From, if From names one author; of several the preferred one.
fn by_from<'a>(
    header: &Header,
    preferred: Option<&'a Person>,
    people: &'a People,
) -> Option<&'a Person> {
    let author = only_author(header)?;
    let candidates = || preferred.into_iter().chain(&people.active);
    let exact = candidates().find(|person| person.has_address(&author.address));
    exact.or_else(|| candidates().find(|person| is_address_of(person, &author.address)))
}
