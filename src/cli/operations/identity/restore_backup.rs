//! What `encl restore` does with each part of a backup, and what it says about that.

use std::collections::{BTreeMap, HashSet};

use crate::cli::display::names::DisplayName;
use encl::crypto::signing::RootId;
use encl::directory::Signer;
use encl::envelope::{Opened, Slot};
use encl::keystore::{
    BackupError, IdentityExport, ImportOutcome, Keystore, KeystoreError, Part, Restore,
    RestoreMode, RestoreOutcome, Trust,
};
use encl::time::Time;
use serde::Serialize;

use crate::cli::commands::key;
use crate::cli::context::Context;
use crate::cli::display::time;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore;
use crate::cli::files::input::Input;
use crate::cli::terminal::{Stream, safe};

/// Why a backup was not read to its end.
pub(crate) enum Stopped {
    NoBackup(BackupError),
    By(Failure),
}

impl From<BackupError> for Stopped {
    fn from(error: BackupError) -> Self {
        Self::NoBackup(error)
    }
}

/// A backup on its way into the keystore, or looked at only.
pub(crate) struct Merge<'a> {
    keystore: &'a Keystore,
    context: &'a Context,
    /// My identities before.
    mine: HashSet<RootId>,
    /// Whether anything is written.
    acts: bool,
    /// The verifications that looking at it found.
    verified: BTreeMap<RootId, Trust>,
    origin: Origin,
    /// Whether identities come of a backup that is not certain to be mine.
    foreign: bool,
    in_backup: HashSet<RootId>,
    /// Identities that were read before it was known whose backup it is.
    waiting: Vec<IdentityExport>,
    restore: Option<Restore<'a>>,
    report: Report,
    failures: Vec<Failure>,
}

/// What tells whose backup it is.
#[derive(Default)]
struct Origin {
    /// Nobody opens it but whoever knows its passphrase.
    by_passphrase: bool,
    /// Who signed it, which is proven when all of it was read.
    signer: Option<RootId>,
    /// One of mine is in it, with the statement that ends it: only whoever has the keystore has that.
    has_mine: bool,
}

/// What became of a backup, or would.
pub(crate) struct Merged {
    pub(crate) report: Report,
    /// Of what could not be merged while the rest was.
    pub(crate) failures: Vec<Failure>,
    mine: HashSet<RootId>,
    foreign: bool,
    verified: BTreeMap<RootId, Trust>,
}

impl<'a> Merge<'a> {
    /// Looks at a backup and changes nothing. `mine` are my identities now.
    pub(crate) fn foresee(
        keystore: &'a Keystore,
        mine: HashSet<RootId>,
        foreign: bool,
        context: &'a Context,
    ) -> Self {
        Self::new(keystore, (mine, foreign), None, context)
    }

    /// Does what was foreseen for the same backup.
    pub(crate) fn act(keystore: &'a Keystore, foreseen: Merged, context: &'a Context) -> Self {
        let whose = (foreseen.mine, foreseen.foreign);
        Self::new(keystore, whose, Some(foreseen.verified), context)
    }

    fn new(
        keystore: &'a Keystore,
        (mine, foreign): (HashSet<RootId>, bool),
        verified: Option<BTreeMap<RootId, Trust>>,
        context: &'a Context,
    ) -> Self {
        Self {
            keystore,
            context,
            mine,
            acts: verified.is_some(),
            verified: verified.unwrap_or_default(),
            origin: Origin::default(),
            foreign,
            waiting: Vec::new(),
            in_backup: HashSet::new(),
            restore: None,
            report: Report::default(),
            failures: Vec::new(),
        }
    }

    /// Learns who made it.
    pub(crate) fn begin(&mut self, about: &Opened) {
        // Whoever was let in later has a slot too, and need not know the passphrase.
        let slots = &about.manifest.access.slots;
        self.origin = Origin {
            by_passphrase: slots.iter().all(|slot| matches!(slot, Slot::Passphrase(_))),
            signer: about.signer(),
            has_mine: false,
        };
    }

    /// Whether I made it: it is signed by one of my identities, or opens by a passphrase alone and holds one of them. Where there
    /// is none yet, whoever restores it takes it for their own.
    fn is_mine(&self) -> bool {
        let Origin {
            by_passphrase,
            signer,
            has_mine,
        } = self.origin;
        if self.mine.is_empty() {
            return by_passphrase;
        }
        signer.is_some_and(|signer| self.mine.contains(&signer)) || (by_passphrase && has_mine)
    }

    /// Takes the next part.
    pub(crate) fn part(&mut self, part: Part) -> Result<(), Stopped> {
        let failed = |error: KeystoreError| {
            let what = "cannot restore into the keystore";
            Stopped::By(keystore::failure(what, &error))
        };
        match part {
            Part::Head(time) => self.report.made = Some(time),
            Part::Identity(transfer) => {
                let id = transfer.card().id();
                self.origin.has_mine |= self.mine.contains(&id);
                self.in_backup.insert(id);
                self.waiting.push(*transfer);
            }
            Part::Decisions(decisions) => {
                let graver = self.restore()?.decisions(decisions).map_err(failed)?;
                self.report.stopped = graver.len();
            }
            Part::Contact(contact) => {
                let fate = self.restore()?.contact(&contact).map_err(failed)?;
                let words = contact.card().display_name();
                self.report.contacts.add(&fate);
                if let RestoreOutcome::Refused(error) = fate {
                    let error = safe(&error.to_string());
                    let line = format!("contact {words}: not restored: {error}");
                    self.report.lines.push(line);
                }
            }
            Part::Group(name, group) => {
                let fate = self.restore()?.group(&name, &group).map_err(failed)?;
                self.report.groups.add(&fate);
                let words = match fate {
                    RestoreOutcome::New => Some(format!("added, {} in it", group.members.len())),
                    RestoreOutcome::LocalKept => Some("not changed".to_owned()),
                    _ => None,
                };
                let line = words.map(|words| format!("group @{name}: {words}"));
                self.report.lines.extend(line);
            }
            Part::Invitation(hash, invitation) => {
                let fate = self.restore()?.invitation(hash, &invitation);
                self.report.invitations.add(&fate.map_err(failed)?);
            }
            Part::Default(id) => self.default(&id).map_err(failed)?,
        }
        Ok(())
    }

    fn restore(&mut self) -> Result<&mut Restore<'a>, Stopped> {
        if self.restore.is_none() {
            self.identities();
            let is_mine = self.is_mine();
            self.report.is_mine = is_mine;
            let mut rng = self.context.rng();
            let restoring = match self.acts {
                false => RestoreMode::DryRun,
                true => RestoreMode::Apply(std::mem::take(&mut self.verified), &mut rng),
            };
            let restore = self.keystore.restore(restoring, is_mine);
            let what = "cannot restore into the keystore";
            let restore = restore.map_err(|error| Stopped::By(keystore::failure(what, &error)))?;
            self.restore = Some(restore);
        }
        Ok(self.restore.as_mut().expect("it was just made"))
    }

    /// Takes the identities that are waiting.
    fn identities(&mut self) {
        let comes = self.is_mine() || self.foreign;
        for transfer in std::mem::take(&mut self.waiting) {
            let who = transfer.card().display_name();
            if comes || self.mine.contains(&transfer.card().id()) {
                self.identity(&transfer, &who);
                continue;
            }
            self.report.identities.kept += 1;
            let line = format!("identity {who}: not added (--foreign adds it)");
            self.report.lines.push(line);
        }
    }

    /// One of my identities. What cannot be merged leaves the others alone.
    fn identity(&mut self, transfer: &IdentityExport, who: &str) {
        let what = format!("cannot restore your identity {who}");
        let failed = |error: KeystoreError| keystore::failure(&what, &error);
        let imported = match self.acts {
            false => key::import::foresee(transfer, self.keystore).map_err(failed),
            true => key::import::take_in(transfer, &what, self.context),
        };
        let (fate, words) = match imported {
            Ok(ImportOutcome::New) => (RestoreOutcome::New, "added"),
            Ok(ImportOutcome::Updated) => (RestoreOutcome::Updated, "is newer in the backup"),
            Ok(ImportOutcome::Known) => (RestoreOutcome::Known, "is already here"),
            Ok(ImportOutcome::KeysDiffer) => (
                RestoreOutcome::Updated,
                "gets the keys that only the backup has (this needs its passphrases)",
            ),
            Err(failure) => {
                self.report.identities.refused += 1;
                return self.failures.push(failure);
            }
        };
        self.report.identities.add(&fate);
        self.report.lines.push(format!("identity {who}: {words}"));
    }

    /// The identity that signs when nothing else is said is the backup's where there was none.
    fn default(&mut self, id: &RootId) -> Result<(), KeystoreError> {
        if !self.acts || !self.mine.is_empty() || self.keystore.own_card(id)?.is_none() {
            return Ok(());
        }
        self.restore = None; // it holds the lock
        self.keystore.set_default(id)
    }

    pub(crate) fn end(mut self) -> Merged {
        self.identities();
        Merged {
            report: self.report,
            failures: self.failures,
            mine: self.mine,
            foreign: self.foreign,
            verified: self.restore.map(Restore::into_verified).unwrap_or_default(),
        }
    }
}

/// What became of the things of one kind.
#[derive(Debug, Default, Serialize)]
struct Counts {
    new: usize,
    updated: usize,
    known: usize,
    kept: usize,
    refused: usize,
}

impl Counts {
    fn add(&mut self, fate: &RestoreOutcome) {
        let count = match fate {
            RestoreOutcome::New => &mut self.new,
            RestoreOutcome::Updated => &mut self.updated,
            RestoreOutcome::Known => &mut self.known,
            RestoreOutcome::LocalKept => &mut self.kept,
            RestoreOutcome::Refused(_) => &mut self.refused,
        };
        *count += 1;
    }

    fn changes(&self) -> usize {
        self.new + self.updated
    }

    /// "120 new, 3 updated, 40 here already"
    fn words(&self) -> String {
        let counts = [
            (self.new, "new"),
            (self.updated, "updated"),
            (self.known, "already here"),
            (self.kept, "newer or decided here"),
            (self.refused, "not restored"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<_> = counts
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        match words.is_empty() {
            true => "none".to_owned(),
            false => words.join(", "),
        }
    }
}

/// What is said about a backup.
#[derive(Debug, Default)]
pub(crate) struct Report {
    made: Option<Time>,
    is_mine: bool,
    identities: Counts,
    contacts: Counts,
    groups: Counts,
    invitations: Counts,
    /// People whom only the backup stops.
    stopped: usize,
    lines: Vec<String>,
}

/// `encl.restore/1`.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    made: Option<Time>,
    signer: Option<&'a Signer>,
    mine: bool,
    dry_run: bool,
    identities: &'a Counts,
    contacts: &'a Counts,
    groups: &'a Counts,
    invitations: &'a Counts,
    stopped: usize,
}

impl Report {
    /// Whether anything is or would be other than before.
    pub(crate) fn changes_anything(&self) -> bool {
        let kinds = [
            &self.identities,
            &self.contacts,
            &self.groups,
            &self.invitations,
        ];
        self.stopped > 0 || kinds.iter().any(|counts| counts.changes() > 0)
    }

    /// Says it; what would be done is data, and goes to standard output.
    pub(crate) fn show(
        &self,
        input: &Input,
        signer: Option<&Signer>,
        dry_run: bool,
        context: &Context,
    ) -> Result<(), Failure> {
        if context.json {
            let object = Object {
                schema: "encl.restore/1",
                file: input.typed(),
                made: self.made,
                signer,
                mine: self.is_mine,
                dry_run,
                identities: &self.identities,
                contacts: &self.contacts,
                groups: &self.groups,
                invitations: &self.invitations,
                stopped: self.stopped,
            };
            return context.terminal.print_object(&object, Stream::Stdout);
        }
        let made = self.made.map_or_else(String::new, |made| {
            format!("made at {}, ", time::local(made))
        });
        let by = signer.map_or_else(
            || "not signed".to_owned(),
            |signer| format!("signed by {}", signer.display_name()),
        );
        let mut text = vec![format!("{}: {made}{by}", input.name())];
        text.extend(self.lines.iter().cloned());
        for (kind, counts) in [
            ("identities", &self.identities),
            ("contacts", &self.contacts),
            ("groups", &self.groups),
            ("invitations", &self.invitations),
        ] {
            text.push(format!("{kind}: {}", counts.words()));
        }
        if self.stopped > 0 {
            let stopped = self.stopped;
            text.push(format!(
                "blocked, changed or revoked only in the backup, and from now on here too: {stopped}"
            ));
        }
        if !self.changes_anything() {
            text.push("everything in it is already here".to_owned());
        }
        for line in text {
            match dry_run {
                true => context.terminal.print(&line)?,
                false => context.terminal.status(&line),
            }
        }
        if !self.is_mine {
            context.terminal.warning(
                "it is not certain that you made this backup: nobody counts as verified by it; what is in it is whatever \
                 its maker put there",
            );
        }
        Ok(())
    }
}
