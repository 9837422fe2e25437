//! From the bytes of a request to the bytes of its answer: opened and checked on one of a few threads, decided by the writer, sealed.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use encl::crypto::PublicKey;
use encl::crypto::signing::RootId;
use encl::gate::answering::{Budget, GateKeys, Place, Prepared};
use encl::gate::protocol::{Answer, Request, Said, split};
use encl::gate::rules::Refusal;
use hyper::body::Bytes;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::room::{Room, Taken};
use crate::args::Serve;
use crate::failure::Failure;
use crate::folder::{self, Dir};
use crate::keys::{Keys, PassphraseSource};
use crate::output::tell;
use crate::store::{Frozen, Job, Shared, Store, Writer, now, rng};
use crate::witnesses::{Asking, Request as AskingRequest};

/// What a request that is none costs of an address's budget: it was opened for nothing.
const FAULT_COST: u32 = 20;

/// A request that gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// It is none.
    Fault,
    /// Too many wait.
    Busy,
}

/// A request that was looked at.
enum Looked {
    Refused(Answer),
    Prepared(Box<Prepared>),
}

/// All that answers.
pub(crate) struct Engine {
    pub(super) dir: Dir,
    pub(super) source: PassphraseSource,
    pub(super) shared: Arc<Shared>,
    writer: Mutex<Option<Writer>>,
    room: Arc<Room>,
    /// For what is not decided by the writer.
    pub(super) reader: Mutex<Option<Store>>,
    /// Set when a peer has sent what is not known here: its card may be newer.
    pub(super) wanted: Arc<AtomicBool>,
    card: RwLock<String>,
    pub(super) only_path: Option<PathBuf>,
    only: RwLock<Option<Arc<BTreeSet<RootId>>>>,
    of_place: Mutex<Budget<Place>>,
    of_id: Mutex<Budget<RootId>>,
}

impl Engine {
    /// Opens keys and database, compares the database with the last checkpoint, and starts the writer.
    pub(crate) fn start(
        dir: &Dir,
        source: PassphraseSource,
        args: &Serve,
    ) -> Result<Arc<Self>, Failure> {
        let lock = dir.change_lock()?;
        let keys = Keys::read(dir, &source)?.to_answer();
        let card = dir.card()?;
        let path = dir.database();
        let failure = |error| Failure::file("open", &path, error);
        let mut store = Store::open(&path).map_err(failure)?;
        let head = folder::read(&dir.head()).unwrap_or_default();
        if !store.must_continue(&head, &keys).map_err(failure)? {
            tell(
                "encl-gate: the database does not continue the last checkpoint: the gate is frozen",
            );
        }
        let begun = begin(&mut store).map_err(failure)?;
        drop::<File>(lock);
        let (note, frozen, cosigned) = begun;
        if frozen == Frozen::Waiting {
            tell("encl-gate: nobody is answered until a witness says that nothing was lost");
        }
        let trouble = (frozen != Frozen::No).then_some(Refusal::Frozen);
        let shared = Arc::new(Shared {
            keys: RwLock::new(Arc::new(keys)),
            cosigned: Mutex::new((note.clone(), cosigned)),
            note: Mutex::new(note),
            trouble: Mutex::new(trouble),
        });
        let writer = Writer::start(path.clone(), store, Arc::clone(&shared));
        let engine = Self {
            dir: dir.clone(),
            source,
            shared,
            writer: Mutex::new(Some(writer)),
            room: Arc::default(),
            reader: Mutex::default(),
            wanted: Arc::default(),
            card: RwLock::new(card.to_text().to_owned()),
            only_path: args.only.clone(),
            only: RwLock::new(None),
            of_place: Mutex::new(Budget::new(args.per_address)),
            of_id: Mutex::new(Budget::new(args.per_id)),
        };
        engine.read_only()?;
        Ok(Arc::new(engine))
    }

    /// Asks the witnesses, as long as the result is held.
    pub(super) fn ask_witnesses(&self, args: &Serve) -> Asking {
        Asking::start(AskingRequest {
            database: self.dir.database(),
            shared: Arc::clone(&self.shared),
            every: Duration::from_secs(args.witness_every.into()),
            wanted: Arc::clone(&self.wanted),
        })
    }

    /// Ends the writer.
    pub(crate) fn finish(&self) {
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut writer) = writer {
            writer.finish();
        }
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
        super::watch::write_head(self, &self.shared.note());
    }

    /// Whether one more request of this place is looked at.
    pub(crate) fn admits(&self, place: Place) -> bool {
        let mut budget = self.of_place.lock().unwrap_or_else(PoisonError::into_inner);
        budget.spend(place, 1, Instant::now())
    }

    /// Room for the body of a request from a place, as long as it is held.
    pub(super) fn room(&self, place: Place) -> Taken {
        self.room.enter(place)
    }

    pub(crate) fn card(&self) -> String {
        let card = self.card.read().unwrap_or_else(PoisonError::into_inner);
        format!("{card}\n")
    }

    /// The last checkpoint, with the signatures of those witnesses that have seen it.
    pub(crate) fn note(&self) -> String {
        self.shared.with_cosignatures(self.shared.note())
    }

    pub(crate) fn trouble(&self) -> Option<Refusal> {
        self.shared.trouble()
    }

    /// Answers a request from a place.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        body: Bytes,
        place: Place,
    ) -> Result<Vec<u8>, Unanswered> {
        let keys = self.shared.keys();
        let looked = {
            let (engine, keys) = (Arc::clone(self), Arc::clone(&keys));
            spawn_blocking(move || engine.look((&body, place), &keys)).await
        };
        let (reply, looked) = looked.map_err(|_| Unanswered::Busy)?.inspect_err(|fault| {
            if *fault == Unanswered::Fault {
                let mut budget = self.of_place.lock().unwrap_or_else(PoisonError::into_inner);
                budget.charge(place, FAULT_COST, Instant::now());
            }
        })?;
        let answer = match looked {
            Looked::Refused(answer) => answer,
            Looked::Prepared(prepared) => self.decided(prepared, place).await?,
        };
        let sealed = spawn_blocking(move || answer.seal(&keys.log, &reply, &mut rng())).await;
        sealed.map_err(|_| Unanswered::Busy)
    }

    /// Opens a request and checks all that can be checked without the database.
    fn look(
        &self,
        (body, place): (&[u8], Place),
        keys: &GateKeys,
    ) -> Result<(PublicKey, Looked), Unanswered> {
        let request = opened(body, keys).ok_or(Unanswered::Fault)?;
        // One was counted when it came.
        let more = item_count(&request).saturating_sub(1);
        let is_admitted = {
            let mut budget = self.of_place.lock().unwrap_or_else(PoisonError::into_inner);
            budget.spend(place, more, Instant::now())
        };
        if !is_admitted {
            return Err(Unanswered::Busy);
        }
        let reply = request.reply.clone();
        let looked = match self.refusal(&request) {
            Some(refusal) => Looked::Refused(Answer {
                request: request.hash,
                at: now(),
                said: Said::Refused(refusal),
            }),
            None => Looked::Prepared(Box::new(Prepared::new(keys, request))),
        };
        Ok((reply, looked))
    }

    /// Waits for the decision of the writer.
    async fn decided(&self, prepared: Box<Prepared>, place: Place) -> Result<Answer, Unanswered> {
        let (answer, decided) = oneshot::channel();
        let job = Job {
            prepared,
            place,
            answer,
        };
        let is_waiting = {
            let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.as_ref().is_some_and(|writer| writer.submit(job))
        };
        match is_waiting {
            true => decided.await.map_err(|_| Unanswered::Busy),
            false => Err(Unanswered::Busy),
        }
    }

    /// What is refused before anything is decided.
    fn refusal(&self, request: &Request) -> Option<Refusal> {
        let who = request.head.who;
        let only = self.only.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(only) = &*only
            && !who.is_some_and(|who| only.contains(&who))
        {
            return Some(Refusal::Unknown);
        }
        let mut budget = self.of_id.lock().unwrap_or_else(PoisonError::into_inner);
        let count = item_count(request);
        let is_over = who.is_some_and(|who| !budget.spend(who, count, Instant::now()));
        is_over.then_some(Refusal::Limit)
    }

    /// Takes over new keys and a new card.
    pub(super) fn replace(&self, keys: GateKeys, card: String) {
        let mut own = self
            .shared
            .keys
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *own = Arc::new(keys);
        *self.card.write().unwrap_or_else(PoisonError::into_inner) = card;
    }

    /// Reads who may ask, if not everybody may.
    pub(super) fn read_only(&self) -> Result<(), Failure> {
        let Some(path) = &self.only_path else {
            return Ok(());
        };
        let bytes = folder::read(path)?;
        let text = std::str::from_utf8(&bytes);
        let text = text.map_err(|error| Failure::file("read", path, error))?;
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or("").trim());
        let ids = lines
            .filter(|line| !line.is_empty())
            .map(str::parse::<RootId>);
        let ids = ids.collect::<Result<BTreeSet<_>, _>>();
        let ids = ids.map_err(|error| Failure::file("read", path, error))?;
        *self.only.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(ids));
        Ok(())
    }
}

/// How a gate begins: its last checkpoint, whether it answers, and the signatures of witnesses below the checkpoint.
fn begin(store: &mut Store) -> rusqlite::Result<(String, Frozen, String)> {
    let mut transaction = store.begin()?;
    // What witnesses said before the last end may be older than what was lost since.
    transaction.wait_for_witness()?;
    let note = transaction.note().to_owned();
    let (frozen, cosigned) = (transaction.frozen(), transaction.cosignatures()?);
    transaction.commit()?;
    Ok((note, frozen, cosigned))
}

fn opened(body: &[u8], keys: &GateKeys) -> Option<Request> {
    let (id, _, _) = split(body).ok()?;
    Request::open(body, keys.id, keys.kem_key(id)?).ok()
}

fn item_count(request: &Request) -> u32 {
    u32::try_from(request.items.len()).unwrap_or(u32::MAX)
}
