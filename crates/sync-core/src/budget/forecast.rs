//! What the month will have used at its end: each day to come is taken to be like the same weekday before it.

use jiff::{Timestamp, ToSpan as _, civil::Date};

use super::{DAY_SECONDS, Ledger, Month, day_of, seconds_of_day};

/// Days of which the mean is taken where there is no week of history.
const DAYS_MAX: usize = 7;
/// A day's use is not told from less than this part of it: 6 hours.
const SECONDS_MIN: u64 = 21_600;
/// A day's calls are computed in thousandths.
const MILLI: u64 = 1_000;

/// What is to come.
pub(super) struct Outlook {
    /// Calls at the month's end.
    pub(super) calls: u64,
    /// The day on which `share` is used up.
    pub(super) used_up_on: Option<Date>,
}

pub(super) fn of(ledger: &Ledger, month: Month, share: u64, now: Timestamp) -> Outlook {
    let today = day_of(now);
    let (passed, length) = (seconds_of_day(now), DAY_SECONDS.unsigned_abs());
    let so_far = ledger.between(month.from, month.until);
    let history = ledger.whole_days(today, DAYS_MAX);
    let mean = mean(ledger, &history, today, passed);
    let mut sum = so_far * MILLI;
    let mut used_up_on = (so_far >= share).then_some(today);
    let mut day = today;
    while day < month.until {
        let expected = same_weekday(ledger, &history, day).map_or(mean, |calls| calls * MILLI);
        sum += if day == today {
            expected.saturating_mul(length - passed.min(length)) / length
        } else {
            expected
        };
        if used_up_on.is_none() && sum / MILLI >= share {
            used_up_on = Some(day);
        }
        day = day.saturating_add(1.day());
    }
    Outlook { calls: sum.div_ceil(MILLI), used_up_on }
}

/// The calls of the newest known day that is whole weeks before `day`, where a week is known.
fn same_weekday(ledger: &Ledger, history: &[Date], day: Date) -> Option<u64> {
    let oldest = history.last().filter(|_| history.len() == DAYS_MAX)?;
    let weekday = day.weekday();
    let like = history.iter().find(|known| known.weekday() == weekday).unwrap_or(oldest);
    Some(ledger.on(*like))
}

/// Thousandths of calls of a day: of those known, else of today as far as it goes.
fn mean(ledger: &Ledger, history: &[Date], today: Date, passed: u64) -> u64 {
    match u64::try_from(history.len()) {
        Ok(days @ 1..) => {
            let sum: u64 = history.iter().map(|day| ledger.on(*day)).sum();
            sum * MILLI / days
        }
        _ => ledger.on(today) * MILLI * DAY_SECONDS.unsigned_abs() / passed.max(SECONDS_MIN),
    }
}
