//! How a command ends: the exit codes, and a failure as people and programs read it.

pub(crate) mod cards;
pub(crate) mod directory;
pub(crate) mod envelope;
pub(crate) mod files;
pub(crate) mod gate;
pub(crate) mod keystore;
pub(crate) mod mail;
pub(crate) mod quorum;
pub(crate) mod rewrite;
pub(crate) mod seal;
pub(crate) mod sysexits;

use std::path::{Path, PathBuf};

use encl::crypto::passphrase::PassphraseError;
use serde::Serialize;

use crate::cli::terminal::Terminal;

/// Every way to fail, with the code that the process returns. 0 is "done, and safely on disk".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Failed = 1,
    Usage = 2,
    NotForYou = 3,
    Damaged = 4,
    Refused = 5,
    Locked = 6,
    Recipient = 7,
    Exists = 8,
    Newer = 9,
}

impl Exit {
    /// In the order of their codes.
    pub(crate) const ALL: [Self; 9] = [
        Self::Failed,
        Self::Usage,
        Self::NotForYou,
        Self::Damaged,
        Self::Refused,
        Self::Locked,
        Self::Recipient,
        Self::Exists,
        Self::Newer,
    ];

    /// What the process returns.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The word that scripts find as `code` in `encl.error/1`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotForYou => "not_for_you",
            Self::Damaged => "damaged",
            Self::Refused => "refused",
            Self::Locked => "locked",
            Self::Recipient => "recipient",
            Self::Exists => "exists",
            Self::Newer => "newer",
        }
    }

    /// One line for the tables in the help texts.
    pub(crate) fn means(self) -> &'static str {
        match self {
            Self::Failed => "operating system error: not found, permission, disk full, broken pipe",
            Self::Usage => "the command line is wrong",
            Self::NotForYou => "none of my keys can open it",
            Self::Damaged => {
                "truncated, altered, not an envelope, forged, or not signed as required"
            }
            Self::Refused => "the policy forbids it (dates, quorum), or a signature would be lost",
            Self::Locked => "a passphrase is wrong, missing or was cancelled",
            Self::Recipient => "a recipient cannot be used: unknown, ambiguous, changed, expired",
            Self::Exists => "the target exists, or is the input",
            Self::Newer => "made by a newer encl, or damaged",
        }
    }

    /// The exit for a passphrase that cannot be used: not all of them are about the passphrase.
    pub(crate) fn of_passphrase(error: PassphraseError) -> Self {
        match error {
            PassphraseError::Empty | PassphraseError::TooLong => Self::Locked,
            PassphraseError::Memory(_) => Self::Failed,
        }
    }

    /// The exit that an error class of the format maps onto.
    pub(crate) fn of_class(class: &str) -> Self {
        match class {
            "truncated" | "mangled" | "not-an-envelope" | "malformed" | "over-limit" | "slot"
            | "header" | "damaged" | "signature" => Self::Damaged,
            "no-key" => Self::NotForYou,
            "passphrase" => Self::Locked,
            "quorum" | "refused" => Self::Refused,
            "newer" => Self::Newer,
            _ => Self::Failed,
        }
    }
}

/// What was attempted, why it did not work, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// The error class of the format, where one applies.
    pub(crate) class: Option<&'static str>,
    /// "cannot unwrap report.pdf.encl"
    pub(crate) what: String,
    /// Each one clause: "none of your identities is named in its policy"
    pub(crate) reasons: Vec<String>,
    pub(crate) hint: Option<String>,
    pub(crate) file: Option<PathBuf>,
    /// What the process returns, where that is another code than that of `exit`.
    pub(crate) code: Option<u8>,
}

impl Failure {
    /// `what` is "cannot …".
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            class: None,
            what: what.into(),
            reasons: Vec::new(),
            hint: None,
            file: None,
            code: None,
        }
    }

    /// What the process returns.
    pub(crate) fn code(&self) -> u8 {
        self.code.unwrap_or(self.exit.code())
    }

    /// The system's own words for an error, without "(os error 2)".
    pub(crate) fn io(what: impl Into<String>, error: &std::io::Error) -> Self {
        Self::new(Exit::Failed, what).reason(io_message(error))
    }

    /// This failure with another exit code.
    pub(crate) fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    pub(crate) fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reasons.push(reason.into());
        self
    }

    /// An error and everything that caused it, one clause each.
    pub(crate) fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            match error.downcast_ref::<std::io::Error>() {
                Some(error) => self.reasons.push(io_message(error)),
                None => self.reasons.push(error.to_string()),
            }
            next = error.source();
        }
        self.reasons.dedup();
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// The lines that a person reads.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("encl: error: {}", self.what)];
        let reasons = self.reasons.iter().enumerate();
        lines.extend(reasons.map(|(n, reason)| match n {
            0 => format!("encl:   because {reason}"),
            _ => format!("encl:   {reason}"),
        }));
        lines.extend(self.hint.iter().map(|hint| format!("encl: hint: {hint}")));
        lines
    }

    /// The object that a program reads.
    pub(crate) fn object(&self) -> ErrorObject<'_> {
        let message = std::iter::once(&self.what).chain(&self.reasons);
        ErrorObject {
            schema: "encl.error/1",
            code: self.exit.name(),
            exit: self.code(),
            class: self.class,
            file: self
                .file
                .as_ref()
                .map(|file| file.to_string_lossy().into_owned()),
            message: message.cloned().collect::<Vec<_>>().join(": "),
            hint: self.hint.as_deref(),
        }
    }
}

/// `encl.error/1`, in the documented order.
#[derive(Serialize)]
pub(crate) struct ErrorObject<'a> {
    schema: &'a str,
    code: &'a str,
    exit: u8,
    class: Option<&'a str>,
    file: Option<String>,
    message: String,
    hint: Option<&'a str>,
}

/// "No such file or directory (os error 2)" without its number, in lower case.
pub(crate) fn io_message(error: &std::io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// Why a command stops: a failure that is still to be reported, or failures that were reported already.
#[derive(Debug)]
pub(crate) enum CommandError {
    Failure(Failure),
    Reported(Exit),
    /// Told already, with a code of sysexits.h.
    Code(u8),
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// How every command ends.
pub(crate) type CommandResult = Result<(), CommandError>;

/// Counts the failures of several inputs, each of which stands alone.
#[derive(Default)]
pub(crate) struct Tally {
    exits: Vec<Exit>,
}

impl Tally {
    /// Tells a failure at once and remembers its exit code.
    pub(crate) fn add(&mut self, terminal: Terminal, result: Result<(), Failure>) {
        if let Err(failure) = result {
            terminal.error(&failure.lines(), &failure.object());
            self.exits.push(failure.exit);
        }
    }

    /// How many there were.
    pub(crate) fn failures(&self) -> usize {
        self.exits.len()
    }

    /// The exit code that all failures share, else 1.
    pub(crate) fn end(self) -> CommandResult {
        match self.exits.split_first() {
            None => Ok(()),
            Some((first, rest)) if rest.iter().all(|exit| exit == first) => {
                Err(CommandError::Reported(*first))
            }
            Some(_) => Err(CommandError::Reported(Exit::Failed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_one_to_nine_and_names_differ() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let names: std::collections::HashSet<_> = Exit::ALL.iter().map(|e| e.name()).collect();
        assert_eq!(names.len(), 9);
    }

    #[test]
    fn a_failure_tells_what_because_and_hint() {
        let mut failure = Failure::new(Exit::NotForYou, "cannot unwrap a.encl")
            .reason("none of your identities is named in its policy")
            .hint("`encl key list` shows your identities")
            .file(Path::new("a.encl"));
        failure.class = Some("no-key");
        assert_eq!(
            failure.lines(),
            [
                "encl: error: cannot unwrap a.encl",
                "encl:   because none of your identities is named in its policy",
                "encl: hint: `encl key list` shows your identities",
            ]
        );
        assert_eq!(
            crate::cli::terminal::object(&failure.object()),
            concat!(
                r#"{"schema":"encl.error/1","code":"not_for_you","exit":3,"class":"no-key","file":"a.encl","#,
                r#""message":"cannot unwrap a.encl: none of your identities is named in its policy","#,
                r#""hint":"`encl key list` shows your identities"}"#
            )
        );
    }

    #[test]
    fn several_failures_share_their_code_or_are_one() {
        let end = |exits: &[Exit]| {
            let tally = Tally {
                exits: exits.to_vec(),
            };
            match tally.end() {
                Ok(()) => 0,
                Err(CommandError::Reported(exit)) => exit.code(),
                Err(CommandError::Failure(_) | CommandError::Code(_)) => unreachable!(),
            }
        };
        assert_eq!(end(&[]), 0);
        assert_eq!(end(&[Exit::Damaged, Exit::Damaged]), 4);
        assert_eq!(end(&[Exit::Damaged, Exit::NotForYou]), 1);
    }

    #[test]
    fn system_words_lose_their_number() {
        let error = std::io::Error::from_raw_os_error(2);
        assert_eq!(io_message(&error), "no such file or directory");
    }
}
