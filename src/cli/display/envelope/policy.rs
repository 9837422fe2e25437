//! Who opens a lock, and all of them, in words.

use encl::directory::People;
use encl::policy::{Lock, Recipient};

use crate::cli::display::envelope::gate;
use crate::cli::display::names::{DisplayName, list};

/// The limits of sealing again, in one line.
pub(crate) const RESEALING_LIMITS: &str =
    "copies already sent cannot be recalled: whoever has the old envelope can still open it";

/// "Carol", "any one of Carol and Dan", "any 2 of Carol, Dan and Erin together".
pub(crate) fn lock(need: u8, people: &[String], passphrase: bool) -> String {
    let passphrase = passphrase.then(|| "anybody who knows the passphrase".to_owned());
    let all: Vec<String> = people.iter().cloned().chain(passphrase).collect();
    match (usize::from(need), all.len()) {
        (1, 0) => "nobody".to_owned(),
        (1, 1) => list(&all),
        (1, _) => format!("any one of {}", list(&all)),
        (need, of) if need == of => format!("{} together", list(&all)),
        (need, _) => format!("any {need} of {} together", list(&all)),
    }
}

/// Who opens a lock, in words.
pub(crate) fn rule(lock: &Lock, people: &People) -> String {
    if let Some(terms) = lock.gate() {
        return gate::rule(lock, terms, people);
    }
    let passphrase = lock.passphrase().is_some();
    let word = |one: &Recipient| match people.is_my_key(one.key) {
        true => "you".to_owned(),
        false => one.display_name(),
    };
    match lock.named() {
        Some(named) => {
            let named: Vec<_> = named.iter().map(word).collect();
            self::lock(lock.need, &named, passphrase)
        }
        None => private_lock(lock.need, lock.shares.len(), passphrase),
    }
}

/// A lock whose people are named only to each other.
pub(crate) fn private_lock(need: u8, shares: usize, passphrase: bool) -> String {
    match (need, passphrase) {
        (1, false) => "any one of people who are named only to each other".to_owned(),
        (1, true) => {
            "any one of people who are named only to each other and anybody who knows the passphrase"
                .to_owned()
        }
        (need, _) => {
            format!("any {need} of {shares} people together, who are named only to each other")
        }
    }
}

/// "any one of Alice and Bob, and also any 2 of Carol, Dan and Erin together": all locks have to open.
pub(crate) fn all(locks: &[String]) -> String {
    locks.join(", and also ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_as_they_are() {
        let people = ["Carol", "Dan", "Erin"].map(str::to_owned);
        for (need, of, passphrase, words) in [
            (1, 1, false, "Carol"),
            (1, 2, false, "any one of Carol and Dan"),
            (1, 0, true, "anybody who knows the passphrase"),
            (
                1,
                1,
                true,
                "any one of Carol and anybody who knows the passphrase",
            ),
            (2, 2, false, "Carol and Dan together"),
            (2, 3, false, "any 2 of Carol, Dan and Erin together"),
        ] {
            assert_eq!(lock(need, &people[..of], passphrase), words);
        }
        let two = [lock(1, &people[..1], false), private_lock(2, 3, false)];
        assert_eq!(
            all(&two),
            "Carol, and also any 2 of 3 people together, who are named only to each other"
        );
    }
}
