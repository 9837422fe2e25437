//! Questions spread over gates: as many gates as needed at once, another for each that fails or is silent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::check::{Expected, Lie, LieKind, LogNews, Unusable};
use super::exchange::{Question, Saying, in_requests, seal};
use super::kept::{KeptCheckpoint, contradict};
use super::peer::{Asker, Outcome, Peer, PeerNews};
use super::reply::{NoReply, Refused, Reply};
use super::transport::{CARD_BYTES_MAX, GatePlace, Transport, TransportError};
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;
use crate::gate::card::GateCard;
use crate::gate::protocol::{ITEMS_MAX, Op, Pending};
use crate::gate::rules::Refusal;
use crate::time::Time;

/// After so long another gate is asked as well.
const PATIENCE: Duration = Duration::from_secs(2);
/// After so long a request has failed, whatever its transport does.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(40);
/// Entries of one ticket fill an answer: a log is asked for alone.
const LOG_ITEMS_MAX: usize = 1;

/// Asks all questions. Of the peers each question is asked of those that its lock names, in the order of the lock.
#[must_use]
pub fn ask(
    questions: &[Question<'_>],
    peers: &[Peer],
    asker: &Asker<'_>,
    transport: &Arc<dyn Transport>,
    rng: &mut dyn CryptoRng,
) -> Outcome {
    let mut spread = Spread::new(questions, peers, asker, transport, rng);
    spread.run();
    Outcome {
        answers: spread.states.into_iter().map(|one| one.answers).collect(),
        news: spread.news,
    }
}

struct Spread<'a> {
    questions: &'a [Question<'a>],
    peers: Vec<Peer>,
    news: Vec<PeerNews>,
    asker: &'a Asker<'a>,
    transport: &'a Arc<dyn Transport>,
    rng: &'a mut dyn CryptoRng,
    states: Vec<State>,
    requests: Vec<Sent>,
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

/// A question so far.
struct State {
    /// Who can still be asked.
    others: VecDeque<usize>,
    answers: Vec<(usize, Result<Reply, NoReply>)>,
    need: usize,
}

/// A request so far.
struct Sent {
    peer: usize,
    questions: Vec<usize>,
    pending: Option<Pending>,
    /// What was remembered of the gate's log when the request was sealed.
    kept: Option<KeptCheckpoint>,
    since: Instant,
    told: Option<Time>,
    has_fetched_card: bool,
    /// What is wrong with its answer, unless its card is a newer one.
    suspect: Option<Box<Lie>>,
    is_silent: bool,
    is_open: bool,
}

struct Event {
    request: usize,
    result: Back,
}

enum Back {
    Answer(Result<Vec<u8>, TransportError>),
    Card(Result<Vec<u8>, TransportError>),
}

impl State {
    fn answered(&self) -> usize {
        self.answers.iter().filter(|(_, one)| one.is_ok()).count()
    }

    /// Whether an owner's statement ends the asking.
    fn is_refused(&self) -> bool {
        let proven =
            |one: &NoReply| matches!(one, NoReply::Refused(Refused { proof: Some(_), .. }));
        let mut answers = self.answers.iter();
        answers.any(|(_, one)| one.as_ref().is_err_and(proven))
    }

    fn is_settled(&self) -> bool {
        self.answered() >= self.need || self.is_refused()
    }
}

impl<'a> Spread<'a> {
    fn new(
        questions: &'a [Question<'a>],
        peers: &[Peer],
        asker: &'a Asker<'a>,
        transport: &'a Arc<dyn Transport>,
        rng: &'a mut dyn CryptoRng,
    ) -> Self {
        let (sender, receiver) = channel();
        let state = |question: &Question<'_>| {
            let gates = question.lock.terms().gates.iter();
            let peer = |id: RootId| peers.iter().position(|peer| peer.card.id() == id);
            let asked = |id: RootId| question.position(id).and_then(|_| peer(id));
            State {
                others: gates.filter_map(|gate| asked(gate.id)).collect(),
                answers: Vec::new(),
                need: question.need,
            }
        };
        Self {
            questions,
            peers: peers.to_vec(),
            news: peers.iter().map(|_| PeerNews::default()).collect(),
            asker,
            transport,
            rng,
            states: questions.iter().map(state).collect(),
            requests: Vec::new(),
            sender,
            receiver,
        }
    }

    fn run(&mut self) {
        loop {
            self.ask_others();
            let Some(wait) = self.wait() else { return };
            match self.receiver.recv_timeout(wait) {
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout) => self.give_up(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// The requests under way that could still answer a question.
    fn under_way(&self, question: usize) -> impl Iterator<Item = &Sent> {
        let requests = self.requests.iter();
        requests.filter(move |sent| sent.is_open && sent.questions.contains(&question))
    }

    /// Asks as many further gates as each question lacks.
    fn ask_others(&mut self) {
        let mut wanted: Vec<Vec<usize>> = vec![Vec::new(); self.peers.len()];
        for number in 0..self.states.len() {
            let awaited = self
                .under_way(number)
                .filter(|sent| !sent.is_silent)
                .count();
            let state = &mut self.states[number];
            if state.is_settled() {
                continue;
            }
            let missing = state.need.saturating_sub(state.answered() + awaited);
            for _ in 0..missing {
                if let Some(peer) = state.others.pop_front() {
                    wanted[peer].push(number);
                }
            }
        }
        for (peer, numbers) in wanted.into_iter().enumerate() {
            let is_log = |number: &usize| self.questions[*number].op() == Op::Log;
            let items_max = match numbers.iter().any(is_log) {
                true => LOG_ITEMS_MAX,
                false => ITEMS_MAX,
            };
            for questions in in_requests(self.questions, &numbers, items_max) {
                self.requests.push(Sent {
                    peer,
                    questions,
                    pending: None,
                    kept: None,
                    since: Instant::now(),
                    told: None,
                    has_fetched_card: false,
                    suspect: None,
                    is_silent: false,
                    is_open: true,
                });
                self.send(self.requests.len() - 1);
            }
        }
    }

    /// How long to wait for the next event; `None` if there is nothing to wait for.
    fn wait(&self) -> Option<Duration> {
        let is_awaited = |sent: &&Sent| {
            let mut questions = sent.questions.iter();
            sent.is_open && questions.any(|number| !self.states[*number].is_settled())
        };
        let open = self.requests.iter().filter(is_awaited);
        let ends = open.map(|sent| match sent.is_silent {
            false => sent.since + PATIENCE,
            true => sent.since + REQUEST_TIME_MAX,
        });
        let next = ends.min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Marks requests as silent, and ends those that take too long.
    fn give_up(&mut self) {
        for request in 0..self.requests.len() {
            let sent = &mut self.requests[request];
            let waited = sent.since.elapsed();
            sent.is_silent |= waited >= PATIENCE;
            if sent.is_open && waited >= REQUEST_TIME_MAX {
                self.fail(request, &NoReply::Unreachable(TransportError::TimedOut));
            }
        }
    }

    fn send(&mut self, request: usize) {
        let sent = &self.requests[request];
        let peer = &self.peers[sent.peer];
        let numbers = sent.questions.iter();
        let questions: Vec<_> = numbers.map(|number| &self.questions[*number]).collect();
        let saying = Saying {
            who: self.asker.who,
            keep: self.asker.keep,
            at: self.asker.now,
            told: sent.told,
        };
        let sealed = seal(
            &questions,
            (&peer.card, peer.kept.as_ref()),
            saying,
            self.rng,
        );
        match sealed {
            Ok((bytes, pending)) => {
                self.requests[request].kept.clone_from(&peer.kept);
                self.requests[request].pending = Some(pending);
                self.start(request, move |transport, place| {
                    Back::Answer(transport.post(place, &bytes))
                });
            }
            Err(error) => self.fail(request, &NoReply::NoAnswer(error.to_string())),
        }
    }

    /// Lets a thread of its own wait for the gate: one that is silent holds up nobody, and is left behind.
    fn start(
        &mut self,
        request: usize,
        job: impl FnOnce(&dyn Transport, &GatePlace) -> Back + Send + 'static,
    ) {
        let (transport, sender) = (Arc::clone(self.transport), self.sender.clone());
        let place = self.peers[self.requests[request].peer].place.clone();
        let started = thread::Builder::new().spawn(move || {
            let result = job(&*transport, &place);
            // Nobody listens any more when all questions are answered.
            let _ = sender.send(Event { request, result });
        });
        if let Err(error) = started {
            let error = TransportError::Unreachable(error.to_string());
            self.fail(request, &NoReply::Unreachable(error));
        }
    }

    fn take(&mut self, event: Event) {
        let request = event.request;
        if !self.requests[request].is_open {
            return;
        }
        match event.result {
            Back::Answer(Ok(bytes)) => self.answered(request, &bytes),
            Back::Answer(Err(error)) => self.fail(request, &NoReply::Unreachable(error)),
            Back::Card(bytes) => self.take_card(request, bytes),
        }
    }

    fn answered(&mut self, request: usize, bytes: &[u8]) {
        let sent = &self.requests[request];
        let peer = &self.peers[sent.peer];
        let pending = sent.pending.as_ref().expect("what was answered was sent");
        let locks = sent.questions.iter().map(|number| {
            let question = &self.questions[*number];
            let at = question.position(peer.card.id());
            (question.lock, at.expect("only gates of the lock are asked"))
        });
        let expected = Expected {
            pending,
            locks: locks.collect(),
            log: peer.card.log_key(),
            kept: sent.kept.as_ref(),
        };
        match expected.check(bytes) {
            Ok(checked) => {
                if let Some(lie) = self.two_stories(request, &checked.news) {
                    self.lied(request, lie);
                } else {
                    let peer = self.requests[request].peer;
                    self.keep(peer, checked.news);
                    let lies = checked.replies.iter().filter_map(|one| match one {
                        Err(NoReply::Lied(lie)) => Some((**lie).clone()),
                        _ => None,
                    });
                    self.news[peer].lies.extend(lies);
                    self.end(request, checked.replies);
                }
            }
            Err(Unusable::Refused(Refusal::Clock, at)) if sent.told.is_none() => {
                self.requests[request].told = Some(at);
                self.send(request);
            }
            Err(Unusable::Refused(reason, _)) => {
                let proof = None;
                self.fail(request, &NoReply::Refused(Refused { reason, proof }));
            }
            // Its operator may have given it a new key: then its card is a newer one.
            Err(Unusable::Signature) if !sent.has_fetched_card => self.fetch_card(request, None),
            // Or it has begun a new log, since it had forgotten.
            Err(Unusable::Lie(lie))
                if matches!(lie.kind, LieKind::Checkpoint(_)) && !sent.has_fetched_card =>
            {
                self.fetch_card(request, Some(lie));
            }
            Err(Unusable::Signature) => {
                let why = "the key on its card did not sign the answer".to_owned();
                self.fail(request, &NoReply::NoAnswer(why));
            }
            Err(Unusable::NoAnswer(error)) => {
                self.fail(request, &NoReply::NoAnswer(error.to_string()));
            }
            Err(Unusable::Lie(lie)) => self.lied(request, lie),
        }
    }

    fn lied(&mut self, request: usize, lie: Box<Lie>) {
        let peer = self.requests[request].peer;
        self.news[peer].lies.push((*lie).clone());
        self.fail(request, &NoReply::Lied(lie));
    }

    fn fetch_card(&mut self, request: usize, suspect: Option<Box<Lie>>) {
        let sent = &mut self.requests[request];
        (sent.has_fetched_card, sent.suspect) = (true, suspect);
        self.start(request, |transport, place| {
            Back::Card(transport.card(place))
        });
    }

    /// Takes the newer card of a gate, and asks again by it.
    fn take_card(&mut self, request: usize, bytes: Result<Vec<u8>, TransportError>) {
        let number = self.requests[request].peer;
        let known = &self.peers[number].card;
        let card = bytes.ok().filter(|bytes| bytes.len() <= CARD_BYTES_MAX);
        let card = card.and_then(|bytes| GateCard::from_text(&bytes).ok());
        let card = card.filter(|card| {
            let is_same = card.id() == known.id() && card.url() == known.url();
            is_same && card.serial() > known.serial()
        });
        if let Some(card) = card {
            self.news[number].card = Some(card.clone());
            self.peers[number].card = card;
            self.send(request);
        } else if let Some(lie) = self.requests[request].suspect.take() {
            self.lied(request, lie);
        } else {
            let why = "the key on its card did not sign the answer".to_owned();
            self.fail(request, &NoReply::NoAnswer(why));
        }
    }

    /// Whether two answers of a gate in this run contradict each other, each of which continues what was known before.
    fn two_stories(&self, request: usize, news: &LogNews) -> Option<Box<Lie>> {
        let sent = &self.requests[request];
        let (known, _) = self.news[sent.peer].log.as_ref()?;
        let (LogNews::Continued(now) | LogNews::Forgot(now)) = news else {
            return None;
        };
        contradict(known, now).then(|| {
            Box::new(Lie {
                request: sent.pending.as_ref().map_or([0; 32], |one| one.hash),
                ..Lie::two_logs(known, now)
            })
        })
    }

    fn keep(&mut self, peer: usize, news: LogNews) {
        let (kept, forgot) = match news {
            LogNews::None => return,
            LogNews::Continued(kept) => (kept, false),
            LogNews::Forgot(kept) => (kept, true),
        };
        let is_later = |known: &KeptCheckpoint| known.log == kept.log && known.size >= kept.size;
        let forgot = forgot
            || self.news[peer]
                .log
                .as_ref()
                .is_some_and(|(_, forgot)| *forgot);
        if !self.peers[peer].kept.as_ref().is_some_and(is_later) || forgot {
            self.peers[peer].kept = Some(kept.clone());
        }
        let kept = self.peers[peer].kept.clone().unwrap_or(kept);
        self.news[peer].log = Some((kept, forgot));
    }

    fn end(&mut self, request: usize, replies: Vec<Result<Reply, NoReply>>) {
        let sent = &mut self.requests[request];
        sent.is_open = false;
        for (number, reply) in sent.questions.iter().zip(replies) {
            self.states[*number].answers.push((sent.peer, reply));
        }
    }

    /// Ends a request without an answer.
    fn fail(&mut self, request: usize, why: &NoReply) {
        let questions = self.requests[request].questions.len();
        let replies = (0..questions).map(|_| Err(why.clone())).collect();
        self.end(request, replies);
    }
}
