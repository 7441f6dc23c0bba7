//! The month's calls: what the plan includes, what was used, what will be used, and who may spend now.
//!
//! SmartSuite bills calls by the workspace's month. Only calls of this tool are counted here; what people's other
//! integrations use is not seen, so a reserve is left to them.

mod forecast;
mod pace;
mod plan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

pub use pace::{Member, Priority, Verdict};
pub use plan::Plan;

/// US cents that SmartSuite takes for 1,000 calls beyond the plan's (documented add-on).
pub const OVERAGE_CENTS: u64 = 1_500;
/// Calls a second that SmartSuite lets through beyond the plan's calls.
pub const THROTTLED_RATE: u32 = 2;
/// Per cent of the plan's calls at which SmartSuite answers no more until the next billing month.
const STOP_PERCENT: u64 = 125;
/// Per cent of what this tool may use at which it is said that the end is near.
const NEAR_PERCENT: u64 = 80;

/// What the workspace's plan includes, and how it may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetDefinition {
    /// Calls that are included each month.
    pub monthly_calls: u32,
    /// Day of the month at which the count begins anew, 1 to 31, at midnight UTC; the last day of a shorter month.
    pub billing_day: u8,
    /// Calls of them that are left to people and other integrations.
    pub reserve: u32,
    /// What happens when the rest is used up.
    pub when_used_up: WhenUsedUp,
    /// Whether SmartSuite answers at all beyond the included calls; not on the free plan.
    pub has_overage: bool,
}

/// What happens when the month's calls are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUsedUp {
    /// What waits is sent when the next month begins.
    Wait,
    /// Calls go on, slowly, until SmartSuite answers no more.
    GoOn,
}

impl BudgetDefinition {
    /// Calls that this tool may use.
    pub fn share(&self) -> u64 {
        u64::from(self.monthly_calls.saturating_sub(self.reserve))
    }

    /// Calls at which SmartSuite answers no more.
    fn stop_at(&self) -> u64 {
        let monthly = u64::from(self.monthly_calls);
        if self.has_overage { monthly * STOP_PERCENT / 100 } else { monthly }
    }

    /// Where `used` calls stand.
    pub fn stage(&self, used: u64) -> Stage {
        let share = self.share();
        if used >= self.stop_at() {
            Stage::Stopped
        } else if used >= u64::from(self.monthly_calls) {
            Stage::Throttled
        } else if used >= share {
            Stage::UsedUp
        } else if used * 100 >= share * NEAR_PERCENT {
            Stage::Near
        } else {
            Stage::Within
        }
    }

    /// Calls that may still be made.
    pub fn left(&self, used: u64) -> u64 {
        let most = match self.when_used_up {
            WhenUsedUp::Wait => self.share(),
            WhenUsedUp::GoOn => self.stop_at(),
        };
        most.saturating_sub(used)
    }

    /// What `calls` more than `used` cost beyond the plan, in US cents; nothing that is included costs.
    pub fn overage_cents(&self, used: u64, calls: u64) -> u64 {
        let included = u64::from(self.monthly_calls).saturating_sub(used);
        calls.saturating_sub(included).saturating_mul(OVERAGE_CENTS).div_ceil(1_000)
    }
}

/// How far the month's calls are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// There are enough.
    Within,
    /// 80 % of what this tool may use are used.
    Near,
    /// All of what this tool may use is used; the reserve is untouched.
    UsedUp,
    /// All of the plan's calls are used: SmartSuite takes 2 a second.
    Throttled,
    /// 125 % are used: SmartSuite answers no more until the next month.
    Stopped,
}

impl Stage {
    /// As machines read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Near => "near",
            Self::UsedUp => "used_up",
            Self::Throttled => "throttled",
            Self::Stopped => "stopped",
        }
    }
}

/// A billing month: from its first day on, until the day before `until`, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    pub from: Date,
    /// The next month's first day.
    pub until: Date,
}

impl Month {
    /// The billing month that `day` is in.
    pub fn of(day: Date, billing_day: u8) -> Self {
        let first = day.first_of_month();
        let begins = begin_in(first, billing_day);
        if begins <= day {
            Self { from: begins, until: begin_in(first.saturating_add(1.month()), billing_day) }
        } else {
            Self { from: begin_in(first.saturating_sub(1.month()), billing_day), until: begins }
        }
    }

    /// Days from `day` on, that day included.
    fn days_from(self, day: Date) -> u64 {
        let days = (self.until - day).get_days();
        u64::try_from(days).unwrap_or(0).max(1)
    }
}

/// The day on which the billing month begins in the month of `first`.
fn begin_in(first: Date, billing_day: u8) -> Date {
    let day = i8::try_from(billing_day).unwrap_or(i8::MAX).clamp(1, first.days_in_month());
    first.with().day(day).build().unwrap_or(first)
}

/// Calls by day, UTC, and by who made them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    days: BTreeMap<Date, BTreeMap<String, u64>>,
}

impl Ledger {
    /// The first day that a ledger must hold to answer at `now`: a month, and the days before it that say what is usual.
    pub fn since(now: Timestamp) -> Date {
        day_of(now).saturating_sub(45.days())
    }

    /// Counts calls.
    pub fn add(&mut self, day: Date, sync: &str, calls: u64) {
        let counts = self.days.entry(day).or_default();
        match counts.get_mut(sync) {
            Some(count) => *count += calls,
            None => drop(counts.insert(sync.to_owned(), calls)),
        }
    }

    /// Calls of the month that `now` is in.
    pub fn used(&self, definition: &BudgetDefinition, now: Timestamp) -> u64 {
        let month = Month::of(day_of(now), definition.billing_day);
        self.between(month.from, month.until)
    }

    /// Calls of these days, `until` not included.
    fn between(&self, from: Date, until: Date) -> u64 {
        if until <= from {
            return 0;
        }
        self.days.range(from..until).flat_map(|(_, counts)| counts.values()).sum()
    }

    fn on(&self, day: Date) -> u64 {
        self.days.get(&day).map_or(0, |counts| counts.values().sum())
    }

    fn of_sync_on(&self, day: Date, sync: &str) -> u64 {
        self.days.get(&day).and_then(|counts| counts.get(sync)).copied().unwrap_or(0)
    }

    /// Whole days before `today` that are known from their beginning, newest first, at most `most`.
    fn whole_days(&self, today: Date, most: usize) -> Vec<Date> {
        let Some(first) = self.days.keys().next().copied() else { return Vec::new() };
        let mut days = Vec::new();
        let mut day = today;
        while days.len() < most {
            day = day.saturating_sub(1.day());
            // The first day of all may have begun before anything was counted.
            if day <= first {
                break;
            }
            days.push(day);
        }
        days
    }

    /// How the month stands.
    pub fn report(&self, definition: &BudgetDefinition, now: Timestamp) -> BudgetReport {
        let month = Month::of(day_of(now), definition.billing_day);
        let used = self.used(definition, now);
        let share = definition.share();
        let outlook = forecast::of(self, month, share, now);
        let forecast = match definition.when_used_up {
            WhenUsedUp::Wait => outlook.calls.min(share.max(used)),
            WhenUsedUp::GoOn => outlook.calls,
        };
        BudgetReport {
            month,
            monthly_calls: u64::from(definition.monthly_calls),
            reserve: u64::from(definition.reserve),
            used,
            left: definition.left(used),
            forecast,
            used_up_on: outlook.used_up_on,
            stage: definition.stage(used),
        }
    }
}

/// How a month stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetReport {
    /// The month.
    pub month: Month,
    /// Calls that the plan includes.
    pub monthly_calls: u64,
    /// Calls of them that are left to others.
    pub reserve: u64,
    /// Calls that this tool made.
    pub used: u64,
    /// Calls that it may still make.
    pub left: u64,
    /// Calls that it will have made at the month's end.
    pub forecast: u64,
    /// The day on which what it may use is used up, if there is one.
    pub used_up_on: Option<Date>,
    /// How far it is.
    pub stage: Stage,
}

fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Seconds of the day that have passed.
fn seconds_of_day(at: Timestamp) -> u64 {
    u64::try_from(at.as_second().rem_euclid(DAY_SECONDS)).unwrap_or(0)
}

const DAY_SECONDS: i64 = 86_400;
