//! The gate: when the next call may leave. One per API key, evenly spaced, with no saved-up burst.
//!
//! SmartSuite counts calls by its own clock's second, which cannot be seen from here; five saved up here would meet
//! five of its next second. So departures keep their distance whatever happened before. A 429 closes the gate for
//! everyone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How long the service keeps refusing after a 429 (documented: 30 s).
pub const LOCKOUT: Duration = Duration::from_secs(30);
/// A reservation further ahead than this means that the wall clock was set back; the gate then starts anew.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(10);

/// A departure is missed by whoever is late by this part of the distance between two: calls then keep at least half
/// their distance, and no second holds more than one call above the rate.
const LATE_PART: u32 = 2;

/// Calls per second, 1 to 5; 0 stands for an open gate, which only tests against the emulator use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u32);

impl Rate {
    /// The distance between two departures.
    pub fn spacing(self) -> Duration {
        Duration::from_secs(1).checked_div(self.0).unwrap_or(Duration::ZERO)
    }
}

/// Whether a departure was missed: whoever waited for it is so late that a call of the next one may leave close by. All
/// who waited while the machine stood still would else leave at once. An open gate has no departures to miss.
pub fn is_missed(departure: Timestamp, now: Timestamp, rate: Rate) -> bool {
    let late = Duration::try_from(now.duration_since(departure)).unwrap_or_default();
    let spacing = rate.spacing();
    !spacing.is_zero() && late >= spacing / LATE_PART
}

/// The gate's memory; shared by every process of one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateState {
    /// Earliest next departure.
    pub next: Timestamp,
    /// No departure before this: a pause after a 429.
    pub closed_until: Timestamp,
}

impl GateState {
    /// An open gate at `now`.
    pub fn open(now: Timestamp) -> Self {
        Self { next: now, closed_until: now }
    }

    /// Reserves the next departure and returns its time, `now` or later.
    pub fn reserve(&mut self, now: Timestamp, rate: Rate) -> Timestamp {
        if self.next.duration_since(now) > AHEAD_MAX {
            self.next = now;
        }
        if self.closed_until.duration_since(now) > AHEAD_MAX {
            self.closed_until = now;
        }
        let departure = now.max(self.next).max(self.closed_until);
        self.next = departure.checked_add(rate.spacing()).unwrap_or(departure);
        departure
    }

    /// Closes the gate after a 429 or a challenge page, for the lock-out or `Retry-After`, whichever is longer,
    /// and `jitter` on top.
    pub fn close(&mut self, now: Timestamp, retry_after: Option<Duration>, jitter: Duration) {
        let pause = retry_after.unwrap_or_default().max(LOCKOUT).saturating_add(jitter);
        let until = now.checked_add(pause).unwrap_or(now);
        // What lies further ahead would be taken for a clock that was set back.
        let until = until.min(now.checked_add(AHEAD_MAX).unwrap_or(now));
        self.closed_until = self.closed_until.max(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn departures_keep_their_distance_after_a_pause_too() {
        let mut gate = GateState::open(at(0));
        let times: Vec<i64> = [0, 0, 0, 10_000, 10_000]
            .iter()
            .map(|now| gate.reserve(at(*now), Rate(4)).as_millisecond())
            .collect();
        assert_eq!(times, [0, 250, 500, 10_000, 10_250]);
    }

    #[test]
    fn a_departure_is_missed_by_half_its_distance() {
        assert!(!is_missed(at(1_000), at(1_124), Rate(4)));
        assert!(is_missed(at(1_000), at(1_125), Rate(4)));
        assert!(!is_missed(at(1_000), at(900), Rate(4)), "a clock set back");
        assert!(!is_missed(at(1_000), at(9_000), Rate(0)), "an open gate");
    }

    #[test]
    fn a_429_closes_the_gate_for_everyone() {
        let mut gate = GateState::open(at(0));
        gate.close(at(0), None, Duration::from_millis(500));
        assert_eq!(gate.reserve(at(0), Rate(4)), at(30_500));
        gate.close(at(31_000), Some(Duration::from_mins(1)), Duration::ZERO);
        assert_eq!(gate.reserve(at(31_000), Rate(4)), at(91_000));
    }

    /// An hour's pause is asked for again after ten minutes, not passed over.
    #[test]
    fn a_long_pause_does_not_open_the_gate() {
        let mut gate = GateState::open(at(0));
        gate.close(at(0), Some(Duration::from_hours(1)), Duration::from_millis(500));
        assert_eq!(gate.reserve(at(0), Rate(4)), at(600_000));
        assert_eq!(gate.reserve(at(1_000), Rate(4)), at(600_250));
    }

    #[test]
    fn a_clock_set_back_does_not_close_the_gate_for_hours() {
        let mut gate = GateState::open(at(7_200_000));
        gate.reserve(at(7_200_000), Rate(4));
        assert_eq!(gate.reserve(at(0), Rate(4)), at(0));
    }
}
