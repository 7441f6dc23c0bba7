//! Any text as an expression, a template and a path: it is understood or refused with a place in it, and computing it
//! gives a value or a fault.

use std::collections::BTreeMap;

use sync_core::{
    expression::{Expression, ExpressionFault, Kind, check, evaluate},
    json_path::JsonPath,
    source::ColumnKind,
    value::Value,
};

/// Takes the input as each of them.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let row = row();
    for parse in [Expression::parse, Expression::template] {
        match parse(text) {
            Ok(expression) => compute(&expression, &row),
            Err(ExpressionFault { at, .. }) => {
                assert!(text.get(at).is_some(), "a fault stands in the text");
            }
        }
    }
    if let Ok(path) = JsonPath::parse(text) {
        for (value, _) in row.values() {
            let _found = path.value(value);
        }
    }
}

fn compute(expression: &Expression, row: &BTreeMap<&str, (Value, ColumnKind)>) {
    let kind = check(expression, &|name| row.get(name).map(|(_, kind)| Kind::of_column(kind)));
    let value = evaluate(expression, &|name| row.get(name).map(|(value, kind)| (value, kind)));
    if let (Ok(Kind::Number), Ok(value)) = (kind, value) {
        assert!(
            matches!(value, Value::Decimal(_) | Value::Null),
            "numbers are decimals or nothing"
        );
    }
}

/// A column of every kind, with names of one letter so that they are found.
fn row() -> BTreeMap<&'static str, (Value, ColumnKind)> {
    let json = serde_json::json!({ "a": { "b": [1, "x", null] } });
    BTreeMap::from([
        ("t", (Value::Text("text 12".to_owned()), ColumnKind::Text)),
        ("i", (Value::Int(-7), ColumnKind::Int { unsigned: false, width: 11 })),
        ("f", (Value::Float(0.1), ColumnKind::Double)),
        ("b", (Value::Bytes((0..16).collect()), ColumnKind::Binary)),
        ("d", (Value::Date(jiff::civil::date(2024, 2, 29)), ColumnKind::Date)),
        ("h", (Value::Duration(-90_000_000_001), ColumnKind::Time)),
        ("j", (Value::Json(json), ColumnKind::Json)),
        ("n", (Value::Null, ColumnKind::Text)),
        ("y", (Value::Bool(true), ColumnKind::Bit { bits: 1 })),
        ("z", (Value::ZeroDate("0000-00-00".to_owned()), ColumnKind::Date)),
    ])
}
