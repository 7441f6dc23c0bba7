//! Runs that find a few changed rows among many, and what n changes cost.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{calls, expect_count, median};
use crate::{
    figure::{Figure, Figures},
    links::Links,
    stage::{Emulator, Mode, OPEN_GATE, Stage, run_json},
};

/// Changed rows of the runs whose calls are counted, and the calls they should cost.
const CHANGED: [(u64, u64); 4] = [(1, 1), (100, 4), (1_000, 40), (5_000, 200)];
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
    let touched: BTreeSet<u64> =
        (0..).zip(&rounds).flat_map(|(round, (changed, _))| keys(rows, *changed, round)).collect();
    let emulator = Emulator::start_with(stage, &["--rate-limit", "off"], touched)?;
    let (state, _) = links.state(stage, &emulator, Mode::Cursor)?;
    // The first run reads everything and makes the cursor.
    run(stage, &emulator, &state, 0)?;
    let mut seconds = Vec::new();
    for (round, (changed, expected)) in (0..).zip(rounds) {
        stage.database.execute(&format!(
            "UPDATE people SET credit = credit + 0.01, updated_at = NOW(6) WHERE id IN ({})",
            keys(rows, changed, round).map(|key| key.to_string()).collect::<Vec<_>>().join(",")
        ))?;
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
        "difference of planned and made calls, three runs",
        planned(stage, &emulator, &state, rows)?,
        0.0,
    ));
    Ok(())
}

fn run(stage: &Stage, emulator: &Emulator, state: &Path, updated: u64) -> Result<(f64, u64)> {
    let mut run = stage.product(Mode::Cursor, emulator, state)?;
    let (cost, report) = run_json(run.env(OPEN_GATE.0, OPEN_GATE.1).arg("run"))?;
    expect_count(&report, "updated", updated)?;
    Ok((cost.seconds, calls(&report)))
}

/// Keys of rows that are scattered over the table, others in each round.
fn keys(rows: u64, changed: u64, round: u64) -> impl Iterator<Item = u64> {
    let step = rows / changed;
    (0..changed).map(move |at| 1 + (at * step + round) % rows)
}

/// Plans a run and makes it, for none, some and many changes; answers how far the calls were off, added up.
fn planned(stage: &Stage, emulator: &Emulator, state: &Path, rows: u64) -> Result<f64> {
    let mut off = 0;
    for changed in [0, 1, TIMED] {
        if changed > 0 {
            let list = keys(rows, changed, 0).map(|key| key.to_string()).collect::<Vec<_>>();
            stage.database.execute(&format!(
                "UPDATE people SET credit = credit + 0.01, updated_at = NOW(6) WHERE id IN ({})",
                list.join(",")
            ))?;
        }
        let (_, plan) = run_json(stage.product(Mode::Cursor, emulator, state)?.arg("plan"))?;
        let planned = plan.pointer("/syncs/0/calls").and_then(Value::as_u64);
        let planned = planned.with_context(|| format!("a plan says its calls: {plan}"))?;
        let (_, made) = run(stage, emulator, state, changed)?;
        off += planned.abs_diff(made);
    }
    Ok(off as f64)
}
