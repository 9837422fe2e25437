//! Whom access is taken from: by name as everywhere, and by what an envelope itself shows when nobody here has a name for it.

use encl::crypto::KeyId;
use encl::crypto::signing::RootId;
use encl::envelope::Leavers;
use encl::identity::{fingerprint, parse_fingerprint};

use crate::cli::context::Context;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore;
use crate::cli::operations::directory::people::People;
use crate::cli::operations::directory::{recipients, resolve};

/// Those who lose access, and how they are called.
pub(crate) struct ResolvedRemovals {
    pub(crate) leavers: Leavers,
    /// "Bob <bob@example.org> and @old-team"
    pub(crate) words: String,
}

impl ResolvedRemovals {
    /// Everybody whom `names` name. A fingerprint, or the id of a key as `inspect --json` shows it, needs no contact.
    pub(crate) fn resolve(
        names: &[String],
        lock: Option<u16>,
        people: &People,
        context: &Context,
    ) -> Result<Self, Failure> {
        let mut leavers = Leavers {
            lock,
            ..Leavers::default()
        };
        let mut words = Vec::new();
        for name in names {
            if let Some(group) = name.strip_prefix('@') {
                // Also members whose cards are gone.
                leavers.people.extend(keystore::group(context, group)?);
                words.push(name.clone());
            } else if let Some(id) = parse_fingerprint(name) {
                leavers.people.insert(id);
                leavers.keys.insert(KeyId(id.0));
                words.push(called(id, people));
            } else {
                for found in resolve::resolve(name, people, |_| Ok(Vec::new()))? {
                    leavers.people.insert(found.names.id);
                    let keys = found.keys.iter().map(|key| key.public.key_id());
                    leavers.keys.extend(keys);
                    words.push(found.names.words());
                }
            }
        }
        Ok(Self {
            leavers,
            words: recipients::names(&words),
        })
    }
}

fn called(id: RootId, people: &People) -> String {
    let person = people.with_id(id).ok().flatten();
    person.map_or_else(|| fingerprint(&id), |person| person.words())
}
