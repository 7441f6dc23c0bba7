//! One round: start the program, perhaps two of it, and kill it at a chosen moment.

use std::{
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use rand::{Rng as _, rngs::SmallRng};
use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate};

use super::{RUN, Stage, Tally};

/// A program that is not to be met at its chosen moment is killed after this.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often one looks whether the moment has come.
const GLANCE: Duration = Duration::from_millis(5);

/// What a kill left behind.
#[derive(Clone, Copy)]
pub(super) struct Kill {
    /// Entries that were being sent.
    pub(super) sending: i64,
    /// Creates in doubt.
    pub(super) in_doubt: i64,
}

/// When the program is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after it was started, whatever it does.
    After(Duration),
    /// So long after so many writes have arrived.
    Writes(usize, Duration),
    /// So long after a create came into doubt.
    Doubt(Duration),
}

impl Moment {
    fn choose(chance: &mut SmallRng) -> Self {
        let millis =
            |chance: &mut SmallRng, most| Duration::from_millis(chance.random_range(0..most));
        match chance.random_range(0..3) {
            0 => Self::After(millis(chance, 1_500)),
            1 => Self::Writes(chance.random_range(1..15), millis(chance, 40)),
            _ => Self::Doubt(millis(chance, 700)),
        }
    }

    fn has_come(self, stage: &Stage, started: Instant) -> Option<Duration> {
        match self {
            Self::After(wait) => Some(wait.saturating_sub(started.elapsed())),
            Self::Writes(count, wait) => (writes(stage) >= count).then_some(wait),
            Self::Doubt(wait) => (standing(stage).in_doubt > 0).then_some(wait),
        }
    }
}

/// Kills what was started, once or twice; one that ends by itself is started again in the next round.
pub(super) fn one_round(stage: &Stage, chance: &mut SmallRng, tally: &mut Tally) {
    stage.smartsuite.with(smartsuite_emulator::Emulator::clear_log);
    let mut first = start(stage);
    let rival = chance.random_bool(0.25).then(|| {
        sleep(Duration::from_millis(chance.random_range(0..300)));
        tally.rivals += 1;
        start(stage)
    });
    let moment = Moment::choose(chance);
    let killed = await_and_kill(stage, &mut first, moment);
    if let Some(mut rival) = rival {
        // It may have found the sync busy, or have taken it over in the meantime.
        let later = Moment::After(Duration::from_millis(chance.random_range(0..500)));
        match (killed, await_and_kill(stage, &mut rival, later)) {
            (_, Some(kill)) | (Some(kill), None) => tally.count(kill),
            (None, None) => tally.finished += 1,
        }
        return;
    }
    match killed {
        Some(kill) => tally.count(kill),
        None => tally.finished += 1,
    }
}

fn start(stage: &Stage) -> Child {
    let mut command = stage.program(&RUN);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.spawn().unwrap()
}

/// Kills the program when the moment has come; `None` if it ended by itself before.
fn await_and_kill(stage: &Stage, child: &mut Child, moment: Moment) -> Option<Kill> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        if let Some(wait) = moment.has_come(stage, started) {
            sleep(wait);
            break;
        }
        sleep(GLANCE);
    }
    if child.try_wait().unwrap().is_some() {
        return None;
    }
    let at = started.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    let kill = standing(stage);
    let Kill { sending, in_doubt } = kill;
    println!("chaos: killed at {at:.2?}, {moment:?}: {sending} being sent, {in_doubt} in doubt");
    Some(kill)
}

fn writes(stage: &Stage) -> usize {
    stage.smartsuite.with(|emulator| {
        emulator.log().filter(|entry| matches!(entry.route, BulkCreate | BulkUpdate)).count()
    })
}

/// What the state says is under way.
fn standing(stage: &Stage) -> Kill {
    let count = || -> rusqlite::Result<(i64, i64)> {
        let connection = rusqlite::Connection::open(stage.state())?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.query_row(
            "SELECT count(*) FILTER (WHERE doubt = 0), count(*) FILTER (WHERE doubt = 1) FROM outbox WHERE state = 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    };
    // Before the first start there is no table yet.
    let (sending, in_doubt) = count().unwrap_or((0, 0));
    Kill { sending, in_doubt }
}
