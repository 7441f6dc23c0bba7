//! The repository's own rules, those that no compiler and no linter knows.

mod edges;
mod file_rules;
mod links;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::project;

/// One thing that must be put right.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// Path from the project's root, with the line where there is one.
    place: String,
    message: String,
}

/// A file of the repository, as text.
struct SourceFile {
    /// Path from the project's root, with `/`.
    path: String,
    text: String,
}

impl SourceFile {
    /// Whether the file's name ends with a dot and this.
    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// Checks every file that git knows or would add, and the edges between crates.
pub(crate) fn check() -> Result<()> {
    let files = files()?;
    let mut findings = edges::check()?;
    for file in &files {
        findings.extend(file_rules::check(file));
        findings.extend(links::check(file, |path| project::root().join(path).exists()));
    }
    for finding in &findings {
        println!("{}: {}", finding.place, finding.message);
    }
    if !findings.is_empty() {
        bail!("tidy found {} things to put right", findings.len());
    }
    println!("{} files are tidy", files.len());
    Ok(())
}

/// Inputs of fuzzers are what they are.
const CORPORA: &str = "fuzz-targets/corpus/";

/// All text files; others (pictures, captured bytes) have no rules.
fn files() -> Result<Vec<SourceFile>> {
    let listed = project::read(
        Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(project::root()),
    )?;
    let mut files = Vec::new();
    for path in listed.split_terminator('\0').filter(|path| !path.contains(CORPORA)) {
        // A file that was deleted and not yet committed is still listed.
        if let Ok(text) = fs::read_to_string(project::root().join(path)) {
            files.push(SourceFile { path: path.to_owned(), text });
        }
    }
    Ok(files)
}
