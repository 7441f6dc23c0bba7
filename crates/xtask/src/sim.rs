//! `cargo x sim`: the simulator, built so that it is quick.

use std::ffi::OsString;

use anyhow::{Result, ensure};

use crate::project;

/// Builds the simulator and runs it with these arguments.
pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    let status = project::cargo()
        .args(["run", "--quiet", "--locked", "--profile", "sim", "--package", "sync-sim", "--"])
        .args(arguments)
        .status()?;
    ensure!(status.success(), "a world went wrong, or was not caught");
    Ok(())
}
