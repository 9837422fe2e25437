//! What statements say of tickets and people, in the database.

use encl::crypto::signing::RootId;
use encl::envelope::Ticket;
use encl::gate::protocol::SignedStatement;
use encl::gate::rules::{PEOPLE_MAX, Refusal, Statement, TicketFull, TicketState};
use encl::time::Time;
use rusqlite::{OptionalExtension as _, params};

use super::Tx;

impl Tx<'_> {
    /// The state of a ticket; of its people only this one.
    pub(super) fn ticket_state(
        &self,
        ticket: Ticket,
        who: Option<RootId>,
    ) -> rusqlite::Result<TicketState> {
        let sql = "SELECT revoked, until FROM ticket WHERE ticket = ?1";
        let mut found = self.transaction.prepare_cached(sql)?;
        let known = found.query_row([ticket.0], |row| {
            let until: Option<u64> = row.get(1)?;
            Ok((row.get(0)?, until))
        });
        let Some((revoked, until)) = known.optional()? else {
            return Ok(TicketState::default());
        };
        let mut state = TicketState {
            revoked,
            until: until.and_then(Time::from_unix),
            ..TicketState::default()
        };
        let Some(who) = who else {
            return Ok(state);
        };
        let sql = "SELECT allowed, denied FROM person WHERE ticket = ?1 AND who = ?2";
        let mut found = self.transaction.prepare_cached(sql)?;
        let person = found.query_row(params![ticket.0, who.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        });
        let (is_allowed, is_denied) = person.optional()?.unwrap_or_default();
        state.allowed.extend(Some(who).filter(|_| is_allowed));
        state.denied.extend(Some(who).filter(|_| is_denied));
        Ok(state)
    }

    /// Adds a statement to the state of its ticket.
    pub(super) fn add_statement(
        &mut self,
        statement: &SignedStatement,
    ) -> rusqlite::Result<Result<(), TicketFull>> {
        let ticket = statement.ticket();
        let sql = "INSERT OR IGNORE INTO ticket VALUES (NULL, ?1, 0, 0, NULL)";
        self.transaction.prepare_cached(sql)?.execute([ticket.0])?;
        match statement.op() {
            Statement::Revoke => {
                let sql = "UPDATE ticket SET revoked = 1 WHERE ticket = ?1";
                self.transaction.prepare_cached(sql)?.execute([ticket.0])?;
            }
            Statement::Expire(until) => {
                let sql =
                    "UPDATE ticket SET until = min(coalesce(until, ?2), ?2) WHERE ticket = ?1";
                let values = params![ticket.0, until.unix()];
                self.transaction.prepare_cached(sql)?.execute(values)?;
            }
            Statement::Deny(who) => return self.add_person(ticket, who, Column::Denied),
            Statement::Allow(who) => return self.add_person(ticket, who, Column::Allowed),
        }
        Ok(Ok(()))
    }

    fn add_person(
        &mut self,
        ticket: Ticket,
        who: RootId,
        column: Column,
    ) -> rusqlite::Result<Result<(), TicketFull>> {
        let mut known = self.transaction.prepare_cached(column.known())?;
        if known.exists(params![ticket.0, who.0])? {
            return Ok(Ok(()));
        }
        let mut count = self.transaction.prepare_cached(column.count())?;
        let count: usize = count.query_row([ticket.0], |row| row.get(0))?;
        if count >= PEOPLE_MAX {
            return Ok(Err(TicketFull));
        }
        let mut add = self.transaction.prepare_cached(column.add())?;
        add.execute(params![ticket.0, who.0])?;
        Ok(Ok(()))
    }

    /// Remembers a statement and its entry.
    pub(super) fn keep_statement_row(
        &mut self,
        statement: &SignedStatement,
        seq: u64,
    ) -> rusqlite::Result<()> {
        let (op, who, until) = match statement.op() {
            Statement::Revoke => ("revoke", None, None),
            Statement::Expire(until) => ("expire", None, Some(until.unix())),
            Statement::Deny(who) => ("deny", Some(who.0), None),
            Statement::Allow(who) => ("allow", Some(who.0), None),
        };
        let sql = "INSERT OR REPLACE INTO statement VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let (hash, body) = (statement.hash(), statement.to_bytes());
        let values = params![hash, statement.ticket().0, op, who, until, body, seq];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// The statement because of which somebody is refused: the first one, or for dates the earliest.
    pub(super) fn statement_for(
        &self,
        ticket: Ticket,
        refusal: Refusal,
        who: Option<RootId>,
    ) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = match refusal {
            Refusal::Revoked => {
                "SELECT body FROM statement WHERE ticket = ?1 AND op = 'revoke' AND ?2 IS ?2 ORDER BY rowid LIMIT 1"
            }
            Refusal::Denied => {
                "SELECT body FROM statement WHERE ticket = ?1 AND op = 'deny' AND who = ?2 ORDER BY rowid LIMIT 1"
            }
            Refusal::Expired => {
                "SELECT body FROM statement WHERE ticket = ?1 AND op = 'expire' AND ?2 IS ?2 ORDER BY until, rowid LIMIT 1"
            }
            _ => return Ok(None),
        };
        let mut found = self.transaction.prepare_cached(sql)?;
        let values = params![ticket.0, who.map(|who| who.0)];
        found.query_row(values, |row| row.get(0)).optional()
    }
}

/// Which people of a ticket.
#[derive(Clone, Copy)]
enum Column {
    Allowed,
    Denied,
}

impl Column {
    fn known(self) -> &'static str {
        match self {
            Self::Allowed => "SELECT 1 FROM person WHERE ticket = ?1 AND who = ?2 AND allowed",
            Self::Denied => "SELECT 1 FROM person WHERE ticket = ?1 AND who = ?2 AND denied",
        }
    }

    fn count(self) -> &'static str {
        match self {
            Self::Allowed => "SELECT count(*) FROM person WHERE ticket = ?1 AND allowed",
            Self::Denied => "SELECT count(*) FROM person WHERE ticket = ?1 AND denied",
        }
    }

    fn add(self) -> &'static str {
        match self {
            Self::Allowed => {
                "INSERT INTO person VALUES (?1, ?2, 1, 0) ON CONFLICT (ticket, who) DO UPDATE SET allowed = 1"
            }
            Self::Denied => {
                "INSERT INTO person VALUES (?1, ?2, 0, 1) ON CONFLICT (ticket, who) DO UPDATE SET denied = 1"
            }
        }
    }
}
