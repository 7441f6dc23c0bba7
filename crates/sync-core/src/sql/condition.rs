//! A condition that is put into a statement of ours: it must be one expression, whatever it says.

use super::{Token, TokenKind, tokens};

/// Why a text cannot be a condition by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionFault {
    /// A bracket is not closed, or closed without having been opened.
    Brackets,
    /// It names a parameter.
    Parameter,
    /// It holds a `;`.
    Statements,
    /// A string, quoted name or comment has no end.
    Unclosed,
}

/// Whether the text is whole by itself, so that it stays what it is inside brackets.
///
/// # Errors
/// Why it is not.
pub fn whole_condition(condition: &str) -> Result<(), ConditionFault> {
    let mut depth: u32 = 0;
    for token in tokens(condition).iter().filter(|token| token.is_significant()) {
        match (token.kind, token) {
            (TokenKind::Unclosed, _) => return Err(ConditionFault::Unclosed),
            (TokenKind::Parameter, _) => return Err(ConditionFault::Parameter),
            (_, token) if token.is_symbol(";") => return Err(ConditionFault::Statements),
            (_, token) if opens(token) => depth += 1,
            (_, token) if token.is_symbol(")") => {
                depth = depth.checked_sub(1).ok_or(ConditionFault::Brackets)?;
            }
            _ => {}
        }
    }
    if depth == 0 { Ok(()) } else { Err(ConditionFault::Brackets) }
}

fn opens(token: &Token<'_>) -> bool {
    token.is_symbol("(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_whole_or_it_is_said_why_not() {
        for whole in ["a = 1", "(a = ')') OR b IN (1, 2)", "a = ':x' -- )", "a /* ( */ = 1"] {
            assert_eq!(whole_condition(whole), Ok(()), "{whole}");
        }
        for (broken, why) in [
            ("a = 1) OR (1 = 1", ConditionFault::Brackets),
            ("(a = 1", ConditionFault::Brackets),
            ("a > :last_sync_time", ConditionFault::Parameter),
            ("a = 1; DROP TABLE t", ConditionFault::Statements),
            ("a = 'x", ConditionFault::Unclosed),
        ] {
            assert_eq!(whole_condition(broken), Err(why), "{broken}");
        }
    }
}
