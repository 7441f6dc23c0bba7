//! What expressions mean, one line a case.

use proptest::prelude::*;

use super::*;
use crate::{source::ColumnKind, value::Value};

fn column(name: &str) -> Option<(Value, ColumnKind)> {
    let text = |text: &str| (Value::Text(text.to_owned()), ColumnKind::Text);
    Some(match name {
        "price" => (Value::Decimal("10.10".parse().unwrap()), ColumnKind::Decimal { scale: 2 }),
        "net" => (Value::Decimal("5.00".parse().unwrap()), ColumnKind::Decimal { scale: 2 }),
        "count" => (Value::Int(3), ColumnKind::Int { unsigned: false, width: 11 }),
        "big" => {
            (Value::Int(18_446_744_073_709_551_615), ColumnKind::Int { unsigned: true, width: 20 })
        }
        "double" => (Value::Float(0.1), ColumnKind::Double),
        "flag" => (Value::Bool(true), ColumnKind::Bit { bits: 1 }),
        "first" => text("Ada"),
        "last" => text("Lovelace"),
        "blank" => text(" "),
        "nothing" => (Value::Null, ColumnKind::Text),
        "odd name" => text("odd"),
        "day" => (Value::Date(jiff::civil::date(2024, 2, 29)), ColumnKind::Date),
        "zero" => (Value::ZeroDate("0000-00-00".to_owned()), ColumnKind::Date),
        "doc" => {
            let json = serde_json::from_str(r#"{"a": {"b": [1.50, "x"]}, "yes": true}"#).unwrap();
            (Value::Json(json), ColumnKind::Json)
        }
        "raw" => (Value::Bytes(vec![0, 1, 255]), ColumnKind::Binary),
        _ => return None,
    })
}

const NAMES: [&str; 15] = [
    "price", "net", "count", "big", "double", "flag", "first", "last", "blank", "nothing",
    "odd name", "day", "zero", "doc", "raw",
];

fn value(expression: &Expression) -> Result<Value, EvaluationFault> {
    let row: Vec<_> = NAMES.iter().filter_map(|name| Some((*name, column(name)?))).collect();
    evaluate(expression, &|name| {
        row.iter().find(|(own, _)| *own == name).map(|(_, (value, kind))| (value, kind))
    })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Text(text) => format!("'{text}'"),
        Value::Date(day) => day.to_string(),
        Value::Json(json) => json.to_string(),
        other => other.kind().to_owned(),
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let found = match value(&Expression::parse(text).unwrap()) {
        Ok(value) => shown(&value),
        Err(fault) => format!("fault: {fault}"),
    };
    assert_eq!(found, expected, "{text}");
}

#[track_caller]
fn check_template(text: &str, expected: &str) {
    let found = value(&Expression::template(text).unwrap()).unwrap();
    assert_eq!(shown(&found), format!("'{expected}'"), "{text}");
}

#[test]
fn numbers_are_exact() {
    check("price * 1.19", "12.019");
    check("10.10 * 1.19", "12.019");
    check("0.1 + 0.2", "0.3");
    check("double + 0.2", "0.3");
    check("big + 1", "18446744073709551616");
    check("1 / 3", "0.333333333333333333333333333333");
    check("2 / 3", "0.666666666666666666666666666667");
    check("-2 / 3", "-0.666666666666666666666666666667");
    check("100 / 4", "25");
    check("1 - 2 - 3", "-4");
    check("2 + 3 * 4", "14");
    check("(2 + 3) * 4", "20");
    check("-count", "-3");
    check("- - count", "3");
    check("flag + 1", "2");
    check("price / 0", "fault: the expression divides by zero");
    check("price / nothing", "null");
    check("if(1 = 1, 0, 1 / 0)", "0");
}

#[test]
fn an_overflow_is_a_fault_and_never_wraps() {
    let huge = (0..10).map(|_| "9".repeat(60)).collect::<Vec<_>>().join(" * ");
    check(&huge, "fault: a value of the expression is too large");
}

#[test]
fn truth_has_three_values_as_in_sql() {
    check("price > 10 and count = 3", "true");
    check("nothing = 1", "null");
    check("nothing = 1 and false", "false");
    check("nothing = 1 or true", "true");
    check("not (nothing = 1)", "null");
    check("not count = 3", "false");
    check("if(nothing = 1, 'a', 'b')", "'b'");
    check("if(count > 5, 'a')", "null");
    check("'a' < 'b'", "true");
    check("flag = 1", "true");
    check("day > day", "false");
    check("price <> 10.1", "false");
}

#[test]
fn texts_are_joined_and_null_is_nothing() {
    check("first & ' ' & last", "'Ada Lovelace'");
    check("first & nothing", "'Ada'");
    check("'a' & 1.50", "'a1.5'");
    check("net & ' EUR'", "'5.00 EUR'");
    check("'it''s'", "'it's'");
    check("\"it's\"", "'it's'");
    check("`odd name`", "'odd'");
    check_template("{first} {last}", "Ada Lovelace");
    check_template("{net} EUR, {{not}} {nothing}.", "5.00 EUR, {not} .");
    check_template("{if(count > 2, '}', \"{\")}", "}");
    check_template("plain", "plain");
}

#[test]
fn functions_do_what_the_manual_says() {
    check("round(2.5)", "3");
    check("round(-2.5)", "-3");
    check("round(price * 1.19, 2)", "12.02");
    check("floor(-1.1)", "-2");
    check("ceil(1.01, 1)", "1.1");
    check("abs(-3)", "3");
    check("min(3, nothing, 1)", "1");
    check("round(first)", "fault: a value of the expression is a text, but a number is needed");
    check("max(3, 10, 9)", "10");
    check("number(' 12.50 ')", "12.5");
    check("number(blank)", "null");
    check("number(first)", "fault: a text of the expression is not a number");
    check("upper(first) & lower(last)", "'ADAlovelace'");
    check("length('äöü')", "3");
    check("left('äöü', 2)", "'äö'");
    check("right('äöü', 2)", "'öü'");
    check("substring('abcdef', 2, 3)", "'bcd'");
    check("substring('abcdef', 5)", "'ef'");
    check("replace('a-b-c', '-', '')", "'abc'");
    check("contains(last, 'love')", "false");
    check("starts_with(last, 'Love')", "true");
    check("ends_with(last, 'lace')", "true");
    check("split('a, b, c', ', ', 2)", "'b'");
    check("split('a', ',', 2)", "null");
    check("pad_left(count, 5, '0')", "'00003'");
    check("coalesce(nothing, zero, first)", "'Ada'");
    check("nullif(first, 'Ada')", "null");
    check("one_of(count, 1, 2, 3)", "true");
    check("json(doc, 'a.b[0]') * 2", "3");
    check("json(doc, 'a.b[1]') & '!'", "'x!'");
    check("if(json(doc, 'yes'), 1, 2)", "1");
    check("json(doc, 'gone')", "null");
    check("hex(raw)", "'0001ff'");
    check("base64(raw)", "'AAH/'");
    check("uuid(raw)", "fault: bytes of the expression are no UUID, which has 16");
    check("left(first, -1)", "fault: a count of the expression is not a whole number from 0 on");
}

#[track_caller]
fn check_syntax(text: &str, place: &str, message: &str) {
    let fault = Expression::parse(text).unwrap_err();
    let found = (text.get(fault.at.clone()).unwrap(), fault.message.as_str());
    assert_eq!(found, (place, message), "{text}");
}

#[test]
fn what_cannot_be_understood_is_shown_with_its_place() {
    check_syntax("price *", "", "the expression ends too early");
    check_syntax("price price", "price", "the expression should end here");
    check_syntax("rond(price)", "rond", "there is no function `rond`");
    check_syntax("round()", "round()", "`round` does not take 0 arguments");
    check_syntax("(price", "(price", "`)` should stand here");
    check_syntax("price # 2", "#", "this character means nothing here");
    check_syntax("'abc", "'abc", "this quote has no end");
    check_syntax("1.2.3", "1.2.3", "this is not a number");
    check_syntax("1 < 2 < 3", "<", "comparisons cannot be chained");
    check_syntax("price % 2", "%", "the expression should end here");
    check_syntax("% 2", "%", "`%` cannot stand here");
    assert_eq!(Expression::parse("rond(1)").unwrap_err().hint, "did you mean `round`?");
    assert!(Expression::template("{first").is_err());
    assert!(Expression::template("first}").is_err());
    assert!(Expression::parse(&"(".repeat(5000)).is_err());
    assert!(Expression::parse(&"-".repeat(5000)).is_err());
    assert!(Expression::parse(&"1+".repeat(5000)).is_err());
    assert!(Expression::parse(&"not ".repeat(2000)).is_err());
}

#[track_caller]
fn check_kind(text: &str, expected: Result<Kind, &str>) {
    let expression = Expression::parse(text).unwrap();
    let found = check_columns(&expression);
    assert_eq!(
        found.as_ref().map_err(|fault| fault.message.as_str()),
        expected.as_ref().map_err(|text| *text),
        "{text}"
    );
}

fn check_columns(expression: &Expression) -> Result<Kind, ExpressionFault> {
    super::check(expression, &|name| column(name).map(|(_, kind)| Kind::of_column(&kind)))
}

#[test]
fn kinds_are_checked_before_any_row() {
    check_kind("price * count", Ok(Kind::Number));
    check_kind("first & price", Ok(Kind::Text));
    check_kind("if(count > 2, price, 0)", Ok(Kind::Number));
    check_kind("if(count > 2, price, 'none')", Ok(Kind::Any));
    check_kind("coalesce(null, day)", Ok(Kind::Date));
    check_kind("json(doc, 'a') * 2", Ok(Kind::Number));
    check_kind("first * 2", Err("this is a text, but a number is needed"));
    check_kind("round(day)", Err("this is a date, but a number is needed"));
    check_kind("price = first", Err("a number cannot be compared with a text"));
    check_kind("first and flag", Err("this is a text, but true or false is needed"));
}

#[test]
fn columns_are_named_once() {
    let expression = Expression::template("{first} {last} {first} {`odd name`}").unwrap();
    assert_eq!(expression.columns().into_iter().collect::<Vec<_>>(), ["first", "last", "odd name"]);
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused_with_a_place_in_it(text in "\\PC{0,60}") {
        for parsed in [Expression::parse(&text), Expression::template(&text)] {
            match parsed {
                Ok(expression) => {
                    let _kind = check_columns(&expression);
                    let _value = value(&expression);
                }
                Err(fault) => prop_assert!(text.get(fault.at.clone()).is_some(), "{:?}", fault),
            }
        }
    }

    #[test]
    fn what_looks_like_an_expression_is_computed_or_refused(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("price"), Just("first"), Just("day"), Just("doc"), Just("raw"), Just("nothing"), Just("1.5"),
                Just("'a'"), Just("+"), Just("-"), Just("*"), Just("/"), Just("&"), Just("="), Just("<"), Just("("),
                Just(")"), Just(","), Just("if("), Just("round("), Just("split("), Just("not"), Just("and"),
                Just("json("), Just("pad_left("), Just("null"),
            ],
            0..14,
        ),
    ) {
        let text = parts.join(" ");
        if let Ok(expression) = Expression::parse(&text)
            && let (Ok(kind), Ok(found)) = (check_columns(&expression), value(&expression))
            && kind == Kind::Number
        {
            prop_assert!(matches!(found, Value::Decimal(_) | Value::Null), "{text}: {}", found.kind());
        }
    }

    #[test]
    fn arithmetic_agrees_with_whole_numbers(a in -10_000_i64..10_000, b in -10_000_i64..10_000, c in 1_i64..500) {
        let text = format!("({a}) + ({b}) * {c} - {c}");
        let found = value(&Expression::parse(&text).unwrap()).unwrap();
        prop_assert_eq!(shown(&found), (a + b * c - c).to_string());
        let whole = value(&Expression::parse(&format!("({a}) * {c} / {c}")).unwrap()).unwrap();
        prop_assert_eq!(shown(&whole), a.to_string());
    }
}

#[test]
fn every_comparison_is_known() {
    for (text, expected) in [
        ("count = 3", "true"),
        ("count <> 3", "false"),
        ("count < 3", "false"),
        ("count <= 3", "true"),
        ("count <= 2", "false"),
        ("count > 3", "false"),
        ("count >= 3", "true"),
        ("count >= 4", "false"),
        ("raw = raw", "true"),
        ("raw < raw", "false"),
    ] {
        check(text, expected);
    }
}
