//! Who may spend now, so that the month lasts.
//!
//! While the month has room for everybody, everybody spends as they like. Where it has not, what matters most goes on
//! at once and the others share what is left of each day. What waits is not lost: it gathers, and fuller calls leave.
//! Everything is computed from the ledger, so that restarts and several processes change nothing.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::{
    BudgetDefinition, DAY_SECONDS, Ledger, Month, Stage, WhenUsedUp, day_of, seconds_of_day,
};

/// Days whose use says what a sync needs.
const DAYS_MAX: usize = 7;
/// What is kept for the most important syncs, per cent of what they needed.
const MARGIN_PERCENT: u64 = 115;
/// What a sync may use ahead of its even share: an hour's part.
const LEAD_SECONDS: u64 = 3_600;
/// Shares are computed in thousandths of a call.
const MILLI: u64 = 1_000;

/// How much a sync matters where not everything can be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Sent at once as long as there are calls.
    High,
    /// Shares what is left.
    #[default]
    Normal,
    /// Shares it too, with a third of the weight.
    Low,
}

impl Priority {
    fn weight(self) -> u64 {
        match self {
            Self::High => 0,
            Self::Normal => 3,
            Self::Low => 1,
        }
    }

    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// A sync that shares the month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// How much it matters.
    pub priority: Priority,
    /// Calls that it needs for what waits now, as far as known.
    pub backlog: u64,
}

/// Whether a sync may make its next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Now,
    /// Not yet: its share of the day is spent.
    Paced,
    /// Not in this month; the next begins at this day.
    UsedUp(Date),
}

impl Ledger {
    /// Whether `sync` may make its next call at `now`. A sync that is no member counts as one of normal priority.
    pub fn verdict(
        &self,
        definition: &BudgetDefinition,
        members: &BTreeMap<String, Member>,
        sync: &str,
        now: Timestamp,
    ) -> Verdict {
        let today = day_of(now);
        let month = Month::of(today, definition.billing_day);
        let used = self.between(month.from, month.until);
        match definition.stage(used) {
            Stage::Stopped => return Verdict::UsedUp(month.until),
            Stage::Within | Stage::Near => {}
            Stage::UsedUp | Stage::Throttled => {
                return match definition.when_used_up {
                    WhenUsedUp::Wait => Verdict::UsedUp(month.until),
                    WhenUsedUp::GoOn => Verdict::Now,
                };
            }
        }
        let member = members.get(sync).copied().unwrap_or_default();
        if member.priority == Priority::High || self.is_roomy(definition, members, month, now) {
            return Verdict::Now;
        }
        let allowance =
            self.allowances(definition, members, month, today).remove(sync).unwrap_or(0);
        let day = DAY_SECONDS.unsigned_abs();
        let part = (seconds_of_day(now) + LEAD_SECONDS).min(day);
        if self.of_sync_on(today, sync) * MILLI < allowance * part / day {
            Verdict::Now
        } else {
            Verdict::Paced
        }
    }

    /// Whether the rest of the month has room for what waits and for what is usual.
    fn is_roomy(
        &self,
        definition: &BudgetDefinition,
        members: &BTreeMap<String, Member>,
        month: Month,
        now: Timestamp,
    ) -> bool {
        let today = day_of(now);
        let share = definition.share();
        let rest = share.saturating_sub(self.between(month.from, month.until));
        let backlog: u64 = members.values().map(|member| member.backlog).sum();
        let history = self.whole_days(today, DAYS_MAX);
        if history.is_empty() {
            // Nobody knows yet what is usual: half of the month may go into first loads.
            return rest.saturating_sub(backlog) >= share / 2;
        }
        let usual: u64 = members
            .iter()
            .map(|(sync, member)| match member.priority {
                Priority::High => self.mean(sync, &history) * MARGIN_PERCENT / 100,
                Priority::Normal | Priority::Low => self.middle(sync, &history) * MILLI,
            })
            .sum();
        rest * MILLI >= backlog * MILLI + usual * month.days_from(today)
    }

    /// Thousandths of calls that each sync which is paced may make today.
    fn allowances(
        &self,
        definition: &BudgetDefinition,
        members: &BTreeMap<String, Member>,
        month: Month,
        today: Date,
    ) -> BTreeMap<String, u64> {
        let rest = definition.share().saturating_sub(self.between(month.from, today));
        let days = month.days_from(today);
        let history = self.whole_days(today, DAYS_MAX);
        let high: u64 = members
            .iter()
            .filter(|(_, member)| member.priority == Priority::High)
            .map(|(sync, member)| {
                let today_so_far = (self.of_sync_on(today, sync) + member.backlog) * MILLI;
                (self.mean(sync, &history) * MARGIN_PERCENT / 100).max(today_so_far)
            })
            .sum();
        let mut pool = (rest * MILLI / days).saturating_sub(high);
        let mut wanting: Vec<(&String, u64, u64)> = members
            .iter()
            .filter(|(_, member)| member.priority != Priority::High)
            .map(|(sync, member)| {
                let today_so_far = self.of_sync_on(today, sync) + member.backlog;
                let wish = (self.middle(sync, &history).max(today_so_far) + 1) * MILLI;
                (sync, member.priority.weight(), wish)
            })
            .collect();
        // Whoever wants less than its share leaves the rest to the others.
        let mut shares = BTreeMap::new();
        wanting.sort_by_key(|(_, weight, wish)| wish / weight.max(&1));
        let mut weights: u64 = wanting.iter().map(|(_, weight, _)| weight).sum();
        for (sync, weight, wish) in wanting {
            let share = (pool * weight).checked_div(weights).unwrap_or(0).min(wish);
            pool -= share;
            weights -= weight;
            shares.insert(sync.clone(), share);
        }
        shares
    }

    /// Thousandths of calls of a day, on average.
    fn mean(&self, sync: &str, days: &[Date]) -> u64 {
        let sum: u64 = days.iter().map(|day| self.of_sync_on(*day, sync)).sum();
        (sum * MILLI).checked_div(u64::try_from(days.len()).unwrap_or(1)).unwrap_or(0)
    }

    /// Calls of a usual day: of the middle one, so that a single first load is not taken for what is usual.
    fn middle(&self, sync: &str, days: &[Date]) -> u64 {
        let mut counts: Vec<u64> = days.iter().map(|day| self.of_sync_on(*day, sync)).collect();
        counts.sort_unstable();
        counts.get(counts.len().saturating_sub(1) / 2).copied().unwrap_or(0)
    }
}
