//! How a group differs from what this machine knows of it, in words.

use encl::directory::{GroupChange, Member};
use encl::identity::fingerprint;

use crate::cli::display::names::{DisplayName, list_of};
use crate::cli::terminal::safe;

/// A line each for who came, who went, and another address.
pub(crate) fn describe_change(change: &GroupChange) -> Vec<String> {
    let mut lines = Vec::new();
    if !change.came.is_empty() {
        lines.push(format!("came: {}", list_of(&change.came)));
    }
    if !change.went.is_empty() {
        lines.push(format!("went: {}", list_of(&change.went)));
    }
    match &change.address {
        Some(Some(address)) => lines.push(format!("its address is {} now", safe(address))),
        Some(None) => lines.push("it has no address any more".to_owned()),
        None => {}
    }
    lines
}

impl DisplayName for Member {
    fn display_name(&self) -> String {
        match self {
            Self::Person(names) => names.display_name(),
            Self::Key(id) => fingerprint(id),
        }
    }
}
