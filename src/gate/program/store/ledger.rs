//! The ledger of the library's checks, on one transaction of the database.

use encl::crypto::signing::RootId;
use encl::envelope::Ticket;
use encl::gate::answering::{Ledger, LogHead, OutcomeKey, Row};
use encl::gate::log::{Hash, Nodes, added_nodes, leaf_hash};
use encl::gate::protocol::{Entry, Request, SignedStatement};
use encl::gate::rules::{Refusal, TicketFull, TicketState};
use rusqlite::{OptionalExtension as _, params};

use super::Tx;

/// How the entry of a whole request is found among those of its items.
const WHOLE_REQUEST: i32 = -1;

impl Nodes for Tx<'_> {
    type Error = rusqlite::Error;

    fn node(&self, level: u32, index: u64) -> rusqlite::Result<Hash> {
        if level == 0 {
            let sql = "SELECT leaf FROM entry WHERE seq = ?1";
            return self
                .transaction
                .prepare_cached(sql)?
                .query_row([index], |row| row.get(0));
        }
        let sql = "SELECT hash FROM node WHERE level = ?1 AND i = ?2";
        let mut found = self.transaction.prepare_cached(sql)?;
        found.query_row(params![level, index], |row| row.get(0))
    }
}

impl Ledger for Tx<'_> {
    fn head(&self) -> rusqlite::Result<LogHead> {
        Ok(self.head)
    }

    fn is_blocked(&self, who: RootId) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM block WHERE who = ?1";
        self.transaction.prepare_cached(sql)?.exists([who.0])
    }

    fn blocked_authors(&self) -> rusqlite::Result<Vec<RootId>> {
        let sql = "SELECT who FROM block WHERE why = 'sealed'";
        let mut found = self.transaction.prepare_cached(sql)?;
        let authors = found.query_map([], |row| row.get(0).map(RootId))?;
        authors.collect()
    }

    fn state(&self, ticket: Ticket, who: Option<RootId>) -> rusqlite::Result<TicketState> {
        self.ticket_state(ticket, who)
    }

    fn reason(
        &self,
        ticket: Ticket,
        refusal: Refusal,
        who: Option<RootId>,
    ) -> rusqlite::Result<Option<Vec<u8>>> {
        self.statement_for(ticket, refusal, who)
    }

    fn outcome(&self, key: &OutcomeKey) -> rusqlite::Result<Option<u64>> {
        let sql = "SELECT o.seq FROM request r JOIN outcome o ON o.request = r.id \
                   WHERE r.hash = ?1 AND o.item = ?2 AND o.result = ?3";
        let mut found = self.transaction.prepare_cached(sql)?;
        let values = params![key.request, item(key), key.outcome.word()];
        found.query_row(values, |row| row.get(0)).optional()
    }

    fn stated(&self, statement: &Hash) -> rusqlite::Result<Option<u64>> {
        let sql = "SELECT seq FROM statement WHERE hash = ?1";
        let mut found = self.transaction.prepare_cached(sql)?;
        let seq = found.query_row([statement], |row| row.get(0)).optional()?;
        Ok(seq.flatten())
    }

    fn line(&self, seq: u64) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "SELECT body FROM entry WHERE seq = ?1";
        self.transaction
            .prepare_cached(sql)?
            .query_row([seq], |row| row.get(0))
    }

    fn page(&self, ticket: Ticket, from: u64, max: usize) -> rusqlite::Result<Vec<Row>> {
        let sql = "SELECT e.seq, e.n, e.leaf, e.body, s.body FROM ticket t JOIN entry e ON e.ticket = t.id \
                   LEFT JOIN statement s ON s.seq = e.seq AND s.ticket = t.ticket \
                   WHERE t.ticket = ?1 AND e.n >= ?2 ORDER BY e.n LIMIT ?3";
        let mut found = self.transaction.prepare_cached(sql)?;
        let rows = found.query_map(params![ticket.0, from, max], |row| {
            Ok(Row {
                seq: row.get(0)?,
                n: row.get(1)?,
                leaf: row.get(2)?,
                line: row.get(3)?,
                request: None,
                statement: row.get(4)?,
            })
        })?;
        rows.map(|row| self.with_request(row?)).collect()
    }

    fn append(&mut self, mut entry: Entry) -> rusqlite::Result<u64> {
        entry.seq = self.head.size;
        let mut id: Option<u64> = None;
        if let Some(ticket) = entry.ticket {
            let sql = "INSERT INTO ticket VALUES (NULL, ?1, 1, 0, NULL) \
                       ON CONFLICT (ticket) DO UPDATE SET n = n + 1 RETURNING id, n";
            let mut counted = self.transaction.prepare_cached(sql)?;
            let (row, n) = counted.query_row([ticket.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            (id, entry.n) = (Some(row), Some(n));
        }
        let line = entry.to_line();
        let leaf = leaf_hash(&line);
        let sql = "INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![entry.seq, leaf, line, id, entry.n];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        for added in added_nodes(self, entry.seq, leaf)? {
            if added.level > 0 {
                let sql = "INSERT INTO node VALUES (?1, ?2, ?3)";
                let values = params![added.level, added.index, added.hash];
                self.transaction.prepare_cached(sql)?.execute(values)?;
            }
        }
        self.head.size += 1;
        self.head.at = Some(entry.at);
        Ok(entry.seq)
    }

    fn keep_outcome(
        &mut self,
        key: &OutcomeKey,
        seq: u64,
        request: &Request,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO outcome VALUES (?1, ?2, ?3, ?4)";
        let values = params![
            self.keep_request(request)?,
            item(key),
            key.outcome.word(),
            seq
        ];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn state_statement(
        &mut self,
        statement: &SignedStatement,
    ) -> rusqlite::Result<Result<(), TicketFull>> {
        self.add_statement(statement)
    }

    fn keep_statement(
        &mut self,
        statement: &SignedStatement,
        seq: u64,
        request: &Request,
    ) -> rusqlite::Result<()> {
        self.keep_statement_row(statement, seq)?;
        self.keep_request(request).map(|_| ())
    }

    fn freeze(&mut self) -> rusqlite::Result<()> {
        self.set_lost(
            "somebody who asked has a checkpoint of this gate that the log does not continue",
        )
    }
}

fn item(key: &OutcomeKey) -> i32 {
    key.item.map_or(WHOLE_REQUEST, i32::from)
}

impl Tx<'_> {
    /// Keeps what a request was, and gives its number in the database.
    fn keep_request(&mut self, request: &Request) -> rusqlite::Result<u64> {
        let sql = "INSERT INTO request VALUES (NULL, ?1, ?2, ?3) \
                   ON CONFLICT (hash) DO UPDATE SET hash = hash RETURNING id";
        let signatures = request.signatures.to_bytes();
        let values = params![request.hash, request.head_bytes, signatures];
        let mut kept = self.transaction.prepare_cached(sql)?;
        kept.query_row(values, |row| row.get(0))
    }

    /// A row with the head and the signatures of the request that it is about.
    fn with_request(&self, row: Row) -> rusqlite::Result<Row> {
        let entry = row.line.as_deref().and_then(|line| Entry::parse(line).ok());
        let Some(hash) = entry.and_then(|entry| entry.request) else {
            return Ok(row);
        };
        let sql = "SELECT head, sigs FROM request WHERE hash = ?1";
        let mut found = self.transaction.prepare_cached(sql)?;
        let request = found.query_row([hash], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(Row {
            request: request.optional()?,
            ..row
        })
    }
}
