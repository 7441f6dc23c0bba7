//! The processes of a world: several at once, each advanced a turn at a time, killed or stopped between any two.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use jiff::Timestamp;
use sync_core::{port::Clock as _, state::StateError};
use sync_engine::{
    event::{Event, Observer},
    run::{RunOptions, RunReport},
};

use crate::{
    breath::{Breath, ProcessClock},
    clock::SimClock,
    plan::{Fate, Moment},
    world::Process,
};

/// What a process's engine said, with the number of the process and the time.
pub(crate) type Sayings = Arc<Mutex<Vec<(usize, Timestamp, Event)>>>;

/// Hears one process.
#[derive(Debug)]
pub(crate) struct Ear {
    pub(crate) number: usize,
    pub(crate) sayings: Sayings,
    pub(crate) clock: SimClock,
    /// Calls that have left.
    pub(crate) calls: AtomicU32,
    /// Reports of runs that ended while the process goes on.
    pub(crate) reports: Mutex<Vec<RunReport>>,
}

/// Seconds between two runs of one process.
const BETWEEN_RUNS: Duration = Duration::from_secs(20);

impl Observer for Ear {
    fn observe(&self, _sync: &str, event: &Event) {
        if matches!(event, Event::CallLeft { .. }) {
            self.calls.fetch_add(1, Ordering::SeqCst);
        }
        let mut sayings = self.sayings.lock().unwrap_or_else(PoisonError::into_inner);
        sayings.push((self.number, self.clock.now(), event.clone()));
    }
}

type Ended = Result<RunReport, StateError>;

/// A process that runs the sync once.
pub(crate) struct Actor {
    pub(crate) ear: Arc<Ear>,
    pub(crate) fate: Fate,
    breath: Breath,
    work: Pin<Box<dyn Future<Output = Ended>>>,
    alarm: Arc<Alarm>,
    /// Turns since its moment's calls had left.
    turns: u32,
    /// When it goes on, while it is stopped.
    goes_on_at: Option<Timestamp>,
}

impl Actor {
    pub(crate) fn new(
        process: Process,
        options: RunOptions,
        runs: u32,
        ear: Arc<Ear>,
        clock: &ProcessClock,
        fate: Fate,
    ) -> Self {
        let breath = clock.breath.clone();
        let hears = Arc::clone(&ear);
        let pause = clock.clone();
        let work = Box::pin(async move {
            for _ in 1..runs {
                let report = process.run(options).await?;
                hears.reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
                pause.sleep(BETWEEN_RUNS).await;
            }
            process.run(options).await
        });
        let alarm = Arc::new(Alarm { rang: AtomicBool::new(true), driver: Mutex::default() });
        Self { ear, fate, breath, work, alarm, turns: 0, goes_on_at: None }
    }

    /// The process stops now, for so long.
    pub(crate) fn stop_until(&mut self, at: Timestamp) {
        self.breath.hold();
        self.goes_on_at = Some(at);
    }

    fn moment(&self) -> Option<Moment> {
        match self.fate {
            Fate::Ends => None,
            Fate::Dies(at) | Fate::LosesPower(at, _) | Fate::Stops { at, .. } => Some(at),
        }
    }

    /// Whether its fate strikes before the next turn.
    fn is_due(&mut self) -> bool {
        let Some(moment) = self.moment() else { return false };
        if self.ear.calls.load(Ordering::SeqCst) < moment.calls {
            return false;
        }
        self.turns += 1;
        self.turns > moment.turns
    }
}

/// Remembers that a process was woken, also while nobody drives it.
struct Alarm {
    rang: AtomicBool,
    driver: Mutex<Option<Waker>>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Ordering::SeqCst);
        if let Some(driver) = self.driver.lock().unwrap_or_else(PoisonError::into_inner).take() {
            driver.wake();
        }
    }
}

/// What became of a process's turn.
pub(crate) enum Turn {
    /// It did something and lives.
    Taken,
    /// Its run ended.
    Ended(Box<(Actor, Ended)>),
    /// Its fate strikes: the process at this place.
    Due(usize),
    /// It has been stopped long enough and is to be killed.
    DueToDie(usize),
}

/// All processes that live.
#[derive(Default)]
pub(crate) struct Cast {
    pub(crate) actors: Vec<Actor>,
}

impl Cast {
    /// When the next stopped process goes on.
    pub(crate) fn next_to_go_on(&self) -> Option<Timestamp> {
        self.actors.iter().filter_map(|actor| actor.goes_on_at).min()
    }

    /// Waits until a process can take a turn, and lets it.
    pub(crate) fn turn(&mut self, clock: &SimClock, context: &mut Context<'_>) -> Poll<Turn> {
        for place in 0..self.actors.len() {
            let actor = &mut self.actors[place];
            if let Some(at) = actor.goes_on_at {
                if clock.now() < at {
                    continue;
                }
                actor.goes_on_at = None;
                if matches!(actor.fate, Fate::Stops { dies: true, .. }) {
                    return Poll::Ready(Turn::DueToDie(place));
                }
                actor.fate = Fate::Ends;
                actor.breath.let_go();
            }
            *actor.alarm.driver.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(context.waker().clone());
            if !actor.alarm.rang.swap(false, Ordering::SeqCst) {
                continue;
            }
            if actor.is_due() {
                actor.alarm.rang.store(true, Ordering::SeqCst);
                return Poll::Ready(Turn::Due(place));
            }
            let waker = Waker::from(Arc::clone(&actor.alarm));
            return Poll::Ready(match actor.work.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => Turn::Taken,
                Poll::Ready(ended) => Turn::Ended(Box::new((self.actors.remove(place), ended))),
            });
        }
        Poll::Pending
    }
}
