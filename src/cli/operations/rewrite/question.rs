//! The question before a batch: what is done, what should be known first, and whom a list leaves out perhaps by mistake.

use std::collections::HashSet;

use encl::operations::rewrite::{AccessHolder, Counts, HolderName, PlannedUpdate};

use crate::cli::args::rewrite::ResealOptions;
use crate::cli::context::Context;
use crate::cli::display::envelope::access;
use crate::cli::display::names::list;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::Input;

/// Whether a batch is done without a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// The command line says all: these files, and nobody loses anything.
    Given,
    /// A person is asked, unless `--yes` answers.
    Asked,
}

/// What is asked once, before anything is changed.
pub(super) struct Question<'a> {
    pub(super) verb: &'static str,
    pub(super) consent: Consent,
    pub(super) reseal: &'a ResealOptions,
    pub(super) caveat: &'a str,
    pub(super) context: &'a Context,
}

impl Question<'_> {
    pub(super) fn ask(
        &self,
        counts: Counts,
        planned: &[(Input, PlannedUpdate)],
    ) -> Result<(), Failure> {
        if self.consent == Consent::Given {
            return Ok(());
        }
        if self.reseal.yes {
            self.require_decision(counts)?;
        }
        let strangers = strangers(planned);
        if !strangers.is_empty() {
            return self.ask_about(&strangers, counts);
        }
        if self.reseal.yes {
            return Ok(());
        }
        let question = format!(
            "Make these changes: {}{}?{}",
            describe(counts),
            doubts(counts),
            self.limits(counts)
        );
        self.context.confirm(&question, &self.nothing())
    }

    /// `--yes` was typed before it was known who would lose access, so it answers nothing here.
    fn ask_about(&self, strangers: &[&AccessHolder], counts: Counts) -> Result<(), Failure> {
        let who = loss(strangers, counts.with_unmeant);
        let question = format!(
            "Make these changes: {}{}; ! {who}?{}",
            describe(counts),
            doubts(counts),
            self.limits(counts)
        );
        let asked = self.context.confirm(&question, &self.nothing());
        asked.map_err(|failure| match failure.exit {
            // There was nobody to ask.
            Exit::Usage => Failure::new(Exit::Refused, self.nothing())
                .reason(who)
                .reason("--yes does not answer that: whoever gave them access may know more than your list does")
                .hint("add their cards, or the newest group card, to your contacts and bring your list up to date; or --drop-unknown FINGERPRINT removes a person all the same, and on a terminal encl asks"),
            _ => failure,
        })
    }

    /// Without a question nobody sees who stays, so the command line has to say what becomes of them.
    fn require_decision(&self, counts: Counts) -> Result<(), Failure> {
        let is_decided = self.reseal.keep_granted || self.reseal.drop_granted;
        if counts.with_let_in == 0 || is_decided {
            return Ok(());
        }
        let envelopes = match counts.with_let_in {
            1 => "1 envelope keeps".to_owned(),
            number => format!("{number} envelopes keep"),
        };
        Err(Failure::new(Exit::Refused, self.nothing())
            .reason(format!(
                "{envelopes} readers whom not the author but another reader let in, and you would name them"
            ))
            .hint("--dry-run lists them; --keep-granted accepts that, --drop-granted removes them"))
    }

    fn nothing(&self) -> String {
        format!("cannot {} anything", self.verb)
    }

    fn limits(&self, counts: Counts) -> String {
        match counts.resealed + counts.dropped {
            0 => String::new(),
            _ => format!(" ({})", self.caveat),
        }
    }
}

/// Everybody who would lose access perhaps without being meant, each once.
fn strangers(planned: &[(Input, PlannedUpdate)]) -> Vec<&AccessHolder> {
    let mut seen = HashSet::new();
    let all = planned.iter().flat_map(|(_, planned)| &planned.unmeant);
    all.filter(|holder| seen.insert(holder.id.map_or(holder.key.0, |id| id.0)))
        .collect()
}

/// "Fay (as the envelope says), 2232 06aa …, whom nobody here knows, would lose access to 5 envelopes"
fn loss(strangers: &[&AccessHolder], envelopes: usize) -> String {
    let envelopes = match envelopes {
        1 => "1 envelope".to_owned(),
        number => format!("{number} envelopes"),
    };
    let (known, unknown): (Vec<&AccessHolder>, Vec<&AccessHolder>) = strangers
        .iter()
        .partition(|one| matches!(one.name, HolderName::Known { .. }));
    let kinds = [
        (unknown, "whom nobody here knows"),
        (
            known,
            "whom the keeper of the group let in after the group card that you have",
        ),
    ];
    let told = kinds.into_iter().filter(|(people, _)| !people.is_empty());
    let told = told.map(|(people, why)| {
        let names: Vec<String> = people.into_iter().map(access::doubtful).collect();
        format!("{}, {why}", list(&names))
    });
    let told: Vec<String> = told.collect();
    format!("{}, would lose access to {envelopes}", told.join("; and "))
}

/// What should be known before a yes: "; ! 1 was not signed, and you sign that now"
fn doubts(counts: Counts) -> String {
    let were = |number: usize, doubt: &str| match number {
        0 => None,
        1 => Some(format!("; ! 1 was not signed, {doubt}")),
        _ => Some(format!("; ! {number} were not signed, {doubt}")),
    };
    let stay = match counts.with_let_in {
        0 => None,
        number => Some(format!(
            "; in {number} readers stay whom not the author let in"
        )),
    };
    let doubts = [
        were(counts.newly_signed, "and you sign that now"),
        were(counts.unsigned, "and you do not sign it either"),
        stay,
    ];
    doubts.into_iter().flatten().collect()
}

/// "give access to 3 envelopes, encrypt 1 envelope again"
fn describe(counts: Counts) -> String {
    let envelopes = |number: usize| match number {
        1 => "1 envelope".to_owned(),
        _ => format!("{number} envelopes"),
    };
    let added = format!("give access to {}", envelopes(counts.added));
    let dropped = format!("remove slots from {}", envelopes(counts.dropped));
    let resealed = format!("encrypt {} again", envelopes(counts.resealed));
    let parts = [
        (counts.added, added),
        (counts.dropped, dropped),
        (counts.resealed, resealed),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    parts.map(|(_, part)| part).collect::<Vec<_>>().join(", ")
}
