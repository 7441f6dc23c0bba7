//! What is wrong with a mapping file, as plain data: terminal, JSON and pages render it in their own ways.

use serde::Serialize;

pub use super::code::{Code, Severity};
use super::span::{LineIndex, Place, Span};

/// One problem, with its places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable, for machines and the manual: the name of a [`Code`], or of a finding made at the servers.
    pub code: &'static str,
    /// Whether the file can be used in spite of it.
    pub severity: Severity,
    /// One line in words, literals in backticks. Never holds the value of an environment variable.
    pub message: String,
    /// Where; the first is the problem itself, others explain it. At least one.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub hint: String,
}

/// A marked part of the file, never longer than a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The file, where it is one that the mapping file includes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// In bytes of the file and those before it.
    pub span: Span,
    /// Where `span` starts.
    #[serde(flatten)]
    pub place: Place,
    /// Words beside the mark; may be empty.
    pub text: String,
}

impl Label {
    /// The label of `span`, as far as it lies on its first line.
    pub fn new(lines: &LineIndex<'_>, span: Span, text: impl Into<String>) -> Self {
        let span = lines.first_line(span);
        let file = lines.included_file(span.start).map(str::to_owned);
        Self { file, span, place: lines.place(span.start), text: text.into() }
    }
}
