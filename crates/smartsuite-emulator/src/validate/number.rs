//! Numbers: decimals that read as text, and the few that read as JSON numbers (section 5.1).

use bigdecimal::{BigDecimal, RoundingMode};
use serde_json::Value;

use super::{Writer, Written, no};
use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::profile::{DecimalExcess, OutOfRange, Profile};

/// The most digits a number may have, before and after the point together.
const MAX_DIGITS: i64 = 200;

/// The decimal of a JSON number or of a text that is one; none for anything else, and for numbers
/// so large that writing them out would not be sensible.
pub(crate) fn decimal(value: &Value) -> Option<BigDecimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let plausible = !text.is_empty()
        && i64::try_from(text.len()).is_ok_and(|length| length <= MAX_DIGITS)
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !plausible {
        return None;
    }
    let decimal: BigDecimal = text.parse().ok()?;
    let (_, scale) = decimal.as_bigint_and_exponent();
    (scale.abs() <= MAX_DIGITS).then_some(decimal)
}

/// A decimal in plain notation without trailing zeros.
pub(crate) fn canonical(decimal: &BigDecimal) -> String {
    decimal.normalized().to_plain_string()
}

pub(super) fn write(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let Some(number) = decimal(value) else { return no("A valid number is required.") };
    let number = match precise(cx.profile, field, number) {
        Ok(number) => number,
        Err(message) => return no(&message),
    };
    let (low, high) = bounds(field);
    let inside = clamped(&number, low, high);
    if inside != number && cx.profile.out_of_range == OutOfRange::Refuse {
        return no("Ensure this value is within the allowed range.");
    }
    Ok(Cell::Number(canonical(&inside).into()))
}

fn precise(profile: &Profile, field: &Field, number: BigDecimal) -> Result<BigDecimal, String> {
    if field.kind == FieldType::Rating {
        let is_whole = number.is_integer();
        return is_whole.then_some(number).ok_or_else(|| "A valid integer is required.".into());
    }
    let Some(precision) = field.whole("precision") else { return Ok(number) };
    let rounded = number.with_scale_round(precision.clamp(0, MAX_DIGITS), RoundingMode::HalfUp);
    match profile.decimal_excess {
        DecimalExcess::Keep => Ok(number),
        DecimalExcess::Round => Ok(rounded),
        DecimalExcess::Refuse if rounded == number => Ok(number),
        DecimalExcess::Refuse => {
            Err(format!("Ensure that there are no more than {precision} decimal places."))
        }
    }
}

fn bounds(field: &Field) -> (Option<BigDecimal>, Option<BigDecimal>) {
    let param = |key: &str| field.number(key).and_then(|text| decimal(&Value::String(text)));
    if field.kind == FieldType::Rating {
        return (Some(BigDecimal::from(0)), param("scale"));
    }
    (param("min_value"), param("max_value"))
}

fn clamped(number: &BigDecimal, low: Option<BigDecimal>, high: Option<BigDecimal>) -> BigDecimal {
    match (low, high) {
        (Some(low), _) if *number < low => low,
        (_, Some(high)) if *number > high => high,
        _ => number.clone(),
    }
}
