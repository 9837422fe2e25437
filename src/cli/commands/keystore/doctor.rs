//! `encl doctor`: the keystore looked through, and what to do about what was found.

use std::io::ErrorKind;
use std::path::Path;

use clap::Args;
use encl::directory::{Person, Trust};
use encl::identity::CardKey;
use encl::keystore::{
    Finding, Keystore, KeystoreError, Standing, StoredIdentity, StoredSecret, self_test,
};
use encl::time::Time;
use serde::Serialize;

use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::display::time;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandError, CommandResult, Exit, Failure, io_message};
use crate::cli::secrets::keyring::Keys;
use crate::cli::terminal::{Stream, quoted, safe, shown};

/// An end is told this much before it comes.
const SOON_SECONDS: u64 = 30 * 86_400;
/// A backup that is older may miss much.
const OLD_BACKUP_SECONDS: u64 = 180 * 86_400;

/// Check the keystore, and say how to repair what is wrong
///
/// Checks file permissions, unreadable files, expiring keys, the clock, duplicate addresses, a test encryption per identity,
/// and the last backup. Changes nothing. Exit 1 only if something cannot be opened.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Locked], "\
  $ encl doctor
  $ encl doctor --json | grep '\"bad\"' || echo nothing is broken"))]
pub(crate) struct Arguments {
    /// Also test identities protected by a passphrase, which you are asked for
    #[arg(long)]
    open: bool,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    /// It is as it should be.
    Fine,
    /// It should be looked at.
    Note,
    /// It does not open.
    Bad,
}

/// `encl.doctor/1`, one for each thing.
#[derive(PartialEq, Eq, Serialize)]
struct Line {
    schema: &'static str,
    level: Level,
    about: String,
    says: String,
    mend: Option<String>,
}

struct Doctor<'a> {
    context: &'a Context,
    keystore: Keystore,
    lines: Vec<Line>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let mut doctor = Doctor {
        context,
        keystore: context.keystore.clone(),
        lines: Vec::new(),
    };
    doctor.look_at_files();
    doctor.look_at_clock();
    // What does not open was said; what does is looked at more closely.
    let identities = doctor.keystore.identities();
    if identities.as_ref().is_ok_and(Vec::is_empty) {
        doctor.note("identities", "you have none", Some("encl key new ADDRESS"));
    }
    let identities = identities.unwrap_or_default();
    let people: Vec<Person> = (identities.iter().map(|one| &one.card))
        .map(|card| Person {
            card: card.clone(),
            trust: Trust::Me,
        })
        .collect();
    let keys = Keys::new(context, &people);
    for identity in &identities {
        doctor.look_at_identity(identity, &keys, arguments.open);
    }
    doctor.look_at_people();
    doctor.look_at_backup(&identities);
    doctor.tell()
}

impl Doctor<'_> {
    fn add(&mut self, level: Level, about: &str, says: &str, mend: Option<&str>) {
        let line = Line {
            schema: "encl.doctor/1",
            level,
            about: about.to_owned(),
            says: says.to_owned(),
            mend: mend.map(str::to_owned),
        };
        // A file that several things depend on is told once.
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    fn note(&mut self, about: &str, says: &str, mend: Option<&str>) {
        self.add(Level::Note, about, says, mend);
    }

    fn fine(&mut self, about: &str, says: &str) {
        self.add(Level::Fine, about, says, None);
    }

    fn look_at_files(&mut self) {
        let place = shown(self.keystore.root());
        match std::fs::metadata(self.keystore.root()) {
            Ok(_) => {}
            // Not a link that leads nowhere.
            Err(error)
                if error.kind() == ErrorKind::NotFound && !self.keystore.root().is_symlink() =>
            {
                return self.note(
                    &place,
                    "it does not exist yet",
                    Some("encl key new ADDRESS"),
                );
            }
            Err(error) => return self.add(Level::Bad, &place, &io_message(&error), None),
        }
        let findings = self.keystore.examine();
        if !findings
            .iter()
            .any(|finding| matches!(finding, Finding::Fault(_)))
        {
            self.fine(&place, "every file opens, and is private");
        }
        for finding in findings {
            match finding {
                Finding::Fault(error) => self.fault(&error),
                Finding::Leftover(path) => {
                    let rm = format!("rm -r {}", quoted(Some(&path)));
                    self.note(
                        &shown(&path),
                        "left over from an interrupted run; it can be removed",
                        Some(&rm),
                    );
                }
                Finding::Unexpected(path) => {
                    self.note(
                        &shown(&path),
                        "not a file of a keystore; it is ignored",
                        None,
                    );
                }
                Finding::SharedAddress { address, ids } => {
                    let says = format!("{} people have this address", ids.len());
                    let mend = "encl contact list; encl contact remove FINGERPRINT";
                    self.note(&safe(&address), &says, Some(mend));
                }
                Finding::MissingMember { group, id } => {
                    let says = format!("{id} is not a contact, so the group cannot be used");
                    let mend = format!("encl contact add CARD, or encl group remove {group} {id}");
                    self.note(&format!("@{group}"), &says, Some(&mend));
                }
            }
        }
    }

    fn fault(&mut self, error: &KeystoreError) {
        let words = |error: &std::io::Error| io_message(error);
        let (path, says, mend): (Option<&Path>, _, _) = match error {
            KeystoreError::OpenToOthers { path, .. } => {
                let mend = format!("chmod go= {}", quoted(Some(path)));
                (Some(path), error.to_string(), Some(mend))
            }
            KeystoreError::Damaged { path, what } => {
                let state = self.context.state.as_ref();
                let mend = match state.is_some_and(|state| path.starts_with(state)) {
                    true => "move it away, then verify your contacts again",
                    false => "move it away, then encl restore BACKUP",
                };
                let says = format!("it cannot be opened: {what}");
                (Some(path), says, Some(mend.to_owned()))
            }
            KeystoreError::NotA { path, due } => (Some(path), format!("it is not a {due}"), None),
            KeystoreError::System { path, source, .. } => (Some(path), words(source), None),
            other => (None, other.to_string(), None),
        };
        let about = shown(path.unwrap_or(self.keystore.root()));
        self.add(Level::Bad, &about, &safe(&says), mend.as_deref());
    }

    fn look_at_clock(&mut self) {
        match self.keystore.clock_went_back(self.context.now) {
            None => self.fine("clock", "it has not gone backwards"),
            Some(latest) => {
                let says = format!(
                    "it says {}, but this keystore was used at {}: dates cannot be checked",
                    time::local(self.context.now),
                    time::local(latest)
                );
                let path = self.keystore.clock_path();
                let mend = format!(
                    "set the clock, or if the later time was wrong: rm {}",
                    quoted(Some(&path))
                );
                self.note("clock", &says, Some(&mend));
            }
        }
    }

    fn look_at_identity(&mut self, identity: &StoredIdentity, keys: &Keys<'_>, open: bool) {
        let card = &identity.card;
        let who = format!("identity {}", card.display_name());
        let address = quoted(card.addresses().first().map(Path::new));
        if identity.standing == Standing::Active {
            let current = CardKey::current(card.keys(), self.context.now);
            let renew = format!("encl key renew {address}");
            match current.map(|key| key.expires) {
                None => self.note(
                    &who,
                    "its key has expired: nobody can encrypt for you",
                    Some(&renew),
                ),
                Some(Some(end)) if self.is_soon(end) => {
                    let says = format!("its key expires at {}", time::local(end));
                    self.note(&who, &says, Some(&renew));
                }
                Some(_) => {}
            }
        }
        let secret = self.keystore.secret(&card.id());
        match secret {
            // That was said.
            Err(_) => return,
            Ok(StoredSecret::Plain(_)) => {
                let mend = format!("encl key passphrase {address}");
                self.note(
                    &who,
                    "no passphrase protects its private keys: anybody who can read the file has them",
                    Some(&mend),
                );
            }
            Ok(StoredSecret::Locked(locked)) => {
                let is_unlocked = crate::cli::secrets::kernel_keyring::CachedSecret::find(
                    &locked,
                    self.context.now,
                )
                .is_some();
                if !open && !is_unlocked {
                    self.fine(&who, "protected by a passphrase; --open tests it");
                    return;
                }
            }
        }
        match self.self_test(identity, keys) {
            Ok(()) => self.fine(
                &who,
                "it can be opened, and a test encryption for it succeeded",
            ),
            Err(failure) => {
                let says = [&[failure.what][..], &failure.reasons].concat().join(": ");
                let mend = "encl restore BACKUP, or encl key paper --restore";
                self.add(Level::Bad, &who, &safe(&says), Some(mend));
            }
        }
    }

    /// Test envelopes to the identity's card, opened with its private keys.
    fn self_test(&self, identity: &StoredIdentity, keys: &Keys<'_>) -> Result<(), Failure> {
        let private = keys.identity(identity.card.id())?;
        let tried = self_test(private, &identity.card, &mut self.context.rng());
        tried.map_err(|error| keystore::failure("a test envelope for it cannot be opened", &error))
    }

    fn look_at_people(&mut self) {
        let Ok(people) = self.context.people() else {
            return;
        };
        let Ok(names) = people.names() else {
            return;
        };
        let now = self.context.now;
        let mut counts = [0_usize; 4];
        let ids = names.iter().map(|names| (names.id, ())).collect();
        let read = people.with_ids(ids, |found, ()| {
            let has_key = CardKey::current(found.card.keys(), now).is_some();
            (found.trust, has_key)
        });
        for found in read.into_iter().flatten().flatten() {
            match found {
                (Trust::Me, _) => {}
                (Trust::Changed, _) => counts[0] += 1,
                (Trust::Unproven, _) => counts[1] += 1,
                (trust, false) if !trust.blocks_use() => counts[2] += 1,
                (Trust::Unverified, _) => counts[3] += 1,
                _ => {}
            }
        }
        let notes = [
            (
                "changed: nothing is encrypted for them",
                "encl contact list; encl contact verify WHO",
            ),
            (
                "verified on another machine, or by somebody else: they count as unverified here",
                "encl contact verify WHO",
            ),
            (
                "without a valid key: all have expired",
                "ask them for a new card",
            ),
            ("not verified yet", "encl contact verify WHO"),
        ];
        for (count, (says, mend)) in counts.into_iter().zip(notes) {
            if count > 0 {
                let about = match count {
                    1 => "1 contact".to_owned(),
                    _ => format!("{count} contacts"),
                };
                self.note(&about, says, Some(mend));
            }
        }
    }

    fn look_at_backup(&mut self, identities: &[StoredIdentity]) {
        if identities.is_empty() {
            return;
        }
        let mend = "encl backup -o FILE";
        let Ok(last) = self.keystore.last_backup() else {
            return;
        };
        let Some(last) = last else {
            return self.note("backup", "no backup is known on this machine", Some(mend));
        };
        let since = time::local(last);
        let changed = identities.iter().any(|one| one.card.created() > last);
        let age = self.context.now.unix().saturating_sub(last.unix());
        if changed {
            let says = format!("an identity was created or changed after the last one, {since}");
            self.note("backup", &says, Some(mend));
        } else if age > OLD_BACKUP_SECONDS {
            self.note(
                "backup",
                &format!("the last one is from {since}"),
                Some(mend),
            );
        } else {
            self.fine("backup", &format!("the last one is from {since}"));
        }
    }

    fn is_soon(&self, end: Time) -> bool {
        end.unix() < self.context.now.unix() + SOON_SECONDS
    }

    fn tell(self) -> CommandResult {
        let terminal = self.context.terminal;
        let is_bad = self.lines.iter().any(|line| line.level == Level::Bad);
        for line in &self.lines {
            if self.context.json {
                terminal.print_object(line, Stream::Stdout)?;
                continue;
            }
            let level = match line.level {
                Level::Fine => "fine",
                Level::Note => "note",
                Level::Bad => "BAD ",
            };
            terminal.print(&format!("{level}  {}: {}", line.about, line.says))?;
            if let Some(mend) = &line.mend {
                terminal.print(&format!("      to repair it: {mend}"))?;
            }
        }
        match is_bad {
            true => Err(CommandError::Reported(Exit::Failed)),
            false => Ok(()),
        }
    }
}
