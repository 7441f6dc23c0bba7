//! Functions of numbers: exact.

use bigdecimal::RoundingMode;

use super::{Answer, Function, Kind};
use crate::{
    expression::evaluate::{Arguments, EvaluationFault},
    value::{Decimal, Value},
};

/// Most digits behind the point that can be asked for.
const DIGITS_MAX: i64 = 60;

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "round",
        usage: "round(number, digits)",
        meaning: "rounded half away from zero; to a whole number without `digits`",
        least: 1,
        most: 2,
        parameters: &[Kind::Number],
        answer: Answer::Always(Kind::Number),
        apply: |arguments| to_digits(arguments, RoundingMode::HalfUp),
    },
    Function {
        name: "floor",
        usage: "floor(number, digits)",
        meaning: "rounded down",
        least: 1,
        most: 2,
        parameters: &[Kind::Number],
        answer: Answer::Always(Kind::Number),
        apply: |arguments| to_digits(arguments, RoundingMode::Floor),
    },
    Function {
        name: "ceil",
        usage: "ceil(number, digits)",
        meaning: "rounded up",
        least: 1,
        most: 2,
        parameters: &[Kind::Number],
        answer: Answer::Always(Kind::Number),
        apply: |arguments| to_digits(arguments, RoundingMode::Ceiling),
    },
    Function {
        name: "abs",
        usage: "abs(number)",
        meaning: "without its sign",
        least: 1,
        most: 1,
        parameters: &[Kind::Number],
        answer: Answer::Always(Kind::Number),
        apply: |arguments| {
            Ok(number(arguments.number(0)?.map(|number| Decimal::from(number.as_big().abs()))))
        },
    },
    Function {
        name: "min",
        usage: "min(a, b, ...)",
        meaning: "the least number, NULLs left out",
        least: 1,
        most: usize::MAX,
        parameters: &[Kind::Number],
        answer: Answer::Always(Kind::Number),
        apply: |arguments| Ok(number(numbers(arguments)?.into_iter().min())),
    },
    Function {
        name: "max",
        usage: "max(a, b, ...)",
        meaning: "the greatest number, NULLs left out",
        least: 1,
        most: usize::MAX,
        parameters: &[Kind::Number],
        answer: Answer::Always(Kind::Number),
        apply: |arguments| Ok(number(numbers(arguments)?.into_iter().max())),
    },
    Function {
        name: "number",
        usage: "number(text)",
        meaning: "the number that a text is; NULL for a blank one",
        least: 1,
        most: 1,
        parameters: &[Kind::Any],
        answer: Answer::Always(Kind::Number),
        apply: |arguments| match arguments.value(0)? {
            value @ (Value::Null | Value::Decimal(_)) => Ok(value),
            _ => {
                let text = arguments.text(0)?.unwrap_or_default();
                if text.trim().is_empty() {
                    return Ok(Value::Null);
                }
                text.parse().map(Value::Decimal).map_err(|_| EvaluationFault::NotANumber)
            }
        },
    },
];

fn number(number: Option<Decimal>) -> Value {
    number.map_or(Value::Null, Value::Decimal)
}

fn numbers(arguments: &Arguments<'_, '_>) -> Result<Vec<Decimal>, EvaluationFault> {
    let all = (0..arguments.count()).map(|at| arguments.number(at));
    all.filter_map(Result::transpose).collect()
}

fn to_digits(arguments: &Arguments<'_, '_>, mode: RoundingMode) -> Result<Value, EvaluationFault> {
    let Some(value) = arguments.number(0)? else { return Ok(Value::Null) };
    let digits = if arguments.count() == 2 {
        let Some(digits) = arguments.whole(1)? else { return Ok(Value::Null) };
        digits
    } else {
        0
    };
    if !(-DIGITS_MAX..=DIGITS_MAX).contains(&digits) {
        return Err(EvaluationFault::TooLarge);
    }
    Ok(Value::Decimal(Decimal::from(value.as_big().with_scale_round(digits, mode))))
}
