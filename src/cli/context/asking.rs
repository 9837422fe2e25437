//! Whether gates are asked in this run, and what they answered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use encl::envelope::{GateParts, Ticket};
use encl::gate::client::Receipt;

/// Which envelopes gates are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum AskPolicy {
    /// For none.
    Never,
    /// Only where each owner is known here: owners learn of every asking.
    #[default]
    KnownOwners,
    /// For all that are opened: somebody named them.
    Always,
}

/// How gates are asked in this run.
#[derive(Default)]
pub(crate) struct Asking {
    pub(crate) policy: AskPolicy,
    /// Whether they are asked without a name.
    pub(crate) is_unnamed: bool,
    /// What was answered: an envelope that is read twice in a run is asked for once, and logged once.
    answers: Mutex<HashMap<Ticket, GateParts>>,
    /// That it was answered.
    receipts: Mutex<HashMap<Ticket, Vec<Receipt>>>,
}

impl Asking {
    /// What the gates of an envelope answered before in this run, if that is enough.
    pub(crate) fn answer(&self, ticket: Ticket, missing: u8) -> Option<GateParts> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = answers.get(&ticket)?;
        (parts.len() >= usize::from(missing)).then(|| parts.clone())
    }

    /// Keeps an answer until the end of the run.
    pub(crate) fn keep(&self, ticket: Ticket, parts: &GateParts, receipts: Vec<Receipt>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(ticket, parts.clone());
        let mut all = self.receipts.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(ticket, receipts);
    }

    /// All receipts of this run, each with the envelope's ticket.
    pub(crate) fn receipts(&self) -> Vec<(Ticket, Receipt)> {
        let all = self.receipts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = |(ticket, receipts): (&Ticket, &Vec<Receipt>)| {
            let receipts = receipts.iter();
            let receipts = receipts.map(|one| (*ticket, one.clone()));
            receipts.collect::<Vec<_>>()
        };
        all.iter().flat_map(of_one).collect()
    }
}
