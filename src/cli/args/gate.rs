//! Which gates an envelope asks, as it was typed.

use clap::{ArgGroup, Args};
use encl::policy::{GATES_MAX, LEASE_SECONDS_MAX};

use crate::cli::args::time;
use crate::cli::context::Context;
use crate::cli::context::asking::AskPolicy;
use crate::cli::errors::{Exit, Failure};
use crate::cli::terminal::safe;

/// Gates that are asked at each opening.
#[derive(Debug, Clone, Default, Args)]
#[command(group(ArgGroup::new("asks_gates").args(["gate", "gates"])))]
pub(crate) struct GateOptions {
    /// Also ask this gate at each opening: access can be revoked then, and openings are logged (`encl gate list`)
    #[arg(long, value_name = "GATE")]
    pub(crate) gate: Option<String>,

    /// Also ask these gates, of which K must answer, such as 2:A,B,C
    #[arg(long, value_name = "K:GATE,...", conflicts_with = "gate")]
    pub(crate) gates: Option<String>,

    /// A person who counts as one of the gates, and helps with `encl approve` where these cannot be asked
    #[arg(long, value_name = "WHO", requires = "asks_gates")]
    pub(crate) helper: Vec<String>,

    /// Readers may keep an answer so long, for opening without a network; a revocation takes so long then
    #[arg(long, value_name = "SPAN", requires = "asks_gates")]
    pub(crate) lease: Option<String>,

    /// The gates answer everybody who opens the other locks, named or not; always so with --passphrase
    #[arg(long, requires = "asks_gates")]
    pub(crate) unlisted: bool,

    /// Somebody else who may revoke it and read who opened it
    #[arg(long, value_name = "WHO", requires = "asks_gates")]
    pub(crate) owner: Vec<String>,
}

/// Whether gates are asked when envelopes open.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AskOptions {
    /// Ask no gate. An envelope that has one then needs approvals (--with)
    #[arg(long)]
    no_gate: bool,

    /// Ask gates also where an owner of the envelope is no contact of mine: owners learn who opens, and when
    #[arg(long, conflicts_with = "no_gate")]
    ask: bool,

    /// Ask gates without my name, where the envelope does not list whom they answer
    #[arg(long, conflicts_with = "no_gate")]
    unnamed: bool,
}

impl AskOptions {
    /// Sets how gates are asked in this run. `usual` is what is done if nothing else was typed.
    pub(crate) fn apply(&self, usual: AskPolicy, context: &mut Context) {
        context.asking.is_unnamed = self.unnamed;
        context.asking.policy = match (self.no_gate, self.ask) {
            (true, _) => AskPolicy::Never,
            (_, true) => AskPolicy::Always,
            _ => usual,
        };
    }
}

/// The gates of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedGates {
    /// How many have to answer, helpers included.
    pub(crate) need: u8,
    /// Their names or addresses.
    pub(crate) names: Vec<String>,
}

impl GateOptions {
    /// The gates that were named, if any.
    pub(crate) fn named(&self) -> Result<Option<NamedGates>, Failure> {
        match (&self.gate, &self.gates) {
            (Some(one), _) => Ok(Some(NamedGates {
                need: 1,
                names: vec![one.clone()],
            })),
            (None, Some(text)) => several(text).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The lease in seconds.
    pub(crate) fn lease_seconds(&self) -> Result<Option<u32>, Failure> {
        let seconds = |text: &String| {
            let seconds = time::span_seconds(text).and_then(|seconds| u32::try_from(seconds).ok());
            seconds
                .filter(|seconds| (1..=LEASE_SECONDS_MAX).contains(seconds))
                .ok_or_else(|| {
                    cannot("--lease").reason(format!(
                        "`{}` is not a span from 1s to 30d, such as 24h",
                        safe(text)
                    ))
                })
        };
        self.lease.as_ref().map(seconds).transpose()
    }
}

fn several(text: &str) -> Result<NamedGates, Failure> {
    let refused = |because: String| Err(cannot("--gates").reason(because));
    let Some((need, names)) = text.split_once(':') else {
        return refused(format!("`{}` is not K:GATE,GATE,...", safe(text)));
    };
    let names: Vec<String> = names
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    let need = need.parse().ok().filter(|need| *need > 0);
    match need {
        _ if names.iter().any(String::is_empty) => refused("a gate has no name".to_owned()),
        _ if names.len() > GATES_MAX => {
            refused(format!("an envelope asks at most {GATES_MAX} gates"))
        }
        Some(need) => Ok(NamedGates { need, names }),
        None => refused(format!(
            "`{}` does not begin with how many must answer, such as 2:",
            safe(text)
        )),
    }
}

fn cannot(option: &str) -> Failure {
    Failure::new(Exit::Usage, format!("cannot use {option}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_gates_are_a_number_and_names() {
        let gates = several("2:a.example.org, work,c").unwrap();
        assert_eq!((gates.need, gates.names.len()), (2, 3));
        assert_eq!(gates.names[1], "work");
        for text in ["", "2", "a,b", "0:a", "x:a", "2:", "2:a,,b", "256:a,b"] {
            assert!(several(text).is_err(), "{text}");
        }
        let nine = ["g"; 9].join(",");
        assert!(several(&format!("2:{nine}")).is_err());
    }

    #[test]
    fn a_lease_is_a_span() {
        let lease = |text: &str| {
            let options = GateOptions {
                lease: Some(text.to_owned()),
                ..GateOptions::default()
            };
            options.lease_seconds()
        };
        assert_eq!(lease("24h").unwrap(), Some(86_400));
        assert_eq!(lease("30d").unwrap(), Some(LEASE_SECONDS_MAX));
        for text in ["31d", "0s", "h", "24", "2026-12-01"] {
            assert!(lease(text).is_err(), "{text}");
        }
    }
}
