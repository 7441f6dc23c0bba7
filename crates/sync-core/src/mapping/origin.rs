//! Where a field's value comes from, held against the columns of a read.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::fault::{FaultCode, Refusal};
use crate::{
    expression::{Expression, evaluate},
    json_path::JsonPath,
    mapping::cell_text,
    source::{ColumnKind, Row},
    value::Value,
};

/// An origin with the positions of its columns.
#[derive(Debug)]
pub(super) enum CompiledOrigin {
    /// A cell as it is.
    Cell { position: usize },
    /// A part of the JSON document in a cell.
    Part { position: usize, path: JsonPath },
    /// An expression.
    Computed { expression: Expression, columns: NamedColumns },
    /// Parts of a compound value.
    Parts { parts: Vec<(String, Expression)>, columns: NamedColumns },
}

/// Columns that expressions name, with their positions.
#[derive(Debug, Default)]
pub(super) struct NamedColumns(pub(super) Vec<(String, usize, ColumnKind)>);

impl NamedColumns {
    fn evaluate(&self, expression: &Expression, row: &Row) -> Result<Value, Refusal> {
        let cell = |name: &str| {
            let (_, position, kind) = self.0.iter().find(|(own, ..)| own == name)?;
            Some((row.0.get(*position)?, kind))
        };
        evaluate(expression, &cell)
            .map_err(|fault| Refusal::new(FaultCode::ExpressionFailed).because(fault.to_string()))
    }
}

impl CompiledOrigin {
    /// The value for a row. A cell that is not there is refused: it must never blank a field.
    pub(super) fn value<'r>(&self, row: &'r Row) -> Result<Cow<'r, Value>, Refusal> {
        let cell = |position: &usize| {
            row.0.get(*position).ok_or_else(|| Refusal::new(FaultCode::CellMissing))
        };
        Ok(match self {
            Self::Cell { position } => Cow::Borrowed(cell(position)?),
            Self::Part { position, path } => {
                let found = path.value(cell(position)?);
                Cow::Owned(found.map_err(|_| Refusal::new(FaultCode::NotJson))?)
            }
            Self::Computed { expression, columns } => {
                Cow::Owned(columns.evaluate(expression, row)?)
            }
            Self::Parts { parts, columns } => {
                let mut document = Map::new();
                for (name, expression) in parts {
                    let value = columns.evaluate(expression, row)?;
                    if let Some(part) = part(&value)? {
                        document.insert(name.clone(), part);
                    }
                }
                Cow::Owned(if document.is_empty() {
                    Value::Null
                } else {
                    Value::Json(document.into())
                })
            }
        })
    }
}

/// A part as JSON: a document stays one, everything else is its text; nothing for NULL.
fn part(value: &Value) -> Result<Option<Json>, Refusal> {
    let column = match value {
        Value::Null | Value::ZeroDate(_) => return Ok(None),
        Value::Json(json) => return Ok(Some(json.clone())),
        Value::Decimal(_) | Value::Int(_) | Value::Float(_) => ColumnKind::Double,
        _ => ColumnKind::Text,
    };
    let text = cell_text(value, &column).map_err(|_| Refusal::new(FaultCode::NotText))?;
    Ok((!text.is_empty()).then(|| Json::from(text.into_owned())))
}
