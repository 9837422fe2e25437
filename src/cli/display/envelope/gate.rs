//! What an envelope says of its gates: for `inspect`, in words and as an object. Nobody is asked, and nothing here is verified.

use encl::directory::People;
use encl::policy::{Gate, GateKind, GateTerms, Lock};
use encl::time::Time;
use serde::Serialize;

use crate::cli::display::names::{hex, list};
use crate::cli::display::time;
use crate::cli::terminal::safe;

/// Who answers for a gate lock: "the gate work, asked at each opening".
pub(crate) fn rule(lock: &Lock, terms: &GateTerms, people: &People) -> String {
    let names: Vec<String> = terms.gates.iter().map(|gate| name(gate, people)).collect();
    let listed = match terms.members {
        Some(_) => "",
        None => ", for everybody who opens the other locks",
    };
    match (usize::from(lock.need), names.len()) {
        (1, 1) => format!("{}, asked at each opening{listed}", list(&names)),
        (1, _) => format!("any one of {}, asked at each opening{listed}", list(&names)),
        (need, of) if need == of => {
            format!("{}, all asked at each opening{listed}", list(&names))
        }
        (need, _) => format!(
            "any {need} of {}, asked at each opening{listed}",
            list(&names)
        ),
    }
}

/// A gate or a helper, as the policy calls it.
pub(crate) fn name(gate: &Gate, people: &People) -> String {
    if gate.kind == GateKind::Person {
        return match people.is_my_key(gate.key) {
            true => "you, as a helper".to_owned(),
            false => format!("{} as a helper", said(gate)),
        };
    }
    let place = gate.url.as_deref().map(|url| format!(" ({})", safe(url)));
    format!("the gate {}{}", said(gate), place.unwrap_or_default())
}

fn said(gate: &Gate) -> String {
    match &gate.name {
        Some(name) => safe(name),
        None => gate.id.to_string(),
    }
}

/// The lines about dates, a lease and owners.
pub(crate) fn lines(terms: &GateTerms) -> Vec<String> {
    let by_clock = " (by the gate's clock)";
    let dates = [
        ("not before", terms.conditions.not_before),
        ("expires", terms.conditions.expires),
    ];
    let mut lines: Vec<String> = dates
        .into_iter()
        .filter_map(|(word, time)| Some((word, time?)))
        .map(|(word, time)| format!("  {word:<11} {}{by_clock}", time::local(time)))
        .collect();
    lines.extend(terms.lease.map(|seconds| {
        format!(
            "  lease       an answer may be kept for {seconds} seconds: a revocation takes so long"
        )
    }));
    if terms.owners.is_empty() {
        lines.push("  owners      nobody can revoke it".to_owned());
    }
    lines
}

/// The terms of a gate lock as an object.
#[derive(Serialize)]
pub(crate) struct GateTermsObject<'a> {
    gates: Vec<GateObject<'a>>,
    /// How many may revoke it.
    owners: usize,
    /// Whether only those named in the other locks are answered.
    listed: bool,
    not_before: Option<Time>,
    expires: Option<Time>,
    /// Seconds.
    lease: Option<u32>,
}

#[derive(Serialize)]
struct GateObject<'a> {
    kind: GateKind,
    name: Option<&'a str>,
    url: Option<&'a str>,
    id: String,
    key: String,
}

impl<'a> GateTermsObject<'a> {
    pub(crate) fn of(terms: &'a GateTerms) -> Self {
        let gate = |gate: &'a Gate| GateObject {
            kind: gate.kind,
            name: gate.name.as_deref(),
            url: gate.url.as_deref(),
            id: gate.id.to_string(),
            key: hex(&gate.key.0),
        };
        Self {
            gates: terms.gates.iter().map(gate).collect(),
            owners: terms.owners.len(),
            listed: terms.members.is_some(),
            not_before: terms.conditions.not_before,
            expires: terms.conditions.expires,
            lease: terms.lease,
        }
    }
}
