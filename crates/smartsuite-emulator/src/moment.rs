//! A point in time, as small as a record can hold it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Microseconds since the Unix epoch, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub(crate) struct Moment(pub(crate) i64);

const SECOND: i64 = 1_000_000;

impl Moment {
    /// The moment of a [`Timestamp`], cut to the microsecond.
    pub(crate) fn of(timestamp: Timestamp) -> Self {
        Self(timestamp.as_microsecond())
    }

    /// As a [`Timestamp`]; what lies outside its range becomes the epoch.
    pub(crate) fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// This much later (or earlier, when negative), in microseconds.
    pub(crate) fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This much later (or earlier, when negative), in milliseconds.
    pub(crate) fn plus_millis(self, millis: i64) -> Self {
        self.plus_micros(millis.saturating_mul(1000))
    }

    /// This much later (or earlier, when negative), in seconds.
    pub(crate) fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(SECOND))
    }

    /// This much later, in days of 24 hours.
    pub(crate) fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Microseconds from `earlier` to this moment; negative when it comes after.
    pub(crate) fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The clock second this moment lies in.
    pub(crate) fn second(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// The month this moment lies in (UTC), as `2026-11`.
    pub(crate) fn month(self) -> String {
        self.timestamp().strftime("%Y-%m").to_string()
    }

    /// `2024-07-29T09:27:44.058123Z`: the form of a write's own answer.
    pub(crate) fn exact(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
    }

    /// Up to the next whole millisecond, as later reads show a stamp (section 3.1).
    pub(crate) fn rounded(self) -> Self {
        Self(self.0.saturating_add(999).div_euclid(1000).saturating_mul(1000))
    }

    /// `2024-07-29T09:27:44Z`, with a fraction only where there is one: the form of date values.
    pub(crate) fn plain(self) -> String {
        if self.0.rem_euclid(SECOND) == 0 {
            self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        } else {
            self.exact()
        }
    }
}
