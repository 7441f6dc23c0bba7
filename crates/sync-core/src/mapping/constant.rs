//! Values that are known before any row: constants and defaults. Whether they fit is known then too.

use std::borrow::Cow;

use super::{
    coerce::{self, Cell, Coerce},
    finding::{Finding, FindingCode},
    notes::Notes,
    pair::Pair,
    treatment,
};
use crate::{
    config::model::{Origin, Treatment},
    expression::evaluate,
    source::ColumnKind,
    value::Value,
};

/// What is wrong with a pair's constant and its default.
pub(super) fn check(pair: &Pair<'_>, rule: &dyn Coerce) -> Vec<Finding> {
    let constant = match &pair.mapping.origin {
        Origin::Computed(expression) if expression.columns().is_empty() => {
            evaluate(expression, &|_| None).ok()
        }
        Origin::Computed(_) | Origin::Column { .. } | Origin::Parts(_) => None,
    };
    let default = pair.mapping.treatment.default.clone().map(Value::Text);
    let treatment = &pair.mapping.treatment;
    [(constant, "its value"), (default, "`default`")]
        .into_iter()
        .filter_map(|(value, what)| refusal(pair, rule, treatment, &value?, what))
        .collect()
}

fn refusal(
    pair: &Pair<'_>,
    rule: &dyn Coerce,
    treatment: &Treatment,
    value: &Value,
    what: &str,
) -> Option<Finding> {
    let column = ColumnKind::Text;
    let treated = treatment::treated(treatment, Cow::Borrowed(value), &column);
    let coerced = treated.and_then(|value| {
        let cell = Cell { value: &value, column: &column };
        coerce::lend(rule, cell, &mut Notes::default()).map(drop)
    });
    let fault = coerced.err()?.at(None, "", None);
    // What is added or found when a row asks for it is no mistake.
    if fault.is_wish() {
        return None;
    }
    let message = format!("{what} does not fit: {}", fault.reason);
    Some(pair.finding(FindingCode::ConstantUnfit, &message).hint(fault.remedy()))
}
