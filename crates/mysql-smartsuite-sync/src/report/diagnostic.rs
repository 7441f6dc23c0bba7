//! The diagnostics of a mapping file, for people and for machines.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};
use serde::Serialize;
use sync_core::config::{
    diagnostic::{Diagnostic, Severity},
    sources::{FilePart, Sources},
};

/// The screen for people: each diagnostic with its code, line, mark and hint, then their number.
///
/// `color`: whether the output is a terminal that shows colours.
pub(crate) fn screen(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let mut out = list(diagnostics, sources, color);
    out.push_str(&summary(diagnostics, sources.file_at(0).name));
    out.push('\n');
    out
}

/// The same without their number.
pub(crate) fn list(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&renderer.render(&[group(diagnostic, sources)]));
        out.push_str("\n\n");
    }
    out
}

/// A diagnostic with a piece of each file in which it marks something; the first mark is the problem itself.
fn group<'d>(diagnostic: &'d Diagnostic, sources: &'d Sources) -> Group<'d> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut files: Vec<FilePart<'d>> = Vec::new();
    for label in &diagnostic.labels {
        let file = sources.file_at(label.span.start);
        if !files.contains(&file) {
            files.push(file);
        }
    }
    let mut snippets = files.into_iter().map(|file| {
        let mut snippet = Snippet::source(file.text).path(file.name);
        for (place, label) in diagnostic.labels.iter().enumerate() {
            if sources.file_at(label.span.start) != file {
                continue;
            }
            let kind = if place == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let words = (!label.text.is_empty()).then_some(label.text.as_str());
            let at = |offset: usize| offset.saturating_sub(file.start).min(file.text.len());
            snippet = snippet
                .annotation(kind.span(at(label.span.start)..at(label.span.end)).label(words));
        }
        snippet
    });
    let first = snippets.next().unwrap_or_else(|| Snippet::source(""));
    let group = snippets.fold(title.element(first), |group, snippet| group.element(snippet));
    if diagnostic.hint.is_empty() {
        return group;
    }
    group.element(Level::HELP.with_name("hint").message(diagnostic.hint.as_str()))
}

/// One line: "`FILE`: 2 errors, 1 warning".
pub(crate) fn summary(diagnostics: &[Diagnostic], path: &str) -> String {
    let count = |severity: Severity| {
        diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    };
    let parts: Vec<_> =
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
            .into_iter()
            .map(|(severity, noun)| (count(severity), noun))
            .filter(|(count, _)| *count > 0)
            .map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
            .collect();
    if parts.is_empty() {
        return format!("`{path}`: no problems");
    }
    format!("`{path}`: {}", parts.join(", "))
}

/// The same for machines.
#[derive(Debug, Serialize)]
pub(crate) struct Json<'d> {
    /// The file, as the user named it.
    file: &'d str,
    /// In the order of the file.
    diagnostics: &'d [Diagnostic],
}

/// Everything about `diagnostics` as one JSON value.
pub(crate) fn json<'d>(diagnostics: &'d [Diagnostic], path: &'d str) -> Json<'d> {
    Json { file: path, diagnostics }
}

#[cfg(test)]
mod tests;
