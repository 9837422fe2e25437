//! The gates of an envelope asked for their parts of its secret.

use super::notices::why;
use super::{Deceit, GateRefused, Gates, Unreached};
use crate::crypto::CryptoRng;
use crate::crypto::signing::SigningKey;
use crate::envelope::{GateParts, GateQuestion};
use crate::gate::client::{NoReply, Question, Receipt, Reply, Wanted};
use crate::keystore::{GateContact, KeystoreError};
use crate::time::Time;

/// So many envelopes are asked for at once: as many as one request holds.
const TOGETHER: usize = 256;

/// What the gates gave.
#[derive(Debug, Default)]
pub struct Asked {
    /// Their parts, each with the position of its gate: as many as were missing.
    pub parts: GateParts,
    /// That they were given out.
    pub receipts: Vec<Receipt>,
    /// Until when all of them may be kept, if that was asked and is allowed.
    pub keep: Option<Time>,
}

/// Why the gates did not give enough, the first that applies.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// A gate refused; an owner's statement comes before the word of a gate.
    #[error("{} refused: {}", .0.gate, .0.reason.word())]
    Refused(Box<GateRefused>),
    /// A gate lied, and too few others answered.
    #[error("{}: {}", .0.gate, .0.what)]
    Forged(Box<Deceit>),
    /// Too few gates could be asked.
    #[error("too few gates answered")]
    Unreachable(Vec<Unreached>),
    /// None of the gates is a contact.
    #[error("none of the gates is among the contacts")]
    Nobody,
    /// What is to be kept of them cannot be stored, so nothing is used.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
}

impl Gates<'_> {
    /// Asks the gates of an envelope for the parts that are missing. `me` signs; without it the gates are asked without a name.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn ask(
        &self,
        question: &GateQuestion<'_>,
        me: Option<&SigningKey>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Asked, AskError> {
        let mut asked = self.ask_together(std::slice::from_ref(question), me, rng);
        asked.pop().expect("one question has one answer")
    }

    /// Asks for many envelopes at once, and gives an answer for each in their order.
    pub fn ask_all(
        &self,
        questions: &[GateQuestion<'_>],
        me: Option<&SigningKey>,
        rng: &mut dyn CryptoRng,
    ) -> Vec<Result<Asked, AskError>> {
        let mut all = Vec::with_capacity(questions.len());
        for some in questions.chunks(TOGETHER) {
            all.extend(self.ask_together(some, me, rng));
        }
        all
    }

    fn ask_together(
        &self,
        questions: &[GateQuestion<'_>],
        me: Option<&SigningKey>,
        rng: &mut dyn CryptoRng,
    ) -> Vec<Result<Asked, AskError>> {
        let is_asked = |gate: &&GateContact| {
            let mut locks = questions.iter().map(|question| question.lock);
            locks.any(|lock| self.of(lock).any(|one| one.card.id() == gate.card.id()))
        };
        let gates: Vec<&GateContact> = self.known.iter().filter(is_asked).collect();
        let wanted: Vec<Question<'_>> = questions.iter().map(of_gates).collect();
        let outcome = match self.ask_some(&wanted, &gates, me, rng) {
            Ok(outcome) => outcome,
            Err(error) => return all_failed(error, questions.len()),
        };
        let answers = outcome.answers.into_iter().zip(questions);
        answers
            .map(|(answers, question)| self.asked(answers, question, &gates))
            .collect()
    }

    /// The parts out of all answers to a question, or the first reason against it.
    fn asked(
        &self,
        answers: Vec<(usize, Result<Reply, NoReply>)>,
        question: &GateQuestion<'_>,
        gates: &[&GateContact],
    ) -> Result<Asked, AskError> {
        let mut asked = Asked::default();
        let mut failures = Vec::new();
        let mut keeps = Vec::new();
        for (number, answer) in answers {
            let gate = gates[number];
            match answer {
                Ok(Reply::Part {
                    gate: position,
                    part,
                    keep,
                    receipt,
                }) => {
                    asked.parts.push((position, part));
                    asked.receipts.push(receipt);
                    keeps.push(keep);
                }
                Ok(_) => {}
                Err(failure) => failures.push((gate, failure)),
            }
        }
        if asked.parts.len() >= usize::from(question.missing) {
            let all: Option<Vec<Time>> = keeps.into_iter().collect();
            asked.keep = all.and_then(|times| times.into_iter().min());
            return Ok(asked);
        }
        Err(self.failed(&failures, question))
    }

    fn failed(
        &self,
        failures: &[(&GateContact, NoReply)],
        question: &GateQuestion<'_>,
    ) -> AskError {
        let refusal = |proven: bool| {
            failures.iter().find_map(|(gate, failure)| match failure {
                NoReply::Refused(refused) if refused.proof.is_some() == proven => {
                    Some(AskError::Refused(Box::new(GateRefused {
                        gate: gate.name.clone(),
                        reason: refused.reason,
                        proof: refused.proof.clone(),
                    })))
                }
                _ => None,
            })
        };
        let lie = || {
            failures.iter().find_map(|(gate, failure)| match failure {
                NoReply::Lied(lie) => Some(AskError::Forged(Box::new(Deceit {
                    gate: gate.name.clone(),
                    what: lie.kind.clone(),
                    evidence: None,
                }))),
                _ => None,
            })
        };
        let first = refusal(true).or_else(lie).or_else(|| refusal(false));
        first.unwrap_or_else(|| {
            let unreached = |(gate, failure): &(&GateContact, NoReply)| Unreached {
                gate: gate.name.clone(),
                why: why(failure),
            };
            match self.may_ask(question.lock) {
                true => AskError::Unreachable(failures.iter().map(unreached).collect()),
                false => AskError::Nobody,
            }
        })
    }
}

fn of_gates<'q>(question: &'q GateQuestion<'_>) -> Question<'q> {
    Question {
        lock: question.lock,
        wanted: Wanted::Open {
            slots: question.slots.clone(),
            holder: question.holder,
            passes: question.passes,
        },
        need: usize::from(question.missing),
    }
}

/// Nothing is used where nothing can be kept: the first question has the reason.
fn all_failed(error: KeystoreError, count: usize) -> Vec<Result<Asked, AskError>> {
    let mut all = vec![Err(AskError::Keystore(error))];
    all.resize_with(count, || Err(AskError::Unreachable(Vec::new())));
    all
}
