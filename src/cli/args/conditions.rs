//! What a policy says beside its readers: dates and labels, as they were typed.

use std::collections::BTreeMap;

use encl::policy::Conditions;
use encl::time::Time;

use crate::cli::args::time as args_time;
use crate::cli::args::time::DayEdge;
use crate::cli::display::time;
use crate::cli::errors::{Exit, Failure};
use crate::cli::terminal::safe;

/// Reads --not-before and --expires and holds them against each other and the clock.
pub(crate) fn conditions(
    not_before: Option<&str>,
    expires: Option<&str>,
    now: Time,
) -> Result<Conditions, Failure> {
    let not_before = not_before
        .map(|text| moment("--not-before", text, now, DayEdge::Start))
        .transpose()?;
    let expires = expires
        .map(|text| moment("--expires", text, now, DayEdge::End))
        .transpose()?;
    match (not_before, expires) {
        (_, Some(end)) if end <= now => {
            Err(cannot("--expires").reason(format!("{} is not in the future", time::local(end))))
        }
        (Some(start), Some(end)) if end <= start => {
            Err(cannot("--expires").reason("it is not after --not-before"))
        }
        _ => Ok(Conditions {
            not_before,
            expires,
        }),
    }
}

/// Reads labels, `KEY=VALUE` each, no key twice.
pub(crate) fn labels(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut labels = BTreeMap::new();
    for text in texts {
        let refused =
            |because: &str| cannot("--label").reason(format!("`{}` {because}", safe(text)));
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| refused("is not KEY=VALUE"))?;
        if key.is_empty() || value.is_empty() {
            return Err(refused("has no key, or no value"));
        }
        if labels.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(refused("gives a key for the second time"));
        }
    }
    Ok(labels)
}

pub(crate) fn moment(option: &str, text: &str, now: Time, edge: DayEdge) -> Result<Time, Failure> {
    args_time::parse(text, now, edge)
        .map_err(|error| cannot(option).reason(safe(&error.to_string())))
}

fn cannot(option: &str) -> Failure {
    Failure::new(Exit::Usage, format!("cannot use {option}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        "2026-11-24T06:24:00Z".parse().unwrap()
    }

    #[test]
    fn an_expiry_lies_in_the_future_and_after_the_start() {
        let of = |start, end| conditions(start, end, now());
        assert!(of(None, Some("0s")).is_err());
        assert!(of(None, Some("2026-11-24T06:24:00Z")).is_err());
        assert!(of(Some("2d"), Some("2d")).is_err());
        assert!(of(Some("2d"), Some("1d")).is_err());
        let good = of(Some("1d"), Some("2d")).unwrap();
        assert_eq!(good.expires.unwrap().to_string(), "2026-11-26T06:24:00Z");
        assert!(of(Some("2020-01-01T00:00:00Z"), None).is_ok());
    }

    #[test]
    fn labels_have_a_key_and_a_value_and_no_twin() {
        let of =
            |texts: &[&str]| labels(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["a=b=c"]).unwrap()["a"], "b=c");
        for wrong in [&["a"][..], &["=b"], &["a="], &["a=b", "a=c"]] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}
