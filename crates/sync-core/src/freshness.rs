//! How far records may be behind their rows before that is too late.

use jiff::{SignedDuration, Timestamp};

use crate::{
    config::model::{CaptureMode, ScheduleDefinition, SyncDefinition},
    schedule::Schedule,
};

/// What a sync may be late beyond its schedule: a turn takes its time.
const SLACK: SignedDuration = SignedDuration::from_mins(10);
/// What a sync may be late that is always under way.
const FOLLOWING: SignedDuration = SignedDuration::from_mins(15);

/// What is expected of one sync.
#[derive(Clone, Debug)]
pub struct FreshnessGoal(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// So much after the rows.
    Within(SignedDuration),
    /// At the next time of a schedule, and so much later.
    After(Schedule, SignedDuration),
}

impl FreshnessGoal {
    /// Of a sync that has no other schedule than every `service_minutes`.
    pub fn of(definition: &SyncDefinition, service_minutes: u32) -> Self {
        let minutes = |minutes: u32| SignedDuration::from_mins(i64::from(minutes));
        Self(match (definition.freshness, definition.capture, &definition.schedule) {
            (Some(goal), ..) => Kind::Within(minutes(goal)),
            (None, CaptureMode::Binlog, _) => Kind::Within(FOLLOWING),
            (None, _, Some(ScheduleDefinition::Interval { minutes: every })) => {
                Kind::Within(minutes(every.saturating_mul(2)).saturating_add(SLACK))
            }
            (None, _, Some(cron)) => match Schedule::new(cron) {
                Ok(schedule) => Kind::After(schedule, SLACK.saturating_add(SLACK)),
                // A checked configuration holds no other.
                Err(_) => Kind::Within(minutes(service_minutes)),
            },
            (None, _, None) => {
                Kind::Within(minutes(service_minutes.saturating_mul(2)).saturating_add(SLACK))
            }
        })
    }

    /// The time from which on records are late that are as fresh as `fresh_as_of`.
    pub fn deadline(&self, fresh_as_of: Timestamp) -> Timestamp {
        let after = |from: Timestamp, length| from.saturating_add(length).unwrap_or(Timestamp::MAX);
        match &self.0 {
            Kind::Within(length) => after(fresh_as_of, *length),
            Kind::After(schedule, slack) => schedule
                .next_after(fresh_as_of, Some(fresh_as_of))
                .map_or(Timestamp::MAX, |due| after(due, *slack)),
        }
    }

    /// The goal as a length of time, as it is at `now`.
    pub fn length(&self, now: Timestamp) -> SignedDuration {
        self.deadline(now).duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn deadline(more: &str, fresh: &str) -> String {
        let text = format!(
            "syncs:\n  - name: a\n{more}    source: {{query: SELECT 1 AS id, primary_key: id}}\n    destination: \
             {{table_id: 6500000000000000000000c1, external_id_field: sx, field_mappings: {{id: sid}}}}\n"
        );
        let config = parse(&text, &|_| None).config.unwrap();
        let goal = FreshnessGoal::of(&config.syncs[0], 5);
        goal.deadline(fresh.parse().unwrap()).to_string()
    }

    #[test]
    fn a_goal_is_what_the_file_says_or_what_the_schedule_lets_expect() {
        let fresh = "2026-11-27T12:00:00Z";
        for (more, expected) in [
            ("", "2026-11-27T12:20:00Z"),
            ("    freshness: 7\n", "2026-11-27T12:07:00Z"),
            ("    capture: binlog\n", "2026-11-27T12:15:00Z"),
            ("    schedule: {interval: 60}\n", "2026-11-27T14:10:00Z"),
            // Friday noon: next on Monday at six.
            ("    schedule: {cron: '0 6 * * 1-5'}\n", "2026-11-30T06:20:00Z"),
        ] {
            assert_eq!(deadline(more, fresh), expected, "{more}");
        }
    }
}
