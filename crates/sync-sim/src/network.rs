//! The network between the client and the emulator: delays, resets, answers that never come.
//!
//! A request that has left arrives even if the process that sent it is gone: it travels on a task of the world's own.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    task::Waker,
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use smartsuite_emulator::{Emulator, Outcome, RouteKind};
use sync_core::port::{Boxed, Clock, Dice};
use sync_smartsuite::{BodyEnd, Limits, Reply, Transport, TransportError};

use crate::{
    breath::Breath,
    clock::{SimClock, SimDice},
};

/// What a look-up that finds nothing is called.
const BLIND: &str = "blind_look_up";
/// Requests wait up to this long on their way.
const DELAY_MAX_MS: u64 = 150;

/// The network, with the emulator at its end. Clones share it.
#[derive(Clone)]
pub struct SimNetwork {
    emulator: Arc<Mutex<Emulator>>,
    clock: SimClock,
    dice: Arc<SimDice>,
    instead: Arc<Mutex<Vec<Instead>>>,
    strikes: Arc<Mutex<Vec<Strike>>>,
    /// Woken when a fault strikes.
    witness: Arc<Mutex<Option<Waker>>>,
    writes_on_the_wire: Arc<AtomicU32>,
    /// Look-ups by external id that have left and not arrived.
    look_ups_on_the_wire: Arc<AtomicU32>,
    /// Of the process whose network this is.
    breath: Breath,
}

/// A fault that struck a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// The fault, as the emulator's log calls it.
    pub fault: String,
    /// What was asked.
    pub route: RouteKind,
}

impl Strike {
    /// Whether an update or delete will have its effect later.
    pub fn is_late_write(&self) -> bool {
        let writes = [RouteKind::BulkUpdate, RouteKind::BulkDelete];
        // What arrives late does so though the process that sent it died meanwhile.
        let is_slow = self.fault.contains("\"delay_ms\"") && self.is_before();
        writes.contains(&self.route) && (is_slow || self.fault.contains("\"late\""))
    }

    /// Whether it struck a writing call.
    pub fn is_of_a_write(&self) -> bool {
        let writes = [RouteKind::BulkCreate, RouteKind::BulkUpdate, RouteKind::BulkDelete];
        writes.contains(&self.route)
    }

    /// Whether the call it struck had no effect yet.
    pub fn is_before(&self) -> bool {
        self.fault != BLIND && !self.fault.ends_with("after")
    }
}

/// What is answered instead of the emulator's own words, which has had its effect.
struct Instead {
    status: http::StatusCode,
    is_it: fn(&Request<Bytes>) -> bool,
    body: &'static str,
    times: u32,
}

impl std::fmt::Debug for SimNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimNetwork")
    }
}

impl SimNetwork {
    /// A network to `emulator`.
    pub fn new(emulator: Emulator, clock: SimClock, seed: u64) -> Self {
        Self {
            emulator: Arc::new(Mutex::new(emulator)),
            clock,
            dice: Arc::new(SimDice::new(seed)),
            instead: Arc::default(),
            strikes: Arc::default(),
            witness: Arc::default(),
            writes_on_the_wire: Arc::default(),
            look_ups_on_the_wire: Arc::default(),
            breath: Breath::default(),
        }
    }

    /// The same network, as a process sees it that may be stopped.
    #[must_use]
    pub fn of(&self, breath: &Breath) -> Self {
        Self { breath: breath.clone(), ..self.clone() }
    }

    /// The faults that struck since this was last asked.
    pub fn strikes(&self) -> Vec<Strike> {
        std::mem::take(&mut self.strikes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a fault struck since then; if not, `witness` is woken when one does.
    pub fn has_struck(&self, witness: &Waker) -> bool {
        *self.witness.lock().unwrap_or_else(PoisonError::into_inner) = Some(witness.clone());
        !self.strikes.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn strike(&self, strike: Strike) {
        self.strikes.lock().unwrap_or_else(PoisonError::into_inner).push(strike);
        if let Some(witness) = &*self.witness.lock().unwrap_or_else(PoisonError::into_inner) {
            witness.wake_by_ref();
        }
    }

    /// Writing requests that have left and not arrived.
    pub fn writes_on_the_wire(&self) -> u32 {
        self.writes_on_the_wire.load(Ordering::SeqCst)
    }

    /// Look-ups by external id that have left and not arrived.
    pub fn look_ups_on_the_wire(&self) -> u32 {
        self.look_ups_on_the_wire.load(Ordering::SeqCst)
    }

    /// The next look-ups by external id find nothing, and say that nothing is all there is.
    pub fn blind_look_ups(&self, times: u32) {
        let body = r#"{"items": [], "total": 0, "offset": 0, "limit": 1000}"#;
        self.answer_instead(is_look_up, body, times);
    }

    /// The next lists find nothing, and say that nothing is all there is: a filter or an index that does not work.
    pub fn blind_lists(&self, times: u32) {
        let body = r#"{"items": [], "total": 0, "offset": 0, "limit": 1000}"#;
        self.answer_instead(
            |request| request.uri().path().ends_with("/records/list/"),
            body,
            times,
        );
    }

    /// The next requests that `is_it` knows take effect, and are answered 200 with `body`.
    pub fn answer_instead(
        &self,
        is_it: fn(&Request<Bytes>) -> bool,
        body: &'static str,
        times: u32,
    ) {
        self.answer_with(http::StatusCode::OK, is_it, body, times);
    }

    /// The same with another status.
    pub fn answer_with(
        &self,
        status: http::StatusCode,
        is_it: fn(&Request<Bytes>) -> bool,
        body: &'static str,
        times: u32,
    ) {
        let mut instead = self.instead.lock().unwrap_or_else(PoisonError::into_inner);
        instead.push(Instead { status, is_it, body, times });
    }

    /// From now on the emulator's own words arrive.
    pub fn answer_as_usual(&self) {
        self.instead.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn instead_of(&self, request: &Request<Bytes>) -> Option<Reply> {
        let mut instead = self.instead.lock().unwrap_or_else(PoisonError::into_inner);
        let one = instead.iter_mut().find(|one| one.times > 0 && (one.is_it)(request))?;
        one.times -= 1;
        let fault = BLIND.to_owned();
        self.strike(Strike { fault, route: RouteKind::List });
        let body = Bytes::from_static(one.body.as_bytes());
        let mut answer = http::Response::new(body);
        *answer.status_mut() = one.status;
        Some(reply(answer, usize::MAX))
    }

    /// The emulator, at the present time.
    pub fn emulator(&self) -> MutexGuard<'_, Emulator> {
        let mut emulator = self.emulator.lock().unwrap_or_else(PoisonError::into_inner);
        emulator.advance(self.clock.now());
        emulator
    }

    fn arrive(&self, request: &Request<Bytes>) -> Outcome {
        let mut emulator = self.emulator();
        let outcome = emulator.handle(self.clock.now(), request);
        let strike = emulator
            .log()
            .last()
            .and_then(|entry| Some(Strike { fault: entry.fault.clone()?, route: entry.route }));
        drop(emulator);
        if let Some(strike) = strike {
            self.strike(strike);
        }
        outcome
    }

    async fn travel(self, request: Request<Bytes>) -> Result<Reply, TransportError> {
        let writes = u32::from(request.uri().path().contains("/records/bulk"));
        let look_ups = u32::from(is_look_up(&request));
        self.writes_on_the_wire.fetch_add(writes, Ordering::SeqCst);
        self.clock.sleep(Duration::from_millis(self.dice.below(DELAY_MAX_MS))).await;
        self.writes_on_the_wire.fetch_sub(writes, Ordering::SeqCst);
        self.look_ups_on_the_wire.fetch_sub(look_ups, Ordering::SeqCst);
        let mut outcome = self.arrive(&request);
        if let Some(reply) = self.instead_of(&request) {
            return Ok(reply);
        }
        loop {
            match outcome {
                Outcome::Held { until, ticket } => {
                    let wait = until.duration_since(self.clock.now());
                    self.clock.sleep(Duration::try_from(wait).unwrap_or_default()).await;
                    outcome = self.emulator().collect(self.clock.now(), ticket);
                }
                Outcome::Answer { after, response } => {
                    self.clock.sleep(after).await;
                    return Ok(reply(response, usize::MAX));
                }
                Outcome::Truncated { after, response, bytes } => {
                    self.clock.sleep(after).await;
                    return Ok(reply(response, bytes));
                }
                Outcome::Reset { after } => {
                    self.clock.sleep(after).await;
                    return Err(TransportError::Broken("reset".into()));
                }
                Outcome::Never => std::future::pending().await,
            }
        }
    }
}

/// Whether it asks for records by their external id.
fn is_look_up(request: &Request<Bytes>) -> bool {
    request.uri().path().ends_with("/records/list/")
        && String::from_utf8_lossy(request.body()).contains("\"is\"")
}

fn reply(response: http::Response<Bytes>, bytes: usize) -> Reply {
    let (parts, body) = response.into_parts();
    let body = without_bounds(body);
    let whole = bytes >= body.len();
    Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: if whole { body } else { body.slice(..bytes) },
        end: if whole { BodyEnd::Complete } else { BodyEnd::Broken },
    }
}

/// The service enforces the bounds of numbers without describing them: the mapping cannot know, and what it refuses is
/// refused by the service.
fn without_bounds(body: Bytes) -> Bytes {
    let text = String::from_utf8_lossy(&body);
    if text.contains(BOUND) { Bytes::from(text.replace(BOUND, NO_BOUND)) } else { body }
}

/// How a table's structure names a number's upper bound.
const BOUND: &str = "\"max_value\"";
/// Nothing that a structure has, of the same length.
const NO_BOUND: &str = "\"unspoken_\"";

impl Transport for SimNetwork {
    fn exchange(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Boxed<'_, Result<Reply, TransportError>> {
        let way = self.clone();
        Box::pin(async move {
            way.breath.taken().await;
            // Counted at once: who waits for its answer has no other turn before that.
            let look_ups = u32::from(is_look_up(&request));
            way.look_ups_on_the_wire.fetch_add(look_ups, Ordering::SeqCst);
            let journey = tokio::spawn(way.clone().travel(request));
            let answer = tokio::time::timeout(limits.time, journey).await;
            way.breath.taken().await;
            match answer {
                Ok(Ok(arrived)) => arrived,
                Ok(Err(_)) => Err(TransportError::Broken("the world ended".into())),
                Err(_) => Err(TransportError::TimedOut("no answer".into())),
            }
        })
    }
}
