//! A script of failures yields exactly the expected messages.

use super::*;
use jiff::{SignedDuration, Timestamp, civil::time, tz::TimeZone};

/// A service that looks every half minute.
struct Story {
    manners: Manners,
    remembered: Vec<Remembered>,
    minute: i64,
    said: Vec<String>,
}

impl Story {
    fn new(manners: Manners) -> Self {
        Self { manners, remembered: Vec::new(), minute: 0, said: Vec::new() }
    }

    fn now(&self) -> Timestamp {
        "2026-11-27T20:00:00Z".parse::<Timestamp>().unwrap()
            + SignedDuration::from_mins(self.minute)
    }

    /// These things are wrong for so many minutes.
    fn lasts(&mut self, minutes: i64, wrong: &[(AlertKind, &str, u64)]) {
        for _ in 0..minutes {
            let conditions = wrong
                .iter()
                .map(|(kind, subject, level)| Condition {
                    kind: *kind,
                    subject: (*subject).to_owned(),
                    text: format!("{} {level}", kind.word()),
                    hint: "look".to_owned(),
                    level: *level,
                })
                .collect();
            let remembered = std::mem::take(&mut self.remembered);
            let decision = decide(remembered, conditions, &self.manners, self.now());
            self.remembered = decision.remembered;
            if let Some(message) = decision.message {
                let lines: Vec<String> = message.changes.iter().map(Change::line).collect();
                self.said.push(format!("{:02}: {}", self.minute, lines.join("; ")));
            }
            self.minute += 1;
        }
    }
}

fn grouped(minutes: i64) -> Manners {
    Manners { group: SignedDuration::from_mins(minutes), quiet_hours: None }
}

#[test]
fn one_message_when_it_begins_and_one_when_it_is_over() {
    let mut story = Story::new(grouped(0));
    story.lasts(5, &[]);
    story.lasts(60, &[(AlertKind::Failed, "orders", 1)]);
    story.lasts(5, &[]);
    assert_eq!(
        story.said,
        ["05: orders: failed 1", "65: orders: over (failed, since 2026-11-27 20:05 UTC)"]
    );
}

#[test]
fn changes_within_a_minute_are_one_message_and_what_passes_unheard_is_none() {
    let mut story = Story::new(grouped(2));
    story.lasts(1, &[(AlertKind::Failed, "a", 1)]);
    story.lasts(1, &[]);
    story.lasts(1, &[(AlertKind::Failed, "a", 1)]);
    story.lasts(1, &[(AlertKind::Failed, "a", 1), (AlertKind::Failed, "b", 1)]);
    story.lasts(
        30,
        &[(AlertKind::Failed, "a", 1), (AlertKind::Failed, "b", 1), (AlertKind::Late, "b", 1)],
    );
    assert_eq!(story.said, ["04: a: failed 1; b: failed 1; b: late 1"]);
    // It comes back before its end was told.
    story.lasts(1, &[(AlertKind::Failed, "b", 1), (AlertKind::Late, "b", 1)]);
    story.lasts(
        9,
        &[(AlertKind::Failed, "a", 1), (AlertKind::Failed, "b", 1), (AlertKind::Late, "b", 1)],
    );
    assert_eq!(story.said.len(), 1);
}

#[test]
fn a_quarantine_that_doubles_is_said_again() {
    let mut story = Story::new(grouped(0));
    for rows in [3, 4, 5, 6, 7, 11, 12, 3, 0] {
        let wrong = [(AlertKind::Quarantine, "orders", rows)];
        story.lasts(2, if rows == 0 { &[] } else { &wrong });
    }
    assert_eq!(
        story.said,
        [
            "00: orders: quarantine 3",
            "06: orders: worse: quarantine 6",
            "12: orders: worse: quarantine 12",
            "16: orders: over (quarantine, since 2026-11-27 20:00 UTC)",
        ]
    );
}

#[test]
fn in_quiet_hours_nobody_is_told_and_after_them_what_still_holds() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let quiet = QuietHours { from: time(21, 10, 0, 0), to: time(6, 0, 0, 0), zone };
    let mut story = Story::new(Manners { quiet_hours: Some(quiet), ..grouped(0) });
    // 21:00 in Berlin.
    story.lasts(5, &[(AlertKind::Late, "a", 1)]);
    story.lasts(5, &[]);
    story.lasts(60, &[(AlertKind::Failed, "gone by morning", 1)]);
    story.lasts(480, &[(AlertKind::Stopped, "b", 1)]);
    assert_eq!(
        story.said,
        ["00: a: late 1", "05: a: over (late, since 2026-11-27 20:00 UTC)", "540: b: stopped 1",]
    );
}

#[test]
fn a_restart_says_nothing_twice() {
    let mut story = Story::new(grouped(0));
    story.lasts(3, &[(AlertKind::Failed, "a", 1)]);
    let mut after = Story::new(grouped(0));
    after.remembered = story.remembered.clone();
    after.minute = 100;
    after.lasts(3, &[(AlertKind::Failed, "a", 1)]);
    assert_eq!(after.said, [] as [String; 0]);
    after.lasts(1, &[]);
    assert_eq!(after.said.len(), 1);
}

#[test]
fn each_state_is_judged_by_what_is_seen() {
    let sync = SyncObservation {
        name: "orders".to_owned(),
        last_run: None,
        vanished: None,
        stopped: None,
        late_since: None,
        quarantined: 0,
        duplicates: 0,
        log: None,
    };
    let kinds = |sync: SyncObservation| -> Vec<&'static str> {
        let seen = Observation { syncs: vec![sync], ..Observation::default() };
        judge(&seen).iter().map(|condition| condition.kind.word()).collect()
    };
    let run = |status: &str, code: &str| {
        Some(RunObservation {
            status: status.to_owned(),
            code: Some(code.to_owned()),
            error: Some("so".to_owned()),
        })
    };
    assert_eq!(kinds(sync.clone()), [] as [&str; 0]);
    assert_eq!(
        kinds(SyncObservation { last_run: run("partial", "budget_paced"), ..sync.clone() }),
        [] as [&str; 0]
    );
    assert_eq!(
        kinds(SyncObservation { last_run: run("failed", "mysql_unreachable"), ..sync.clone() }),
        ["failed"]
    );
    assert_eq!(
        kinds(SyncObservation { vanished: Some("none".to_owned()), ..sync.clone() }),
        ["rows_vanished"]
    );
    assert_eq!(
        kinds(SyncObservation {
            late_since: Some(Timestamp::UNIX_EPOCH),
            quarantined: 2,
            duplicates: 1,
            log: Some(LogObservation { lag: SignedDuration::from_hours(40), at_risk: true }),
            last_run: run("partial", "deletes_need_a_yes"),
            ..sync
        }),
        ["late", "needs_yes", "quarantine", "duplicates", "log_at_risk"]
    );
}
