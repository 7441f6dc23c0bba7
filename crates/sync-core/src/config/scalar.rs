//! A scalar of the file: its text after unquoting and interpolation, and where each byte of it came from.

use std::ops::Range;

use granit_parser::ScalarStyle;

use super::span::Span;

/// A text in the file.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// What it says, with variables replaced.
    pub text: String,
    /// Where it stands: block scalars without their header, quoted ones with their quotes.
    pub span: Span,
    /// Whether it may be read as a number or a boolean: written without quotes, or made of a variable.
    pub(super) typed: bool,
    /// What it said before variables were replaced, where there were any.
    pub(super) written: Option<String>,
    /// The parts of `text` that are values of variables, rising.
    pub(super) variables: Vec<Range<usize>>,
    /// For each byte of `text` and its end, the byte of the file it came from.
    pub(super) origin: Vec<usize>,
}

impl Scalar {
    /// The text as the user wrote it: what messages quote, since a variable's value may be a secret.
    pub fn shown(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }

    /// Whether a part of the text holds something of a variable's value, so that it must not be quoted.
    pub fn is_foreign(&self, part: &Range<usize>) -> bool {
        self.variables.iter().any(|value| value.start < part.end && part.start < value.end)
    }

    /// Where a part of the text stands in the file.
    pub fn span_of(&self, part: Range<usize>) -> Span {
        let at = |offset: usize| self.origin.get(offset).copied().unwrap_or(self.span.end);
        let last = part.end.checked_sub(1).map_or(self.span.start, |last| at(last) + 1);
        let start = at(part.start);
        Span { start, end: last.max(start) }
    }

    /// Whether nothing was written, or `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        self.typed
            && self.written.is_none()
            && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

/// For each byte of `decoded` and its end, the byte of `file` that it came from, where `span` covers the scalar as
/// written.
///
/// Both texts are walked together: unquoting, folding and indentation only ever drop or replace white space, quotes
/// and escapes, so that what is neither is found exactly.
pub(super) fn origin(decoded: &str, file: &str, span: Span, style: ScalarStyle) -> Vec<usize> {
    let mut at = match style {
        ScalarStyle::Plain => span.start,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => span.start + 1,
        ScalarStyle::Literal | ScalarStyle::Folded => block_start(decoded, file, span),
    };
    let rest = |at: usize| file.get(at..span.end).unwrap_or("");
    let mut origin = Vec::with_capacity(decoded.len() + 1);
    for character in decoded.chars() {
        if !character.is_whitespace() {
            at += rest(at).len() - skip_breaks(rest(at), style).len();
        }
        let written = rest(at);
        origin.extend(std::iter::repeat_n(at.min(span.end), character.len_utf8()));
        at += match written.chars().next() {
            Some('\\') if style == ScalarStyle::DoubleQuoted => escape_length(written),
            Some('\'') if style == ScalarStyle::SingleQuoted => 2,
            Some(first) if first == character || first.is_whitespace() => first.len_utf8(),
            _ => 0,
        };
    }
    origin.push(at.min(span.end));
    origin
}

/// Where the first line of a block scalar begins. The parser's span begins behind its empty lines and indentation.
fn block_start(decoded: &str, file: &str, span: Span) -> usize {
    let empty_lines = decoded.len() - decoded.trim_start_matches('\n').len();
    if empty_lines == 0 {
        return span.start;
    }
    let mut breaks = file.get(..span.start).unwrap_or("").rmatch_indices('\n');
    breaks.nth(empty_lines).map_or(span.start, |(header_end, _)| header_end + 1)
}

/// Without the white space and the escaped line breaks that begin `written`.
fn skip_breaks(written: &str, style: ScalarStyle) -> &str {
    let rest = written.trim_start();
    match rest.strip_prefix('\\') {
        Some(after) if style == ScalarStyle::DoubleQuoted && after.starts_with(['\n', '\r']) => {
            after.trim_start()
        }
        _ => rest,
    }
}

/// Length in bytes of the escape that begins `written`.
fn escape_length(written: &str) -> usize {
    match written.chars().nth(1) {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        Some(other) => 1 + other.len_utf8(),
        None => 1,
    }
}
