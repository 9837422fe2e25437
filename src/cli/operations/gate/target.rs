//! The envelope that gates are told or asked about: a file, or the ticket of one that this machine has sealed.

use std::path::Path;

use encl::crypto::signing::RootId;
use encl::directory::People;
use encl::envelope::{Envelope, GateLock, Ticket};
use encl::keystore::{KeystoreError, SealedWithGate};
use encl::operations::MyKeys;
use encl::operations::gate::{Owner, find_owner};

use crate::cli::context::Context;
use crate::cli::errors::envelope::{failure, unlock_failure};
use crate::cli::errors::{Exit, Failure, keystore};
use crate::cli::files::input::Input;
use crate::cli::terminal::safe;

/// What was named, and what is known of it.
pub(crate) struct Target {
    /// For people.
    pub(crate) name: String,
    /// As it was typed.
    pub(crate) typed: String,
    pub(crate) record: SealedWithGate,
}

impl Target {
    /// A file, or a ticket. `verb` is what was attempted: "revoke".
    pub(crate) fn find(file: &Path, verb: &str, context: &Context) -> Result<Self, Failure> {
        if let Some(ticket) = ticket(file) {
            return Self::of_ticket(ticket, verb, context);
        }
        let input = Input::parse(file);
        let source = input.open(verb)?;
        let envelope = Envelope::read(source);
        let envelope =
            envelope.map_err(|error| failure(input.cannot(verb, Exit::Failed), error))?;
        let lock = envelope.manifest().gate.clone().ok_or_else(|| {
            input
                .cannot(verb, Exit::Usage)
                .reason("it asks no gate: who has it and a key opens it")
                .hint("`encl revoke` makes a new one, without somebody")
        })?;
        let kept = match context.keystore.sealed_with_gate(lock.ticket()) {
            // The envelope says all that a gate must be told: what is damaged is told, and set aside, when it is needed.
            Err(KeystoreError::Damaged { .. }) => None,
            Err(error) => {
                let what = input.cannot(verb, Exit::Failed).what;
                return Err(keystore::failure(&what, &error));
            }
            Ok(kept) => kept,
        };
        let name = input.path().map(|path| path.to_string_lossy().into_owned());
        Ok(Self {
            name: input.name(),
            typed: input.typed(),
            record: kept.unwrap_or_else(|| SealedWithGate::new(lock, context.now, name.as_deref())),
        })
    }

    fn of_ticket(ticket: Ticket, verb: &str, context: &Context) -> Result<Self, Failure> {
        let typed = RootId(ticket.0).to_string();
        let what = format!("cannot {verb} {typed}");
        let record = match context.keystore.sealed_with_gate(ticket) {
            // Its first line says all that a gate must be told: what is damaged is told, and set aside, when it is needed.
            Err(damaged @ KeystoreError::Damaged { .. }) => {
                let readable = context.keystore.readable_sealed(ticket);
                readable.and_then(|record| record.map(Some).ok_or(damaged))
            }
            record => record,
        };
        let record = record.map_err(|error| keystore::failure(&what, &error))?;
        let record = record.ok_or_else(|| {
            Failure::new(Exit::Recipient, what)
                .reason("this machine has no record of that ticket")
                .hint("name the file itself")
        })?;
        let name = record.file.as_deref().map_or_else(|| typed.clone(), safe);
        Ok(Self {
            name,
            typed,
            record,
        })
    }

    pub(crate) fn lock(&self) -> &GateLock {
        &self.record.lock
    }

    pub(crate) fn cannot(&self, verb: &str, exit: Exit) -> Failure {
        Failure::new(exit, format!("cannot {verb} {}", self.name)).file(Path::new(&self.typed))
    }

    /// The identity of mine that owns it.
    pub(crate) fn owner<'k>(
        &self,
        verb: &str,
        people: &People,
        keys: &'k MyKeys<'_>,
    ) -> Result<Owner<'k>, Failure> {
        let owner = find_owner(self.lock(), people, keys).map_err(unlock_failure)?;
        owner.ok_or_else(|| {
            let failure = self.cannot(verb, Exit::NotForYou);
            match self.lock().terms().owners.is_empty() {
                true => failure.reason("it has no owner: nobody can revoke it or read its log"),
                false => failure.reason("none of your identities is one of its owners"),
            }
        })
    }
}

/// 64 hexadecimal digits that are no file.
fn ticket(file: &Path) -> Option<Ticket> {
    let id: RootId = file.to_str()?.parse().ok()?;
    (!file.exists()).then_some(Ticket(id.0))
}
