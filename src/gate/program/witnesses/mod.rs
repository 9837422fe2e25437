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
const WANTED: Duration = Duration::from_secs(5);

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
        loop {
            if let Err(error) = self.look() {
                // The writer tells what is wrong with the database; here it is only opened again.
                tell(&format!("encl-gate: the witnesses are not asked: {error}"));
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
        let (peers, frozen) = {
            let transaction = store.look()?;
            (transaction.peers()?, transaction.frozen())
        };
        if peers.is_empty() {
            self.stop_waiting(&mut store, frozen)?;
        } else if frozen != Frozen::Loss && self.is_time(&peers, frozen) {
            self.last = Some(Instant::now());
            self.request.wanted.store(false, Ordering::Relaxed);
            for peer in peers {
                if self.is_ending.try_recv() != Err(TryRecvError::Empty) {
                    return Ok(());
                }
                ask(&mut store, peer)?;
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

/// Asks a witness, and remembers what it says.
fn ask(store: &mut Store, mut peer: Peer) -> rusqlite::Result<()> {
    let said = match exchange::refresh(store, &mut peer) {
        Ok(()) => exchange::ask(store, &peer)?,
        Err(trouble) => Said::Nothing(trouble),
    };
    let mut transaction = store.begin()?;
    match said {
        Said::Cosigned(cosigned) => {
            transaction.peer_answered(peer.id, now(), Ok(&cosigned))?;
            if transaction.frozen() == Frozen::Waiting {
                transaction.set_frozen(Frozen::No)?;
            }
        }
        Said::Nothing(trouble) => {
            transaction.peer_answered(peer.id, now(), Err(&trouble))?;
        }
        Said::Lost(why) => {
            transaction.peer_answered(peer.id, now(), Err(&why))?;
            let why = format!("the witness {}: {why}", peer.name);
            tell(&format!("encl-gate: entries were lost: {why}"));
            transaction.set_lost(&why)?;
        }
    }
    transaction.commit()
}
