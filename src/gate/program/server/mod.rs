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
/// For the answers that are being made when a signal ends the server.
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
    let ended = first(served.as_mut(), is_ending.changed()).await;
    // Whatever ends a connection ends it alone.
    if matches!(ended, First::Other(_)) {
        served.as_mut().graceful_shutdown();
        let _ = served.await;
    }
}
