//! The four addresses of a gate. What is refused here is refused without a body.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;

use super::engine::{Engine, Unanswered};
use super::places::Connection;
use encl::gate::protocol::REQUEST_BYTES_MAX;

/// For the body of a request, from its header on.
const BODY_TIME: Duration = Duration::from_secs(10);

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
        (&Method::POST, "/gate") => {}
        (&Method::GET, "/card") => return text(engine.card()),
        (&Method::GET, "/checkpoint") => return text(engine.note()),
        (&Method::GET, "/health") => return health(engine),
        (_, "/gate" | "/card" | "/checkpoint" | "/health") => {
            return closing(StatusCode::METHOD_NOT_ALLOWED);
        }
        _ => return closing(StatusCode::NOT_FOUND),
    }
    let body = match body(request, engine).await {
        Ok(body) => body,
        Err(status) => return closing(status),
    };
    match engine.ask(body, place).await {
        Ok(answer) => {
            let mut response = Response::new(Full::new(Bytes::from(answer)));
            let kind = HeaderValue::from_static("application/octet-stream");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            uncached(response)
        }
        Err(Unanswered::Fault) => status(StatusCode::BAD_REQUEST),
        Err(Unanswered::Busy) => status(StatusCode::TOO_MANY_REQUESTS),
    }
}

/// The whole body. The room for it is taken before it is read, so that all connections together have a limit.
async fn body(request: Request<Incoming>, engine: &Engine) -> Result<Bytes, StatusCode> {
    let size = request.body().size_hint();
    let expected = size.upper().unwrap_or(REQUEST_BYTES_MAX as u64);
    let expected = usize::try_from(expected).unwrap_or(usize::MAX);
    if expected > REQUEST_BYTES_MAX {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let _room = engine.room(expected).ok_or(StatusCode::TOO_MANY_REQUESTS)?;
    let read = Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect();
    match timeout(BODY_TIME, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
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
    let mut response = Response::new(Full::new(Bytes::from(text)));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    uncached(response)
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
