//! From tokens to a tree, by precedence climbing with bounded depth.

use std::ops::Range;

use super::{
    ExpressionFault, TEXT_BYTES_MAX, function,
    token::{Token, TokenKind, tokens},
};
use crate::value::Decimal;

/// How deep brackets, calls and operators may stand in each other: far beyond use, and far below the stack's end.
const DEPTH_MAX: usize = 60;
/// Most tokens: a chain of operators is a tree as deep as it is long.
const TOKENS_MAX: usize = 400;

/// A part of an expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) at: Range<usize>,
}

/// The kinds of parts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NodeKind {
    Null,
    Boolean(bool),
    Number(Decimal),
    Text(String),
    Column(String),
    Negative(Box<Node>),
    Not(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Call(&'static function::Function, Vec<Node>),
    /// The pieces of a template, joined.
    Joined(Vec<Node>),
}

/// Operators between two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Join,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl NodeKind {
    pub(super) fn children(&self) -> Vec<&Node> {
        match self {
            Self::Null | Self::Boolean(_) | Self::Number(_) | Self::Text(_) | Self::Column(_) => {
                Vec::new()
            }
            Self::Negative(one) | Self::Not(one) => vec![one],
            Self::Binary(_, left, right) => vec![left, right],
            Self::Call(_, parts) | Self::Joined(parts) => parts.iter().collect(),
        }
    }
}

impl Operator {
    /// The operator of a token with how tightly it binds.
    fn of(token: &TokenKind) -> Option<(Self, u8)> {
        Some(match token {
            TokenKind::Word(word) if word.eq_ignore_ascii_case("or") => (Self::Or, 1),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("and") => (Self::And, 2),
            TokenKind::Sign("=" | "==") => (Self::Equal, 4),
            TokenKind::Sign("<>" | "!=") => (Self::NotEqual, 4),
            TokenKind::Sign("<") => (Self::Less, 4),
            TokenKind::Sign("<=") => (Self::LessOrEqual, 4),
            TokenKind::Sign(">") => (Self::Greater, 4),
            TokenKind::Sign(">=") => (Self::GreaterOrEqual, 4),
            TokenKind::Sign("&") => (Self::Join, 5),
            TokenKind::Sign("+") => (Self::Add, 6),
            TokenKind::Sign("-") => (Self::Subtract, 6),
            TokenKind::Sign("*") => (Self::Multiply, 7),
            TokenKind::Sign("/") => (Self::Divide, 7),
            _ => return None,
        })
    }

    /// Whether it compares; comparisons do not chain.
    pub(super) fn compares(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }
}

/// How tightly `not` binds: less than a comparison, more than `and`.
const NOT_BINDS: u8 = 3;
/// How tightly a sign binds: more than any operator.
const SIGN_BINDS: u8 = 8;

/// Parses a whole expression.
pub(super) fn expression(text: &str) -> Result<Node, ExpressionFault> {
    check_length(text)?;
    part(text, 0)
}

/// Parses a template.
pub(super) fn template(text: &str) -> Result<Node, ExpressionFault> {
    check_length(text)?;
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let start = text.len() - from.len();
        if let Some(after) = from.strip_prefix("{{") {
            plain.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            plain.push('}');
            rest = after;
        } else if let Some(inside) = from.strip_prefix('{') {
            let length = end_of(inside).ok_or_else(|| {
                ExpressionFault::new(
                    start..start + 1,
                    "this brace has no end",
                    "write `{column}`, or `{{` for the brace itself",
                )
            })?;
            if !plain.is_empty() {
                let kind = NodeKind::Text(std::mem::take(&mut plain));
                pieces.push(Node { kind, at: start..start });
            }
            pieces.push(part(inside.get(..length).unwrap_or_default(), start + 1)?);
            rest = inside.get(length + 1..).unwrap_or_default();
        } else {
            return Err(ExpressionFault::new(
                start..start + 1,
                "this brace has no beginning",
                "write `{column}`, or `}}` for the brace itself",
            ));
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Node { kind: NodeKind::Text(plain), at: 0..text.len() });
    }
    Ok(Node { kind: NodeKind::Joined(pieces), at: 0..text.len() })
}

/// Where the brace closes that began before `inside`; one in quotes closes nothing.
fn end_of(inside: &str) -> Option<usize> {
    let mut quote = None;
    for (at, character) in inside.char_indices() {
        match (quote, character) {
            (None, '}') => return Some(at),
            (None, '\'' | '"' | '`') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    None
}

fn check_length(text: &str) -> Result<(), ExpressionFault> {
    if text.len() <= TEXT_BYTES_MAX {
        return Ok(());
    }
    let message = format!("this is longer than {TEXT_BYTES_MAX} bytes");
    Err(ExpressionFault::new(0..text.len(), message, "compute such a value in the query"))
}

fn too_large(at: Range<usize>) -> ExpressionFault {
    ExpressionFault::new(at, "this has too many parts", "compute a part of it in the query")
}

fn part(text: &str, offset: usize) -> Result<Node, ExpressionFault> {
    let end = offset + text.len();
    let tokens = tokens(text, offset)?;
    if tokens.len() > TOKENS_MAX {
        return Err(too_large(offset..end));
    }
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), end, depth: 0 };
    let root = parser.expression(0)?;
    match parser.tokens.next() {
        None => Ok(root),
        Some(extra) => Err(ExpressionFault::new(
            extra.at,
            "the expression should end here",
            "put an operator before it, or quotes around text",
        )),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    /// Where the text ends.
    end: usize,
    depth: usize,
}

impl Parser {
    /// An expression whose operators bind at least this tightly.
    fn expression(&mut self, least: u8) -> Result<Node, ExpressionFault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_large(self.end..self.end));
        }
        let mut left = self.operand()?;
        let mut compared = false;
        while let Some(token) = self.tokens.peek() {
            let found = Operator::of(&token.kind).filter(|(_, binds)| *binds >= least);
            let Some((operator, binds)) = found else { break };
            if operator.compares() && std::mem::replace(&mut compared, true) {
                return Err(ExpressionFault::new(
                    token.at.clone(),
                    "comparisons cannot be chained",
                    "write `a < b and b < c`",
                ));
            }
            self.tokens.next();
            let right = self.expression(binds + 1)?;
            let at = left.at.start..right.at.end;
            left = Node { kind: NodeKind::Binary(operator, Box::new(left), Box::new(right)), at };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Node, ExpressionFault> {
        let Some(token) = self.tokens.next() else {
            return Err(ExpressionFault::new(
                self.end..self.end,
                "the expression ends too early",
                "a column, number, text or call should follow",
            ));
        };
        let start = token.at.start;
        let kind = match token.kind {
            TokenKind::Number(number) => NodeKind::Number(number),
            TokenKind::Text(text) => NodeKind::Text(text),
            TokenKind::Quoted(name) => NodeKind::Column(name),
            TokenKind::Sign("-") => NodeKind::Negative(Box::new(self.expression(SIGN_BINDS)?)),
            TokenKind::Sign("+") => return self.expression(SIGN_BINDS),
            TokenKind::Sign("(") => {
                let inner = self.expression(0)?;
                let end = self.expect(")", start)?;
                return Ok(Node { at: start..end, ..inner });
            }
            TokenKind::Word(word) => return self.word(word, token.at),
            TokenKind::Sign(sign) => {
                return Err(ExpressionFault::new(
                    token.at,
                    format!("`{sign}` cannot stand here"),
                    "a column, number, text or call should",
                ));
            }
        };
        let end = match &kind {
            NodeKind::Negative(inner) => inner.at.end,
            _ => token.at.end,
        };
        Ok(Node { kind, at: start..end })
    }

    fn word(&mut self, word: String, at: Range<usize>) -> Result<Node, ExpressionFault> {
        let is_call = self.tokens.peek().is_some_and(|next| next.kind == TokenKind::Sign("("));
        let lower = word.to_ascii_lowercase();
        let kind = match lower.as_str() {
            "not" => {
                let inner = self.expression(NOT_BINDS)?;
                let end = inner.at.end;
                return Ok(Node { kind: NodeKind::Not(Box::new(inner)), at: at.start..end });
            }
            "null" if !is_call => NodeKind::Null,
            "true" if !is_call => NodeKind::Boolean(true),
            "false" if !is_call => NodeKind::Boolean(false),
            "and" | "or" => {
                return Err(ExpressionFault::new(
                    at,
                    format!("`{word}` cannot stand here"),
                    "a column of this name stands in backticks",
                ));
            }
            _ if is_call => return self.call(&lower, at),
            _ => NodeKind::Column(word),
        };
        Ok(Node { kind, at })
    }

    fn call(&mut self, name: &str, at: Range<usize>) -> Result<Node, ExpressionFault> {
        let Some(function) = function::find(name) else {
            return Err(ExpressionFault::new(
                at,
                format!("there is no function `{name}`"),
                function::suggestion(name),
            ));
        };
        let start = at.start;
        self.tokens.next();
        let mut arguments = Vec::new();
        let end = if let Some(close) = self.tokens.next_if(|t| t.kind == TokenKind::Sign(")")) {
            close.at.end
        } else {
            loop {
                arguments.push(self.expression(0)?);
                if self.tokens.next_if(|token| token.kind == TokenKind::Sign(",")).is_none() {
                    break self.expect(")", at.start)?;
                }
            }
        };
        if !function.takes(arguments.len()) {
            return Err(ExpressionFault::new(
                start..end,
                format!("`{name}` does not take {} arguments", arguments.len()),
                format!("write `{}`", function.usage),
            ));
        }
        Ok(Node { kind: NodeKind::Call(function, arguments), at: start..end })
    }

    /// Takes the sign that must follow; answers where it ends.
    fn expect(&mut self, sign: &'static str, opened: usize) -> Result<usize, ExpressionFault> {
        match self.tokens.next() {
            Some(token) if token.kind == TokenKind::Sign(sign) => Ok(token.at.end),
            other => Err(ExpressionFault::new(
                other.map_or(opened..self.end, |token| token.at),
                format!("`{sign}` should stand here"),
                "every bracket that opens must close",
            )),
        }
    }
}
