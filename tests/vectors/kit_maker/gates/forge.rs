//! Makes envelopes with a gate lock from FORMAT.md, "Gate locks", so that each part can be replaced.

use std::sync::LazyLock;

use encl::crypto::kdf::{self, gate};
use encl::crypto::signing::{Purpose, SigningKey};
use encl::crypto::{Kem, Secret, sharing};
use encl::json::to_b64;

use super::super::forge::{Forge, Wish};
use super::super::people::{ANN, BOB, CAROL, DAVE, Person};

/// Servers that could be asked. No case asks one.
pub(super) static SERVERS: LazyLock<Vec<Person>> = LazyLock::new(|| {
    let server = |number| Person::new(&format!("Gate{number}"), &[Kem::XWing]);
    (0..8).map(server).collect()
});

/// The gates of a lock, and what else stands in it.
#[derive(Clone)]
pub(super) struct Gates {
    pub(super) need: u8,
    pub(super) servers: usize,
    /// They come after the servers.
    pub(super) helpers: Vec<&'static Person>,
    pub(super) owners: Vec<&'static Person>,
    pub(super) is_listed: bool,
    /// Additional members, each behind a comma.
    pub(super) members: String,
}

impl Gates {
    /// Any `need` of some servers and people, for a list of people, owned by Ann.
    pub(super) fn of(need: u8, servers: usize, helpers: &[&'static Person]) -> Self {
        Self {
            need,
            servers,
            helpers: helpers.to_vec(),
            owners: vec![&ANN],
            is_listed: true,
            members: String::new(),
        }
    }

    pub(super) fn unlisted(self) -> Self {
        Self {
            is_listed: false,
            ..self
        }
    }

    pub(super) fn saying(self, members: &str) -> Self {
        Self {
            members: members.to_owned(),
            ..self
        }
    }

    pub(super) fn owned_by(self, owners: &[&'static Person]) -> Self {
        Self {
            owners: owners.to_vec(),
            ..self
        }
    }

    /// The server or person at a position.
    pub(super) fn at(&self, gate: usize) -> &'static Person {
        match gate.checked_sub(self.servers) {
            None => &SERVERS[gate],
            Some(helper) => self.helpers[helper],
        }
    }

    pub(super) fn count(&self) -> usize {
        self.servers + self.helpers.len()
    }

    /// Behind the locks of `wish`.
    pub(super) fn behind(self, wish: Wish, seed: &'static str) -> GateForge {
        GateForge::new(wish.forge(seed), self)
    }
}

/// An envelope with a gate lock, with everything that its author, or an insider who knows the secrets, can make.
#[derive(Clone)]
pub(super) struct GateForge {
    /// Everything but the gate lock's slots; its policy holds the gate lock.
    pub(super) forge: Forge,
    pub(super) gates: Gates,
    /// L.
    pub(super) lock: String,
    /// For each gate, the secret or its share.
    pub(super) parts: Vec<Vec<u8>>,
}

impl GateForge {
    fn new(mut forge: Forge, gates: Gates) -> Self {
        let secret: [u8; 32] = forge.rng(&[b"gate secret"]).array();
        let of = u8::try_from(gates.count()).unwrap();
        let parts: Vec<Vec<u8>> = match gates.need {
            1 => vec![secret.to_vec(); of.into()],
            need => {
                let mut rng = forge.rng(&[b"gate shares"]);
                let shares = sharing::split(&Secret::new(secret), need, of, &mut rng);
                shares.iter().map(|share| share.expose().to_vec()).collect()
            }
        };
        let lock = lock_text(&forge, &gates, &secret, &parts);
        let policy = forge.policy.strip_suffix("]}").unwrap();
        forge.policy = format!("{policy},{lock}]}}");
        forge.secrets.push(secret);
        Self {
            forge,
            gates,
            lock,
            parts,
        }
    }

    /// The same envelope with another gate lock; everything else follows it.
    pub(super) fn with_lock(&self, lock: &str) -> Self {
        let policy = self.forge.policy.replace(&self.lock, lock);
        Self {
            forge: self.forge.with_policy(policy),
            lock: lock.to_owned(),
            ..self.clone()
        }
    }

    /// The same envelope with a change in its gate lock.
    #[track_caller]
    pub(super) fn edited(&self, from: &str, to: &str) -> Self {
        assert!(self.lock.contains(from), "{from} is not in {}", self.lock);
        self.with_lock(&self.lock.replacen(from, to, 1))
    }

    /// The same envelope with a change in its policy outside the gate lock.
    #[track_caller]
    pub(super) fn with_policy(&self, from: &str, to: &str) -> Self {
        assert!(self.forge.policy.contains(from), "{from}");
        let policy = self.forge.policy.replacen(from, to, 1);
        Self {
            forge: self.forge.with_policy(policy),
            ..self.clone()
        }
    }

    /// The position of the gate lock.
    pub(super) fn number(&self) -> u16 {
        u16::try_from(self.forge.wish.locks.len()).unwrap()
    }

    pub(super) fn ticket(&self) -> [u8; 32] {
        gate::ticket(&self.forge.p(), self.number(), self.lock.as_bytes())
    }

    /// The honest slot of a gate.
    pub(super) fn gate_slot(&self, gate: usize) -> String {
        self.slot_holding(gate, &self.parts[gate])
    }

    /// The slot of a gate with any content.
    pub(super) fn slot_holding(&self, gate: usize, part: &[u8]) -> String {
        let number = u8::try_from(gate).unwrap();
        let info = gate::slot_info(&self.ticket(), number);
        self.slot_under(gate, self.gates.at(gate), &info, part)
    }

    /// The slot of a gate, sealed to anybody, under any info.
    pub(super) fn slot_under(&self, gate: usize, to: &Person, info: &[u8], part: &[u8]) -> String {
        let (enc, ct) = self.forge.seal(to, info, part);
        let lock = self.number();
        format!(r#"{{"lock":{lock},"gate":{gate},"enc":"{enc}","ct":"{ct}"}}"#)
    }

    pub(super) fn gate_slots(&self) -> Vec<String> {
        (0..self.gates.count())
            .map(|gate| self.gate_slot(gate))
            .collect()
    }

    /// The honest slots of all locks.
    pub(super) fn slots(&self) -> Vec<String> {
        [self.forge.slots(), self.gate_slots()].concat()
    }

    /// The honest passes, and two decoys.
    pub(super) fn passes(&self) -> Vec<String> {
        let (holder, list) = (holder(&self.forge), list(&self.forge));
        let people = self.forge.wish.locks.iter().flat_map(|lock| &lock.people);
        let mut entries: Vec<[u8; gate::PASS_ENTRY_BYTES]> = people
            .map(|person| {
                let id = person.root.id();
                let pass = list.sign(Purpose::GatePass, &[&self.ticket(), &id.0]);
                let mut entry = *holder.pass_mask(id).expose();
                let masked = entry[16..].iter_mut().zip(pass.0);
                masked.for_each(|(byte, pass)| *byte ^= pass);
                entry
            })
            .collect();
        entries.extend([0, 1].map(|number| self.forge.rng(&[b"decoy", &[number]]).array()));
        entries.sort_unstable();
        entries.dedup();
        entries
            .iter()
            .map(|entry| format!("\"{}\"", to_b64(entry)))
            .collect()
    }

    /// Line 3 with these slots, and with the passes that are due.
    pub(super) fn access(&self, slots: &[String]) -> String {
        let slots = slots.join(",");
        match self.gates.is_listed {
            true => format!(
                r#"{{"slots":[{slots}],"passes":[{}]}}"#,
                self.passes().join(",")
            ),
            false => format!(r#"{{"slots":[{slots}]}}"#),
        }
    }

    /// An envelope with any line 3; the rest is honest.
    pub(super) fn with_access(&self, access: &str) -> Vec<u8> {
        let message = self.forge.message(&self.forge.data(HELLO));
        self.forge.envelope(access, &message)
    }

    /// An envelope with these slots; the rest is honest.
    pub(super) fn with_slots(&self, slots: &[String]) -> Vec<u8> {
        self.with_access(&self.access(slots))
    }

    /// An envelope with these slots of the gate lock; the rest is honest.
    pub(super) fn with_gate_slots(&self, slots: &[String]) -> Vec<u8> {
        self.with_slots(&[&self.forge.slots(), slots].concat())
    }

    pub(super) fn honest(&self) -> Vec<u8> {
        self.with_slots(&self.slots())
    }

    /// The line of an approval for the gate lock.
    pub(super) fn approval(&self, to: &Person, part: &[u8]) -> String {
        self.forge.approval(self.number(), to, part)
    }
}

pub(super) const HELLO: &[u8] = b"hello, encl\n";

/// What whoever opened the other locks has; `forge` before the gate lock's secret is added, or after.
fn holder(forge: &Forge) -> gate::HolderSecret {
    let others = forge.secrets.iter().take(forge.wish.locks.len());
    let others: Vec<_> = others.map(|secret| Secret::new(*secret)).collect();
    gate::HolderSecret::new(&others)
}

/// The pair of the passes.
fn list(forge: &Forge) -> SigningKey {
    SigningKey::new(Secret::new(forge.rng(&[b"members"]).array()))
}

fn lock_text(forge: &Forge, gates: &Gates, secret: &[u8; 32], parts: &[Vec<u8>]) -> String {
    let quoted = |bytes: &[u8]| format!("\"{}\"", to_b64(bytes));
    let commit = kdf::lock_commitment(&Secret::new(*secret));
    let owner = |owner: &&Person| {
        let blind = match forge.wish.private {
            true => gate::owner_blind(owner.root.seed(), &commit),
            false => [0; 32],
        };
        quoted(&gate::owner(&blind, &owner.root.id().0))
    };
    let owners: Vec<_> = gates.owners.iter().map(owner).collect();
    let list_of_gates: Vec<_> = (0..gates.count())
        .map(|at| gate_text(gates.at(at), at < gates.servers, forge.wish.private))
        .collect();
    let mut members = vec![
        r#""kind":"gate""#.to_owned(),
        format!(r#""need":{}"#, gates.need),
        format!(r#""commit":{}"#, quoted(&commit)),
    ];
    if gates.need > 1 {
        let shares: Vec<_> = parts
            .iter()
            .map(|part| quoted(&kdf::share_hash(part)))
            .collect();
        members.push(format!(r#""shares":[{}]"#, shares.join(",")));
    }
    members.push(format!(r#""gates":[{}]"#, list_of_gates.join(",")));
    members.push(format!(r#""owners":[{}]"#, owners.join(",")));
    let key = holder(forge).holder_key().id();
    members.push(format!(r#""holder":{}"#, quoted(&key.0)));
    if gates.is_listed {
        members.push(format!(r#""members":{}"#, quoted(&list(forge).id().0)));
    }
    format!("{{{}{}}}", members.join(","), gates.members)
}

fn gate_text(gate: &Person, is_server: bool, is_private: bool) -> String {
    let (id, key, host) = (gate.id(), gate.key(), gate.file());
    let kind = if is_server { "server" } else { "person" };
    let described = match (is_private, is_server) {
        (true, _) => String::new(),
        (false, true) => format!(r#","name":"{host}","url":"https://{host}.example.org""#),
        (false, false) => format!(r#","name":"{}""#, gate.name),
    };
    format!(r#"{{"kind":"{kind}","id":"{id}","key":"{key}"{described}}}"#)
}

/// For Bob, and a server or Dave.
pub(super) fn one_of_two() -> GateForge {
    Gates::of(1, 1, &[&DAVE]).behind(Wish::of(&[&BOB]), "one of two gates")
}

/// For Bob, and two of a server, Dave and Carol.
pub(super) fn two_of_three() -> GateForge {
    Gates::of(2, 1, &[&DAVE, &CAROL]).behind(Wish::of(&[&BOB]), "two of three gates")
}

/// For Bob and a server: nobody else helps.
pub(super) fn server_alone() -> GateForge {
    Gates::of(1, 1, &[]).behind(Wish::of(&[&BOB]), "one gate")
}
