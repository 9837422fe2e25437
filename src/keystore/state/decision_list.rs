//! Decisions about contacts as one text: in backups, and in the state folders of earlier versions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::trust::{COMPARED, Trust, Verified};
use crate::crypto::signing::RootId;

const MAGIC: &str = "encl-trust/1";

/// Reads decisions, or says in which line there is none.
pub(in super::super) fn from_text(text: &str) -> Result<BTreeMap<RootId, Trust>, usize> {
    let mut lines = (1..).zip(text.lines());
    if lines.next().is_none_or(|(_, line)| line != MAGIC) {
        return Err(1);
    }
    lines
        .map(|(number, line)| decision(line).ok_or(number))
        .collect()
}

fn decision(line: &str) -> Option<(RootId, Trust)> {
    let words: Vec<&str> = line.split(' ').collect();
    let (id, rest) = words.split_first()?;
    let trust = match *rest {
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
    Some((id.parse().ok()?, trust))
}

/// Writes decisions as [`from_text`] reads them.
pub(in super::super) fn text(decisions: &BTreeMap<RootId, Trust>) -> String {
    let mut text = format!("{MAGIC}\n");
    for (id, trust) in decisions {
        let word = trust.word();
        write!(text, "{id} {word}").expect("a String never fails");
        let rest = match trust {
            Trust::Own | Trust::Unverified | Trust::Unproven => String::new(),
            Trust::Blocked { at } | Trust::Revoked { at } => format!(" {at}"),
            Trust::Changed { at, offered } => format!(" {at} {offered}"),
            Trust::Verified(Verified { at, how, by }) => format!(" {at} {} {by}", how.word()),
        };
        text.push_str(&rest);
        text.push('\n');
    }
    text
}
