//! A first load under the service's limit, in real time: how much of the allowed rate is used, and whether a call is ever
//! refused for it.

use std::time::Duration;

use anyhow::{Result, ensure};
use throwaway_server::wait_until;

use crate::{
    figure::Figure,
    process::stopwatch,
    stage::{Aside, Emulator, Mode, Stage},
};

/// How long the load is watched, in seconds.
const MINUTE: f64 = 60.0;
/// Rows that wait to be loaded: more than a minute takes.
const ROWS: u64 = 20_000;
/// Calls of a second, by default.
const RATE: f64 = 4.0;
/// Items of a call.
const ITEMS: f64 = 25.0;

/// Loads for a minute, the emulator's second shifted and its counting jittered.
pub(crate) fn measure(stage: &Stage) -> Result<Vec<Figure>> {
    let case = "first load under the limit, one minute";
    let emulator =
        Emulator::start(stage, &["--set", "second_shift_ms=370", "--set", "second_jitter_ms=120"])?;
    let state = stage.folder().join("real_limit.db");
    let load = Aside::start(stage.product(Mode::First(ROWS), &emulator, &state)?.arg("run"))?;
    // The minute begins when calls are under way, behind what a first run asks before.
    let began = wait_until(Duration::from_mins(1), || Ok(records(&emulator)? >= 4.0 * ITEMS))?;
    ensure!(began, "the load began");
    let (before, passed) = (records(&emulator)?, stopwatch());
    wait_until(Duration::from_mins(2), || Ok(passed() >= MINUTE))?;
    let (after, passed) = (records(&emulator)?, passed());
    drop(load);
    let used = (after - before) / (passed * RATE * ITEMS);
    let refused = emulator.log("status=429")?.len();
    Ok(vec![
        Figure::at_least(case, "share of 4 calls a second of 25 records", used, 0.98),
        Figure::at_most(case, "calls refused with 429", refused as f64, 0.0),
    ])
}

/// Records that the emulator has made.
fn records(emulator: &Emulator) -> Result<f64> {
    let log = emulator.log("route=bulk_create&status=200")?;
    Ok(log.iter().filter_map(|entry| entry.get("items")?.as_f64()).sum())
}
