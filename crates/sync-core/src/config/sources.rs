//! The files of a mapping: the one that was named, and those it includes. They stand one behind the other, so that a
//! place in any of them is a number.

use super::span::{LineIndex, Span};

/// The texts of all files, one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    text: String,
    files: Vec<SourceFile>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SourceFile {
    /// As the user named it, or as it is found from there.
    name: String,
    /// Where its text begins.
    start: usize,
}

/// A part of the texts that is one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePart<'s> {
    /// Its name.
    pub name: &'s str,
    /// Its text.
    pub text: &'s str,
    /// Where its text begins.
    pub start: usize,
}

impl Sources {
    /// One file.
    pub fn of(name: &str, text: &str) -> Self {
        let file = SourceFile { name: name.to_owned(), start: 0 };
        Self { text: text.to_owned(), files: vec![file] }
    }

    /// Adds a file behind the others.
    pub(super) fn add(&mut self, name: String, text: &str) {
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.files.push(SourceFile { name, start: self.text.len() });
        self.text.push_str(text);
    }

    /// Every file, the one that was named first.
    pub fn files(&self) -> impl Iterator<Item = FilePart<'_>> {
        let ends = self.files.iter().skip(1).map(|file| file.start);
        let ends = ends.chain([self.text.len()]);
        self.files.iter().zip(ends).map(|(file, end)| FilePart {
            name: &file.name,
            text: self.text.get(file.start..end).unwrap_or(""),
            start: file.start,
        })
    }

    /// The file in which a place is.
    pub fn file_at(&self, offset: usize) -> FilePart<'_> {
        let none = FilePart { name: "", text: "", start: 0 };
        self.files().take_while(|file| file.start <= offset).last().unwrap_or(none)
    }

    /// The lines of all files, each counted from its file's first.
    pub fn lines(&self) -> LineIndex<'_> {
        let starts = self.files.iter().map(|file| (file.start, file.name.as_str()));
        LineIndex::of_files(&self.text, starts.collect())
    }

    /// The text of a file with as many blank lines before it as bytes stand before it, so that places in it are those
    /// of the whole.
    pub(super) fn padded(&self, file: &FilePart<'_>) -> String {
        let mut text = "\n".repeat(file.start);
        // A byte order mark is one only at the beginning.
        match file.text.strip_prefix('\u{feff}') {
            Some(rest) if file.start > 0 => {
                text.push_str("\n\n\n");
                text.push_str(rest);
            }
            _ => text.push_str(file.text),
        }
        text
    }
}

/// Where an `include` stands that cannot be followed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Astray {
    pub(super) at: Span,
    pub(super) reason: AstrayReason,
}

/// Why an `include` cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AstrayReason {
    /// The file cannot be read; in words.
    Unreadable(String),
    /// The file is there already; `true`: it is one of those that lead here.
    Again(bool),
    /// The path holds a variable.
    Variable,
    /// The path does not end as a mapping file does.
    NoYaml,
}
