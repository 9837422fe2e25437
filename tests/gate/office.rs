//! An envelope's gate lock, made from the library's pieces, and the people around it.

use encl::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use encl::crypto::{Secret, hpke, kdf};
use encl::envelope::{EnvelopeId, GateLock, PUBLIC_BLIND};
use encl::gate::card::GateCard;
use encl::gate::protocol::{
    Answer, Ask, DraftItem, Item, ItemAnswer, Op, Pending, RequestDraft, Said, SignedStatement,
};
use encl::gate::rules::Statement;
use encl::policy::{Conditions, Gate, GateKind, GateTerms, Hash, Lock, Opens};
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::client::Client;
use crate::server::Server;

pub(crate) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

pub(crate) fn key() -> SigningKey {
    SigningKey::generate(&mut rng())
}

pub(crate) fn now() -> Time {
    let passed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Time::from_unix(passed.unwrap().as_secs()).unwrap()
}

pub(crate) fn after(seconds: u64) -> Time {
    Time::from_unix(now().unix() + seconds).unwrap()
}

/// One envelope with a gate lock, and who has to do with it.
pub(crate) struct Office {
    pub(crate) holder: SigningKey,
    pub(crate) list: SigningKey,
    pub(crate) owner: SigningKey,
    pub(crate) bob: SigningKey,
    pub(crate) parts: Vec<Vec<u8>>,
    pub(crate) envelope: EnvelopeId,
    pub(crate) lock: Lock,
    cards: Vec<GateCard>,
}

impl Office {
    /// A lock that one gate opens, with a list.
    pub(crate) fn new(server: &Server) -> Self {
        Self::with(&[server], 1)
    }

    /// A lock that `need` of these gates open.
    pub(crate) fn with(servers: &[&Server], need: u8) -> Self {
        let secret = Secret::random(&mut rng());
        let of = u8::try_from(servers.len()).unwrap();
        let shares = encl::crypto::sharing::split(&secret, need, of, &mut rng());
        let parts: Vec<Vec<u8>> = match need {
            1 => servers.iter().map(|_| secret.expose().to_vec()).collect(),
            _ => shares.iter().map(|share| share.expose().to_vec()).collect(),
        };
        let (holder, list, owner) = (key(), key(), key());
        let cards: Vec<GateCard> = servers.iter().map(|server| server.card.clone()).collect();
        let hash = |share: &encl::crypto::sharing::Share| Hash(kdf::share_hash(share.expose()));
        let lock = Lock {
            need,
            commit: kdf::lock_commitment(&secret),
            shares: shares.iter().filter(|_| need > 1).map(hash).collect(),
            opens: Opens::Gates(Box::new(GateTerms {
                gates: cards.iter().map(gate).collect(),
                owners: vec![Hash(kdf::gate::owner(&PUBLIC_BLIND, &owner.id().0))],
                holder: holder.id(),
                members: Some(list.id()),
                conditions: Conditions::default(),
                lease: None,
            })),
        };
        Self {
            holder,
            list,
            owner,
            bob: key(),
            parts,
            envelope: EnvelopeId(*Secret::<32>::random(&mut rng()).expose()),
            lock,
            cards,
        }
    }

    pub(crate) fn terms(&mut self) -> &mut GateTerms {
        match &mut self.lock.opens {
            Opens::Gates(terms) => terms,
            Opens::Recipients { .. } => panic!("it is a lock of gates"),
        }
    }

    pub(crate) fn lock(&self) -> GateLock {
        let bytes = serde_json::to_vec(&self.lock).unwrap();
        GateLock::parse(self.envelope, 1, &bytes).unwrap()
    }

    pub(crate) fn pass(&self, who: RootId) -> Signature {
        let ticket = self.lock().ticket();
        self.list.sign(Purpose::GatePass, &[&ticket.0, &who.0])
    }

    /// The slot of a gate.
    pub(crate) fn slot(&self, gate: usize) -> (Vec<u8>, Vec<u8>) {
        let number = u8::try_from(gate).unwrap();
        let info = kdf::gate::slot_info(&self.lock().ticket().0, number);
        let key = self.cards[gate].newest_key();
        let slot = hpke::seal(key, &info, &self.parts[gate], &mut rng()).unwrap();
        (slot.enc, slot.ct)
    }

    /// To open the lock at a gate, with Bob's pass.
    pub(crate) fn open(&self, gate: usize) -> Item {
        let (enc, ct) = self.slot(gate);
        let pass = Some(self.pass(self.bob.id()));
        self.item(Ask::Open { enc, ct, pass })
    }

    pub(crate) fn item(&self, ask: Ask) -> Item {
        let salt = Secret::<16>::random(&mut rng());
        Item::new(*salt.expose(), &self.lock(), ask)
    }

    pub(crate) fn statement(&self, op: Statement, by: &SigningKey) -> Item {
        let ticket = self.lock().ticket();
        let statement = SignedStatement::new((ticket, op), now(), PUBLIC_BLIND, by);
        self.item(Ask::State {
            statement: statement.to_bytes(),
        })
    }

    /// A request of Bob's.
    pub(crate) fn draft<'a>(
        &'a self,
        op: Op,
        items: Vec<Item>,
        proof: Option<&'a SigningKey>,
    ) -> RequestDraft<'a> {
        let items = items.into_iter().map(|item| DraftItem { item, proof });
        RequestDraft {
            op,
            at: now(),
            told: None,
            who: Some(&self.bob),
            keep: false,
            seen: None,
            items: items.collect(),
        }
    }

    pub(crate) fn opening(&self, gate: usize) -> RequestDraft<'_> {
        self.draft(Op::Open, vec![self.open(gate)], Some(&self.holder))
    }

    pub(crate) fn stating(&self, op: Statement) -> RequestDraft<'_> {
        self.draft(Op::State, vec![self.statement(op, &self.owner)], None)
    }

    pub(crate) fn reading(&self, from: u64) -> RequestDraft<'_> {
        let item = self.item(Ask::Log {
            by: self.owner.id(),
            blind: PUBLIC_BLIND,
            from,
        });
        let draft = self.draft(Op::Log, vec![item], Some(&self.owner));
        RequestDraft {
            who: Some(&self.owner),
            ..draft
        }
    }
}

/// Items of as many envelopes, all of which the same person may open.
pub(crate) fn batch(
    server: &Server,
    (bob, holder): (&SigningKey, &SigningKey),
    count: usize,
) -> Vec<Item> {
    let items = (0..count).map(|_| {
        let mut office = Office::new(server);
        office.terms().holder = holder.id();
        let pass = Some(office.pass(bob.id()));
        let (enc, ct) = office.slot(0);
        office.item(Ask::Open { enc, ct, pass })
    });
    items.collect()
}

fn gate(card: &GateCard) -> Gate {
    Gate {
        kind: GateKind::Server,
        id: card.id(),
        key: card.newest_key().key_id(),
        name: Some(card.name().to_owned()),
        url: None,
    }
}

/// Seals a request to a gate.
pub(crate) fn sealed(card: &GateCard, draft: RequestDraft<'_>) -> (Vec<u8>, Pending) {
    draft
        .seal((card.id(), card.newest_key()), &mut rng())
        .unwrap()
}

/// Posts a request that was sealed, and opens the answer; `None` when there was none.
pub(crate) fn post(
    client: &mut Client,
    card: &GateCard,
    sent: &(Vec<u8>, Pending),
) -> Option<Said> {
    let response = client.post(&sent.0).ok()?;
    assert_eq!(response.status, 200, "{response:?}");
    let answer = Answer::open(&response.body, &sent.1, card.log_key().key);
    Some(answer.unwrap().said)
}

/// Asks a gate, which answers: the word of the first item, or of the whole.
pub(crate) fn ask(server: &Server, draft: RequestDraft<'_>) -> &'static str {
    let sent = sealed(&server.card, draft);
    word(&post(&mut server.client(), &server.card, &sent).unwrap())
}

pub(crate) fn word(said: &Said) -> &'static str {
    match said {
        Said::Refused(refusal) => refusal.word(),
        Said::Items { items, .. } => item_word(&items[0]),
    }
}

pub(crate) fn item_word(item: &ItemAnswer) -> &'static str {
    match item {
        ItemAnswer::Share { .. } => "open",
        ItemAnswer::Refused { reason, .. } => reason.word(),
        ItemAnswer::Stated(_) => "stated",
        ItemAnswer::Log(_) => "log",
    }
}
