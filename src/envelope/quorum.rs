//! Who is needed to open a lock, so that the reader knows whom to ask.

use std::fmt;

use crate::policy::{Gate, Lock, Recipient};

/// A lock that does not open with what is at hand: others have to come too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// The lock, from 0.
    pub lock: usize,
    /// How many people are needed; 1 if any one of `could` is enough.
    pub need: u8,
    /// How many people have a share.
    pub of: usize,
    /// Whether it is a lock of gates, which are to be asked.
    pub is_gate: bool,
    /// Whose shares are at hand, as the policy says.
    pub given: Vec<Holder>,
    /// Who else has a share, as the policy says; empty in a private envelope.
    pub could: Vec<Holder>,
}

/// The holder of a share, or of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The policy names the person.
    Named(Recipient),
    /// The names are sealed: the number of the share, from 1.
    Share(u8),
    /// A gate of a gate lock.
    Gate(Gate),
}

impl Holder {
    /// Whose share number `x` is.
    pub(super) fn of_share(lock: &Lock, x: u8) -> Self {
        let gate = usize::from(x).checked_sub(1);
        let gate = gate.and_then(|at| lock.gate()?.gates.get(at));
        if let Some(gate) = gate {
            return Self::Gate(gate.clone());
        }
        let named = usize::from(x).checked_sub(1);
        let named = named.and_then(|at| lock.recipients().get(at));
        named.map_or(Self::Share(x), |recipient| Self::Named(recipient.clone()))
    }
}

impl Quorum {
    /// What is said of a lock when shares with these numbers are at hand.
    pub(super) fn new(number: u16, lock: &Lock, given: &[u8]) -> Self {
        let gates = lock.gate().map_or(&[][..], |terms| &terms.gates);
        let named = lock.recipients().iter().cloned().map(Holder::Named);
        let gates = gates.iter().cloned().map(Holder::Gate);
        let could = (1..).zip(named.chain(gates));
        let could = could.filter(|(x, _)| !given.contains(x) || lock.need == 1);
        Self {
            lock: number.into(),
            need: lock.need,
            of: lock.shares.len().max(lock.recipients().len()),
            is_gate: lock.gate().is_some(),
            given: given.iter().map(|x| Holder::of_share(lock, *x)).collect(),
            could: could.map(|(_, one)| one).collect(),
        }
    }

    /// How many more have to come.
    #[must_use]
    pub fn missing(&self) -> usize {
        usize::from(self.need).saturating_sub(self.given.len())
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(recipient) => f.write_str(&recipient.name),
            Self::Share(number) => write!(f, "the holder of share {number}"),
            Self::Gate(Gate { name, id, .. }) => match name {
                Some(name) => f.write_str(name),
                None => write!(f, "the gate {id}"),
            },
        }
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lock, need, of, .. } = self;
        let could = match &*self.could {
            [] => "they are not named".to_owned(),
            could => listed(could),
        };
        if self.is_gate && self.given.is_empty() {
            return write!(
                f,
                "lock {lock} is opened by a gate, and none of these can be asked: {could}"
            );
        }
        if *need == 1 {
            return write!(f, "lock {lock} has to be opened by others: {could}");
        }
        write!(f, "lock {lock} needs {need} of {of} people together: ")?;
        match &*self.given {
            [] => f.write_str("nobody has given a share, ")?,
            given => write!(f, "{} gave a share, ", listed(given))?,
        }
        write!(f, "{} more needed: {could}", self.missing())
    }
}

fn listed(people: &[Holder]) -> String {
    let people: Vec<_> = people.iter().map(Holder::to_string).collect();
    people.join(", ")
}

/// Where a share, or a secret, came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A slot, by its position in the access line, from 0.
    Slot(usize),
    /// An approval, by its position among those that were given, from 0.
    Approval(usize),
    /// The answer of a gate, by the gate's position in its lock, from 0.
    Gate(u8),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(at) => write!(f, "slot {at}"),
            Self::Approval(at) => write!(f, "approval {}", at + 1),
            Self::Gate(at) => write!(f, "the answer of gate {}", at + 1),
        }
    }
}

/// A share that the policy does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongShare {
    /// What held it.
    pub source: Source,
    /// The lock, from 0.
    pub lock: usize,
    /// The holder that its number belongs to; `None` if the policy has no such number.
    pub says: Option<Holder>,
}

impl WrongShare {
    pub(super) fn new(source: Source, number: u16, lock: &Lock, share: &[u8]) -> Self {
        let x = share.first().copied();
        let x = x.filter(|x| (1..=lock.shares.len()).contains(&usize::from(*x)));
        Self {
            source,
            lock: number.into(),
            says: x.map(|x| Holder::of_share(lock, x)),
        }
    }
}

impl fmt::Display for WrongShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, lock, .. } = self;
        write!(
            f,
            "the share in {source} for lock {lock} was forged or changed: "
        )?;
        match &self.says {
            Some(holder) => write!(f, "it says that it is {holder}'s, and it is not"),
            None => f.write_str("the policy has no share with its number"),
        }
    }
}
