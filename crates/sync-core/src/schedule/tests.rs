use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cron(pattern: &str, zone: &str) -> Result<Schedule, ScheduleFault> {
    let (pattern, time_zone) = (pattern.to_owned(), zone.to_owned());
    Schedule::new(&ScheduleDefinition::Cron { pattern, time_zone })
}

/// The times at which a service runs that starts at `start` and is never late.
#[track_caller]
fn check(schedule: &Schedule, start: &str, expected: &[&str]) {
    let mut now = at(start);
    let mut last = None;
    for expected in expected {
        now = schedule.next_after(now, last).unwrap();
        assert_eq!(now.to_string(), *expected);
        last = Some(now);
    }
}

#[test]
fn an_interval_is_counted_from_start_to_start() {
    let schedule = Schedule::new(&ScheduleDefinition::Interval { minutes: 5 }).unwrap();
    check(&schedule, "2026-11-23T10:00:00Z", &["2026-11-23T10:05:00Z", "2026-11-23T10:10:00Z"]);
    // A run that took two minutes does not move the next.
    assert_eq!(
        schedule.next_after(at("2026-11-23T10:07:00Z"), Some(at("2026-11-23T10:05:00Z"))),
        Some(at("2026-11-23T10:10:00Z"))
    );
}

#[test]
fn times_missed_while_asleep_run_once() {
    let (asleep, awake) = (at("2026-11-23T10:00:00Z"), at("2026-11-24T09:03:00Z"));
    for (schedule, next) in [
        (Schedule::every(5), "2026-11-24T09:08:00Z"),
        (cron("*/5 * * * *", "UTC").unwrap(), "2026-11-24T09:05:00Z"),
    ] {
        assert_eq!(schedule.next_after(awake, Some(asleep)), Some(awake));
        assert_eq!(schedule.next_after(awake, Some(awake)), Some(at(next)));
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_the_schedule() {
    let (now, ahead) = (at("2026-11-23T10:00:00Z"), at("2031-01-01T00:00:00Z"));
    assert_eq!(Schedule::every(5).next_after(now, Some(ahead)), Some(at("2026-11-23T10:05:00Z")));
    let daily = cron("0 6 * * *", "UTC").unwrap();
    assert_eq!(daily.next_after(now, Some(ahead)), Some(at("2026-11-24T06:00:00Z")));
}

#[test]
fn cron_is_meant_in_its_zone() {
    let weekdays = cron("30 6 * * 1-5", "Europe/Berlin").unwrap();
    check(
        &weekdays,
        "2026-11-20T12:00:00Z",
        &["2026-11-23T05:30:00Z", "2026-11-24T05:30:00Z", "2026-11-25T05:30:00Z"],
    );
    check(
        &cron("15 30 6 * * *", "UTC").unwrap(),
        "2026-11-20T12:00:00Z",
        &["2026-11-21T06:30:15Z"],
    );
}

/// In Berlin 02:00 is followed by 03:00 on 29 March 2026.
#[test]
fn a_time_that_clocks_skip_runs_as_soon_as_it_has_passed() {
    let nightly = cron("30 2 * * *", "Europe/Berlin").unwrap();
    check(
        &nightly,
        "2026-03-27T12:00:00Z",
        &["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
    );
    let half_hourly = cron("*/30 * * * *", "Europe/Berlin").unwrap();
    check(
        &half_hourly,
        "2026-03-29T00:10:00Z",
        &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
    );
}

/// In Berlin 03:00 is followed by 02:00 on 25 October 2026.
#[test]
fn a_time_of_day_that_comes_twice_runs_once() {
    let nightly = cron("30 2 * * *", "Europe/Berlin").unwrap();
    check(&nightly, "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn what_happens_every_half_hour_happens_through_a_repeated_hour() {
    let half_hourly = cron("*/30 * * * *", "Europe/Berlin").unwrap();
    check(
        &half_hourly,
        "2026-10-24T23:40:00Z",
        &[
            "2026-10-25T00:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z",
        ],
    );
}

#[test]
fn a_leap_day_is_waited_for() {
    let leap = cron("0 0 29 2 *", "UTC").unwrap();
    check(&leap, "2026-11-23T10:00:00Z", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
    // 2100 is no leap year.
    check(&leap, "2096-03-01T00:00:00Z", &["2104-02-29T00:00:00Z"]);
}

#[test]
fn what_is_no_schedule_says_why() {
    for (pattern, reason) in [
        ("", "is empty"),
        (" ", "is empty"),
        ("hourly", "has 1 field, not 5 or 6"),
        ("* * * *", "has 4 fields, not 5 or 6"),
        ("60 * * * *", "has no minute `60`"),
        ("* 24 * * *", "has no hour `24`"),
        ("* * 32 * *", "has no day of month `32`"),
        ("* * * JANUARY *", "has no month `JANUARY`"),
        ("* * * * 8", "has no day of week `8`"),
        ("60 * * * * *", "has no second `60`"),
        ("*/0 * * * *", "has no minute `*/0`"),
        ("0 0 0 1 1 * 2026", "has 7 fields, not 5 or 6"),
    ] {
        let fault = ScheduleFault::Pattern { reason: reason.to_owned() };
        assert_eq!(cron(pattern, "UTC").map(|_| ()), Err(fault), "{pattern}");
    }
    assert_eq!(cron("0 0 31 4 *", "UTC").map(|_| ()), Err(ScheduleFault::Never));
    let fault = ScheduleFault::TimeZone { name: "Mars/Olympus".to_owned() };
    assert_eq!(cron("* * * * *", "Mars/Olympus").map(|_| ()), Err(fault));
}

proptest! {
    #[test]
    fn the_next_time_is_never_before_now_nor_the_last_start(
        now in 0_i64..4_000_000_000,
        ago in proptest::option::of(-1_000_000_i64..100_000_000),
        pattern in "(\\*|[0-5]?[0-9]|\\*/[1-9]) (\\*|1?[0-9]) \\* \\* (\\*|[0-6])",
        zone in prop_oneof![Just("UTC"), Just("Europe/Berlin"), Just("America/St_Johns"), Just("Australia/Lord_Howe")],
    ) {
        let now = Timestamp::from_second(now).unwrap();
        let last = ago.map(|ago| now - SignedDuration::from_secs(ago));
        for schedule in [cron(&pattern, zone).unwrap(), Schedule::every(7)] {
            let due = schedule.next_after(now, last).unwrap();
            prop_assert!(due >= now);
            // Having started then, the next is later: no schedule spins.
            prop_assert!(schedule.next_after(due, Some(due)).unwrap() > due);
        }
    }
}

#[test]
fn a_time_is_said_in_utc_and_in_the_schedules_zone() {
    let at: Timestamp = "2026-12-31T23:00:00Z".parse().unwrap();
    let words = |schedule: Schedule| schedule.in_words(at);
    assert_eq!(words(Schedule::every(5)), "2026-12-31 23:00:00 UTC");
    assert_eq!(words(cron("0 0 1 1 *", "UTC").unwrap()), "2026-12-31 23:00:00 UTC");
    assert_eq!(
        words(cron("0 0 1 1 *", "Europe/Berlin").unwrap()),
        "2026-12-31 23:00:00 UTC (2027-01-01 00:00:00 Europe/Berlin)"
    );
}
