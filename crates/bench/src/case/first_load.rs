//! A first load with the gate open: what program and emulator can do when nothing holds them back.

use anyhow::Result;
use serde_json::json;

use super::{expect_count, state};
use crate::{
    figure::{Figure, Figures},
    process::cpu_seconds,
    stage::{Emulator, Mode, OPEN_GATE, Stage, run_json},
};

/// Rows that are loaded.
const ROWS: u64 = 100_000;
/// Records a second.
const RATE: f64 = 20_000.0;
/// Rows of the load whose answers come late, and how late, in milliseconds.
const LATE_ROWS: u64 = 2_500;
const LATE_MS: i64 = 200;

/// Loads a table of [`ROWS`] rows, or of all there are.
pub(crate) fn measure(stage: &Stage, rows: u64, figures: &mut Figures) -> Result<()> {
    let rows = rows.min(ROWS);
    let case = format!("first load, gate open, {rows} rows");
    let emulator = Emulator::start(stage, &["--rate-limit", "off"])?;
    let before = cpu_seconds(emulator.id()).unwrap_or_default();
    let state_file = stage.folder().join("first_load.db");
    let mut run = stage.product(Mode::First(rows), &emulator, &state_file)?;
    let (cost, report) = run_json(run.env(OPEN_GATE.0, OPEN_GATE.1).arg("run"))?;
    expect_count(&report, "created", rows)?;
    let emulated = cpu_seconds(emulator.id()).unwrap_or_default() - before;
    let per_record = |seconds: f64| seconds / rows as f64 * 1e6;
    let rate = Figure::at_least(&case, "records a second", rows as f64 / cost.seconds, RATE);
    figures.add(rate.by_its_goal());
    figures.add(Figure::told(
        &case,
        "program, microseconds of a core for a record",
        per_record(cost.cpu_seconds),
    ));
    figures.add(Figure::told(
        &case,
        "emulator, microseconds of a core for a record",
        per_record(emulated),
    ));
    figures.add(Figure::gated(
        &case,
        "program's time of a core beside the emulator's",
        cost.cpu_seconds / emulated,
    ));
    figures.add(Figure::at_most(&case, "most resident memory, MiB", cost.resident_mib, 64.0));
    let case = format!("first load, gate open, {LATE_ROWS} rows, answers {LATE_MS} ms late");
    figures.add(Figure::at_least(
        &case,
        "bulk calls in flight, most",
        in_flight(stage)? as f64,
        4.0,
    ));
    state::emulator(&emulator, rows, figures)
}

/// The most calls that were on their way at once while every answer came late.
fn in_flight(stage: &Stage) -> Result<usize> {
    let emulator = Emulator::start(stage, &["--rate-limit", "off"])?;
    emulator.add_fault(&json!({
        "fault": {"delay_ms": LATE_MS}, "when": "after", "route": "bulk_create", "times": null
    }))?;
    let state = stage.folder().join("late.db");
    let mut run = stage.product(Mode::First(LATE_ROWS), &emulator, &state)?;
    run_json(run.env(OPEN_GATE.0, OPEN_GATE.1).arg("run"))?;
    let arrivals = emulator.arrivals("route=bulk_create")?;
    let open_at = |moment: i64| {
        let open = moment - LATE_MS + 1..=moment;
        arrivals.iter().filter(|at| open.contains(at)).count()
    };
    Ok(arrivals.iter().map(|at| open_at(*at)).max().unwrap_or_default())
}
