//! A budget, hour by hour and through a simulated month.

use jiff::{SignedDuration, civil::date};

use super::*;

const DEFINITION: BudgetDefinition = BudgetDefinition {
    monthly_calls: 5_000,
    billing_day: 1,
    reserve: 500,
    when_used_up: WhenUsedUp::Wait,
    has_overage: true,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_billing_month_begins_at_its_day() {
    for (day, billing_day, from, until) in [
        (date(2026, 11, 26), 1, date(2026, 11, 1), date(2026, 12, 1)),
        (date(2026, 11, 26), 26, date(2026, 11, 26), date(2026, 12, 26)),
        (date(2026, 11, 25), 26, date(2026, 10, 26), date(2026, 11, 26)),
        (date(2026, 1, 3), 28, date(2025, 12, 28), date(2026, 1, 28)),
        // Shorter months begin it at their last day, and longer ones at its own again.
        (date(2026, 1, 30), 31, date(2025, 12, 31), date(2026, 1, 31)),
        (date(2026, 1, 31), 31, date(2026, 1, 31), date(2026, 2, 28)),
        (date(2026, 2, 28), 31, date(2026, 2, 28), date(2026, 3, 31)),
        (date(2026, 3, 30), 31, date(2026, 2, 28), date(2026, 3, 31)),
        (date(2026, 4, 30), 31, date(2026, 4, 30), date(2026, 5, 31)),
        (date(2026, 3, 1), 29, date(2026, 2, 28), date(2026, 3, 29)),
        (date(2028, 2, 28), 30, date(2028, 1, 30), date(2028, 2, 29)),
    ] {
        assert_eq!(Month::of(day, billing_day), Month { from, until }, "{day}, {billing_day}");
    }
}

#[test]
fn billing_months_follow_each_other_without_a_gap_whatever_their_day() {
    for billing_day in 1..=31 {
        let mut month = Month::of(date(2027, 1, 1), billing_day);
        let mut day = month.from;
        while day < date(2029, 1, 1) {
            if day == month.until {
                month = Month { from: day, until: Month::of(day, billing_day).until };
                assert!(
                    (day.day() == i8::try_from(billing_day).unwrap()) || day == day.last_of_month()
                );
            }
            assert_eq!(Month::of(day, billing_day), month, "{day}, {billing_day}");
            day = day.saturating_add(1.day());
        }
    }
}

#[test]
fn stages_follow_what_smartsuite_documents() {
    for (used, stage, left) in [
        (0, Stage::Within, 4_500),
        (3_599, Stage::Within, 901),
        (3_600, Stage::Near, 900),
        (4_500, Stage::UsedUp, 0),
        (5_000, Stage::Throttled, 0),
        (6_250, Stage::Stopped, 0),
    ] {
        assert_eq!((DEFINITION.stage(used), DEFINITION.left(used)), (stage, left), "{used}");
    }
    let free =
        BudgetDefinition { monthly_calls: 100, reserve: 0, has_overage: false, ..DEFINITION };
    assert_eq!(free.stage(100), Stage::Stopped);
    assert_eq!(DEFINITION.overage_cents(4_000, 1_000), 0);
    assert_eq!(DEFINITION.overage_cents(4_000, 3_000), 3_000);
}

#[test]
fn everybody_spends_as_they_like_while_there_is_room_and_a_first_load_may_take_half_a_month() {
    let now = at("2026-11-10T10:00:00Z");
    let mut ledger = Ledger::default();
    let member = |priority, backlog| Member { priority, backlog };
    let ask = |ledger: &Ledger, backlog| {
        let members = BTreeMap::from([("a".to_owned(), member(Priority::Low, backlog))]);
        ledger.verdict(&DEFINITION, &members, "a", now)
    };
    assert_eq!(ask(&ledger, 2_250), Verdict::Now);
    assert_eq!(ask(&ledger, 2_251), Verdict::Now, "its share of the day is not spent");
    ledger.add(date(2026, 11, 10), "a", 200);
    assert_eq!(ask(&ledger, 2_251), Verdict::Paced);
    assert_eq!(ask(&ledger, 2_000), Verdict::Now);
    // The load was yesterday; what followed is little.
    let mut after = Ledger::default();
    after.add(date(2026, 11, 1), "a", 5);
    after.add(date(2026, 11, 8), "a", 2_000);
    after.add(date(2026, 11, 10), "a", 300);
    assert_eq!(ask(&after, 10), Verdict::Now);
    after.add(date(2026, 11, 9), "a", 2_400);
    assert_eq!(ask(&after, 10), Verdict::UsedUp(date(2026, 12, 1)));
    let go_on = BudgetDefinition { when_used_up: WhenUsedUp::GoOn, ..DEFINITION };
    let verdict = |ledger: &Ledger| ledger.verdict(&go_on, &BTreeMap::new(), "a", now);
    assert_eq!(verdict(&after), Verdict::Now);
    after.add(date(2026, 11, 9), "b", 1_600);
    assert_eq!(verdict(&after), Verdict::UsedUp(date(2026, 12, 1)), "125 % are used");
}

/// A sync of the simulated month.
struct Simulated {
    name: &'static str,
    priority: Priority,
    /// Changed rows of a weekday and of a day at the weekend, each in a call of its own where nothing is paced.
    rows: (u64, u64),
    waiting: Vec<Timestamp>,
    longest_wait: SignedDuration,
}

/// Lives through a month: every five minutes each sync has its turn. Answers the ledger and the forecasts by day.
fn live(definition: &BudgetDefinition, syncs: &mut [Simulated], seed: u64) -> (Ledger, Vec<u64>) {
    let mut ledger = Ledger::default();
    let (mut now, end) = (at("2026-10-20T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let mut chance = seed;
    let mut forecasts = Vec::new();
    while now < end {
        let day = day_of(now);
        let weekend =
            matches!(day.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday);
        for sync in syncs.iter_mut() {
            let rows = if weekend { sync.rows.1 } else { sync.rows.0 };
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            if (chance >> 33) % 288 < rows {
                sync.waiting.push(now);
            }
        }
        let backlogs: BTreeMap<String, Member> = syncs
            .iter()
            .map(|sync| {
                let backlog = u64::try_from(sync.waiting.len().div_ceil(25)).unwrap();
                (sync.name.to_owned(), Member { priority: sync.priority, backlog })
            })
            .collect();
        for sync in syncs.iter_mut() {
            while !sync.waiting.is_empty()
                && ledger.verdict(definition, &backlogs, sync.name, now) == Verdict::Now
            {
                ledger.add(day, sync.name, 1);
                let sent = sync.waiting.len().min(25);
                sync.waiting.drain(..sent);
            }
            if let Some(oldest) = sync.waiting.first() {
                sync.longest_wait = sync.longest_wait.max(now.duration_since(*oldest));
            }
        }
        if seconds_of_day(now) == 0 && day >= date(2026, 11, 1) {
            forecasts.push(ledger.report(definition, now).forecast);
        }
        now = now.saturating_add(SignedDuration::from_mins(5)).unwrap();
    }
    (ledger, forecasts)
}

fn simulated(name: &'static str, priority: Priority, rows: (u64, u64)) -> Simulated {
    Simulated { name, priority, rows, waiting: Vec::new(), longest_wait: SignedDuration::ZERO }
}

#[test]
fn a_month_of_which_twice_as_much_is_wanted_lasts() {
    for seed in 1..=2 {
        let mut syncs = [
            simulated("orders", Priority::High, (70, 30)),
            simulated("customers", Priority::Normal, (150, 120)),
            simulated("products", Priority::Normal, (80, 80)),
            simulated("visits", Priority::Low, (60, 50)),
        ];
        let november = (date(2026, 11, 1), date(2026, 12, 1));
        // Without a budget that matters, the month takes what is wanted.
        let unlimited = BudgetDefinition { monthly_calls: 1_000_000, ..DEFINITION };
        let (wanted, _) = live(&unlimited, &mut syncs, seed);
        let wanted = wanted.between(november.0, november.1);
        assert!(wanted >= 9_500, "{wanted} is not twice the budget");
        for sync in &mut syncs {
            sync.waiting.clear();
            sync.longest_wait = SignedDuration::ZERO;
        }
        let (ledger, forecasts) = live(&DEFINITION, &mut syncs, seed);
        let used = ledger.between(november.0, november.1);
        assert!(used <= 4_500, "the reserve is untouched: {used}");
        assert!(used >= 4_200, "what may be used is used: {used}");
        let wait = |name: &str| syncs.iter().find(|sync| sync.name == name).unwrap().longest_wait;
        assert!(wait("orders") < SignedDuration::from_mins(15), "{:?}", wait("orders"));
        for name in ["customers", "products", "visits"] {
            assert!(wait(name) < SignedDuration::from_hours(24), "{name}: {:?}", wait(name));
        }
        let a_week_ahead = forecasts[23];
        let error = a_week_ahead.abs_diff(used) * 100;
        assert!(error <= used * 5, "{a_week_ahead} was forecast, {used} came");
    }
}

#[test]
fn the_forecast_knows_weekdays_and_names_the_day() {
    for seed in 1..=2 {
        let unlimited = BudgetDefinition {
            when_used_up: WhenUsedUp::GoOn,
            monthly_calls: 1_000_000,
            ..DEFINITION
        };
        let mut syncs = [simulated("a", Priority::Normal, (230, 60))];
        let (ledger, forecasts) = live(&unlimited, &mut syncs, seed);
        let used = ledger.between(date(2026, 11, 1), date(2026, 12, 1));
        let a_week_ahead = forecasts[23];
        assert!(a_week_ahead.abs_diff(used) * 100 <= used * 5, "{a_week_ahead} and {used}");
        // Of 4,500 calls the ledger of the same use says early when they end.
        let cut = |until: Date| {
            let mut cut = ledger.clone();
            cut.days.retain(|day, _| *day < until);
            cut
        };
        let smaller = BudgetDefinition { when_used_up: WhenUsedUp::GoOn, ..DEFINITION };
        let on = cut(date(2026, 11, 12)).report(&smaller, at("2026-11-12T00:00:00Z")).used_up_on;
        let mut sum = 0;
        let really = ledger.days.range(date(2026, 11, 1)..).find(|(day, _)| {
            sum += ledger.on(**day);
            sum >= 4_500
        });
        let (on, really) = (on.unwrap(), *really.unwrap().0);
        assert!((on - really).get_days().abs() <= 1, "{on} was forecast, it was {really}");
    }
}
