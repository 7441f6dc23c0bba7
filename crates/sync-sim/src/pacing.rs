//! Whether the gate's pace keeps within the service's: many calls of many tasks, in virtual time.
//!
//! The service counts by its own clock's second, which nobody outside sees, and calls take unequal time to reach it.
//! So calls that left evenly spaced arrive unevenly, in a second that begins anywhere. The gate is the product's own,
//! kept by whatever [`Gate`] a test gives; the service is the emulator.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_TOKEN, Emulator};
use sync_core::{
    pace::{GateState, Rate},
    port::{Clock, Dice},
    state::{CallKind, StateError, SyncId},
};
use sync_engine::{gate, state::State};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::{SimClock, SimDice};

/// The longest that a call is on its way to the service.
pub const DELAY_MAX_MS: u64 = 150;

/// Who keeps the gate of a trial. Clones share it.
#[derive(Clone, Debug)]
pub enum Gate {
    /// The gate's state alone, as every store keeps it.
    Bare(Arc<Mutex<GateState>>),
    /// A state store, which also counts the calls.
    Stored(State),
}

impl Gate {
    /// An open gate without a store.
    pub fn bare() -> Self {
        Self::Bare(Arc::new(Mutex::new(GateState::open(start()))))
    }

    /// Waits for the next departure, with a store as every call of the product does.
    ///
    /// # Errors
    /// The store's; a gate without one has none.
    pub async fn pass(&self, rate: Rate, clock: &Arc<dyn Clock>) -> Result<(), StateError> {
        match self {
            Self::Bare(gate) => {
                let now = clock.now();
                let at = gate.lock().unwrap_or_else(PoisonError::into_inner).reserve(now, rate);
                let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
                if !wait.is_zero() {
                    clock.sleep(wait).await;
                }
                Ok(())
            }
            Self::Stored(state) => {
                let gate = gate::Gate {
                    state: state.clone(),
                    clock: Arc::clone(clock),
                    sync: SyncId(1),
                    key_digest: "key".into(),
                };
                let never = CancellationToken::new();
                gate.pass(Some(CallKind::LookUp), |_| rate, &never).await.map(drop)
            }
        }
    }
}

/// Calls to be made in one go. It ends early at a 429: the rest would meet the lock-out and say nothing new.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Where the service's second begins, and how long each call travels.
    pub seed: u64,
    /// Calls a second.
    pub rate: Rate,
    /// Tasks that share the gate.
    pub tasks: usize,
    /// Calls of all tasks together.
    pub calls: usize,
    /// The machine stands still: when, and for how long.
    pub stall: Option<(Duration, Duration)>,
}

/// What came of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Whether the service answered a call with 429.
    pub throttled: bool,
    /// Departures per second, from the first to the last.
    pub per_second: f64,
    /// The shortest time between two departures.
    pub closest: Duration,
}

impl Trial {
    /// Makes the calls. Must be run on a paused runtime.
    pub async fn run(&self, gate: Gate) -> Pace {
        let clock = SimClock::new(start());
        let dice = Arc::new(SimDice::new(self.seed));
        let shift = u32::try_from(dice.below(1_000)).expect("less than a second");
        let emulator = Emulator::builder()
            .with(|profile| profile.second_shift_ms = shift)
            .plan(smartsuite_emulator::Plan::Signature)
            .now(start())
            .build()
            .expect("the seed is valid");
        let service = Arc::new(Mutex::new(emulator));
        let left = Arc::new(Mutex::new(self.calls));
        let mut tasks = JoinSet::new();
        for _ in 0..self.tasks {
            let caller = Caller {
                gate: gate.clone(),
                rate: self.rate,
                clock,
                dice: Arc::clone(&dice),
                service: Arc::clone(&service),
                left: Arc::clone(&left),
            };
            tasks.spawn(caller.make_calls());
        }
        if let Some((after, length)) = self.stall {
            clock.sleep(after).await;
            tokio::time::advance(length).await;
        }
        let mut departures: Vec<Timestamp> = tasks.join_all().await.into_iter().flatten().collect();
        departures.sort_unstable();
        let pairs = departures.iter().zip(departures.iter().skip(1));
        let closest = pairs.map(|(one, next)| next.duration_since(*one)).min();
        let closest = closest.expect("there were calls").unsigned_abs();
        let first = departures.iter().min().expect("there were calls");
        let last = departures.iter().max().expect("there were calls");
        let seconds = last.duration_since(*first).as_secs_f64();
        let gaps = u32::try_from(departures.len() - 1).expect("a few thousand");
        let emulator = service.lock().unwrap_or_else(PoisonError::into_inner);
        Pace { throttled: is_throttled(&emulator), per_second: f64::from(gaps) / seconds, closest }
    }
}

/// One task.
struct Caller {
    gate: Gate,
    rate: Rate,
    clock: SimClock,
    dice: Arc<SimDice>,
    service: Arc<Mutex<Emulator>>,
    left: Arc<Mutex<usize>>,
}

impl Caller {
    /// Calls until none is left to be made; when each of them left.
    async fn make_calls(self) -> Vec<Timestamp> {
        let mut departures = Vec::new();
        let request = request();
        while self.takes_one() {
            let clock: Arc<dyn Clock> = Arc::new(self.clock);
            self.gate.pass(self.rate, &clock).await.expect("the state works");
            departures.push(self.clock.now());
            self.clock.sleep(Duration::from_millis(self.dice.below(DELAY_MAX_MS + 1))).await;
            let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
            let _outcome = service.handle(self.clock.now(), &request);
            if is_throttled(&service) {
                break;
            }
        }
        departures
    }

    fn takes_one(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let some = *left > 0;
        *left -= usize::from(some);
        some
    }
}

fn is_throttled(service: &Emulator) -> bool {
    service.counters().by_status.contains_key(&429)
}

/// Calls the pace is measured with: whatever they ask, they are counted first.
fn request() -> Request<Bytes> {
    Request::builder()
        .method(Method::GET)
        .uri("/api/v1/applications/6500000000000000000000aa/records/6500000000000000000000ab/")
        .header("account-id", DEMO_ACCOUNT)
        .header("authorization", format!("Token {DEMO_TOKEN}"))
        .body(Bytes::new())
        .expect("a valid request")
}

fn start() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_790_000_000)
}

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "what was measured is for people to see")]
mod tests {
    use sync_store::SqliteStore;

    use super::*;

    const SEEDS: u64 = 200;

    fn paused<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(future)
    }

    fn trial(seed: u64, rate: u32, gate: Gate) -> Pace {
        let trial = Trial { seed, rate: Rate(rate), tasks: 8, calls: 2_000, stall: None };
        paused(trial.run(gate))
    }

    /// One trial a seed, half of them on another processor.
    fn trials(rate: u32) -> Vec<Pace> {
        let half = move |part: u64| {
            let seeds = (0..SEEDS).filter(move |seed| seed % 2 == part);
            seeds.map(|seed| trial(seed, rate, Gate::bare())).collect::<Vec<_>>()
        };
        let other = std::thread::spawn(move || half(1));
        let mut paces = half(0);
        paces.extend(other.join().unwrap());
        paces
    }

    #[test]
    fn four_calls_a_second_are_never_too_many_and_all_four_are_used() {
        let paces = trials(4);
        let slowest = paces.iter().map(|pace| pace.per_second).fold(f64::INFINITY, f64::min);
        println!("{SEEDS} seeds at 4 a second: no 429, at least {slowest:.3} calls a second");
        assert!(paces.iter().all(|pace| !pace.throttled));
        assert!(slowest >= 0.98 * 4.0, "only {slowest} calls a second");
    }

    #[test]
    fn five_calls_a_second_are_too_many_though_five_are_allowed() {
        let throttled = trials(5).iter().filter(|pace| pace.throttled).count();
        println!("{SEEDS} seeds at 5 a second: {throttled} of them meet a 429");
        assert_eq!(throttled, 159, "docs/guide/pacing.md names the share");
    }

    #[test]
    fn a_gate_kept_in_a_state_file_keeps_the_same_pace() {
        for seed in 0..3 {
            let folder = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(&folder.path().join("state.db")).unwrap();
            let pace = trial(seed, 4, Gate::Stored(State::inline(Box::new(store))));
            assert!(!pace.throttled, "seed {seed}");
            assert!(pace.per_second >= 0.98 * 4.0, "only {} calls a second", pace.per_second);
        }
    }

    /// Catches: departures that are used though the machine stood still while they were waited for (`Gate::pass`).
    #[test]
    fn after_a_stall_calls_leave_one_by_one() {
        for seed in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(&folder.path().join("state.db")).unwrap();
            let gate = Gate::Stored(State::inline(Box::new(store)));
            let stall = (Duration::from_millis(3_000 + 37 * seed), Duration::from_millis(1_900));
            let trial = Trial { seed, rate: Rate(4), tasks: 8, calls: 40, stall: Some(stall) };
            let pace = paused(trial.run(gate));
            assert!(!pace.throttled, "seed {seed}");
            let closest = pace.closest;
            assert!(closest >= Duration::from_millis(125), "seed {seed}: {closest:?} apart");
        }
    }
}
