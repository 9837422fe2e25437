//! Decides whether an envelope may be opened now. The conditions are advisory: only honest software obeys them.

use serde::Serialize;

use crate::time::Time;

/// The period in which an envelope may be opened: from `not_before` on, and before `expires`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Conditions {
    /// The first moment at which it may be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// The first moment at which it may no longer be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
}

/// Why an envelope may not be opened now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `not_before` is in the future.
    #[error("it may not be opened before {0}")]
    TooEarly(Time),
    /// `expires` is reached.
    #[error("it expired at {0}")]
    Expired(Time),
}

impl Conditions {
    /// Decides for the moment `now`: `not_before ≤ now < expires`.
    ///
    /// # Errors
    /// The [`Refusal`].
    pub fn decide(&self, now: Time) -> Result<(), Refusal> {
        match (self.not_before, self.expires) {
            (Some(start), _) if now < start => Err(Refusal::TooEarly(start)),
            (_, Some(end)) if now >= end => Err(Refusal::Expired(end)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_unix(seconds).unwrap()
    }

    #[test]
    fn the_first_moment_counts_and_the_last_does_not() {
        let span = Conditions {
            not_before: Some(at(10)),
            expires: Some(at(20)),
        };
        assert_eq!(span.decide(at(9)), Err(Refusal::TooEarly(at(10))));
        assert_eq!(span.decide(at(10)), Ok(()));
        assert_eq!(span.decide(at(19)), Ok(()));
        assert_eq!(span.decide(at(20)), Err(Refusal::Expired(at(20))));
        assert_eq!(Conditions::default().decide(at(0)), Ok(()));
    }
}
