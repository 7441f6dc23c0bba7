//! The harness over a small table, so that it cannot rot between two real measurements.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

#[test]
fn a_small_table_is_measured_and_every_figure_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures.json");
    let measured = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args([
            "measure",
            "--rows",
            "2000",
            "--only",
            "unchanged",
            "--only",
            "changes",
            "--only",
            "log",
        ])
        .arg("--product")
        .arg(product().unwrap())
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&measured.stderr);
    assert!(measured.status.success(), "{said}");
    let figures: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let value = |case: &str, what: &str| {
        let figures = figures["figures"].as_array().unwrap();
        let found = figures.iter().find(|figure| figure["case"] == case && figure["what"] == what);
        found.unwrap_or_else(|| panic!("no `{what}` of `{case}`: {figures:#?}"))["value"].as_f64()
    };
    for mode in ["table", "query", "scattered"] {
        let case = format!("unchanged run, {mode} mode, 2000 rows");
        assert!(value(&case, "time beside `mariadb --quick`") > Some(0.0));
        assert!(value(&case, "most resident memory, MiB") > Some(1.0));
        assert_eq!(value(&case, "API calls"), Some(0.0));
    }
    let case = "incremental run, 2000 rows";
    for (changed, calls) in [(1, 1.0), (26, 2.0), (100, 4.0), (101, 5.0), (1_000, 40.0)] {
        assert_eq!(value(case, &format!("API calls for {changed} changed rows")), Some(calls));
    }
    let what = "API calls for 130 changed rows, far from each other";
    assert_eq!(value("full read, 2000 rows", what), Some(6.0));
    assert!(value("keys of a log of 2000 updates", "rows a second") > Some(0.0));
    let case = "following the log, 2000 rows changed";
    assert_eq!(value(case, "API calls, all in one transaction"), Some(0.0));
    let planned = value("plan", "difference of planned and made calls, four runs");
    assert_eq!(planned, Some(0.0));
    assert!(value("state", "MB for a million links") > Some(1.0));
    assert!(value("start-up", "`status`, milliseconds") > Some(0.0));
}

/// The program, which a run of all tests has built; else it is built now.
fn product() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_BIN_EXE_bench")).parent().context("a folder")?;
    let product = folder.join("mysql-smartsuite-sync");
    if !product.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--locked", "--package", "mysql-smartsuite-sync"]);
        ensure!(build.status()?.success(), "the program is built");
    }
    Ok(product)
}
