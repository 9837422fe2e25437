//! Candidates for the shell's completion: people and groups. Files are left to the shell, which knows how to quote them.

use std::ffi::OsStr;

use clap::builder::StyledStr;
use clap_complete::CompletionCandidate;
use encl::keystore::Keystore;

use crate::cli::context;
use crate::cli::terminal::escape::safe;

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

/// Contacts and groups that begin with what was typed. A keystore that cannot be read offers nothing.
pub(crate) fn who(typed: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(typed), Ok(folder)) = (typed.to_str(), context::keystore(None)) else {
        return Vec::new();
    };
    let keystore = Keystore::at(folder);
    let contacts = keystore.contact_heads().unwrap_or_default();
    let groups = keystore.groups().unwrap_or_default();
    let addresses = contacts.iter().flat_map(|contact| {
        // A shell may take the words beside a candidate for more than text, too.
        let name = contact
            .name
            .chars()
            .filter(|letter| letter.is_alphanumeric() || *letter == ' ');
        let help = StyledStr::from(safe(&name.collect::<String>()));
        let known = contact.known_as();
        let addresses = known.addresses.into_iter().take(known.counting);
        let words = addresses.map(|address| match is_plain(&address) {
            true => address,
            false => contact.id.to_string(),
        });
        words.map(move |word| (word, Some(help.clone())))
    });
    let groups = groups.iter().map(|name| (format!("@{name}"), None));
    addresses
        .chain(groups)
        .filter(|(word, _)| word.starts_with(typed) && is_plain(word))
        .map(|(word, help)| CompletionCandidate::new(word).help(help))
        .collect()
}

/// Whether no shell takes it for more than a word: a shell types what is offered as it stands.
fn is_plain(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._+-".contains(&byte);
    !word.starts_with('-') && word.bytes().all(plain)
}
