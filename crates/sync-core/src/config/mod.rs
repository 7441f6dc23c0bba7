//! What the user wants: from the text of the mapping file to checked types.
//!
//! Reading order: `model` is what a file means; it cannot hold a wrong value. `raw` is what the user typed, with
//! the documentation of every key. Between them: `tree` reads YAML into `node`s that know their places and lets
//! `interpolate` replace variables, `decode` reads nodes as the sections of `raw`, `lower` turns those into the
//! `model`. `order` says which sync goes first. Each step reports all that is wrong and goes on, so that one reading of the file finds everything.

mod code;
pub mod decode;
pub mod defaults;
pub mod diagnostic;
pub mod env_file;
pub mod field_type;
mod interpolate;
mod lower;
pub mod model;
mod node;
pub mod order;
pub mod places;
pub mod raw;
pub mod reference;
mod report;
pub mod scalar;
pub mod span;
mod suggestion;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod words;

pub use interpolate::Lookup;
pub(crate) use suggestion::nearest;

use decode::{Decode as _, Subject};
use diagnostic::{Code, Diagnostic};
use model::Config;
use node::Node;
use places::Places;
use raw::RawFile;
use report::{Finding, Report};
use span::Span;

/// What a mapping file says.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What it means; `None` if it has errors.
    pub config: Option<Config>,
    /// Everything that is wrong with it, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// Where things stand in it, as far as it could be read.
    pub places: Places,
}

/// Reads the text of a mapping file. `lookup` gives the values of environment variables for `${VAR}`.
pub fn parse(text: &str, lookup: &Lookup<'_>) -> Parsed {
    let mut report = Report::new(text);
    let file = tree::read(text, lookup, &mut report).and_then(|node| decoded(&node, &mut report));
    let config = file.as_ref().and_then(|file| lower::lower(file, &mut report));
    let places = file.as_ref().map(Places::of).unwrap_or_default();
    Parsed { config, diagnostics: report.finish(), places }
}

fn decoded(node: &Node, report: &mut Report<'_>) -> Option<RawFile> {
    let at = Span { start: 0, end: 0 };
    if node.is_null() {
        report.add(
            Finding::new(Code::EmptyValue, at, "the file is empty")
                .hint("begin with config/sync_mappings.example.yml"),
        );
        return None;
    }
    RawFile::decode(node, Subject { name: "the file", at }, report)
}
