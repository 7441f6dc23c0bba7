//! How the cost of an unchanged run grows with the table.

use std::path::Path;

use anyhow::Result;

use super::unchanged;
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
        let emulator = Emulator::start(&stage, &[])?;
        let (state, _) = Links::of(&stage, &emulator)?.state(&stage, &emulator, Mode::Table)?;
        let found = unchanged::measured(&stage, &emulator, Mode::Table, &state, size)?;
        figures.add(Figure::told(CASE, &format!("seconds for {size} rows"), found.seconds));
        figures.add(Figure::told(CASE, &format!("MiB for {size} rows"), found.resident_mib));
    }
    Ok(())
}
