//! The month's calls, and how much each sync matters.

use crate::{
    budget::{BudgetDefinition, Plan, Priority, WhenUsedUp},
    config::{
        decode::Given,
        defaults,
        diagnostic::Code,
        raw::{PLANS, PRIORITIES, RawSmartSuite, RawSync, WHEN_USED_UP},
        report::{Finding, Report},
        scalar::Scalar,
        suggestion::nearest,
    },
};

use super::{conversion, in_range};

/// The workspace's plan, where the file says it.
pub(super) fn plan(raw: &RawSmartSuite, report: &mut Report<'_>) -> Option<Plan> {
    let given = raw.plan.as_ref()?;
    Plan::ALL.get(word(given, "plan", PLANS, report)?).copied()
}

/// The budget; `None` where the file says neither a plan nor a number.
pub(super) fn lower(
    raw: &RawSmartSuite,
    plan: Option<Plan>,
    report: &mut Report<'_>,
) -> Option<BudgetDefinition> {
    let monthly = raw.monthly_calls.as_ref().and_then(|given| {
        in_range(given, 1..=defaults::MONTHLY_CALLS_MAX, "monthly_calls", report)
    });
    let Some(monthly_calls) = monthly.or(plan.map(Plan::monthly_calls)) else {
        belongs(raw, report);
        return None;
    };
    let billing_day = match &raw.billing_day {
        Some(given) => in_range(given, 1..=defaults::BILLING_DAY_MAX, "billing_day", report)?,
        None => defaults::BILLING_DAY,
    };
    let reserve = match &raw.reserve {
        Some(given) => in_range(given, 0..=monthly_calls.saturating_sub(1), "reserve", report)?,
        None => monthly_calls / defaults::RESERVE_DIVISOR,
    };
    let when_used_up = match &raw.when_used_up {
        Some(given) => word(given, "when_used_up", WHEN_USED_UP, report)?,
        None => 0,
    };
    Some(BudgetDefinition {
        monthly_calls,
        billing_day: u8::try_from(billing_day).unwrap_or(1),
        reserve,
        when_used_up: if when_used_up == 0 { WhenUsedUp::Wait } else { WhenUsedUp::GoOn },
        has_overage: plan.is_none_or(Plan::has_overage),
    })
}

/// What says how the month's calls are used needs to know how many there are.
fn belongs(raw: &RawSmartSuite, report: &mut Report<'_>) {
    if raw.plan.is_some() || raw.monthly_calls.is_some() {
        return;
    }
    let keys = [
        ("billing_day", raw.billing_day.as_ref().map(|given| given.key)),
        ("reserve", raw.reserve.as_ref().map(|given| given.key)),
        ("when_used_up", raw.when_used_up.as_ref().map(|given| given.key)),
    ];
    for (name, key) in keys {
        if let Some(key) = key {
            let message = format!("`{name}` needs to know how many calls a month includes");
            report.add(
                Finding::new(Code::ConflictingKeys, key, message)
                    .hint("add `plan: team`, or `monthly_calls: NUMBER`"),
            );
        }
    }
}

/// How much the sync matters.
pub(super) fn priority(raw: &RawSync, report: &mut Report<'_>) -> Priority {
    let place = raw.priority.as_ref().and_then(|given| word(given, "priority", PRIORITIES, report));
    match place {
        Some(0) => Priority::High,
        Some(2) => Priority::Low,
        _ => Priority::Normal,
    }
}

/// The place of the word among those allowed.
pub(super) fn word(
    given: &Given<Scalar>,
    key: &str,
    allowed: &'static [&'static str],
    report: &mut Report<'_>,
) -> Option<usize> {
    let text = given.value.text.trim();
    let place = allowed.iter().position(|one| *one == text);
    if place.is_none() {
        let near = nearest(text, allowed.iter().copied());
        report.add(conversion::unknown_value(given, key, near, allowed));
    }
    place
}
