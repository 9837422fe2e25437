//! The addresses of a gate. What is refused here is refused without a body.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::engine::{Engine, Unanswered};
use super::places::Connection;
use super::room::Taken;
use super::witness::Witnessing;
use encl::gate::answering::Place;
use encl::gate::log::{NotWitnessed, SUBMISSION_BYTES_MAX, Submission, Tile};
use encl::gate::protocol::REQUEST_BYTES_MAX;

/// For the body of a request, from its header on.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How long a tile may be kept by others. It never changes, but a new log after `thaw` has tiles at the same addresses.
const TILE_CACHE: &str = "public, max-age=86400";

type Answer = Response<Full<Bytes>>;

/// Answers one request.
pub(crate) async fn respond(
    request: Request<Incoming>,
    engine: &Arc<Engine>,
    connection: &Connection,
) -> Answer {
    // The last line and in it the last address: the ones before are what others say.
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .next_back();
    let place = connection.place(forwarded.and_then(|value| value.to_str().ok()));
    if !engine.admits(place) {
        return closing(StatusCode::TOO_MANY_REQUESTS);
    }
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/gate") => gate(request, engine, place).await,
        (&Method::POST, "/add-checkpoint") => add_checkpoint(request, engine, place).await,
        (&Method::GET, "/card") => text(engine.card()),
        (&Method::GET, "/checkpoint") => text(engine.note()),
        (&Method::GET, "/health") => health(engine),
        (&Method::GET, path) if path.starts_with("/tile/") => tile(path, engine).await,
        (_, "/gate" | "/add-checkpoint" | "/card" | "/checkpoint" | "/health") => {
            closing(StatusCode::METHOD_NOT_ALLOWED)
        }
        _ => closing(StatusCode::NOT_FOUND),
    }
}

async fn gate(request: Request<Incoming>, engine: &Arc<Engine>, place: Place) -> Answer {
    // The room is held until there is an answer.
    let (body, _room) = match body(request, (engine, place), REQUEST_BYTES_MAX).await {
        Ok(body) => body,
        Err(status) => return closing(status),
    };
    match engine.ask(body, place).await {
        Ok(answer) => uncached(typed(answer, "application/octet-stream")),
        Err(Unanswered::Fault) => status(StatusCode::BAD_REQUEST),
        Err(Unanswered::Busy) => status(StatusCode::TOO_MANY_REQUESTS),
    }
}

/// C2SP tlog-witness.
async fn add_checkpoint(request: Request<Incoming>, engine: &Arc<Engine>, place: Place) -> Answer {
    let (body, _room) = match body(request, (engine, place), SUBMISSION_BYTES_MAX).await {
        Ok(body) => body,
        Err(status) => return closing(status),
    };
    let Some(submission) = Submission::parse(&body) else {
        return status(StatusCode::BAD_REQUEST);
    };
    let looking = Arc::clone(engine);
    let witnessing = spawn_blocking(move || looking.witness(&submission)).await;
    match witnessing {
        Ok(Witnessing::Cosigned(line)) => text(line),
        Ok(Witnessing::UnknownLog) => status(StatusCode::NOT_FOUND),
        Ok(Witnessing::Refused(NotWitnessed::Form)) => status(StatusCode::BAD_REQUEST),
        Ok(Witnessing::Refused(NotWitnessed::Key)) => status(StatusCode::FORBIDDEN),
        Ok(Witnessing::Refused(NotWitnessed::Proof)) => status(StatusCode::UNPROCESSABLE_ENTITY),
        Ok(Witnessing::Refused(NotWitnessed::Conflict(size))) => {
            let mut response = typed(format!("{size}\n").into_bytes(), "text/x.tlog.size");
            *response.status_mut() = StatusCode::CONFLICT;
            uncached(response)
        }
        Ok(Witnessing::Unable) | Err(_) => status(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// C2SP tlog-tiles. Entries are not given out.
async fn tile(path: &str, engine: &Arc<Engine>) -> Answer {
    let Some(tile) = path.strip_prefix("/tile/").and_then(Tile::parse) else {
        return status(StatusCode::NOT_FOUND);
    };
    let looking = Arc::clone(engine);
    match spawn_blocking(move || looking.tile(&tile)).await {
        Ok(Ok(Some(hashes))) => {
            let mut response = typed(hashes, "application/octet-stream");
            let cache = HeaderValue::from_static(TILE_CACHE);
            response.headers_mut().insert(CACHE_CONTROL, cache);
            response
        }
        Ok(Ok(None)) => uncached(status(StatusCode::NOT_FOUND)),
        Ok(Err(_)) | Err(_) => status(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// The whole body, and the room that it takes. Room is taken as the bytes arrive: whoever only says that many will come takes none.
async fn body(
    request: Request<Incoming>,
    (engine, place): (&Engine, Place),
    bytes_max: usize,
) -> Result<(Bytes, Taken), StatusCode> {
    let size = request.body().size_hint();
    if size.lower() > bytes_max as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let read = arriving(request.into_body(), engine.room(place), bytes_max);
    match timeout(BODY_TIME, read).await {
        Ok(read) => read,
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

async fn arriving(
    mut body: Incoming,
    mut room: Taken,
    bytes_max: usize,
) -> Result<(Bytes, Taken), StatusCode> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let part = frame.into_data().unwrap_or_default();
        if bytes.len() + part.len() > bytes_max {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if !room.more(part.len()) {
            return Err(StatusCode::TOO_MANY_REQUESTS);
        }
        bytes.extend_from_slice(&part);
    }
    Ok((bytes.into(), room))
}

fn health(engine: &Engine) -> Answer {
    match engine.trouble() {
        None => text("ok\n".into()),
        Some(refusal) => {
            let mut response = text(format!("{}\n", refusal.word()));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
    }
}

fn text(text: String) -> Answer {
    uncached(typed(text.into_bytes(), "text/plain; charset=utf-8"))
}

fn typed(bytes: Vec<u8>, kind: &'static str) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(bytes)));
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn uncached(mut response: Answer) -> Answer {
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, never);
    response
}

fn status(status: StatusCode) -> Answer {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// What is left of the request is not read, so the connection ends.
fn closing(code: StatusCode) -> Answer {
    let mut response = status(code);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}
