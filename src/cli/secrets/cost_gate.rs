//! How much memory passphrases of others may take: who seals an envelope decides that, and who opens it pays.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use encl::crypto::passphrase::Cost;

use crate::cli::errors::{Exit, Failure};
use crate::cli::terminal;
use crate::cli::terminal::prompt::Prompt;

/// Asks once in a run.
pub(crate) struct CostGate {
    /// `--cost-max`: nothing is asked.
    max: Option<Cost>,
    no_input: bool,
    /// How many envelopes were named.
    inputs: AtomicUsize,
    answer: Mutex<Option<bool>>,
}

impl CostGate {
    pub(crate) fn new(max: Option<Cost>, no_input: bool) -> Self {
        Self {
            max,
            no_input,
            inputs: AtomicUsize::new(1),
            answer: Mutex::default(),
        }
    }

    /// So many envelopes were named on the command line.
    pub(crate) fn expect(&self, inputs: usize) {
        self.inputs.store(inputs, Ordering::Relaxed);
    }

    /// Lets pass what costs no more than what encl itself writes, and more only after a yes. `what` is what the passphrase opens.
    pub(crate) fn allow(&self, cost: Cost, what: &str) -> Result<(), Failure> {
        if cost <= self.max.unwrap_or(Cost::DEFAULT) {
            return Ok(());
        }
        let failure = || {
            let needed = cost.log2_kib();
            Failure::new(Exit::Locked, format!("cannot try the passphrase of {what}"))
                .reason(format!("that takes {} MiB of memory", mebibytes(cost)))
                .hint(format!("--cost-max {needed} allows it"))
        };
        if self.max.is_some() || self.no_input {
            return Err(failure());
        }
        // Others wait for the answer.
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let is_allowed = if let Some(answer) = *answer {
            answer
        } else {
            let _screen = terminal::screen();
            let asked =
                Prompt::open().and_then(|mut prompt| prompt.yes(&self.question(cost, what)));
            *answer.insert(asked.map_err(|error| failure().caused_by(&error))?)
        };
        match is_allowed {
            true => Ok(()),
            false => Err(failure().reason("the answer was no")),
        }
    }

    fn question(&self, cost: Cost, what: &str) -> String {
        let memory = mebibytes(cost);
        match self.inputs.load(Ordering::Relaxed) {
            0 | 1 => {
                format!("To try the passphrase of {what} takes {memory} MiB of memory. Go on?")
            }
            inputs => format!(
                "To try the passphrase of {what} takes {memory} MiB of memory, and each of the {inputs} inputs may take up to 1024 MiB, one \
                 after the other. Go on?"
            ),
        }
    }
}

fn mebibytes(cost: Cost) -> u32 {
    cost.memory_kib() / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_more_needs_leave() {
        let cost = |cost| Cost::new(cost).unwrap();
        let silent = CostGate::new(None, true);
        assert!(silent.allow(Cost::DEFAULT, "it").is_ok());
        assert_eq!(
            silent.allow(cost(17), "it").err().unwrap().exit,
            Exit::Locked
        );
        let allowed = CostGate::new(Some(cost(18)), true);
        assert!(allowed.allow(cost(18), "it").is_ok() && allowed.allow(cost(19), "it").is_err());
    }
}
