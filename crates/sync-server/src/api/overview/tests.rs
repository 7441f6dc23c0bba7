//! How a sync stands, by what is known of it.

use std::sync::Arc;

use jiff::SignedDuration;
use sync_core::{
    freshness::FreshnessGoal,
    state::{Stop, StreamPosition},
};
use sync_store::StreamReport;

use super::*;

const MAPPING: &str = "
syncs:
  - name: customers
    source: {query: SELECT 1 AS id, primary_key: id}
    destination: {table_id: 6500000000000000000000c1, external_id_field: sx, field_mappings: {id: sid}}
";

/// What is known of a sync that has run a day ago, and should every five minutes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) is_disabled: bool,
    pub(crate) is_paused: bool,
    pub(crate) is_stopped: bool,
    /// Whether it follows the database's log, of which a day and a half is kept.
    pub(crate) is_following: bool,
    /// Whether it has tried to read since then, and never came to an end.
    pub(crate) is_unread: bool,
}

impl Seen {
    fn at(self, now: Timestamp) -> SyncSummary {
        let config = sync_core::config::parse(MAPPING, &|_| None).config.unwrap();
        let mut definition = config.syncs.into_iter().next().unwrap();
        definition.enabled = !self.is_disabled;
        let entry = RosterEntry {
            goal: FreshnessGoal::of(&definition, 5),
            definition: Arc::new(definition),
            schedule: "every 5 minutes".to_owned(),
            next_run: None,
            is_under_way: false,
            is_paused: false,
        };
        let yesterday = now.saturating_sub(SignedDuration::from_hours(24)).unwrap();
        let read_at = (!self.is_unread).then_some(yesterday);
        let stop = Stop {
            code: "x".to_owned(),
            message: "all was refused".to_owned(),
            remedy: "mend it".to_owned(),
            key: None,
            until: None,
            only_creates: false,
        };
        let stream = StreamReport {
            position: StreamPosition("{}".to_owned()),
            as_of: yesterday,
            retention: Some(SignedDuration::from_hours(36)),
        };
        let report = SyncReport {
            name: "customers".to_owned(),
            destination: None,
            first_run_at: Some(yesterday),
            last_success: read_at,
            last_sync_time: read_at,
            watermark: None,
            full_read: None,
            waiting: 0,
            next_send: None,
            oldest_unsent: None,
            held: 0,
            candidates: 0,
            swept_at: None,
            full_read_at: read_at,
            sending: 0,
            in_doubt: 0,
            in_doubt_elsewhere: 0,
            quarantined: Vec::new(),
            dirty: 0,
            unread_as_of: None,
            left_out: Vec::new(),
            shared_ids: 0,
            stopped: self.is_stopped.then_some(stop),
            stream: self.is_following.then_some(stream),
            holder: None,
        };
        let paused_at = self.is_paused.then_some(yesterday);
        let run = RunReport {
            id: 1,
            started_at: yesterday,
            completed_at: Some(yesterday),
            status: "interrupted".to_owned(),
            processed: 0,
            created: 0,
            updated: 0,
            skipped: 0,
            books: None,
            calls: 0,
            code: None,
            error: None,
        };
        let runs = vec![run];
        let state = OfSync { report: Some(report), paused_at, runs, ..OfSync::default() };
        SyncSummary::new(&entry, &state, now)
    }
}

/// An overview of one sync.
pub(crate) fn overview_of(seen: Seen, now: Timestamp) -> Overview {
    Overview {
        now,
        version: "0",
        started_at: now,
        syncs: vec![seen.at(now)],
        calls_today: 0,
        calls_this_month: 0,
        calls_by_kind: BTreeMap::new(),
        paused_until: None,
        copy_age_seconds: Some(3_600),
        alerts: Vec::new(),
        unsent: Vec::new(),
    }
}

#[test]
fn what_nobody_wants_to_run_is_never_late() {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    assert!(Seen::default().at(now).is_late);
    assert!(Seen { is_stopped: true, ..Seen::default() }.at(now).is_late);
    assert!(!Seen { is_disabled: true, ..Seen::default() }.at(now).is_late);
    assert!(!Seen { is_paused: true, ..Seen::default() }.at(now).is_late);
}

/// Catches: a sync whose reads never come to an end, of which the alert says that it is late and nobody else does.
#[test]
fn what_was_never_read_to_its_end_is_late_from_its_first_run_on() {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let unread = Seen { is_unread: true, ..Seen::default() };
    for seen in [unread, Seen { is_following: true, ..unread }] {
        let shown = seen.at(now);
        assert!(shown.is_late);
        assert_eq!((shown.fresh_as_of, shown.age_seconds), (None, None));
        assert_eq!(shown.standing, Standing::Warning);
        assert_eq!(shown.in_words, "no read has come to its end yet");
    }
    assert!(!Seen { is_paused: true, ..unread }.at(now).is_late);
}
