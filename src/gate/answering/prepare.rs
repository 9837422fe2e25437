//! The checks for which nothing has to be remembered: 7, 8 and 10 of the design, for each item.

use std::fmt;

use zeroize::Zeroizing;

use super::GateKeys;
use crate::crypto::PrivateKey;
use crate::crypto::signing::RootId;
use crate::envelope::GateLock;
use crate::gate::protocol::{Ask, Item, Request, SignedStatement};
use crate::gate::rules::{Refusal, Statement};
use crate::policy::GateKind;

/// A request all of whose signatures, locks and slots were looked at.
pub struct Prepared {
    pub(super) request: Request,
    pub(super) items: Vec<PreparedItem>,
}

/// What is known of an item without the ledger.
pub(super) enum PreparedItem {
    /// It is refused whatever was said or logged before, and leaves no trace.
    Refused(Refusal),
    /// The lock, whether a pass was shown, and what the slot held, if it is this lock's.
    Open {
        lock: Box<GateLock>,
        has_pass: bool,
        part: Option<Zeroizing<Vec<u8>>>,
    },
    /// A statement of an owner of the lock.
    State(Box<SignedStatement>),
    /// An owner of the lock asks for the entries from a number on.
    Log {
        lock: Box<GateLock>,
        by: RootId,
        from: u64,
    },
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}

impl Prepared {
    /// Looks at each item of a request to the gate with these keys.
    #[must_use]
    pub fn new(keys: &GateKeys, request: Request) -> Self {
        let numbered = request.items.iter().enumerate();
        let items = numbered.map(|(number, item)| {
            prepared(keys, &request, number, item).unwrap_or_else(PreparedItem::Refused)
        });
        Self {
            items: items.collect(),
            request,
        }
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }
}

fn prepared(
    keys: &GateKeys,
    request: &Request,
    number: usize,
    item: &Item,
) -> Result<PreparedItem, Refusal> {
    let lock = item.lock().map_err(|_| Refusal::Broken)?;
    if request.head.items[number] != item.commitment() {
        return Err(Refusal::Broken);
    }
    let (gate, key) = own_place(keys, &lock).ok_or(Refusal::Broken)?;
    match &item.ask {
        Ask::Open { enc, ct, pass } => {
            // Nothing is opened for somebody who has not opened all other locks.
            if !request.is_proved(number, lock.terms().holder) {
                return Err(Refusal::Unknown);
            }
            let who = request.head.who;
            let is_pass = |who| pass.is_some_and(|pass| lock.is_pass(who, &pass));
            Ok(PreparedItem::Open {
                has_pass: who.is_some_and(is_pass),
                part: lock.open_slot(gate, (enc, ct), key),
                lock: Box::new(lock),
            })
        }
        Ask::State { statement } => state(&lock, statement),
        Ask::Log { by, blind, from } => {
            let is_owner = lock.is_owner(*by, blind) && request.is_proved(number, *by);
            is_owner.then_some(()).ok_or(Refusal::Unknown)?;
            Ok(PreparedItem::Log {
                lock: Box::new(lock),
                by: *by,
                from: *from,
            })
        }
    }
}

/// Where this gate stands among the servers of a lock, and the key that its slot is sealed to.
fn own_place<'a>(keys: &'a GateKeys, lock: &GateLock) -> Option<(u8, &'a PrivateKey)> {
    let numbered = (0_u8..).zip(&lock.terms().gates);
    let mut own = numbered.filter(|(_, gate)| gate.kind == GateKind::Server && gate.id == keys.id);
    let (number, gate) = own.next()?;
    let key = keys.kem_key(gate.key)?;
    own.next().is_none().then_some((number, key))
}

fn state(lock: &GateLock, statement: &[u8]) -> Result<PreparedItem, Refusal> {
    let statement = SignedStatement::parse(statement).map_err(|_| Refusal::Unknown)?;
    // Where there is no list, a new key costs nothing: to deny or allow one means nothing.
    let needs_list = matches!(statement.op(), Statement::Deny(_) | Statement::Allow(_));
    let is_apt = !needs_list || lock.terms().members.is_some();
    match statement.is_of(lock) && is_apt {
        true => Ok(PreparedItem::State(Box::new(statement))),
        false => Err(Refusal::Unknown),
    }
}
