//! Which of my identities a message comes from, by the options of the command line.

use encl::directory::People;
use encl::mail::Header;
use encl::operations::mail::outgoing::author::{Author, AuthorRequest};

use crate::cli::args::seal::SealOptions;
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::{Failure, mail};
use crate::cli::terminal::safe;

/// The author of a message, with a warning if From names somebody else.
pub(crate) fn author_of_message<'a>(
    header: &Header,
    options: &SealOptions,
    people: &'a People,
    context: &Context,
) -> Result<Author<'a>, Failure> {
    let preferred = context.identity_name(None);
    let request = AuthorRequest {
        identity: options.identity.as_deref(),
        preferred: preferred.as_deref(),
        is_anonymous: options.anonymous,
        without_me: options.no_self,
    };
    let author = Author::of_message(header, &request, people).map_err(mail::no_author)?;
    if let (Some(signs), Some(from)) = (author.signs, author.contradicting_from(header)) {
        context.terminal.warning(&format!(
            "it says that it is from {}, and is signed by {}: a recipient who has that card will refuse it",
            safe(&from),
            signs.display_name()
        ));
    }
    Ok(author)
}
