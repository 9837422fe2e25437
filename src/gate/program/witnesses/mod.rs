//! Asking the witnesses: after the start, and again and again. A thread of its own, since it waits for others.

mod ask;
mod exchange;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::output::tell;
use crate::store::{Frozen, Peer, Shared, Store, Tx, now};
use exchange::Said;

pub(crate) use ask::{Place, authority, card};

/// How often it is looked whether somebody has to be asked.
const LOOK: Duration = Duration::from_secs(1);
/// The pause while nobody is answered until a witness answers, and after a witness showed that it does not know the newest card.
const WAITING: Duration = Duration::from_secs(2);
const WANTED: Duration = Duration::from_mins(1);
/// How often it is told that they cannot be asked.
const TELL: Duration = Duration::from_mins(1);

/// For the thread at the end.
const END: Duration = Duration::from_secs(2);

/// The thread that asks, as long as this is held.
pub(crate) struct Asking {
    end: Sender<()>,
    ended: Receiver<()>,
}

/// What the thread needs.
pub(crate) struct Request {
    pub(crate) database: PathBuf,
    pub(crate) shared: Arc<Shared>,
    pub(crate) every: Duration,
    /// Set when a peer has sent what this gate does not know yet: its card may be newer.
    pub(crate) wanted: Arc<AtomicBool>,
}

impl Asking {
    /// Starts the thread.
    pub(crate) fn start(request: Request) -> Self {
        let (end, is_ending) = channel();
        let (ending, ended) = channel();
        thread::spawn(move || {
            Round::new(request, is_ending).run();
            drop::<Sender<()>>(ending);
        });
        Self { end, ended }
    }

    /// Ends the thread, so that the database is closed. It is not waited for longer than a little: what it waits for are others.
    pub(crate) fn finish(self) {
        drop(self.end);
        let _ = self.ended.recv_timeout(END);
    }
}

struct Round {
    request: Request,
    is_ending: Receiver<()>,
    store: Option<Store>,
    last: Option<Instant>,
}

impl Round {
    fn new(request: Request, is_ending: Receiver<()>) -> Self {
        Self {
            request,
            is_ending,
            store: None,
            last: None,
        }
    }

    fn run(mut self) {
        let mut told: Option<Instant> = None;
        loop {
            if let Err(error) = self.look() {
                // The writer tells what is wrong with the database; here it is only opened again.
                if told.is_none_or(|told| told.elapsed() >= TELL) {
                    tell(&format!("encl-gate: the witnesses are not asked: {error}"));
                    told = Some(Instant::now());
                }
                self.store = None;
            }
            if self.is_ending.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Asks all witnesses, if it is time.
    fn look(&mut self) -> rusqlite::Result<()> {
        let mut store = match self.store.take().filter(Store::is_there) {
            Some(store) => store,
            None => Store::open(&self.request.database)?,
        };
        let (peers, frozen, origin) = {
            let transaction = store.look()?;
            let origin = transaction.origin().to_owned();
            (transaction.peers()?, transaction.frozen(), origin)
        };
        if peers.is_empty() {
            self.stop_waiting(&mut store, frozen)?;
        } else if frozen != Frozen::Loss && self.is_time(&peers, frozen) {
            self.last = Some(Instant::now());
            self.request.wanted.store(false, Ordering::Relaxed);
            let mut is_cosigned = false;
            for peer in peers {
                if self.is_ending.try_recv() != Err(TryRecvError::Empty) {
                    return Ok(());
                }
                let said = exchanged(&mut store, &peer)?;
                is_cosigned |= matches!(said, Said::Cosigned(_));
                remember(&mut store, (&peer, &origin), &said)?;
                self.publish(&store.look()?)?;
            }
            if is_cosigned {
                answer_again(&mut store, &origin)?;
                self.publish(&store.look()?)?;
            }
        }
        self.store = Some(store);
        Ok(())
    }

    fn is_time(&self, peers: &[Peer], frozen: Frozen) -> bool {
        let Some(last) = self.last else {
            return true;
        };
        let is_wanted = self.request.wanted.load(Ordering::Relaxed);
        let is_new = peers.iter().any(|peer| peer.asked.is_none());
        let pause = match (frozen, is_new, is_wanted) {
            (_, true, _) => LOOK,
            (Frozen::Waiting, ..) => WAITING,
            (_, _, true) => WANTED,
            _ => self.request.every,
        };
        last.elapsed() >= pause.min(self.request.every)
    }

    /// The last witness was removed while the gate waited for it.
    fn stop_waiting(&self, store: &mut Store, frozen: Frozen) -> rusqlite::Result<()> {
        if frozen != Frozen::Waiting {
            return Ok(());
        }
        let mut transaction = store.begin()?;
        transaction.wait_for_witness()?;
        transaction.commit()?;
        self.publish(&store.look()?)
    }

    /// Gives out what is in the database, as far as it is under the keys that the server has: after `rotate` it takes them over soon.
    fn publish(&self, transaction: &Tx<'_>) -> rusqlite::Result<()> {
        let shared = &self.request.shared;
        let note = transaction.note();
        if transaction.continues(note.as_bytes(), &shared.keys())? {
            shared.take_over(note, transaction.frozen() != Frozen::No);
            shared.set_cosigned((note.to_owned(), transaction.cosignatures()?));
        }
        Ok(())
    }
}

/// Asks a witness.
fn exchanged(store: &mut Store, peer: &Peer) -> rusqlite::Result<Said> {
    let mut peer = peer.clone();
    match exchange::refresh(store, &mut peer) {
        Ok(()) => exchange::ask(store, &peer),
        Err(trouble) => Ok(Said::Nothing(trouble)),
    }
}

/// Remembers what a witness says of a log. If another log was begun in the meantime, it says nothing of that one.
fn remember(store: &mut Store, (peer, origin): (&Peer, &str), said: &Said) -> rusqlite::Result<()> {
    let mut transaction = store.begin()?;
    if transaction.origin() != origin {
        return Ok(());
    }
    match said {
        Said::Cosigned(cosigned) => {
            transaction.peer_answered(peer.id, now(), Ok(cosigned))?;
        }
        Said::Nothing(trouble) => {
            transaction.peer_answered(peer.id, now(), Err(trouble))?;
        }
        Said::Lost(why) => {
            transaction.peer_answered(peer.id, now(), Err(why))?;
            let why = format!("the witness {}: {why}", peer.name);
            tell(&format!("encl-gate: entries were lost: {why}"));
            transaction.set_lost(&why)?;
        }
    }
    transaction.commit()
}

/// All were asked, and one has cosigned: that is enough if none has shown a loss.
fn answer_again(store: &mut Store, origin: &str) -> rusqlite::Result<()> {
    let mut transaction = store.begin()?;
    if transaction.origin() == origin && transaction.frozen() == Frozen::Waiting {
        transaction.set_frozen(Frozen::No)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use encl::crypto::signing::{RootId, SigningKey};
    use encl::gate::card::GateUrl;
    use encl::gate::log::NoteKey;

    use super::*;
    use crate::store::rng;

    /// A new log was begun while a witness was asked about the one before.
    #[test]
    fn a_late_answer_is_about_another_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.db");
        Store::create(&path, "gate/2", &SigningKey::generate(&mut rng())).unwrap();
        let mut store = Store::open(&path).unwrap();
        let peer = Peer {
            id: RootId([1; 32]),
            name: "peer".into(),
            url: GateUrl::parse("https://peer.example").unwrap(),
            ca: None,
            serial: 1,
            log: NoteKey {
                name: "peer/1".into(),
                key: RootId([2; 32]),
            },
            cosigned: None,
            asked: None,
            trouble: None,
        };
        let lost = Said::Lost("it has cosigned more".into());
        let mut frozen_after = |origin: &str| {
            remember(&mut store, (&peer, origin), &lost).unwrap();
            store.look().unwrap().frozen()
        };
        assert_eq!(frozen_after("gate/1"), Frozen::No);
        assert_eq!(frozen_after("gate/2"), Frozen::Loss);
    }
}
