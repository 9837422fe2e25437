//! The one thread that decides: it takes all requests that wait, decides them in one transaction, and hands out the answers when
//! that is durable. So one sync of the disk serves many requests.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use encl::crypto::signing::RootId;
use encl::gate::answering::{Budget, Decided, GateKeys, Moment, Place, Prepared};
use encl::gate::protocol::{Answer, Said};
use encl::gate::rules::Refusal;
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tokio::sync::oneshot;

use super::Store;
use crate::commands::checkpoint_lines;
use crate::output::tell;

/// Requests that may wait.
const QUEUE_MAX: usize = 1_024;
/// Items that are decided in one transaction; a request is never divided.
const ITEMS_MAX: usize = 1_024;
/// Refusals that are logged in a minute of one id, and of one address.
const REFUSALS_OF_ID: u32 = 10;
const REFUSALS_OF_PLACE: u32 = 60;

/// A request that waits for its decision.
pub(crate) struct Job {
    pub(crate) prepared: Box<Prepared>,
    pub(crate) place: Place,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// What the writer shares with the rest of the program.
pub(crate) struct Shared {
    /// The keys, which `rotate` changes while the gate runs.
    pub(crate) keys: RwLock<Arc<GateKeys>>,
    /// The last checkpoint that is durable.
    pub(crate) note: Mutex<String>,
    /// Why nobody is answered, if so.
    pub(crate) trouble: Mutex<Option<Refusal>>,
    /// A checkpoint, and the signature lines of the witnesses that have seen it.
    pub(crate) cosigned: Mutex<(String, String)>,
}

impl Shared {
    pub(crate) fn keys(&self) -> Arc<GateKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn note(&self) -> String {
        self.note
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn trouble(&self) -> Option<Refusal> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A checkpoint with the signatures of the witnesses that have seen it.
    pub(crate) fn with_cosignatures(&self, note: String) -> String {
        let cosigned = self.cosigned.lock();
        let cosigned = cosigned.unwrap_or_else(PoisonError::into_inner);
        match cosigned.0 == note {
            true => note + &cosigned.1,
            false => note,
        }
    }

    pub(crate) fn set_cosigned(&self, cosigned: (String, String)) {
        *self.cosigned.lock().unwrap_or_else(PoisonError::into_inner) = cosigned;
    }

    /// What another program of this gate has left in the database: more entries, or after `thaw --accept-loss` another log.
    pub(crate) fn take_over(&self, note: &str, is_frozen: bool) {
        let lines = |note: &str| checkpoint_lines(note).map(|(origin, size, _)| (origin, size));
        let mut own = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        let is_newer = match (lines(&own), lines(note)) {
            (Some((origin, size)), Some((other, other_size))) => {
                origin != other || other_size > size
            }
            _ => false,
        };
        if is_newer {
            note.clone_into(&mut own);
        }
        drop(own);
        self.set_trouble(is_frozen.then_some(Refusal::Frozen));
    }

    fn set_note(&self, note: String) {
        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }

    fn set_trouble(&self, trouble: Option<Refusal>) {
        let mut last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != trouble {
            tell(&match trouble {
                Some(why) => format!("encl-gate: nobody is answered: {}", why.word()),
                None => "encl-gate: requests are answered again".to_owned(),
            });
        }
        *last = trouble;
    }
}

/// The way to the thread.
pub(crate) struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(path: PathBuf, store: Store, shared: Arc<Shared>) -> Self {
        let (jobs, waiting) = sync_channel(QUEUE_MAX);
        let desk = Desk {
            path,
            store: Some(store),
            shared,
            of_id: Budget::new(REFUSALS_OF_ID),
            of_place: Budget::new(REFUSALS_OF_PLACE),
        };
        Self {
            jobs: Some(jobs),
            thread: Some(thread::spawn(move || desk.work(&waiting))),
        }
    }

    /// Hands a request over; `false` when too many wait.
    pub(crate) fn submit(&self, job: Job) -> bool {
        let jobs = self.jobs.as_ref();
        jobs.is_some_and(|jobs| jobs.try_send(job).is_ok())
    }

    /// Decides what waits, and ends.
    pub(crate) fn finish(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic was told when it happened.
            let _ = thread.join();
        }
    }
}

struct Desk {
    path: PathBuf,
    store: Option<Store>,
    shared: Arc<Shared>,
    of_id: Budget<RootId>,
    of_place: Budget<Place>,
}

/// The clock of this machine.
pub(crate) fn now() -> Time {
    let passed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let last = || {
        "9999-12-31T23:59:59Z"
            .parse()
            .expect("it is a time of the format")
    };
    Time::from_unix(passed.as_secs()).unwrap_or_else(last)
}

impl Desk {
    fn work(mut self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let mut items = first.prepared.request().items.len();
            let mut jobs = vec![first];
            while items < ITEMS_MAX
                && let Ok(job) = waiting.try_recv()
            {
                items += job.prepared.request().items.len();
                jobs.push(job);
            }
            self.group(jobs);
        }
    }

    /// Decides a group of requests. Whatever fails, none of them is answered but with a refusal.
    fn group(&mut self, jobs: Vec<Job>) {
        let now = now();
        let requests: Vec<[u8; 32]> = jobs.iter().map(|job| job.prepared.request().hash).collect();
        let (jobs, channels): (Vec<_>, Vec<_>) = jobs
            .into_iter()
            .map(|job| ((job.prepared, job.place), job.answer))
            .unzip();
        let answers = self.decide(jobs, now).unwrap_or_else(|refusal| {
            let refused = |request| Answer {
                request,
                at: now,
                said: Said::Refused(refusal),
            };
            requests.into_iter().map(refused).collect()
        });
        for (channel, answer) in channels.into_iter().zip(answers) {
            // Whoever asked has gone away; the entry says that an answer was given.
            let _ = channel.send(answer);
        }
    }

    fn decide(
        &mut self,
        jobs: Vec<(Box<Prepared>, Place)>,
        now: Time,
    ) -> Result<Vec<Answer>, Refusal> {
        let keys = self.shared.keys();
        self.reopen(&keys)?;
        let done = self.transaction(jobs, &keys, now);
        let store = self.store.as_ref();
        // Written to a file that nobody will find again, or by a commit that failed: nothing was decided.
        let is_there = store.is_some_and(Store::is_there);
        match done {
            Ok((answers, note, trouble)) if is_there => {
                self.shared.set_note(note);
                self.shared.set_trouble(trouble);
                Ok(answers)
            }
            failed => {
                if let Err(error) = failed {
                    tell(&format!("encl-gate: the database: {error}"));
                }
                self.store = None;
                self.shared.set_trouble(Some(Refusal::Full));
                Err(Refusal::Full)
            }
        }
    }

    /// Opens the database again after a failure. What is there has to continue what was answered before.
    fn reopen(&mut self, keys: &GateKeys) -> Result<(), Refusal> {
        if self.store.as_ref().is_some_and(Store::is_there) {
            return Ok(());
        }
        self.store = None;
        let note = self.shared.note();
        let opened = Store::open(&self.path).and_then(|mut store| {
            store.must_continue(note.as_bytes(), keys)?;
            Ok(store)
        });
        self.store = opened.ok();
        if self.store.is_none() {
            self.shared.set_trouble(Some(Refusal::Full));
            return Err(Refusal::Full);
        }
        Ok(())
    }

    fn transaction(
        &mut self,
        jobs: Vec<(Box<Prepared>, Place)>,
        keys: &GateKeys,
        now: Time,
    ) -> rusqlite::Result<(Vec<Answer>, String, Option<Refusal>)> {
        let Self {
            store,
            of_id,
            of_place,
            shared,
            ..
        } = self;
        let store = store.as_mut().ok_or(rusqlite::Error::InvalidQuery)?;
        let mut transaction = store.begin()?;
        let is_own = transaction.origin() == keys.origin;
        let mut decided = Vec::with_capacity(jobs.len());
        for (prepared, place) in jobs {
            if !is_own {
                // Between the two steps of a new log: the keys name it, and the database does not have it yet.
                decided.push(Decided::refused(prepared.request(), now, Refusal::Frozen));
                continue;
            }
            let begun = Instant::now();
            let mut may_log = |who: Option<RootId>| {
                let of_id = who.is_none_or(|who| of_id.spend(who, 1, begun));
                of_id && of_place.spend(place, 1, begun)
            };
            let moment = Moment {
                keys,
                now,
                rng: &mut UnwrapErr(SysRng),
                may_log: &mut may_log,
            };
            decided.push(prepared.decide(&mut transaction, moment)?);
        }
        transaction.checkpoint(keys)?;
        let (size, note) = (transaction.size(), transaction.note().to_owned());
        let answers = decided.into_iter();
        let shown = shared.with_cosignatures(note.clone());
        let answers = answers.map(|decided| decided.answer(&transaction, size, &shown));
        let answers = answers.collect::<rusqlite::Result<Vec<_>>>()?;
        let is_frozen = transaction.frozen() != super::Frozen::No || !is_own;
        transaction.commit()?;
        Ok((answers, note, is_frozen.then_some(Refusal::Frozen)))
    }
}
