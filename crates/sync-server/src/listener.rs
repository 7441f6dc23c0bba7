//! Takes connections: not too many, none that is silent for long or does not listen, and an end within a bound.

mod timed;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use self::timed::Timed;
use crate::request::Peer;

/// Connections at once; more are closed unheard.
const CONNECTIONS_MAX: usize = 512;
/// How long the head of a request may take to arrive, on a new connection or one that was kept.
const HEAD: Duration = Duration::from_secs(20);
/// Bytes that the head of a request may have.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long requests under way may take when the service ends.
const LAST: Duration = Duration::from_secs(2);
/// After an accept that failed, as it does where the process has no more file handles.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `ending` is cancelled; requests under way have two seconds then.
pub async fn serve(listener: TcpListener, router: Router, ending: CancellationToken) {
    let places = Semaphore::new(CONNECTIONS_MAX);
    let places = std::sync::Arc::new(places);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = ending.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            drop(timeout(PAUSE, ending.cancelled()).await);
            continue;
        };
        let Ok(place) = std::sync::Arc::clone(&places).try_acquire_owned() else { continue };
        let connection = connection(stream, peer, &router);
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            // What goes wrong with one connection is between it and its client.
            drop(connection.await);
            drop(place);
        });
    }
    drop(listener);
    drop(timeout(LAST, graceful.shutdown()).await);
    connections.abort_all();
}

/// The router, for requests that come from this address.
pub fn seen_from(router: Router, peer: IpAddr) -> Router {
    router.layer(Extension(Peer(peer)))
}

type Served = http1::Connection<TokioIo<Timed<TcpStream>>, TowerToHyperService<Router>>;

fn connection(stream: TcpStream, peer: SocketAddr, router: &Router) -> Served {
    // Small answers must not wait for others to fill a packet.
    drop(stream.set_nodelay(true));
    let service = seen_from(router.clone(), peer.ip());
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Timed::new(stream)), TowerToHyperService::new(service))
}
