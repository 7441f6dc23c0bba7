//! How the cost of runs grows with the table: of unchanged ones with its rows, of incremental ones not at all.

use std::path::Path;

use anyhow::Result;

use super::{changes, unchanged};
use crate::{
    figure::{Figure, Figures},
    links::Links,
    stage::{Emulator, Mode, Stage},
};

/// Tables that are measured beside the large one.
const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
/// What the figures belong to.
pub(crate) const CASE: &str = "growth of an unchanged run, table mode";

/// Measures tables smaller than the large one, each on a server of its own.
pub(crate) fn measure(product: &Path, rows: u64, figures: &mut Figures) -> Result<()> {
    for size in SIZES.into_iter().filter(|size| *size < rows) {
        let stage = Stage::set(product, size)?;
        let emulator = Emulator::start_with(&stage, &["--rate-limit", "off"], 1..=size)?;
        let links = Links::of(&stage, &emulator)?;
        let (state, _) = links.state(&stage, &emulator, Mode::Table)?;
        let found = unchanged::measured(&stage, &emulator, Mode::Table, &state, size)?;
        figures.add(Figure::told(CASE, &format!("seconds for {size} rows"), found.seconds));
        figures.add(Figure::told(CASE, &format!("MiB for {size} rows"), found.resident_mib));
        let seconds = changes::timed(&stage, &emulator, &links, size)?;
        let what = format!("seconds of an incremental run, 100 of {size} rows changed");
        figures.add(Figure::told(CASE, &what, seconds));
    }
    Ok(())
}
