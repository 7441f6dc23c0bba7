//! The state file and the emulator by themselves: sizes, and the times of their usual work.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::median;
use crate::{
    figure::{Figure, Figures},
    process::elapsed,
    stage::{Emulator, TABLE},
};

const ROUNDS: usize = 40;
/// Megabytes for a million links.
const SIZE_MAX: f64 = 64.0;
/// Fewer links than this say little of a million: pages are half full, and the tables cost too.
const ROWS_MIN: u64 = 100_000;

/// The size of a state that knows every row, and what reading it from text took.
pub(crate) fn size(state: &Path, seconds: f64, rows: u64, figures: &mut Figures) -> Result<()> {
    let bytes = fs::metadata(state)?.len();
    let what = "MB for a million links";
    let megabytes = bytes as f64 / rows as f64;
    figures.add(if rows < ROWS_MIN {
        Figure::told("state", what, megabytes)
    } else {
        Figure::at_most("state", what, megabytes, SIZE_MAX)
    });
    figures.add(Figure::told("state", "links a second, `state import`", rows as f64 / seconds));
    Ok(())
}

/// What the emulator takes for a call while it holds so many records.
pub(crate) fn emulator(emulator: &Emulator, records: u64, figures: &mut Figures) -> Result<()> {
    let case = format!("emulator, {records} records");
    let path = format!("/api/v1/applications/{TABLE}/records/");
    let ids = |round: usize| (0..25).map(move |n| format!("bench-{}", round * 25 + n));
    let created = |round| {
        let items = ids(round).map(|id| json!({"title": "x", "skey000001": id}));
        json!({"items": items.collect::<Vec<_>>()})
    };
    let looked_up = |round| {
        let clauses =
            ids(round).map(|id| json!({"field": "skey000001", "comparison": "is", "value": id}));
        let filter = json!({"operator": "or", "fields": clauses.collect::<Vec<_>>()});
        json!({"filter": filter, "sort": []})
    };
    let mut time = |what: &str, path: &str, body: &dyn Fn(usize) -> Value| -> Result<()> {
        let mut milliseconds = Vec::new();
        for round in 0..ROUNDS {
            let (passed, answer) = elapsed(|| emulator.call("POST", path, &body(round)));
            let records = found(&answer?);
            ensure!(records == Some(25), "25 records are answered, not {records:?}");
            milliseconds.push(passed * 1_000.0);
        }
        figures.add(Figure::told(&case, what, median(milliseconds)));
        Ok(())
    };
    time("bulk create of 25, milliseconds", &format!("{path}bulk/"), &created)?;
    time("look-up of 25, milliseconds", &format!("{path}list/?limit=100"), &looked_up)
}

/// Records of an answer, which is a list of them or holds one.
fn found(answer: &Value) -> Option<usize> {
    answer.get("items").unwrap_or(answer).as_array().map(Vec::len)
}
