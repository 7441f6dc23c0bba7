//! When a sync is due.

use croner::Cron;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::config::model::ScheduleDefinition;

mod pattern;
#[cfg(test)]
mod tests;

/// A schedule that can be asked for its next time.
#[derive(Clone, Debug)]
pub struct Schedule(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Interval(SignedDuration),
    Cron { cron: Box<Cron>, zone: TimeZone },
}

/// A definition that is no schedule. A checked configuration holds none of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleFault {
    /// The cron pattern is wrong.
    #[error("the cron pattern {reason}")]
    Pattern {
        /// What is wrong with it, as the rest of a sentence.
        reason: String,
    },
    /// The cron pattern is well-formed, but its time never comes.
    #[error("the cron pattern never comes due")]
    Never,
    /// The zone is not in the database of time zones.
    #[error("there is no time zone `{name}`")]
    TimeZone {
        /// The zone as given.
        name: String,
    },
}

impl Schedule {
    /// The schedule that `definition` describes.
    pub fn new(definition: &ScheduleDefinition) -> Result<Self, ScheduleFault> {
        match definition {
            ScheduleDefinition::Interval { minutes } => Ok(Self::every(*minutes)),
            ScheduleDefinition::Cron { pattern, time_zone } => {
                let zone = TimeZone::get(time_zone)
                    .map_err(|_| ScheduleFault::TimeZone { name: time_zone.clone() })?;
                let cron = Box::new(pattern::parse(pattern)?);
                let schedule = Self(Kind::Cron { cron, zone });
                // Patterns know no year, so that what is ever due is due after any time.
                schedule.next_after(Timestamp::UNIX_EPOCH, None).ok_or(ScheduleFault::Never)?;
                Ok(schedule)
            }
        }
    }

    /// Every so many minutes, counted from start to start.
    pub fn every(minutes: u32) -> Self {
        Self(Kind::Interval(SignedDuration::from_mins(i64::from(minutes))))
    }

    /// The time in words: in UTC, and in the schedule's own zone where that is another one.
    pub fn in_words(&self, at: Timestamp) -> String {
        let utc = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        match &self.0 {
            Kind::Cron { zone, .. } if *zone != TimeZone::UTC => {
                let there = at.to_zoned(zone.clone());
                let name = zone.iana_name().unwrap_or_default();
                format!("{utc} ({} {name})", there.strftime("%Y-%m-%d %H:%M:%S"))
            }
            _ => utc,
        }
    }

    /// When the next run is due: the first scheduled time after `last_start`, or `now` if that has passed, so that
    /// however many times were missed, one run makes up for them.
    ///
    /// Without a `last_start` the first scheduled time after `now`, one interval on. `None`: never again.
    pub fn next_after(&self, now: Timestamp, last_start: Option<Timestamp>) -> Option<Timestamp> {
        // A start in the future was written by a clock that has since been set back: it must not delay the next.
        let from = last_start.map_or(now, |start| if start > now { now } else { start });
        let due = match &self.0 {
            Kind::Interval(interval) => from.checked_add(*interval).ok()?,
            Kind::Cron { cron, zone } => {
                let after = from.to_zoned(zone.clone());
                cron.find_next_occurrence(&after, false).ok()?.timestamp()
            }
        };
        Some(if due < now { now } else { due })
    }
}
