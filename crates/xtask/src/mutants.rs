//! `cargo x mutants`: which changes of the deciding code would no test notice? Boxed in time, as all of them take hours:
//! the order is by chance, so that what was reached is a sample.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};

use crate::project::{cargo, read, root, run};

/// Where `cargo mutants` keeps what it found.
const FOLDER: &str = "target/mutants";

/// Tries mutants of `sync-core` for so many minutes, and prints the score.
pub(crate) fn mutants(minutes: u32) -> Result<()> {
    ensure!(
        read(cargo().args(["mutants", "--version"])).is_ok(),
        "cargo-mutants is not installed: `cargo install cargo-mutants`"
    );
    // Ended from outside when its time is over; it writes down each mutant as soon as it is judged.
    let boxed = run(
        &format!("mutants of sync-core for {minutes} minutes"),
        Command::new("timeout")
            .current_dir(root())
            .args(["--signal=INT", "--kill-after=60", &format!("{minutes}m")])
            .args(["cargo", "mutants", "--package", "sync-core", "--output", FOLDER, "--shuffle"])
            .args(["--timeout", "120", "--colors", "never"])
            .args(["--", "--lib"]),
    );
    let found = |name: &str| -> Result<Vec<String>> {
        let path = root().join(FOLDER).join("mutants.out").join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("`{}`", path.display()))?;
        Ok(text.lines().map(str::to_owned).collect())
    };
    let (caught, missed) = (found("caught.txt")?, found("missed.txt")?);
    let (slow, unviable) = (found("timeout.txt")?, found("unviable.txt")?);
    ensure!(!caught.is_empty(), "no mutant was judged: {boxed:?}");
    println!("\nnot noticed by any test:");
    for mutant in &missed {
        println!("  {mutant}");
    }
    let judged = caught.len() + slow.len() + missed.len();
    println!(
        "{} of {judged} mutants were caught ({} of them by their time), {} do not compile",
        caught.len() + slow.len(),
        slow.len(),
        unviable.len()
    );
    Ok(())
}
