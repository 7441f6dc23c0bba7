//! A sweep: the keys of every row, to find those that are gone.

use std::fs;

use anyhow::{Result, ensure};

use super::{calls, median};
use crate::{
    figure::{Figure, Figures},
    links::Links,
    stage::{Emulator, KEYS, Mode, Stage, run_json},
};

/// Sweeps, to find their usual time.
const ROUNDS: usize = 3;
/// The most resident memory, in MiB.
const MEMORY_MAX: f64 = 64.0;

/// Measures runs that change nothing and sweep, over a state that knows every row.
pub(crate) fn measure(
    stage: &Stage,
    emulator: &Emulator,
    links: &Links,
    rows: u64,
    figures: &mut Figures,
) -> Result<()> {
    let (state, _) = links.state(stage, emulator, Mode::Sweep)?;
    let case = format!("sweep of 10000000 keys, {rows} records");
    let (mut seconds, mut memory, mut yardsticks) = (Vec::new(), 0.0_f64, Vec::new());
    // The first run reads everything and makes the cursor.
    for round in 0..=ROUNDS {
        let yardstick = stage.yardstick_of(KEYS)?;
        let (cost, report) = run_json(stage.product(Mode::Sweep, emulator, &state)?.arg("run"))?;
        if round > 0 {
            ensure!(calls(&report)? == 0, "a sweep makes no call: {report}");
            yardsticks.push(yardstick.seconds);
            seconds.push(cost.seconds);
            memory = memory.max(cost.resident_mib);
        }
    }
    let (seconds, yardstick) = (median(seconds), median(yardsticks));
    figures.add(Figure::told(&case, "seconds", seconds));
    figures.add(Figure::gated(
        &case,
        "time beside `mariadb --quick` of the keys",
        seconds / yardstick,
    ));
    figures.add(Figure::at_most(&case, "most resident memory, MiB", memory, MEMORY_MAX));
    fs::remove_file(&state)?;
    Ok(())
}
