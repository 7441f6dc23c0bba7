//! Collects what is wrong while the file is read.

use super::{
    diagnostic::{Code, Diagnostic, Label, Severity},
    span::{LineIndex, Span},
};

/// A diagnostic in the making: it lacks the hint, without which it cannot be reported.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    code: Code,
    message: String,
    labels: Vec<(Span, String)>,
}

/// A finding with its hint.
#[derive(Clone, Debug)]
pub(super) struct Hinted {
    finding: Finding,
    hint: String,
}

impl Finding {
    pub(super) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: vec![(span, String::new())] }
    }

    /// Words beside the first mark.
    pub(super) fn label(mut self, text: impl Into<String>) -> Self {
        if let Some((_, label)) = self.labels.first_mut() {
            *label = text.into();
        }
        self
    }

    /// Marks another place that explains the first.
    pub(super) fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    /// What to do about it.
    pub(super) fn hint(self, hint: impl Into<String>) -> Hinted {
        Hinted { finding: self, hint: hint.into() }
    }
}

/// Collects what is found, so that one reading of the file reports all of it.
#[derive(Debug)]
pub(super) struct Report<'t> {
    lines: LineIndex<'t>,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Report<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self::of(LineIndex::new(text))
    }

    pub(super) fn of(lines: LineIndex<'t>) -> Self {
        Self { lines, diagnostics: Vec::new() }
    }

    pub(super) fn lines(&self) -> &LineIndex<'t> {
        &self.lines
    }

    pub(super) fn add(&mut self, Hinted { finding, hint }: Hinted) {
        let labels =
            finding.labels.into_iter().map(|(span, text)| Label::new(&self.lines, span, text));
        let diagnostic = Diagnostic {
            code: finding.code.name(),
            severity: finding.code.severity(),
            message: finding.message,
            labels: labels.collect(),
            hint,
        };
        // What is reached through two aliases is reported once.
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Everything found, in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics
            .sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
        self.diagnostics
    }
}
