//! Waiting for something that another process does.

use std::thread;
use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(20);

/// Asks `condition` every 20 ms until it holds, at least once and for about `limit`, in which
/// the time that asking takes counts. Returns whether it held; the first error ends the wait.
#[expect(clippy::disallowed_methods, reason = "another process has no clock to inject")]
pub fn wait_until(
    limit: Duration,
    mut condition: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<bool> {
    let began = Instant::now();
    loop {
        if condition()? {
            return Ok(true);
        }
        if began.elapsed() >= limit {
            return Ok(false);
        }
        thread::sleep(STEP);
    }
}
