//! Places in the user's file.

use serde::Serialize;

/// A range of bytes in the user's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte; equal to `start` where there is nothing to underline.
    pub end: usize,
}

/// A place as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
}

/// Turns byte offsets of one text into places.
#[derive(Clone, Debug)]
pub struct LineIndex<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
    /// Where each file begins, and its name; none where there is only one.
    files: Vec<(usize, &'t str)>,
}

impl<'t> LineIndex<'t> {
    /// The index of `text`.
    pub fn new(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(after_breaks).collect();
        Self { text, starts, files: Vec::new() }
    }

    /// The index of files that stand one behind the other, each with where it begins and its name.
    pub(super) fn of_files(text: &'t str, files: Vec<(usize, &'t str)>) -> Self {
        Self { files, ..Self::new(text) }
    }

    /// The name of the file in which a byte is, where that is not the first.
    pub fn included_file(&self, offset: usize) -> Option<&'t str> {
        let place = self.files.partition_point(|(start, _)| *start <= offset);
        self.files.get(place.checked_sub(1)?).filter(|(start, _)| *start > 0).map(|(_, name)| *name)
    }

    /// Lines before the file in which a byte is.
    fn lines_before(&self, offset: usize) -> usize {
        let begins = self.files.iter().map(|(start, _)| *start).filter(|start| *start <= offset);
        let begin = begins.max().unwrap_or(0);
        self.starts.partition_point(|start| *start < begin)
    }

    /// The place of a byte; offsets past the end or inside a character are moved back to the nearest place.
    pub fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start =
            line.checked_sub(1).and_then(|line| self.starts.get(line)).copied().unwrap_or(0);
        // The byte order mark that some editors put first is no column.
        let before = self.text.get(start..offset).unwrap_or("").trim_start_matches('\u{feff}');
        let line = line.saturating_sub(self.lines_before(offset));
        Place { line, column: before.chars().count() + 1 }
    }

    /// The part of `span` that lies on its first line, without the white space that ends it.
    pub fn first_line(&self, span: Span) -> Span {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.floor_char_boundary(span.end);
        let shown = self.text.get(start..end).unwrap_or("");
        let line = shown.lines().next().unwrap_or("").trim_end();
        Span { start, end: start + line.len() }
    }
}
