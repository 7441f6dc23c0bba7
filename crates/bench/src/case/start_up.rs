//! What it takes to begin at all.

use std::path::Path;

use anyhow::Result;

use super::median;
use crate::{
    figure::{Figure, Figures},
    process::measured,
    stage::{Emulator, Mode, Stage},
};

const ROUNDS: usize = 11;

/// Measures commands that do next to nothing, over a state that knows every row.
pub(crate) fn measure(
    stage: &Stage,
    emulator: &Emulator,
    state: &Path,
    figures: &mut Figures,
) -> Result<()> {
    // The last one opens the state and finds little in it.
    for arguments in [&["--version"][..], &["validate"], &["status"], &["quarantine", "list"]] {
        let milliseconds = (0..ROUNDS)
            .map(|_| {
                let mut command = stage.product(Mode::Table, emulator, state)?;
                Ok(measured(command.args(arguments))?.seconds * 1_000.0)
            })
            .collect::<Result<Vec<f64>>>()?;
        let what = format!("`{}`, milliseconds", arguments.join(" "));
        figures.add(Figure::told("start-up", &what, median(milliseconds)));
    }
    Ok(())
}
