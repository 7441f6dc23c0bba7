//! `make bench`: builds the program as it is released, and measures it.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::project::{cargo, root, run, target};

/// The committed figures of the usual run, with which later ones are compared.
const USUAL: &str = "crates/bench/figures/usual.json";
/// The committed figures of a run over ten million rows.
const LARGE: &str = "crates/bench/figures/large.json";
/// Rows of the large run.
const LARGE_ROWS: &str = "10000000";
/// The pages that show figures.
const PAGES: [&str; 2] = ["docs/performance.md", "README.md"];

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Rows of the large table.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Fails where a ratio or a count became worse than the committed figures by more than 15 %.
    #[arg(long, conflicts_with_all = ["rows", "keep"])]
    check: bool,
    /// Only unchanged runs over ten million rows; a quarter of an hour, and 6 GB of disk.
    #[arg(long, conflicts_with = "rows")]
    large: bool,
    /// Makes the new figures the committed ones and writes them into the pages that show figures.
    #[arg(long, conflicts_with = "rows")]
    keep: bool,
    /// Measures nothing: writes the committed figures into the pages that show figures.
    #[arg(long, conflicts_with_all = ["rows", "check", "large", "keep"])]
    write_docs: bool,
    /// Only this case; may be repeated.
    #[arg(long, conflicts_with_all = ["check", "large", "keep"])]
    only: Vec<String>,
}

/// Builds and measures.
pub(crate) fn bench(arguments: &Arguments) -> Result<()> {
    run(
        "building the program and its harness as they are released",
        cargo().args(["build", "--release", "--locked"]).args([
            "--package",
            "mysql-smartsuite-sync",
            "--package",
            "bench",
        ]),
    )?;
    if arguments.write_docs {
        return write_docs();
    }
    let released = target()?.join("release");
    let committed = root().join(if arguments.large { LARGE } else { USUAL });
    let out = if arguments.keep { committed.clone() } else { output(arguments.large)? };
    let mut harness = std::process::Command::new(released.join("bench"));
    let typed = if arguments.large { "make bench LARGE=1" } else { "make bench" };
    harness.current_dir(root()).args(["measure", "--command", typed]);
    harness.arg("--product").arg(released.join("mysql-smartsuite-sync")).arg("--out").arg(&out);
    if arguments.large {
        harness.args(["--rows", LARGE_ROWS, "--only", "unchanged"]);
    } else {
        harness.args(["--rows", &arguments.rows.to_string()]);
    }
    for case in &arguments.only {
        harness.args(["--only", case]);
    }
    if arguments.check {
        harness.arg("--check").arg(&committed);
    }
    run("measuring", &mut harness)?;
    if arguments.keep { write_docs() } else { Ok(()) }
}

fn output(large: bool) -> Result<PathBuf> {
    let folder = target()?.join("bench");
    fs::create_dir_all(&folder).context("failed to make a folder for the figures")?;
    Ok(folder.join(if large { "large.json" } else { "usual.json" }))
}

fn write_docs() -> Result<()> {
    let mut harness = std::process::Command::new(target()?.join("release/bench"));
    harness.current_dir(root()).args(["write", "--figures", USUAL, "--large", LARGE]).args(PAGES);
    run("writing the figures into the pages", &mut harness)
}
