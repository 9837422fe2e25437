//! An envelope that was opened or verified, in words and as JSON.

use std::fmt::Write as _;

use encl::directory::{People, Signer};
use encl::envelope::{Admission, GrantLink, NoRecord, Opened};
use encl::time::Time;
use serde::Serialize;

use crate::cli::display::names::DisplayName;
use crate::cli::display::report::Report;
use crate::cli::display::time;
use crate::cli::terminal::Terminal;
use crate::cli::terminal::stdout::StdoutError;

/// What unwrap and verify report of one envelope.
pub(crate) struct OpenedEnvelope<'a> {
    /// What the sentence begins with: "report.pdf.encl is intact", or the output.
    pub(crate) name: String,
    pub(crate) file: String,
    /// Where the content went; `None`: it was only verified.
    pub(crate) output: Option<String>,
    pub(crate) opened: &'a Opened,
    pub(crate) people: &'a People,
    pub(crate) bytes: u64,
}

impl OpenedEnvelope<'_> {
    fn signer(&self) -> Option<Signer> {
        self.opened.signer().map(|id| self.people.signer(id))
    }
}

impl Report for OpenedEnvelope<'_> {
    type Object<'o>
        = Object
    where
        Self: 'o;

    fn object(&self) -> Object {
        let admission = &self.opened.admission;
        Object {
            schema: match self.output {
                Some(_) => "encl.unwrap/1",
                None => "encl.verify/1",
            },
            file: self.file.clone(),
            output: self.output.clone(),
            id: self.opened.manifest.id.to_string(),
            signer: self.signer(),
            access: access(admission),
            path: steps(admission).iter().map(StepObject::of).collect(),
            bytes: self.bytes,
        }
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        let from = from(self.signer().as_ref());
        let grants = describe_grants(self.opened, self.people);
        terminal.status(&format!("{}, {from}{grants}", self.name));
        Ok(())
    }
}

/// "; encrypted for Bob (not verified yet), who gave you access on 2026-11-24 07:24:00 +01:00"
pub(crate) fn describe_grants(about: &Opened, people: &People) -> String {
    let path = match &about.admission {
        Admission::Named => return String::new(),
        Admission::Unrecorded(what) => return format!("; {}", no_record(*what)),
        Admission::Granted(path) => path,
    };
    let name = |id| people.signer(id).display_name();
    let mut let_in = path.iter().rev().peekable();
    let by = let_in.peek().map(|step| step.by);
    let mut text = match by {
        Some(by) if about.signer() != Some(by) => format!("; encrypted for {}, who", name(by)),
        _ => "; its author".to_owned(),
    };
    while let Some(step) = let_in.next() {
        let (who, then) = match let_in.peek() {
            None => ("you".to_owned(), ""),
            Some(_) => (name(step.id), ", who"),
        };
        let when = time::local(step.at);
        write!(text, " gave {who} access on {when}{then}").expect("a String never fails");
    }
    text
}

/// Why it is not known who gave me access.
pub(crate) fn no_record(what: NoRecord) -> &'static str {
    match what {
        NoRecord::OfPassphrase => "its passphrase cannot be told from a replaced one; rewrap it",
        NoRecord::OfKey => "no record says who gave you access",
    }
}

fn from(signer: Option<&Signer>) -> String {
    match signer {
        Some(signer) => format!("signed by {}", signer.display_name()),
        None => "not signed: the sender is not known".to_owned(),
    }
}

fn access(admission: &Admission) -> &'static str {
    match admission {
        Admission::Named => "named",
        Admission::Granted(_) => "granted",
        Admission::Unrecorded(_) => "unrecorded",
    }
}

fn steps(admission: &Admission) -> &[GrantLink] {
    match admission {
        Admission::Granted(path) => path,
        Admission::Named | Admission::Unrecorded(_) => &[],
    }
}

/// `encl.unwrap/1` and `encl.verify/1`, in the documented order.
#[derive(Serialize)]
pub(crate) struct Object {
    schema: &'static str,
    file: String,
    output: Option<String>,
    id: String,
    signer: Option<Signer>,
    access: &'static str,
    path: Vec<StepObject>,
    bytes: u64,
}

#[derive(Serialize)]
struct StepObject {
    id: String,
    by: String,
    at: Time,
}

impl StepObject {
    fn of(step: &GrantLink) -> Self {
        Self {
            id: step.id.to_string(),
            by: step.by.to_string(),
            at: step.at,
        }
    }
}
