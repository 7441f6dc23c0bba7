//! Two settings for tests against an emulator on this machine. Towards any other host the program refuses to start with
//! them: they would break the limits that keep an account usable, and the waits that keep records single.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    config::model::Config,
    pace::Rate,
    port::{Boxed, Clock},
};
use sync_smartsuite::Address;

use crate::{clock::SystemClock, environment::Environment, failure::Failure};

/// `1`: calls leave as soon as they can.
const OPEN_GATE: &str = "SYNC_TEST_OPEN_GATE";
/// `FACTOR@INSTANT`: since the instant, time has passed that many times faster, for every process that is told so. With
/// `60@...`, the ninety seconds that a doubt takes are one and a half. `FACTOR@INSTANT@FILE`: the wall clock besides jumps
/// by the seconds that the file holds, whenever it is asked.
const CLOCK: &str = "SYNC_TEST_CLOCK";
const FACTOR_MAX: u32 = 1_000;

/// The distance between calls.
///
/// # Errors
/// The gate is to be opened, but not for an emulator on this machine.
pub(crate) fn rate(
    config: &Config,
    environment: &Environment,
    address: &Address,
) -> Result<Rate, Failure> {
    match setting(OPEN_GATE, environment, address)?.as_deref() {
        None => Ok(Rate(config.calls_per_second)),
        Some("1") => Ok(Rate(0)),
        Some(_) => Err(refused(OPEN_GATE)),
    }
}

/// The clock.
///
/// # Errors
/// It is to be a fast one, but not for an emulator on this machine, or not in the form it must have.
pub(crate) fn clock(
    environment: &Environment,
    address: &Address,
) -> Result<Arc<dyn Clock>, Failure> {
    match setting(CLOCK, environment, address)? {
        None => Ok(Arc::new(SystemClock::new())),
        Some(text) => match FastClock::parse(&text) {
            Some(clock) => Ok(Arc::new(clock)),
            None => Err(refused(CLOCK)),
        },
    }
}

fn setting(
    name: &str,
    environment: &Environment,
    address: &Address,
) -> Result<Option<String>, Failure> {
    match environment.get(name).filter(|value| !value.is_empty()) {
        Some(_) if !address.is_loopback => Err(refused(name)),
        value => Ok(value),
    }
}

fn refused(name: &str) -> Failure {
    Failure::usage(
        format!("{name} is for tests against an emulator on this machine"),
        format!("unset {name}"),
    )
}

/// A clock on which time passes faster than it does.
struct FastClock {
    system: SystemClock,
    since: Timestamp,
    factor: u32,
    /// Holds by how many seconds the wall clock was set.
    jump: Option<PathBuf>,
}

impl FastClock {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '@');
        let factor = parts.next()?.parse().ok();
        let factor = factor.filter(|factor| (1..=FACTOR_MAX).contains(factor))?;
        let (since, jump) = (parts.next()?.parse().ok()?, parts.next().map(PathBuf::from));
        Some(Self { system: SystemClock::new(), since, factor, jump })
    }

    /// How far the wall clock was set. A file that is not there yet is no jump.
    fn jumped(&self) -> SignedDuration {
        let text = self.jump.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let seconds = text.and_then(|text| text.trim().parse().ok());
        SignedDuration::from_secs(seconds.unwrap_or(0))
    }
}

impl FastClock {
    /// What it shows when the system's clock shows `real`.
    fn at(&self, real: Timestamp) -> Timestamp {
        let passed = real.duration_since(self.since).as_millis() * i128::from(self.factor);
        let passed = i64::try_from(passed).map(SignedDuration::from_millis).unwrap_or_default();
        self.since.checked_add(passed).unwrap_or(real)
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let now = self.at(self.system.now());
        now.checked_add(self.jumped()).unwrap_or(now)
    }

    fn elapsed(&self) -> Duration {
        self.system.elapsed().saturating_mul(self.factor)
    }

    fn sleep(&self, length: Duration) -> Boxed<'static, ()> {
        self.system.sleep(length.checked_div(self.factor).unwrap_or(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_faster_from_the_same_instant_for_everybody() {
        let clock = FastClock::parse("60@2026-11-26T00:00:00Z").unwrap();
        let shown = |real: &str| clock.at(real.parse().unwrap()).to_string();
        assert_eq!(shown("2026-11-26T00:00:00Z"), "2026-11-26T00:00:00Z");
        assert_eq!(shown("2026-11-26T00:00:01.5Z"), "2026-11-26T00:01:30Z");
    }

    #[test]
    fn the_wall_clock_jumps_and_elapsed_time_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jump");
        let clock =
            FastClock::parse(&format!("1@2026-11-26T00:00:00Z@{}", file.display())).unwrap();
        let (before, passed) = (clock.now(), clock.elapsed());
        std::fs::write(&file, "-86400\n").unwrap();
        assert!(before.duration_since(clock.now()) > SignedDuration::from_hours(23));
        assert!(clock.elapsed() >= passed);
    }

    #[test]
    fn what_is_no_factor_and_instant_is_refused() {
        for text in ["", "60", "0@2026-11-26T00:00:00Z", "2000@2026-11-26T00:00:00Z", "60@today"] {
            assert!(FastClock::parse(text).is_none(), "{text}");
        }
    }
}
