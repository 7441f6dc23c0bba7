//! A script of failures in the state of a service yields exactly the expected messages.

mod fault;
mod sending;
mod story;

use std::time::Duration;

use sync_core::state::{RunStatus, StateStore as _, StreamEnd, StreamMarks, StreamPosition};
use sync_store::back_up;

use story::{Ended, Story, WELL};

const REFUSED: Ended = (RunStatus::Failed, Some(("key_refused", "the API key is refused")));
const UNREACHABLE: Ended = (RunStatus::Failed, Some(("unreachable", "SmartSuite is unreachable")));
const VANISHED: Ended =
    (RunStatus::Partial, Some(("rows_vanished", "the query yields 5 rows where it yielded 20")));
const SHOWS_NOTHING: Ended =
    (RunStatus::Partial, Some(("source_shows_nothing", "the source shows no row at all")));
const NEEDS_A_YES: Ended =
    (RunStatus::Partial, Some(("deletes_need_a_yes", "the rows of 15 of 20 records are gone")));
const ROWS_REFUSED: Ended = (RunStatus::Partial, Some(("rows_refused", "rows are refused")));

/// The rows 1 to 20 have their records.
fn in_step(alerts: &str) -> Story {
    let mut story = Story::new(alerts);
    story.run("orders", WELL, |story, run| {
        story.read(run, 1..=20);
        story.send(run, true);
    });
    story.tells(&[]);
    story
}

#[test]
fn records_that_wait_for_a_yes_are_told_once_however_many_runs_pass() {
    let mut story = in_step("  group: 0");
    story.later(60);
    for hour in 0..3 {
        // A sweep each hour, and other runs between.
        story.run("orders", NEEDS_A_YES, |story, run| story.sweep(run, 1..=5));
        for _ in 0..4 {
            story.later(15);
            story.run("orders", WELL, |_, _| {});
        }
        let told = [
            "13:00: orders: 15 records whose rows are gone wait for a yes -> if so many should go: `run --allow-deletes NUMBER`",
        ];
        story.tells(if hour == 0 { &told } else { &[] });
    }
    story.run("orders", WELL, |story, run| story.sweep(run, 1..=20));
    story.tells(&["16:00: orders: over (needs yes, since 2026-11-02 13:00 UTC)"]);
}

/// One sync, of a table, which may be as old as it likes.
const ONE_TABLE: &str = "alerts: {webhook: {url: 'https://example.org/hook'}, group: 0}
syncs:
  - name: orders
    freshness: 500000
    source: {table: orders}
    destination: {table_id: 6500000000000000000000d1, external_id_field: sorder, field_mappings: {total: stotal}}
";

#[test]
fn nobody_is_asked_for_a_yes_where_records_are_to_stay() {
    let mut story = Story::of(ONE_TABLE);
    // As an earlier definition found it.
    story.run("orders", NEEDS_A_YES, |story, run| {
        story.read(run, 1..=20);
        story.send(run, true);
        story.sweep(run, 1..=5);
    });
    story.tells(&[]);
}

#[test]
fn rows_that_vanished_are_told_until_a_read_of_every_row_shows_them() {
    let mut story = in_step("  group: 0");
    story.later(60);
    story.run("orders", VANISHED, |story, run| story.read(run, 1..=5));
    story.tells(&[
        "13:00: orders: the query yields 5 rows where it yielded 20 -> look whether the source is whole and the query is right",
    ]);
    // More runs that read only what changed than anybody looks back.
    for _ in 0..51 {
        story.later(5);
        story.run("orders", WELL, |_, _| {});
    }
    story.later(45);
    story.tells(&[]);
    // A read of every row in a run that ends by something else, or under way, says nothing of it.
    for ended in [NEEDS_A_YES, (RunStatus::Interrupted, Some(("interrupted", "ended early")))] {
        let run = story.begin("orders");
        story.read(run, 1..=5);
        story.later(5);
        story.end(run, ended);
    }
    story.tells(&[]);
    story.run("orders", UNREACHABLE, |story, run| story.read(run, 1..=5));
    story.tells(&[
        "18:10: orders: the last run failed: SmartSuite is unreachable [unreachable] -> `status` shows the run and what to do",
    ]);
    story.later(5);
    story.run("orders", WELL, |story, run| story.read(run, 1..=20));
    story.tells(&[
        "18:15: orders: over (rows vanished, since 2026-11-02 13:00 UTC); orders: over (failed, since 2026-11-02 18:10 UTC)",
    ]);
}

#[test]
fn a_source_that_showed_nothing_is_over_with_the_next_sweep() {
    let mut story = in_step("  group: 0");
    story.later(60);
    story.run("orders", SHOWS_NOTHING, |story, run| story.sweep(run, []));
    story.tells(&[
        "13:00: orders: the source shows no row at all -> look whether the source is whole and the query is right",
    ]);
    story.later(5);
    story.run("orders", WELL, |_, _| {});
    story.tells(&[]);
    story.later(55);
    story.run("orders", WELL, |story, run| story.sweep(run, 1..=20));
    story.tells(&["14:00: orders: over (rows vanished, since 2026-11-02 13:00 UTC)"]);
}

#[test]
fn a_stop_is_told_once_and_is_over_when_a_run_has_ended_without_it() {
    let failed = "the last run failed: SmartSuite is unreachable [unreachable] -> `status` shows the run and what to do";
    let stopped = "stopped: the API key is refused [key_refused] -> give another one";
    let mut story = in_step("  group: 0");
    story.run("orders", UNREACHABLE, |_, _| {});
    story.tells(&[&format!("12:00: orders: {failed}")]);
    story.later(5);
    story.run("orders", REFUSED, Story::stop);
    story.tells(&[&format!("12:05: orders: {stopped}")]);
    // It is let go, and stopped again.
    story.later(5);
    let run = story.begin("orders");
    for _ in 0..3 {
        story.later(1);
    }
    story.stop(run);
    story.end(run, REFUSED);
    story.tells(&[]);
    // It is let go, and all is well.
    story.later(2);
    story.run("orders", WELL, |story, _| story.later(3));
    story.tells(&[
        "12:18: orders: over (failed, since 2026-11-02 12:00 UTC); orders: over (stopped, since 2026-11-02 12:05 UTC)",
    ]);
    // Stopped at once, and let go by a run that fails otherwise.
    story.run("orders", REFUSED, Story::stop);
    story.tells(&[&format!("12:18: orders: {stopped}")]);
    story.later(2);
    story.run("orders", UNREACHABLE, |story, _| story.later(5));
    story.tells(&[&format!(
        "12:25: orders: {failed}; orders: over (stopped, since 2026-11-02 12:18 UTC)"
    )]);
}

#[test]
fn the_budget_is_told_at_80_and_100_per_cent_and_is_over_with_the_month() {
    let mut story = in_step("  group: 0");
    let run = story.begin("orders");
    // One call has sent the rows. Of 50, 10 are left to others.
    story.call(run, 1..31);
    story.tells(&[]);
    story.call(run, 31..32);
    story.tells(&[
        "12:00: all syncs: 32 calls are used, 80 % of what this tool may use of 50 until 2026-12-01 -> `status` shows the forecast; the guide on the budget says what can be done",
    ]);
    story.call(run, 32..39);
    story.tells(&[]);
    story.call(run, 39..40);
    story.tells(&[
        "12:00: all syncs: 40 calls are used: all but the reserve of 50 until 2026-12-01 -> what waits is sent when the next month begins, unless `when_used_up: go_on`",
    ]);
    story.call(run, 40..50);
    story.tells(&[
        "12:00: all syncs: worse: 50 of 50 calls are used: SmartSuite takes 2 calls a second until 2026-12-01 -> at 125 % SmartSuite answers no more until then; more calls can be bought",
    ]);
    story.call(run, 50..62);
    story.tells(&[
        "12:00: all syncs: worse: 62 of 50 calls are used: SmartSuite answers no more until 2026-12-01 -> buy calls, or wait; nothing is lost",
    ]);
    story.end(run, WELL);
    story.clock.set("2026-12-01T00:01:00Z".parse().unwrap());
    story.look();
    story.tells(&[
        "00:01: all syncs: over (budget near, since 2026-11-02 12:00 UTC); all syncs: over (budget used up, since 2026-11-02 12:00 UTC)",
    ]);
}

#[test]
fn lateness_is_told_also_of_a_sync_that_never_came_to_read() {
    let late = "customers: late against its freshness goal since 2026-11-02 13:00 UTC -> `status` shows what it waits for";
    // Its first read has been under way since noon.
    let mut story = Story::new("  group: 0");
    let run = story.begin("customers");
    story.later(60);
    story.tells(&[]);
    story.later(1);
    story.tells(&[&format!("13:01: {late}")]);
    story.read(run, 1..=3);
    story.send(run, true);
    story.end(run, WELL);
    story.tells(&["13:01: customers: over (late, since 2026-11-02 13:01 UTC)"]);
    // A row that waits makes it late, and one that a person paused is as late as that person wants.
    story.run("customers", UNREACHABLE, |story, run| story.read(run, 1..=4));
    story.store.set_paused("customers", Some(story.now())).unwrap();
    story.later(90);
    story.store.set_paused("customers", None).unwrap();
    story.later(1);
    story.tells(&[
        "13:01: customers: the last run failed: SmartSuite is unreachable [unreachable] -> `status` shows the run and what to do",
        "14:32: customers: late against its freshness goal since 2026-11-02 14:01 UTC -> `status` shows what it waits for",
    ]);
}

#[test]
fn refused_rows_are_told_when_they_double_and_are_not_over_while_they_are_tried_again() {
    let hint = "`quarantine list` shows each with its reason";
    let mut story = in_step("  group: 0");
    story.run("orders", ROWS_REFUSED, |story, run| story.refuse(run, 21..=22));
    story.tells(&[&format!("12:00: orders: 2 rows in quarantine -> {hint}")]);
    story.later(60);
    story.run("orders", ROWS_REFUSED, |story, run| {
        story.read(run, 1..=24);
        story.send(run, false);
    });
    story.tells(&[&format!("13:00: orders: worse: 4 rows in quarantine -> {hint}")]);
    // All are on their way again, until they are refused again.
    story.later(60);
    story.run("orders", ROWS_REFUSED, |story, run| {
        let now = story.now();
        story.store.release_quarantine(&run.writer, now, true).unwrap();
        story.later(5);
        story.send(run, false);
    });
    story.tells(&[]);
    story.later(60);
    story.run("orders", WELL, |story, run| {
        let now = story.now();
        story.store.release_quarantine(&run.writer, now, true).unwrap();
        story.send(run, true);
    });
    story.tells(&["15:05: orders: over (quarantine, since 2026-11-02 12:00 UTC)"]);
}

#[test]
fn a_log_at_risk_duplicates_a_failed_copy_and_a_bad_file_are_told_and_over() {
    let mut story = in_step("  group: 0");
    let run = story.begin("orders");
    let follow = |story: &mut Story| {
        let retention = Some(Duration::from_hours(24));
        let (as_of, position) = (story.now(), StreamPosition("{}".into()));
        let marks = StreamMarks { writer: run.writer, keys: Vec::new(), full_read: None };
        let end = StreamEnd { position, as_of, retention };
        story.store.mark_stream(&[marks], &end).unwrap();
    };
    follow(&mut story);
    story.later(12 * 60);
    story.tells(&[]);
    story.later(1);
    story.tells(&[
        "00:01: orders: the binlog is 12 h behind, half of what the server keeps -> see what keeps the sync from reading, or let the server keep its binlog longer",
    ]);
    follow(&mut story);
    story.look();
    story.tells(&["00:01: orders: over (log at risk, since 2026-11-03 00:01 UTC)"]);
    for (ids, told) in [
        (1, "orders: 1 external id is carried by several records -> `dedupe` lists them"),
        (2, "orders: worse: 2 external ids are carried by several records -> `dedupe` lists them"),
        (0, "orders: over (duplicates, since 2026-11-03 00:01 UTC)"),
    ] {
        story.store.note_shared_ids(&run.writer, ids, false).unwrap();
        story.look();
        story.tells(&[&format!("00:01: {told}")]);
    }
    story.troubles.set_backup(Some("the disk is full".to_owned()));
    story.later(1);
    story.troubles.set_configuration(Some("line 3: no such key".to_owned()));
    story.later(1);
    story.troubles.set_backup(None);
    story.troubles.set_configuration(None);
    story.later(1);
    story.tells(&[
        "00:02: all syncs: the state could not be copied: the disk is full -> look at the disk's space and rights",
        "00:03: all syncs: the changed mapping file is not used: line 3: no such key -> `validate` shows what is wrong; until then the service goes on with the file as it was",
        "00:04: all syncs: over (backup failed, since 2026-11-03 00:02 UTC); all syncs: over (bad configuration, since 2026-11-03 00:03 UTC)",
    ]);
}

/// Catches: copies that fail by hanging, or that somebody removes, of which no failure ever tells.
#[test]
fn a_state_that_is_not_copied_for_two_days_is_told_of_whatever_kept_it() {
    let mut story = Story::of(ONE_TABLE);
    let hint = "see the service's log and the disk's space and rights; `state backup` makes a copy";
    let copy = |story: &Story| {
        let folder = story.folder.path();
        back_up(&folder.join("state.db"), folder, story.now()).unwrap()
    };
    // A state that was never copied counts from its first run.
    story.later(72 * 60);
    story.run("orders", WELL, |story, run| {
        story.read(run, 1..=20);
        story.send(run, true);
    });
    story.later(48 * 60);
    story.tells(&[]);
    story.later(60);
    story.tells(&[&format!("13:00: all syncs: the state was not copied for 49 h -> {hint}")]);
    let first = copy(&story);
    story.later(1);
    story.tells(&["13:01: all syncs: over (backup failed, since 2026-11-07 13:00 UTC)"]);
    story.later(47 * 60);
    let second = copy(&story);
    story.later(24 * 60);
    story.tells(&[]);
    for copy in [first, second] {
        std::fs::remove_file(copy.path).unwrap();
    }
    story.later(0);
    story.tells(&[&format!("12:01: all syncs: the state was not copied for 120 h -> {hint}")]);
}

#[test]
fn what_happens_within_some_minutes_is_one_message() {
    let hint = "`quarantine list` shows each with its reason";
    let failed = "the last run failed: SmartSuite is unreachable [unreachable] -> `status` shows the run and what to do";
    let mut story = in_step("  group: 3");
    story.run("orders", UNREACHABLE, |story, run| story.refuse(run, 21..=21));
    story.later(2);
    story.run("customers", UNREACHABLE, |_, _| {});
    story.tells(&[]);
    // What was over before anybody heard of it is not told.
    story.run("orders", ROWS_REFUSED, |_, _| {});
    story.later(1);
    story.tells(&[&format!("12:03: orders: 1 row in quarantine -> {hint}; customers: {failed}")]);
}

#[test]
fn in_quiet_hours_nothing_is_sent_whenever_it_was_decided() {
    let backup = "all syncs: the state could not be copied: the disk is full -> look at the disk's space and rights";
    let mut story = in_step(
        "  group: 0\n  quiet_hours: {from: '22:00', to: '06:00', time_zone: Europe/Berlin}",
    );
    // It is 21:55 in Berlin, and the way is down.
    story.later(8 * 60 + 55);
    story.is_taken = false;
    story.troubles.set_backup(Some("the disk is full".to_owned()));
    story.later(0);
    story.is_taken = true;
    // Gone by morning, worse for a while, and still so in the morning.
    story.run("orders", UNREACHABLE, |_, _| {});
    story.tells(&[
        "20:55: orders: the last run failed: SmartSuite is unreachable [unreachable] -> `status` shows the run and what to do",
    ]);
    story.later(5);
    story.later(60);
    story.run("orders", ROWS_REFUSED, |story, run| story.refuse(run, 21..=22));
    story.later(60 * 6 + 59);
    story.tells(&[]);
    story.later(1);
    let hint = "`quarantine list` shows each with its reason";
    story.tells(&[
        &format!("05:00: {backup}"),
        &format!(
            "05:00: orders: 2 rows in quarantine -> {hint}; orders: over (failed, since 2026-11-02 20:55 UTC)"
        ),
    ]);
}
