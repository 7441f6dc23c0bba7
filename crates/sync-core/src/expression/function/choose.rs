//! Functions that choose between values, or take one out of a document.

use super::{Answer, Function, Kind};
use crate::expression::evaluate::EvaluationFault;
use crate::{json_path::JsonPath, value::Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "if",
        usage: "if(condition, then, else)",
        meaning: "`then` where the condition holds, else `else`, or NULL where there is none",
        least: 2,
        most: 3,
        parameters: &[Kind::Boolean, Kind::Any],
        answer: Answer::LikeArguments(1),
        apply: |arguments| match arguments.truth(0)? {
            Some(true) => arguments.value(1),
            Some(false) | None if arguments.count() == 3 => arguments.value(2),
            Some(false) | None => Ok(Value::Null),
        },
    },
    Function {
        name: "coalesce",
        usage: "coalesce(a, b, ...)",
        meaning: "the first that is not NULL",
        least: 1,
        most: usize::MAX,
        parameters: &[Kind::Any],
        answer: Answer::LikeArguments(0),
        apply: |arguments| {
            for at in 0..arguments.count() {
                let value = arguments.value(at)?;
                if value != Value::Null {
                    return Ok(value);
                }
            }
            Ok(Value::Null)
        },
    },
    Function {
        name: "nullif",
        usage: "nullif(a, b)",
        meaning: "NULL where both are equal, else `a`",
        least: 2,
        most: 2,
        parameters: &[Kind::Any],
        answer: Answer::LikeArguments(0),
        apply: |arguments| {
            let value = arguments.value(0)?;
            Ok(if arguments.equal(0, 1)? == Some(true) { Value::Null } else { value })
        },
    },
    Function {
        name: "one_of",
        usage: "one_of(a, b, c, ...)",
        meaning: "whether `a` equals one of the others",
        least: 2,
        most: usize::MAX,
        parameters: &[Kind::Any],
        answer: Answer::Always(Kind::Boolean),
        apply: |arguments| {
            if arguments.value(0)? == Value::Null {
                return Ok(Value::Null);
            }
            for at in 1..arguments.count() {
                if arguments.equal(0, at)? == Some(true) {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        },
    },
    Function {
        name: "json",
        usage: "json(document, 'a.b[0]')",
        meaning: "the part of a JSON document at a path; NULL where there is none",
        least: 2,
        most: 2,
        parameters: &[Kind::Any, Kind::Text],
        answer: Answer::Always(Kind::Any),
        apply: |arguments| {
            let (document, path) = (arguments.value(0)?, arguments.text(1)?);
            let Some(path) = path else { return Ok(Value::Null) };
            let path = JsonPath::parse(&path).map_err(|_| EvaluationFault::Path)?;
            path.value(&document).map_err(|_| EvaluationFault::NotJson)
        },
    },
];
