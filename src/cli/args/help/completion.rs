//! Candidates for the shell's completion: people, groups and identities. Files are left to the shell, which knows how to quote them.

use std::ffi::OsStr;

use clap::builder::StyledStr;
use clap::{Arg, Command, ValueHint};
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use encl::keystore::Keystore;

use crate::cli::args::help::topics::NAMES;
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

/// The answer where a shell is to complete names of envelopes. No candidate has a slash.
pub(crate) const ENVELOPES: &str = "/.encl";

type Completer = fn(&OsStr) -> Vec<CompletionCandidate>;

/// A command and all below it, as they are completed: with no hint at files, which the shell completes, and with the candidates
/// for arguments that many commands have.
pub(crate) fn prepared(command: Command, path: &[&str]) -> Command {
    let prepare = |argument: Arg| {
        let argument = match argument.get_action().takes_values() {
            true => argument.value_hint(ValueHint::Other),
            false => argument,
        };
        match completer(path, argument.get_id().as_str(), argument.get_long()) {
            Some(completer) => argument.add(ArgValueCompleter::new(completer)),
            None => argument,
        }
    };
    command.mut_args(prepare).mut_subcommands(|below| {
        let name = below.get_name().to_owned();
        let path: Vec<&str> = path.iter().copied().chain([&*name]).collect();
        prepared(below, &path)
    })
}

/// What an argument of a command names.
fn completer(path: &[&str], id: &str, long: Option<&str>) -> Option<Completer> {
    const ON_ENVELOPES: [&str; 9] = [
        "unwrap", "inspect", "verify", "grant", "drop", "revoke", "rewrap", "approve", "restore",
    ];
    match (path, id, long) {
        (_, _, Some("as"))
        | (["invite"], _, Some("from"))
        | (["key", _] | ["unlock" | "lock"], "who", _) => Some(identities),
        (["contact" | "group", _], "who", _) => Some(contacts),
        (["group", "show" | "add" | "remove" | "delete"], "name", _) => Some(groups),
        (["gate", "show" | "remove"], "gate", _) | (_, _, Some("gate")) => Some(gates),
        (["gate", "revoke" | "expire" | "allow" | "status"] | ["audit"], "file", _) => {
            Some(envelopes)
        }
        (["gate", "revoke"], _, Some("who")) | (["gate", "allow"], _, Some("to")) => Some(contacts),
        (["help"], "topic", _) => Some(topics),
        ([command], "file" | "files", _) if ON_ENVELOPES.contains(command) => Some(envelopes),
        _ => None,
    }
}

fn envelopes(_: &OsStr) -> Vec<CompletionCandidate> {
    vec![CompletionCandidate::new(ENVELOPES)]
}

fn topics(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_str().unwrap_or_default();
    let names = NAMES.iter().filter(|name| name.starts_with(typed));
    names.map(CompletionCandidate::new).collect()
}

/// Contacts and groups that begin with what was typed.
pub(crate) fn who(typed: &OsStr) -> Vec<CompletionCandidate> {
    let groups = keystore().map(|keystore| keystore.groups().unwrap_or_default());
    let groups = groups
        .iter()
        .flatten()
        .map(|name| (format!("@{name}"), None));
    fitting(contact_words().into_iter().chain(groups), typed)
}

fn contacts(typed: &OsStr) -> Vec<CompletionCandidate> {
    fitting(contact_words().into_iter(), typed)
}

/// Groups by their names, without `@`.
fn groups(typed: &OsStr) -> Vec<CompletionCandidate> {
    let groups = keystore().map(|keystore| keystore.groups().unwrap_or_default());
    let groups = groups.unwrap_or_default().into_iter();
    fitting(groups.map(|name| (name, None)), typed)
}

/// Gates by their names.
fn gates(typed: &OsStr) -> Vec<CompletionCandidate> {
    let gates = keystore().and_then(|keystore| keystore.gates().ok());
    let gates = gates.into_iter().flat_map(|gates| gates.found);
    fitting(gates.map(|gate| (gate.name, None)), typed)
}

/// My identities by their addresses.
fn identities(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mine = keystore().map(|keystore| keystore.identities().unwrap_or_default());
    let words = mine.iter().flatten().flat_map(|identity| {
        let addresses = identity.card.addresses().iter();
        let name = help(identity.card.name());
        addresses.map(move |address| (address.clone(), Some(name.clone())))
    });
    fitting(words, typed)
}

/// One that cannot be read offers nothing.
fn keystore() -> Option<Keystore> {
    context::keystore(None).ok().map(Keystore::at)
}

/// A shell may take the words beside a candidate for more than text, too.
fn help(name: &str) -> StyledStr {
    let letters = name.chars();
    let plain = letters.filter(|letter| letter.is_alphanumeric() || *letter == ' ');
    StyledStr::from(safe(&plain.collect::<String>()))
}

/// A word, and what is shown beside it.
type Words = Vec<(String, Option<StyledStr>)>;

/// Contacts by their addresses, or by their fingerprints where an address is more than a word to a shell.
fn contact_words() -> Words {
    let contacts = keystore().map(|keystore| keystore.contact_heads().unwrap_or_default());
    let words = contacts.iter().flatten().flat_map(|contact| {
        let help = help(&contact.name);
        let known = contact.known_as();
        let addresses = known.addresses.into_iter().take(known.counting);
        let words = addresses.map(|address| match is_plain(&address) {
            true => address,
            false => contact.id.to_string(),
        });
        words.map(move |word| (word, Some(help.clone())))
    });
    words.collect()
}

/// Those that begin with what was typed, and that no shell takes for more than a word.
fn fitting(
    words: impl Iterator<Item = (String, Option<StyledStr>)>,
    typed: &OsStr,
) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else {
        return Vec::new();
    };
    words
        .filter(|(word, _)| word.starts_with(typed) && is_plain(word))
        .map(|(word, help)| CompletionCandidate::new(word).help(help))
        .collect()
}

/// Whether no shell takes it for more than a word: a shell types what is offered as it stands.
fn is_plain(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._+-".contains(&byte);
    !word.starts_with('-') && word.bytes().all(plain)
}
