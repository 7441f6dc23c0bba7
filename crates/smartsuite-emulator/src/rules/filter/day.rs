//! Days of date filters: the modes and whose day it is (section 3.5).

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::family::Op;
use crate::model::cell::DateValue;
use crate::model::world::World;
use crate::profile::DayBoundary;
use crate::rules::call::Call;

/// The furthest a filter may look ahead or back.
const MOST_DAYS: i64 = 36_600;

/// The days that a filter names, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    pub(crate) first: Date,
    pub(crate) last: Date,
}

/// The zone that sets the day.
pub(crate) fn zone(world: &World, call: &Call<'_>) -> TimeZone {
    if call.profile.day_boundary == DayBoundary::Utc {
        return TimeZone::UTC;
    }
    let account = world.accounts.get(&call.actor.account);
    let member = account.and_then(|account| account.member(call.actor.member));
    member.and_then(|member| TimeZone::get(&member.timezone).ok()).unwrap_or(TimeZone::UTC)
}

/// The day of a value: a date without its time is the same day everywhere.
pub(crate) fn of(value: DateValue, zone: &TimeZone) -> Date {
    let zone = if value.include_time { zone.clone() } else { TimeZone::UTC };
    value.at.timestamp().to_zoned(zone).date()
}

/// Reads the date object of a clause; none where it is not one.
pub(crate) fn parse(value: &Value, op: Op, today: Date) -> Option<Days> {
    let mode = value.get("date_mode")?.as_str()?;
    let operand = value.get("date_mode_value").unwrap_or(&Value::Null);
    let is_exact = matches!(op, Op::Is | Op::IsNot);
    let single = |date: Date| Days { first: date, last: date };
    let moved = |span: Span| today.checked_add(span).ok().map(single);
    let is_blank = operand.is_null() || operand == "" || operand == 0;
    let number = || {
        let days = match operand {
            Value::String(text) => text.parse::<i64>().ok(),
            other => other.as_i64(),
        };
        days.filter(|days| (0..=MOST_DAYS).contains(days))
    };
    match mode {
        "today" if is_blank => Some(single(today)),
        "yesterday" if is_blank => moved(Span::new().days(-1)),
        "one_week_ago" if is_blank => moved(Span::new().weeks(-1)),
        "one_week_from_now" if is_blank => moved(Span::new().weeks(1)),
        "one_month_ago" if is_blank => moved(Span::new().months(-1)),
        "one_month_from_now" if is_blank => moved(Span::new().months(1)),
        "one_year_ago" if is_blank => moved(Span::new().years(-1)),
        "one_year_from_now" if is_blank => moved(Span::new().years(1)),
        "exact_date" => date(operand).map(single),
        "next_number_of_days" if is_exact => {
            let last = today.checked_add(Span::new().days(number()?)).ok()?;
            Some(Days { first: today, last })
        }
        "past_number_of_days" if is_exact => {
            let first = today.checked_add(Span::new().days(-number()?)).ok()?;
            Some(Days { first, last: today })
        }
        "date_range" if is_exact => {
            let first = date(operand.get("from_date")?)?;
            let last = date(operand.get("to_date")?)?;
            Some(Days { first, last })
        }
        _ => None,
    }
}

fn date(value: &Value) -> Option<Date> {
    let text = value.as_str().filter(|text| text.len() == 10)?;
    text.parse().ok()
}
