//! Decisions about contacts as one text: in backups, and in the state folders of earlier versions.
//!
//! ```text
//! encl-trust/2
//! ID blocked TIME
//! ID verified TIME HOW BY {"name":NAME,"addresses":[ADDRESS…]}
//! ```
//!
//! Version 1 does not say for which name and addresses a key was verified.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::trust::{COMPARED, Trust, Verified};
use super::VerifiedAs;
use super::people;
use crate::crypto::signing::RootId;

const MAGIC: &str = "encl-trust/2";
const EARLIER_MAGIC: &str = "encl-trust/1";

/// A decision about a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Decision {
    pub(in super::super) trust: Trust,
    /// For which name and addresses it was verified, if that is known.
    pub(in super::super) verified_as: Option<VerifiedAs>,
}

/// Reads decisions, or says in which line there is none.
pub(in super::super) fn from_text(text: &str) -> Result<BTreeMap<RootId, Decision>, usize> {
    let mut lines = (1..).zip(text.lines());
    if lines
        .next()
        .is_none_or(|(_, line)| line != MAGIC && line != EARLIER_MAGIC)
    {
        return Err(1);
    }
    lines
        .map(|(number, line)| decision(line).ok_or(number))
        .collect()
}

fn decision(line: &str) -> Option<(RootId, Decision)> {
    let (line, names) = match line.find(" {") {
        Some(at) => (&line[..at], Some(&line[at + 1..])),
        None => (line, None),
    };
    let words: Vec<&str> = line.split(' ').collect();
    let (id, rest) = words.split_first()?;
    let verified_as = names.map(people::verified_as).transpose().ok()?;
    let trust = match *rest {
        [word, ..] if word != "verified" && verified_as.is_some() => return None,
        ["unverified"] => Trust::Unverified,
        ["blocked", at] => Trust::Blocked {
            at: at.parse().ok()?,
        },
        ["revoked", at] => Trust::Revoked {
            at: at.parse().ok()?,
        },
        ["changed", at, offered] => Trust::Changed {
            at: at.parse().ok()?,
            offered: offered.parse().ok()?,
        },
        ["verified", at, how, by] => Trust::Verified(Verified {
            at: at.parse().ok()?,
            how: COMPARED.iter().find(|(word, _)| *word == how)?.1,
            by: by.parse().ok()?,
        }),
        _ => return None,
    };
    Some((id.parse().ok()?, Decision { trust, verified_as }))
}

/// Writes decisions as [`from_text`] reads them.
pub(in super::super) fn text(decisions: &BTreeMap<RootId, Decision>) -> String {
    let mut text = format!("{MAGIC}\n");
    for (id, Decision { trust, verified_as }) in decisions {
        let word = trust.word();
        write!(text, "{id} {word}").expect("a String never fails");
        let rest = match trust {
            Trust::Own | Trust::Unverified | Trust::Unproven | Trust::Older { .. } => String::new(),
            Trust::Blocked { at } | Trust::Revoked { at } => format!(" {at}"),
            Trust::Changed { at, offered } => format!(" {at} {offered}"),
            Trust::Verified(Verified { at, how, by }) => format!(" {at} {} {by}", how.word()),
        };
        text.push_str(&rest);
        if let (Trust::Verified(_), Some(names)) = (trust, verified_as) {
            let names = serde_json::to_string(names).expect("it has only texts");
            write!(text, " {names}").expect("a String never fails");
        }
        text.push('\n');
    }
    text
}
