//! Functions of texts. Lengths and places count characters, places from 1.

use super::{Answer, Function, Kind};
use crate::{
    encoding,
    expression::evaluate::{Arguments, EvaluationFault},
    value::Value,
};

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "text",
        usage: "text(value)",
        meaning: "the value as text",
        least: 1,
        most: 1,
        parameters: &[Kind::Any],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| Ok(text(arguments.text(0)?)),
    },
    Function {
        name: "upper",
        usage: "upper(text)",
        meaning: "in capitals",
        least: 1,
        most: 1,
        parameters: &[Kind::Text],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| Ok(text(arguments.text(0)?.map(|text| text.to_uppercase()))),
    },
    Function {
        name: "lower",
        usage: "lower(text)",
        meaning: "in small letters",
        least: 1,
        most: 1,
        parameters: &[Kind::Text],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| Ok(text(arguments.text(0)?.map(|text| text.to_lowercase()))),
    },
    Function {
        name: "trim",
        usage: "trim(text)",
        meaning: "without white space at both ends",
        least: 1,
        most: 1,
        parameters: &[Kind::Text],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| Ok(text(arguments.text(0)?.map(|text| text.trim().to_owned()))),
    },
    Function {
        name: "length",
        usage: "length(text)",
        meaning: "the number of its characters",
        least: 1,
        most: 1,
        parameters: &[Kind::Text],
        answer: Answer::Always(Kind::Number),
        apply: |arguments| match arguments.text(0)? {
            Some(text) => Ok(Value::Decimal((text.chars().count() as i128).into())),
            None => Ok(Value::Null),
        },
    },
    Function {
        name: "left",
        usage: "left(text, count)",
        meaning: "its first characters",
        least: 2,
        most: 2,
        parameters: &[Kind::Text, Kind::Number],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| with_count(arguments, |text, count| text.chars().take(count).collect()),
    },
    Function {
        name: "right",
        usage: "right(text, count)",
        meaning: "its last characters",
        least: 2,
        most: 2,
        parameters: &[Kind::Text, Kind::Number],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| {
            with_count(arguments, |text, count| {
                let length = text.chars().count();
                text.chars().skip(length.saturating_sub(count)).collect()
            })
        },
    },
    Function {
        name: "substring",
        usage: "substring(text, start, count)",
        meaning: "the characters from `start` on, all without `count`",
        least: 2,
        most: 3,
        parameters: &[Kind::Text, Kind::Number],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| {
            let (Some(from), Some(start)) = (arguments.text(0)?, arguments.count_at(1)?) else {
                return Ok(Value::Null);
            };
            let rest = from.chars().skip(start.saturating_sub(1));
            let found = if arguments.count() == 3 {
                let Some(count) = arguments.count_at(2)? else { return Ok(Value::Null) };
                rest.take(count).collect()
            } else {
                rest.collect()
            };
            Ok(Value::Text(found))
        },
    },
    Function {
        name: "replace",
        usage: "replace(text, old, new)",
        meaning: "with every `old` replaced",
        least: 3,
        most: 3,
        parameters: &[Kind::Text],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| {
            let texts = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
            let (Some(from), Some(old), Some(new)) = texts else { return Ok(Value::Null) };
            if old.is_empty() {
                return Ok(Value::Text(from));
            }
            let length = from.len() + from.matches(&old).count() * new.len();
            Arguments::check_length(length)?;
            Ok(Value::Text(from.replace(&old, &new)))
        },
    },
    Function {
        name: "contains",
        usage: "contains(text, part)",
        meaning: "whether the second text is in the first",
        least: 2,
        most: 2,
        parameters: &[Kind::Text],
        answer: Answer::Always(Kind::Boolean),
        apply: |arguments| match (arguments.text(0)?, arguments.text(1)?) {
            (Some(text), Some(part)) => Ok(Value::Bool(text.contains(&part))),
            _ => Ok(Value::Null),
        },
    },
    Function {
        name: "starts_with",
        usage: "starts_with(text, part)",
        meaning: "whether the first text begins with the second",
        least: 2,
        most: 2,
        parameters: &[Kind::Text],
        answer: Answer::Always(Kind::Boolean),
        apply: |arguments| match (arguments.text(0)?, arguments.text(1)?) {
            (Some(text), Some(part)) => Ok(Value::Bool(text.starts_with(&part))),
            _ => Ok(Value::Null),
        },
    },
    Function {
        name: "ends_with",
        usage: "ends_with(text, part)",
        meaning: "whether the first text ends with the second",
        least: 2,
        most: 2,
        parameters: &[Kind::Text],
        answer: Answer::Always(Kind::Boolean),
        apply: |arguments| match (arguments.text(0)?, arguments.text(1)?) {
            (Some(text), Some(part)) => Ok(Value::Bool(text.ends_with(&part))),
            _ => Ok(Value::Null),
        },
    },
    Function {
        name: "split",
        usage: "split(text, separator, place)",
        meaning: "the part at a place, counted from 1; NULL where there is none",
        least: 3,
        most: 3,
        parameters: &[Kind::Text, Kind::Text, Kind::Number],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| {
            let parts = (arguments.text(0)?, arguments.text(1)?, arguments.count_at(2)?);
            let (Some(from), Some(separator), Some(place)) = parts else { return Ok(Value::Null) };
            let part = match (place.checked_sub(1), separator.is_empty()) {
                (Some(place), false) => from.split(&separator).nth(place),
                (Some(0), true) => Some(from.as_str()),
                _ => None,
            };
            Ok(text(part.map(str::to_owned)))
        },
    },
    Function {
        name: "pad_left",
        usage: "pad_left(text, length, fill)",
        meaning: "filled up at its beginning",
        least: 3,
        most: 3,
        parameters: &[Kind::Text, Kind::Number, Kind::Text],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| {
            let parts = (arguments.text(0)?, arguments.count_at(1)?, arguments.text(2)?);
            let (Some(from), Some(length), Some(fill)) = parts else { return Ok(Value::Null) };
            Arguments::check_length(length)?;
            let missing = length.saturating_sub(from.chars().count());
            let filled: String = fill.chars().cycle().take(missing).collect();
            Ok(Value::Text(filled + &from))
        },
    },
    Function {
        name: "hex",
        usage: "hex(bytes)",
        meaning: "bytes as hexadecimal digits",
        least: 1,
        most: 1,
        parameters: &[Kind::Any],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| Ok(text(arguments.bytes(0)?.map(|bytes| encoding::hex(&bytes)))),
    },
    Function {
        name: "base64",
        usage: "base64(bytes)",
        meaning: "bytes in Base64",
        least: 1,
        most: 1,
        parameters: &[Kind::Any],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| Ok(text(arguments.bytes(0)?.map(|bytes| encoding::base64(&bytes)))),
    },
    Function {
        name: "uuid",
        usage: "uuid(bytes)",
        meaning: "16 bytes as a UUID",
        least: 1,
        most: 1,
        parameters: &[Kind::Any],
        answer: Answer::Always(Kind::Text),
        apply: |arguments| match arguments.bytes(0)? {
            Some(bytes) => encoding::uuid(&bytes).map(Value::Text).ok_or(EvaluationFault::NotAUuid),
            None => Ok(Value::Null),
        },
    },
];

fn text(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::Text)
}

fn with_count(
    arguments: &Arguments<'_, '_>,
    take: impl Fn(&str, usize) -> String,
) -> Result<Value, EvaluationFault> {
    match (arguments.text(0)?, arguments.count_at(1)?) {
        (Some(text), Some(count)) => Ok(Value::Text(take(&text, count))),
        _ => Ok(Value::Null),
    }
}
