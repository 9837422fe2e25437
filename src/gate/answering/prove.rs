//! What was decided becomes an answer: with the proofs that its entries are in the log.

use super::items::DecidedItem;
use super::{Ledger, pages};
use crate::gate::log::{Hash, consistency_proof, inclusion_proof};
use crate::gate::protocol::{Answer, ItemAnswer, LoggedEntry, Request, Said};
use crate::gate::rules::Refusal;
use crate::time::Time;

/// What was decided about a request. It becomes an answer when the size of the log is known.
pub struct Decided {
    request: Hash,
    at: Time,
    said: DecidedSaid,
}

enum DecidedSaid {
    Refused(Refusal),
    Items {
        items: Vec<DecidedItem>,
        seen: Option<u64>,
    },
}

impl Decided {
    /// The whole request is refused, of which nothing has to be looked at.
    #[must_use]
    pub fn refused(request: &Request, at: Time, refusal: Refusal) -> Self {
        Self {
            request: request.hash,
            at,
            said: DecidedSaid::Refused(refusal),
        }
    }

    pub(super) fn items(
        request: &Request,
        at: Time,
        items: Vec<DecidedItem>,
        seen: Option<u64>,
    ) -> Self {
        Self {
            request: request.hash,
            at,
            said: DecidedSaid::Items { items, seen },
        }
    }

    /// The answer, with proofs in the log of this size and the checkpoint of it.
    ///
    /// # Errors
    /// Those of the storage.
    pub fn answer<L: Ledger>(
        self,
        ledger: &L,
        size: u64,
        checkpoint: &str,
    ) -> Result<Answer, L::Error> {
        let said = match self.said {
            DecidedSaid::Refused(refusal) => Said::Refused(refusal),
            DecidedSaid::Items { items, seen } => {
                let items = items.into_iter().map(|item| answer(item, ledger, size));
                let consistency = seen.map(|seen| consistency_proof(ledger, seen, size));
                Said::Items {
                    items: items.collect::<Result<_, _>>()?,
                    checkpoint: checkpoint.as_bytes().to_vec(),
                    consistency: consistency.transpose()?.unwrap_or_default(),
                }
            }
        };
        Ok(Answer {
            request: self.request,
            at: self.at,
            said,
        })
    }
}

fn answer<L: Ledger>(item: DecidedItem, ledger: &L, size: u64) -> Result<ItemAnswer, L::Error> {
    let logged = |seq: u64| -> Result<Option<LoggedEntry>, L::Error> {
        // An entry that was erased in the meantime is not shown; nobody asks for it a second time after an hour.
        let Some(line) = ledger.line(seq)? else {
            return Ok(None);
        };
        let proof = inclusion_proof(ledger, seq, size)?;
        Ok(Some(LoggedEntry { line, proof }))
    };
    Ok(match item {
        DecidedItem::Refused {
            reason,
            statement,
            entry,
        } => ItemAnswer::Refused {
            reason,
            statement,
            entry: entry.map(logged).transpose()?.flatten(),
        },
        DecidedItem::Share { part, keep, entry } => match logged(entry)? {
            Some(entry) => ItemAnswer::Share { part, keep, entry },
            None => ItemAnswer::refused(Refusal::Broken),
        },
        DecidedItem::Stated(entry) => match logged(entry)? {
            Some(entry) => ItemAnswer::Stated(entry),
            None => ItemAnswer::refused(Refusal::Broken),
        },
        DecidedItem::Log { rows, more } => ItemAnswer::Log(pages::page(ledger, &rows, more, size)?),
    })
}
