//! What a crash costs: a process is killed while a call of 25 creates is on its way, whose answer is lost.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use throwaway_server::wait_until;

use super::count;
use crate::{
    figure::Figure,
    stage::{Aside, Emulator, Mode, Stage, run_json},
};

/// One call's items.
const ROWS: u64 = 25;

/// How long the next run takes to find and link them, of which ninety seconds are waited for by design.
pub(crate) fn measure(stage: &Stage) -> Result<Vec<Figure>> {
    let emulator = Emulator::start(stage, &["--rate-limit", "off"])?;
    emulator.add_fault(&json!({"fault": "never", "when": "after", "route": "bulk_create"}))?;
    let state = stage.folder().join("recovery.db");
    let mode = Mode::First(ROWS);
    let killed = Aside::start(stage.product(mode, &emulator, &state)?.arg("run"))?;
    let sent = || Ok(!emulator.log("route=bulk_create")?.is_empty());
    ensure!(wait_until(Duration::from_mins(1), sent)?, "the first call left");
    drop(killed);
    let (cost, report) = run_json(stage.product(mode, &emulator, &state)?.arg("run"))?;
    let records = emulator.records()?;
    ensure!(records as u64 == ROWS, "{ROWS} records, not {records}: {report}");
    ensure!(count(&report, "adopted")? == ROWS, "all were found: {report}");
    let case = "crash recovery, 25 creates without an answer";
    Ok(vec![
        Figure::told(case, "seconds, 90 of them waited for", cost.seconds),
        Figure::at_most(case, "records too many", records as f64 - ROWS as f64, 0.0),
    ])
}
