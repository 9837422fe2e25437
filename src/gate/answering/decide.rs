//! The decision, inside of one transaction: the checks of the whole request, then each item.

use super::items::{self, DecidedItem};
use super::prepare::Prepared;
use super::prove::Decided;
use super::{FRESH_SECONDS, GateKeys, Ledger, LogHead, Outcome, OutcomeKey};
use crate::crypto::signing::RootId;
use crate::crypto::{CryptoRng, Secret};
use crate::gate::log::{Checkpoint, root};
use crate::gate::protocol::{Entry, EntryOp};
use crate::gate::rules::Refusal;
use crate::time::Time;

/// How many seconds the clock may be behind the last entry: so much it may be set back while it is adjusted.
pub const BACK_SECONDS_MAX: u64 = 2;

/// The gate at the moment of a decision.
pub struct Moment<'a> {
    /// Its keys.
    pub keys: &'a GateKeys,
    /// Its clock.
    pub now: Time,
    /// Where the salts of entries come from.
    pub rng: &'a mut dyn CryptoRng,
    /// Whether one more refusal of somebody may be logged.
    pub may_log: &'a mut dyn FnMut(Option<RootId>) -> bool,
}

impl Moment<'_> {
    /// An entry of now, about nothing yet.
    pub(super) fn entry(&mut self, op: EntryOp) -> Entry {
        Entry::new(op, self.now, *Secret::<16>::random(self.rng).expose())
    }
}

impl Prepared {
    /// Decides, and appends what has to be logged.
    ///
    /// # Errors
    /// Those of the storage: then nothing was decided, and the transaction has to be undone.
    pub fn decide<L: Ledger>(
        self,
        ledger: &mut L,
        mut moment: Moment<'_>,
    ) -> Result<Decided, L::Error> {
        let head = ledger.head()?;
        let now = match self.clock(&head, moment.now) {
            Ok(now) => now,
            Err(refusal) => return Ok(self.refused(refusal, moment.now)),
        };
        // Entries follow each other in time, also while the clock is being adjusted.
        moment.now = now;
        let seen = self.seen(moment.keys);
        if let Some(seen) = &seen
            && !is_prefix(ledger, seen, head.size)?
        {
            // Nothing is appended: it would be a fork of what was signed before.
            ledger.freeze()?;
            return Ok(self.refused(Refusal::Frozen, now));
        }
        if let Some(who) = self.request.head.who
            && ledger.is_blocked(who)?
        {
            self.log_blocked(ledger, &mut moment)?;
            return Ok(self.refused(Refusal::Blocked, now));
        }
        let decided = self.items(ledger, &mut moment)?;
        let seen = seen.map(|seen| seen.size);
        Ok(Decided::items(&self.request, now, decided, seen))
    }

    fn refused(&self, refusal: Refusal, now: Time) -> Decided {
        Decided::refused(&self.request, now, refusal)
    }

    /// The time that counts, unless the gate may not answer or one of the two clocks is wrong.
    fn clock(&self, head: &LogHead, now: Time) -> Result<Time, Refusal> {
        if head.is_frozen {
            return Err(Refusal::Frozen);
        }
        let last = head.at.unwrap_or(now);
        if now.unix() + BACK_SECONDS_MAX < last.unix() {
            return Err(Refusal::Clock);
        }
        let asked = self.request.head.told.unwrap_or(self.request.head.at);
        match asked.unix().abs_diff(now.unix()) <= FRESH_SECONDS {
            true => Ok(now.max(last)),
            false => Err(Refusal::Clock),
        }
    }

    /// What the asker has seen of this log, if this gate signed it.
    fn seen(&self, keys: &GateKeys) -> Option<Checkpoint> {
        keys.own_checkpoint(self.request.seen.as_deref()?)
    }

    fn log_blocked<L: Ledger>(
        &self,
        ledger: &mut L,
        moment: &mut Moment<'_>,
    ) -> Result<(), L::Error> {
        let who = self.request.head.who;
        let key = OutcomeKey {
            request: self.request.hash,
            item: None,
            outcome: Outcome::Refused(Refusal::Blocked),
        };
        if ledger.outcome(&key)?.is_some() || !(moment.may_log)(who) {
            return Ok(());
        }
        let entry = Entry {
            who,
            request: Some(key.request),
            reason: Some(Refusal::Blocked),
            ..moment.entry(EntryOp::Refuse)
        };
        let seq = ledger.append(entry)?;
        ledger.keep_outcome(&key, seq, &self.request)
    }

    fn items<L: Ledger>(
        &self,
        ledger: &mut L,
        moment: &mut Moment<'_>,
    ) -> Result<Vec<DecidedItem>, L::Error> {
        let authors = ledger.blocked_authors()?;
        let mut room = super::pages::BYTES_MAX;
        let numbered = (0_u16..).zip(&self.items);
        numbered
            .map(|(number, item)| {
                let mut place = items::Place {
                    request: &self.request,
                    number,
                    authors: &authors,
                    room: &mut room,
                };
                items::decide(item, &mut place, ledger, moment)
            })
            .collect()
    }
}

/// Whether the log which somebody has seen is the beginning of this one.
fn is_prefix<L: Ledger>(ledger: &L, seen: &Checkpoint, size: u64) -> Result<bool, L::Error> {
    Ok(seen.size <= size && root(ledger, seen.size)? == seen.root)
}
