//! The thin layer that puts the model on a real port: real delays, real resets (point 13).

mod connection;
mod notify;
mod real_time;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, StatusCode, header};
use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::emulator::{BuildError, Emulator};
use crate::outcome::Outcome;
use crate::store::Store;
use connection::{Connection, ResettableListener};

/// An emulator that several tasks ask.
#[derive(Debug, Clone)]
pub struct SharedEmulator(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    emulator: Emulator,
    store: Option<Store>,
}

/// Bodies above this size are not even read.
const MOST_BYTES: usize = 64 << 20;

impl SharedEmulator {
    /// Makes an emulator ready to be shared.
    pub fn new(emulator: Emulator) -> Self {
        Self(Arc::new(Mutex::new(Inner { emulator, store: None })))
    }

    /// The same with its state in a file: what the file holds replaces the emulator's own state.
    pub fn with_file(mut emulator: Emulator, path: &Path) -> Result<Self, BuildError> {
        let store = Store::open(path, &mut emulator)?;
        Ok(Self(Arc::new(Mutex::new(Inner { emulator, store: Some(store) }))))
    }

    /// Looks at or changes the emulator.
    ///
    /// With a file, what was changed is stored before this returns; what cannot be stored is told
    /// on standard error, and the emulator goes on.
    pub fn with<T>(&self, act: impl FnOnce(&mut Emulator) -> T) -> T {
        let mut inner = self.lock();
        let done = act(&mut inner.emulator);
        let entries = inner.emulator.journal.take();
        let stored = inner.store.as_mut().map_or(Ok(()), |store| store.append(&entries));
        drop(inner);
        complain(stored);
        done
    }

    /// Writes the file anew, without its journal.
    pub fn compact(&self) {
        let mut inner = self.lock();
        let Inner { emulator, store } = &mut *inner;
        let stored = store.as_mut().map_or(Ok(()), |store| store.compact(emulator));
        drop(inner);
        complain(stored);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic inside a request leaves a world that is whole: requests check before they write.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the real server takes for now.
    pub fn real_now() -> Timestamp {
        real_time::now()
    }
}

#[expect(clippy::print_stderr, reason = "a person must learn that the file is not being written")]
fn complain(stored: Result<(), BuildError>) {
    if let Err(error) = stored {
        eprintln!("smartsuite-emulator: {error}");
    }
}

/// Makes an emulator ready to be shared, for those who name no type: [`SharedEmulator::new`].
pub fn shared(emulator: Emulator) -> SharedEmulator {
    SharedEmulator::new(emulator)
}

/// All routes, for a server or to be called without one. Without a server a connection cannot be
/// reset: such an answer is 502 with the header `x-emulator-connection`.
pub fn router(emulator: SharedEmulator) -> Router {
    Router::new().fallback(respond).with_state(emulator)
}

/// Serves until the future ends. Notifications of webhooks are sent from here too.
pub async fn serve(
    listener: TcpListener,
    emulator: SharedEmulator,
    until: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let service = router(emulator.clone()).into_make_service_with_connect_info::<Connection>();
    let serving = axum::serve(ResettableListener::new(listener), service);
    // Held and silent connections must not keep the program alive: dropping ends them.
    tokio::select! {
        served = serving.into_future() => served,
        () = notify::send_pings(emulator) => Ok(()),
        () = until => Ok(()),
    }
}

async fn respond(
    State(emulator): State<SharedEmulator>,
    connection: Option<axum::Extension<ConnectInfo<Connection>>>,
    request: Request<Body>,
) -> Response {
    let connection = connection.map(|found| found.0.0);
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = Request::from_parts(head, body);
    let mut outcome = emulator.with(|emulator| emulator.handle(real_time::now(), &request));
    while let Outcome::Held { until, ticket } = outcome {
        real_time::sleep_until(until).await;
        outcome = emulator.with(|emulator| emulator.collect(real_time::now(), ticket));
    }
    match outcome {
        Outcome::Answer { after, response } => {
            pause(after).await;
            response.map(Body::from)
        }
        Outcome::Truncated { after, response, bytes } => {
            pause(after).await;
            truncated(response, bytes)
        }
        Outcome::Reset { after } => {
            pause(after).await;
            reset(connection.as_ref())
        }
        Outcome::Never | Outcome::Held { .. } => std::future::pending().await,
    }
}

async fn pause(after: Duration) {
    if !after.is_zero() {
        real_time::sleep(after).await;
    }
}

/// The connection is reset when this answer is about to be written.
fn reset(connection: Option<&Connection>) -> Response {
    let mut response = StatusCode::BAD_GATEWAY.into_response();
    response.headers_mut().insert("x-emulator-connection", HeaderValue::from_static("reset"));
    if let Some(connection) = connection {
        connection.reset();
    }
    response
}

/// Claims the whole length, sends a part, breaks off.
fn truncated(response: http::Response<Bytes>, bytes: usize) -> Response {
    let (mut head, body) = response.into_parts();
    let sent = body.slice(..bytes.min(body.len()));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let broken = async {
        // An error that follows at once would take the part before it along: it must be sent first.
        tokio::task::yield_now().await;
        Err(std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "scripted fault"))
    };
    let part = stream::once(async { Ok(sent) });
    Response::from_parts(head, Body::from_stream(part.chain(stream::once(broken))))
}
