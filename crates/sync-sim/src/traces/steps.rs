//! A process step by step: stopped between any two of its steps, or killed there.
//!
//! A step ends where the process waits: after each job of the state, before each answer. What has left travels on.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use smartsuite_emulator::{Fault, FaultKind, RouteKind};
use sync_core::{port::Clock as _, state::StateError};
use sync_engine::run::RunReport;
use tokio_util::sync::CancellationToken;

use super::state_files::Disk;
use crate::world::{Process, World};

/// Steps after which a run is taken to be endless.
const STEPS_MAX: usize = 100_000;
/// How often somebody who waits for a moment looks whether it has come, while the run itself waits.
const GLANCE: Duration = Duration::from_millis(50);

/// A run whose process can be stopped between two steps. Dropping it is SIGKILL: what its last step started has not
/// begun, what began earlier ends.
pub(super) struct Run<'a> {
    work: Pin<Box<dyn Future<Output = Result<RunReport, StateError>> + 'a>>,
    alarm: Arc<Alarm>,
    cancelled: CancellationToken,
}

/// Remembers that the run was woken, also while nobody drives it.
struct Alarm {
    rang: AtomicBool,
    driver: Mutex<Option<Waker>>,
}

/// What became of a step.
enum Stride {
    Taken,
    /// It was not taken: the moment had come.
    There,
    /// The run ended with it.
    Ended(Box<Result<RunReport, StateError>>),
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Ordering::SeqCst);
        if let Some(driver) = self.driver.lock().unwrap_or_else(PoisonError::into_inner).take() {
            driver.wake();
        }
    }
}

impl<'a> Run<'a> {
    /// A run that has not taken its first step.
    pub(super) fn of(process: &'a Process) -> Self {
        let alarm = Alarm { rang: AtomicBool::new(true), driver: Mutex::default() };
        let cancelled = CancellationToken::new();
        let token = cancelled.clone();
        let work = Box::pin(async move { process.run_until(&token).await });
        Self { work, alarm: Arc::new(alarm), cancelled }
    }

    /// Asks the run to end.
    pub(super) fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Goes so many steps; answers the report if the run ended on the way.
    pub(super) async fn go(&mut self, steps: usize) -> Option<Result<RunReport, StateError>> {
        for _ in 0..steps {
            self.can_go().await;
            if let Poll::Ready(ended) = self.step() {
                return Some(ended);
            }
        }
        None
    }

    /// Goes on for so long, whether or not there is anything to do.
    pub(super) async fn go_for(&mut self, length: Duration) {
        let ended = tokio::time::timeout(length, self.go(STEPS_MAX)).await;
        assert!(ended.is_err(), "it ended on the way: {ended:#?}");
    }

    /// Goes on until `there` says so.
    pub(super) async fn go_until(
        &mut self,
        mut there: impl FnMut() -> bool,
    ) -> Option<Result<RunReport, StateError>> {
        for _ in 0..STEPS_MAX {
            match self.step_unless(&mut there).await {
                Stride::Taken => {}
                Stride::There => return None,
                Stride::Ended(ended) => return Some(*ended),
            }
        }
        panic!("the run does not end");
    }

    /// The next step, unless `there` says so before it. Asked while the run waits, too: what it waits for may never come.
    async fn step_unless(&mut self, there: &mut impl FnMut() -> bool) -> Stride {
        while !there() {
            if tokio::time::timeout(GLANCE, self.can_go()).await.is_err() {
                continue;
            }
            if there() {
                // The step is still to be taken, by whoever goes on.
                self.alarm.rang.store(true, Ordering::SeqCst);
                break;
            }
            return match self.step() {
                Poll::Pending => Stride::Taken,
                Poll::Ready(ended) => Stride::Ended(Box::new(ended)),
            };
        }
        Stride::There
    }

    /// Goes to the end.
    pub(super) async fn finish(mut self) -> Result<RunReport, StateError> {
        self.go(STEPS_MAX).await.expect("it went to its end")
    }

    async fn can_go(&self) {
        std::future::poll_fn(|context: &mut Context<'_>| {
            *self.alarm.driver.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(context.waker().clone());
            if self.alarm.rang.swap(false, Ordering::SeqCst) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    fn step(&mut self) -> Poll<Result<RunReport, StateError>> {
        let waker = Waker::from(Arc::clone(&self.alarm));
        self.work.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// Plays `script`, in which a process dies, for a death after the first step, after the second, and so on, until the
/// process ends before its death: then the script answers `false`.
pub(super) fn at_every_step<F: Future<Output = bool>>(script: impl Fn(World, usize) -> F) {
    for steps in 1.. {
        let mut died = false;
        super::stage::usual(async |world| died = script(world, steps).await);
        if !died {
            assert!(steps > 10, "the run ended after {steps} steps already");
            return;
        }
    }
}

/// Runs the sync in a process that is killed after so many steps; answers whether that was before the run had ended.
pub(super) async fn killed_after(world: &World, steps: usize) -> bool {
    let process = world.process();
    match Run::of(&process).go(steps).await {
        None => true,
        Some(ended) => {
            super::stage::books_balance(&ended.expect("the state works"));
            false
        }
    }
}

/// Runs the sync in a process whose machine loses power after so many steps; answers whether that was before the run
/// had ended.
pub(super) async fn power_cut_after(world: &World, steps: usize) -> bool {
    let mut disk = Disk::of(world);
    let process = world.process();
    let mut run = Run::of(&process);
    let mut ended = false;
    for _ in 0..steps {
        ended = run.go(1).await.is_some();
        if ended {
            break;
        }
        disk.watch(world);
    }
    drop(run);
    drop(process);
    disk.power_cut(world);
    !ended
}

/// Runs the sync in a process whose machine loses power as soon as `there` says so; what has left by then travels on.
pub(super) async fn power_cut_when(world: &World, mut there: impl FnMut() -> bool) {
    let mut disk = Disk::of(world);
    let process = world.process();
    let mut run = Run::of(&process);
    loop {
        match run.step_unless(&mut there).await {
            Stride::Taken => disk.watch(world),
            Stride::There => break,
            Stride::Ended(ended) => panic!("the power did not fail in time: {ended:#?}"),
        }
    }
    drop(run);
    drop(process);
    disk.power_cut(world);
}

/// Runs the sync in a process that is killed as soon as `there` says so; what has left by then travels on.
pub(super) async fn killed_when(world: &World, there: impl FnMut() -> bool) {
    let process = world.process();
    let ended = Run::of(&process).go_until(there).await;
    assert!(ended.is_none(), "it was not killed in time: {ended:#?}");
}

/// What a script says of a death happens when it says so, also where no answer will ever wake the process.
#[test]
fn a_process_dies_when_it_is_said_to() {
    for is_power in [false, true] {
        super::stage::usual(async |world| {
            super::stage::fill(&world, 3);
            super::stage::succeeds(&world).await;
            let never = Fault::new(FaultKind::Never).on(&[RouteKind::BulkUpdate]);
            world.network.emulator().add_fault(never);
            world.database.put(1, "B", 1);
            world.clear_log();
            let before = world.clock.elapsed();
            let there = || world.requests(RouteKind::BulkUpdate) > 0;
            if is_power {
                power_cut_when(&world, there).await;
            } else {
                killed_when(&world, there).await;
            }
            let took = world.clock.elapsed().saturating_sub(before);
            assert!(took < Duration::from_secs(1), "{took:?}");
        });
    }
}
