//! What a day costs in calls, by how much happens in it.

use std::path::Path;

use anyhow::Result;

use super::calls;
use crate::{
    figure::{Figure, Figures},
    stage::{Emulator, Mode, OPEN_GATE, Stage, run_json},
};

/// A run every quarter of an hour.
const RUNS: u64 = 96;
/// Rows of the table in the morning.
const ROWS: u64 = 5_000;
const CASE: &str = "API calls of a day of 96 runs";

/// What happens between two runs of a day.
struct Day {
    name: &'static str,
    /// Rows that change before every run.
    changed: u64,
    /// Rows that are added before every so many runs.
    added_every: Option<u64>,
}

const DAYS: [Day; 4] = [
    Day { name: "nothing happens", changed: 0, added_every: None },
    Day { name: "5 rows change before each run", changed: 5, added_every: None },
    Day {
        name: "5 rows change before each run, a row is added before every 8th",
        changed: 5,
        added_every: Some(8),
    },
    Day {
        name: "60 rows change and one is added before each run",
        changed: 60,
        added_every: Some(1),
    },
];

/// Lives through the days, each run a process of its own.
pub(crate) fn measure(product: &Path, figures: &mut Figures) -> Result<()> {
    let stage = Stage::set(product, ROWS)?;
    let emulator = Emulator::start(&stage, &["--rate-limit", "off"])?;
    let state = stage.folder().join("typical.db");
    let run = || {
        let mut run = stage.product(Mode::Cursor, &emulator, &state)?;
        run_json(run.env(OPEN_GATE.0, OPEN_GATE.1).arg("run"))
    };
    run()?;
    for day in DAYS {
        let mut made = 0;
        for at in 0..RUNS {
            happen(&stage, &day, at)?;
            made += calls(&run()?.1)?;
        }
        figures.add(Figure::gated(CASE, day.name, made as f64));
    }
    Ok(())
}

fn happen(stage: &Stage, day: &Day, at: u64) -> Result<()> {
    if day.changed > 0 {
        let first = 1 + at * day.changed % (ROWS - day.changed);
        stage.database.execute(&format!(
            "UPDATE people SET credit = credit + 0.01, updated_at = NOW(6) WHERE id BETWEEN {first} AND {}",
            first + day.changed - 1
        ))?;
    }
    if day.added_every.is_some_and(|every| at.is_multiple_of(every)) {
        stage.database.execute(
            "INSERT INTO people SELECT MAX(id) + 1, 'New', 'new@example.com', 'active', 1, '2000-01-01',
               '2026-01-01', NOW(6), NULL FROM people",
        )?;
    }
    Ok(())
}
