//! The entries of gates' logs, kept in temporary files while they are read: they are shown after all of a log was checked, and however
//! many there are.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};

use encl::crypto::signing::RootId;
use encl::directory::People;
use encl::gate::client::AuditLine;
use encl::keystore::GateContact;
use encl::mail::Reopen;
use encl::operations::gate::EntrySink;
use encl::operations::mail::spool::SpoolWriter;

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::operations::gate::report::{EntryObject, describe_entry};
use crate::cli::terminal::object;
use crate::cli::terminal::stdout::Stdout;

/// Lines are shown in pieces of so many bytes.
const PIECE_BYTES: usize = 64 << 10;

/// Entries as they are shown: a line each, in words or as an object.
pub(crate) struct Entries<'a> {
    people: &'a People,
    context: &'a Context,
    spools: HashMap<RootId, SpoolWriter>,
    current: Option<RootId>,
}

impl EntrySink for Entries<'_> {
    fn begin(&mut self, gate: &GateContact) -> io::Result<()> {
        let id = gate.card.id();
        let spool = SpoolWriter::new(&mut self.context.rng())?;
        self.spools.insert(id, spool);
        self.current = Some(id);
        Ok(())
    }

    fn entry(&mut self, line: &AuditLine) -> io::Result<()> {
        let gate = self.current.expect("a log has begun");
        let text = match self.context.json {
            true => {
                let entry = EntryObject::of(gate, line, self.people);
                object(&entry.map_err(|failure| io::Error::other(failure.what))?)
            }
            false => describe_entry(line, self.people),
        };
        let spool = self.spools.get_mut(&gate).expect("it has begun");
        spool.write_all(text.as_bytes())?;
        spool.write_all(b"\n")
    }
}

impl<'a> Entries<'a> {
    pub(crate) fn new(people: &'a People, context: &'a Context) -> Self {
        Self {
            people,
            context,
            spools: HashMap::new(),
            current: None,
        }
    }

    /// Shows the entries of a gate.
    pub(crate) fn print(&mut self, gate: &GateContact) -> Result<(), Failure> {
        let Some(spool) = self.spools.remove(&gate.card.id()) else {
            return Ok(());
        };
        let failed = |error: io::Error| {
            let failure = Failure::new(Exit::Failed, "cannot show the entries");
            failure.reason(io_message(&error))
        };
        let spool = spool.finish().map_err(failed)?;
        let mut piece = String::new();
        for line in BufReader::new(spool.open().map_err(failed)?).lines() {
            piece += &line.map_err(failed)?;
            piece.push('\n');
            if piece.len() >= PIECE_BYTES {
                self.put(&piece)?;
                piece.clear();
            }
        }
        match piece.is_empty() {
            true => Ok(()),
            false => self.put(&piece),
        }
    }

    fn put(&self, lines: &str) -> Result<(), Failure> {
        match self.context.json {
            true => Stdout::open()?.put(lines.as_bytes())?,
            false => self.context.terminal.print(lines)?,
        }
        Ok(())
    }
}
