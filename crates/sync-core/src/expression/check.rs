//! Holding an expression against the columns of a read, before any row.

use super::{
    Expression, ExpressionFault, Kind,
    parse::{Node, NodeKind, Operator},
};

/// The kind of the expression's values. `column` gives a column's kind; `None`: there is no such column, which is
/// not reported here, as whoever calls knows the columns.
///
/// # Errors
/// A part can never be what its place needs.
pub fn check(
    expression: &Expression,
    column: &dyn Fn(&str) -> Option<Kind>,
) -> Result<Kind, ExpressionFault> {
    kind_of(&expression.root, column)
}

fn kind_of(node: &Node, column: &dyn Fn(&str) -> Option<Kind>) -> Result<Kind, ExpressionFault> {
    let needs = |part: &Node, wanted: Kind| {
        let found = kind_of(part, column)?;
        if found.fits(wanted) {
            return Ok(found);
        }
        Err(ExpressionFault::new(
            part.at.clone(),
            format!("this is {}, but {} is needed", found.word(), wanted.word()),
            match wanted {
                Kind::Number => "write `number(...)` if it is a number written as text",
                _ => "convert it in the query",
            },
        ))
    };
    Ok(match &node.kind {
        NodeKind::Null => Kind::Any,
        NodeKind::Boolean(_) => Kind::Boolean,
        NodeKind::Number(_) => Kind::Number,
        NodeKind::Text(_) => Kind::Text,
        NodeKind::Column(name) => column(name).unwrap_or(Kind::Any),
        NodeKind::Negative(inner) => {
            needs(inner, Kind::Number)?;
            Kind::Number
        }
        NodeKind::Not(inner) => {
            needs(inner, Kind::Boolean)?;
            Kind::Boolean
        }
        NodeKind::Joined(pieces) => {
            for piece in pieces {
                needs(piece, Kind::Text)?;
            }
            Kind::Text
        }
        NodeKind::Binary(operator, left, right) => match operator {
            Operator::And | Operator::Or => {
                needs(left, Kind::Boolean)?;
                needs(right, Kind::Boolean)?;
                Kind::Boolean
            }
            Operator::Join => {
                needs(left, Kind::Text)?;
                needs(right, Kind::Text)?;
                Kind::Text
            }
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide => {
                needs(left, Kind::Number)?;
                needs(right, Kind::Number)?;
                Kind::Number
            }
            _ => {
                let (a, b) = (kind_of(left, column)?, kind_of(right, column)?);
                let alike = a == b || a == Kind::Any || b == Kind::Any;
                let truth = |kind| matches!(kind, Kind::Boolean | Kind::Number);
                if !(alike || truth(a) && truth(b)) {
                    return Err(ExpressionFault::new(
                        node.at.clone(),
                        format!("{} cannot be compared with {}", a.word(), b.word()),
                        "compare equal kinds: `number(...)` and `text(...)` convert",
                    ));
                }
                Kind::Boolean
            }
        },
        NodeKind::Call(function, arguments) => {
            let mut found = Vec::with_capacity(arguments.len());
            for (at, argument) in arguments.iter().enumerate() {
                found.push(needs(argument, function.parameter(at))?);
            }
            function.result(&found)
        }
    })
}
