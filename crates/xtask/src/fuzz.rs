//! Fuzzing: `fuzz/` built with instruments, fed from the inputs that the tests replay.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};

use crate::project::{cargo, read, root, run};

/// Fuzzes one target, or each in turn, for a time in seconds.
pub(crate) fn fuzz(target: Option<&str>, seconds: u64) -> Result<()> {
    ensure!(
        read(cargo().args(["fuzz", "--version"])).is_ok(),
        "cargo-fuzz is not installed: `cargo install cargo-fuzz`"
    );
    let known = targets()?;
    let chosen = match target {
        None => known,
        Some(target) if known.iter().any(|name| name == target) => vec![target.to_owned()],
        Some(target) => bail!("there is no target `{target}`; there are: {}", known.join(", ")),
    };
    for target in chosen {
        // New inputs are the fuzzer's own business, in a folder that git ignores; what is worth keeping is copied by hand.
        let grown = format!("corpus/{target}");
        fs::create_dir_all(root().join("fuzz").join(&grown))?;
        run(
            &format!("fuzzing {target} for {seconds} s"),
            cargo()
                .current_dir(root().join("fuzz"))
                // Instruments are behind a flag that stable compilers know but do not take.
                .env("RUSTC_BOOTSTRAP", "1")
                .args(["fuzz", "run", "--fuzz-dir", ".", &target, &grown])
                .arg(format!("../crates/fuzz-targets/corpus/{target}"))
                .args(["--", "-timeout=10", "-rss_limit_mb=2048"])
                .arg(format!("-max_total_time={seconds}")),
        )?;
    }
    Ok(())
}

/// The names of all targets.
fn targets() -> Result<Vec<String>> {
    let folder = root().join("crates/fuzz-targets/corpus");
    let entries = fs::read_dir(&folder).with_context(|| format!("`{}`", folder.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}
