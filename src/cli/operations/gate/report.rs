//! Gates, and what they know of an envelope, as objects and in words.

use encl::crypto::signing::RootId;
use encl::directory::People;
use encl::gate::client::{AuditEntry, AuditLine, Signed};
use encl::gate::protocol::EntryOp;
use encl::gate::rules::{Statement, TicketState};
use encl::identity::fingerprint;
use encl::keystore::{GateContact, GateStanding};
use encl::operations::gate::{Acknowledged, Certainty};
use encl::time::Time;
use serde::Serialize;

use super::{describe_standing, one_line, standing_word};
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time;
use crate::cli::errors::gate::describe_refusal;
use crate::cli::errors::{Failure, keystore};
use crate::cli::terminal::{Stream, safe};

const ENTRY_SCHEMA: &str = "encl.audit-entry/1";

/// `encl.gate/1`, in the documented order.
#[derive(Serialize)]
struct GateObject<'a> {
    schema: &'static str,
    id: String,
    name: &'a str,
    url: String,
    title: &'a str,
    serial: u64,
    created: Time,
    added: Time,
    standing: &'static str,
    verified: Option<Time>,
    ca: bool,
    backed_up: bool,
    origin: &'a str,
    entries: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'static str>,
}

/// Shows a gate, in these words or in a line.
pub(crate) fn report(
    gate: &GateContact,
    accepted: Option<&'static str>,
    words: Option<Words>,
    context: &Context,
) -> Result<(), Failure> {
    let failed = |error| keystore::failure("cannot read the gates", &error);
    let standing = context.keystore.gate_standing(gate).map_err(failed)?;
    let kept = context.keystore.gate_checkpoint(&gate.card.id());
    let kept = kept.map_err(failed)?;
    let kept = kept.filter(|kept| kept.log.name == gate.card.log_key().name);
    let line = format!("{}  {}", one_line(gate), describe_standing(&standing));
    let object = GateObject {
        schema: "encl.gate/1",
        id: gate.card.id().to_string(),
        name: &gate.name,
        url: gate.card.url().to_string(),
        title: gate.card.name(),
        serial: gate.card.serial(),
        created: gate.card.created(),
        added: gate.added,
        standing: standing_word(&standing),
        verified: match standing {
            GateStanding::Known(verified) => verified,
            _ => None,
        },
        ca: gate.ca.is_some(),
        backed_up: gate.is_backed_up(),
        origin: &gate.card.log_key().name,
        entries: kept.map(|kept| kept.size),
        accepted,
    };
    let words = words.unwrap_or(Words::Answer(line));
    context.report(&Outcome { object, words }, Stream::Stdout)
}

/// All that is known of a gate, one fact a line.
pub(crate) fn described(gate: &GateContact, context: &Context) -> Result<String, Failure> {
    let failed = |error| keystore::failure("cannot read the gates", &error);
    let standing = context.keystore.gate_standing(gate).map_err(failed)?;
    let kept = context.keystore.gate_checkpoint(&gate.card.id());
    let card = &gate.card;
    let mut lines = vec![
        format!("name         {}", safe(&gate.name)),
        format!("address      {}", card.url()),
        format!("calls itself {}", safe(card.name())),
        format!("fingerprint  {}", fingerprint(&card.id())),
        format!("trust        {}", describe_standing(&standing)),
        format!("card         of {}", time::local(card.created())),
        format!("added        {}", time::local(gate.added)),
    ];
    if gate.ca.is_some() {
        lines.push("certificates only of the authority that you gave".to_owned());
    }
    lines.push(match (gate.is_backed_up(), gate.backed_up) {
        (true, _) => "backup       its operator has a copy of its keys".to_owned(),
        (false, Some(_)) => "backup       older than its newest key".to_owned(),
        (false, None) => "backup       none is recorded (`encl gate add --backed-up`)".to_owned(),
    });
    let log = &card.log_key().name;
    lines.push(match kept.map_err(failed)? {
        Some(kept) if kept.log.name == *log => {
            format!("log          {} ({} entries seen)", safe(log), kept.size)
        }
        _ => format!("log          {}", safe(log)),
    });
    Ok(lines.join("\n"))
}

/// A person in a gate's log, by name if there is a card.
pub(crate) fn person(id: RootId, people: &People) -> String {
    people.signer(id).display_name()
}

/// A person as an object.
#[derive(Serialize)]
pub(crate) struct PersonObject {
    pub(crate) id: String,
    /// `null`: not a contact.
    pub(crate) name: Option<String>,
}

impl PersonObject {
    pub(crate) fn of(id: RootId, people: &People) -> Result<Self, Failure> {
        let person = people.with_id(id);
        let person = person.map_err(|error| keystore::unreadable(&error))?;
        Ok(Self {
            id: id.to_string(),
            name: person.map(|person| person.card.name().to_owned()),
        })
    }
}

/// What all statements of owners say together.
#[derive(Serialize)]
pub(crate) struct StateObject {
    revoked: bool,
    until: Option<Time>,
    denied: Vec<PersonObject>,
    allowed: Vec<PersonObject>,
}

impl StateObject {
    pub(crate) fn of(state: &TicketState, people: &People) -> Result<Self, Failure> {
        let objects = |ids: &std::collections::BTreeSet<RootId>| {
            let objects = ids.iter().map(|id| PersonObject::of(*id, people));
            objects.collect::<Result<Vec<_>, Failure>>()
        };
        Ok(Self {
            revoked: state.revoked,
            until: state.until,
            denied: objects(&state.denied)?,
            allowed: objects(&state.allowed)?,
        })
    }
}

/// What statements say, in words; nothing was said: "no restriction".
pub(crate) fn describe_state(state: &TicketState, people: &People) -> String {
    let mut words = Vec::new();
    if state.revoked {
        words.push("revoked".to_owned());
    }
    words.extend(state.until.map(|end| format!("until {}", time::local(end))));
    for (word, ids) in [("denied to", &state.denied), ("allowed to", &state.allowed)] {
        for id in ids {
            words.push(format!("{word} {}", person(*id, people)));
        }
    }
    match words.is_empty() {
        true => "no restriction".to_owned(),
        false => words.join(", "),
    }
}

/// The word of a statement in objects.
pub(crate) fn statement_word(statement: Statement) -> &'static str {
    match statement {
        Statement::Revoke => "revoke",
        Statement::Expire(_) => "expire",
        Statement::Deny(_) => "deny",
        Statement::Allow(_) => "allow",
    }
}

/// The word of a certainty in objects.
pub(crate) fn certainty_word(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Sure => "sure",
        Certainty::UnlessPersonsHelp => "unless-persons-help",
        Certainty::NotYet { .. } => "not-yet",
        Certainty::Never => "never",
    }
}

/// `2 of 3 gates know; sure`. `helpers` are the persons among the gates.
pub(crate) fn describe_certainty(known: &Acknowledged, helpers: &str) -> String {
    let gates = match known.servers {
        1 => "gate",
        _ => "gates",
    };
    let verb = match known.known {
        1 => "knows",
        _ => "know",
    };
    let count = format!("{} of {} {gates} {verb}", known.known, known.servers);
    match known.certainty() {
        Certainty::Sure => format!("{count}; sure"),
        Certainty::UnlessPersonsHelp => format!("{count}; sure, unless {helpers} helps"),
        Certainty::NotYet { .. } => format!("{count}; not yet sure"),
        Certainty::Never => {
            format!("{count}; never sure against {helpers}, who can open it without a gate")
        }
    }
}

/// `encl.audit-entry/1`, in the documented order.
#[derive(Serialize)]
pub(crate) struct EntryObject {
    schema: &'static str,
    /// The gate.
    gate: String,
    n: u64,
    seq: u64,
    at: Option<Time>,
    op: &'static str,
    who: Option<PersonObject>,
    reason: Option<&'static str>,
    lease: Option<Time>,
    statement: Option<&'static str>,
    about: Option<PersonObject>,
    until: Option<Time>,
    signed: &'static str,
}

impl EntryObject {
    pub(crate) fn of(gate: RootId, line: &AuditLine, people: &People) -> Result<Self, Failure> {
        let Some(entry) = &line.entry else {
            return Ok(Self::erased(gate, line));
        };
        let object = |id: RootId| PersonObject::of(id, people);
        let (about, until) = match entry.statement {
            Some(Statement::Deny(who) | Statement::Allow(who)) => (Some(who), None),
            Some(Statement::Expire(until)) => (None, Some(until)),
            Some(Statement::Revoke) | None => (None, None),
        };
        Ok(Self {
            schema: ENTRY_SCHEMA,
            gate: gate.to_string(),
            n: line.number,
            seq: line.seq,
            at: Some(entry.at),
            op: entry.op.word(),
            who: entry.who.map(object).transpose()?,
            reason: entry.reason.map(encl::gate::rules::Refusal::word),
            lease: entry.lease,
            statement: entry.statement.map(statement_word),
            about: about.map(object).transpose()?,
            until,
            signed: match entry.signed {
                Signed::ByAsker => "asker",
                Signed::ByHolder => "holder",
                Signed::ByOwner => "owner",
                Signed::No => "gate-only",
            },
        })
    }

    fn erased(gate: RootId, line: &AuditLine) -> Self {
        Self {
            schema: ENTRY_SCHEMA,
            gate: gate.to_string(),
            n: line.number,
            seq: line.seq,
            at: None,
            op: "erased",
            who: None,
            reason: None,
            lease: None,
            statement: None,
            about: None,
            until: None,
            signed: "gate-only",
        }
    }
}

/// An entry in a line: when, what, who, and who vouches for it.
pub(crate) fn describe_entry(line: &AuditLine, people: &People) -> String {
    let Some(entry) = &line.entry else {
        return format!("{:>4}  erased by the operator", line.number);
    };
    let what = match entry.op {
        EntryOp::Open => format!("opened by {}", asker(entry, people)),
        EntryOp::Refuse => {
            let why = entry.reason.map_or("", describe_refusal);
            format!("refused to {}: {why}", asker(entry, people))
        }
        EntryOp::Statement => stated(entry, people),
        other => other.word().to_owned(),
    };
    let lease = entry.lease.map_or_else(String::new, |end| {
        format!(", may keep it until {}", time::local(end))
    });
    let vouched = match entry.signed {
        Signed::No => " (the gate says)",
        Signed::ByAsker | Signed::ByHolder | Signed::ByOwner => "",
    };
    let at = time::local(entry.at);
    format!("{:>4}  {at}  {what}{lease}{vouched}", line.number)
}

fn asker(entry: &AuditEntry, people: &People) -> String {
    match entry.who {
        Some(id) => person(id, people),
        None => "somebody who gave no name".to_owned(),
    }
}

fn stated(entry: &AuditEntry, people: &People) -> String {
    let by = match entry.who {
        Some(id) => person(id, people),
        None => "somebody".to_owned(),
    };
    match entry.statement {
        Some(Statement::Revoke) => format!("revoked by {by}"),
        Some(Statement::Expire(end)) => format!("until {}, says {by}", time::local(end)),
        Some(Statement::Deny(who)) => format!("denied to {} by {by}", person(who, people)),
        Some(Statement::Allow(who)) => format!("allowed to {} by {by}", person(who, people)),
        None => format!("a statement by {by}"),
    }
}
