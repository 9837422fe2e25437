//! The database: the log, what statements say, blocks. Nothing is cached from one transaction to the next, since the operator's
//! commands are another process on the same file.

mod admin;
mod file;
mod ledger;
mod peers;
mod people;
mod writer;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use encl::crypto::signing::SigningKey;
use encl::gate::answering::{GateKeys, LogHead};
use encl::gate::log::{Checkpoint, root};
use encl::time::Time;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

pub(crate) use admin::{Block, NOT_CONTINUED, rng};
pub(crate) use peers::{Cosigned, LastSeen, Peer};
pub(crate) use writer::{Job, Shared, Writer, now};

/// How long a transaction waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// `leaf` is the node of level 0. `body` is NULL when the entry was erased. Large rows are in the order of their arrival, and only
/// small ones in that of hashes: so pages are full, and few of them change with each entry.
const SCHEMA: &str = "
CREATE TABLE entry (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, body BLOB, ticket INTEGER, n INTEGER);
CREATE INDEX entry_of_ticket ON entry (ticket, n) WHERE ticket IS NOT NULL;
CREATE TABLE outcome (request INTEGER, item INTEGER, result TEXT, seq INTEGER NOT NULL,
  PRIMARY KEY (request, item, result)) WITHOUT ROWID;
CREATE TABLE request (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, head BLOB NOT NULL, sigs BLOB NOT NULL);
CREATE TABLE statement (hash BLOB PRIMARY KEY, ticket BLOB NOT NULL, op TEXT NOT NULL, who BLOB, until INTEGER,
  body BLOB NOT NULL, seq INTEGER);
CREATE INDEX statement_of_ticket ON statement (ticket, op);
CREATE TABLE node (level INTEGER, i INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, i)) WITHOUT ROWID;
CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
  note TEXT NOT NULL, at INTEGER, frozen INTEGER NOT NULL, why TEXT);
CREATE TABLE ticket (id INTEGER PRIMARY KEY, ticket BLOB NOT NULL UNIQUE, n INTEGER NOT NULL, revoked INTEGER NOT NULL,
  until INTEGER);
CREATE TABLE person (ticket BLOB, who BLOB, allowed INTEGER NOT NULL, denied INTEGER NOT NULL,
  PRIMARY KEY (ticket, who)) WITHOUT ROWID;
CREATE TABLE block (who BLOB PRIMARY KEY, why TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE peer (id BLOB PRIMARY KEY, name TEXT NOT NULL, url TEXT NOT NULL, ca TEXT, serial INTEGER NOT NULL,
  origin TEXT NOT NULL UNIQUE, key BLOB NOT NULL, own_origin TEXT, size INTEGER, line TEXT, at INTEGER, asked INTEGER,
  trouble TEXT) WITHOUT ROWID;
CREATE TABLE witnessed (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL) WITHOUT ROWID;
";

/// Why nobody is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frozen {
    /// Everybody is answered.
    No,
    /// The operator wants it so.
    Operator,
    /// The log is not what it was: entries were lost.
    Loss,
    /// Until a witness says that nothing was lost.
    Waiting,
}

impl Frozen {
    fn number(self) -> i64 {
        match self {
            Self::No => 0,
            Self::Operator => 1,
            Self::Loss => 2,
            Self::Waiting => 3,
        }
    }

    fn from_number(number: i64) -> Self {
        match number {
            0 => Self::No,
            1 => Self::Operator,
            3 => Self::Waiting,
            // What is not known stops the gate.
            _ => Self::Loss,
        }
    }
}

/// The open database of a gate.
pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
    file: (u64, u64),
}

impl Store {
    /// Makes the database of a new gate, with an empty log.
    pub(crate) fn create(path: &Path, origin: &str, log: &SigningKey) -> rusqlite::Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        configure(&connection)?;
        let transaction = connection.transaction()?;
        file::mark(&transaction)?;
        transaction.execute_batch(SCHEMA)?;
        let empty = Checkpoint {
            origin: origin.to_owned(),
            size: 0,
            root: encl::crypto::sha256(&[]),
        };
        transaction.execute(
            "INSERT INTO head VALUES (1, ?1, 0, ?2, ?3, NULL, 0, NULL)",
            params![origin, empty.root, empty.sign(log)],
        )?;
        transaction.commit()
    }

    /// Opens a database that is there; never makes one. One of another program or of another version is left as it is.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        file::check(&connection)?;
        configure(&connection)?;
        let file = identity(path).ok_or(rusqlite::Error::InvalidPath(path.to_owned()))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            file,
        })
    }

    /// Whether the file is still under its name. Without this a deleted database would be written to until the program ends.
    pub(crate) fn is_there(&self) -> bool {
        identity(&self.path) == Some(self.file)
    }

    /// Begins a transaction that nobody else writes beside.
    pub(crate) fn begin(&mut self) -> rusqlite::Result<Tx<'_>> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        Tx::new(transaction)
    }

    /// Begins a transaction that only reads, and holds up nobody.
    pub(crate) fn look(&mut self) -> rusqlite::Result<Tx<'_>> {
        Tx::new(self.connection.transaction()?)
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // NORMAL does not sync at each commit, and an answer must not go out before its entry is durable.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")
}

/// Which file is under a name.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// One transaction.
pub(crate) struct Tx<'a> {
    transaction: Transaction<'a>,
    origin: String,
    note: String,
    frozen: Frozen,
    why: Option<String>,
    head: LogHead,
    /// The size at the beginning.
    begun: u64,
}

impl<'a> Tx<'a> {
    fn new(transaction: Transaction<'a>) -> rusqlite::Result<Self> {
        let sql = "SELECT origin, size, note, at, frozen, why FROM head";
        let (origin, size, note, at, frozen, why) =
            transaction.prepare_cached(sql)?.query_row([], |row| {
                let at: Option<u64> = row.get(3)?;
                let size: u64 = row.get(1)?;
                let (frozen, why) = (row.get(4)?, row.get(5)?);
                Ok((row.get(0)?, size, row.get(2)?, at, frozen, why))
            })?;
        let frozen = Frozen::from_number(frozen);
        Ok(Self {
            transaction,
            origin,
            note,
            frozen,
            why,
            head: LogHead {
                size,
                at: at.and_then(Time::from_unix),
                is_frozen: frozen != Frozen::No,
            },
            begun: size,
        })
    }

    /// The name of the log that is in this database.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The last checkpoint.
    pub(crate) fn note(&self) -> &str {
        &self.note
    }

    pub(crate) fn frozen(&self) -> Frozen {
        self.frozen
    }

    pub(crate) fn size(&self) -> u64 {
        self.head.size
    }

    /// What showed that entries were lost.
    pub(crate) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    pub(crate) fn set_frozen(&mut self, frozen: Frozen) -> rusqlite::Result<()> {
        self.set_frozen_why(frozen, None)
    }

    /// Entries were lost, which this shows.
    pub(crate) fn set_lost(&mut self, why: &str) -> rusqlite::Result<()> {
        self.set_frozen_why(Frozen::Loss, Some(why))
    }

    fn set_frozen_why(&mut self, frozen: Frozen, why: Option<&str>) -> rusqlite::Result<()> {
        self.frozen = frozen;
        self.why = why.map(str::to_owned);
        self.head.is_frozen = frozen != Frozen::No;
        let sql = "UPDATE head SET frozen = ?1, why = ?2";
        let values = params![frozen.number(), why];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Signs the checkpoint of what is there now, if there is something new.
    pub(crate) fn checkpoint(&mut self, keys: &GateKeys) -> rusqlite::Result<()> {
        if self.head.size == self.begun {
            return Ok(());
        }
        let root = root(self, self.head.size)?;
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: self.head.size,
            root,
        };
        self.note = checkpoint.sign(&keys.log);
        let at = self.head.at.map(Time::unix);
        let sql = "UPDATE head SET size = ?1, root = ?2, note = ?3, at = ?4";
        let values = params![self.head.size, root, self.note, at];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        self.begun = self.head.size;
        Ok(())
    }

    /// Makes all of it durable.
    pub(crate) fn commit(self) -> rusqlite::Result<()> {
        self.transaction.commit()
    }
}

#[cfg(test)]
mod tests;
