//! Approvals that were given, and which of them fit an envelope.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::envelope::{Approval, Manifest, ReaderKey, Unusable};

/// How many envelopes approvals are given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Envelopes {
    /// One: an approval for another envelope is a mistake.
    #[default]
    One,
    /// Several: most approvals are for another one of them.
    Several,
}

/// Called once for each approval that does not fit, with its number from 0 in the order in which they were given.
pub type OnUnusable = Box<dyn Fn(usize, &Unusable) + Send + Sync>;

/// All approvals that were given, in their order.
pub struct Approvals {
    given: Vec<Approval>,
    envelopes: Envelopes,
    on_unusable: OnUnusable,
    reported: Mutex<HashSet<usize>>,
    /// Those that an envelope could use.
    used: Mutex<HashSet<usize>>,
}

impl Approvals {
    /// These approvals.
    #[must_use]
    pub fn new(given: Vec<Approval>, envelopes: Envelopes, on_unusable: OnUnusable) -> Self {
        Self {
            given,
            envelopes,
            on_unusable,
            reported: Mutex::default(),
            used: Mutex::default(),
        }
    }

    /// No approvals.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Vec::new(), Envelopes::One, Box::new(|_, _| {}))
    }

    /// What to open an envelope with: all of them, in their order, since the envelope itself passes over those that do not fit.
    #[must_use]
    pub fn for_envelope(&self, manifest: &Manifest, keys: &[ReaderKey]) -> &[Approval] {
        for (number, approval) in self.given.iter().enumerate() {
            match approval.usable(manifest, keys) {
                Ok(()) => {
                    insert(&self.used, number);
                }
                Err(Unusable::OtherEnvelope(_)) if self.envelopes == Envelopes::Several => {}
                Err(unusable) => self.report(number, &unusable),
            }
        }
        &self.given
    }

    /// Reports the approvals that none of several envelopes could use.
    pub fn report_unused(&self) {
        if self.envelopes == Envelopes::One {
            return;
        }
        for (number, approval) in self.given.iter().enumerate() {
            let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            let is_unused = !used.contains(&number);
            drop(used);
            if is_unused {
                let other = Unusable::OtherEnvelope(approval.envelope());
                self.report(number, &other);
            }
        }
    }

    fn report(&self, number: usize, unusable: &Unusable) {
        if insert(&self.reported, number) {
            (self.on_unusable)(number, unusable);
        }
    }
}

/// Adds a number to the set; whether it is new.
fn insert(set: &Mutex<HashSet<usize>>, number: usize) -> bool {
    let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
    set.insert(number)
}
