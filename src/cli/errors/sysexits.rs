//! How `mail send` and `mail deliver` end: the codes that mail programs act on (sysexits.h).

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::cli::errors::{CommandError, CommandResult, Exit, Failure};

/// The codes, with the numbers of sysexits.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Sysexit {
    Usage = 64,
    DataErr = 65,
    NoUser = 67,
    Unavailable = 69,
    CantCreate = 73,
    IoErr = 74,
    TempFail = 75,
    Protocol = 76,
    NoPerm = 77,
    Config = 78,
}

impl Sysexit {
    /// What the process returns.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The code for an exit where nothing more is known: what is not certainly permanent is to be tried again.
    fn of(exit: Exit) -> Self {
        match exit {
            Exit::Usage => Self::Usage,
            Exit::Recipient => Self::NoUser,
            Exit::Exists => Self::CantCreate,
            // The keystore is damaged here; a damaged message has a code of its own.
            Exit::Failed | Exit::Locked | Exit::Damaged => Self::TempFail,
            Exit::Newer => Self::Protocol,
            Exit::NotForYou | Exit::Refused => Self::NoPerm,
        }
    }
}

impl Failure {
    /// The failure with a code that mail programs act on.
    pub(crate) fn sysexit(self, code: Sysexit) -> Self {
        self.passing_on(code.code())
    }

    /// The failure with the code of another program.
    pub(crate) fn passing_on(mut self, code: u8) -> Self {
        self.code = Some(code);
        self
    }
}

/// What `mail send` cannot do.
pub(crate) const CANNOT_SEND: &str = "cannot send the message";

/// A message cannot be sent.
pub(crate) fn cannot_send(exit: Exit) -> Failure {
    Failure::new(exit, CANNOT_SEND)
}

/// The table for help texts.
pub(crate) const TABLE: &str = "\
  0   done
  64  the command line is wrong
  65  it is not a message, or its addresses cannot be read
  67  a recipient is unknown, or cannot be used
  69  the program after `--` cannot be run
  73  the target exists
  74  standard output, or a copy, could not be written
  75  try again later: keystore locked or broken, disk full, and the like
  76  made by a newer encl, or damaged
  77  not for you, or the policy forbids it
  78  the set-up is wrong: none of your identities has the address in From
  any other: what the program after `--` returned";

/// Runs a command whose codes mail programs act on. Nothing that goes wrong in an unforeseen way is taken for permanent.
pub(crate) fn ended(run: impl FnOnce() -> CommandResult) -> CommandResult {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Err(CommandError::Failure(failure))) => Err(coded(failure).into()),
        Ok(Err(CommandError::Reported(exit))) => Err(CommandError::Code(Sysexit::of(exit).code())),
        Ok(other) => other,
        Err(_) => Err(CommandError::Code(Sysexit::TempFail.code())),
    }
}

/// The failure with its code, if it has none yet.
fn coded(failure: Failure) -> Failure {
    let code = Sysexit::of(failure.exit);
    let is_known = failure.code.is_some();
    if is_known {
        failure
    } else {
        failure.sysexit(code)
    }
}
