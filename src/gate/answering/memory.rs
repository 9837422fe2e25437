//! A ledger in memory, for the tests beside the code.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;

use super::*;
use crate::crypto::signing::RootId;
use crate::envelope::Ticket;
use crate::gate::log::{Hash, Nodes, Store, added_nodes, leaf_hash};
use crate::gate::protocol::{Entry, Request, SignedStatement};
use crate::gate::rules::{Refusal, Statement, TicketFull, TicketState};
use crate::time::Time;

#[derive(Default)]
pub(super) struct Memory {
    nodes: HashMap<(u32, u64), Hash>,
    pub(super) lines: Vec<Option<Vec<u8>>>,
    at: Option<Time>,
    pub(super) is_frozen: bool,
    pub(super) blocked: BTreeSet<RootId>,
    pub(super) authors: Vec<RootId>,
    tickets: BTreeMap<Ticket, (u64, TicketState)>,
    outcomes: BTreeMap<OutcomeKey, u64>,
    requests: HashMap<Hash, (Vec<u8>, Vec<u8>)>,
    statements: Vec<(SignedStatement, u64)>,
}

impl Nodes for Memory {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.nodes[&(level, index)])
    }
}

impl Memory {
    pub(super) fn size(&self) -> u64 {
        self.lines.len() as u64
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let lines = self.lines.iter().flatten();
        lines.map(|line| Entry::parse(line).unwrap()).collect()
    }

    fn keep_request(&mut self, request: &Request) {
        let kept = (request.head_bytes.clone(), request.signatures.to_bytes());
        self.requests.insert(request.hash, kept);
    }
}

impl Ledger for Memory {
    fn head(&self) -> Result<LogHead, Infallible> {
        Ok(LogHead {
            size: self.size(),
            at: self.at,
            is_frozen: self.is_frozen,
        })
    }

    fn is_blocked(&self, who: RootId) -> Result<bool, Infallible> {
        Ok(self.blocked.contains(&who))
    }

    fn blocked_authors(&self) -> Result<Vec<RootId>, Infallible> {
        Ok(self.authors.clone())
    }

    fn state(&self, ticket: Ticket, _: Option<RootId>) -> Result<TicketState, Infallible> {
        let known = self.tickets.get(&ticket);
        Ok(known.map(|(_, state)| state.clone()).unwrap_or_default())
    }

    fn reason(
        &self,
        ticket: Ticket,
        refusal: Refusal,
        who: Option<RootId>,
    ) -> Result<Option<Vec<u8>>, Infallible> {
        let is_reason = |one: &SignedStatement| match (refusal, one.op()) {
            (Refusal::Revoked, Statement::Revoke) | (Refusal::Expired, Statement::Expire(_)) => {
                true
            }
            (Refusal::Denied, Statement::Deny(denied)) => Some(denied) == who,
            _ => false,
        };
        let all = self.statements.iter().map(|(one, _)| one);
        let mut fitting = all.filter(|one| one.ticket() == ticket && is_reason(one));
        Ok(fitting.next().map(SignedStatement::to_bytes))
    }

    fn outcome(&self, key: &OutcomeKey) -> Result<Option<u64>, Infallible> {
        Ok(self.outcomes.get(key).copied())
    }

    fn stated(&self, statement: &Hash) -> Result<Option<u64>, Infallible> {
        let mut all = self.statements.iter();
        let found = all.find(|(one, _)| one.hash() == *statement);
        Ok(found.map(|(_, seq)| *seq))
    }

    fn line(&self, seq: u64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.lines[usize::try_from(seq).unwrap()].clone())
    }

    fn page(&self, ticket: Ticket, from: u64, max: usize) -> Result<Vec<Row>, Infallible> {
        let entries = self.entries().into_iter();
        let of_ticket = entries.filter(|entry| entry.ticket == Some(ticket));
        let rows = of_ticket
            .filter(|entry| entry.n >= Some(from))
            .map(|entry| {
                let statement = |(one, seq): &(SignedStatement, u64)| {
                    (*seq == entry.seq).then(|| one.to_bytes())
                };
                Row {
                    seq: entry.seq,
                    n: entry.n.unwrap(),
                    leaf: leaf_hash(&entry.to_line()),
                    line: Some(entry.to_line()),
                    request: entry
                        .request
                        .and_then(|hash| self.requests.get(&hash).cloned()),
                    statement: self.statements.iter().find_map(statement),
                }
            });
        Ok(rows.take(max).collect())
    }

    fn append(&mut self, mut entry: Entry) -> Result<u64, Infallible> {
        entry.seq = self.size();
        if let Some(ticket) = entry.ticket {
            let (count, _) = self.tickets.entry(ticket).or_default();
            *count += 1;
            entry.n = Some(*count);
        }
        let line = entry.to_line();
        let Ok(added) = added_nodes(self, entry.seq, leaf_hash(&line));
        for Store { level, index, hash } in added {
            self.nodes.insert((level, index), hash);
        }
        self.lines.push(Some(line));
        self.at = Some(entry.at);
        Ok(entry.seq)
    }

    fn keep_outcome(
        &mut self,
        key: &OutcomeKey,
        seq: u64,
        request: &Request,
    ) -> Result<(), Infallible> {
        self.outcomes.insert(*key, seq);
        self.keep_request(request);
        Ok(())
    }

    fn state_statement(
        &mut self,
        one: &SignedStatement,
    ) -> Result<Result<(), TicketFull>, Infallible> {
        let (_, state) = self.tickets.entry(one.ticket()).or_default();
        Ok(state.add(one.op()).map(|_| ()))
    }

    fn keep_statement(
        &mut self,
        one: &SignedStatement,
        seq: u64,
        request: &Request,
    ) -> Result<(), Infallible> {
        self.statements.push((one.clone(), seq));
        self.keep_request(request);
        Ok(())
    }

    fn freeze(&mut self) -> Result<(), Infallible> {
        self.is_frozen = true;
        Ok(())
    }
}
