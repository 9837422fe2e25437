//! The server: connections with deadlines and limits, until a signal ends it.

mod engine;
mod first;
mod http;
mod places;
mod room;
mod watch;
mod witness;

use std::convert::Infallible;
use std::fs::File;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch as channel;
use tokio::time::timeout;

use crate::args::Serve;
use crate::commands::repair;
use crate::failure::Failure;
use crate::folder::Dir;
use crate::keys::PassphraseSource;
use crate::output::Output;
use engine::Engine;
use first::{First, first};
use places::{Connection, Places};

/// For the header of a request, from the first byte of the connection or the end of the request before.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// For a whole connection. Only whoever does not read its answers, or has asked for so long, gets there.
const CONNECTION_TIME: Duration = Duration::from_mins(2);
/// For the answers that are being made when a signal ends the server, or a connection is at its end.
const END_TIME: Duration = Duration::from_secs(10);
/// A pause when the system has no more descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Bytes of a request's header.
const HEADER_BYTES_MAX: usize = 16 << 10;

/// Serves a folder until a signal ends it.
pub(crate) fn serve(
    args: &Serve,
    source: PassphraseSource,
    output: &mut Output,
) -> Result<(), Failure> {
    let dir = Dir::open(&args.dir)?;
    let lock = dir.serve_lock()?;
    repair(&dir, &source)?;
    let engine = Engine::start(&dir, source, args)?;
    let asking = engine.ask_witnesses(args);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(2))
        // What computes runs there: more threads than processors would only take memory.
        .max_blocking_threads(cores + 1)
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start the server", error))?;
    let served = runtime.block_on(listen(args, &engine, output));
    runtime.shutdown_timeout(END_TIME);
    asking.finish();
    engine.finish();
    drop::<File>(lock);
    served
}

async fn listen(args: &Serve, engine: &Arc<Engine>, output: &mut Output) -> Result<(), Failure> {
    let failure = |error| Failure::new(format!("cannot listen on {}", args.listen), error);
    let listener = TcpListener::bind(args.listen).await.map_err(failure)?;
    let place = listener.local_addr().map_err(failure)?;
    let (mut end, mut interrupt) = signals()?;
    output.facts(&[("listening", format!("http://{place}").into())])?;
    output.finish()?;
    let places = Arc::new(Places::new(args.proxy.clone()));
    let (ending, is_ending) = channel::channel(false);
    let watching = tokio::spawn(watch::watch(Arc::clone(engine), is_ending.clone()));
    loop {
        let ended = first(end.recv(), interrupt.recv());
        match first(ended, listener.accept()).await {
            First::One(_) => break,
            First::Other(Ok((stream, peer))) => {
                accept(stream, peer, (engine, &places), &is_ending);
            }
            First::Other(Err(_)) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    // Nobody is left to hear it if all connections are closed already.
    let _ = ending.send(true);
    drop(is_ending);
    let _ = timeout(END_TIME, ending.closed()).await;
    watching.abort();
    Ok(())
}

fn signals() -> Result<(tokio::signal::unix::Signal, tokio::signal::unix::Signal), Failure> {
    let failure = |error| Failure::new("cannot wait for signals", error);
    let end = signal(SignalKind::terminate()).map_err(failure)?;
    let interrupt = signal(SignalKind::interrupt()).map_err(failure)?;
    Ok((end, interrupt))
}

/// Takes a connection, or turns it away where there are too many.
fn accept(
    stream: TcpStream,
    peer: SocketAddr,
    (engine, places): (&Arc<Engine>, &Arc<Places>),
    is_ending: &channel::Receiver<bool>,
) {
    let Some(connection) = places.enter(peer.ip()) else {
        turn_away(&stream);
        return;
    };
    // Without it answers wait for acknowledgements; where it cannot be set, they do.
    let _ = stream.set_nodelay(true);
    let engine = Arc::clone(engine);
    tokio::spawn(serve_connection(
        stream,
        connection,
        engine,
        is_ending.clone(),
    ));
}

/// Says so without waiting; whoever does not read it is cut off all the same.
fn turn_away(stream: &TcpStream) {
    let _ = stream.try_write(
        b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
}

async fn serve_connection(
    stream: TcpStream,
    connection: Connection,
    engine: Arc<Engine>,
    mut is_ending: channel::Receiver<bool>,
) {
    let connection = Arc::new(connection);
    let service = service_fn(move |request| {
        let (engine, connection) = (Arc::clone(&engine), Arc::clone(&connection));
        async move { Ok::<_, Infallible>(http::respond(request, &engine, &connection).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let shut = |served: Pin<&mut _>| http1::Connection::graceful_shutdown(served);
    let times = (CONNECTION_TIME, END_TIME);
    bounded(served.as_mut(), shut, is_ending.changed(), times).await;
}

/// Serves a connection until it ends, the server ends, or its time is over; then what is being answered has a little more.
async fn bounded<F: Future>(
    mut served: Pin<&mut F>,
    shut: impl FnOnce(Pin<&mut F>),
    ending: impl Future,
    (all, end): (Duration, Duration),
) {
    let ended = timeout(all, first(served.as_mut(), ending)).await;
    // Whatever ends a connection ends it alone.
    if !matches!(ended, Ok(First::One(_))) {
        shut(served.as_mut());
        let _ = timeout(end, served).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net;

    use http_body_util::Full;
    use hyper::Response;
    use hyper::body::Bytes;

    use super::*;

    /// Asks again and again, and reads no answer.
    fn pipelining(place: SocketAddr) -> net::TcpStream {
        let mut stream = net::TcpStream::connect(place).unwrap();
        stream.set_nonblocking(true).unwrap();
        let requests = b"GET /card HTTP/1.1\r\nhost: gate\r\n\r\n".repeat(1_000);
        // As much as there is room for.
        let _ = stream.write(&requests);
        stream
    }

    #[test]
    fn whoever_does_not_read_is_cut_off() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = pipelining(listener.local_addr().unwrap());
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(|_| async {
                let body = Full::new(Bytes::from(vec![0; 65_536]));
                Ok::<_, Infallible>(Response::new(body))
            });
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let mut served = std::pin::pin!(served);
            let shut = |served: Pin<&mut _>| http1::Connection::graceful_shutdown(served);
            let times = (Duration::from_millis(300), Duration::from_millis(100));
            let (ending, mut is_ending) = channel::channel(false);
            let cut = bounded(served.as_mut(), shut, is_ending.changed(), times);
            timeout(Duration::from_secs(10), cut).await.unwrap();
            drop((ending, client));
        });
    }
}
