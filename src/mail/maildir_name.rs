//! Names of new messages in a Maildir (<https://cr.yp.to/proto/maildir.html>).

use crate::crypto::CryptoRng;
use crate::time::Time;

/// Where in a Maildir a message comes to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaildirPlace {
    /// Delivered and not seen yet: `new/`.
    New,
    /// Already seen, as a copy of what I sent: `cur/`, flag S.
    Seen,
}

/// The path of a new message, from the Maildir's folder on; unique by 128 random bits, sorted by time.
#[must_use]
pub fn maildir_name(place: MaildirPlace, now: Time, rng: &mut dyn CryptoRng) -> String {
    let [first, second] = [(); 2].map(|()| rng.next_u64());
    let base = format!("{}.R{first:016x}{second:016x}.encl", now.unix());
    match place {
        MaildirPlace::New => format!("new/{base}"),
        MaildirPlace::Seen => format!("cur/{base}:2,S"),
    }
}
