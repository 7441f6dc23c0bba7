//! The text of an expression, cut into tokens.

use std::ops::Range;

use super::ExpressionFault;
use crate::value::Decimal;

/// One token with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) at: Range<usize>,
}

/// The kinds of tokens.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A bare word: a column, a function or `and`.
    Word(String),
    /// A word in backticks: always a column.
    Quoted(String),
    /// A text in quotes.
    Text(String),
    Number(Decimal),
    /// An operator or bracket.
    Sign(&'static str),
}

/// Longer signs before what they begin with.
const SIGNS: [&str; 17] =
    ["<=", ">=", "<>", "!=", "==", "(", ")", ",", "+", "-", "*", "/", "&", "=", "<", ">", "%"];

/// The tokens of `text`, which begins at `offset` of what the user wrote.
pub(super) fn tokens(text: &str, offset: usize) -> Result<Vec<Token>, ExpressionFault> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let start = offset + text.len() - rest.len();
        let (kind, length) =
            match first {
                '`' => quoted(rest, '`', start)
                    .map(|(text, length)| (TokenKind::Quoted(text), length))?,
                '\'' | '"' => quoted(rest, first, start)
                    .map(|(text, length)| (TokenKind::Text(text), length))?,
                '0'..='9' => number(rest, start)?,
                _ if first.is_alphabetic() || matches!(first, '_' | '$') => {
                    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                    (TokenKind::Word(rest.get(..length).unwrap_or_default().to_owned()), length)
                }
                _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                    Some(sign) => (TokenKind::Sign(sign), sign.len()),
                    None => {
                        return Err(ExpressionFault::new(
                            start..start + first.len_utf8(),
                            "this character means nothing here",
                            "text stands in quotes, a column with an odd name in backticks",
                        ));
                    }
                },
            };
        tokens.push(Token { kind, at: start..start + length });
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// What stands between quotes, which are doubled inside, and its length with them.
fn quoted(text: &str, quote: char, start: usize) -> Result<(String, usize), ExpressionFault> {
    let mut found = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            found.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            found.push(quote);
        } else {
            return Ok((found, at + quote.len_utf8()));
        }
    }
    Err(ExpressionFault::new(
        start..start + text.len(),
        "this quote has no end",
        format!("close it with {quote}; inside, write {quote}{quote} for the quote itself"),
    ))
}

fn number(text: &str, start: usize) -> Result<(TokenKind, usize), ExpressionFault> {
    let length = text.find(|c: char| !is_word(c) && c != '.').unwrap_or(text.len());
    let digits = text.get(..length).unwrap_or_default();
    let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    digits.parse().ok().filter(|_| plain).map(|number| (TokenKind::Number(number), length)).ok_or_else(
        || {
            ExpressionFault::new(
                start..start + length,
                "this is not a number",
                "write digits with a point, e.g. 1.19; a column whose name begins with a digit stands in backticks",
            )
        },
    )
}
