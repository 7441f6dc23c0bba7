//! Computed fields: a small language over a row's columns, with exact decimals and no other numbers.
//!
//! Reading order: [`token`] cuts the text, [`parse`] makes a tree with bounded depth, [`kind`] is what is known of a
//! value before any row, [`check()`] holds a tree against the columns, [`function`] is what can be called,
//! [`evaluate()`] computes one row's value.
//!
//! Nothing here is a float: a FLOAT or DOUBLE column enters as its shortest exact decimal. Nothing loops, so every
//! expression ends; results are bounded, so none exhausts memory. NULL in arithmetic and comparisons gives NULL, as
//! in SQL; `&` joins texts and takes NULL for nothing.

mod check;
mod evaluate;
mod function;
mod kind;
mod parse;
#[cfg(test)]
mod tests;
mod token;

use std::{collections::BTreeSet, ops::Range};

pub use check::check;
pub use evaluate::{EvaluationFault, evaluate};
pub use function::reference;
pub use kind::Kind;

use parse::{Node, NodeKind};

/// Longest text of an expression or template, in bytes: far beyond what anybody can read.
pub const TEXT_BYTES_MAX: usize = 10_000;

/// A parsed expression or template. Equal texts of one form are equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
    is_template: bool,
    root: Node,
}

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionFault {
    /// The bytes of the text that are at fault.
    pub at: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl ExpressionFault {
    fn new(at: Range<usize>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: hint.into() }
    }
}

impl Expression {
    /// Parses `price * 1.19`.
    ///
    /// # Errors
    /// The first place that cannot be understood.
    pub fn parse(text: &str) -> Result<Self, ExpressionFault> {
        let root = parse::expression(text)?;
        Ok(Self { text: text.to_owned(), is_template: false, root })
    }

    /// Parses `{first_name} {last_name}`: text with expressions in braces; `{{` and `}}` stand for braces.
    ///
    /// # Errors
    /// The first place that cannot be understood.
    pub fn template(text: &str) -> Result<Self, ExpressionFault> {
        let root = parse::template(text)?;
        Ok(Self { text: text.to_owned(), is_template: true, root })
    }

    /// A fixed text.
    pub fn constant(text: &str) -> Self {
        let root = Node { kind: NodeKind::Text(text.to_owned()), at: 0..text.len() };
        Self { text: text.to_owned(), is_template: true, root }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it was written as a template.
    pub fn is_template(&self) -> bool {
        self.is_template
    }

    /// The columns it reads, sorted.
    pub fn columns(&self) -> BTreeSet<&str> {
        let mut columns = BTreeSet::new();
        collect(&self.root, &mut columns);
        columns
    }
}

fn collect<'n>(node: &'n Node, columns: &mut BTreeSet<&'n str>) {
    if let NodeKind::Column(name) = &node.kind {
        columns.insert(name);
    }
    for child in node.kind.children() {
        collect(child, columns);
    }
}
