//! Whom access is taken from: by name as everywhere, and by what an envelope itself shows when nobody here has a name for it.

use encl::crypto::KeyId;
use encl::crypto::signing::RootId;
use encl::envelope::Removals;
use encl::identity::{fingerprint, parse_fingerprint};

use super::context::Context;
use super::people::People;
use super::report::Failure;
use super::{readers, store, who};

/// Those who lose access, and how they are called.
pub(crate) struct Leaving {
    pub(crate) leavers: Removals,
    /// "Bob <bob@example.org> and @old-team"
    pub(crate) words: String,
}

impl Leaving {
    /// Everybody whom `names` name. A fingerprint, or the id of a key as `inspect --json` shows it, needs no contact.
    pub(crate) fn resolve(
        names: &[String],
        lock: Option<u16>,
        people: &People,
        context: &Context,
    ) -> Result<Self, Failure> {
        let mut leavers = Removals {
            lock,
            ..Removals::default()
        };
        let mut words = Vec::new();
        for name in names {
            if let Some(group) = name.strip_prefix('@') {
                // Also members whose cards are gone.
                leavers.people.extend(store::group(context, group)?);
                words.push(name.clone());
            } else if let Some(id) = parse_fingerprint(name) {
                leavers.people.insert(id);
                leavers.keys.insert(KeyId(id.0));
                words.push(called(id, people));
            } else {
                for found in who::resolve(name, people, |_| Ok(Vec::new()))? {
                    leavers.people.insert(found.names.id);
                    let keys = found.keys.iter().map(|key| key.public.key_id());
                    leavers.keys.extend(keys);
                    words.push(found.names.words());
                }
            }
        }
        Ok(Self {
            leavers,
            words: readers::names(&words),
        })
    }
}

fn called(id: RootId, people: &People) -> String {
    let person = people.with_id(id).ok().flatten();
    person.map_or_else(|| fingerprint(&id), |person| person.words())
}
