//! What the operator's commands do in the database.

use encl::crypto::signing::RootId;
use encl::crypto::{CryptoRng, Secret};
use encl::gate::answering::{GateKeys, Ledger as _};
use encl::gate::log::{Checkpoint, Hash, NoteKey, leaf_hash, root};
use encl::gate::protocol::{Entry, EntryOp, Head, SignedStatement};
use encl::json::to_b64;
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use rusqlite::{OptionalExtension as _, params};

use super::{Frozen, Peer, Store, Tx};

/// Authors all of whose envelopes can be blocked: each costs a hash for each owner of each item.
const AUTHORS_MAX: usize = 1_024;
/// What a log shows that lost entries.
pub(crate) const NOT_CONTINUED: &str =
    "the database does not continue the last checkpoint, which is in the file `head`";
/// Entries of the last hour are not erased: their requests could come again.
const ERASE_AFTER_SECONDS: u64 = 3_600;

/// Whether somebody is blocked, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// As asker, owner and reader of logs.
    Person,
    /// So, and all that was sealed by this author.
    SealedBy,
}

/// How a log stands.
pub(crate) struct Status {
    pub(crate) origin: String,
    pub(crate) size: u64,
    pub(crate) last: Option<Time>,
    pub(crate) frozen: Frozen,
    pub(crate) why: Option<String>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) tickets: u64,
    pub(crate) revoked: u64,
    pub(crate) blocked: u64,
    pub(crate) erased: u64,
}

impl Store {
    /// Freezes the gate unless its log continues a checkpoint that it signed before, and says whether it does. Nothing is appended
    /// to a log that lost entries: the gate would sign a fork of what it signed before.
    pub(crate) fn must_continue(&mut self, note: &[u8], keys: &GateKeys) -> rusqlite::Result<bool> {
        let mut transaction = self.begin()?;
        let continues = transaction.continues(note, keys)?;
        if !continues && transaction.frozen() != Frozen::Loss {
            transaction.set_lost(NOT_CONTINUED)?;
            transaction.commit()?;
        }
        Ok(continues)
    }

    /// How the log stands.
    pub(crate) fn status(&mut self) -> rusqlite::Result<Status> {
        let transaction = self.look()?;
        let count = |sql| {
            let mut found = transaction.transaction.prepare_cached(sql)?;
            found.query_row([], |row| row.get(0))
        };
        Ok(Status {
            origin: transaction.origin.clone(),
            size: transaction.head.size,
            last: transaction.head.at,
            frozen: transaction.frozen,
            why: transaction.why.clone(),
            peers: transaction.peers()?,
            tickets: count("SELECT count(*) FROM ticket")?,
            revoked: count("SELECT count(*) FROM ticket WHERE revoked")?,
            blocked: count("SELECT count(*) FROM block")?,
            erased: count("SELECT count(*) FROM entry WHERE body IS NULL")?,
        })
    }
}

impl Tx<'_> {
    /// Whether the log continues a checkpoint that this gate signed.
    pub(crate) fn continues(&self, note: &[u8], keys: &GateKeys) -> rusqlite::Result<bool> {
        let own = std::iter::once(keys.log.id()).chain(keys.former.iter().copied());
        let known = own.map(|key| NoteKey {
            name: self.origin.clone(),
            key,
        });
        let read = |key: NoteKey| Checkpoint::read(note, &key).ok();
        let Some(seen) = known.into_iter().find_map(read) else {
            return Ok(false);
        };
        Ok(seen.size <= self.head.size && root(self, seen.size)? == seen.root)
    }

    /// Appends an entry about the gate itself.
    pub(crate) fn log(
        &mut self,
        op: EntryOp,
        now: Time,
        about: impl FnOnce(&mut Entry),
    ) -> rusqlite::Result<()> {
        let salt = Secret::<16>::random(&mut UnwrapErr(SysRng));
        // Entries follow each other in time.
        let at = self.head.at.map_or(now, |last| last.max(now));
        let mut entry = Entry::new(op, at, *salt.expose());
        about(&mut entry);
        self.append(entry).map(|_| ())
    }

    /// How somebody is blocked.
    pub(crate) fn block_of(&self, who: RootId) -> rusqlite::Result<Option<Block>> {
        let sql = "SELECT why FROM block WHERE who = ?1";
        let mut found = self.transaction.prepare_cached(sql)?;
        let why = found.query_row([who.0], |row| row.get::<_, String>(0));
        let kind = |why: String| match why.as_str() {
            "sealed" => Block::SealedBy,
            _ => Block::Person,
        };
        Ok(why.optional()?.map(kind))
    }

    /// Whether one more author can be blocked.
    pub(crate) fn has_room_for_author(&self) -> rusqlite::Result<bool> {
        Ok(self.blocked_authors()?.len() < AUTHORS_MAX)
    }

    /// Blocks somebody, or takes the block back.
    pub(crate) fn set_block(&mut self, who: RootId, block: Option<Block>) -> rusqlite::Result<()> {
        let why = match block {
            None => {
                let sql = "DELETE FROM block WHERE who = ?1";
                self.transaction.prepare_cached(sql)?.execute([who.0])?;
                return Ok(());
            }
            Some(Block::Person) => "person",
            Some(Block::SealedBy) => "sealed",
        };
        let sql = "INSERT OR REPLACE INTO block VALUES (?1, ?2)";
        self.transaction
            .prepare_cached(sql)?
            .execute(params![who.0, why])?;
        Ok(())
    }

    /// Erases the entries of a person's requests that are old enough, with the heads and signatures of those requests. Returns how many
    /// were erased, and how many are too young.
    pub(crate) fn erase(&mut self, who: RootId, now: Time) -> rusqlite::Result<(u64, u64)> {
        let sql = "SELECT seq, body FROM entry WHERE instr(body, ?1)";
        let mut found = self.transaction.prepare_cached(sql)?;
        let text = to_b64(&who.0).into_bytes();
        let rows = found.query_map([text], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows: Vec<(u64, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
        drop(found);
        let (mut erased, mut young) = (0, 0);
        for (seq, body) in rows {
            let Ok(entry) = Entry::parse(&body) else {
                continue;
            };
            // Statements stay: they are the reason of refusals. Blocks are the operator's.
            if !matches!(entry.op, EntryOp::Open | EntryOp::Refuse) || entry.who != Some(who) {
                continue;
            }
            if entry.at.unix() + ERASE_AFTER_SECONDS > now.unix() {
                young += 1;
                continue;
            }
            let sql = "UPDATE entry SET body = NULL WHERE seq = ?1";
            self.transaction.prepare_cached(sql)?.execute([seq])?;
            self.forget_request(entry.request)?;
            erased += 1;
        }
        self.forget_requests(who, now)?;
        Ok((erased, young))
    }

    /// Forgets the heads of other requests of a person, such as those that carried a statement of somebody else.
    fn forget_requests(&mut self, who: RootId, now: Time) -> rusqlite::Result<()> {
        let mut found = self
            .transaction
            .prepare_cached("SELECT hash, head FROM request")?;
        let mut rows = found.query([])?;
        let mut hashes: Vec<[u8; 32]> = Vec::new();
        while let Some(row) = rows.next()? {
            let head: Vec<u8> = row.get(1)?;
            // The time that its freshness was measured by.
            let at = |head: &Head| head.told.unwrap_or(head.at).unix();
            let is_old = |head: &Head| at(head) + ERASE_AFTER_SECONDS <= now.unix();
            let head = Head::parse(&head).ok();
            if head.is_some_and(|head| head.who == Some(who) && is_old(&head)) {
                hashes.push(row.get(0)?);
            }
        }
        drop(rows);
        drop(found);
        hashes
            .into_iter()
            .try_for_each(|hash| self.forget_request(Some(hash)))
    }

    /// Forgets what a request was. What became of it is nobody's any more: it is too old to come again.
    fn forget_request(&mut self, hash: Option<Hash>) -> rusqlite::Result<()> {
        for sql in [
            "DELETE FROM outcome WHERE request = (SELECT id FROM request WHERE hash = ?1)",
            "DELETE FROM request WHERE hash = ?1",
        ] {
            self.transaction.prepare_cached(sql)?.execute([hash])?;
        }
        Ok(())
    }

    /// Begins a new log after the old one was found to have lost entries. What statements said stays.
    pub(crate) fn begin_log(&mut self, keys: &GateKeys, now: Time) -> rusqlite::Result<()> {
        let before = self.note.clone().into_bytes();
        self.transaction.execute_batch(
            "DELETE FROM entry; DELETE FROM node; DELETE FROM outcome; DELETE FROM request;
             UPDATE statement SET seq = NULL; UPDATE ticket SET n = 0;",
        )?;
        self.transaction
            .execute("UPDATE head SET origin = ?1", [&keys.origin])?;
        self.origin.clone_from(&keys.origin);
        (self.head.size, self.begun) = (0, 0);
        // A clock that was years ahead is the past of the old log.
        self.head.at = None;
        self.log(EntryOp::Thaw, now, |entry| entry.before = Some(before))?;
        self.log_statements(now)?;
        self.set_frozen(Frozen::No)?;
        self.checkpoint(keys)
    }

    /// The statements of the log before are in force, so their owners have to find them in this one. The requests that carried them
    /// are gone.
    fn log_statements(&mut self, now: Time) -> rusqlite::Result<()> {
        let mut found = self
            .transaction
            .prepare_cached("SELECT rowid, hash FROM statement ORDER BY rowid")?;
        let rows = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows: Vec<(i64, Hash)> = rows.collect::<rusqlite::Result<_>>()?;
        drop(found);
        for (row, hash) in rows {
            let sql = "SELECT body FROM statement WHERE rowid = ?1";
            let mut found = self.transaction.prepare_cached(sql)?;
            let body: Vec<u8> = found.query_row([row], |row| row.get(0))?;
            drop(found);
            // What a newer version took over stays in force all the same.
            let Ok(statement) = SignedStatement::parse(&body) else {
                continue;
            };
            let seq = self.head.size;
            self.log(EntryOp::Statement, now, |entry| {
                entry.ticket = Some(statement.ticket());
                entry.who = Some(statement.by());
                entry.statement = Some(hash);
            })?;
            let sql = "UPDATE statement SET seq = ?2 WHERE rowid = ?1";
            let mut update = self.transaction.prepare_cached(sql)?;
            update.execute(params![row, seq])?;
        }
        Ok(())
    }

    /// Hashes beside each other on one level of the tree, one behind the other.
    pub(crate) fn hashes(
        &self,
        (level, first): (u32, u64),
        count: u64,
    ) -> rusqlite::Result<Vec<u8>> {
        let sql = match level {
            0 => "SELECT leaf FROM entry WHERE ?1 = 0 AND seq >= ?2 AND seq < ?3 ORDER BY seq",
            _ => "SELECT hash FROM node WHERE level = ?1 AND i >= ?2 AND i < ?3 ORDER BY i",
        };
        let mut found = self.transaction.prepare_cached(sql)?;
        let rows = found.query_map(params![level, first, first + count], |row| {
            row.get::<_, [u8; 32]>(0)
        })?;
        let hashes = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(hashes.concat())
    }

    /// Calls `each` with every entry: its line, or where it was erased its hash.
    pub(crate) fn each_entry<E>(
        &self,
        mut each: impl FnMut(u64, Result<Vec<u8>, [u8; 32]>) -> Result<(), E>,
    ) -> rusqlite::Result<Result<(), E>> {
        let sql = "SELECT seq, body, leaf FROM entry ORDER BY seq";
        let mut found = self.transaction.prepare_cached(sql)?;
        let mut rows = found.query([])?;
        while let Some(row) = rows.next()? {
            let body: Option<Vec<u8>> = row.get(1)?;
            let leaf: [u8; 32] = row.get(2)?;
            debug_assert!(body.as_ref().is_none_or(|body| leaf_hash(body) == leaf));
            if let Err(error) = each(row.get(0)?, body.ok_or(leaf)) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }
}

/// Randomness of the operating system.
pub(crate) fn rng() -> impl CryptoRng {
    UnwrapErr(SysRng)
}
