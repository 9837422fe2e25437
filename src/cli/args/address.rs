//! An address as it was typed.

use encl::mail::address::parse_list;

use crate::cli::errors::{Exit, Failure};
use crate::cli::terminal::safe;

/// One address and nothing beside it.
pub(crate) fn one_address(text: &str) -> Result<String, Failure> {
    let what = format!("cannot use the address `{}`", safe(text));
    let cannot = || Failure::new(Exit::Usage, what.clone());
    let mut list = parse_list(text).map_err(|error| cannot().reason(safe(&error.to_string())))?;
    match (list.pop(), list.is_empty()) {
        (Some(mailbox), true) => Ok(mailbox.address),
        (None, _) => Err(cannot().reason("it contains no address")),
        (Some(_), false) => Err(cannot().reason("it is more than one address")),
    }
}
