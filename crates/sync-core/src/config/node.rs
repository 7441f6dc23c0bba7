//! The file as a tree in which every part knows its place.

use super::{scalar::Scalar, span::Span};

/// A part of the file.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A text, number, boolean or nothing.
    Scalar(Scalar),
    /// `- a` or `[a]`.
    List { span: Span, items: Vec<Self> },
    /// `a: b` or `{a: b}`; keys are unique, in the file's order.
    Map { span: Span, entries: Vec<Entry> },
    /// Already reported; whatever it should have been is not complained of again.
    Broken,
}

/// One `key: value`.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Scalar,
    pub(super) value: Node,
}

impl Node {
    /// Where it begins; for block lists and maps their first line.
    pub(super) fn span(&self) -> Option<Span> {
        match self {
            Self::Scalar(scalar) => Some(scalar.span),
            Self::List { span, .. } | Self::Map { span, .. } => Some(*span),
            Self::Broken => None,
        }
    }

    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(scalar) if scalar.is_null() => "nothing",
            Self::Scalar(scalar) if !scalar.typed => "text",
            Self::Scalar(scalar) if boolean(&scalar.text).is_some() => "a boolean",
            Self::Scalar(scalar) if scalar.text.parse::<f64>().is_err() => "text",
            Self::Scalar(scalar) if scalar.text.starts_with('-') => "a negative number",
            Self::Scalar(scalar) if scalar.text.contains('.') => "a number with a fraction",
            Self::Scalar(_) => "a number",
            Self::List { .. } => "a list",
            Self::Map { .. } => "a mapping",
            Self::Broken => "something unreadable",
        }
    }

    /// The text, unless nothing was written.
    pub(super) fn text(&self) -> Option<&Scalar> {
        match self {
            Self::Scalar(scalar) if !scalar.is_null() => Some(scalar),
            Self::Scalar(_) | Self::List { .. } | Self::Map { .. } | Self::Broken => None,
        }
    }

    /// The text, if it may be read as a number or boolean.
    pub(super) fn typed(&self) -> Option<&str> {
        self.text().filter(|scalar| scalar.typed).map(|scalar| scalar.text.as_str())
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(scalar) if scalar.is_null())
    }
}

/// The words for true and false: also those of YAML 1.1, which the files were first written for.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}
