//! `make chaos`: the real program killed again and again, for longer than `make test` does.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::{project::cargo, project::run, servers::Servers};

/// Kills the program so often, at moments that the seed chooses, and then lets everything go wrong for so many minutes
/// while it follows the log of each server; without a seed, a new one.
pub(crate) fn chaos(kills: u32, minutes: u64, seed: Option<u64>) -> Result<()> {
    let servers = Servers::start()?;
    let seed = seed.unwrap_or_else(new_seed);
    println!(
        "seed {seed}: `cargo x chaos --kills {kills} --minutes {minutes} --seed {seed}` chooses the same again"
    );
    let tell = |name: &str, stories: &str| {
        let mut tests = cargo();
        tests
            .args(["test", "--package", "mysql-smartsuite-sync", "--test", "it", "--locked"])
            .args([stories, "--", "--nocapture"])
            .envs(servers.environment())
            .env("SYNC_CHAOS_KILLS", kills.to_string())
            .env("SYNC_CHAOS_SECONDS", (minutes * 60).to_string())
            .env("SYNC_CHAOS_SEED", seed.to_string());
        run(name, &mut tests)
    };
    let mut done = Ok(());
    if kills > 0 {
        done = tell("chaos", "chaos::kills_at_any_moment");
    }
    if minutes > 0 && done.is_ok() {
        done = tell("chaos while the binlog is followed", "binlog_chaos::");
    }
    servers.stop();
    done
}

#[expect(clippy::disallowed_methods, reason = "a seed that nobody has to think of")]
fn new_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
