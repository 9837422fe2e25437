//! The file of a database: whose it is, copies of it, and that what was erased is not in it any more.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, Error, OpenFlags, ffi};

use super::{BUSY, Store};

/// "encl", by which the file is known as a gate's.
const APPLICATION: i64 = 0x656e_636c;
/// Rises with every change of the tables.
const VERSION: i64 = 2;
/// How often it is tried to empty the write-ahead log, each time as long as a transaction may wait.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// Says whose file it is.
pub(super) fn mark(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)
}

/// Checks that it is a gate's file, and of this version. Nothing is written.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<()> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let refused = |why: &str| {
        let code = ffi::Error::new(ffi::SQLITE_NOTADB);
        Err(Error::SqliteFailure(code, Some(why.to_owned())))
    };
    if number("application_id")? != APPLICATION {
        return refused("it is the file of another program");
    }
    match number("user_version")? {
        VERSION => Ok(()),
        version if version > VERSION => {
            refused("a newer version of encl-gate has made it, and only a newer one can read it")
        }
        _ => refused("a version of encl-gate before the first release has made it"),
    }
}

impl Store {
    /// A copy of a whole database in one file, which only its owner can read.
    pub(crate) fn copy(from: &Path, to: &Path) -> rusqlite::Result<()> {
        let refused = || Error::InvalidPath(to.to_owned());
        // The database takes an empty file for one that is not there.
        let mut options = File::options();
        let made = options.write(true).create_new(true).mode(0o600).open(to);
        made.map_err(|_| refused())?;
        let connection = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(BUSY)?;
        check(&connection)?;
        connection.execute("VACUUM INTO ?1", [to.to_str().ok_or_else(refused)?])?;
        Ok(())
    }

    /// Takes what was erased out of the file too, and out of its write-ahead log.
    pub(crate) fn vacuum(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("VACUUM")?;
        for number in 1..=TRIES {
            // Where somebody reads, this is no error but an answer.
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            let is_busy = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
            if !self.connection.query_row(sql, [], is_busy)? {
                return Ok(());
            }
            if number < TRIES {
                thread::sleep(PAUSE);
            }
        }
        let code = ffi::Error::new(ffi::SQLITE_BUSY);
        let why = "another program has been reading the database all the time, so what was erased is still beside it";
        Err(Error::SqliteFailure(code, Some(why.to_owned())))
    }
}
