//! What a check-up of the keystore found, and how to mend it, in one line each.

use std::path::Path;

use encl::identity::Card;
use encl::keystore::{Finding as FileFinding, Keystore, KeystoreError};
use encl::operations::check_up::{ContactFinding, Finding, IdentityFinding, Level};
use encl::time::Time;
use serde::{Serialize, Serializer};

use crate::cli::display::names::DisplayName;
use crate::cli::display::time;
use crate::cli::errors::{Failure, io_message, keystore};
use crate::cli::terminal::{quoted, safe, shown};

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

impl Line {
    /// For people: what was found, and how to mend it.
    pub(crate) fn text(&self) -> String {
        let level = match self.level {
            Level::Fine => "fine",
            Level::Note => "note",
            Level::Bad => "BAD ",
        };
        let mend = self.mend.as_ref();
        let mend = mend.map_or_else(String::new, |mend| format!("\n      to mend it: {mend}"));
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
        let new = "encl key new ADDRESS";
        match finding {
            Finding::NoKeystore => words(&root(), "it is not there yet", Some(new)),
            Finding::Unreachable(error) => words(&root(), &io_message(error), None),
            Finding::FilesFine => words(&root(), "every file opens, and is private", None),
            Finding::File(file) => self.describe_file(file),
            Finding::ClockFine => words("clock", "it runs forward", None),
            Finding::ClockWentBack { latest, record } => {
                let says = format!(
                    "it says {}, but this keystore was used at {}: dates cannot be judged",
                    time::local(self.now),
                    time::local(*latest)
                );
                let mend = format!(
                    "set the clock right, or if that time was the wrong one: rm {}",
                    quoted(Some(record))
                );
                words("clock", &says, Some(&mend))
            }
            Finding::NoIdentities => words("identities", "you have none", Some(new)),
            Finding::Identity(card, finding) => describe_identity(card, finding),
            Finding::Contacts(count, finding) => describe_contacts(*count, *finding),
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
                "a killed run left it; it means nothing",
                Some(&format!("rm -r {}", quoted(Some(path)))),
            ),
            FileFinding::Unexpected(path) => words(
                &shown(path),
                "nothing that a keystore has; it is not looked at",
                None,
            ),
            FileFinding::SharedAddress { address, ids } => words(
                &safe(address),
                &format!("{} people have this address", ids.len()),
                Some("encl contact list; encl contact remove FINGERPRINT"),
            ),
            FileFinding::MissingMember { group, id } => words(
                &format!("@{group}"),
                &format!("{id} is no contact, and it cannot be wrapped for"),
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
                    true => "move it away; whom you verified has to be compared again",
                    false => "move it away, then encl restore BACKUP",
                };
                let says = format!("it does not open: {what}");
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
    let renew = format!("encl key renew {address}");
    let restore = "encl restore BACKUP, or encl key paper --restore";
    let (says, mend) = match finding {
        IdentityFinding::Expired => (
            "its key has ended: nobody can seal for you".to_owned(),
            Some(renew),
        ),
        IdentityFinding::ExpiresSoon(end) => (
            format!("its key ends at {}", time::local(*end)),
            Some(renew),
        ),
        IdentityFinding::Unprotected => (
            "whoever reads its file has the private keys: no passphrase protects them".to_owned(),
            Some(format!("encl key passphrase {address}")),
        ),
        IdentityFinding::NotTested => ("behind a passphrase; --open tries it".to_owned(), None),
        IdentityFinding::Opens => (
            "it opens, and so does what is sealed to it".to_owned(),
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
            let failure = keystore::failure("a test envelope to it does not open", error);
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
            "changed: nothing is sealed for them",
            "encl contact list; encl contact verify WHO",
        ),
        ContactFinding::Unproven => (
            "verified on another machine, or by somebody else: they count as unverified here",
            "encl contact verify WHO",
        ),
        ContactFinding::Expired => (
            "without a key that has not ended",
            "ask them for a new card",
        ),
        ContactFinding::Unverified => ("not verified yet", "encl contact verify WHO"),
    };
    words(&about, says, Some(mend))
}

fn describe_backup(finding: &Finding) -> Words {
    let make = Some("encl backup -o FILE");
    let last = |time: &Time| format!("the last one is of {}", time::local(*time));
    match finding {
        Finding::BackupMissesChanges(time) => {
            let time = time::local(*time);
            let says = format!("an identity was made or changed since the last one, {time}");
            words("backup", &says, make)
        }
        Finding::BackupOld(time) => words("backup", &last(time), make),
        Finding::BackupFine(time) => words("backup", &last(time), None),
        _ => words(
            "backup",
            "there was none yet, as far as is known here",
            make,
        ),
    }
}
