//! The cases, each a question with its figures.

pub(crate) mod changes;
pub(crate) mod first_load;
pub(crate) mod growth;
pub(crate) mod load;
pub(crate) mod log;
pub(crate) mod real_limit;
pub(crate) mod recovery;
pub(crate) mod start_up;
pub(crate) mod state;
pub(crate) mod sweep;
pub(crate) mod typical;
pub(crate) mod unchanged;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// A count of the only sync of a run's report.
pub(crate) fn count(report: &Value, name: &str) -> Result<u64> {
    number(report, &format!("/syncs/0/counts/{name}"))
}

/// The calls of the only sync of a run's report, or of a plan's.
pub(crate) fn calls(report: &Value) -> Result<u64> {
    number(report, "/syncs/0/calls")
}

fn number(report: &Value, place: &str) -> Result<u64> {
    let number = report.pointer(place).and_then(Value::as_u64);
    number.with_context(|| format!("a report says `{place}`: {report}"))
}

/// A benchmark of work that was not done would be worth nothing.
pub(crate) fn expect_count(report: &Value, name: &str, expected: u64) -> Result<()> {
    let found = count(report, name)?;
    ensure!(found == expected, "the run should have {expected} {name}, not {found}: {report}");
    Ok(())
}

/// The middle one of several measurements.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
