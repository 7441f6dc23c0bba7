//! Runs that find a few changed rows among many, and what n changes cost.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Result, ensure};

use super::{calls, expect_count, median};
use crate::{
    figure::{Figure, Figures},
    links::Links,
    stage::{Emulator, Mode, OPEN_GATE, Stage, run_json},
};

/// Changed rows of the runs whose calls are counted, and the calls they should cost.
const CHANGED: [(u64, u64); 6] = [(1, 1), (26, 2), (100, 4), (101, 5), (1_000, 40), (5_000, 200)];
/// Changed rows that a full read finds, and the calls they should cost.
const SCATTERED: (u64, u64) = (130, 6);
/// Rows that are added before the last planned run.
const ADDED: u64 = 30;
/// Changed rows of the runs whose time is taken.
const TIMED: u64 = 100;
/// Such runs, to find their usual time.
const ROUNDS: u64 = 5;

/// Measures incremental runs over a state that knows every row.
pub(crate) fn measure(
    stage: &Stage,
    links: &Links,
    rows: u64,
    figures: &mut Figures,
) -> Result<()> {
    let case = format!("incremental run, {rows} rows");
    let counted = CHANGED.into_iter().filter(|(changed, _)| changed * 2 <= rows);
    let rounds: Vec<(u64, Option<u64>)> = (0..ROUNDS)
        .map(|_| (TIMED, None))
        .chain(counted.map(|(changed, expected)| (changed, Some(expected))))
        .collect();
    let mut touched: BTreeSet<u64> =
        (0..).zip(&rounds).flat_map(|(round, (changed, _))| keys(rows, *changed, round)).collect();
    touched.extend(keys(rows, SCATTERED.0, 0));
    let emulator = Emulator::start_with(stage, &["--rate-limit", "off"], touched)?;
    scattered(stage, &emulator, links, rows, figures)?;
    let (state, _) = links.state(stage, &emulator, Mode::Cursor)?;
    // The first run reads everything and makes the cursor.
    run(stage, &emulator, &state, 0)?;
    let mut seconds = Vec::new();
    for (round, (changed, expected)) in (0..).zip(rounds) {
        touch(stage, keys(rows, changed, round))?;
        let (taken, made) = run(stage, &emulator, &state, changed)?;
        match expected {
            None => seconds.push(taken),
            Some(expected) => {
                let what = format!("API calls for {changed} changed rows");
                figures.add(Figure::at_most(&case, &what, made as f64, expected as f64));
            }
        }
    }
    let what = format!("seconds for {TIMED} changed rows");
    figures.add(Figure::told(&case, &what, median(seconds)));
    figures.add(Figure::at_most(
        "plan",
        "difference of planned and made calls, four runs",
        planned(stage, &emulator, &state, rows)?,
        0.0,
    ));
    Ok(())
}

/// Seconds of runs that find [`TIMED`] changed rows, the middle of some; the emulator holds the records of every row.
pub(crate) fn timed(stage: &Stage, emulator: &Emulator, links: &Links, rows: u64) -> Result<f64> {
    let (state, _) = links.state(stage, emulator, Mode::Cursor)?;
    run(stage, emulator, &state, 0)?;
    let mut seconds = Vec::new();
    for round in 0..ROUNDS {
        touch(stage, keys(rows, TIMED, round))?;
        seconds.push(run(stage, emulator, &state, TIMED)?.0);
    }
    Ok(median(seconds))
}

/// A full read of a table in which a few rows changed, far from each other; then they change back.
fn scattered(
    stage: &Stage,
    emulator: &Emulator,
    links: &Links,
    rows: u64,
    figures: &mut Figures,
) -> Result<()> {
    let (changed, expected) = SCATTERED;
    let (state, _) = links.state(stage, emulator, Mode::Table)?;
    // The first run asks for the table's structure.
    run_of(Mode::Table, stage, emulator, &state, &[("unchanged", rows)])?;
    let mut most = 0;
    for change in ["credit + 0.01", "credit - 0.01"] {
        stage.database.execute(&format!(
            "UPDATE people SET credit = {change} WHERE id IN ({})",
            listed(keys(rows, changed, 0))
        ))?;
        most = run_of(Mode::Table, stage, emulator, &state, &[("updated", changed)])?.1.max(most);
    }
    let case = format!("full read, {rows} rows");
    let what = format!("API calls for {changed} changed rows, far from each other");
    figures.add(Figure::at_most(&case, &what, most as f64, expected as f64));
    fs::remove_file(&state)?;
    Ok(())
}

fn run(stage: &Stage, emulator: &Emulator, state: &Path, updated: u64) -> Result<(f64, u64)> {
    run_of(Mode::Cursor, stage, emulator, state, &[("updated", updated)])
}

/// Seconds and calls of a run with these counts. What it says of its calls must be what arrived.
fn run_of(
    mode: Mode,
    stage: &Stage,
    emulator: &Emulator,
    state: &Path,
    counts: &[(&str, u64)],
) -> Result<(f64, u64)> {
    let before = emulator.log("")?.len();
    let mut run = stage.product(mode, emulator, state)?;
    let (cost, report) = run_json(run.env(OPEN_GATE.0, OPEN_GATE.1).arg("run"))?;
    counts.iter().try_for_each(|(name, count)| expect_count(&report, name, *count))?;
    let (made, arrived) = (calls(&report)?, emulator.log("")?.len() - before);
    ensure!(made == arrived as u64, "{arrived} calls arrived: {report}");
    Ok((cost.seconds, made))
}

fn touch(stage: &Stage, keys: impl Iterator<Item = u64>) -> Result<()> {
    stage.database.execute(&format!(
        "UPDATE people SET credit = credit + 0.01, updated_at = NOW(6) WHERE id IN ({})",
        listed(keys)
    ))
}

fn listed(keys: impl Iterator<Item = u64>) -> String {
    keys.map(|key| key.to_string()).collect::<Vec<_>>().join(",")
}

/// Keys of rows that are scattered over the table, others in each round.
fn keys(rows: u64, changed: u64, round: u64) -> impl Iterator<Item = u64> {
    let step = rows / changed;
    (0..changed).map(move |at| 1 + (at * step + round) % rows)
}

/// Plans a run and makes it, for none, some and many changes and for rows that are new; answers how far the calls were
/// off, added up.
fn planned(stage: &Stage, emulator: &Emulator, state: &Path, rows: u64) -> Result<f64> {
    let mut off = 0;
    for (changed, added) in [(0, 0), (1, 0), (TIMED, 0), (0, ADDED)] {
        if changed > 0 {
            touch(stage, keys(rows, changed, 0))?;
        }
        stage.database.execute(&format!(
            "INSERT INTO people SELECT {rows} + seq, 'New', 'new@example.com', 'active', 1, '2000-01-01',
               '2026-01-01', NOW(6), NULL FROM seq_1_to_{ADDED} WHERE seq <= {added}"
        ))?;
        let (_, plan) = run_json(stage.product(Mode::Cursor, emulator, state)?.arg("plan"))?;
        let counts = [("updated", changed), ("created", added)];
        let (_, made) = run_of(Mode::Cursor, stage, emulator, state, &counts)?;
        off += calls(&plan)?.abs_diff(made);
    }
    Ok(off as f64)
}
