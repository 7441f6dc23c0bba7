//! A full read of rows that are all known and unchanged: no call, and how long beside the client that only reads them.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{calls, expect_count, median};
use crate::{
    figure::{Figure, Figures},
    stage::{Emulator, Mode, Stage, run_json},
};

/// Rounds, in each of which the yardstick goes first and the product after it.
const ROUNDS: usize = 5;
/// The same for tables of more than [`Stage::USUAL_ROWS_MAX`] rows.
const ROUNDS_LARGE: usize = 3;
/// The most resident memory, in MiB.
const MEMORY_MAX: f64 = 64.0;

/// What unchanged runs took.
pub(crate) struct Unchanged {
    /// Seconds of the product, of its processor time, and of the yardstick: the middle of the rounds.
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    /// Of these, the ones of the thread that compares rows with the state.
    pub(crate) compare_seconds: f64,
    pub(crate) yardstick: f64,
    /// The middle of each round's ratio of the first to the last.
    pub(crate) ratio: f64,
    pub(crate) resident_mib: f64,
    /// The most calls that a round made, by the emulator's log.
    pub(crate) calls: usize,
}

/// Measures one mode over a state that knows every row.
pub(crate) fn measured(
    stage: &Stage,
    emulator: &Emulator,
    mode: Mode,
    state: &Path,
    rows: u64,
) -> Result<Unchanged> {
    let rounds = if rows > Stage::USUAL_ROWS_MAX { ROUNDS_LARGE } else { ROUNDS };
    let (mut ratios, mut seconds, mut memory) = (Vec::new(), Vec::new(), 0.0_f64);
    let (mut cpu, mut compare, mut yardsticks) = (Vec::new(), Vec::new(), Vec::new());
    let mut most_calls = 0;
    // The first round asks for the table's structure and warms the server's memory up: it is not counted.
    for round in 0..=rounds {
        let yardstick = stage.yardstick(mode)?;
        let before = emulator.log("")?.len();
        let mut run = stage.product(mode, emulator, state)?;
        let (cost, report) = run_json(run.args(["run", "--full"]))?;
        expect_count(&report, "read", rows)?;
        expect_count(&report, "unchanged", rows)?;
        if round > 0 {
            let arrived = emulator.log("")?.len() - before;
            ensure!(calls(&report)? == arrived as u64, "{arrived} calls arrived: {report}");
            most_calls = most_calls.max(arrived);
            ratios.push(cost.seconds / yardstick.seconds);
            seconds.push(cost.seconds);
            cpu.push(cost.cpu_seconds);
            compare.push(cost.state_seconds);
            yardsticks.push(yardstick.seconds);
        }
        memory = memory.max(cost.resident_mib);
    }
    Ok(Unchanged {
        seconds: median(seconds),
        cpu_seconds: median(cpu),
        compare_seconds: median(compare),
        yardstick: median(yardsticks),
        ratio: median(ratios),
        resident_mib: memory,
        calls: most_calls,
    })
}

/// The figures of one mode.
pub(crate) fn measure(
    stage: &Stage,
    emulator: &Emulator,
    mode: Mode,
    state: &Path,
    rows: u64,
    figures: &mut Figures,
) -> Result<()> {
    let case = format!("unchanged run, {} mode, {rows} rows", mode.word());
    let found = measured(stage, emulator, mode, state, rows)?;
    let goal = if mode == Mode::Table { 1.5 } else { 2.5 };
    figures.add(Figure::at_most(&case, "time beside `mariadb --quick`", found.ratio, goal));
    figures.add(Figure::told(&case, "`mariadb --quick`, seconds", found.yardstick));
    figures.add(Figure::told(&case, "seconds", found.seconds));
    figures.add(Figure::told(&case, "seconds of a core", found.cpu_seconds));
    figures.add(Figure::told(
        &case,
        "compare with the state, microseconds of a core for a row",
        found.compare_seconds / rows as f64 * 1e6,
    ));
    figures.add(Figure::at_most(
        &case,
        "most resident memory, MiB",
        found.resident_mib,
        MEMORY_MAX,
    ));
    figures.add(Figure::at_most(&case, "API calls", found.calls as f64, 0.0));
    Ok(())
}
