//! What a gate logged of an envelope, read by an owner page by page and checked: in the memory of one page, however long it is.

mod exports;
mod folder;
mod receipts;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;

use exports::{Export, Shown};
use folder::Folder;
use receipts::Receipts;
pub use receipts::WithheldReceipt;

use super::notices::why;
use super::{GateNotice, Gates, Owner};
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;
use crate::envelope::GateLock;
use crate::gate::client::{
    AuditLine, LieKind, NoReply, Question, Refused, Reply, Signed, Wanted, audit_line,
};
use crate::gate::protocol::{EntryOp, LogLine, LogPage, SignedStatement};
use crate::gate::rules::TicketState;
use crate::keystore::{GateContact, KeptStatement, KeystoreError, STATEMENTS_MAX, SealedWithGate};
use crate::time::Time;

/// Entries of one envelope in the log of a gate. One that shows more is not read to its end: it could go on for ever.
const ENTRIES_MAX: u64 = if cfg!(test) { 16 } else { 1 << 20 };

/// What a gate logged of an envelope, in sum.
pub struct GateLog {
    /// The gate.
    pub gate: GateContact,
    /// What the statements of owners in it say together.
    pub state: TicketState,
    /// How many entries it has.
    pub entries: u64,
    /// How often the gate gave its part out.
    pub openings: u64,
    /// When it did so last.
    pub last_opening: Option<Time>,
    /// Receipts for entries that the gate does not show.
    pub withheld: Vec<WithheldReceipt>,
    /// Of a log that an operator exported, how many entries of all a checkpoint of the gate covers; `None`: the gate was asked.
    pub exported: Option<u64>,
    /// How many entries its operator has erased: those of the envelope, or of an export all, since nobody can tell what they were
    /// about.
    pub erased: u64,
    /// The statements of owners in it, as many as a record has room for.
    pub(super) statements: HashMap<Vec<u8>, SignedStatement>,
}

/// Takes the entries of logs while they are read.
pub trait EntrySink {
    /// Begins the log of a gate. If that has begun before, it is read once more, and what came then is void.
    ///
    /// # Errors
    /// When nothing can be taken; then reading ends.
    fn begin(&mut self, gate: &GateContact) -> io::Result<()>;

    /// Takes an entry: each is in the gate's log, and none is left out between them.
    ///
    /// # Errors
    /// When it cannot be taken; then reading ends.
    fn entry(&mut self, line: &AuditLine) -> io::Result<()>;
}

/// Only the sum is wanted.
impl EntrySink for () {
    fn begin(&mut self, _: &GateContact) -> io::Result<()> {
        Ok(())
    }

    fn entry(&mut self, _: &AuditLine) -> io::Result<()> {
        Ok(())
    }
}

/// What is wanted of logs beside their sums.
pub struct Reading<'a> {
    /// Takes the entries.
    pub sink: &'a mut dyn EntrySink,
    /// A folder with receipts, and with logs that operators exported: those gates are not asked.
    pub from: Option<&'a Path>,
}

/// Why a gate's log was not read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The gate refused.
    #[error("it refused: {}", .0.reason.word())]
    Refused(Refused),
    /// The gate lied.
    #[error("it lied: {0}")]
    Lied(LieKind),
    /// It was not reached.
    #[error("{0}")]
    Unreachable(String),
    /// It says that there is always more, and gives nothing, or more than anybody reads.
    #[error("it does not come to the end of its log")]
    Endless,
    /// What was exported of it does not fit what it signed.
    #[error("{}: {what}", file.display())]
    Export {
        /// The file.
        file: std::path::PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The folder, or what takes the entries.
    #[error("{0}")]
    System(#[from] io::Error),
    /// The keystore refused.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
}

/// A gate, and what it logged.
pub type ReadLog = (GateContact, Result<GateLog, LogError>);

impl GateLog {
    pub(super) fn new(gate: &GateContact) -> Self {
        Self {
            gate: gate.clone(),
            state: TicketState::default(),
            entries: 0,
            openings: 0,
            last_opening: None,
            withheld: Vec::new(),
            exported: None,
            erased: 0,
            statements: HashMap::new(),
        }
    }

    /// Whether a statement is in it.
    #[must_use]
    pub fn shows(&self, statement: &SignedStatement) -> bool {
        self.statements.contains_key(&statement.to_bytes())
    }

    /// Whether it may have more statements than are kept of it.
    pub(super) fn is_full(&self) -> bool {
        self.statements.len() >= STATEMENTS_MAX
    }

    /// Adds an entry to the sum.
    pub(super) fn add(&mut self, raw: &LogLine, line: &AuditLine) {
        self.entries += 1;
        let Some(entry) = &line.entry else {
            self.erased += 1;
            return;
        };
        if entry.op == EntryOp::Open {
            self.openings += 1;
            self.last_opening = Some(entry.at);
        }
        let (Some(statement), Signed::ByOwner) = (entry.statement, entry.signed) else {
            return;
        };
        // A gate takes no more than fit.
        let _ = self.state.add(statement);
        if let LogLine::Kept {
            statement: Some(bytes),
            ..
        } = raw
            && let Ok(signed) = SignedStatement::parse(bytes)
            && self.statements.len() < STATEMENTS_MAX
        {
            self.statements.insert(bytes.clone(), signed);
        }
    }
}

impl Gates<'_> {
    /// Reads what each gate of a lock logged of it.
    pub(super) fn read_logs(
        &self,
        lock: &GateLock,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Vec<ReadLog> {
        let gates: Vec<GateContact> = self.of(lock).cloned().collect();
        let mut logs = Vec::with_capacity(gates.len());
        for gate in gates {
            let log = self.read_log(lock, &gate, owner, reading, rng);
            logs.push((gate, log));
        }
        logs
    }

    fn read_log(
        &self,
        lock: &GateLock,
        gate: &GateContact,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<GateLog, LogError> {
        let folder = self.folder(reading.from)?;
        let mut receipts = match &folder {
            Some(folder) => Receipts::read(folder, lock.ticket(), gate),
            None => Receipts::default(),
        };
        let mut log = GateLog::new(gate);
        reading.sink.begin(gate)?;
        let mut take = |log: &mut GateLog, shown: Shown<'_>| -> Result<(), LogError> {
            let raw = match shown {
                Shown::Entry(raw) => raw,
                Shown::Erased(leaf) => {
                    log.erased += 1;
                    receipts.show_leaf(leaf);
                    return Ok(());
                }
            };
            receipts.show(raw);
            if let Some(line) = audit_line(raw, lock, gate.card.id()) {
                log.add(raw, &line);
                reading.sink.entry(&line)?;
            }
            Ok(())
        };
        let exported = match &folder {
            Some(folder) => self.export(folder, gate)?,
            None => None,
        };
        match exported {
            Some(export) => {
                let kept = self.keystore.sealed_with_gate(lock.ticket())?;
                export.read(lock, kept.as_ref(), &mut |shown| take(&mut log, shown))?;
                log.exported = Some(export.covered);
            }
            None => self.read_pages(lock, gate, owner, rng, &mut |raw| {
                take(&mut log, Shown::Entry(raw))
            })?,
        }
        log.withheld = receipts.withheld(log.exported);
        Ok(log)
    }

    /// What is in the folder that was named. A file there that cannot be read is told, and left out.
    fn folder(&self, path: Option<&Path>) -> io::Result<Option<Folder>> {
        let Some(path) = path else { return Ok(None) };
        let folder = Folder::read(path)?;
        for (file, error) in &folder.unreadable {
            self.tell_once(&GateNotice::Unreadable {
                file: file.clone(),
                why: error.to_string(),
            });
        }
        Ok(Some(folder))
    }

    /// What the operator of a gate exported. That the gate is asked although there are such files is told.
    fn export(&self, folder: &Folder, gate: &GateContact) -> Result<Option<Export>, LogError> {
        let found = exports::find(folder, gate, self.keystore)?;
        if let (None, Some(export)) = (&found, folder.exports.first()) {
            self.tell_once(&GateNotice::NoExportFits {
                gate: gate.name.clone(),
                export: export.clone(),
            });
        }
        Ok(found)
    }

    fn read_pages(
        &self,
        lock: &GateLock,
        gate: &GateContact,
        owner: Owner<'_>,
        rng: &mut dyn CryptoRng,
        take: &mut dyn FnMut(&LogLine) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let mut from = 1;
        loop {
            let page = self.page(lock, gate, (owner, from), rng)?;
            for line in &page.lines {
                take(line)?;
            }
            from += page.lines.len() as u64;
            if !page.more {
                return Ok(());
            }
            if page.lines.is_empty() || from > ENTRIES_MAX {
                return Err(LogError::Endless);
            }
        }
    }

    fn page(
        &self,
        lock: &GateLock,
        gate: &GateContact,
        (owner, from): (Owner<'_>, u64),
        rng: &mut dyn CryptoRng,
    ) -> Result<LogPage, LogError> {
        let question = Question {
            lock,
            wanted: Wanted::Log {
                by: owner.key,
                blind: owner.blind,
                from,
            },
            need: 1,
        };
        let outcome = self.ask_some(&[question], &[gate], Some(owner.key), rng)?;
        let answer = outcome.answers.into_iter().flatten().next();
        match answer.map(|(_, answer)| answer) {
            Some(Ok(Reply::Log(page))) => Ok(page),
            Some(Err(NoReply::Refused(refused))) => Err(LogError::Refused(refused)),
            Some(Err(NoReply::Lied(lie))) => Err(LogError::Lied(lie.kind)),
            Some(Err(failure)) => Err(LogError::Unreachable(why(&failure))),
            Some(Ok(_)) | None => Err(LogError::Unreachable("it did not answer".to_owned())),
        }
    }

    /// Keeps the statements that gates show and this machine has not kept, such as those that were said from another one, and who
    /// knows them.
    pub(super) fn learn(
        &self,
        record: &SealedWithGate,
        logs: &[ReadLog],
    ) -> Result<(), KeystoreError> {
        let mut shown: HashMap<&Vec<u8>, BTreeSet<RootId>> = HashMap::new();
        for (gate, log) in logs {
            let statements = log.iter().flat_map(|log| log.statements.keys());
            for statement in statements {
                shown.entry(statement).or_default().insert(gate.card.id());
            }
        }
        let kept = self.kept_record(record)?;
        for kept in kept.iter().flat_map(|record| &record.statements) {
            if let Some(gates) = shown.get_mut(&kept.statement) {
                gates.retain(|gate| !kept.known_by.contains(gate));
            }
        }
        let news = shown.into_iter().filter(|(_, gates)| !gates.is_empty());
        let news = news.map(|(statement, known_by)| KeptStatement {
            statement: statement.clone(),
            known_by,
        });
        self.record_news(record, news.collect())
    }

    /// What has no room in the record is kept by the gates.
    fn record_news(
        &self,
        record: &SealedWithGate,
        news: Vec<KeptStatement>,
    ) -> Result<(), KeystoreError> {
        if news.is_empty() {
            return Ok(());
        }
        let said = |statements| SealedWithGate {
            statements,
            ..record.clone()
        };
        match self.keystore.record_sealed(&said(news.clone())) {
            Err(KeystoreError::StatementsFull(_)) => {}
            recorded => return recorded.map(drop),
        }
        for one in news {
            match self.keystore.record_sealed(&said(vec![one])) {
                Ok(_) | Err(KeystoreError::StatementsFull(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
