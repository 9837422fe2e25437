//! What becomes of a backup, as text and as JSON.

use encl::directory::Signer;
use encl::identity::{Card, fingerprint};
use encl::keystore::{ImportOutcome, RestoreOutcome};
use encl::operations::restore::{
    Origin, Proof, RestoreCounts, RestoreObserver, RestoreReport, RestoredItem,
};
use encl::time::Time;
use serde::Serialize;

use crate::cli::display::cards::contact::describe_lookalike;
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::Report;
use crate::cli::display::time;
use crate::cli::terminal::stdout::StdoutError;
use crate::cli::terminal::{Terminal, safe};

/// Lines about the items that a reader should know about.
#[derive(Default)]
pub(crate) struct ItemLines(Vec<String>);

impl RestoreObserver for ItemLines {
    fn item(&mut self, item: &RestoredItem<'_>) {
        self.0.extend(describe_item(item));
    }
}

fn describe_item(item: &RestoredItem<'_>) -> Option<String> {
    let (what, outcome) = match item {
        RestoredItem::Identity(card, outcome) => {
            let outcome = match outcome {
                ImportOutcome::New => "added",
                ImportOutcome::Updated => "is newer in the backup",
                ImportOutcome::Known => "is already here",
                ImportOutcome::KeysDiffer => {
                    "gets the keys that only the backup has (this needs its passphrases)"
                }
            };
            (format!("identity {}", card.display_name()), outcome.into())
        }
        RestoredItem::ForeignIdentity(card) => {
            let outcome = "not added (--foreign adds it)";
            (format!("identity {}", card.display_name()), outcome.into())
        }
        RestoredItem::WaitingIdentity(card) => {
            let outcome = format!(
                "added, and not yours; if it is, run `encl key adopt {}`",
                card.id()
            );
            (format!("identity {}", card.display_name()), outcome)
        }
        RestoredItem::ForeignContact(card, lookalikes) => {
            let lookalikes = lookalikes.iter().map(describe_lookalike);
            let outcome: Vec<_> = [describe_foreign(card)]
                .into_iter()
                .chain(lookalikes)
                .collect();
            (
                format!("contact {}", card.display_name()),
                outcome.join("; "),
            )
        }
        RestoredItem::Contact(card, RestoreOutcome::Refused(error)) => {
            let outcome = format!("not restored: {}", safe(&error.to_string()));
            (format!("contact {}", card.display_name()), outcome)
        }
        RestoredItem::Group(name, group, RestoreOutcome::New) => {
            let address = group
                .address
                .as_deref()
                .map_or_else(String::new, |address| {
                    format!(", for mail to {}", safe(address))
                });
            let outcome = format!("added, {} in it{address}", group.members.len());
            (format!("group @{name}"), outcome)
        }
        RestoredItem::Group(name, _, RestoreOutcome::LocalKept) => {
            (format!("group @{name}"), "not changed".to_owned())
        }
        RestoredItem::Gate(gate, RestoreOutcome::Refused(error)) => {
            let outcome = format!("not restored: {}", safe(&error.to_string()));
            (format!("gate {}", safe(&gate.name)), outcome)
        }
        RestoredItem::Contact(..) | RestoredItem::Group(..) | RestoredItem::Gate(..) => {
            return None;
        }
    };
    Some(format!("{what}: {outcome}"))
}

/// What should be known about a new contact whose card anybody may have made: all that stands on it.
fn describe_foreign(card: &Card) -> String {
    let others: Vec<_> = card.addresses()[1..]
        .iter()
        .map(|address| safe(address))
        .collect();
    let others = match others.is_empty() {
        true => String::new(),
        false => format!(
            "; its other addresses count only after `encl contact add`: {}",
            others.join(", ")
        ),
    };
    let id = fingerprint(&card.id());
    format!("added, not verified yet, fingerprint {id}{others}")
}

/// A report with what it is about.
pub(crate) struct RestoreText<'a> {
    /// The backup, as people and as programs name it.
    pub(crate) file: (String, String),
    pub(crate) signer: Option<&'a Signer>,
    pub(crate) report: &'a RestoreReport,
    pub(crate) items: &'a ItemLines,
    pub(crate) is_dry_run: bool,
}

impl RestoreText<'_> {
    fn lines(&self) -> Vec<String> {
        let report = self.report;
        let made = report.made.map_or_else(String::new, |made| {
            format!("made at {}, ", time::local(made))
        });
        let by = self.signer.map_or_else(
            || "not signed".to_owned(),
            |signer| format!("signed by {}", signer.display_name()),
        );
        let mut lines = vec![format!("{}: {made}{by}", self.file.0)];
        if report.origin == Origin::Unclaimed {
            lines.push(
                "this machine knows no identity of yours: all of it is taken as your own"
                    .to_owned(),
            );
        }
        lines.extend(self.items.0.iter().cloned());
        for (kind, counts) in [
            ("identities", &report.identities),
            ("contacts", &report.contacts),
            ("groups", &report.groups),
            ("invitations", &report.invitations),
        ] {
            lines.push(format!("{kind}: {}", describe_counts(counts)));
        }
        for (kind, counts) in [
            ("gates", &report.gates),
            ("records of what was sealed with gates", &report.sealed),
        ] {
            if *counts != RestoreCounts::default() {
                lines.push(format!("{kind}: {}", describe_counts(counts)));
            }
        }
        if report.stricter > 0 {
            lines.push(format!(
                "blocked, changed or revoked only in the backup, and from now on here too: {}",
                report.stricter
            ));
        }
        if !report.changes_anything() {
            lines.push("everything in it is already here".to_owned());
        }
        lines
    }
}

impl Report for RestoreText<'_> {
    type Object<'a>
        = Object<'a>
    where
        Self: 'a;

    fn object(&self) -> Object<'_> {
        let report = self.report;
        Object {
            schema: "encl.restore/1",
            file: &self.file.1,
            made: report.made,
            signer: self.signer,
            mine: report.origin.is_mine(),
            proof: match report.origin {
                Origin::Mine(proof) => Some(proof),
                Origin::Unclaimed => Some(Proof::Claim),
                Origin::Unknown => None,
            },
            dry_run: self.is_dry_run,
            identities: report.identities,
            contacts: report.contacts,
            groups: report.groups,
            invitations: report.invitations,
            gates: report.gates,
            gate_records: report.sealed,
            stopped: report.stricter,
        }
    }

    /// What would be done is data, and goes to standard output.
    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        for line in self.lines() {
            match self.is_dry_run {
                true => terminal.print(&line)?,
                false => terminal.status(&line),
            }
        }
        if !self.report.origin.is_mine() {
            terminal.warning(
                "it is not certain that you made this backup: nobody is verified or blocked by it, and what is in it is whatever \
                 its maker put there",
            );
        }
        Ok(())
    }
}

/// `encl.restore/1`, in the documented order.
#[derive(Serialize)]
pub(crate) struct Object<'a> {
    schema: &'static str,
    file: &'a str,
    made: Option<Time>,
    signer: Option<&'a Signer>,
    mine: bool,
    proof: Option<Proof>,
    dry_run: bool,
    identities: RestoreCounts,
    contacts: RestoreCounts,
    groups: RestoreCounts,
    invitations: RestoreCounts,
    gates: RestoreCounts,
    gate_records: RestoreCounts,
    stopped: usize,
}

/// "120 new, 3 updated, 40 here already"
fn describe_counts(counts: &RestoreCounts) -> String {
    let counts = [
        (counts.new, "new"),
        (counts.updated, "updated"),
        (counts.known, "already here"),
        (counts.kept, "newer or decided here"),
        (counts.refused, "not restored"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match counts.is_empty() {
        true => "none".to_owned(),
        false => counts.join(", "),
    }
}
