//! What stops a command: what was attempted, why it does not work, and what to do.

use std::fmt;
use std::path::Path;

/// What stops a command.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    because: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>, because: impl fmt::Display) -> Self {
        Self {
            what: what.into(),
            because: because.to_string(),
            hint: None,
        }
    }

    /// Something with a file does not work.
    pub(crate) fn file(verb: &str, path: &Path, because: impl fmt::Display) -> Self {
        Self::new(format!("cannot {verb} {}", path.display()), because)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "encl-gate: error: {}", self.what)?;
        write!(f, "\nencl-gate:   because {}", self.because)?;
        match &self.hint {
            Some(hint) => write!(f, "\nencl-gate: hint: {hint}"),
            None => Ok(()),
        }
    }
}
