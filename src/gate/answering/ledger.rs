//! What a gate has to remember, as the checks see it: one transaction, which sees all that was committed before.

use crate::crypto::signing::RootId;
use crate::envelope::Ticket;
use crate::gate::log::{Hash, Nodes};
use crate::gate::protocol::{Entry, Request, SignedStatement};
use crate::gate::rules::{Refusal, TicketFull, TicketState};
use crate::time::Time;

/// The state of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// How many entries it has.
    pub size: u64,
    /// When the last one was made.
    pub at: Option<Time>,
    /// Whether nobody is answered.
    pub is_frozen: bool,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Its part was given out.
    Open,
    /// It was refused.
    Refused(Refusal),
}

impl Outcome {
    /// A word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Refused(refusal) => refusal.word(),
        }
    }
}

/// For each of these there is one entry, however often the request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutcomeKey {
    /// The request.
    pub request: Hash,
    /// The item; `None` when the whole request was refused.
    pub item: Option<u16>,
    /// What became of it.
    pub outcome: Outcome,
}

/// An entry of a ticket, with what is kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number in the log.
    pub seq: u64,
    /// Its number among the ticket's entries.
    pub n: u64,
    /// The hash of the leaf.
    pub leaf: Hash,
    /// The line; `None` if it was erased.
    pub line: Option<Vec<u8>>,
    /// The head and the signatures of the request.
    pub request: Option<(Vec<u8>, Vec<u8>)>,
    /// The statement that the entry is about, if it was taken over there.
    pub statement: Option<Vec<u8>>,
}

/// One transaction over all that a gate remembers.
///
/// Whoever implements this sees to it that transactions follow each other, and that nothing is remembered of one that failed.
pub trait Ledger: Nodes {
    /// The state of the log.
    ///
    /// # Errors
    /// Those of the storage.
    fn head(&self) -> Result<LogHead, Self::Error>;

    /// Whether the operator blocked somebody.
    ///
    /// # Errors
    /// Those of the storage.
    fn is_blocked(&self, who: RootId) -> Result<bool, Self::Error>;

    /// The authors all of whose envelopes are blocked.
    ///
    /// # Errors
    /// Those of the storage.
    fn blocked_authors(&self) -> Result<Vec<RootId>, Self::Error>;

    /// The state of a ticket; of the people only this one.
    ///
    /// # Errors
    /// Those of the storage.
    fn state(&self, ticket: Ticket, who: Option<RootId>) -> Result<TicketState, Self::Error>;

    /// The statement because of which somebody is refused, if one is the reason.
    ///
    /// # Errors
    /// Those of the storage.
    fn reason(
        &self,
        ticket: Ticket,
        refusal: Refusal,
        who: Option<RootId>,
    ) -> Result<Option<Vec<u8>>, Self::Error>;

    /// The entry for this outcome.
    ///
    /// # Errors
    /// Those of the storage.
    fn outcome(&self, key: &OutcomeKey) -> Result<Option<u64>, Self::Error>;

    /// The entry with which a statement was taken over.
    ///
    /// # Errors
    /// Those of the storage.
    fn stated(&self, statement: &Hash) -> Result<Option<u64>, Self::Error>;

    /// The line of an entry; `None` if it was erased.
    ///
    /// # Errors
    /// Those of the storage.
    fn line(&self, seq: u64) -> Result<Option<Vec<u8>>, Self::Error>;

    /// At most `max` entries of a ticket, those with the lowest numbers from `from` on.
    ///
    /// # Errors
    /// Those of the storage.
    fn page(&self, ticket: Ticket, from: u64, max: usize) -> Result<Vec<Row>, Self::Error>;

    /// Appends an entry, to which it gives its numbers in the log and among those of the ticket.
    ///
    /// # Errors
    /// Those of the storage.
    fn append(&mut self, entry: Entry) -> Result<u64, Self::Error>;

    /// Remembers the entry for an outcome, and what the request was.
    ///
    /// # Errors
    /// Those of the storage.
    fn keep_outcome(
        &mut self,
        key: &OutcomeKey,
        seq: u64,
        request: &Request,
    ) -> Result<(), Self::Error>;

    /// Adds a statement to the state of its ticket.
    ///
    /// # Errors
    /// Those of the storage; inside, that there is no more room.
    fn state_statement(
        &mut self,
        statement: &SignedStatement,
    ) -> Result<Result<(), TicketFull>, Self::Error>;

    /// Remembers a statement, the entry for it, and the request that carried it.
    ///
    /// # Errors
    /// Those of the storage.
    fn keep_statement(
        &mut self,
        statement: &SignedStatement,
        seq: u64,
        request: &Request,
    ) -> Result<(), Self::Error>;

    /// Answers nobody from now on.
    ///
    /// # Errors
    /// Those of the storage.
    fn freeze(&mut self) -> Result<(), Self::Error>;
}
