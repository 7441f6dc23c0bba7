//! One row's value of an expression. Total: every row gives a value or a fault.

use std::cmp::Ordering;

use bigdecimal::{BigDecimal, num_bigint::BigInt};
use serde_json::Value as Json;

use super::{
    Expression, Kind,
    parse::{Node, NodeKind, Operator},
};
use crate::{
    mapping::cell_text,
    source::ColumnKind,
    value::{Decimal, Value},
};

/// Most digits of a number, before and behind the point together: six times MySQL's widest.
const DIGITS_MAX: u64 = 400;
/// Digits behind the point of a quotient: MySQL's finest DECIMAL.
const QUOTIENT_DIGITS: i64 = 30;
/// Longest text on the way, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// Why a row has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationFault {
    /// A column that is not in the row.
    #[error("a column of the expression is not in the row")]
    NoColumn,
    /// Division by zero.
    #[error("the expression divides by zero")]
    DivisionByZero,
    /// A number or text beyond all bounds.
    #[error("a value of the expression is too large")]
    TooLarge,
    /// A text that is no number.
    #[error("a text of the expression is not a number")]
    NotANumber,
    /// A count that is no whole number.
    #[error("a count of the expression is not a whole number from 0 on")]
    NotACount,
    /// Bytes that are no UTF-8.
    #[error("bytes of the expression are not UTF-8 text")]
    NotText,
    /// Bytes that are not 16.
    #[error("bytes of the expression are no UUID, which has 16")]
    NotAUuid,
    /// A text that is no JSON.
    #[error("a text of the expression is not a JSON document")]
    NotJson,
    /// A path that cannot be understood.
    #[error("a path of the expression cannot be understood")]
    Path,
    /// A value where another kind is needed.
    #[error("a value of the expression is {found}, but {needed} is needed", found = .0.word(), needed = .1.word())]
    Kind(Kind, Kind),
}

/// A row's cells by column name.
type Cells<'r> = dyn Fn(&str) -> Option<(&'r Value, &'r ColumnKind)> + 'r;

/// The expression's value for a row.
///
/// # Errors
/// The row has no value: it divides by zero, a text is no number, ...
pub fn evaluate<'r>(
    expression: &Expression,
    cells: &'r Cells<'r>,
) -> Result<Value, EvaluationFault> {
    value_of(&expression.root, cells)
}

fn value_of<'r>(node: &Node, cells: &'r Cells<'r>) -> Result<Value, EvaluationFault> {
    Ok(match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Boolean(truth) => Value::Bool(*truth),
        NodeKind::Number(number) => Value::Decimal(number.clone()),
        NodeKind::Text(text) => Value::Text(text.clone()),
        NodeKind::Column(name) => loaded(cells(name).ok_or(EvaluationFault::NoColumn)?.0),
        NodeKind::Negative(inner) => match number_of(inner, cells)? {
            Some(number) => Value::Decimal(Decimal::from(-number.as_big())),
            None => Value::Null,
        },
        NodeKind::Not(inner) => truth(truth_of(inner, cells)?.map(|truth| !truth)),
        NodeKind::Joined(pieces) => Value::Text(joined(pieces.iter(), cells)?),
        NodeKind::Binary(operator, left, right) => binary(*operator, left, right, cells)?,
        NodeKind::Call(function, nodes) => (function.apply)(&Arguments { nodes, cells })?,
    })
}

/// A cell as expressions see it: one kind of number, one of text, one of nothing.
fn loaded(cell: &Value) -> Value {
    match cell {
        Value::Int(number) => Value::Decimal(Decimal::from(*number)),
        // The shortest decimal that names the float: exact from here on.
        Value::Float(number) => number.to_string().parse().map_or(Value::Null, Value::Decimal),
        Value::Labels(labels) => Value::Text(labels.join(",")),
        Value::ZeroDate(_) | Value::Json(Json::Null) => Value::Null,
        other => other.clone(),
    }
}

fn binary<'r>(
    operator: Operator,
    left: &Node,
    right: &Node,
    cells: &'r Cells<'r>,
) -> Result<Value, EvaluationFault> {
    match operator {
        Operator::And | Operator::Or => {
            let decides = operator == Operator::Or;
            let first = truth_of(left, cells)?;
            if first == Some(decides) {
                return Ok(Value::Bool(decides));
            }
            let second = truth_of(right, cells)?;
            Ok(truth(if second == Some(decides) { second } else { first.and(second) }))
        }
        Operator::Join => joined([left, right].into_iter(), cells).map(Value::Text),
        Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide => {
            let numbers = (number_of(left, cells)?, number_of(right, cells)?);
            let (Some(a), Some(b)) = numbers else { return Ok(Value::Null) };
            let (a, b) = (a.as_big(), b.as_big());
            let number = match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                _ => quotient(a, b)?,
            };
            bounded(Decimal::from(number)).map(Value::Decimal)
        }
        _ => {
            let (a, b) = (value_of(left, cells)?, value_of(right, cells)?);
            Ok(truth(compared(&a, &b)?.map(|order| match operator {
                Operator::Equal => order == Ordering::Equal,
                Operator::NotEqual => order != Ordering::Equal,
                Operator::Less => order == Ordering::Less,
                Operator::LessOrEqual => order != Ordering::Greater,
                Operator::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            })))
        }
    }
}

/// Rounded half away from zero, exactly: no digit is lost before the last.
fn quotient(a: &BigDecimal, b: &BigDecimal) -> Result<BigDecimal, EvaluationFault> {
    let ((over, over_scale), (under, under_scale)) =
        (a.as_bigint_and_exponent(), b.as_bigint_and_exponent());
    let zero = BigInt::from(0);
    if under == zero {
        return Err(EvaluationFault::DivisionByZero);
    }
    let shift = QUOTIENT_DIGITS + under_scale - over_scale;
    let power = |digits: i64| BigInt::from(10).pow(u32::try_from(digits).unwrap_or(0));
    let (over, under) =
        if shift >= 0 { (over * power(shift), under) } else { (over, under * power(-shift)) };
    let is_negative = (over < zero) != (under < zero);
    let magnitude = |number: BigInt| if number < zero { -number } else { number };
    let (over, under) = (magnitude(over), magnitude(under));
    let two = BigInt::from(2);
    let rounded = (&over * &two + &under) / (under * two);
    Ok(BigDecimal::from_bigint(if is_negative { -rounded } else { rounded }, QUOTIENT_DIGITS))
}

fn bounded(number: Decimal) -> Result<Decimal, EvaluationFault> {
    let (digits, scale) = (number.as_big().digits(), number.as_big().as_bigint_and_exponent().1);
    if digits + scale.unsigned_abs() > DIGITS_MAX {
        return Err(EvaluationFault::TooLarge);
    }
    Ok(number)
}

fn truth(truth: Option<bool>) -> Value {
    truth.map_or(Value::Null, Value::Bool)
}

/// Which of two values is greater; `None` if one is NULL.
fn compared(a: &Value, b: &Value) -> Result<Option<Ordering>, EvaluationFault> {
    Ok(Some(match (a, b) {
        (Value::Null, _) | (_, Value::Null) => return Ok(None),
        (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
        (Value::Bool(_), Value::Bool(_) | Value::Decimal(_))
        | (Value::Decimal(_), Value::Bool(_)) => as_truth(a)?.cmp(&as_truth(b)?),
        // A document's text, number or truth is compared as what it is.
        (Value::Json(json), other) => return compared(&scalar(json, other)?, other),
        (other, Value::Json(json)) => return compared(other, &scalar(json, other)?),
        _ => return Err(EvaluationFault::Kind(kind(a), kind(b))),
    }))
}

fn scalar(json: &Json, other: &Value) -> Result<Value, EvaluationFault> {
    match json {
        Json::Null => Ok(Value::Null),
        Json::Bool(truth) => Ok(Value::Bool(*truth)),
        Json::String(text) => Ok(Value::Text(text.clone())),
        Json::Number(number) => {
            number.to_string().parse().map(Value::Decimal).map_err(|_| EvaluationFault::TooLarge)
        }
        Json::Array(_) | Json::Object(_) => Err(EvaluationFault::Kind(Kind::Json, kind(other))),
    }
}

fn as_truth(value: &Value) -> Result<Option<bool>, EvaluationFault> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(truth) | Value::Json(Json::Bool(truth)) => Ok(Some(*truth)),
        Value::Decimal(number) => Ok(Some(*number != Decimal::from(0))),
        other => Err(EvaluationFault::Kind(kind(other), Kind::Boolean)),
    }
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Null | Value::ZeroDate(_) => Kind::Any,
        Value::Int(_) | Value::Decimal(_) | Value::Float(_) => Kind::Number,
        Value::Bool(_) => Kind::Boolean,
        Value::Text(_) | Value::Labels(_) => Kind::Text,
        Value::Bytes(_) => Kind::Binary,
        Value::Date(_) => Kind::Date,
        Value::DateTime(_) => Kind::DateTime,
        Value::Instant(_) => Kind::Timestamp,
        Value::Duration(_) => Kind::Time,
        Value::Json(_) => Kind::Json,
    }
}

fn truth_of<'r>(node: &Node, cells: &'r Cells<'r>) -> Result<Option<bool>, EvaluationFault> {
    as_truth(&value_of(node, cells)?)
}

fn number_of<'r>(node: &Node, cells: &'r Cells<'r>) -> Result<Option<Decimal>, EvaluationFault> {
    match value_of(node, cells)? {
        Value::Null => Ok(None),
        Value::Decimal(number) => Ok(Some(number)),
        Value::Bool(truth) => Ok(Some(Decimal::from(i128::from(truth)))),
        Value::Json(json @ Json::Number(_)) => match scalar(&json, &Value::Null)? {
            Value::Decimal(number) => Ok(Some(number)),
            _ => Ok(None),
        },
        other => Err(EvaluationFault::Kind(kind(&other), Kind::Number)),
    }
}

/// `None` for NULL. A column's text is what a person sees in MySQL: a DECIMAL keeps its digits.
fn text_of<'r>(node: &Node, cells: &'r Cells<'r>) -> Result<Option<String>, EvaluationFault> {
    let not_text = |_| EvaluationFault::NotText;
    if let NodeKind::Column(name) = &node.kind {
        let (cell, column) = cells(name).ok_or(EvaluationFault::NoColumn)?;
        return match cell {
            Value::Null | Value::ZeroDate(_) | Value::Json(Json::Null) => Ok(None),
            cell => cell_text(cell, column).map(|text| Some(text.into_owned())).map_err(not_text),
        };
    }
    match value_of(node, cells)? {
        Value::Null | Value::Json(Json::Null) => Ok(None),
        Value::Text(text) => Ok(Some(text)),
        other => {
            let column = kind(&other).column();
            cell_text(&other, &column).map(|text| Some(text.into_owned())).map_err(not_text)
        }
    }
}

fn joined<'n, 'r>(
    pieces: impl Iterator<Item = &'n Node>,
    cells: &'r Cells<'r>,
) -> Result<String, EvaluationFault> {
    let mut whole = String::new();
    for piece in pieces {
        let text = text_of(piece, cells)?.unwrap_or_default();
        Arguments::check_length(whole.len() + text.len())?;
        whole.push_str(&text);
    }
    Ok(whole)
}

/// The arguments of a call, computed when they are asked for.
pub(super) struct Arguments<'n, 'r> {
    nodes: &'n [Node],
    cells: &'r Cells<'r>,
}

impl Arguments<'_, '_> {
    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn value(&self, at: usize) -> Result<Value, EvaluationFault> {
        self.nodes.get(at).map_or(Ok(Value::Null), |node| value_of(node, self.cells))
    }

    pub(super) fn truth(&self, at: usize) -> Result<Option<bool>, EvaluationFault> {
        as_truth(&self.value(at)?)
    }

    pub(super) fn number(&self, at: usize) -> Result<Option<Decimal>, EvaluationFault> {
        self.nodes.get(at).map_or(Ok(None), |node| number_of(node, self.cells))
    }

    pub(super) fn text(&self, at: usize) -> Result<Option<String>, EvaluationFault> {
        self.nodes.get(at).map_or(Ok(None), |node| text_of(node, self.cells))
    }

    pub(super) fn bytes(&self, at: usize) -> Result<Option<Vec<u8>>, EvaluationFault> {
        match self.value(at)? {
            Value::Bytes(bytes) => Ok(Some(bytes)),
            _ => Ok(self.text(at)?.map(String::into_bytes)),
        }
    }

    pub(super) fn equal(&self, a: usize, b: usize) -> Result<Option<bool>, EvaluationFault> {
        let order = compared(&self.value(a)?, &self.value(b)?)?;
        Ok(order.map(|order| order == Ordering::Equal))
    }

    /// A whole number, negative ones too.
    pub(super) fn whole(&self, at: usize) -> Result<Option<i64>, EvaluationFault> {
        let whole =
            |number: Decimal| number.to_string().parse().map_err(|_| EvaluationFault::NotACount);
        self.number(at)?.map(whole).transpose()
    }

    /// A number of characters, or a place.
    pub(super) fn count_at(&self, at: usize) -> Result<Option<usize>, EvaluationFault> {
        let count = |number: i64| usize::try_from(number).map_err(|_| EvaluationFault::NotACount);
        self.whole(at)?.map(count).transpose()
    }

    /// Refuses a text that would be too long.
    pub(super) fn check_length(bytes: usize) -> Result<(), EvaluationFault> {
        if bytes > TEXT_BYTES_MAX { Err(EvaluationFault::TooLarge) } else { Ok(()) }
    }
}
