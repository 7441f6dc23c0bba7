//! Where things are, and running the project's tools.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Cargo's target folder, wherever it was moved to: this program lies in its `debug`.
pub(crate) fn target() -> Result<PathBuf> {
    let this_program = env::current_exe()?;
    let target = this_program.ancestors().nth(2).context("a program lies in target/PROFILE")?;
    Ok(target.to_owned())
}

/// The cargo that runs this chore.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    as_if_typed(command)
}

/// Takes away what cargo told this program of its own package: a build script that looks at such variables (ring's does)
/// would run again, and much be built again, each time a command is typed and not run from here.
pub(crate) fn as_if_typed(mut command: Command) -> Command {
    for (name, _) in env::vars_os() {
        let is_ours = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if is_ours {
            command.env_remove(name);
        }
    }
    command
}

/// Says what is run, runs it before everyone's eyes, and fails if it fails.
pub(crate) fn run(title: &str, command: &mut Command) -> Result<()> {
    println!("\n== {title}");
    let status = command
        .status()
        .with_context(|| format!("failed to start `{}`", command.get_program().display()))?;
    ensure!(status.success(), "{title}: {status}");
    Ok(())
}

/// Runs a command and returns what it printed.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let shown = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("failed to start `{shown}`"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{shown}` ended with {}: {}", output.status, said.trim());
    Ok(String::from_utf8(output.stdout)?)
}
