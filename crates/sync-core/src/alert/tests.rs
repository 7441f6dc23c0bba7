//! A script of failures yields exactly the expected messages.

use std::collections::BTreeSet;

use super::*;
use crate::state::Stop;
use jiff::{SignedDuration, Timestamp, civil::time, tz::TimeZone};

/// A service that looks every half minute.
struct Story {
    manners: Manners,
    remembered: Vec<Remembered>,
    undecided: BTreeSet<(String, AlertKind)>,
    minute: i64,
    said: Vec<String>,
}

impl Story {
    fn new(manners: Manners) -> Self {
        Self {
            manners,
            remembered: Vec::new(),
            undecided: BTreeSet::new(),
            minute: 0,
            said: Vec::new(),
        }
    }

    fn now(&self) -> Timestamp {
        "2026-11-27T20:00:00Z".parse::<Timestamp>().unwrap()
            + SignedDuration::from_mins(self.minute)
    }

    /// These things are wrong for so many minutes.
    fn lasts(&mut self, minutes: i64, wrong: &[(AlertKind, &str, u64)]) {
        for _ in 0..minutes {
            let wrong = wrong
                .iter()
                .map(|(kind, subject, level)| Condition {
                    kind: *kind,
                    subject: (*subject).to_owned(),
                    text: format!("{} {level}", kind.word()),
                    hint: "look".to_owned(),
                    level: *level,
                })
                .collect();
            let judgement = Judgement { wrong, undecided: self.undecided.clone() };
            let remembered = std::mem::take(&mut self.remembered);
            let decision = decide(remembered, judgement, &self.manners, self.now());
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
fn what_was_worse_for_a_while_and_is_no_longer_is_not_told() {
    let zone = TimeZone::UTC;
    let quiet = QuietHours { from: time(22, 0, 0, 0), to: time(6, 0, 0, 0), zone };
    let mut story = Story::new(Manners { quiet_hours: Some(quiet), ..grouped(0) });
    let mut rows = |minutes, rows| story.lasts(minutes, &[(AlertKind::Quarantine, "orders", rows)]);
    // 20:00.
    rows(180, 3);
    rows(60, 6);
    rows(600, 3);
    rows(1, 6);
    assert_eq!(story.said, ["00: orders: quarantine 3", "840: orders: worse: quarantine 6"]);
}

#[test]
fn what_is_graver_is_told_alone_and_ends_nothing() {
    let near = (AlertKind::BudgetNear, "", 1);
    let used_up = (AlertKind::BudgetUsedUp, "", 1);
    let mut story = Story::new(grouped(1));
    story.lasts(10, &[near]);
    story.lasts(10, &[near, used_up]);
    story.lasts(10, &[]);
    // Both at once, or one after the other before anybody was told.
    let failed = (AlertKind::Failed, "a", 1);
    story.lasts(1, &[failed]);
    story.lasts(10, &[failed, (AlertKind::Stopped, "a", 1)]);
    // Another sync's stop says nothing of this one.
    story.lasts(10, &[(AlertKind::Failed, "b", 1), (AlertKind::Stopped, "a", 1)]);
    assert_eq!(
        story.said,
        [
            "01: all syncs: budget_near 1",
            "11: all syncs: budget_used_up 1",
            "21: all syncs: over (budget near, since 2026-11-27 20:00 UTC); \
             all syncs: over (budget used up, since 2026-11-27 20:10 UTC)",
            "32: a: stopped 1",
            "42: b: failed 1",
        ]
    );
}

#[test]
fn what_cannot_be_decided_is_as_it_was_told() {
    let mut story = Story::new(grouped(0));
    story.undecided.insert(("a".to_owned(), AlertKind::Stopped));
    story.lasts(5, &[]);
    story.lasts(5, &[(AlertKind::Stopped, "a", 1)]);
    // It is let go, and the run that shows what came of it is under way; the last one failed.
    story.lasts(5, &[(AlertKind::Failed, "a", 1)]);
    story.lasts(5, &[(AlertKind::Stopped, "a", 1), (AlertKind::Failed, "a", 1)]);
    story.undecided.clear();
    story.lasts(5, &[(AlertKind::Failed, "a", 1)]);
    assert_eq!(
        story.said,
        ["05: a: stopped 1", "20: a: failed 1; a: over (stopped, since 2026-11-27 20:05 UTC)",]
    );
}

#[test]
fn the_title_counts_what_it_tells() {
    let change = |turn| Change {
        turn,
        kind: AlertKind::Failed,
        subject: "a".to_owned(),
        text: "failed".to_owned(),
        hint: "look".to_owned(),
        since: Timestamp::UNIX_EPOCH,
    };
    let (began, ended) = (change(Turn::Began), change(Turn::Ended));
    for (changes, title) in [
        (vec![&began], "a: failed"),
        (vec![&began, &began], "2 problems"),
        (vec![&ended, &ended], "2 problems are over"),
        (vec![&began, &ended], "1 problem, 1 over"),
        (vec![&began, &began, &ended], "2 problems, 1 over"),
    ] {
        let changes = changes.into_iter().cloned().collect();
        assert_eq!(Message { at: Timestamp::UNIX_EPOCH, changes }.title(), title);
    }
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
        is_under_way: false,
        sighting: Sighting::Seen,
        awaiting_yes: 0,
        stopped: None,
        late_since: None,
        quarantined: 0,
        waiting: 0,
        duplicates: 0,
        log: None,
    };
    let judged = |sync: SyncObservation| {
        let judgement = judge(&Observation { syncs: vec![sync], ..Observation::default() });
        let wrong: Vec<_> = judgement.wrong.iter().map(|one| one.kind.word()).collect();
        let undecided: Vec<_> = judgement.undecided.iter().map(|(_, kind)| kind.word()).collect();
        (wrong.join(" "), undecided.join(" "))
    };
    let run = |status: &str, code: &str| {
        Some(RunObservation {
            status: status.to_owned(),
            code: Some(code.to_owned()),
            error: Some("so".to_owned()),
        })
    };
    let stop = Stop {
        code: "key_refused".to_owned(),
        message: "the key is refused".to_owned(),
        remedy: "give another".to_owned(),
        key: None,
        until: None,
        only_creates: false,
    };
    let failed = SyncObservation { last_run: run("failed", "mysql_unreachable"), ..sync.clone() };
    for (seen, wrong, undecided) in [
        (sync.clone(), "", ""),
        (SyncObservation { last_run: run("partial", "budget_paced"), ..sync.clone() }, "", ""),
        (failed.clone(), "failed", ""),
        (SyncObservation { is_under_way: true, ..failed.clone() }, "failed", "stopped"),
        (SyncObservation { stopped: Some(stop), ..failed }, "stopped failed", ""),
        (
            SyncObservation { sighting: Sighting::Vanished("none".to_owned()), ..sync.clone() },
            "rows_vanished",
            "",
        ),
        (SyncObservation { sighting: Sighting::Unknown, ..sync.clone() }, "", "rows_vanished"),
        // Once the run that asks is followed by one that does not.
        (SyncObservation { awaiting_yes: 3, ..sync.clone() }, "needs_yes", ""),
        (
            SyncObservation { is_under_way: true, waiting: 2, ..sync.clone() },
            "",
            "stopped quarantine",
        ),
        (
            SyncObservation {
                late_since: Some(Timestamp::UNIX_EPOCH),
                quarantined: 2,
                duplicates: 1,
                log: Some(LogObservation { lag: SignedDuration::from_hours(40), at_risk: true }),
                ..sync
            },
            "late quarantine duplicates log_at_risk",
            "",
        ),
    ] {
        let shown = format!("{seen:?}");
        assert_eq!(judged(seen), (wrong.to_owned(), undecided.to_owned()), "{shown}");
    }
}
