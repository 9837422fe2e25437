//! Candidates for the shell's completion: people, groups and cards.

use std::ffi::OsStr;

use clap::builder::StyledStr;
use clap_complete::CompletionCandidate;
use clap_complete::engine::{PathCompleter, ValueCompleter};
use encl::keystore::Keystore;

use crate::cli::context;
use crate::cli::terminal::escape::{is_hazard, safe};

/// For `N:WHO,WHO,…`: the same for the last name.
pub(crate) fn quorum(typed: &OsStr) -> Vec<CompletionCandidate> {
    let text = typed.to_str().unwrap_or_default();
    let Some((_, names)) = text.split_once(':') else {
        return Vec::new();
    };
    let last = names.rsplit(',').next().unwrap_or_default();
    let before = &text[..text.len() - last.len()];
    let candidates = who(OsStr::new(last)).into_iter();
    candidates.map(|one| one.add_prefix(before)).collect()
}

/// Contacts, groups and card files that begin with what was typed. A keystore that cannot be read offers nothing.
pub(crate) fn who(typed: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(typed), Ok(folder)) = (typed.to_str(), context::keystore(None)) else {
        return Vec::new();
    };
    let keystore = Keystore::at(folder);
    let contacts = keystore.contact_heads().unwrap_or_default();
    let groups = keystore.groups().unwrap_or_default();
    let addresses = contacts.iter().flat_map(|contact| {
        let help = StyledStr::from(safe(&contact.name));
        contact
            .addresses
            .iter()
            .map(move |address| (address.clone(), Some(help.clone())))
    });
    let groups = groups.iter().map(|name| (format!("@{name}"), None));
    let cards =
        PathCompleter::file().filter(|path| path.extension().is_some_and(|end| end == "card"));
    addresses
        .chain(groups)
        // A shell types what is offered: nothing that it, or the terminal, would take for more than text.
        .filter(|(word, _)| word.starts_with(typed) && !word.contains(is_hazard))
        .map(|(word, help)| CompletionCandidate::new(word).help(help))
        .chain(cards.complete(typed.as_ref()))
        .collect()
}
