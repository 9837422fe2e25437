//! What a gate answers, as pure functions: how statements change the state of a ticket, and what state, terms and time allow.
//!
//! A state only grows, so statements need no order and no sequence numbers: whoever carries them, in whatever order and however
//! often, all gates end in the same state.

use std::collections::BTreeSet;

use crate::crypto::signing::RootId;
use crate::policy::Conditions;
use crate::time::Time;

/// The most people whom a ticket's statements can allow, and deny.
pub const PEOPLE_MAX: usize = 16_384;

/// What an owner says of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// Nobody is answered any more.
    Revoke,
    /// Nobody is answered from this time on.
    Expire(Time),
    /// This person is not answered any more.
    Deny(RootId),
    /// This person is answered, though not on the list.
    Allow(RootId),
}

/// What all statements about a ticket say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketState {
    /// Whether it was revoked.
    pub revoked: bool,
    /// The earliest time from which on nobody is answered.
    pub until: Option<Time>,
    /// Who is not answered any more.
    pub denied: BTreeSet<RootId>,
    /// Who is answered though not on the list.
    pub allowed: BTreeSet<RootId>,
}

/// As many people are denied or allowed as can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ticket has {PEOPLE_MAX} people already")]
pub struct TicketFull;

impl TicketState {
    /// Adds a statement, and says whether it changed anything. A revocation always has room.
    ///
    /// # Errors
    /// [`TicketFull`].
    pub fn add(&mut self, statement: Statement) -> Result<bool, TicketFull> {
        match statement {
            Statement::Revoke => Ok(!std::mem::replace(&mut self.revoked, true)),
            Statement::Expire(time) => {
                let until = Some(self.until.map_or(time, |until| until.min(time)));
                Ok(std::mem::replace(&mut self.until, until) != until)
            }
            Statement::Deny(who) => add(&mut self.denied, who),
            Statement::Allow(who) => add(&mut self.allowed, who),
        }
    }
}

fn add(people: &mut BTreeSet<RootId>, who: RootId) -> Result<bool, TicketFull> {
    if people.len() >= PEOPLE_MAX && !people.contains(&who) {
        return Err(TicketFull);
    }
    Ok(people.insert(who))
}

/// Who asks, as far as that was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// The root key that signed; `None` for whoever does not say.
    pub who: Option<RootId>,
    /// Whether the operator blocked that key.
    pub is_blocked: bool,
    /// Whether all other locks were opened: the holder's key signed.
    pub is_holder: bool,
    /// Whether a pass for that key was shown.
    pub has_pass: bool,
}

/// Why a gate does not answer, or not what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The operator of the gate blocked the asker.
    Blocked,
    /// Who asks has not shown a right to ask. Nothing about the ticket is told.
    Unknown,
    /// An owner revoked the envelope.
    Revoked,
    /// An owner denied this person.
    Denied,
    /// It is not time yet.
    Early,
    /// It was time.
    Expired,
    /// The gate answers nobody until its operator has looked at it.
    Frozen,
    /// The request's time is too far from the gate's, or the gate's own clock went back.
    Clock,
    /// Too many requests, or no room for one more statement.
    Limit,
    /// The lock or its slot is not one of this gate's, or was changed.
    Broken,
    /// The gate cannot store what it decides.
    Full,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Blocked,
        Self::Unknown,
        Self::Revoked,
        Self::Denied,
        Self::Early,
        Self::Expired,
        Self::Frozen,
        Self::Clock,
        Self::Limit,
        Self::Broken,
        Self::Full,
    ];

    /// The word in answers and entries.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Denied => "denied",
            Self::Early => "early",
            Self::Expired => "expired",
            Self::Frozen => "frozen",
            Self::Clock => "clock",
            Self::Limit => "limit",
            Self::Broken => "broken",
            Self::Full => "full",
        }
    }

    /// The refusal with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// Whether the gate opens its lock: the first reason against it that fits. `has_list`: only who has a pass, or was allowed, is
/// answered.
///
/// # Errors
/// [`Refusal`].
pub fn decide(
    asker: &Asker,
    has_list: bool,
    state: &TicketState,
    dates: Conditions,
    now: Time,
) -> Result<(), Refusal> {
    let is_in = |people: &BTreeSet<RootId>| asker.who.is_some_and(|who| people.contains(&who));
    let is_listed = asker.who.is_some() && (asker.has_pass || is_in(&state.allowed));
    let ends = dates.expires.into_iter().chain(state.until).min();
    let refusal = if asker.is_blocked {
        Refusal::Blocked
    } else if !asker.is_holder || (has_list && !is_listed) {
        Refusal::Unknown
    } else if state.revoked {
        Refusal::Revoked
    } else if has_list && is_in(&state.denied) {
        Refusal::Denied
    } else if dates.not_before.is_some_and(|begin| now < begin) {
        Refusal::Early
    } else if ends.is_some_and(|end| now >= end) {
        Refusal::Expired
    } else {
        return Ok(());
    };
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: u64) -> Time {
        Time::from_unix(seconds).unwrap()
    }

    const ALICE: RootId = RootId([1; 32]);
    const BOB: RootId = RootId([2; 32]);

    /// Every order of eight statements, some of which contradict each other, gives the same state; so does every repetition.
    #[test]
    fn statements_need_no_order() {
        let statements = [
            Statement::Revoke,
            Statement::Expire(time(50)),
            Statement::Expire(time(40)),
            Statement::Expire(time(60)),
            Statement::Deny(ALICE),
            Statement::Allow(ALICE),
            Statement::Deny(BOB),
            Statement::Allow(BOB),
        ];
        let mut expected = TicketState::default();
        for statement in statements {
            expected.add(statement).unwrap();
        }
        assert_eq!(expected.until, Some(time(40)));
        let mut orders = 0;
        let mut order: Vec<usize> = (0..statements.len()).collect();
        permute(&mut order, 0, &mut |order| {
            let mut state = TicketState::default();
            for at in order {
                state.add(statements[*at]).unwrap();
            }
            assert_eq!(state, expected);
            orders += 1;
        });
        assert_eq!(orders, 40_320);
        for statement in statements {
            assert_eq!(expected.add(statement), Ok(false));
        }
    }

    fn permute(order: &mut Vec<usize>, at: usize, visit: &mut dyn FnMut(&[usize])) {
        if at == order.len() {
            return visit(order);
        }
        for next in at..order.len() {
            order.swap(at, next);
            permute(order, at + 1, visit);
            order.swap(at, next);
        }
    }

    #[test]
    fn each_refusal_has_its_own_word() {
        let words: BTreeSet<&str> = Refusal::ALL.map(Refusal::word).into();
        assert_eq!(words.len(), Refusal::ALL.len());
        for one in Refusal::ALL {
            assert_eq!(Refusal::from_word(one.word()), Some(one));
        }
        assert_eq!(Refusal::from_word("open"), None);
    }

    #[test]
    fn a_revocation_always_has_room() {
        let mut state = TicketState::default();
        for number in 0..PEOPLE_MAX {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_be_bytes());
            assert_eq!(state.add(Statement::Allow(RootId(id))), Ok(true));
        }
        assert_eq!(
            state.add(Statement::Allow(RootId([9; 32]))),
            Err(TicketFull)
        );
        assert_eq!(state.add(Statement::Allow(RootId([0; 32]))), Ok(false));
        assert_eq!(state.add(Statement::Deny(BOB)), Ok(true));
        assert_eq!(state.add(Statement::Revoke), Ok(true));
    }

    /// The table, row by row, for every combination of its columns.
    #[test]
    fn the_first_row_that_fits_decides() {
        let now = time(100);
        for bits in 0_u32..1 << 10 {
            let bit = |at: u32| bits >> at & 1 == 1;
            let (blocked, holder, list, named) = (bit(0), bit(1), bit(2), bit(3));
            let (pass, allowed, revoked, denied) = (bit(4), bit(5), bit(6), bit(7));
            let (early, expired) = (bit(8), bit(9));
            let asker = Asker {
                who: named.then_some(BOB),
                is_blocked: blocked,
                is_holder: holder,
                has_pass: pass,
            };
            let people = |is: bool| is.then_some(BOB).into_iter().collect();
            let dates = Conditions {
                not_before: early.then(|| time(101)),
                expires: None,
            };
            for (expires, until) in [(Some(100), None), (None, Some(100)), (Some(101), Some(100))] {
                let at = |end: Option<u64>| end.filter(|_| expired).map(time);
                let state = TicketState {
                    revoked,
                    until: at(until),
                    denied: people(denied),
                    allowed: people(allowed),
                };
                let dates = Conditions {
                    expires: at(expires),
                    ..dates
                };
                let listed = named && (pass || allowed);
                let expected = match () {
                    () if blocked => Err(Refusal::Blocked),
                    () if !holder => Err(Refusal::Unknown),
                    () if list && !listed => Err(Refusal::Unknown),
                    () if revoked => Err(Refusal::Revoked),
                    () if list && denied && named => Err(Refusal::Denied),
                    () if early => Err(Refusal::Early),
                    () if expired => Err(Refusal::Expired),
                    () => Ok(()),
                };
                let decided = decide(&asker, list, &state, dates, now);
                assert_eq!(decided, expected, "{bits:010b}");
            }
        }
    }

    #[test]
    fn nobody_is_answered_at_the_end_and_everybody_at_the_beginning() {
        let asker = Asker {
            who: None,
            is_blocked: false,
            is_holder: true,
            has_pass: false,
        };
        let dates = Conditions {
            not_before: Some(time(10)),
            expires: Some(time(20)),
        };
        let at = |now| decide(&asker, false, &TicketState::default(), dates, time(now));
        assert_eq!(at(9), Err(Refusal::Early));
        assert_eq!((at(10), at(19)), (Ok(()), Ok(())));
        assert_eq!(at(20), Err(Refusal::Expired));
    }
}
