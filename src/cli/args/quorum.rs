//! `--quorum N:WHO,WHO,…`: people who must come together, as they were typed.

use encl::directory::{DirectoryError, People, ResolvedQuorum};
use encl::policy::LOCKS_MAX;
use encl::time::Time;

use crate::cli::errors::{Exit, Failure};
use crate::cli::terminal::safe;

/// One `--quorum` as it was typed.
#[derive(Debug)]
pub(crate) struct QuorumArg {
    need: u8,
    names: Vec<String>,
    typed: String,
}

impl QuorumArg {
    /// Reads all of them; `others` are the locks that the envelope has besides.
    pub(crate) fn all(typed: &[String], others: usize) -> Result<Vec<Self>, Failure> {
        if typed.len() + others > LOCKS_MAX {
            let besides = if others == 0 {
                ""
            } else {
                ", one of them that of --to and --passphrase"
            };
            return Err(Failure::new(
                Exit::Usage,
                format!("cannot use {} --quorum options", typed.len()),
            )
            .reason(format!(
                "an envelope has at most {LOCKS_MAX} locks{besides}"
            )));
        }
        typed.iter().map(|text| Self::parse(text)).collect()
    }

    /// Finds everybody of each.
    pub(crate) fn resolve_all(
        typed: &[Self],
        people: &People,
        now: Time,
    ) -> Result<Vec<ResolvedQuorum>, Failure> {
        typed.iter().map(|one| one.resolve(people, now)).collect()
    }

    fn resolve(&self, people: &People, now: Time) -> Result<ResolvedQuorum, Failure> {
        ResolvedQuorum::resolve(self.need, &self.names, people, now).map_err(|error| {
            let is_of_this_option = matches!(
                error,
                DirectoryError::TwiceInQuorum(_)
                    | DirectoryError::QuorumTooSmall { .. }
                    | DirectoryError::QuorumTooLarge { .. }
            );
            let failure = Failure::from(error);
            match is_of_this_option {
                true => Failure {
                    what: cannot(&self.typed).what,
                    ..failure
                },
                false => failure,
            }
        })
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        let Some((need, names)) = text.split_once(':') else {
            return Err(cannot(text).reason("it is not N:WHO,WHO,…"));
        };
        let is_number = need.bytes().all(|byte| byte.is_ascii_digit());
        let Some(need @ 1..) = need.parse().ok().filter(|_| is_number) else {
            let need = safe(need);
            return Err(cannot(text).reason(format!("`{need}` is not a number from 1 to 255")));
        };
        let names: Vec<String> = names
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect();
        if names.iter().any(String::is_empty) {
            return Err(cannot(text)
                .reason("a name is missing")
                .hint("names are separated by commas, and hold none themselves"));
        }
        Ok(Self {
            need,
            names,
            typed: text.to_owned(),
        })
    }
}

fn cannot(typed: &str) -> Failure {
    Failure::new(Exit::Usage, format!("cannot use --quorum {}", safe(typed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told() {
        for (typed, because) in [
            ("2", "it is not N:WHO,WHO,…"),
            ("@board", "it is not N:WHO,WHO,…"),
            ("0:a", "`0` is not a number from 1 to 255"),
            ("x:a", "`x` is not a number from 1 to 255"),
            ("+2:a,b", "`+2` is not a number from 1 to 255"),
            (":a", "`` is not a number from 1 to 255"),
            ("256:a", "`256` is not a number from 1 to 255"),
            ("2:", "a name is missing"),
            ("2:a,,b", "a name is missing"),
            ("2:a,b,", "a name is missing"),
        ] {
            let failure = QuorumArg::parse(typed).unwrap_err();
            assert_eq!((failure.exit, &*failure.reasons[0]), (Exit::Usage, because));
        }
        let good = QuorumArg::parse("2:@board, Dan , ./x:y.card").unwrap();
        assert_eq!((good.need, good.names.len()), (2, 3));
        assert_eq!(good.names[2], "./x:y.card");
    }

    #[test]
    fn an_envelope_has_eight_locks() {
        let typed = |count| vec!["1:a".to_owned(); count];
        assert_eq!(QuorumArg::all(&typed(8), 0).unwrap().len(), 8);
        assert!(QuorumArg::all(&typed(8), 1).is_err() && QuorumArg::all(&typed(9), 0).is_err());
    }
}
