//! What a check-up of the keystore found, and how to mend it, in one line each.

use std::path::Path;

use encl::identity::Card;
use encl::keystore::{Finding as FileFinding, Keystore, KeystoreError};
use encl::operations::check_up::{ContactFinding, Finding, IdentityFinding, Level};
use encl::time::Time;
use serde::{Serialize, Serializer};

use crate::cli::display::names::{DisplayName, renewal};
use crate::cli::display::report::Report;
use crate::cli::display::time;
use crate::cli::errors::{Failure, io_message, keystore};
use crate::cli::terminal::stdout::StdoutError;
use crate::cli::terminal::{Terminal, quoted, safe, shown};

/// `encl.doctor/1`, one for each finding.
#[derive(PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    schema: &'static str,
    #[serde(serialize_with = "level_name")]
    pub(crate) level: Level,
    about: String,
    says: String,
    mend: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn level_name<S: Serializer>(level: &Level, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match level {
        Level::Fine => "fine",
        Level::Note => "note",
        Level::Bad => "bad",
    })
}

impl Report for Line {
    type Object<'a> = &'a Self;

    fn object(&self) -> &Self {
        self
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        terminal.print(&self.text())
    }
}

impl Line {
    /// For people: what was found, and how to mend it.
    fn text(&self) -> String {
        let level = match self.level {
            Level::Fine => "fine",
            Level::Note => "note",
            Level::Bad => "BAD ",
        };
        let mend = self.mend.as_ref();
        let mend = mend.map_or_else(String::new, |mend| format!("\n      to repair it: {mend}"));
        format!("{level}  {}: {}{mend}", self.about, self.says)
    }
}

/// The places and the time that findings are about.
pub(crate) struct Scene<'a> {
    pub(crate) keystore: &'a Keystore,
    /// The folder for the state of this machine.
    pub(crate) state: Option<&'a Path>,
    pub(crate) now: Time,
}

/// About what, what was found, and how to mend it.
type Words = (String, String, Option<String>);

impl Scene<'_> {
    /// A line for each finding; equal ones, such as a file that several things depend on, are shown once.
    pub(crate) fn lines(&self, findings: &[Finding]) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for finding in findings {
            let (about, says, mend) = self.describe(finding);
            let line = Line {
                schema: "encl.doctor/1",
                level: finding.level(),
                about,
                says,
                mend,
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    fn describe(&self, finding: &Finding) -> Words {
        let root = || shown(self.keystore.root());
        let new = "encl restore BACKUP, encl key import FILE or encl key paper --restore; or else encl key new ADDRESS";
        match finding {
            Finding::NoKeystore => words(&root(), "it does not exist yet", Some(new)),
            Finding::Unreachable(error) => words(&root(), &io_message(error), None),
            Finding::FilesFine => words(&root(), "every file opens, and is private", None),
            Finding::File(file) => self.describe_file(file),
            Finding::ClockFine => words("clock", "it has not gone backwards", None),
            Finding::ClockWentBack { latest, record } => {
                let says = format!(
                    "it says {}, but this keystore was used at {}: dates cannot be checked",
                    time::local(self.now),
                    time::local(*latest)
                );
                let mend = format!(
                    "set the clock, or if the later time was wrong: rm {}",
                    quoted(Some(record))
                );
                words("clock", &says, Some(&mend))
            }
            Finding::NoIdentities => words("identities", "you have none", Some(new)),
            Finding::Identity(card, finding) => describe_identity(card, finding),
            Finding::Contacts(count, finding) => describe_contacts(*count, *finding),
            Finding::Unfit(card, fault) => words(
                &format!("contact {}", card.display_name()),
                &format!("{fault}: only its addresses and its fingerprint find it"),
                Some("ask for a card with another name or address"),
            ),
            Finding::NoBackup
            | Finding::BackupMissesChanges(_)
            | Finding::BackupOld(_)
            | Finding::BackupFine(_) => describe_backup(finding),
        }
    }

    fn describe_file(&self, file: &FileFinding) -> Words {
        match file {
            FileFinding::Fault(error) => self.fault(error),
            FileFinding::Leftover(path) => words(
                &shown(path),
                "left over from an interrupted run; it can be removed",
                Some(&format!("rm -r {}", quoted(Some(path)))),
            ),
            FileFinding::Unexpected(path) => words(
                &shown(path),
                "not a file of a keystore; it is ignored",
                None,
            ),
            FileFinding::SharedAddress { address, ids } => words(
                &safe(address),
                &format!("{} people have this address", ids.len()),
                Some("encl contact list; encl contact remove FINGERPRINT"),
            ),
            FileFinding::MissingMember { group, id } => words(
                &format!("@{group}"),
                &format!("{id} is not a contact, so the group cannot be used"),
                Some(&format!(
                    "encl contact add CARD, or encl group remove {group} {id}"
                )),
            ),
        }
    }

    fn fault(&self, error: &KeystoreError) -> Words {
        let (path, says, mend): (Option<&Path>, _, _) = match error {
            KeystoreError::OpenToOthers { path, .. } => {
                let mend = format!("chmod go= {}", quoted(Some(path)));
                (Some(path), error.to_string(), Some(mend))
            }
            KeystoreError::Damaged { path, what } => {
                let mend = match self.state.is_some_and(|state| path.starts_with(state)) {
                    true => "move it away, then verify your contacts again",
                    false => "move it away, then encl restore BACKUP",
                };
                let says = format!("it cannot be opened: {what}");
                (Some(path), says, Some(mend.to_owned()))
            }
            KeystoreError::NotA { path, due } => (Some(path), format!("it is not a {due}"), None),
            KeystoreError::System { path, source, .. } => (Some(path), io_message(source), None),
            other => (None, other.to_string(), None),
        };
        let about = shown(path.unwrap_or(self.keystore.root()));
        (about, safe(&says), mend)
    }
}

fn words(about: &str, says: &str, mend: Option<&str>) -> Words {
    (about.to_owned(), says.to_owned(), mend.map(str::to_owned))
}

fn describe_identity(card: &Card, finding: &IdentityFinding) -> Words {
    let address = quoted(card.addresses().first().map(Path::new));
    let renew = renewal(card.addresses());
    let restore = "encl restore BACKUP, or encl key paper --restore";
    let (says, mend) = match finding {
        IdentityFinding::Unfit(fault) => (
            format!("{fault}: others refuse its card"),
            Some(format!(
                "encl key new {address}, once you removed or replaced this one"
            )),
        ),
        IdentityFinding::Expired => (
            "its key has expired: nobody can encrypt for you".to_owned(),
            Some(renew),
        ),
        IdentityFinding::ExpiresSoon(end) => (
            format!("its key expires at {}", time::local(*end)),
            Some(renew),
        ),
        IdentityFinding::Unprotected => (
            "no passphrase protects its private keys: anybody who can read the file has them"
                .to_owned(),
            Some(format!("encl key passphrase {address}")),
        ),
        IdentityFinding::NotTested => (
            "protected by a passphrase; --open tests it".to_owned(),
            None,
        ),
        IdentityFinding::Opens => (
            "it can be opened, and a test encryption for it succeeded".to_owned(),
            None,
        ),
        IdentityFinding::Locked(error) => {
            let says = match error.downcast_ref() {
                Some(failure) => in_one_line(failure),
                None => safe(&error.to_string()),
            };
            (says, Some(restore.to_owned()))
        }
        IdentityFinding::DoesNotOpen(error) => {
            let failure = keystore::failure("a test envelope for it cannot be opened", error);
            (in_one_line(&failure), Some(restore.to_owned()))
        }
    };
    (format!("identity {}", card.display_name()), says, mend)
}

fn in_one_line(failure: &Failure) -> String {
    let reasons = [std::slice::from_ref(&failure.what), &failure.reasons];
    safe(&reasons.concat().join(": "))
}

fn describe_contacts(count: usize, finding: ContactFinding) -> Words {
    let about = match count {
        1 => "1 contact".to_owned(),
        _ => format!("{count} contacts"),
    };
    let (says, mend) = match finding {
        ContactFinding::Changed => (
            "changed: nothing is encrypted for them",
            "encl contact list; encl contact verify WHO",
        ),
        ContactFinding::Unproven => (
            "verified on another machine, or by somebody else: they count as unverified here",
            "encl contact verify WHO",
        ),
        ContactFinding::Expired => (
            "without a valid key: all have expired",
            "ask them for a new card",
        ),
        ContactFinding::Unverified => ("not verified yet", "encl contact verify WHO"),
    };
    words(&about, says, Some(mend))
}

fn describe_backup(finding: &Finding) -> Words {
    let make = Some("encl backup -o FILE");
    let last = |time: &Time| format!("the last one is from {}", time::local(*time));
    match finding {
        Finding::BackupMissesChanges(time) => {
            let time = time::local(*time);
            let says = format!("an identity was created or changed after the last one, {time}");
            words("backup", &says, make)
        }
        Finding::BackupOld(time) => words("backup", &last(time), make),
        Finding::BackupFine(time) => words("backup", &last(time), None),
        _ => words("backup", "no backup is known on this machine", make),
    }
}
